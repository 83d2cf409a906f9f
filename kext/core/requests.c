/* SPDX-License-Identifier: BSD-3-Clause */
/* Table of requests that wait for the host's completion. */
#include "kext/core/requests.h"

#include "kext/core/errors.h"
#include "kext/core/shared_memory.h"

#define NO_SLOT 0xFFFFu

int requests_init(struct requests *table, struct request_slot *slots, uint32_t count)
{
    if (slots == NULL || count == 0 || count > REQUESTS_MAXIMUM)
        return HV_ERROR_INVALID;
    memset(table, 0, sizeof *table);
    memset(slots, 0, count * sizeof *slots);
    table->slots = slots;
    table->count = count;
    for (uint32_t i = 0; i < count; i++)
        slots[i].next_free = i + 1 < count ? (uint16_t)(i + 1) : NO_SLOT;
    return 0;
}

int requests_add(struct requests *table, void *owner, uint64_t *id)
{
    uint16_t index = table->first_free;
    struct request_slot *slot;

    if (owner == NULL)
        return HV_ERROR_INVALID;
    if (table->outstanding == table->count)
        return HV_ERROR_FULL;
    slot = &table->slots[index];
    table->first_free = slot->next_free;
    table->outstanding++;
    slot->owner = owner;
    slot->used = true;
    slot->generation++;
    *id = (uint64_t)slot->generation << 32 | (index + 1u);
    return 0;
}

static struct request_slot *slot_of(const struct requests *table, uint64_t id)
{
    uint32_t number = (uint32_t)id;
    struct request_slot *slot;

    if (number == 0 || number > table->count)
        return NULL;
    slot = &table->slots[number - 1];
    return slot->used && slot->generation == (uint32_t)(id >> 32) ? slot : NULL;
}

static void *release(struct requests *table, struct request_slot *slot)
{
    void *owner = slot->owner;

    slot->owner = NULL;
    slot->used = false;
    slot->next_free = table->first_free;
    table->first_free = (uint16_t)(slot - table->slots);
    table->outstanding--;
    return owner;
}

void *requests_take(struct requests *table, uint64_t id)
{
    struct request_slot *slot = slot_of(table, id);

    if (slot == NULL) {
        table->unknown++;
        return NULL;
    }
    return release(table, slot);
}

void *requests_find(const struct requests *table, uint64_t id)
{
    struct request_slot *slot = slot_of(table, id);

    return slot != NULL ? slot->owner : NULL;
}

void *requests_take_any(struct requests *table)
{
    for (uint32_t i = 0; table->outstanding != 0 && i < table->count; i++)
        if (table->slots[i].used)
            return release(table, &table->slots[i]);
    return NULL;
}
