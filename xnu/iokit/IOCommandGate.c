/* SPDX-License-Identifier: BSD-3-Clause */
/* IOCommandGate.c - runs an action with the work loop's gate closed
 * (xnu iokit/Kernel/IOCommandGate.cpp).
 *
 * `reserved` counts the actions inside, as in the kernel: a gate that is removed by one of its own
 * actions keeps its work loop until the last of them has returned. */
#include "abi/IOCommandGate.h"
#include "abi/IOWorkLoop.h"
#include "abi/kpi/threads.h"

#include "xnu/libkern/object.h"
#include "xnu/libkern/release.h"
#include "xnu/machine/panic.h"
#include "xnu/machine/threads.h"

enum {
    SLEEPERS_REMOVED = 1,
    SLEEPERS_WAIT_ENABLED = 2,
    ACTIONS_INCREMENT = 4,
    ACTIONS_MASK = ~3,
};

typedef int32_t gate_action(OSObject *, void *, void *, void *, void *);

static uintptr_t *sleepers(IOCommandGate *me)
{
    return (uintptr_t *)&me->reserved;
}

IOCommandGate *IOCommandGate_commandGate(OSObject *owner, gate_action *action)
{
    IOCommandGate *me = object_new(&IOCommandGate_gMetaClass);

    if (me && !IOCommandGate_init_commandgate(me, owner, action)) {
        object_release(me);
        return NULL;
    }
    return me;
}

bool IOCommandGate__init_commandgate(IOCommandGate *me, OSObject *owner, gate_action *action)
{
    return IOEventSource__init_object_function((IOEventSource *)me, owner,
                                               (void (*)(OSObject *, ...))action);
}

void IOCommandGate__free(IOCommandGate *me)
{
    if (me->workLoop)
        IOEventSource_setWorkLoop((IOEventSource *)me, NULL);
    IOEventSource__free((IOEventSource *)me);
}

bool IOCommandGate__checkForWork(IOCommandGate *me)
{
    return false;
}

void IOCommandGate__enable(IOCommandGate *me)
{
    if (!me->workLoop)
        return;
    IOWorkLoop_closeGate(me->workLoop);
    me->enabled = true;
    IOWorkLoop_wakeupGate(me->workLoop, &me->enabled, false);
    IOWorkLoop_openGate(me->workLoop);
}

void IOCommandGate__disable(IOCommandGate *me)
{
    IOEventSource__disable((IOEventSource *)me);
}

/* Removal: who waits for the gate to be enabled is sent away first. */
static void tear_down(IOCommandGate *me, IOWorkLoop *work_loop)
{
    uintptr_t *state = sleepers(me);

    IOWorkLoop_closeGate(work_loop);
    *state |= SLEEPERS_REMOVED;
    while (*state & SLEEPERS_WAIT_ENABLED) {
        machine_wakeup(&me->enabled, false);
        IOWorkLoop_sleepGate(work_loop, state, THREAD_UNINT);
    }
    if (!(*state & (uintptr_t)ACTIONS_MASK)) {
        IOEventSource__setWorkLoop((IOEventSource *)me, NULL);
        *state &= ~(uintptr_t)SLEEPERS_REMOVED;
    }
    IOWorkLoop_openGate(work_loop);
}

void IOCommandGate__setWorkLoop(IOCommandGate *me, IOWorkLoop *work_loop)
{
    if (!work_loop && me->workLoop)
        tear_down(me, me->workLoop);
    else
        IOEventSource__setWorkLoop((IOEventSource *)me, work_loop);
}

/* The loop that the gate belongs to. Without one, macOS before 10.11 used a NULL pointer. */
static IOWorkLoop *require_work_loop(const IOCommandGate *me)
{
    if (!me->workLoop && !release_behaviour()->gate_checks_work_loop)
        machine_panic("IOCommandGate %p is used without a work loop; "
                      "macOS before 10.11 crashes here", (const void *)me);
    return me->workLoop;
}

/* Called with the gate closed; false: the gate is being removed, or the sleep was interrupted. */
static bool wait_until_enabled(IOCommandGate *me, IOWorkLoop *work_loop)
{
    uintptr_t *state = sleepers(me);

    while (!me->enabled) {
        *state |= SLEEPERS_WAIT_ENABLED;
        int32_t result = IOWorkLoop_sleepGate(work_loop, &me->enabled, THREAD_ABORTSAFE);
        *state &= ~(uintptr_t)SLEEPERS_WAIT_ENABLED;
        bool removed = !me->workLoop || (*state & SLEEPERS_REMOVED);
        if (removed)
            IOWorkLoop_wakeupGate(work_loop, state, false);
        if (removed || result != THREAD_AWAKENED)
            return false;
    }
    return true;
}

static int32_t run_gated(IOCommandGate *me, gate_action *action, void *argument0, void *argument1,
                         void *argument2, void *argument3)
{
    uintptr_t *state = sleepers(me);

    *state += ACTIONS_INCREMENT;
    int32_t result = action(me->owner, argument0, argument1, argument2, argument3);
    *state -= ACTIONS_INCREMENT;
    if ((*state & ~(uintptr_t)SLEEPERS_WAIT_ENABLED) == SLEEPERS_REMOVED) {
        *state &= ~(uintptr_t)SLEEPERS_REMOVED;
        IOEventSource__setWorkLoop((IOEventSource *)me, NULL);
    }
    return result;
}

int32_t IOCommandGate__runCommand(IOCommandGate *me, void *argument0, void *argument1,
                                  void *argument2, void *argument3)
{
    return IOCommandGate_runAction(me, (gate_action *)me->action, argument0, argument1, argument2,
                                   argument3);
}

int32_t IOCommandGate__runAction(IOCommandGate *me, gate_action *action, void *argument0,
                                 void *argument1, void *argument2, void *argument3)
{
    if (!action)
        return kIOReturnBadArgument;
    IOWorkLoop *work_loop = require_work_loop(me);
    if (!work_loop)
        return kIOReturnNotReady;
    IOWorkLoop_closeGate(work_loop);
    if (!IOWorkLoop_onThread(work_loop) && !wait_until_enabled(me, work_loop)) {
        IOWorkLoop_openGate(work_loop);
        return kIOReturnAborted;
    }
    int32_t result = run_gated(me, action, argument0, argument1, argument2, argument3);
    IOWorkLoop_openGate(work_loop);
    return result;
}

int32_t IOCommandGate__attemptCommand(IOCommandGate *me, void *argument0, void *argument1,
                                      void *argument2, void *argument3)
{
    return IOCommandGate_attemptAction(me, (gate_action *)me->action, argument0, argument1,
                                       argument2, argument3);
}

int32_t IOCommandGate__attemptAction(IOCommandGate *me, gate_action *action, void *argument0,
                                     void *argument1, void *argument2, void *argument3)
{
    int32_t result = kIOReturnNotPermitted;

    if (!action)
        return kIOReturnBadArgument;
    IOWorkLoop *work_loop = require_work_loop(me);
    if (!work_loop)
        return kIOReturnNotReady;
    if (!IOWorkLoop_tryCloseGate(work_loop))
        return kIOReturnCannotLock;
    if (me->enabled)
        result = run_gated(me, action, argument0, argument1, argument2, argument3);
    IOWorkLoop_openGate(work_loop);
    return result;
}

static void require_gate(const IOCommandGate *me)
{
    if (!me->workLoop || !IOWorkLoop_inGate(me->workLoop))
        machine_panic("IOCommandGate %p: commandSleep outside the gate", (const void *)me);
}

int32_t IOCommandGate__commandSleep(IOCommandGate *me, void *event, uint32_t interruptible)
{
    require_gate(me);
    return IOWorkLoop_sleepGate(me->workLoop, event, interruptible);
}

int32_t IOCommandGate__commandSleep_number(IOCommandGate *me, void *event, uint64_t deadline,
                                           uint32_t interruptible)
{
    require_gate(me);
    return IOWorkLoop_sleepGate_number(me->workLoop, event, deadline, interruptible);
}

/* Needs no gate. */
void IOCommandGate__commandWakeup(IOCommandGate *me, void *event, bool one_thread)
{
    if (me->workLoop)
        IOWorkLoop_wakeupGate(me->workLoop, event, one_thread);
}
