/* SPDX-License-Identifier: BSD-3-Clause */
/* IOWorkLoop.c - one thread, one recursive lock (the gate) and a list of event sources.
 *
 * The thread clears `workToDo`, asks every active source for work with the gate closed until none
 * has any, and sleeps. Command gates and timers do not need to be asked; they are kept in a list of
 * their own. Source of the rules: xnu iokit/Kernel/IOWorkLoop.cpp. */
#include "abi/IOCommandGate.h"
#include "abi/IOEventSource.h"
#include "abi/IOInterruptEventSource.h"
#include "abi/IOTimerEventSource.h"
#include "abi/IOWorkLoop.h"
#include "abi/kpi/locks.h"
#include "abi/kpi/threads.h"

#include "xnu/iokit/threads_private.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"
#include "xnu/machine/threads.h"

enum maintenance {
    ADD_SOURCE = 1,
    REMOVE_SOURCE = 2,
};

struct IOWorkLoop_ExpansionData {
    IOEventSource *passive_chain;    /* sources that are never asked for work */
    bool terminate;                  /* the thread has to end and to free the loop */
};

IOWorkLoop *IOWorkLoop_workLoop(void)
{
    return IOWorkLoop_workLoopWithOptions(0);
}

IOWorkLoop *IOWorkLoop_workLoopWithOptions(uint32_t options)
{
    IOWorkLoop *me = object_new(&IOWorkLoop_gMetaClass);

    if (me && !OSObject_init((OSObject *)me)) {
        object_release(me);
        return NULL;
    }
    return me;
}

static int32_t maintenance_action(OSObject *owner, void *command, void *source, void *argument2,
                                  void *argument3)
{
    return IOWorkLoop_internal_maintRequest((IOWorkLoop *)owner, command, source, argument2,
                                            argument3);
}

/* The gate that additions go through has to be added by hand. */
static bool make_control_gate(IOWorkLoop *me)
{
    me->controlG = IOCommandGate_commandGate((OSObject *)me, maintenance_action);
    if (!me->controlG)
        return false;
    IOEventSource_setWorkLoop((IOEventSource *)me->controlG, me);
    me->reserved->passive_chain = (IOEventSource *)me->controlG;
    return true;
}

static void thread_function(void *parameter, wait_result_t result)
{
    IOWorkLoop_threadMain(parameter);
}

bool IOWorkLoop__init(IOWorkLoop *me)
{
    if (!OSObject__init((OSObject *)me))
        return false;
    if (!me->gateLock)
        me->gateLock = IORecursiveLockAlloc();
    if (!me->workToDoLock)
        me->workToDoLock = IOSimpleLockAlloc();
    if (!me->reserved)
        me->reserved = machine_allocate_zeroed(sizeof *me->reserved, 0);
    if (!me->gateLock || !me->workToDoLock || !me->reserved)
        return false;
    if (!me->controlG && !make_control_gate(me))
        return false;
    return me->workThread ||
           kernel_thread_start_named("work loop", thread_function, me, &me->workThread) ==
               KERN_SUCCESS;
}

static void release_chain(IOEventSource **chain, const IOCommandGate *control)
{
    while (*chain) {
        IOEventSource *source = *chain;
        *chain = IOEventSource_getNext(source);
        if (source == (const IOEventSource *)control)
            continue;
        IOEventSource_setWorkLoop(source, NULL);
        IOEventSource_setNext(source, NULL);
        object_release(source);
    }
}

static void free_parts(IOWorkLoop *me)
{
    if (me->reserved) {
        release_chain(&me->eventChain, me->controlG);
        release_chain(&me->reserved->passive_chain, me->controlG);
    }
    if (me->controlG) {
        IOEventSource_setWorkLoop((IOEventSource *)me->controlG, NULL);
        object_release_clear(&me->controlG);
    }
    if (me->workToDoLock)
        IOSimpleLockFree(me->workToDoLock);
    if (me->gateLock)
        IORecursiveLockFree(me->gateLock);
    machine_release(me->reserved, sizeof *me->reserved);
    OSObject__free((OSObject *)me);
}

/* The last release usually happens on another thread: it only tells the loop's own thread to end,
 * and that one frees the object. */
void IOWorkLoop__free(IOWorkLoop *me)
{
    if (!me->workThread) {
        free_parts(me);
        return;
    }
    IOWorkLoop_closeGate(me);
    IOWorkLoop_disableAllEventSources(me);
    struct machine_spin_lock *lock = (void *)me->workToDoLock;
    bool enabled = machine_spin_lock_disable_interrupts(lock);
    me->reserved->terminate = true;
    machine_wakeup((const void *)&me->workToDo, true);
    machine_spin_unlock_restore_interrupts(lock, enabled);
    IOWorkLoop_openGate(me);
}

/* ---- the thread ----------------------------------------------------------------------------- */

bool IOWorkLoop__runEventSources(IOWorkLoop *me)
{
    bool more;
    bool result = false;

    machine_burst_begin();
    IOWorkLoop_closeGate(me);
    if (me->reserved->terminate)
        goto out;
    do {
        me->loopRestart = false;
        more = false;
        /* A signal from here on is seen by the checks, or asks for another round: the store must be
         * visible before the sources are looked at. */
        __atomic_exchange_n(&me->workToDo, false, __ATOMIC_SEQ_CST);
        for (IOEventSource *source = me->eventChain; source;
             source = IOEventSource_getNext(source)) {
            more |= IOEventSource_checkForWork(source);
            if (me->reserved->terminate)
                goto out;
            if (me->loopRestart) {
                more = true;
                break;
            }
        }
    } while (more);
    result = true;
out:
    IOWorkLoop_openGate(me);
    machine_burst_end();
    return result;
}

static void sleep_until_signalled(IOWorkLoop *me)
{
    struct machine_spin_lock *lock = (void *)me->workToDoLock;
    bool enabled = machine_spin_lock_disable_interrupts(lock);
    bool idle = !me->workToDo && !me->reserved->terminate;

    if (idle)
        machine_wait_prepare((const void *)&me->workToDo, MACHINE_NEVER, false);
    machine_spin_unlock_restore_interrupts(lock, enabled);
    if (idle)
        machine_wait_block();
}

void IOWorkLoop_threadMainContinuation(IOWorkLoop *me)
{
    IOWorkLoop_threadMain(me);
}

void IOWorkLoop__threadMain(IOWorkLoop *me)
{
    while (IOWorkLoop_runEventSources(me))
        sleep_until_signalled(me);
    IOWorkLoop_closeGate(me);
    thread_t thread = me->workThread;
    me->workThread = NULL;
    IOWorkLoop_openGate(me);
    OSObject_free((OSObject *)me);
    thread_deallocate(thread);
    thread_terminate(current_thread());
}

static void wake(IOWorkLoop *me)
{
    struct machine_spin_lock *lock = (void *)me->workToDoLock;
    bool enabled = machine_spin_lock_disable_interrupts(lock);

    machine_wakeup((const void *)&me->workToDo, true);
    machine_spin_unlock_restore_interrupts(lock, enabled);
}

/* What the loop's thread would do, on a thread that is awake. If somebody is inside the gate, it is
 * the loop's thread's affair after all. */
static void work_for(void *context)
{
    IOWorkLoop *me = context;

    if (IOWorkLoop_tryCloseGate(me)) {
        IOWorkLoop_runEventSources(me);
        IOWorkLoop_openGate(me);
    } else {
        wake(me);
    }
    object_release(me);
}

/* Legal in interrupt context. */
void IOWorkLoop__signalWorkAvailable(IOWorkLoop *me)
{
    struct machine_spin_lock *lock = (void *)me->workToDoLock;
    bool enabled = machine_spin_lock_disable_interrupts(lock);

    if (!me->workToDo) {
        me->workToDo = true;
        if (machine_leave_to_poller(work_for, me))
            object_retain(me);
        else
            machine_wakeup((const void *)&me->workToDo, true);
    }
    machine_spin_unlock_restore_interrupts(lock, enabled);
}

thread_t IOWorkLoop__getThread(IOWorkLoop *me)
{
    return me->workThread;
}

bool IOWorkLoop__onThread(IOWorkLoop *me)
{
    return me->workThread == current_thread();
}

/* ---- the gate ------------------------------------------------------------------------------- */

bool IOWorkLoop__inGate(IOWorkLoop *me)
{
    return IORecursiveLockHaveLock(me->gateLock);
}

void IOWorkLoop__closeGate(IOWorkLoop *me)
{
    IORecursiveLockLock(me->gateLock);
}

void IOWorkLoop__openGate(IOWorkLoop *me)
{
    IORecursiveLockUnlock(me->gateLock);
}

bool IOWorkLoop__tryCloseGate(IOWorkLoop *me)
{
    return IORecursiveLockTryLock(me->gateLock) != 0;
}

int32_t IOWorkLoop__sleepGate(IOWorkLoop *me, void *event, uint32_t interruptible)
{
    return IORecursiveLockSleep(me->gateLock, event, interruptible);
}

int32_t IOWorkLoop__sleepGate_number(IOWorkLoop *me, void *event, uint64_t deadline,
                                     uint32_t interruptible)
{
    return IORecursiveLockSleepDeadline(me->gateLock, event, deadline, interruptible);
}

void IOWorkLoop__wakeupGate(IOWorkLoop *me, void *event, bool one_thread)
{
    IORecursiveLockWakeup(me->gateLock, event, one_thread);
}

int32_t IOWorkLoop__runAction(IOWorkLoop *me,
                              int32_t (*action)(OSObject *, void *, void *, void *, void *),
                              OSObject *target, void *argument0, void *argument1, void *argument2,
                              void *argument3)
{
    if (!action)
        return kIOReturnBadArgument;
    IOWorkLoop_closeGate(me);
    int32_t result = action(target, argument0, argument1, argument2, argument3);
    IOWorkLoop_openGate(me);
    return result;
}

/* ---- event sources -------------------------------------------------------------------------- */

/* Sources whose checkForWork is that of the base class or of a command gate never have any. */
bool IOWorkLoop_eventSourcePerformsWork(IOWorkLoop *me, IOEventSource *source)
{
    const void *check = (const void *)source->vtable->checkForWork;

    return check != (const void *)IOEventSource__checkForWork &&
           check != (const void *)IOCommandGate__checkForWork;
}

static void append(IOEventSource **chain, IOEventSource *source)
{
    IOEventSource *last = *chain;

    IOEventSource_setNext(source, NULL);
    if (!last) {
        *chain = source;
        return;
    }
    for (IOEventSource *next; (next = IOEventSource_getNext(last)) != NULL;)
        last = next;
    IOEventSource_setNext(last, source);
}

static bool unchain(IOEventSource **chain, IOEventSource *source)
{
    IOEventSource *previous = NULL;

    for (IOEventSource *at = *chain; at; previous = at, at = IOEventSource_getNext(at)) {
        if (at != source)
            continue;
        if (previous)
            IOEventSource_setNext(previous, IOEventSource_getNext(source));
        else
            *chain = IOEventSource_getNext(source);
        return true;
    }
    return false;
}

static int32_t add_source(IOWorkLoop *me, IOEventSource *source)
{
    if (IOEventSource_getWorkLoop(source))
        return kIOReturnSuccess;             /* also when it is another loop's, as in the kernel */
    object_retain(source);
    IOEventSource_setWorkLoop(source, me);
    if (IOWorkLoop_eventSourcePerformsWork(me, source))
        append(&me->eventChain, source);
    else
        append(&me->reserved->passive_chain, source);
    IOWorkLoop_signalWorkAvailable(me);      /* it may have been signalled before */
    return kIOReturnSuccess;
}

static int32_t remove_source(IOWorkLoop *me, IOEventSource *source)
{
    if (IOEventSource_getWorkLoop(source) != me)
        return kIOReturnBadArgument;
    IOEventSource_setWorkLoop(source, NULL);
    if (!unchain(&me->eventChain, source) && !unchain(&me->reserved->passive_chain, source))
        return kIOReturnBadArgument;
    IOEventSource_setNext(source, NULL);
    object_release(source);
    me->loopRestart = true;                  /* the thread may stand on this source */
    return kIOReturnSuccess;
}

int32_t IOWorkLoop__internal_maintRequest(IOWorkLoop *me, void *command, void *data,
                                          void *argument2, void *argument3)
{
    switch ((enum maintenance)(uintptr_t)command) {
    case ADD_SOURCE:
        return add_source(me, data);
    case REMOVE_SOURCE:
        return remove_source(me, data);
    default:
        return kIOReturnUnsupported;
    }
}

int32_t IOWorkLoop__addEventSource(IOWorkLoop *me, IOEventSource *source)
{
    return IOCommandGate_runCommand(me->controlG, (void *)ADD_SOURCE, source, NULL, NULL);
}

int32_t IOWorkLoop__removeEventSource(IOWorkLoop *me, IOEventSource *source)
{
    return IOCommandGate_runCommand(me->controlG, (void *)REMOVE_SOURCE, source, NULL, NULL);
}

static void for_each_source(const IOWorkLoop *me, void (*function)(IOEventSource *source))
{
    for (IOEventSource *source = me->eventChain; source; source = IOEventSource_getNext(source))
        function(source);
    for (IOEventSource *source = me->reserved->passive_chain; source;
         source = IOEventSource_getNext(source))
        function(source);
}

static void enable_source(IOEventSource *source)
{
    IOEventSource_enable(source);
}

static void disable_source(IOEventSource *source)
{
    IOEventSource_disable(source);
}

static void enable_interrupt(IOEventSource *source)
{
    if (object_cast(source, IOInterruptEventSource_metaClass))
        IOEventSource_enable(source);
}

static void disable_interrupt(IOEventSource *source)
{
    if (object_cast(source, IOInterruptEventSource_metaClass))
        IOEventSource_disable(source);
}

void IOWorkLoop__enableAllEventSources(IOWorkLoop *me)
{
    for_each_source(me, enable_source);
}

void IOWorkLoop__disableAllEventSources(IOWorkLoop *me)
{
    for_each_source(me, disable_source);
}

void IOWorkLoop__enableAllInterrupts(IOWorkLoop *me)
{
    for_each_source(me, enable_interrupt);
}

void IOWorkLoop__disableAllInterrupts(IOWorkLoop *me)
{
    for_each_source(me, disable_interrupt);
}
