/* SPDX-License-Identifier: BSD-3-Clause */
/* IOThreadCalls.c - thread calls: functions that run later on a pooled thread.
 *
 * Rules (xnu osfmk/kern/thread_call.c): a call is queued at most once, a new enter replaces its
 * parameter; before it runs it is taken off the queue, so it may be entered again while it runs and
 * then run twice at the same time; cancel says TRUE only if it was still queued and does not wait.
 * Entering is allowed in interrupt context, hence the spin lock, and hence a thread of its own (the
 * daemon) that starts more workers and watches the delayed calls. */
#include "xnu/iokit/threads_private.h"

#include "xnu/bsd/kpi.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"
#include "xnu/machine/threads.h"

#include "abi/kpi/threads.h"

enum {
    WORKERS_MAX = 64,
    INTERNAL_CALLS = 256,       /* for thread_call_func, which has no object of its own */
};

enum call_state { CALL_IDLE, CALL_PENDING, CALL_DELAYED };

struct call {
    thread_call_func_t function;
    void *parameter0, *parameter1;
    uint64_t deadline;          /* while CALL_DELAYED */
    struct call *next, *previous;
    enum call_state state;
    unsigned running;           /* threads inside `function` at the moment */
    bool freed;                 /* to be released when the last run is over */
};

struct call_list {
    struct call *first, *last;
};

static struct machine_spin_lock lock;
static struct call_list pending;
static unsigned pending_calls;          /* in that list */
static struct call_list delayed;        /* by deadline */
static struct call internal_calls[INTERNAL_CALLS];
static unsigned workers;
static unsigned idle_workers;           /* starting, waiting, or woken and not running yet */
static bool stopping;
static bool started;
static char pending_event;
static char daemon_event;
static char finished_event;

static void list_remove(struct call_list *list, struct call *call)
{
    if (call->previous)
        call->previous->next = call->next;
    else
        list->first = call->next;
    if (call->next)
        call->next->previous = call->previous;
    else
        list->last = call->previous;
    call->next = call->previous = NULL;
}

/* Behind all calls with the same or an earlier deadline; without deadlines that is the end. */
static void list_insert(struct call_list *list, struct call *call)
{
    struct call *before = list->last;

    while (call->state == CALL_DELAYED && before && before->deadline > call->deadline)
        before = before->previous;
    call->previous = before;
    call->next = before ? before->next : list->first;
    if (call->next)
        call->next->previous = call;
    else
        list->last = call;
    if (before)
        before->next = call;
    else
        list->first = call;
}

static bool dequeue(struct call *call)
{
    if (call->state == CALL_IDLE)
        return false;
    if (call->state == CALL_PENDING)
        pending_calls--;
    list_remove(call->state == CALL_PENDING ? &pending : &delayed, call);
    call->state = CALL_IDLE;
    return true;
}

/* Called with the lock held: makes the call ready to run and sees that somebody does it. A worker
 * that was woken for one call stays idle until it runs: each call needs a worker of its own. */
static void make_pending(struct call *call)
{
    call->state = CALL_PENDING;
    list_insert(&pending, call);
    pending_calls++;
    machine_wakeup(pending_calls > idle_workers ? &daemon_event : &pending_event, true);
}

static void run_call(struct call *call, bool *enabled)
{
    thread_call_func_t function = call->function;
    void *parameter0 = call->parameter0, *parameter1 = call->parameter1;

    call->running++;
    machine_spin_unlock_restore_interrupts(&lock, *enabled);
    function(parameter0, parameter1);
    *enabled = machine_spin_lock_disable_interrupts(&lock);
    call->running--;
    if (call->running == 0)
        machine_wakeup(&finished_event, false);
    if (call->running == 0 && call->freed) {
        machine_spin_unlock_restore_interrupts(&lock, *enabled);
        machine_release(call, sizeof *call);
        *enabled = machine_spin_lock_disable_interrupts(&lock);
    }
}

static void worker(void *argument)
{
    bool enabled = machine_spin_lock_disable_interrupts(&lock);

    idle_workers--;
    while (!stopping) {
        struct call *call = pending.first;
        if (call) {
            dequeue(call);
            run_call(call, &enabled);
            continue;
        }
        idle_workers++;
        machine_wait_prepare(&pending_event, MACHINE_NEVER, false);
        machine_spin_unlock_restore_interrupts(&lock, enabled);
        machine_wait_block();
        enabled = machine_spin_lock_disable_interrupts(&lock);
        idle_workers--;
    }
    workers--;
    machine_wakeup(&daemon_event, false);
    machine_spin_unlock_restore_interrupts(&lock, enabled);
}

/* Moves what is due to the pending list; returns the next deadline. */
static uint64_t expire_delayed(void)
{
    uint64_t now = machine_uptime();

    while (delayed.first && delayed.first->deadline <= now) {
        struct call *call = delayed.first;
        dequeue(call);
        make_pending(call);
    }
    return delayed.first ? delayed.first->deadline : MACHINE_NEVER;
}

/* False: no memory for a thread; the calls wait for the workers that are there. */
static bool start_worker(bool *enabled)
{
    struct machine_thread *thread;

    workers++;
    idle_workers++;
    machine_spin_unlock_restore_interrupts(&lock, *enabled);
    thread = machine_thread_start("thread_call", worker, NULL);
    *enabled = machine_spin_lock_disable_interrupts(&lock);
    if (thread) {
        machine_thread_release(thread);
    } else {
        workers--;
        idle_workers--;
    }
    return thread != NULL;
}

static void call_daemon(void *argument)
{
    bool enabled = machine_spin_lock_disable_interrupts(&lock);

    while (!stopping) {
        uint64_t deadline = expire_delayed();

        if (pending_calls > idle_workers && workers < WORKERS_MAX && start_worker(&enabled))
            continue;
        machine_wait_prepare(&daemon_event, deadline, false);
        machine_spin_unlock_restore_interrupts(&lock, enabled);
        machine_wait_block();
        enabled = machine_spin_lock_disable_interrupts(&lock);
    }
    started = false;
    machine_wakeup(&finished_event, false);
    machine_spin_unlock_restore_interrupts(&lock, enabled);
}

bool thread_calls_start(void)
{
    stopping = false;
    started = true;
    struct machine_thread *thread = machine_thread_start("thread_call daemon", call_daemon, NULL);
    if (!thread) {
        started = false;
        return false;
    }
    machine_thread_release(thread);
    return true;
}

void thread_calls_stop(void)
{
    bool enabled = machine_spin_lock_disable_interrupts(&lock);

    stopping = true;
    while (pending.first)
        dequeue(pending.first);
    while (delayed.first)
        dequeue(delayed.first);
    while (started || workers != 0) {
        machine_wakeup(&pending_event, false);
        machine_wakeup(&daemon_event, false);
        machine_wait_prepare(&finished_event, machine_uptime() + 1000000, false);
        machine_spin_unlock_restore_interrupts(&lock, enabled);
        machine_wait_block();
        enabled = machine_spin_lock_disable_interrupts(&lock);
    }
    machine_spin_unlock_restore_interrupts(&lock, enabled);
}

/* ---- the programming interface -------------------------------------------------------------- */

static struct call *call_of(thread_call_t call)
{
    return (struct call *)(void *)call;
}

KPI(thread_call_t, thread_call_allocate, (thread_call_func_t function,
                                          void *parameter0))
{
    struct call *call = machine_allocate_zeroed(sizeof *call, 0);

    if (call) {
        call->function = function;
        call->parameter0 = parameter0;
    }
    return (thread_call_t)call;
}

KPI(thread_call_t, thread_call_allocate_with_priority, (thread_call_func_t function,
                                                        void *parameter0,
                                                        unsigned priority))
{
    return thread_call_allocate(function, parameter0);
}

KPI(thread_call_t, thread_call_allocate_with_options, (thread_call_func_t function,
                                                       void *parameter0,
                                                       unsigned priority,
                                                       unsigned options))
{
    return thread_call_allocate(function, parameter0);
}

KPI(boolean_t, thread_call_free, (thread_call_t call_object))
{
    struct call *call = call_of(call_object);
    bool enabled = machine_spin_lock_disable_interrupts(&lock);

    if (call->freed)
        machine_panic("thread_call_free: call %p is freed twice", (void *)call);
    if (call->state != CALL_IDLE) {
        machine_spin_unlock_restore_interrupts(&lock, enabled);
        return false;
    }
    bool running = call->running != 0;
    call->freed = true;
    machine_spin_unlock_restore_interrupts(&lock, enabled);
    if (!running)
        machine_release(call, sizeof *call);
    return true;
}

/* Called with the lock held. A call that is pending keeps its place in the queue. */
static bool enter_locked(struct call *call, void *parameter1, bool is_delayed,
                         uint64_t deadline)
{
    bool was_queued = call->state != CALL_IDLE;

    if (call->freed)
        machine_panic("thread_call_enter: call %p has been freed", (void *)call);
    call->parameter1 = parameter1;
    if (stopping || (call->state == CALL_PENDING && !is_delayed))
        return was_queued;
    dequeue(call);
    if (!is_delayed) {
        make_pending(call);
        return was_queued;
    }
    call->state = CALL_DELAYED;
    call->deadline = deadline;
    list_insert(&delayed, call);
    if (delayed.first == call)
        machine_wakeup(&daemon_event, true);
    return was_queued;
}

static bool enter(thread_call_t call, void *parameter1, bool is_delayed,
                  uint64_t deadline)
{
    bool enabled = machine_spin_lock_disable_interrupts(&lock);
    bool was_queued = enter_locked(call_of(call), parameter1, is_delayed, deadline);

    machine_spin_unlock_restore_interrupts(&lock, enabled);
    return was_queued;
}

KPI(boolean_t, thread_call_enter, (thread_call_t call))
{
    return enter(call, NULL, false, 0);
}

KPI(boolean_t, thread_call_enter1, (thread_call_t call, void *parameter1))
{
    return enter(call, parameter1, false, 0);
}

KPI(boolean_t, thread_call_enter_delayed, (thread_call_t call, uint64_t deadline))
{
    return enter(call, NULL, true, deadline);
}

KPI(boolean_t, thread_call_enter1_delayed, (thread_call_t call, void *parameter1,
                                            uint64_t deadline))
{
    return enter(call, parameter1, true, deadline);
}

KPI(boolean_t, thread_call_cancel, (thread_call_t call))
{
    bool enabled = machine_spin_lock_disable_interrupts(&lock);
    bool was_queued = dequeue(call_of(call));

    machine_spin_unlock_restore_interrupts(&lock, enabled);
    return was_queued;
}

/* Private to the kernel on macOS, used by the families here: also waits for runs in progress. Must
 * not be called by the function itself. */
KPI(boolean_t, thread_call_cancel_wait, (thread_call_t call_object))
{
    struct call *call = call_of(call_object);
    bool enabled = machine_spin_lock_disable_interrupts(&lock);
    bool was_queued = dequeue(call);

    while (call->running != 0) {
        machine_wait_prepare(&finished_event, MACHINE_NEVER, false);
        machine_spin_unlock_restore_interrupts(&lock, enabled);
        machine_wait_block();
        enabled = machine_spin_lock_disable_interrupts(&lock);
    }
    machine_spin_unlock_restore_interrupts(&lock, enabled);
    return was_queued;
}

KPI(boolean_t, thread_call_is_delayed, (thread_call_t call_object, uint64_t *deadline))
{
    struct call *call = call_of(call_object);
    bool enabled = machine_spin_lock_disable_interrupts(&lock);
    bool is_delayed = call->state == CALL_DELAYED;

    if (is_delayed && deadline)
        *deadline = call->deadline;
    machine_spin_unlock_restore_interrupts(&lock, enabled);
    return is_delayed;
}

/* ---- calls without an object (KPI unsupported) ----------------------------------------------- */

static bool same_internal(const struct call *call, thread_call_func_t function,
                          void *parameter)
{
    return call->state != CALL_IDLE && call->function == function && call->parameter0 == parameter;
}

/* An internal call that is queued with the same function and parameter, or else an unused one.
 * Called with the lock held. */
static struct call *internal_call(thread_call_func_t function, void *parameter,
                                  bool unique)
{
    struct call *found = NULL;

    for (unsigned i = 0; i < INTERNAL_CALLS; i++) {
        struct call *call = &internal_calls[i];
        if (unique && same_internal(call, function, parameter))
            return call;
        if (!found && call->state == CALL_IDLE && call->running == 0)
            found = call;
    }
    if (!found)
        machine_panic("thread_call_func: all %d calls are in use", INTERNAL_CALLS);
    found->function = function;
    found->parameter0 = parameter;
    return found;
}

static void enter_internal(thread_call_func_t function, void *parameter, bool unique,
                           bool is_delayed, uint64_t deadline)
{
    bool enabled = machine_spin_lock_disable_interrupts(&lock);

    enter_locked(internal_call(function, parameter, unique), NULL, is_delayed, deadline);
    machine_spin_unlock_restore_interrupts(&lock, enabled);
}

KPI(void, thread_call_func, (thread_call_func_t function, void *parameter,
                             boolean_t unique))
{
    enter_internal(function, parameter, unique, false, 0);
}

KPI(void, thread_call_func_delayed, (thread_call_func_t function, void *parameter,
                                     uint64_t deadline))
{
    enter_internal(function, parameter, false, true, deadline);
}

KPI(boolean_t, thread_call_func_cancel, (thread_call_func_t function,
                                         void *parameter, boolean_t cancel_all))
{
    bool enabled = machine_spin_lock_disable_interrupts(&lock);
    bool cancelled = false;

    for (unsigned i = 0; i < INTERNAL_CALLS && (cancel_all || !cancelled); i++)
        if (same_internal(&internal_calls[i], function, parameter))
            cancelled |= dequeue(&internal_calls[i]);
    machine_spin_unlock_restore_interrupts(&lock, enabled);
    return cancelled;
}
