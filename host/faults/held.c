/* SPDX-License-Identifier: BSD-3-Clause */
/* The queue of things held back. */
#include "host/faults/held.h"

#include <stdlib.h>
#include <string.h>

struct held_item *held_add(struct held_queue *queue, uint64_t due, const void *bytes, size_t size)
{
    struct held_item *item = calloc(1, sizeof(*item) + size);
    if (item == NULL) {
        return NULL;
    }
    item->due = due;
    item->size = size;
    memcpy(item->bytes, bytes, size);
    struct held_item **link = &queue->first;
    while (*link != NULL && (*link)->due <= due) {
        link = &(*link)->next;
    }
    item->next = *link;
    *link = item;
    return item;
}

struct held_item *held_take(struct held_queue *queue, uint64_t now, bool passing,
                            const struct host_channel *channel)
{
    struct held_item **link = &queue->first;
    while (*link != NULL) {
        struct held_item *item = *link;
        bool overtaken = passing && item->after_next && item->channel == channel;
        if (passing ? overtaken : item->due <= now) {
            *link = item->next;
            return item;
        }
        link = &item->next;
    }
    return NULL;
}

uint64_t held_deadline(const struct held_queue *queue)
{
    return queue->first != NULL ? queue->first->due : UINT64_MAX;
}

void held_clear(struct held_queue *queue, const struct host_channel *channel)
{
    struct held_item **link = &queue->first;
    while (*link != NULL) {
        struct held_item *item = *link;
        if (channel == NULL || item->channel == channel) {
            *link = item->next;
            free(item);
        } else {
            link = &item->next;
        }
    }
}
