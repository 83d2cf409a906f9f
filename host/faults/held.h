/* SPDX-License-Identifier: BSD-3-Clause */
/* What a fault holds back for a while: bytes with a time at which to let them go. */
#ifndef HOST_FAULTS_HELD_H
#define HOST_FAULTS_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_channel;

struct held_item {
    struct held_item *next;
    uint64_t due;                 /* reference time, 100 ns */
    bool after_next;              /* goes right after the next one, or when due */
    struct host_channel *channel; /* packets */
    uint32_t processor, sint;     /* messages */
    size_t size;
    uint8_t bytes[];
};

struct held_queue {
    struct held_item *first; /* by due time; equal ones in order of arrival */
};

/* How long a reordered item waits for another one to overtake it: 10 ms. */
#define HELD_REORDER_LIMIT UINT64_C(100000)

/* When what found no room is tried again: after 1 ms. */
#define HELD_RETRY UINT64_C(10000)

/* Copies the bytes. Returns NULL when memory is short: the item is lost. */
struct held_item *held_add(struct held_queue *queue, uint64_t due, const void *bytes, size_t size);

/* Takes out the first item that is due, or that waited for this channel's next one (messages:
 * channel NULL) when `passing` is set. NULL: none. The caller frees it. */
struct held_item *held_take(struct held_queue *queue, uint64_t now, bool passing,
                            const struct host_channel *channel);

/* When the next one is due, or UINT64_MAX. */
uint64_t held_deadline(const struct held_queue *queue);

/* Forgets what is held for a channel, or with NULL everything. */
void held_clear(struct held_queue *queue, const struct host_channel *channel);

#endif
