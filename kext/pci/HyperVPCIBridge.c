/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVPCIBridge: a bus of passed-through devices as a bridge of macOS. */
#include "kext/pci/HyperVPCIBridge.h"

#include "abi/OSString.h"
#include "abi/OSSymbol.h"
#include "abi/kpi/libkern.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/ioreturn.h"
#include "kext/core/log.h"

static const char who[] = "HyperVPCIBridge";

#define RING_PAGES        4u            /* each way; all guests have four */
#define PACKET_MAXIMUM    0x3000u       /* of 494 functions, 40 KB; nobody has more than one */
#define REQUEST_MAXIMUM   16u
#define ROOT_SECONDS      10u
#define MESSAGE_FUNCTION  "GetMessagedInterruptAddress"

static HyperVPCIBridge *from(void *me)
{
    return me;
}

/* ---- What the family asks -------------------------------------------------------------------- */

static void add_range(IOPCIBridge *me, const struct bar *bar)
{
    if (!bar->present || bar->address == 0)
        return;
#if defined(__i386__)
    if (bar->address > UINT32_MAX)
        return;                         /* the family knows 32 bits there */
#endif
    IOPCIBridge_addBridgeMemoryRange(me, bar->address, bar->size, true);
}

/* The bus's windows are its functions' ranges and nothing else. */
static bool bridge_configure(IOPCIBridge *me, IOService *provider)
{
    HyperVPCIBridge *bridge = from(me);

    for (uint32_t i = 0; i < VPCI_BUS_FUNCTIONS; i++)
        for (uint32_t j = 0; bridge->functions[i].present && j < BARS_COUNT; j++)
            add_range(me, &bridge->functions[i].config.bars.bar[j]);
    return host_bridge_super(configure)((host_bridge *)me, provider);
}

static bool bridge_initialize_nub(IOPCIBridge *me, IOPCIDevice *nub, OSDictionary *properties)
{
    HyperVPCIBridge *bridge = from(me);

    if (!host_bridge_super(initializeNub)((host_bridge *)me, nub, properties))
        return false;
    bridge_inject_properties(bridge, nub);
    bridge_offer_vectors(bridge, nub);
    return true;
}

/* The nub, its options, the vector, and where the three words of the message go. */
static int32_t bridge_platform_function(IOService *me, const OSSymbol *function, bool wait,
                                        void *nub, void *options, void *vector, void *message)
{
    IOPCIDevice *device;

    if (function != NULL &&
        strcmp(OSString_getCStringNoCopy((OSString *)function), MESSAGE_FUNCTION) == 0) {
        device = iokit_cast(IOPCIDevice, nub);
        if (device == NULL || message == NULL)
            return kIOReturnBadArgument;
        return ioreturn_of(bridge_create_interrupts(from(me), device,
                                                    (uint32_t)(uintptr_t)vector, message));
    }
    return host_bridge_super(callPlatformFunction_symbol)((host_bridge *)me, function, wait, nub,
                                                          options, vector, message);
}

/* ---- Start ----------------------------------------------------------------------------------- */

static uint32_t newest_version(void)
{
    uint32_t wanted = boot_argument_number("hvpciversion", 4); /* the minor number of 1.x */

    if (wanted >= 1 && wanted <= 4)
        return VPCI_VERSION_1_0 + wanted;
    hv_log(who, "hvpciversion=%u is none that this driver speaks (1 to 4): 1.4 it is", wanted);
    return VPCI_VERSION_1_4;
}

static bool prepare(HyperVPCIBridge *bridge)
{
    bridge->bus.read = bridge_config_read;
    bridge->bus.write = bridge_config_write;
    bridge->busy = IOLockAlloc();
    bridge->lock = IOLockAlloc();
    bridge->config_lock = IOSimpleLockAlloc();
    bridge->worker = thread_call_allocate(bridge_work, bridge);
    vpci_begin(&bridge->vpci, newest_version());
    return bridge->busy != NULL && bridge->lock != NULL && bridge->config_lock != NULL &&
           bridge->worker != NULL;
}

static int open_channel(HyperVPCIBridge *bridge)
{
    const struct device_channel_options options = {
        .transmit_pages = RING_PAGES,
        .receive_pages = RING_PAGES,
        .request_maximum = REQUEST_MAXIMUM,
        .packet_maximum = PACKET_MAXIMUM,
        .target_processor = DEVICE_CHANNEL_ANY_PROCESSOR,
        .owner = bridge,
        .handlers = { .packet = bridge_packet_arrived, .gone = bridge_channel_gone },
    };

    return device_channel_open(bridge->device, 0, &options, &bridge->channel);
}

static bool join_root(HyperVPCIBridge *bridge)
{
    HyperVPCIRoot *root = pci_root_wait(ROOT_SECONDS);

    if (root != NULL)
        return host_bus_join(&bridge->bus, root, (IOService *)bridge->device);
    hv_log(who, "there is no PCI root bridge");
    return false;
}

static void undo(HyperVPCIBridge *bridge)
{
    if (bridge->channel != NULL) {
        bridge_take_down(bridge);
        device_channel_close(bridge->channel);
        bridge->channel = NULL;
    }
    bridge_unmap_window(bridge);
    host_bus_leave(&bridge->bus, (IOService *)bridge->device);
}

static void publish(HyperVPCIBridge *bridge)
{
    IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)bridge, "HVPCIVersion",
                                               bridge->vpci.version, 32);
    bridge_publish_counters(bridge);
    IOLockLock(bridge->lock);
    bridge->published = true;
    bridge_wake_worker(bridge);         /* for what has changed meanwhile */
    IOLockUnlock(bridge->lock);
}

static bool bridge_start(IOService *me, IOService *provider)
{
    HyperVPCIBridge *bridge = from(me);
    int error;

    bridge->device = device_of_provider(provider);
    if (boot_argument_given("-hvpciboff") || bridge->device == NULL || !prepare(bridge))
        return false;
    error = join_root(bridge) ? open_channel(bridge) : HV_ERROR_NOT_FOUND;
    if (error == 0)
        error = bridge_bring_up(bridge);
    if (error != 0) {
        hv_log(who, "a bus of passed-through devices does not come up (error %d)", error);
        undo(bridge);
        return false;
    }
    if (!host_bridge_super(start)((host_bridge *)me, provider)) {
        undo(bridge);
        return false;
    }
    publish(bridge);
    return true;
}

/* ---- End ------------------------------------------------------------------------------------- */

static void stop_worker(HyperVPCIBridge *bridge)
{
    IOLockLock(bridge->lock);
    bridge->removing = true;
    if (bridge->worker_queued && thread_call_cancel(bridge->worker))
        bridge->worker_queued = false;
    while (bridge->worker_queued)
        IOLockSleep(bridge->lock, &bridge->worker_queued, THREAD_UNINT);
    IOLockUnlock(bridge->lock);
}

static void bridge_stop(IOService *me, IOService *provider)
{
    HyperVPCIBridge *bridge = from(me);

    stop_worker(bridge);
    undo(bridge);
    host_bridge_super(stop)((host_bridge *)me, provider);
}

/* A nub has left: the worker may have waited for that. */
static void bridge_detach_from_child(IORegistryEntry *me, IORegistryEntry *child,
                                     const IORegistryPlane *plane)
{
    HyperVPCIBridge *bridge = from(me);

    host_bridge_super(detachFromChild)((host_bridge *)me, child, plane);
    IOLockLock(bridge->lock);
    bridge_wake_worker(bridge);
    IOLockUnlock(bridge->lock);
}

/* The last thing on the device: then another of us may take it, if functions came meanwhile. */
static void bridge_detach(IOService *me, IOService *provider)
{
    bool restart = from(me)->restart && !from(me)->gone;

    host_bridge_super(detach)((host_bridge *)me, provider);
    if (restart)
        IOService_registerService(provider, 0);
}

static void bridge_free(OSObject *me)
{
    HyperVPCIBridge *bridge = from(me);

    if (bridge->worker != NULL)
        thread_call_free(bridge->worker);
    if (bridge->config_lock != NULL)
        IOSimpleLockFree(bridge->config_lock);
    if (bridge->lock != NULL)
        IOLockFree(bridge->lock);
    if (bridge->busy != NULL)
        IOLockFree(bridge->busy);
    host_bridge_super(free)((host_bridge *)me);
}

HOST_BRIDGE_CLASS(15, HyperVPCIBridge,
                  .start = bridge_start,
                  .stop = bridge_stop,
                  .detach = bridge_detach,
                  .detachFromChild = bridge_detach_from_child,
                  .free = bridge_free,
                  .callPlatformFunction_symbol = bridge_platform_function,
                  .configure = bridge_configure,
                  .initializeNub = bridge_initialize_nub,
                  .lastBusNum = host_bus_number,
                  HOST_BUS_METHODS)
