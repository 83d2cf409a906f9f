/* SPDX-License-Identifier: BSD-3-Clause */
/* Holding writes back from every disk for the moment of a checkpoint. Storage drivers join with
 * their queue; the backup service begins and ends. What was begun ends by itself after a limit,
 * whatever else happens. All functions block; none may be called with a spin lock held. */
#ifndef KEXT_CORE_WRITE_HOLD_H
#define KEXT_CORE_WRITE_HOLD_H

#include "abi/kpi/locks.h"
#include "abi/kpi/threads.h"

/* A driver's requests on their way to the host. `next` is write_hold.c's. */
struct write_hold_queue {
    void *context;
    /* From now on writes wait, or those that waited go on. Called with the hold's lock held: must
     * not call back. */
    void (*hold)(void *context, bool on);
    struct write_hold_queue *next;
};

/* One of the controller's; its fields are private. */
struct write_hold {
    IOLock *lock;
    thread_call_t limit_call;
    uint32_t limit_calls;               /* under way */
    uint64_t deadline;
    struct write_hold_queue *queues;
    bool on;
};

/* False: no memory; then there is nothing to destroy, and every begin fails. */
bool write_hold_init(struct write_hold *hold);
/* Every queue has left. */
void write_hold_destroy(struct write_hold *hold);

/* The queue is the caller's, and stays where it is until it has left. */
void write_hold_join(struct write_hold *hold, struct write_hold_queue *queue);
/* On return the queue is not being called any more; it is no longer held. Leaving without having
 * joined, or twice, is allowed. */
void write_hold_leave(struct write_hold *hold, struct write_hold_queue *queue);

/* Holds the writes of all queues, for at most so long. False: they are held already. */
bool write_hold_begin(struct write_hold *hold, uint32_t milliseconds);
/* Lets them go. False: the limit had ended the hold before, or there was none. */
bool write_hold_end(struct write_hold *hold);

#endif
