/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVGraphicsBridge: for when MacHyperVFramebuffer.kext is not installed. A PCI bus with one
 * display on it, whose memory is the VRAM with the boot screen: Apple's own framebuffer for boot
 * screens takes such a device. Machines of generation 1 have one of their own.
 *
 * It competes with HyperVGraphicsFramebuffer for HyperVGraphics (IOMatchCategory) and loses. If
 * that kext comes only later, it takes the display's place on this bus. */
#include "kext/core/boot_arguments.h"
#include "kext/core/log.h"
#include "kext/graphics/HyperVGraphics.h"
#include "kext/graphics/display_config.h"
#include "kext/pci/HyperVPCIRoot.h"

static const char who[] = "HyperVGraphicsBridge";

#define ROOT_SECONDS 10u

struct HyperVGraphicsBridge {
    struct host_bus bus;
    IOSimpleLock *lock;                 /* guards `config`; taken with interrupts off */
    struct display_config config;
};
HOST_BRIDGE_DECLARE(20, HyperVGraphicsBridge);

static HyperVGraphicsBridge *from(void *me)
{
    return me;
}

/* ---- configuration space: any context -------------------------------------------------------- */

static uint32_t read_config(struct host_bus *me, IOPCIAddressSpace space, uint32_t offset,
                            uint32_t size)
{
    HyperVGraphicsBridge *self = from(me);
    uint32_t value = UINT32_MAX;
    IOInterruptState state;

    if (space.s.deviceNum != 0 || space.s.functionNum != 0)
        return value;
    state = IOSimpleLockLockDisableInterrupt(self->lock);
    value = display_config_read(&self->config, offset, size);
    IOSimpleLockUnlockEnableInterrupt(self->lock, state);
    return value;
}

static void write_config(struct host_bus *me, IOPCIAddressSpace space, uint32_t offset,
                         uint32_t size, uint32_t value)
{
    HyperVGraphicsBridge *self = from(me);
    IOInterruptState state;

    if (space.s.deviceNum != 0 || space.s.functionNum != 0)
        return;
    state = IOSimpleLockLockDisableInterrupt(self->lock);
    display_config_write(&self->config, offset, size, value);
    IOSimpleLockUnlockEnableInterrupt(self->lock, state);
}

/* ---- what the family asks -------------------------------------------------------------------- */

static bool bridge_configure(IOPCIBridge *me, IOService *provider)
{
    const struct display_config *config = &from(me)->config;

    IOPCIBridge_addBridgeMemoryRange(me, config->address, config->size, true);
    return host_bridge_super(configure)((host_bridge *)me, provider);
}

/* ---- start and stop -------------------------------------------------------------------------- */

/* A base address for the VRAM that holds at least the picture. */
static bool make_display(HyperVGraphicsBridge *self, HyperVGraphics *graphics)
{
    uint64_t picture = (uint64_t)graphics->mode.pitch * graphics->mode.height;
    uint32_t size = display_config_make(&self->config, graphics->memory.address,
                                        graphics->memory.size);

    if (size >= picture)
        return true;
    hv_log(who, "no PCI device can have the screen's memory at 0x%llx",
           (unsigned long long)graphics->memory.address);
    return false;
}

static bool join_root(HyperVGraphicsBridge *self, IOService *provider)
{
    HyperVPCIRoot *root = pci_root_wait(ROOT_SECONDS);

    if (root == NULL || root->has_ports)
        return false;                   /* generation 1: the display is there */
    self->bus.read = read_config;
    self->bus.write = write_config;
    return host_bus_join(&self->bus, root, provider);
}

static bool bridge_start(IOService *me, IOService *provider)
{
    HyperVGraphicsBridge *self = from(me);
    HyperVGraphics *graphics = iokit_cast(HyperVGraphics, provider);

    if (boot_argument_given("-hvgfxboff") || graphics == NULL || !make_display(self, graphics))
        return false;
    self->lock = IOSimpleLockAlloc();
    if (self->lock == NULL)
        return false;
    if (join_root(self, provider) && host_bridge_super(start)((host_bridge *)me, provider))
        return true;
    host_bus_leave(&self->bus, provider);
    return false;
}

static void bridge_stop(IOService *me, IOService *provider)
{
    host_bus_leave(&from(me)->bus, provider);
    host_bridge_super(stop)((host_bridge *)me, provider);
}

static void bridge_free(OSObject *me)
{
    if (from(me)->lock != NULL)
        IOSimpleLockFree(from(me)->lock);
    host_bridge_super(free)((host_bridge *)me);
}

HOST_BRIDGE_CLASS(20, HyperVGraphicsBridge,
                  .start = bridge_start,
                  .stop = bridge_stop,
                  .free = bridge_free,
                  .configure = bridge_configure,
                  .lastBusNum = host_bus_number,
                  HOST_BUS_METHODS)
