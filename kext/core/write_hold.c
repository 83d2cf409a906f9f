/* SPDX-License-Identifier: BSD-3-Clause */
/* Holding writes back from every disk. */
#include "kext/core/write_hold.h"

#include "abi/constants.h"
#include "abi/kpi/time.h"
#include "kext/core/log.h"
#include "kext/core/shared_memory.h"

static void turn(struct write_hold *hold, bool on)
{
    hold->on = on;
    for (struct write_hold_queue *queue = hold->queues; queue != NULL; queue = queue->next)
        queue->hold(queue->context, on);
}

/* A call that comes for a hold which ended, while another one began, finds a later deadline. */
static void limit_reached(void *context, void *unused)
{
    struct write_hold *hold = context;

    IOLockLock(hold->lock);
    if (hold->on && mach_absolute_time() >= hold->deadline) {
        hv_log("HyperVBackup", "the host does not thaw: writes to the disks go on");
        turn(hold, false);
    }
    hold->limit_calls--;
    IOLockWakeup(hold->lock, &hold->limit_calls, false);
    IOLockUnlock(hold->lock);
}

bool write_hold_init(struct write_hold *hold)
{
    memset(hold, 0, sizeof *hold);
    hold->lock = IOLockAlloc();
    hold->limit_call = hold->lock != NULL ? thread_call_allocate(limit_reached, hold) : NULL;
    if (hold->limit_call == NULL && hold->lock != NULL)
        IOLockFree(hold->lock);
    if (hold->limit_call == NULL)
        hold->lock = NULL;
    return hold->lock != NULL;
}

void write_hold_destroy(struct write_hold *hold)
{
    if (hold->lock == NULL)
        return;
    write_hold_end(hold);
    IOLockLock(hold->lock);
    while (hold->limit_calls != 0)
        IOLockSleep(hold->lock, &hold->limit_calls, THREAD_UNINT);
    IOLockUnlock(hold->lock);
    thread_call_free(hold->limit_call);
    IOLockFree(hold->lock);
    hold->lock = NULL;
}

void write_hold_join(struct write_hold *hold, struct write_hold_queue *queue)
{
    if (hold->lock == NULL)
        return;
    IOLockLock(hold->lock);
    queue->next = hold->queues;
    hold->queues = queue;
    if (hold->on)
        queue->hold(queue->context, true);
    IOLockUnlock(hold->lock);
}

void write_hold_leave(struct write_hold *hold, struct write_hold_queue *queue)
{
    struct write_hold_queue **link = &hold->queues;

    if (hold->lock == NULL)
        return;
    IOLockLock(hold->lock);
    while (*link != NULL && *link != queue)
        link = &(*link)->next;
    if (*link == queue) {
        *link = queue->next;
        if (hold->on)
            queue->hold(queue->context, false);
    }
    IOLockUnlock(hold->lock);
}

bool write_hold_begin(struct write_hold *hold, uint32_t milliseconds)
{
    bool begun;

    if (hold->lock == NULL)
        return false;
    IOLockLock(hold->lock);
    begun = !hold->on;
    if (begun) {
        clock_interval_to_deadline(milliseconds, kMillisecondScale, &hold->deadline);
        if (!thread_call_enter_delayed(hold->limit_call, hold->deadline))
            hold->limit_calls++;
        turn(hold, true);
    }
    IOLockUnlock(hold->lock);
    return begun;
}

bool write_hold_end(struct write_hold *hold)
{
    bool ended;

    if (hold->lock == NULL)
        return false;
    IOLockLock(hold->lock);
    ended = hold->on;
    if (ended)
        turn(hold, false);
    if (hold->limit_calls != 0 && thread_call_cancel(hold->limit_call))
        hold->limit_calls--;
    IOLockUnlock(hold->lock);
    return ended;
}
