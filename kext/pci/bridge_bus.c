/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVPCIBridge: the bus at the host, from the first message to the last. */
#include "abi/kpi/time.h"
#include "kext/core/log.h"
#include "kext/pci/HyperVPCIBridge.h"

static const char who[] = "HyperVPCIBridge";

#define ANSWER_MAXIMUM      256u        /* bytes of an answer that anybody looks at */
#define ROM_PROBE           0xfffff800u
#define BASE_CLASS_DISPLAY  0x03u

/* ---- Exchanges ------------------------------------------------------------------------------- */

struct answer {
    uint8_t bytes[ANSWER_MAXIMUM];
    uint32_t length;
};

static int call(HyperVPCIBridge *bridge, const void *message, uint32_t size, struct answer *answer)
{
    const struct ring_piece piece = { message, size };

    answer->length = sizeof answer->bytes;
    return device_channel_call(bridge->channel, &piece, 1, answer->bytes, &answer->length,
                               BRIDGE_ANSWER_MILLISECONDS);
}

int bridge_request(HyperVPCIBridge *bridge, const void *message, uint32_t size)
{
    struct answer answer;
    int error = call(bridge, message, size, &answer);

    if (error != 0)
        return error;
    IOLockLock(bridge->lock);
    error = vpci_take_status(&bridge->vpci, answer.bytes, answer.length);
    IOLockUnlock(bridge->lock);
    return error;
}

int bridge_tell(HyperVPCIBridge *bridge, const void *message, uint32_t size)
{
    const struct ring_piece piece = { message, size };

    return device_channel_send(bridge->channel, &piece, 1, BRIDGE_ANSWER_MILLISECONDS);
}

/* ---- Steps of bringing up -------------------------------------------------------------------- */

static int negotiate(HyperVPCIBridge *bridge)
{
    struct vpci_query_version message;
    struct answer answer;
    int error;

    do {
        error = vpci_make_version(&bridge->vpci, &message);
        if (error == 0)
            error = call(bridge, &message, sizeof message, &answer);
        if (error != 0)
            return error;
        IOLockLock(bridge->lock);
        error = vpci_version_answer(&bridge->vpci, answer.bytes, answer.length);
        IOLockUnlock(bridge->lock);
    } while (error == HV_ERROR_NOT_SUPPORTED);
    return error;
}

/* Asks for the list of functions and waits until one has come. */
static int await_relations(HyperVPCIBridge *bridge)
{
    struct vpci_header message;
    uint64_t deadline;
    int error;

    vpci_make_header(&message, VPCI_QUERY_BUS_RELATIONS);
    error = bridge_tell(bridge, &message, sizeof message);
    if (error != 0)
        return error;
    clock_interval_to_deadline(BRIDGE_ANSWER_MILLISECONDS, kMillisecondScale, &deadline);
    IOLockLock(bridge->lock);
    while (!bridge->vpci.listed && !bridge->gone && error == 0)
        if (IOLockSleepDeadline(bridge->lock, &bridge->vpci, deadline, THREAD_UNINT) ==
            THREAD_TIMED_OUT)
            error = HV_ERROR_TIMED_OUT;
    error = bridge->gone ? HV_ERROR_GONE : bridge->vpci.listed ? 0 : error;
    IOLockUnlock(bridge->lock);
    return error;
}

/* The slot of the function at `index`; HV_ERROR_NOT_FOUND if the host has none there. */
static int function_slot(HyperVPCIBridge *bridge, uint32_t index, uint32_t *slot)
{
    const struct vpci_bus_function *function = &bridge->vpci.functions[index];
    int error;

    IOLockLock(bridge->lock);
    *slot = function->description.slot;
    error = function->state == VPCI_FUNCTION_LISTED || function->state == VPCI_FUNCTION_EJECTING
                ? 0
                : HV_ERROR_NOT_FOUND;
    IOLockUnlock(bridge->lock);
    return error;
}

bool bridge_host_has(HyperVPCIBridge *bridge, uint32_t slot)
{
    const struct vpci_bus_function *function;
    bool has;

    IOLockLock(bridge->lock);
    function = vpci_function_at(&bridge->vpci, slot);
    has = !bridge->gone && function != NULL && function->state != VPCI_FUNCTION_GONE;
    IOLockUnlock(bridge->lock);
    return has;
}

static int tell_slot(HyperVPCIBridge *bridge, uint32_t type, uint32_t slot)
{
    struct vpci_slot_message message;

    vpci_make_slot(&message, type, slot);
    return bridge_tell(bridge, &message, sizeof message);
}

static int leave_d0(HyperVPCIBridge *bridge)
{
    struct vpci_header message;

    vpci_make_header(&message, VPCI_D0_EXIT);
    return bridge_request(bridge, &message, sizeof message);
}

/* A kernel that was here before may have left resources with the host, which then says no: they are
 * given back, and the second try counts. */
static int enter_d0(HyperVPCIBridge *bridge)
{
    struct vpci_d0_entry message;
    uint32_t slot;
    int error;

    vpci_make_d0_entry(&message, bridge->window_address);
    error = bridge_request(bridge, &message, sizeof message);
    if (error == HV_ERROR_REFUSED) {
        for (uint32_t i = 0; i < VPCI_BUS_FUNCTIONS; i++)
            if (function_slot(bridge, i, &slot) == 0)
                tell_slot(bridge, VPCI_RESOURCES_RELEASED, slot);
        leave_d0(bridge);
        error = bridge_request(bridge, &message, sizeof message);
    }
    bridge->powered = error == 0;
    return error;
}

/* ---- One function ---------------------------------------------------------------------------- */

static void release_bars(HyperVPCIBridge *bridge, struct bars *bars)
{
    for (uint32_t i = 0; i < BARS_COUNT; i++) {
        if (bars->bar[i].present && bars->bar[i].address != 0)
            device_release_mmio(bridge->device, bars->bar[i].address);
        bars->bar[i].address = 0;
    }
}

static int place_bars(HyperVPCIBridge *bridge, struct bars *bars)
{
    uint8_t order[BARS_COUNT];
    uint32_t count = bars_placing_order(bars, order);

    for (uint32_t i = 0; i < count; i++) {
        struct bar *bar = &bars->bar[order[i]];
        uint64_t address;
        int error = device_allocate_mmio(bridge->device, bar->size, bar->size, bar_highest(bar),
                                         &address);

        if (error != 0) {
            hv_log(who, "no room for base address %u, 0x%llx bytes: give the machine more "
                        "memory-mapped I/O space", order[i], (unsigned long long)bar->size);
            release_bars(bridge, bars);
            return error;
        }
        bars_place(bars, order[i], address);
    }
    return 0;
}

/* Only display adapters have one that macOS looks at. */
static uint32_t probe_rom(HyperVPCIBridge *bridge, const struct vpci_function *function)
{
    IOInterruptState state;
    uint32_t mask;

    if (function->base_class != BASE_CLASS_DISPLAY)
        return 0;
    state = IOSimpleLockLockDisableInterrupt(bridge->config_lock);
    bridge->port.write(bridge, function->slot, PCI_ROM_BAR, 4, ROM_PROBE);
    mask = bridge->port.read(bridge, function->slot, PCI_ROM_BAR, 4) & ROM_PROBE;
    bridge->port.write(bridge, function->slot, PCI_ROM_BAR, 4, 0);
    IOSimpleLockUnlockEnableInterrupt(bridge->config_lock, state);
    return mask == ROM_PROBE ? 0 : mask; /* a host that keeps whatever it is told */
}

static int read_bars(HyperVPCIBridge *bridge, const struct vpci_function *function,
                     struct bars *bars)
{
    struct vpci_slot_message message;
    uint32_t masks[VPCI_BARS];
    struct answer answer;
    int error;

    vpci_make_slot(&message, VPCI_QUERY_REQUIREMENTS, function->slot);
    error = call(bridge, &message, sizeof message, &answer);
    if (error != 0)
        return error;
    IOLockLock(bridge->lock);
    error = vpci_take_requirements(&bridge->vpci, answer.bytes, answer.length, masks);
    IOLockUnlock(bridge->lock);
    if (error != 0)
        return error;
    if (bars_read(bars, masks, probe_rom(bridge, function)) != 0)
        hv_log(who, "%u base addresses of %04x:%04x are impossible and left out", bars->refused,
               function->vendor, function->device);
    return place_bars(bridge, bars);
}

/* The host's last word before the function may be used. It zeroes the base addresses with it, so
 * they are written after. */
static int assign(HyperVPCIBridge *bridge, const struct vpci_function *function)
{
    uint8_t message[VPCI_ASSIGNED_SIZE];

    vpci_make_assigned(&bridge->vpci, message, function->slot);
    return bridge_request(bridge, message, sizeof message);
}

static int bring_up_function(HyperVPCIBridge *bridge, uint32_t index)
{
    struct bridge_function *own = &bridge->functions[index];
    struct vpci_function function;
    IOInterruptState state;
    struct bars bars;
    int error;

    IOLockLock(bridge->lock);
    function = bridge->vpci.functions[index].description;
    IOLockUnlock(bridge->lock);
    if ((error = read_bars(bridge, &function, &bars)) != 0)
        return error;
    if ((error = assign(bridge, &function)) != 0) {
        release_bars(bridge, &bars);
        return error;
    }
    state = IOSimpleLockLockDisableInterrupt(bridge->config_lock);
    config_begin(&own->config, &function, &bars);
    own->present = true;
    IOSimpleLockUnlockEnableInterrupt(bridge->config_lock, state);
    hv_log(who, "bus %u: %04x:%04x, class %02x%02x%02x, serial %u", bridge->bus.number,
           function.vendor, function.device, function.base_class, function.subclass,
           function.programming_interface, function.serial);
    return 0;
}

static void find_siblings(HyperVPCIBridge *bridge)
{
    struct bridge_function *one, *other, *end = bridge->functions + VPCI_BUS_FUNCTIONS;

    for (one = bridge->functions; one < end; one++)
        for (other = bridge->functions; other < end; other++)
            if (one != other && one->present && other->present &&
                VPCI_SLOT_DEVICE(one->config.function.slot) ==
                    VPCI_SLOT_DEVICE(other->config.function.slot))
                one->config.has_siblings = true;
}

/* A function that fails does not keep the others from working; the bus fails if all do. */
static int bring_up_functions(HyperVPCIBridge *bridge)
{
    uint32_t slot, working = 0;
    int error, result = HV_ERROR_NOT_FOUND;

    for (uint32_t i = 0; i < VPCI_BUS_FUNCTIONS; i++) {
        if (function_slot(bridge, i, &slot) != 0)
            continue;
        error = bring_up_function(bridge, i);
        working += error == 0;
        if (error == HV_ERROR_GONE || error == HV_ERROR_TIMED_OUT)
            return error;
        if (error == 0)
            continue;
        result = error;
        bridge->left_out[i] = true;
        hv_log(who, "the function in slot 0x%x is left out (error %d)", slot, error);
    }
    find_siblings(bridge);
    return working != 0 ? 0 : result;
}

int bridge_bring_up(HyperVPCIBridge *bridge)
{
    int error;

    if ((error = negotiate(bridge)) != 0 || (error = bridge_map_window(bridge)) != 0 ||
        (error = await_relations(bridge)) != 0 || (error = enter_d0(bridge)) != 0)
        return error;
    return bring_up_functions(bridge);
}

/* ---- The way back ---------------------------------------------------------------------------- */

void bridge_release_function(HyperVPCIBridge *bridge, uint32_t index)
{
    struct bridge_function *own = &bridge->functions[index];
    uint32_t slot = own->config.function.slot;
    IOInterruptState state;
    struct bars bars;

    if (!own->present)
        return;
    IOLockLock(bridge->busy);
    bridge_delete_interrupts(bridge, slot);
    state = IOSimpleLockLockDisableInterrupt(bridge->config_lock);
    if (bridge->window != NULL)
        config_quiesce(&own->config, &bridge->port);
    own->present = false;
    bars = own->config.bars;
    IOSimpleLockUnlockEnableInterrupt(bridge->config_lock, state);
    IOLockUnlock(bridge->busy);
    if (bridge_host_has(bridge, slot))
        tell_slot(bridge, VPCI_RESOURCES_RELEASED, slot);
    release_bars(bridge, &bars);
}

void bridge_take_down(HyperVPCIBridge *bridge)
{
    for (uint32_t i = 0; i < VPCI_BUS_FUNCTIONS; i++)
        bridge_release_function(bridge, i);
    if (bridge->powered && !bridge->gone)
        leave_d0(bridge);
    bridge->powered = false;
    bridge_shut_window(bridge);
}
