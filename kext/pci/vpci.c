/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual PCI: the protocol's engine for one bus. */
#include "kext/pci/vpci.h"

#include "kext/core/shared_memory.h"

#define MASK_PROCESSORS 64u             /* 1.1 knows no more */
#define VECTOR_MAXIMUM  255u

/* ---- Versions -------------------------------------------------------------------------------- */

static const uint32_t versions[] = {
    VPCI_VERSION_1_4, VPCI_VERSION_1_3, VPCI_VERSION_1_2, VPCI_VERSION_1_1,
};

/* The newest one below `limit`, 0 if there is none. */
static uint32_t version_below(uint32_t limit)
{
    for (uint32_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        if (versions[i] < limit)
            return versions[i];
    return 0;
}

void vpci_begin(struct vpci *vpci, uint32_t newest)
{
    memset(vpci, 0, sizeof *vpci);
    vpci->version = version_below(newest + 1);
}

int vpci_make_version(const struct vpci *vpci, struct vpci_query_version *message)
{
    if (vpci->version == 0)
        return HV_ERROR_NOT_SUPPORTED;
    message->type = VPCI_QUERY_PROTOCOL_VERSION;
    message->version = vpci->version;
    return 0;
}

int vpci_version_answer(struct vpci *vpci, const void *answer, uint32_t length)
{
    struct vpci_status_reply reply;

    if (length < sizeof reply) {
        vpci->counters.malformed++;
        return HV_ERROR_MALFORMED;
    }
    memcpy(&reply, answer, sizeof reply);
    if (!VPCI_STATUS_FAILED(reply.status))
        return 0;                       /* what it says of a version means nothing */
    if (reply.status != VPCI_STATUS_REVISION_MISMATCH)
        return HV_ERROR_REFUSED;
    vpci->version = version_below(vpci->version);
    return HV_ERROR_NOT_SUPPORTED;
}

/* ---- Functions ------------------------------------------------------------------------------- */

struct vpci_bus_function *vpci_function_at(struct vpci *vpci, uint32_t slot)
{
    for (uint32_t i = 0; i < VPCI_BUS_FUNCTIONS; i++)
        if (vpci->functions[i].state != VPCI_FUNCTION_NONE &&
            vpci->functions[i].description.slot == slot)
            return &vpci->functions[i];
    return NULL;
}

struct vpci_bus_function *vpci_function_in(struct vpci *vpci, enum vpci_function_state state)
{
    for (uint32_t i = 0; i < VPCI_BUS_FUNCTIONS; i++)
        if (vpci->functions[i].state == state)
            return &vpci->functions[i];
    return NULL;
}

static bool same_function(const struct vpci_function *one, const struct vpci_function *other)
{
    return one->slot == other->slot && one->vendor == other->vendor &&
           one->device == other->device && one->serial == other->serial;
}

/* The entry whose description is the same, or NULL. */
static struct vpci_bus_function *find_same(struct vpci *vpci, const struct vpci_function *function)
{
    struct vpci_bus_function *found = vpci_function_at(vpci, function->slot);

    return found != NULL && same_function(&found->description, function) ? found : NULL;
}

/* ---- Events ---------------------------------------------------------------------------------- */

/* The host's list, item by item. */
struct relations {
    const uint8_t *items;
    uint32_t count;
    uint32_t item_size;
};

static void read_item(const struct relations *list, uint32_t index, struct vpci_function *function)
{
    memcpy(function, list->items + index * list->item_size, sizeof *function);
}

static bool lists(const struct relations *list, const struct vpci_function *wanted)
{
    struct vpci_function function;

    for (uint32_t i = 0; i < list->count; i++) {
        read_item(list, i, &function);
        if (same_function(&function, wanted))
            return true;
    }
    return false;
}

static bool mark_gone(struct vpci *vpci, const struct relations *list)
{
    bool changed = false;

    for (uint32_t i = 0; i < VPCI_BUS_FUNCTIONS; i++) {
        struct vpci_bus_function *function = &vpci->functions[i];

        if (function->state == VPCI_FUNCTION_NONE || function->state == VPCI_FUNCTION_GONE ||
            lists(list, &function->description))
            continue;
        function->state = VPCI_FUNCTION_GONE;
        changed = true;
    }
    return changed;
}

static bool add_new(struct vpci *vpci, const struct relations *list)
{
    struct vpci_bus_function *free;
    struct vpci_function function;
    bool changed = false;

    for (uint32_t i = 0; i < list->count; i++) {
        read_item(list, i, &function);
        if (find_same(vpci, &function) != NULL)
            continue;
        free = vpci_function_in(vpci, VPCI_FUNCTION_NONE);
        if (free == NULL || function.slot >= VPCI_SLOTS ||
            vpci_function_at(vpci, function.slot) != NULL) {
            vpci->counters.ignored_functions++;
            continue;
        }
        free->description = function;
        free->state = VPCI_FUNCTION_LISTED;
        changed = true;
    }
    return changed;
}

static int take_relations(struct vpci *vpci, const uint8_t *packet, uint32_t length,
                          uint32_t item_size, struct vpci_event *event)
{
    struct vpci_bus_relations header;
    struct relations list = { .item_size = item_size };
    bool gone, new, first = !vpci->listed;

    if (length < sizeof header)
        return HV_ERROR_MALFORMED;
    memcpy(&header, packet, sizeof header);
    if (header.count > (length - sizeof header) / item_size)
        return HV_ERROR_MALFORMED;
    list.items = packet + sizeof header;
    list.count = header.count;
    vpci->listed = true;
    vpci->counters.relations++;
    gone = mark_gone(vpci, &list);
    new = add_new(vpci, &list);
    event->kind = first || gone || new ? VPCI_EVENT_CHANGED : VPCI_EVENT_NONE;
    return 0;
}

static int take_eject(struct vpci *vpci, uint32_t slot, struct vpci_event *event)
{
    struct vpci_bus_function *function = vpci_function_at(vpci, slot);

    if (function == NULL)
        return HV_ERROR_UNEXPECTED;
    if (function->state != VPCI_FUNCTION_LISTED) {
        vpci->counters.repeated_ejects++;
        return 0;
    }
    function->state = VPCI_FUNCTION_EJECTING;
    event->kind = VPCI_EVENT_CHANGED;
    event->slot = slot;
    return 0;
}

static int take_blocks(struct vpci *vpci, const void *packet, uint32_t length,
                       struct vpci_event *event)
{
    struct vpci_invalidate_block message;

    if (length < sizeof message)
        return HV_ERROR_MALFORMED;
    memcpy(&message, packet, sizeof message);
    if (vpci_function_at(vpci, message.slot) == NULL)
        return HV_ERROR_UNEXPECTED;
    event->kind = VPCI_EVENT_BLOCKS;
    event->slot = message.slot;
    event->blocks = message.blocks;
    return 0;
}

static int take_slot_message(struct vpci *vpci, const void *packet, uint32_t length,
                             struct vpci_event *event)
{
    struct vpci_slot_message message;

    if (length < sizeof message)
        return HV_ERROR_MALFORMED;
    memcpy(&message, packet, sizeof message);
    if (message.type == VPCI_EJECT)
        return take_eject(vpci, message.slot, event);
    if (vpci_function_at(vpci, message.slot) == NULL)
        return HV_ERROR_UNEXPECTED;
    event->kind = VPCI_EVENT_ASK_AGAIN;
    event->slot = message.slot;
    return 0;
}

static int take_event(struct vpci *vpci, const uint8_t *packet, uint32_t length,
                      struct vpci_event *event)
{
    struct vpci_header header;

    if (length < sizeof header)
        return HV_ERROR_MALFORMED;
    memcpy(&header, packet, sizeof header);
    switch (header.type) {
    case VPCI_BUS_RELATIONS:
        return take_relations(vpci, packet, length, sizeof(struct vpci_function), event);
    case VPCI_BUS_RELATIONS_2:
        return take_relations(vpci, packet, length, sizeof(struct vpci_function_2), event);
    case VPCI_EJECT:
    case VPCI_INVALIDATE_DEVICE:
        return take_slot_message(vpci, packet, length, event);
    case VPCI_INVALIDATE_BUS:
        event->kind = VPCI_EVENT_ASK_AGAIN;
        return 0;
    case VPCI_INVALIDATE_BLOCK:
        return take_blocks(vpci, packet, length, event);
    }
    return HV_ERROR_UNEXPECTED;
}

int vpci_receive(struct vpci *vpci, const void *packet, uint32_t length, struct vpci_event *event)
{
    int error;

    memset(event, 0, sizeof *event);
    error = take_event(vpci, packet, length, event);
    if (error == HV_ERROR_MALFORMED)
        vpci->counters.malformed++;
    else if (error != 0)
        vpci->counters.unexpected++;
    return error;
}

/* ---- Requests -------------------------------------------------------------------------------- */

void vpci_make_header(struct vpci_header *message, uint32_t type)
{
    message->type = type;
}

void vpci_make_slot(struct vpci_slot_message *message, uint32_t type, uint32_t slot)
{
    message->type = type;
    message->slot = slot;
}

void vpci_make_d0_entry(struct vpci_d0_entry *message, uint64_t window)
{
    message->type = VPCI_D0_ENTRY;
    message->reserved = 0;
    message->window = window;
}

void vpci_make_ejection_complete(struct vpci_ejection_complete *message, uint32_t slot)
{
    message->type = VPCI_EJECTION_COMPLETE;
    message->slot = slot;
    message->status = VPCI_STATUS_SUCCESS;
}

void vpci_make_assigned(const struct vpci *vpci, uint8_t message[VPCI_ASSIGNED_SIZE],
                        uint32_t slot)
{
    struct vpci_resources_assigned header = { .slot = slot };

    if (vpci->version >= VPCI_VERSION_1_4)
        header.type = VPCI_RESOURCES_ASSIGNED_3;
    else if (vpci->version >= VPCI_VERSION_1_2)
        header.type = VPCI_RESOURCES_ASSIGNED_2;
    else
        header.type = VPCI_RESOURCES_ASSIGNED;
    memset(message, 0, VPCI_ASSIGNED_SIZE);
    memcpy(message, &header, sizeof header);
}

static bool target_possible(const struct vpci *vpci, const struct vpci_target *target)
{
    uint32_t count = target->vector_count;

    if (count == 0 || count > VPCI_VECTORS_MAXIMUM || (count & (count - 1)) != 0 ||
        target->processor_count == 0 || target->processor_count > VPCI_PROCESSORS_MAXIMUM ||
        target->vector > VECTOR_MAXIMUM || target->vector + count - 1 > VECTOR_MAXIMUM)
        return false;
    for (uint32_t i = 0; i < target->processor_count; i++)
        if (target->processors[i] > UINT16_MAX ||
            (vpci->version < VPCI_VERSION_1_2 && target->processors[i] >= MASK_PROCESSORS))
            return false;
    return true;
}

static void fill_1(struct vpci_create_interrupt *message, const struct vpci_target *target)
{
    message->type = VPCI_CREATE_INTERRUPT;
    message->interrupt.vector = (uint8_t)target->vector;
    message->interrupt.delivery_mode = VPCI_DELIVERY_FIXED;
    message->interrupt.vector_count = (uint16_t)target->vector_count;
    for (uint32_t i = 0; i < target->processor_count; i++)
        message->interrupt.processors |= UINT64_C(1) << target->processors[i];
}

static void fill_2(struct vpci_create_interrupt_2 *message, const struct vpci_target *target)
{
    message->type = VPCI_CREATE_INTERRUPT_2;
    message->interrupt.vector = (uint8_t)target->vector;
    message->interrupt.delivery_mode = VPCI_DELIVERY_FIXED;
    message->interrupt.vector_count = (uint16_t)target->vector_count;
    message->interrupt.processor_count = (uint16_t)target->processor_count;
    for (uint32_t i = 0; i < target->processor_count; i++)
        message->interrupt.processors[i] = (uint16_t)target->processors[i];
}

static void fill_3(struct vpci_create_interrupt_3 *message, const struct vpci_target *target)
{
    message->type = VPCI_CREATE_INTERRUPT_3;
    message->interrupt.vector = target->vector;
    message->interrupt.delivery_mode = VPCI_DELIVERY_FIXED;
    message->interrupt.vector_count = (uint16_t)target->vector_count;
    message->interrupt.processor_count = (uint16_t)target->processor_count;
    for (uint32_t i = 0; i < target->processor_count; i++)
        message->interrupt.processors[i] = (uint16_t)target->processors[i];
}

int vpci_make_create(const struct vpci *vpci, union vpci_create_message *message, uint32_t *size,
                     uint32_t slot, const struct vpci_target *target)
{
    if (!target_possible(vpci, target))
        return HV_ERROR_INVALID;
    memset(message, 0, sizeof *message);
    message->v1.slot = slot;            /* in the same place in all three */
    if (vpci->version >= VPCI_VERSION_1_4) {
        fill_3(&message->v3, target);
        *size = sizeof message->v3;
    } else if (vpci->version >= VPCI_VERSION_1_2) {
        fill_2(&message->v2, target);
        *size = sizeof message->v2;
    } else {
        fill_1(&message->v1, target);
        *size = sizeof message->v1;
    }
    return 0;
}

void vpci_make_delete(struct vpci_delete_interrupt *message, uint32_t slot,
                      const struct vpci_message_interrupt *interrupt)
{
    message->type = VPCI_DELETE_INTERRUPT;
    message->slot = slot;
    message->message = *interrupt;
}

/* ---- Answers --------------------------------------------------------------------------------- */

static int malformed(struct vpci *vpci)
{
    vpci->counters.malformed++;
    return HV_ERROR_MALFORMED;
}

int vpci_take_status(struct vpci *vpci, const void *answer, uint32_t length)
{
    struct vpci_status_reply reply;

    if (length < sizeof reply)
        return malformed(vpci);
    memcpy(&reply, answer, sizeof reply);
    return VPCI_STATUS_FAILED(reply.status) ? HV_ERROR_REFUSED : 0;
}

int vpci_take_requirements(struct vpci *vpci, const void *answer, uint32_t length,
                           uint32_t masks[VPCI_BARS])
{
    struct vpci_requirements_reply reply;
    int error = vpci_take_status(vpci, answer, length);

    if (error != 0)
        return error;
    if (length < sizeof reply)
        return malformed(vpci);
    memcpy(&reply, answer, sizeof reply);
    memcpy(masks, reply.bars, sizeof reply.bars);
    return 0;
}

int vpci_take_interrupt(struct vpci *vpci, const void *answer, uint32_t length,
                        uint32_t vector_count, struct vpci_message_interrupt *interrupt)
{
    struct vpci_create_interrupt_reply reply;
    int error = vpci_take_status(vpci, answer, length);

    if (error != 0)
        return error;
    if (length < sizeof reply)
        return malformed(vpci);
    memcpy(&reply, answer, sizeof reply);
    if (reply.message.vector_count != vector_count)
        return malformed(vpci);
    *interrupt = reply.message;
    return 0;
}
