/* SPDX-License-Identifier: BSD-3-Clause */
/* IOFilterInterruptEventSource.c - an interrupt source whose owner looks at each interrupt in
 * interrupt context first (xnu iokit/Kernel/IOFilterInterruptEventSource.cpp). */
#include "abi/IOFilterInterruptEventSource.h"
#include "abi/IOService.h"
#include "abi/IOWorkLoop.h"

#include "xnu/libkern/object.h"

typedef void interrupt_action(OSObject *, IOInterruptEventSource *, int32_t);
typedef bool interrupt_filter(OSObject *, IOFilterInterruptEventSource *);

/* The superclass's factory and initialiser make no sense here. */
IOInterruptEventSource *IOFilterInterruptEventSource_interruptEventSource(OSObject *owner,
                                                                          interrupt_action *action,
                                                                          IOService *provider,
                                                                          int32_t index)
{
    return NULL;
}

bool IOFilterInterruptEventSource__init_object_function_service_number(
    IOFilterInterruptEventSource *me, OSObject *owner, interrupt_action *action,
    IOService *provider, int32_t index)
{
    return false;
}

IOFilterInterruptEventSource *IOFilterInterruptEventSource_filterInterruptEventSource(
    OSObject *owner, interrupt_action *action, interrupt_filter *filter, IOService *provider,
    int32_t index)
{
    IOFilterInterruptEventSource *me = object_new(&IOFilterInterruptEventSource_gMetaClass);

    if (me && !IOFilterInterruptEventSource_init_object_function_function_service_number(
                  me, owner, action, filter, provider, index)) {
        object_release(me);
        return NULL;
    }
    return me;
}

bool IOFilterInterruptEventSource__init_object_function_function_service_number(
    IOFilterInterruptEventSource *me, OSObject *owner, interrupt_action *action,
    interrupt_filter *filter, IOService *provider, int32_t index)
{
    if (!filter)
        return false;
    me->filterAction = filter;               /* before the interrupt can come */
    return IOInterruptEventSource__init_object_function_service_number(
        (IOInterruptEventSource *)me, owner, action, provider, index);
}

void IOFilterInterruptEventSource__free(IOFilterInterruptEventSource *me)
{
    IOInterruptEventSource__free((IOInterruptEventSource *)me);
}

/* Also for filters that did the first part of the work and want the action to run. */
void IOFilterInterruptEventSource__signalInterrupt(IOFilterInterruptEventSource *me)
{
    IOInterruptEventSource__normalInterruptOccurred((IOInterruptEventSource *)me, NULL, NULL, 0);
}

void IOFilterInterruptEventSource__normalInterruptOccurred(IOFilterInterruptEventSource *me,
                                                           void *refcon, IOService *nub,
                                                           int32_t source)
{
    if (me->filterAction(me->owner, me))
        IOFilterInterruptEventSource_signalInterrupt(me);
}

/* The level interrupt is turned off only if the filter asks for the action. */
void IOFilterInterruptEventSource__disableInterruptOccurred(IOFilterInterruptEventSource *me,
                                                            void *refcon, IOService *nub,
                                                            int32_t source)
{
    if (!me->filterAction(me->owner, me))
        return;
    IOService_disableInterrupt(nub, source);
    IOFilterInterruptEventSource_signalInterrupt(me);
}

interrupt_filter *IOFilterInterruptEventSource__getFilterAction(IOFilterInterruptEventSource *me)
{
    return me->filterAction;
}
