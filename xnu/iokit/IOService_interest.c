/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages between services, and interests: call-backs for a service's messages without being
 * its client.
 *
 * An interest is an IONotifier. remove() from another thread waits for a handler that runs; from
 * inside the handler it does not. Source of the rules: xnu iokit/Kernel/IOService.cpp. */
#include "xnu/iokit/notifier.h"
#include "xnu/iokit/service.h"
#include "xnu/libkern/class.h"

typedef int32_t interest_handler(void *target, void *reference, uint32_t type, IOService *provider,
                                 void *argument, unsigned long size);

struct IOServiceInterest {
    IONotifier super;
    struct notifier notifier;
    interest_handler *handler;
    void *target, *reference;
    const OSSymbol *type;
    IOService *service; /* NULL when it has gone or the interest was removed */
    struct IOServiceInterest *next;
};

static void interest_remove(IONotifier *me);
static bool interest_disable(IONotifier *me);
static void interest_enable(IONotifier *me, bool was);

KERNEL_CLASS(17, IOServiceInterest, IONotifier, .remove = interest_remove,
             .disable = interest_disable, .enable = interest_enable)

/* service_private.interests is the head of this list; service_lock is held. */
static IOServiceInterest **list_of(IOService *service)
{
    return (IOServiceInterest **)&service_private(service)->interests;
}

static bool unlink_interest(IOServiceInterest *me)
{
    IOServiceInterest **link;

    if (!me->service)
        return false;
    link = list_of(me->service);
    while (*link && *link != me)
        link = &(*link)->next;
    if (*link)
        *link = me->next;
    me->service = NULL;
    return true;
}

static void interest_remove(IONotifier *notifier)
{
    IOServiceInterest *me = (IOServiceInterest *)notifier;

    kernel_lock_take(&service_lock);
    me->notifier.enabled = false;
    if (unlink_interest(me))
        object_release(me); /* the service's reference */
    notifier_wait(&me->notifier);
    kernel_lock_drop(&service_lock);
    object_release(me); /* the caller's */
}

static bool interest_disable(IONotifier *notifier)
{
    return notifier_set_enabled(&((IOServiceInterest *)notifier)->notifier, false);
}

static void interest_enable(IONotifier *notifier, bool was)
{
    notifier_set_enabled(&((IOServiceInterest *)notifier)->notifier, was);
}

static bool known_type(const OSSymbol *type)
{
    return type == gIOGeneralInterest || type == gIOBusyInterest ||
           type == gIOAppPowerStateInterest || type == gIOPriorityPowerStateInterest;
}

static void append(IOService *service, IOServiceInterest *interest)
{
    IOServiceInterest **link = list_of(service);

    while (*link)
        link = &(*link)->next;
    *link = interest;
}

/* +1, removed and released by its remove(). NULL: unknown type, inactive service, no memory. */
IONotifier *IOService__registerInterest(IOService *me, const OSSymbol *type,
                                        interest_handler *handler, void *target, void *reference)
{
    IOServiceInterest *interest;
    bool good;

    if (!known_type(type) || !handler)
        return NULL;
    interest = IOServiceInterest_alloc();
    if (!interest)
        return NULL;
    interest->notifier.enabled = true;
    interest->handler = handler;
    interest->target = target;
    interest->reference = reference;
    interest->type = type;
    kernel_lock_take(&service_lock);
    good = !service_inactive(me);
    if (good) {
        interest->service = me;
        object_retain(interest);
        append(me, interest);
    }
    kernel_lock_drop(&service_lock);
    if (!good)
        object_release_clear(&interest);
    else if (type == gIOBusyInterest)
        handler(target, reference, kIOMessageServiceBusyStateChange, me,
                (void *)(uintptr_t)IOService_getBusyState(me), 0);
    return (IONotifier *)interest;
}

void service_drop_interests(IOService *me)
{
    IOServiceInterest *interest;

    kernel_lock_take(&service_lock);
    while ((interest = *list_of(me))) {
        *list_of(me) = interest->next;
        interest->service = NULL;
        object_release(interest);
    }
    kernel_lock_drop(&service_lock);
}

void IOService_unregisterAllInterest(IOService *me)
{
    service_drop_interests(me);
}

/* ---- sending ---- */

static int32_t call_interest(IOServiceInterest *interest, uint32_t type, IOService *provider,
                             void *argument, unsigned long size)
{
    struct invocation invocation;
    int32_t result = kIOReturnSuccess;

    if (!notifier_enter(&interest->notifier, &invocation))
        return result;
    result = interest->handler(interest->target, interest->reference, type, provider, argument,
                               size);
    notifier_leave(&interest->notifier, &invocation);
    return result;
}

/* A client's message(), or an interest's handler. */
int32_t IOService__messageClient(IOService *me, uint32_t type, OSObject *client, void *argument,
                                 unsigned long size)
{
    IOService *service = object_cast(client, &IOService_gMetaClass);
    IOServiceInterest *interest;

    if (service)
        return IOService_message(service, type, me, argument);
    interest = object_cast(client, &IOServiceInterest_gMetaClass);
    return interest ? call_interest(interest, type, me, argument, size) : kIOReturnBadArgument;
}

/* The interests of a type at this moment, +1 each in an array; NULL if there are none. */
static OSArray *copy_interests(IOService *me, const OSSymbol *type)
{
    IOServiceInterest *interest;
    OSArray *copy = NULL;

    kernel_lock_take(&service_lock);
    for (interest = *list_of(me); interest; interest = interest->next) {
        if (interest->type != type)
            continue;
        if (!copy)
            copy = OSArray_withCapacity(1);
        if (copy)
            OSArray_setObject_metaclassbase(copy, (OSMetaClassBase *)interest);
    }
    kernel_lock_drop(&service_lock);
    return copy;
}

/* Clients first for the general interest, then the interests. */
void IOService__applyToInterested(IOService *me, const OSSymbol *type,
                                  void (*applier)(OSObject *, void *), void *context)
{
    OSArray *interests;
    unsigned i;

    if (type == gIOGeneralInterest)
        IOService_applyToClients(me, (void (*)(IOService *, void *))applier, context);
    interests = copy_interests(me, type);
    for (i = 0; interests && i < array_count(interests); i++)
        applier(array_at(interests, i), context);
    object_release(interests);
}

struct message {
    IOService *service;
    uint32_t type;
    void *argument;
    unsigned long size;
    int32_t result;
};

static void send_message(OSObject *client, void *context)
{
    struct message *message = context;
    int32_t result = IOService_messageClient(message->service, message->type, client,
                                             message->argument, message->size);

    if (result != kIOReturnSuccess)
        message->result = result;
}

/* Success, or the last other result. */
int32_t IOService__messageClients(IOService *me, uint32_t type, void *argument, unsigned long size)
{
    struct message message = {me, type, argument, size, kIOReturnSuccess};

    IOService_applyToInterested(me, gIOGeneralInterest, send_message, &message);
    return message.result;
}

void service_busy_changed(IOService *me, unsigned busy)
{
    struct message message = {me, kIOMessageServiceBusyStateChange, (void *)(uintptr_t)busy, 0,
                              kIOReturnSuccess};

    if (*list_of(me))
        IOService_applyToInterested(me, gIOBusyInterest, send_message, &message);
}

int32_t IOService__acknowledgeNotification(IOService *me, void *notification, uint32_t response)
{
    return kIOReturnUnsupported;
}
