/* SPDX-License-Identifier: BSD-3-Clause */
/* IOTimerEventSource.c - one-shot timers whose action runs with the gate closed
 * (xnu iokit/Kernel/IOTimerEventSource.cpp).
 *
 * The action runs on a thread call's thread, or on the work loop's own with the option
 * kIOTimerEventSourceOptionsPriorityWorkLoop. A generation number drops calls that were under way
 * when the timer was set again, cancelled or disabled. A queued call holds a reference of the timer
 * and of its loop. */
#include "abi/IOTimerEventSource.h"
#include "abi/IOWorkLoop.h"
#include "abi/kpi/threads.h"

#include "xnu/libkern/object.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/memory.h"

enum { TICK = 10000000 };                /* nanoseconds */

typedef void timer_action(OSObject *, IOTimerEventSource *);

struct IOTimerEventSource_ExpansionData {
    uint32_t generation;
    IOWorkLoop *work_loop;               /* of the queued call */
    bool on_work_loop;
    bool fired;                          /* the loop's thread has to run the action */
};

/* ---- creation ------------------------------------------------------------------------------- */

IOTimerEventSource *IOTimerEventSource_timerEventSource_number(uint32_t options, OSObject *owner,
                                                               timer_action *action)
{
    IOTimerEventSource *me = object_new(&IOTimerEventSource_gMetaClass);

    if (me && !IOTimerEventSource__init_number_object_function(me, options, owner, action)) {
        object_release(me);
        return NULL;
    }
    return me;
}

IOTimerEventSource *IOTimerEventSource_timerEventSource_object(OSObject *owner,
                                                               timer_action *action)
{
    IOTimerEventSource *me = object_new(&IOTimerEventSource_gMetaClass);

    if (me && !IOTimerEventSource_init_timereventsource(me, owner, action)) {
        object_release(me);
        return NULL;
    }
    return me;
}

static bool set_up(IOTimerEventSource *me, uint32_t options, OSObject *owner, timer_action *action)
{
    if (!IOEventSource__init_object_function((IOEventSource *)me, owner,
                                             (void (*)(OSObject *, ...))action))
        return false;
    if (!me->reserved)
        me->reserved = machine_allocate_zeroed(sizeof *me->reserved, 0);
    if (!me->reserved)
        return false;
    me->reserved->on_work_loop = (options & kIOTimerEventSourceOptionsPriorityMask) ==
                                 kIOTimerEventSourceOptionsPriorityWorkLoop;
    IOTimerEventSource_setTimeoutFunc(me);
    return me->calloutEntry != NULL;
}

bool IOTimerEventSource__init_number_object_function(IOTimerEventSource *me, uint32_t options,
                                                     OSObject *owner, timer_action *action)
{
    return set_up(me, options, owner, action);
}

bool IOTimerEventSource__init_timereventsource(IOTimerEventSource *me, OSObject *owner,
                                               timer_action *action)
{
    return set_up(me, 0, owner, action);
}

void IOTimerEventSource__setTimeoutFunc(IOTimerEventSource *me)
{
    me->calloutEntry = (void *)thread_call_allocate(me->reserved->on_work_loop
                                                        ? IOTimerEventSource_timeoutSignaled
                                                        : IOTimerEventSource_timeoutAndRelease,
                                                    me);
}

void IOTimerEventSource__free(IOTimerEventSource *me)
{
    if (me->calloutEntry) {
        IOTimerEventSource_cancelTimeout(me);
        thread_call_free(me->calloutEntry);
    }
    machine_release(me->reserved, sizeof *me->reserved);
    IOEventSource__free((IOEventSource *)me);
}

/* ---- when the time has come ----------------------------------------------------------------- */

static void run_action(IOTimerEventSource *me)
{
    timer_action *action = (timer_action *)me->action;

    if (action)
        action(me->owner, me);
}

void IOTimerEventSource_timeoutAndRelease(void *self, void *parameter)
{
    IOTimerEventSource *me = self;
    IOWorkLoop *work_loop = me->reserved->work_loop;

    if (me->enabled && me->action) {
        IOWorkLoop_closeGate(work_loop);
        if (me->reserved->generation == (uint32_t)(uintptr_t)parameter)
            run_action(me);
        IOWorkLoop_openGate(work_loop);
    }
    object_release(work_loop);
    object_release(me);
}

void IOTimerEventSource_timeout(void *self)
{
    IOTimerEventSource_timeoutAndRelease(self, NULL);
}

void IOTimerEventSource_timeoutSignaled(void *self, void *parameter)
{
    IOTimerEventSource *me = self;
    IOWorkLoop *work_loop = me->reserved->work_loop;

    IOWorkLoop_closeGate(work_loop);
    if (me->reserved->generation == (uint32_t)(uintptr_t)parameter && me->enabled) {
        me->reserved->fired = true;
        IOWorkLoop_signalWorkAvailable(work_loop);
    }
    IOWorkLoop_openGate(work_loop);
    object_release(work_loop);
    object_release(me);
}

bool IOTimerEventSource__checkForWork(IOTimerEventSource *me)
{
    if (!me->reserved->fired)
        return false;
    me->reserved->fired = false;
    if (me->enabled)
        run_action(me);
    return false;
}

/* ---- setting and cancelling ----------------------------------------------------------------- */

/* Takes a queued call back, with the references that it holds. */
static void withdraw(IOTimerEventSource *me)
{
    IOWorkLoop *work_loop = me->reserved->work_loop;

    me->reserved->generation++;
    me->reserved->fired = false;
    if (!thread_call_cancel(me->calloutEntry))
        return;
    object_release(work_loop);
    object_release(me);
}

void IOTimerEventSource__cancelTimeout(IOTimerEventSource *me)
{
    if (me->reserved)
        withdraw(me);
    me->abstime = 0;
}

int32_t IOTimerEventSource__wakeAtTime_number(IOTimerEventSource *me, uint64_t deadline)
{
    if (!me->action)
        return kIOReturnNoResources;
    me->abstime = deadline;
    if (!me->enabled || deadline == 0 || !me->workLoop)
        return kIOReturnSuccess;             /* only remembered */
    object_retain(me);
    object_retain(me->workLoop);
    IOWorkLoop *previous = me->reserved->work_loop;
    me->reserved->work_loop = me->workLoop;
    me->reserved->generation++;
    me->reserved->fired = false;
    if (thread_call_enter1_delayed(me->calloutEntry,
                                   (void *)(uintptr_t)me->reserved->generation, deadline)) {
        object_release(previous);            /* the references of the call that was replaced */
        object_release(me);
    }
    return kIOReturnSuccess;
}

static int32_t after(IOTimerEventSource *me, uint64_t nanoseconds)
{
    uint64_t now = machine_uptime();
    uint64_t deadline = nanoseconds > UINT64_MAX - now ? UINT64_MAX : now + nanoseconds;

    return IOTimerEventSource_wakeAtTime_number(me, deadline != 0 ? deadline : 1);
}

int32_t IOTimerEventSource__setTimeout_number(IOTimerEventSource *me, uint64_t interval)
{
    return after(me, interval);
}

int32_t IOTimerEventSource__setTimeout_number_number(IOTimerEventSource *me, uint32_t interval,
                                                     uint32_t scale)
{
    return after(me, (uint64_t)interval * scale);
}

int32_t IOTimerEventSource__setTimeout_number_number_number(IOTimerEventSource *me,
                                                            uint32_t options, uint64_t interval,
                                                            uint64_t leeway)
{
    return after(me, interval);
}

int32_t IOTimerEventSource__setTimeoutTicks(IOTimerEventSource *me, uint32_t ticks)
{
    return after(me, (uint64_t)ticks * TICK);
}

int32_t IOTimerEventSource__setTimeoutMS(IOTimerEventSource *me, uint32_t milliseconds)
{
    return after(me, (uint64_t)milliseconds * 1000000);
}

int32_t IOTimerEventSource__setTimeoutUS(IOTimerEventSource *me, uint32_t microseconds)
{
    return after(me, (uint64_t)microseconds * 1000);
}

int32_t IOTimerEventSource__wakeAtTime_number_number(IOTimerEventSource *me, uint32_t time,
                                                     uint32_t scale)
{
    return IOTimerEventSource_wakeAtTime_number(me, (uint64_t)time * scale);
}

int32_t IOTimerEventSource__wakeAtTime_number_number_number(IOTimerEventSource *me,
                                                            uint32_t options, uint64_t time,
                                                            uint64_t leeway)
{
    return IOTimerEventSource_wakeAtTime_number(me, time);
}

int32_t IOTimerEventSource__wakeAtTimeTicks(IOTimerEventSource *me, uint32_t ticks)
{
    return IOTimerEventSource_wakeAtTime_number(me, (uint64_t)ticks * TICK);
}

int32_t IOTimerEventSource__wakeAtTimeMS(IOTimerEventSource *me, uint32_t milliseconds)
{
    return IOTimerEventSource_wakeAtTime_number(me, (uint64_t)milliseconds * 1000000);
}

int32_t IOTimerEventSource__wakeAtTimeUS(IOTimerEventSource *me, uint32_t microseconds)
{
    return IOTimerEventSource_wakeAtTime_number(me, (uint64_t)microseconds * 1000);
}

/* ---- states --------------------------------------------------------------------------------- */

void IOTimerEventSource__enable(IOTimerEventSource *me)
{
    IOEventSource__enable((IOEventSource *)me);
    if (me->abstime != 0 &&
        IOTimerEventSource_wakeAtTime_number(me, me->abstime) != kIOReturnSuccess)
        IOEventSource__disable((IOEventSource *)me);
}

void IOTimerEventSource__disable(IOTimerEventSource *me)
{
    if (me->reserved)
        withdraw(me);
    IOEventSource__disable((IOEventSource *)me);
}

void IOTimerEventSource__setWorkLoop(IOTimerEventSource *me, IOWorkLoop *work_loop)
{
    IOEventSource__setWorkLoop((IOEventSource *)me, work_loop);
    if (me->enabled && me->abstime != 0 && work_loop)
        IOTimerEventSource_wakeAtTime_number(me, me->abstime);
}
