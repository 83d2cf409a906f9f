/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupt messages of PCI functions: given out, moved, taken back, delivered. */
#include <string.h>

#include "host/devices/vpci_internal.h"
#include "protocol/hypervisor.h"

/* What a device writes to interrupt: an address that says whose, data that say which. */
#define MESSAGE_ADDRESS 0xfee00000u
enum { SLOT_SHIFT = 12, VECTOR_MINIMUM = 16, VECTOR_MAXIMUM = 255 };

static uint64_t address_of(const struct vpci_slot *slot)
{
    return MESSAGE_ADDRESS | slot->function->slot << SLOT_SHIFT;
}

/* ---- What the guest wants ---- */

static uint32_t first_of_mask(const struct vpci *bus, uint64_t mask)
{
    const uint32_t first = mask != 0 ? (uint32_t)__builtin_ctzll(mask) : UINT32_MAX;
    return first < bus->machine->processors ? first : UINT32_MAX;
}

/* The first of a list of processors, all of which have to exist. */
static uint32_t first_of_list(const struct vpci *bus, const uint16_t *list, unsigned count)
{
    if (count == 0 || count > VPCI_PROCESSORS_MAXIMUM) {
        return UINT32_MAX;
    }
    for (unsigned i = 0; i < count; i++) {
        if (list[i] >= bus->machine->processors) {
            return UINT32_MAX;
        }
    }
    return list[0];
}

static void read_layout_1(const struct vpci *bus, const uint8_t *bytes,
                          struct vpci_wanted_interrupt *wanted)
{
    struct vpci_interrupt interrupt;
    memcpy(&interrupt, bytes, sizeof(interrupt));
    *wanted = (struct vpci_wanted_interrupt){
        interrupt.vector, interrupt.delivery_mode, interrupt.vector_count,
        first_of_mask(bus, interrupt.processors)};
}

/* The last reserved word is not looked at: guests leave it out. */
static void read_layout_2(const struct vpci *bus, const uint8_t *bytes,
                          struct vpci_wanted_interrupt *wanted)
{
    struct vpci_interrupt_2 interrupt = {0};
    uint16_t list[VPCI_PROCESSORS_MAXIMUM];
    memcpy(&interrupt, bytes, offsetof(struct vpci_interrupt_2, reserved));
    memcpy(list, interrupt.processors, sizeof(list));
    *wanted = (struct vpci_wanted_interrupt){
        interrupt.vector, interrupt.delivery_mode, interrupt.vector_count,
        first_of_list(bus, list, interrupt.processor_count)};
}

static void read_layout_3(const struct vpci *bus, const uint8_t *bytes,
                          struct vpci_wanted_interrupt *wanted)
{
    struct vpci_interrupt_3 interrupt = {0};
    uint16_t list[VPCI_PROCESSORS_MAXIMUM];
    memcpy(&interrupt, bytes, offsetof(struct vpci_interrupt_3, reserved_2));
    memcpy(list, interrupt.processors, sizeof(list));
    *wanted = (struct vpci_wanted_interrupt){
        interrupt.vector, interrupt.delivery_mode, interrupt.vector_count,
        first_of_list(bus, list, interrupt.processor_count)};
}

bool vpci_read_interrupt(const struct vpci *bus, unsigned layout, const uint8_t *bytes,
                         struct vpci_wanted_interrupt *wanted)
{
    static void (*const readers[])(const struct vpci *, const uint8_t *,
                                   struct vpci_wanted_interrupt *) = {
        read_layout_1, read_layout_2, read_layout_3};
    readers[layout - 1](bus, bytes, wanted);
    return wanted->count == 0 ||
           (wanted->count <= VPCI_VECTORS_MAXIMUM && (wanted->count & (wanted->count - 1)) == 0 &&
            wanted->mode <= VPCI_DELIVERY_LOWEST && wanted->processor != UINT32_MAX &&
            wanted->vector >= VECTOR_MINIMUM &&
            wanted->vector + wanted->count - 1 <= VECTOR_MAXIMUM);
}

/* ---- Giving out and taking back ---- */

static bool is_free(const struct vpci_slot *slot, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (slot->targets[first + i].is_live) {
            return false;
        }
    }
    return true;
}

uint32_t vpci_create_interrupts(struct vpci *bus, struct vpci_slot *slot,
                                const struct vpci_wanted_interrupt *wanted,
                                struct vpci_message_interrupt *message)
{
    const unsigned count = wanted->count;
    *message = (struct vpci_message_interrupt){0};
    if (count == 0) {
        return VPCI_STATUS_SUCCESS;
    }
    if (slot->target_count + count > VPCI_TARGETS_QUOTA) {
        return VPCI_STATUS_NO_RESOURCES;
    }
    /* Aligned: the device puts the number of the message into the low bits of its data. */
    unsigned first = 0;
    while (first < VPCI_TARGETS && !is_free(slot, first, count)) {
        first += count;
    }
    if (first >= VPCI_TARGETS) {
        return VPCI_STATUS_NO_RESOURCES; /* in pieces */
    }
    for (unsigned i = 0; i < count; i++) {
        slot->targets[first + i] = (struct vpci_target){
            .is_live = true,
            .vector = (uint8_t)(wanted->vector + i),
            .group = i == 0 ? (uint16_t)count : 0,
            .processor = wanted->processor,
        };
    }
    slot->target_count += count;
    message->vector_count = (uint16_t)count;
    message->data = first;
    message->address = address_of(slot);
    return VPCI_STATUS_SUCCESS;
}

uint32_t vpci_delete_interrupts(struct vpci *bus, struct vpci_slot *slot,
                                const struct vpci_message_interrupt *message)
{
    if (message->address != address_of(slot) || message->data >= VPCI_TARGETS ||
        slot->targets[message->data].group == 0) {
        vpci_violation(bus, "an interrupt that is deleted was created");
        return VPCI_STATUS_BAD_DATA;
    }
    const unsigned count = slot->targets[message->data].group;
    memset(&slot->targets[message->data], 0, count * sizeof(slot->targets[0]));
    slot->target_count -= count;
    return VPCI_STATUS_SUCCESS;
}

void vpci_delete_all_interrupts(struct vpci_slot *slot)
{
    memset(slot->targets, 0, sizeof(slot->targets));
    slot->target_count = 0;
}

/* ---- Delivering and moving ---- */

void vpci_deliver(void *context, struct pci_function *function, uint64_t address, uint32_t data)
{
    struct vpci *bus = context;
    const struct vpci_slot *slot = vpci_slot_of(bus, function);
    if (slot == NULL || slot->state == VPCI_GONE || bus->channel == NULL) {
        return;
    }
    if (address != address_of(slot) || data >= VPCI_TARGETS) {
        bus->counters.dropped++;
        vpci_violation(bus, "an interrupt message is one that the host gave out");
        return;
    }
    const struct vpci_target *target = &slot->targets[data];
    if (!target->is_live) {
        bus->counters.dropped++; /* deleted meanwhile */
        return;
    }
    bus->counters.interrupts++;
    bus->machine->interrupt(bus->machine->context, target->processor, target->vector);
}

static struct vpci_slot *slot_with(struct vpci *bus, uint64_t device_id)
{
    for (unsigned i = 0; i < bus->slot_count; i++) {
        struct vpci_slot *slot = &bus->slots[i];
        if (slot->state != VPCI_GONE &&
            vpci_device_id(&bus->settings.instance, VPCI_SLOT_FUNCTION(slot->function->slot)) ==
                device_id) {
            return slot;
        }
    }
    return NULL;
}

bool vpci_has_device(const struct vpci *bus, uint64_t device_id)
{
    return bus->channel != NULL && slot_with((struct vpci *)(uintptr_t)bus, device_id) != NULL;
}

uint32_t vpci_retarget(struct vpci *bus, uint64_t device_id, uint32_t address, uint32_t data,
                       uint8_t vector, uint32_t processor)
{
    struct vpci_slot *slot = slot_with(bus, device_id);
    if (slot == NULL) {
        return HV_STATUS_INVALID_DEVICE_ID;
    }
    if (address != address_of(slot) || data >= VPCI_TARGETS || !slot->targets[data].is_live ||
        vector < VECTOR_MINIMUM || processor >= bus->machine->processors) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    slot->targets[data].vector = vector;
    slot->targets[data].processor = processor;
    return HV_STATUS_SUCCESS;
}
