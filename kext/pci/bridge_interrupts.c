/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVPCIBridge: message-signalled interrupts of its functions.
 *
 * macOS picks processor vectors and asks for the message that raises the first; messages that
 * follow have the next data. How many it takes it does not say: one, or as many as the nub's
 * properties let it, which are set here, so that the host makes the same number. */
#include "abi/OSData.h"
#include "kext/core/controller.h"
#include "kext/core/log.h"
#include "kext/core/shared_memory.h"
#include "kext/core/vmbus.h"
#include "kext/pci/HyperVPCIBridge.h"

static const char who[] = "HyperVPCIBridge";

#define FLAGS_PROPERTY "pci-msi-flags"
#define LIMIT_PROPERTY "pci-msi-limit"
#define FLAG_RESPECT   1u               /* as many vectors as the function has, up to the limit */

static uint32_t word_property(IOPCIDevice *nub, const char *key)
{
    OSData *data = iokit_cast(OSData,
                              IORegistryEntry_getProperty_cstring((IORegistryEntry *)nub, key));
    uint32_t word = 0;

    if (data != NULL && OSData_getLength(data) >= sizeof word)
        memcpy(&word, OSData_getBytesNoCopy(data), sizeof word);
    return word;
}

static void set_word(IOPCIDevice *nub, const char *key, uint32_t word)
{
    IORegistryEntry_setProperty_cstring_pointer((IORegistryEntry *)nub, key, &word, sizeof word);
}

static uint32_t messages_of(HyperVPCIBridge *bridge, uint32_t index)
{
    IOInterruptState state = IOSimpleLockLockDisableInterrupt(bridge->config_lock);
    uint32_t messages =
        bridge->window == NULL
            ? 0
            : interrupts_messages(&bridge->functions[index].config, &bridge->port);

    IOSimpleLockUnlockEnableInterrupt(bridge->config_lock, state);
    return messages;
}

void bridge_offer_vectors(HyperVPCIBridge *bridge, IOPCIDevice *nub)
{
    uint32_t index = bridge_function_at(bridge, nub->space), messages, vectors;

    if (index == VPCI_BUS_FUNCTIONS)
        return;
    messages = messages_of(bridge, index);
    if (messages == 0)
        hv_log(who, "bus %u: the function in slot 0x%x has no interrupts: it knows neither MSI nor "
               "MSI-X, and Hyper-V passes no pins (INTx) through", bridge->bus.number,
               bridge->functions[index].config.function.slot);
    vectors = interrupts_vectors(messages);
    if (vectors < 2)
        return;
    set_word(nub, FLAGS_PROPERTY, word_property(nub, FLAGS_PROPERTY) | FLAG_RESPECT);
    set_word(nub, LIMIT_PROPERTY, vectors);
}

/* The number that macOS takes. */
static uint32_t vectors_of(IOPCIDevice *nub)
{
    uint32_t limit = word_property(nub, LIMIT_PROPERTY);

    if ((word_property(nub, FLAGS_PROPERTY) & FLAG_RESPECT) == 0 || limit == 0)
        return 1;
    return interrupts_vectors(limit);
}

static void delete_at_host(HyperVPCIBridge *bridge, const struct interrupt_group *group)
{
    struct vpci_delete_interrupt message;

    vpci_make_delete(&message, group->slot, &group->message);
    if (bridge_host_has(bridge, group->slot))
        bridge_tell(bridge, &message, sizeof message);
}

void bridge_delete_interrupts(HyperVPCIBridge *bridge, uint32_t slot)
{
    struct interrupt_group group;
    bool found = true;

    while (found) {
        IOLockLock(bridge->lock);
        found = interrupts_take(&bridge->interrupts, slot, &group);
        IOLockUnlock(bridge->lock);
        if (found)
            delete_at_host(bridge, &group);
    }
}

/* Spreads the messages of a group over the processors that may have interrupts. */
static void spread(HyperVPCIBridge *bridge, const struct interrupt_group *group)
{
    HyperVController *controller = controller_instance();
    uint32_t processors = device_target_processors(bridge->device), variable, size;
    uint64_t id = vpci_device_id(&device_offer(bridge->device)->instance_id,
                                 VPCI_SLOT_FUNCTION(group->slot));
    struct retarget_input input;

    for (uint32_t i = 1; i < group->message.vector_count && processors > 1; i++) {
        size = interrupts_make_retarget(&input, id, group, i,
                                        controller_vp_index(controller, i % processors),
                                        &variable);
        if (controller_hypercall_input(controller, HV_CALL_RETARGET_DEVICE_INTERRUPT, &input, size,
                                       variable) != 0)
            hv_log(who, "interrupt %u stays on the first processor", i);
    }
}

static int ask_host(HyperVPCIBridge *bridge, struct interrupt_group *group, uint32_t count)
{
    uint32_t processor = controller_vp_index(controller_instance(), 0), size;
    const struct vpci_target target = { group->vector, count, &processor, 1 };
    uint8_t answer[sizeof(struct vpci_create_interrupt_reply)];
    uint32_t length = sizeof answer;
    union vpci_create_message message;
    struct ring_piece piece = { &message, 0 };
    int error = vpci_make_create(&bridge->vpci, &message, &size, group->slot, &target);

    if (error != 0)
        return error;
    piece.length = size;
    error = device_channel_call(bridge->channel, &piece, 1, answer, &length,
                                BRIDGE_ANSWER_MILLISECONDS);
    if (error != 0)
        return error;
    IOLockLock(bridge->lock);
    error = vpci_take_interrupt(&bridge->vpci, answer, length, count, &group->message);
    IOLockUnlock(bridge->lock);
    return error;
}

int bridge_create_interrupts(HyperVPCIBridge *bridge, IOPCIDevice *nub, uint32_t vector,
                             uint32_t message[3])
{
    struct interrupt_group group = { true, VPCI_SLOT(nub->space.s.deviceNum,
                                                     nub->space.s.functionNum), vector,
                                     { .vector_count = 0 } };
    int error;

    IOLockLock(bridge->busy);
    bridge_delete_interrupts(bridge, group.slot);
    if (bridge->gone || bridge_function_at(bridge, nub->space) == VPCI_BUS_FUNCTIONS)
        error = HV_ERROR_GONE;
    else
        error = ask_host(bridge, &group, vectors_of(nub));
    if (error == 0) {
        IOLockLock(bridge->lock);
        error = interrupts_add(&bridge->interrupts, group.slot, vector, &group.message);
        IOLockUnlock(bridge->lock);
        if (error != 0)
            delete_at_host(bridge, &group);
    }
    if (error == 0)
        spread(bridge, &group);
    IOLockUnlock(bridge->busy);
    if (error != 0) {
        hv_log(who, "no interrupts for the function in slot 0x%x (error %d)", group.slot, error);
        return error;
    }
    message[0] = (uint32_t)group.message.address;
    message[1] = (uint32_t)(group.message.address >> 32);
    message[2] = group.message.data;
    return 0;
}
