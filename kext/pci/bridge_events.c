/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVPCIBridge: what the host does of its own accord: lists that change, ejection, the end. */
#include "abi/OSIterator.h"
#include "kext/core/log.h"
#include "kext/pci/HyperVPCIBridge.h"

static const char who[] = "HyperVPCIBridge";

/* ---- On the channel's work loop -------------------------------------------------------------- */

void bridge_wake_worker(HyperVPCIBridge *bridge)
{
    if (!bridge->published || bridge->removing || bridge->gone)
        return;
    bridge->worker_wanted = true;
    if (bridge->worker_queued)
        return;
    bridge->worker_queued = true;
    thread_call_enter(bridge->worker);
}

static void ask_again(struct device_channel *channel)
{
    struct vpci_header message;
    const struct ring_piece piece = { &message, sizeof message };

    vpci_make_header(&message, VPCI_QUERY_BUS_RELATIONS);
    device_channel_send(channel, &piece, 1, 0);
}

void bridge_packet_arrived(void *owner, struct device_channel *channel,
                           const struct packet_view *packet)
{
    HyperVPCIBridge *bridge = owner;
    struct vpci_event event;
    int error;

    IOLockLock(bridge->lock);
    error = vpci_receive(&bridge->vpci, packet->data, packet->length, &event);
    if (event.kind == VPCI_EVENT_CHANGED) {
        IOLockWakeup(bridge->lock, &bridge->vpci, false);
        bridge_wake_worker(bridge);
    }
    IOLockUnlock(bridge->lock);
    if (event.kind == VPCI_EVENT_ASK_AGAIN)
        ask_again(channel);
    if (error != 0 &&
        hv_log_now(bridge->vpci.counters.malformed + bridge->vpci.counters.unexpected))
        hv_log(who, "an event of the host was dropped (%u bytes, error %d)",
               (unsigned)packet->length, error);
}

void bridge_channel_gone(void *owner, struct device_channel *channel)
{
    HyperVPCIBridge *bridge = owner;

    (void)channel;
    bridge_shut_window(bridge);
    IOLockLock(bridge->lock);
    bridge->gone = true;
    IOLockWakeup(bridge->lock, &bridge->vpci, false);
    IOLockUnlock(bridge->lock);
}

/* ---- The worker ------------------------------------------------------------------------------ */

/* The nub of the function, retained, or NULL. */
static IOService *copy_nub(HyperVPCIBridge *bridge, uint32_t slot)
{
    OSIterator *clients = IOService_getClientIterator((IOService *)bridge);
    IOService *found = NULL;
    OSObject *client;

    while (clients != NULL && found == NULL &&
           (client = OSIterator_getNextObject(clients)) != NULL) {
        IOPCIDevice *nub = iokit_cast(IOPCIDevice, client);

        if (nub != NULL && VPCI_SLOT(nub->space.s.deviceNum, nub->space.s.functionNum) == slot)
            found = (IOService *)nub;
    }
    if (found != NULL)
        iokit_retain(found);
    iokit_release(clients);
    return found;
}

/* macOS has no nub of it any more: it goes back to the host. */
static void give_back(HyperVPCIBridge *bridge, uint32_t index, bool ejecting)
{
    uint32_t slot = bridge->vpci.functions[index].description.slot;
    struct vpci_ejection_complete complete;

    bridge_release_function(bridge, index);
    if (ejecting && !bridge->gone) {
        vpci_make_ejection_complete(&complete, slot);
        bridge_tell(bridge, &complete, sizeof complete);
    }
    IOLockLock(bridge->lock);
    bridge->vpci.functions[index].state = VPCI_FUNCTION_NONE;
    bridge->left_out[index] = bridge->leaving[index] = false;
    IOLockUnlock(bridge->lock);
}

/* Returns true if the function is gone; else its nub is going, and tells when it has gone. */
static bool remove_function(HyperVPCIBridge *bridge, uint32_t index, bool ejecting)
{
    uint32_t slot = bridge->vpci.functions[index].description.slot;
    IOService *nub = copy_nub(bridge, slot);
    bool first = !bridge->leaving[index], there = nub != NULL;

    bridge->leaving[index] = true;
    if (first)
        hv_log(who, "bus %u: the host %s the function in slot 0x%x", bridge->bus.number,
               ejecting ? "wants back" : "has taken away", slot);
    if (there && first)
        IOService_terminate(nub, kIOServiceRequired);
    iokit_release(nub);
    if (!there)
        give_back(bridge, index, ejecting);
    return !there;
}

static enum vpci_function_state state_of(HyperVPCIBridge *bridge, uint32_t index)
{
    enum vpci_function_state state;

    IOLockLock(bridge->lock);
    state = bridge->vpci.functions[index].state;
    IOLockUnlock(bridge->lock);
    return state;
}

/* A function that macOS has not seen: the family scans a bus once, so the bus begins anew. */
static bool has_new_function(HyperVPCIBridge *bridge)
{
    bool found = false;

    for (uint32_t i = 0; i < VPCI_BUS_FUNCTIONS; i++)
        found = found || (bridge->vpci.functions[i].state == VPCI_FUNCTION_LISTED &&
                          !bridge->functions[i].present && !bridge->left_out[i]);
    return found;
}

static void remove_all(HyperVPCIBridge *bridge)
{
    bool any = false;

    for (uint32_t i = 0; i < VPCI_BUS_FUNCTIONS && !bridge->gone; i++) {
        enum vpci_function_state state = state_of(bridge, i);

        if (state == VPCI_FUNCTION_GONE || state == VPCI_FUNCTION_EJECTING)
            any |= remove_function(bridge, i, state == VPCI_FUNCTION_EJECTING);
    }
    if (any && !bridge->gone)
        ask_again(bridge->channel);     /* the same function may have come back meanwhile */
    bridge_publish_counters(bridge);
}

void bridge_work(void *argument, void *unused)
{
    HyperVPCIBridge *bridge = argument;
    bool again, restart = false;

    (void)unused;
    do {
        remove_all(bridge);
        IOLockLock(bridge->lock);
        again = bridge->worker_wanted && !bridge->removing && !bridge->gone;
        bridge->worker_wanted = false;
        if (!again) {
            restart = !bridge->removing && !bridge->gone && has_new_function(bridge);
            bridge->restart |= restart;
            bridge->worker_queued = false;
            IOLockWakeup(bridge->lock, &bridge->worker_queued, false);
        }
        IOLockUnlock(bridge->lock);
    } while (again);
    if (restart)
        IOService_terminate((IOService *)bridge, kIOServiceRequired);
}
