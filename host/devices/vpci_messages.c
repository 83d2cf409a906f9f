/* SPDX-License-Identifier: BSD-3-Clause */
/* What the guest's driver asks of a PCI bus: a handler and a row for each message. */
#include <string.h>

#include "host/devices/vpci_internal.h"

enum { PAGE = 4096 };

/* A message: a copy, at least as long as its row asks for. */
struct message {
    const uint8_t *bytes;
    size_t size; /* padded to 8 bytes by VMBus */
    unsigned layout; /* 1, 2, 3: of messages that exist in several */
};

/* Handlers return a VPCI_STATUS_*, which becomes the answer unless they have made one. */
typedef uint32_t handler(struct vpci *bus, const struct message *message);

static void answer(struct vpci *bus, const void *bytes, size_t size)
{
    memcpy(bus->answer.bytes, bytes, size);
    bus->answer.size = size;
}

/* The function that the 32 bits at `offset` name; NULL and a violation: there is none. */
static struct vpci_slot *slot_at(struct vpci *bus, const struct message *message, size_t offset)
{
    uint32_t number;
    memcpy(&number, message->bytes + offset, sizeof(number));
    struct vpci_slot *slot = vpci_find(bus, number);
    if (slot == NULL) {
        vpci_violation(bus, "a message names a slot that has a function");
    }
    return slot;
}

static struct vpci_slot *slot_of(struct vpci *bus, const struct message *message)
{
    return slot_at(bus, message, offsetof(struct vpci_slot_message, slot));
}

/* ---- The bus ---- */

static uint32_t query_version(struct vpci *bus, const struct message *message)
{
    struct vpci_query_version query;
    struct vpci_version_reply reply = {.version = bus->settings.version_max};
    memcpy(&query, message->bytes, sizeof(query));
    if (bus->version != 0) {
        vpci_violation(bus, "a version is asked for until one is agreed on");
        return VPCI_STATUS_BAD_DATA;
    }
    if (query.version < bus->settings.version_min || query.version > bus->settings.version_max) {
        reply.status = VPCI_STATUS_REVISION_MISMATCH;
    } else {
        bus->version = query.version;
    }
    answer(bus, &reply, sizeof(reply));
    return reply.status;
}

static uint32_t query_relations(struct vpci *bus, const struct message *message)
{
    bus->relations_due = true;
    bus->answer.size = 0; /* whoever wants a completion gets an empty one */
    return VPCI_STATUS_SUCCESS;
}

/* Answered once the window is there; the relations go before the answer. */
static uint32_t d0_entry(struct vpci *bus, const struct message *message)
{
    struct vpci_d0_entry entry;
    memcpy(&entry, message->bytes, sizeof(entry));
    if (entry.window % PAGE != 0 || entry.window > UINT64_MAX - VPCI_WINDOW_SIZE) {
        vpci_violation(bus, "the window on configuration space is page-aligned");
        return VPCI_STATUS_BAD_DATA;
    }
    if (bus->settings.first_d0_fails) {
        bus->settings.first_d0_fails = false;
        return VPCI_STATUS_UNSUCCESSFUL;
    }
    if (!bus->window.is_asked || bus->window.address != entry.window) {
        vpci_hide_window(bus);
        vpci_show_window(bus, entry.window);
    }
    bus->relations_due = true;
    bus->answer.waits_for_ranges = true;
    return bus->window.is_asked ? VPCI_STATUS_SUCCESS : VPCI_STATUS_BAD_DATA;
}

static uint32_t d0_exit(struct vpci *bus, const struct message *message)
{
    vpci_hide_window(bus);
    bus->answer.waits_for_ranges = true;
    return VPCI_STATUS_SUCCESS;
}

/* ---- Functions ---- */

static uint32_t set_power(struct vpci *bus, const struct message *message)
{
    struct vpci_power_state power;
    struct vpci_slot *slot = slot_of(bus, message);
    memcpy(&power, message->bytes, sizeof(power));
    if (slot == NULL) {
        return VPCI_STATUS_BAD_DATA;
    }
    if (power.state != VPCI_POWER_D0 && power.state != VPCI_POWER_D3) {
        vpci_violation(bus, "a function is put into D0 or D3");
        return VPCI_STATUS_BAD_DATA;
    }
    pci_set_memory_enable(slot->function, power.state == VPCI_POWER_D0);
    bus->answer.waits_for_ranges = true;
    return VPCI_STATUS_SUCCESS;
}

static uint32_t query_requirements(struct vpci *bus, const struct message *message)
{
    struct vpci_requirements_reply reply = {.status = VPCI_STATUS_SUCCESS};
    const struct vpci_slot *slot = slot_of(bus, message);
    if (slot == NULL) {
        return VPCI_STATUS_BAD_DATA;
    }
    for (unsigned i = 0; i < VPCI_BARS; i++) {
        reply.bars[i] = pci_bar_mask(slot->function, i);
    }
    answer(bus, &reply, sizeof(reply));
    return VPCI_STATUS_SUCCESS;
}

/* Where a BAR is. Lengths that 32 bits do not hold are in units. */
static struct vpci_resource resource_of(const struct pci_function *function, unsigned bar)
{
    const struct pci_region *region = &function->regions[bar];
    struct vpci_resource resource = {0};
    if (region->size == 0) {
        return resource;
    }
    resource.type = region->is_port ? VPCI_RESOURCE_PORT : VPCI_RESOURCE_MEMORY;
    resource.address = pci_bar_address(function, bar);
    resource.length = (uint32_t)region->size;
    if (region->size > UINT32_MAX) {
        resource.type = VPCI_RESOURCE_MEMORY_LARGE;
        resource.flags = VPCI_RESOURCE_UNIT_64K;
        resource.length = (uint32_t)(region->size >> 16);
    }
    return resource;
}

static uint32_t query_resources(struct vpci *bus, const struct message *message)
{
    struct vpci_resources_reply reply = {.version = 1, .revision = 1, .count = VPCI_BARS};
    const struct vpci_slot *slot = slot_of(bus, message);
    if (slot == NULL) {
        return VPCI_STATUS_BAD_DATA;
    }
    for (unsigned i = 0; i < VPCI_BARS; i++) {
        reply.bars[i] = resource_of(slot->function, i);
    }
    answer(bus, &reply, sizeof(reply));
    return VPCI_STATUS_SUCCESS;
}

/* ---- Resources ---- */

static uint64_t length_of(const struct vpci_resource *resource)
{
    if (resource->type != VPCI_RESOURCE_MEMORY_LARGE) {
        return resource->length;
    }
    switch (resource->flags &
            (VPCI_RESOURCE_UNIT_256 | VPCI_RESOURCE_UNIT_64K | VPCI_RESOURCE_UNIT_4G)) {
    case VPCI_RESOURCE_UNIT_256:
        return (uint64_t)resource->length << 8;
    case VPCI_RESOURCE_UNIT_64K:
        return (uint64_t)resource->length << 16;
    case VPCI_RESOURCE_UNIT_4G:
        return (uint64_t)resource->length << 32;
    default:
        return resource->length;
    }
}

static bool fits(const struct pci_function *function, unsigned bar,
                 const struct vpci_resource *resource)
{
    const struct pci_region *region = &function->regions[bar];
    if (resource->type == VPCI_RESOURCE_NONE) {
        return true;
    }
    return (resource->type == VPCI_RESOURCE_MEMORY ||
            resource->type == VPCI_RESOURCE_MEMORY_LARGE) &&
           region->size != 0 && !region->is_port && length_of(resource) <= region->size &&
           resource->address % region->size == 0 &&
           (region->is_64_bit || resource->address <= UINT32_MAX);
}

/* As real hosts: what is assigned nothing gets address 0, and BARs in use stay where they are. */
static void place_bars(struct pci_function *function, const struct vpci_resource *bars)
{
    uint64_t address;
    for (unsigned i = 0; i < VPCI_BARS; i++) {
        if (function->regions[i].size != 0 && !function->regions[i].is_port &&
            !pci_region_address(function, i, &address)) {
            pci_set_bar_address(function, i, bars[i].address);
        }
    }
}

static size_t entry_size(unsigned layout)
{
    return layout == 1   ? VPCI_ASSIGNED_ENTRY_1
           : layout == 2 ? VPCI_ASSIGNED_ENTRY_2
                         : VPCI_ASSIGNED_ENTRY_3;
}

/* Creates the interrupts of the entries; the answer has the messages. All or none. */
static uint32_t assign_interrupts(struct vpci *bus, struct vpci_slot *slot,
                                  const struct message *message, uint32_t count)
{
    /* Layout 3 is answered in entries of layout 2, as on a real host. */
    const size_t answered = message->layout == 1 ? VPCI_ASSIGNED_ENTRY_1 : VPCI_ASSIGNED_ENTRY_2;
    const uint8_t *entry = message->bytes + sizeof(struct vpci_resources_assigned);
    uint8_t *to = bus->answer.bytes + sizeof(struct vpci_resources_assigned_reply);
    memset(to, 0, count * answered);
    for (uint32_t i = 0; i < count; i++, entry += entry_size(message->layout), to += answered) {
        struct vpci_wanted_interrupt wanted;
        struct vpci_message_interrupt created;
        uint32_t status = VPCI_STATUS_BAD_DATA;
        if (vpci_read_interrupt(bus, message->layout, entry, &wanted)) {
            status = vpci_create_interrupts(bus, slot, &wanted, &created);
        } else {
            vpci_violation(bus, "an interrupt has vectors, a mode, and processors that exist");
        }
        if (status != VPCI_STATUS_SUCCESS) {
            vpci_delete_all_interrupts(slot);
            return status;
        }
        memcpy(to, &created, sizeof(created));
    }
    bus->answer.size = sizeof(struct vpci_resources_assigned_reply) + count * answered;
    return VPCI_STATUS_SUCCESS;
}

static uint32_t assign_resources(struct vpci *bus, const struct message *message)
{
    struct vpci_resources_assigned assigned;
    struct vpci_slot *slot = slot_of(bus, message);
    memcpy(&assigned, message->bytes, sizeof(assigned));
    if (slot == NULL) {
        return VPCI_STATUS_BAD_DATA;
    }
    const size_t room = (message->size - sizeof(assigned)) / entry_size(message->layout);
    if (room == 0 || assigned.interrupt_count > room ||
        assigned.interrupt_count > VPCI_TARGETS_QUOTA) {
        vpci_violation(bus, "assigned resources have room for their interrupts, and for one");
        return VPCI_STATUS_BAD_DATA;
    }
    for (unsigned i = 0; i < VPCI_BARS; i++) {
        if (!fits(slot->function, i, &assigned.bars[i])) {
            vpci_violation(bus, "a resource is memory, for a BAR that there is, and fits it");
            return VPCI_STATUS_BAD_DATA;
        }
    }
    uint32_t status = assign_interrupts(bus, slot, message, assigned.interrupt_count);
    if (status != VPCI_STATUS_SUCCESS) {
        return status;
    }
    place_bars(slot->function, assigned.bars);
    slot->is_assigned = true;
    struct vpci_resources_assigned_reply reply = {
        .status = VPCI_STATUS_SUCCESS,
        .slot = assigned.slot,
        .interrupt_count = assigned.interrupt_count,
    };
    memcpy(reply.bars, assigned.bars, sizeof(reply.bars));
    memcpy(bus->answer.bytes, &reply, sizeof(reply)); /* the entries follow already */
    return VPCI_STATUS_SUCCESS;
}

static uint32_t release_resources(struct vpci *bus, const struct message *message)
{
    static const struct vpci_resource nowhere[VPCI_BARS];
    struct vpci_slot *slot = slot_of(bus, message);
    if (slot == NULL) {
        return VPCI_STATUS_BAD_DATA;
    }
    pci_set_memory_enable(slot->function, false);
    vpci_delete_all_interrupts(slot);
    place_bars(slot->function, nowhere);
    slot->is_assigned = false;
    bus->answer.waits_for_ranges = true;
    return VPCI_STATUS_SUCCESS;
}

/* ---- Interrupts ---- */

static uint32_t create_interrupt(struct vpci *bus, const struct message *message)
{
    struct vpci_create_interrupt_reply reply = {.status = VPCI_STATUS_SUCCESS};
    struct vpci_wanted_interrupt wanted;
    struct vpci_slot *slot = slot_of(bus, message);
    if (slot == NULL) {
        return VPCI_STATUS_BAD_DATA;
    }
    if (!vpci_read_interrupt(bus, message->layout,
                             message->bytes + offsetof(struct vpci_create_interrupt, interrupt),
                             &wanted)) {
        vpci_violation(bus, "an interrupt has vectors, a mode, and processors that exist");
        return VPCI_STATUS_BAD_DATA;
    }
    uint32_t status = vpci_create_interrupts(bus, slot, &wanted, &reply.message);
    if (status == VPCI_STATUS_SUCCESS) {
        answer(bus, &reply, sizeof(reply));
    }
    return status;
}

static uint32_t delete_interrupt(struct vpci *bus, const struct message *message)
{
    struct vpci_delete_interrupt request;
    struct vpci_slot *slot = slot_of(bus, message);
    memcpy(&request, message->bytes, sizeof(request));
    return slot != NULL ? vpci_delete_interrupts(bus, slot, &request.message)
                        : VPCI_STATUS_BAD_DATA;
}

/* ---- Ejection ---- */

static uint32_t ejection_complete(struct vpci *bus, const struct message *message)
{
    struct vpci_slot *slot = slot_of(bus, message);
    if (slot == NULL) {
        return VPCI_STATUS_BAD_DATA;
    }
    if (slot->state != VPCI_EJECTING) {
        vpci_violation(bus, "an ejection is completed that was asked for");
        return VPCI_STATUS_BAD_DATA;
    }
    vpci_slot_gone(bus, slot);
    return VPCI_STATUS_SUCCESS;
}

/* ---- Blocks: the side channel to a physical function's driver; what is written is read ---- */

static uint8_t *block_of(struct vpci *bus, struct vpci_slot *slot, uint32_t block, uint32_t size)
{
    if (block >= VPCI_BLOCKS || size == 0 || size > VPCI_BLOCK_MAXIMUM) {
        vpci_violation(bus, "a block is one of 64, of 1 to 128 bytes");
        return NULL;
    }
    return slot->blocks[block];
}

static uint32_t read_block(struct vpci *bus, const struct message *message)
{
    struct vpci_read_block request;
    struct vpci_read_block_reply reply = {.status = VPCI_STATUS_SUCCESS};
    memcpy(&request, message->bytes, sizeof(request));
    struct vpci_slot *slot = slot_at(bus, message, offsetof(struct vpci_read_block, slot));
    const uint8_t *block =
        slot != NULL ? block_of(bus, slot, request.block, request.size) : NULL;
    if (block == NULL) {
        return VPCI_STATUS_BAD_DATA;
    }
    memcpy(reply.data, block, request.size);
    answer(bus, &reply, offsetof(struct vpci_read_block_reply, data) + request.size);
    return VPCI_STATUS_SUCCESS;
}

static uint32_t write_block(struct vpci *bus, const struct message *message)
{
    struct vpci_read_block request; /* the head is the same */
    memcpy(&request, message->bytes, sizeof(request));
    struct vpci_slot *slot = slot_at(bus, message, offsetof(struct vpci_read_block, slot));
    uint8_t *block = slot != NULL ? block_of(bus, slot, request.block, request.size) : NULL;
    if (block == NULL) {
        return VPCI_STATUS_BAD_DATA;
    }
    if (message->size < sizeof(request) + request.size) {
        vpci_violation(bus, "as many bytes of a block come as the message says");
        return VPCI_STATUS_BAD_DATA;
    }
    memset(block, 0, VPCI_BLOCK_MAXIMUM);
    memcpy(block, message->bytes + sizeof(request), request.size);
    return VPCI_STATUS_SUCCESS;
}

/* Windows' handshake for moving resources, and what later versions brought: hvctl pci list counts
 * them, since no guest that works needs one. */
static uint32_t not_supported(struct vpci *bus, const struct message *message)
{
    bus->counters.unsupported++;
    return VPCI_STATUS_NOT_SUPPORTED;
}

/* ---- All messages ---- */

#define INTERRUPT_2_MINIMUM \
    (offsetof(struct vpci_create_interrupt_2, interrupt) + \
     offsetof(struct vpci_interrupt_2, reserved))
#define INTERRUPT_3_MINIMUM \
    (offsetof(struct vpci_create_interrupt_3, interrupt) + \
     offsetof(struct vpci_interrupt_3, reserved_2))

static const struct {
    uint32_t type;
    size_t size_minimum;
    uint32_t version; /* that brought it */
    unsigned layout;
    handler *handle;
} handlers[] = {
    {VPCI_QUERY_PROTOCOL_VERSION, sizeof(struct vpci_query_version), 0, 0, query_version},
    {VPCI_QUERY_BUS_RELATIONS, sizeof(struct vpci_header), VPCI_VERSION_1_1, 0, query_relations},
    {VPCI_POWER_STATE, sizeof(struct vpci_power_state), VPCI_VERSION_1_1, 0, set_power},
    {VPCI_QUERY_REQUIREMENTS, sizeof(struct vpci_slot_message), VPCI_VERSION_1_1, 0,
     query_requirements},
    {VPCI_QUERY_RESOURCES, sizeof(struct vpci_slot_message), VPCI_VERSION_1_1, 0,
     query_resources},
    {VPCI_D0_ENTRY, sizeof(struct vpci_d0_entry), VPCI_VERSION_1_1, 0, d0_entry},
    {VPCI_D0_EXIT, sizeof(struct vpci_header), VPCI_VERSION_1_1, 0, d0_exit},
    {VPCI_READ_BLOCK, sizeof(struct vpci_read_block), VPCI_VERSION_1_1, 0, read_block},
    {VPCI_WRITE_BLOCK, sizeof(struct vpci_read_block), VPCI_VERSION_1_1, 0, write_block},
    {VPCI_QUERY_STOP, sizeof(struct vpci_header), VPCI_VERSION_1_1, 0, not_supported},
    {VPCI_REENABLE, sizeof(struct vpci_header), VPCI_VERSION_1_1, 0, not_supported},
    {VPCI_QUERY_STOP_FAILED, sizeof(struct vpci_header), VPCI_VERSION_1_1, 0, not_supported},
    {VPCI_EJECTION_COMPLETE, sizeof(struct vpci_slot_message), VPCI_VERSION_1_1, 0,
     ejection_complete},
    {VPCI_RESOURCES_ASSIGNED, sizeof(struct vpci_resources_assigned), VPCI_VERSION_1_1, 1,
     assign_resources},
    {VPCI_RESOURCES_ASSIGNED_2, sizeof(struct vpci_resources_assigned), VPCI_VERSION_1_2, 2,
     assign_resources},
    {VPCI_RESOURCES_ASSIGNED_3, sizeof(struct vpci_resources_assigned), VPCI_VERSION_1_4, 3,
     assign_resources},
    {VPCI_RESOURCES_RELEASED, sizeof(struct vpci_slot_message), VPCI_VERSION_1_1, 0,
     release_resources},
    {VPCI_CREATE_INTERRUPT, sizeof(struct vpci_create_interrupt), VPCI_VERSION_1_1, 1,
     create_interrupt},
    {VPCI_CREATE_INTERRUPT_2, INTERRUPT_2_MINIMUM, VPCI_VERSION_1_2, 2, create_interrupt},
    {VPCI_CREATE_INTERRUPT_3, INTERRUPT_3_MINIMUM, VPCI_VERSION_1_4, 3, create_interrupt},
    {VPCI_DELETE_INTERRUPT, sizeof(struct vpci_delete_interrupt), VPCI_VERSION_1_1, 0,
     delete_interrupt},
    {VPCI_DELETE_INTERRUPT_2, sizeof(struct vpci_delete_interrupt), VPCI_VERSION_1_2, 0,
     delete_interrupt},
    {VPCI_RESET_DEVICE, sizeof(struct vpci_header), VPCI_VERSION_1_1, 0, not_supported},
};

static uint32_t dispatch(struct vpci *bus, const struct message *message)
{
    uint32_t type = 0;
    if (message->size >= sizeof(type)) {
        memcpy(&type, message->bytes, sizeof(type));
    }
    for (unsigned i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (handlers[i].type != type) {
            continue;
        }
        if (message->size < handlers[i].size_minimum) {
            vpci_violation(bus, "a PCI message is as long as its type asks for");
            return VPCI_STATUS_BAD_DATA;
        }
        if (handlers[i].version > bus->version) {
            vpci_violation(bus, "a PCI message belongs to the version agreed on");
            return VPCI_STATUS_BAD_DATA;
        }
        const struct message typed = {message->bytes, message->size, handlers[i].layout};
        return handlers[i].handle(bus, &typed);
    }
    vpci_violation(bus, "a PCI message is one that guests send");
    return VPCI_STATUS_BAD_DATA;
}

void vpci_message(struct vpci *bus, const struct host_packet *packet)
{
    const struct message message = {packet->payload, packet->payload_size, 0};
    struct vpci_answer *due = &bus->answer;
    due->is_due = packet->completion_requested;
    due->waits_for_ranges = false;
    due->transaction_id = packet->transaction_id;
    due->size = SIZE_MAX;
    const uint32_t status = dispatch(bus, &message);
    if (due->size == SIZE_MAX) {
        answer(bus, &status, sizeof(status));
    }
}
