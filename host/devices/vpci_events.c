/* SPDX-License-Identifier: BSD-3-Clause */
/* What a PCI bus says on its own account, and its answers: in order, none lost to a full ring. */
#include <errno.h>
#include <string.h>

#include "host/devices/vpci_internal.h"

/* ---- What the host says: each returns false if the ring has no room now ---- */

static bool send(struct vpci *bus, const void *message, size_t size)
{
    return host_channel_send_bytes(bus->channel, message, size) != -EAGAIN;
}

static struct vpci_function_2 describe_function(const struct pci_function *function)
{
    struct pci_identity identity;
    pci_get_identity(function, &identity);
    return (struct vpci_function_2){
        .function = {
            .vendor = identity.vendor,
            .device = identity.device,
            .revision = identity.revision,
            .programming_interface = (uint8_t)identity.class_code,
            .subclass = (uint8_t)(identity.class_code >> 8),
            .base_class = (uint8_t)(identity.class_code >> 16),
            .subsystem_vendor = identity.subsystem_vendor,
            .subsystem = identity.subsystem,
            .slot = function->slot,
            .serial = function->serial,
        },
        .flags = function->numa_node >= 0 ? VPCI_FUNCTION_NUMA_VALID : 0,
        .numa_node = function->numa_node >= 0 ? (uint16_t)function->numa_node : 0,
    };
}

static bool send_relations(struct vpci *bus)
{
    const bool has_nodes = bus->version >= VPCI_VERSION_1_3;
    const size_t size = has_nodes ? sizeof(struct vpci_function_2) : sizeof(struct vpci_function);
    uint8_t message[sizeof(struct vpci_bus_relations) +
                    PCI_FUNCTIONS_MAX * sizeof(struct vpci_function_2)];
    struct vpci_bus_relations head = {
        .type = has_nodes ? VPCI_BUS_RELATIONS_2 : VPCI_BUS_RELATIONS};
    uint8_t *to = message + sizeof(head);
    for (unsigned i = 0; i < bus->slot_count; i++) {
        if (bus->slots[i].state != VPCI_GONE) {
            const struct vpci_function_2 function = describe_function(bus->slots[i].function);
            memcpy(to, &function, size);
            to += size;
            head.count++;
        }
    }
    memcpy(message, &head, sizeof(head));
    if (!send(bus, message, (size_t)(to - message))) {
        return false;
    }
    bus->relations_due = false;
    return true;
}

static bool send_slot_events(struct vpci *bus, struct vpci_slot *slot)
{
    if (slot->eject_due) {
        const struct vpci_slot_message eject = {VPCI_EJECT, slot->function->slot};
        if (!send(bus, &eject, sizeof(eject))) {
            return false;
        }
        slot->eject_due = false;
    }
    if (slot->invalid_blocks != 0) {
        const struct vpci_invalidate_block invalidate = {
            VPCI_INVALIDATE_BLOCK, slot->function->slot, slot->invalid_blocks};
        if (!send(bus, &invalidate, sizeof(invalidate))) {
            return false;
        }
        slot->invalid_blocks = 0;
    }
    return true;
}

static bool send_answer(struct vpci *bus)
{
    struct vpci_answer *due = &bus->answer;
    if (due->waits_for_ranges && bus->requests != NULL) {
        return false;
    }
    if (bus->d0_refused) { /* the window could not be had */
        const uint32_t status = VPCI_STATUS_BAD_DATA;
        memcpy(due->bytes, &status, sizeof(status));
        bus->d0_refused = false;
    }
    const struct iovec piece = {due->bytes, due->size};
    if (host_channel_complete(bus->channel, due->transaction_id, &piece, 1) == -EAGAIN) {
        return false;
    }
    due->is_due = false;
    return true;
}

bool vpci_has_events(const struct vpci *bus)
{
    bool any = bus->relations_due || bus->invalidate_due;
    for (unsigned i = 0; i < bus->slot_count; i++) {
        any = any || bus->slots[i].eject_due || bus->slots[i].invalid_blocks != 0;
    }
    return any && bus->version != 0;
}

bool vpci_send_due(struct vpci *bus)
{
    if (bus->version != 0) {
        if (bus->relations_due && !send_relations(bus)) {
            return false;
        }
        for (unsigned i = 0; i < bus->slot_count; i++) {
            if (!send_slot_events(bus, &bus->slots[i])) {
                return false;
            }
        }
        const struct vpci_header invalidate = {VPCI_INVALIDATE_BUS};
        if (bus->invalidate_due && !send(bus, &invalidate, sizeof(invalidate))) {
            return false;
        }
        bus->invalidate_due = false;
    }
    return !bus->answer.is_due || send_answer(bus);
}

void vpci_serve(struct vpci *bus)
{
    struct host_packet packet;
    bus->is_serving = true;
    while (bus->channel != NULL && vpci_send_due(bus) &&
           host_channel_receive(bus->channel, &packet) == 1) {
        if (packet.type == VMBUS_PACKET_IN_BAND) {
            vpci_message(bus, &packet);
        } else {
            vpci_violation(bus, "a PCI message is an in-band packet");
        }
    }
    bus->is_serving = false;
}
