/* SPDX-License-Identifier: BSD-3-Clause */
/* Table of requests that wait for the host's completion, and their transaction ids.
 *
 * An id is a slot number and a generation, never an address: an id that the host makes up, repeats
 * or sends too late finds nothing and is counted. Ids are never 0, since Windows does not complete
 * requests with id 0 (Linux vmbus_requestor). The caller serialises all calls on one table. */
#ifndef KEXT_CORE_REQUESTS_H
#define KEXT_CORE_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

#define REQUESTS_MAXIMUM 0xFFFEu

struct request_slot {
    void *owner;                /* the guest's own record of the request */
    uint32_t generation;
    uint16_t next_free;
    bool used;
};

struct requests {
    struct request_slot *slots;     /* the caller's memory */
    uint32_t count;
    uint32_t outstanding;
    uint16_t first_free;
    uint64_t unknown;               /* completions whose id was never given out, or is long past */
};

/* Takes `count` slots (1 .. REQUESTS_MAXIMUM) in the caller's memory into use.
 * Returns 0 or HV_ERROR_INVALID. */
int requests_init(struct requests *table, struct request_slot *slots, uint32_t count);

/* Gives out an id for `owner` (not NULL). Returns 0, HV_ERROR_FULL or HV_ERROR_INVALID. */
int requests_add(struct requests *table, void *owner, uint64_t *id);

/* Ends the request `id` and returns its owner; NULL, counted, if there is no such request. */
void *requests_take(struct requests *table, uint64_t id);

/* Owner of the request `id`, which goes on; NULL, not counted, if there is none. */
void *requests_find(const struct requests *table, uint64_t id);

/* Ends any one outstanding request and returns its owner; NULL if there is none. For tearing a
 * channel down: call until NULL. */
void *requests_take_any(struct requests *table);

#endif
