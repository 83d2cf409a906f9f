/* SPDX-License-Identifier: BSD-3-Clause */
/* IOEventSource.c - base class of what a work loop serves (xnu iokit/Kernel/IOEventSource.cpp). */
#include "abi/IOEventSource.h"
#include "abi/IOWorkLoop.h"

#include "xnu/libkern/object.h"
#include "xnu/machine/memory.h"

struct IOEventSource_ExpansionData {
    uint64_t unused;
};

bool IOEventSource__init_object_function(IOEventSource *me, OSObject *owner,
                                         void (*action)(OSObject *, ...))
{
    if (!owner)
        return false;
    if (!OSObject__init((OSObject *)me))
        return false;
    me->owner = owner;                       /* not retained: the owner removes the source first */
    IOEventSource_setAction(me, action);
    me->enabled = true;
    return true;
}

void IOEventSource__free(IOEventSource *me)
{
    OSObject__free((OSObject *)me);
}

bool IOEventSource__checkForWork(IOEventSource *me)
{
    return false;
}

void IOEventSource__setWorkLoop(IOEventSource *me, IOWorkLoop *work_loop)
{
    if (!work_loop)
        IOEventSource_disable(me);
    me->workLoop = work_loop;
}

void IOEventSource__setNext(IOEventSource *me, IOEventSource *next)
{
    me->eventChainNext = next;
}

IOEventSource *IOEventSource__getNext(IOEventSource *me)
{
    return me->eventChainNext;
}

void IOEventSource__setAction(IOEventSource *me, void (*action)(OSObject *, ...))
{
    me->action = action;
}

void (*IOEventSource__getAction(IOEventSource *me))(OSObject *, ...)
{
    return me->action;
}

void IOEventSource_setRefcon(IOEventSource *me, void *refcon)
{
    me->refcon = refcon;
}

void *IOEventSource_getRefcon(IOEventSource *me)
{
    return me->refcon;
}

void IOEventSource__enable(IOEventSource *me)
{
    me->enabled = true;
    if (me->workLoop)
        IOEventSource_signalWorkAvailable(me);
}

void IOEventSource__disable(IOEventSource *me)
{
    me->enabled = false;
}

bool IOEventSource__isEnabled(IOEventSource *me)
{
    return me->enabled;
}

IOWorkLoop *IOEventSource__getWorkLoop(IOEventSource *me)
{
    return me->workLoop;
}

bool IOEventSource__onThread(IOEventSource *me)
{
    return me->workLoop && IOWorkLoop_onThread(me->workLoop);
}

/* ---- the loop's functions, for subclasses ---------------------------------------------------- */

void IOEventSource_signalWorkAvailable(IOEventSource *me)
{
    IOWorkLoop_signalWorkAvailable(me->workLoop);
}

void IOEventSource_openGate(IOEventSource *me)
{
    IOWorkLoop_openGate(me->workLoop);
}

void IOEventSource_closeGate(IOEventSource *me)
{
    IOWorkLoop_closeGate(me->workLoop);
}

bool IOEventSource_tryCloseGate(IOEventSource *me)
{
    return IOWorkLoop_tryCloseGate(me->workLoop);
}

int32_t IOEventSource_sleepGate(IOEventSource *me, void *event, uint32_t interruptible)
{
    return IOWorkLoop_sleepGate(me->workLoop, event, interruptible);
}

int32_t IOEventSource_sleepGate_number(IOEventSource *me, void *event, uint64_t deadline,
                                       uint32_t interruptible)
{
    return IOWorkLoop_sleepGate_number(me->workLoop, event, deadline, interruptible);
}

void IOEventSource_wakeupGate(IOEventSource *me, void *event, bool one_thread)
{
    IOWorkLoop_wakeupGate(me->workLoop, event, one_thread);
}
