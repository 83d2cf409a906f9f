/* SPDX-License-Identifier: BSD-3-Clause */
/* States, busy counts and the arbitration lock of a service; open and close, which it protects.
 * Source of the rules: xnu iokit/Kernel/IOService.cpp. */
#include "xnu/iokit/service.h"

enum { NANOSECONDS = 1000000000 };

struct kernel_lock service_lock = KERNEL_LOCK("services");

uint32_t IOService__getState(IOService *me)
{
    return me->__state[0];
}

bool IOService_isInactive(IOService *me)
{
    return service_inactive(me);
}

/* ---- busy ---- */

void service_adjust_busy(IOService *me, int delta)
{
    struct service_private *private;
    unsigned before, after;

    kernel_lock_take(&service_lock);
    for (; me; me = IOService_getProvider(me)) {
        private = service_private(me);
        before = private->busy;
        if (delta < 0 && before == 0)
            machine_panic("%s: busy count below 0", IORegistryEntry_getName(entry_of(me), NULL));
        after = before + (unsigned)delta;
        private->busy = after;
        me->__state[1] = after;
        if ((before == 0) == (after == 0))
            break;
        if (after == 0)
            machine_wakeup(&private->busy, false);
        service_busy_changed(me, after);
        delta = after ? 1 : -1;
    }
    kernel_lock_drop(&service_lock);
}

void IOService__adjustBusy(IOService *me, int32_t delta)
{
    service_adjust_busy(me, delta);
}

uint32_t IOService__getBusyState(IOService *me)
{
    return service_private(me)->busy;
}

/* timeout: nanoseconds, UINT64_MAX = for ever. */
int32_t IOService_waitQuiet_number(IOService *me, uint64_t timeout)
{
    uint64_t now = machine_uptime();
    uint64_t deadline = timeout > MACHINE_NEVER - now ? MACHINE_NEVER : now + timeout;
    int32_t result = kIOReturnSuccess;

    kernel_lock_take(&service_lock);
    while (service_private(me)->busy > 0) {
        if (kernel_lock_sleep(&service_lock, &service_private(me)->busy, deadline) ==
                MACHINE_TIMED_OUT &&
            service_private(me)->busy > 0) {
            result = kIOReturnTimeout;
            break;
        }
    }
    kernel_lock_drop(&service_lock);
    return result;
}

int32_t IOService_waitQuiet_mach_timespec(IOService *me, struct mach_timespec *timeout)
{
    uint64_t nanoseconds = UINT64_MAX;

    if (timeout)
        nanoseconds = (uint64_t)timeout->tv_sec * NANOSECONDS + (uint64_t)timeout->tv_nsec;
    return IOService_waitQuiet_number(me, nanoseconds);
}

/* ---- arbitration: one thread at a time decides who has a service open ---- */

bool IOService__lockForArbitration(IOService *me, bool must)
{
    struct service_private *private = service_private(me);
    struct machine_thread *self = machine_thread_self();

    kernel_lock_take(&service_lock);
    while (private->arbiter && private->arbiter != self)
        kernel_lock_sleep(&service_lock, &private->arbiter, MACHINE_NEVER);
    private->arbiter = self;
    private->arbiter_depth++;
    kernel_lock_drop(&service_lock);
    return true;
}

void IOService__unlockForArbitration(IOService *me)
{
    struct service_private *private = service_private(me);

    kernel_lock_take(&service_lock);
    if (private->arbiter_depth > 0 && --private->arbiter_depth == 0) {
        private->arbiter = NULL;
        machine_wakeup(&private->arbiter, true);
    }
    kernel_lock_drop(&service_lock);
}

/* ---- open and close ---- */

struct open_message {
    IOService *service;
    IOService *without; /* the client that opens or closes */
    uint32_t type, options;
};

static void send_open_message(OSObject *interested, void *context)
{
    struct open_message *message = context;

    if (interested != (OSObject *)message->without)
        IOService_messageClient(message->service, message->type, interested,
                                (void *)(uintptr_t)message->options, 0);
}

/* To those with an interest in the service, not to its clients. */
static void tell_interested(IOService *me, IOService *client, uint32_t type, uint32_t options)
{
    struct open_message message = {me, client, type, options};

    IOService_applyToInterested(me, gIOGeneralInterest, send_open_message, &message);
}

bool IOService__open(IOService *me, IOService *client, uint32_t options, void *argument)
{
    bool good;

    tell_interested(me, client, kIOMessageServiceIsAttemptingOpen, options);
    if (!IOService_lockForArbitration(me, false))
        return false;
    good = !service_inactive(me) && IOService_handleOpen(me, client, options, argument);
    IOService_unlockForArbitration(me);
    return good;
}

void IOService__close(IOService *me, IOService *client, uint32_t options)
{
    bool was_open, last = false;

    if (!IOService_lockForArbitration(me, true))
        return;
    was_open = IOService_handleIsOpen(me, client);
    if (was_open) {
        IOService_handleClose(me, client, options);
        last = service_private(me)->flags & SERVICE_PHASE3;
    }
    IOService_unlockForArbitration(me);
    if (last)
        service_schedule_stop(client, me); /* the termination has waited for this */
    else if (was_open)
        tell_interested(me, client, kIOMessageServiceWasClosed, options);
}

bool IOService__isOpen(IOService *me, const IOService *client)
{
    bool result;

    if (!IOService_lockForArbitration(me, true))
        return false;
    result = IOService_handleIsOpen(me, client);
    IOService_unlockForArbitration(me);
    return result;
}

/* One owner; with kIOServiceSeize the present one is asked to close. */
bool IOService__handleOpen(IOService *me, IOService *client, uint32_t options, void *argument)
{
    if (!me->__owner) {
        me->__owner = client;
        return true;
    }
    if (!(options & kIOServiceSeize))
        return false;
    if (IOService_messageClient(me, kIOMessageServiceIsRequestingClose, (OSObject *)me->__owner,
                                (void *)(uintptr_t)options, 0) != kIOReturnSuccess ||
        me->__owner)
        return false;
    me->__owner = client;
    return true;
}

void IOService__handleClose(IOService *me, IOService *client, uint32_t options)
{
    if (me->__owner == client)
        me->__owner = NULL;
}

/* client NULL: anybody? */
bool IOService__handleIsOpen(IOService *me, const IOService *client)
{
    return client ? me->__owner == client : me->__owner != NULL;
}
