/* SPDX-License-Identifier: BSD-3-Clause */
/* IOInterruptEventSource.c - interrupts, of a provider or raised by software, as work of a work
 * loop (xnu iokit/Kernel/IOInterruptEventSource.cpp).
 *
 * The producer (interrupt context) and the consumer (work loop) each have a counter; the difference
 * is the number of interrupts since the last action. An interrupt index is kept inverted while no
 * handler is registered. */
#include "abi/IOInterruptEventSource.h"
#include "abi/IOService.h"
#include "abi/IOWorkLoop.h"

#include "xnu/libkern/object.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/memory.h"

struct IOInterruptEventSource_ExpansionData {
    bool timestamps;
    uint64_t timestamp;
};

typedef void interrupt_action(OSObject *, IOInterruptEventSource *, int32_t);

IOInterruptEventSource *IOInterruptEventSource_interruptEventSource(OSObject *owner,
                                                                    interrupt_action *action,
                                                                    IOService *provider,
                                                                    int32_t index)
{
    IOInterruptEventSource *me = object_new(&IOInterruptEventSource_gMetaClass);

    if (me && !IOInterruptEventSource_init_object_function_service_number(me, owner, action,
                                                                          provider, index)) {
        object_release(me);
        return NULL;
    }
    return me;
}

bool IOInterruptEventSource__init_object_function_service_number(IOInterruptEventSource *me,
                                                                 OSObject *owner,
                                                                 interrupt_action *action,
                                                                 IOService *provider, int32_t index)
{
    if (!IOEventSource__init_object_function((IOEventSource *)me, owner,
                                             (void (*)(OSObject *, ...))action))
        return false;
    if (!me->reserved)
        me->reserved = machine_allocate_zeroed(sizeof *me->reserved, 0);
    if (!me->reserved)
        return false;
    me->provider = provider;
    me->producerCount = me->consumerCount = 0;
    me->autoDisable = me->explicitDisable = false;
    me->intIndex = ~index;
    if (!provider)
        return true;
    if (IOInterruptEventSource_registerInterruptHandler(me, provider, index) != kIOReturnSuccess)
        return false;
    me->intIndex = index;
    return true;
}

void IOInterruptEventSource__free(IOInterruptEventSource *me)
{
    if (me->provider && me->intIndex >= 0)
        IOInterruptEventSource_unregisterInterruptHandler(me, me->provider, me->intIndex);
    machine_release(me->reserved, sizeof *me->reserved);
    IOEventSource__free((IOEventSource *)me);
}

/* ---- the primary handlers ------------------------------------------------------------------- */

static void normal_handler(OSObject *target, void *refcon, IOService *nub, int source)
{
    IOInterruptEventSource_normalInterruptOccurred((IOInterruptEventSource *)target, refcon, nub,
                                                   source);
}

static void disabling_handler(OSObject *target, void *refcon, IOService *nub, int source)
{
    IOInterruptEventSource_disableInterruptOccurred((IOInterruptEventSource *)target, refcon, nub,
                                                    source);
}

/* A level interrupt stays asserted until the action has served the device, so it is turned off
 * meanwhile. */
int32_t IOInterruptEventSource_registerInterruptHandler(IOInterruptEventSource *me,
                                                        IOService *provider, int32_t index)
{
    int32_t type;
    int32_t result = IOService_getInterruptType(provider, index, &type);

    if (result != kIOReturnSuccess)
        return result;
    me->autoDisable = type == kIOInterruptTypeLevel;
    return IOService_registerInterrupt(provider, index, (OSObject *)me,
                                       me->autoDisable ? disabling_handler : normal_handler, NULL);
}

void IOInterruptEventSource_unregisterInterruptHandler(IOInterruptEventSource *me,
                                                       IOService *provider, int32_t index)
{
    IOService_unregisterInterrupt(provider, index);
}

void IOInterruptEventSource__normalInterruptOccurred(IOInterruptEventSource *me, void *refcon,
                                                     IOService *nub, int32_t source)
{
    if (me->reserved->timestamps && !me->reserved->timestamp)
        me->reserved->timestamp = machine_uptime();
    __atomic_fetch_add(&me->producerCount, 1, __ATOMIC_RELEASE);
    if (me->workLoop)
        IOEventSource_signalWorkAvailable((IOEventSource *)me);
}

void IOInterruptEventSource__disableInterruptOccurred(IOInterruptEventSource *me, void *refcon,
                                                      IOService *nub, int32_t source)
{
    IOService_disableInterrupt(nub, source);
    IOInterruptEventSource__normalInterruptOccurred(me, refcon, nub, source);
}

/* Software's way to signal the source; legal in interrupt context. */
void IOInterruptEventSource__interruptOccurred(IOInterruptEventSource *me, void *refcon,
                                               IOService *nub, int32_t source)
{
    if (me->autoDisable && nub)
        IOInterruptEventSource_disableInterruptOccurred(me, refcon, nub, source);
    else
        IOInterruptEventSource_normalInterruptOccurred(me, refcon, nub, source);
}

/* ---- the work loop's side ------------------------------------------------------------------- */

bool IOInterruptEventSource__checkForWork(IOInterruptEventSource *me)
{
    uint32_t produced = __atomic_load_n(&me->producerCount, __ATOMIC_ACQUIRE);
    int32_t count = (int32_t)(produced - me->consumerCount);
    interrupt_action *action = (interrupt_action *)me->action;

    if (count == 0)
        return false;
    me->consumerCount = produced;
    if (action)
        action(me->owner, me, count < 0 ? -count : count);
    if (me->autoDisable && !me->explicitDisable && me->provider && me->intIndex >= 0)
        IOService_enableInterrupt(me->provider, me->intIndex);
    return true;
}

void IOInterruptEventSource__setWorkLoop(IOInterruptEventSource *me, IOWorkLoop *work_loop)
{
    if (work_loop)
        IOEventSource__setWorkLoop((IOEventSource *)me, work_loop);
    if (me->provider && !work_loop && me->intIndex >= 0) {
        IOService_disableInterrupt(me->provider, me->intIndex);
        IOInterruptEventSource_unregisterInterruptHandler(me, me->provider, me->intIndex);
        me->intIndex = ~me->intIndex;
    } else if (me->provider && work_loop && me->intIndex < 0) {
        if (IOInterruptEventSource_registerInterruptHandler(me, me->provider, ~me->intIndex) ==
            kIOReturnSuccess)
            me->intIndex = ~me->intIndex;
    }
    if (!work_loop)
        IOEventSource__setWorkLoop((IOEventSource *)me, NULL);
}

void IOInterruptEventSource__enable(IOInterruptEventSource *me)
{
    if (!me->provider || me->intIndex < 0)
        return;
    IOService_enableInterrupt(me->provider, me->intIndex);
    me->explicitDisable = false;
    me->enabled = true;
}

void IOInterruptEventSource__disable(IOInterruptEventSource *me)
{
    if (!me->provider || me->intIndex < 0)
        return;
    IOService_disableInterrupt(me->provider, me->intIndex);
    me->explicitDisable = true;
    me->enabled = false;
}

const IOService *IOInterruptEventSource__getProvider(IOInterruptEventSource *me)
{
    return me->provider;
}

int32_t IOInterruptEventSource__getIntIndex(IOInterruptEventSource *me)
{
    return me->intIndex;
}

bool IOInterruptEventSource__getAutoDisable(IOInterruptEventSource *me)
{
    return me->autoDisable;
}

int32_t IOInterruptEventSource_warmCPU(IOInterruptEventSource *me, uint64_t deadline)
{
    return kIOReturnUnsupported;             /* no processor here sleeps so deeply */
}

void IOInterruptEventSource_enablePrimaryInterruptTimestamp(IOInterruptEventSource *me, bool enable)
{
    me->reserved->timestamps = enable;
}

uint64_t IOInterruptEventSource_getPrimaryInterruptTimestamp(IOInterruptEventSource *me)
{
    uint64_t timestamp = me->reserved->timestamp;

    me->reserved->timestamp = 0;
    return timestamp;
}

uint64_t IOInterruptEventSource_getPimaryInterruptTimestamp(IOInterruptEventSource *me)
{
    return IOInterruptEventSource_getPrimaryInterruptTimestamp(me);
}
