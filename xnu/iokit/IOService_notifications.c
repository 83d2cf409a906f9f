/* SPDX-License-Identifier: BSD-3-Clause */
/* Notifications about services that fit a dictionary, and waiting for such a service.
 *
 * Handlers are called without a lock: for those that exist already on the thread that installs the
 * notification, later ones on the thread that changes the state.
 * Source of the rules: xnu iokit/Kernel/IOService.cpp. */
#include "xnu/iokit/notifier.h"
#include "xnu/iokit/service.h"
#include "xnu/libkern/class.h"
#include "xnu/libkern/release.h"

enum { NANOSECONDS = 1000000000, LIST_ROOM = 4, TYPE_COUNT = 6, WAIT_PRIORITY = 1000 };

typedef bool matching_handler(void *target, void *reference, IOService *service,
                              IONotifier *notifier);
typedef bool old_handler(void *target, void *reference, IOService *service);

struct IOServiceNotifier {
    IONotifier super;
    struct notifier notifier;
    matching_handler *handler;
    old_handler *old_handler; /* of addNotification; instead of `handler` */
    void *target, *reference;
    OSDictionary *matching;
    int32_t priority;
    unsigned type; /* index of its list */
    bool listed;
};

static void service_notifier_remove(IONotifier *notifier);
static bool service_notifier_disable(IONotifier *notifier);
static void service_notifier_enable(IONotifier *notifier, bool was);
static void service_notifier_free(OSObject *notifier);

KERNEL_CLASS(17, IOServiceNotifier, IONotifier, .free = service_notifier_free,
             .remove = service_notifier_remove, .disable = service_notifier_disable,
             .enable = service_notifier_enable)

static OSOrderedSet *lists[TYPE_COUNT]; /* by type, highest priority first; service_lock */

/* ---- the notifier ---- */

static void service_notifier_free(OSObject *object)
{
    IOServiceNotifier *me = (IOServiceNotifier *)object;

    object_release(me->matching);
    OSObject_super_free(object);
}

static void service_notifier_remove(IONotifier *notifier)
{
    IOServiceNotifier *me = (IOServiceNotifier *)notifier;

    kernel_lock_take(&service_lock);
    me->notifier.enabled = false;
    if (me->listed) {
        me->listed = false;
        OSOrderedSet_removeObject(lists[me->type], (OSMetaClassBase *)me);
    }
    notifier_wait(&me->notifier);
    kernel_lock_drop(&service_lock);
    object_release(me); /* the caller's */
}

static bool service_notifier_disable(IONotifier *notifier)
{
    return notifier_set_enabled(&((IOServiceNotifier *)notifier)->notifier, false);
}

static void service_notifier_enable(IONotifier *notifier, bool was)
{
    notifier_set_enabled(&((IOServiceNotifier *)notifier)->notifier, was);
}

static void call(IOServiceNotifier *notifier, IOService *service)
{
    struct invocation invocation;

    if (!notifier_enter(&notifier->notifier, &invocation))
        return;
    if (notifier->old_handler)
        notifier->old_handler(notifier->target, notifier->reference, service);
    else
        notifier->handler(notifier->target, notifier->reference, service,
                          (IONotifier *)notifier);
    notifier_leave(&notifier->notifier, &invocation);
}

/* ---- types ---- */

/* The list of a type, TYPE_COUNT if it is unknown; *state: the bit of services that exist
 * already. */
static unsigned type_index(const OSSymbol *type, uint32_t *state)
{
    const OSSymbol *const types[TYPE_COUNT] = {
        gIOPublishNotification, gIOFirstPublishNotification, gIOMatchedNotification,
        gIOFirstMatchNotification, gIOTerminatedNotification, gIOWillTerminateNotification};
    static const uint32_t states[TYPE_COUNT] = {
        kIOServiceRegisteredState, kIOServiceFirstPublishState, kIOServiceMatchedState,
        kIOServiceFirstMatchState, 0, 0};
    unsigned i;

    for (i = 0; i < TYPE_COUNT; i++) {
        if (types[i] == type) {
            *state = states[i];
            return i;
        }
    }
    return TYPE_COUNT;
}

static int32_t compare_priority(const OSMetaClassBase *left, const OSMetaClassBase *right,
                                void *unused)
{
    int32_t a = left ? ((const IOServiceNotifier *)left)->priority : 0;
    int32_t b = right ? ((const IOServiceNotifier *)right)->priority : 0;

    return (int32_t)((uint32_t)a - (uint32_t)b);
}

/* ---- delivering ---- */

/* The notifiers of a type, +1 each; service_lock is held. */
static OSArray *copy_list(unsigned type)
{
    OSArray *copy = OSArray_withCapacity(LIST_ROOM);
    unsigned i, count = lists[type] ? OSCollection_getCount((OSCollection *)lists[type]) : 0;

    for (i = 0; copy && i < count; i++)
        OSArray_setObject_metaclassbase(copy,
                                        (OSMetaClassBase *)OSOrderedSet_getObject(lists[type], i));
    return copy;
}

void service_deliver(IOService *me, const OSSymbol *type, uint32_t set, uint32_t keep)
{
    OSArray *notifiers = NULL;
    uint32_t unused;
    unsigned i, index = type_index(type, &unused);

    kernel_lock_take(&service_lock);
    if (!service_inactive(me) || type == gIOTerminatedNotification ||
        type == gIOWillTerminateNotification) {
        notifiers = copy_list(index);
        me->__state[0] = (me->__state[0] | set) & keep;
    }
    kernel_lock_drop(&service_lock);
    for (i = 0; notifiers && i < array_count(notifiers); i++) {
        IOServiceNotifier *notifier = array_at(notifiers, i);

        if (service_matches(me, notifier->matching, false))
            call(notifier, me);
    }
    object_release(notifiers);
}

void IOService_deliverNotification(IOService *me, const OSSymbol *type, uint32_t set, uint32_t keep)
{
    service_deliver(me, type, set, keep);
}

/* ---- what exists ---- */

static bool fits(IOService *service, OSDictionary *matching, uint32_t state)
{
    return (service->__state[0] & state) == state && !service_inactive(service) &&
           service_matches(service, matching, false);
}

/* Services in the state that fit: an array, +1; with `once` the first service alone, +1. */
static void *copy_existing(OSDictionary *matching, uint32_t state, bool once)
{
    IORegistryIterator *iterator =
        IORegistryIterator_iterateOver_plane(gIOServicePlane, kIORegistryIterateRecursively);
    OSOrderedSet *all = iterator ? IORegistryIterator_iterateAll(iterator) : NULL;
    OSArray *found = once ? NULL : OSArray_withCapacity(LIST_ROOM);
    IOService *service = NULL;
    unsigned i;

    object_release(iterator);
    for (i = 0; all && i < OSCollection_getCount((OSCollection *)all); i++) {
        IOService *candidate =
            object_cast(OSOrderedSet_getObject(all, i), &IOService_gMetaClass);

        if (!candidate || !fits(candidate, matching, state))
            continue;
        if (once) {
            service = candidate;
            object_retain(service);
            break;
        }
        if (found)
            OSArray_setObject_metaclassbase(found, (OSMetaClassBase *)candidate);
    }
    object_release(all);
    return once ? (void *)service : (void *)found;
}

/* Registered services that fit, in an iterator, +1. */
OSIterator *IOService_getMatchingServices(OSDictionary *matching)
{
    OSArray *found = matching ? copy_existing(matching, kIOServiceRegisteredState, false) : NULL;
    OSCollectionIterator *iterator =
        found ? OSCollectionIterator_withCollection((OSCollection *)found) : NULL;

    object_release(found);
    return (OSIterator *)iterator;
}

IOService *IOService_copyMatchingService(OSDictionary *matching)
{
    return matching ? copy_existing(matching, kIOServiceRegisteredState, true) : NULL;
}

/* ---- installing ---- */

static IOServiceNotifier *make_notifier(OSDictionary *matching, matching_handler *handler,
                                        old_handler *old, void *target, void *reference,
                                        int32_t priority)
{
    IOServiceNotifier *notifier = IOServiceNotifier_alloc();

    if (!notifier)
        return NULL;
    object_retain(matching);
    notifier->matching = matching;
    notifier->handler = handler;
    notifier->old_handler = old;
    notifier->target = target;
    notifier->reference = reference;
    notifier->priority = priority;
    notifier->notifier.enabled = true;
    return notifier;
}

static bool list_notifier(IOServiceNotifier *notifier, unsigned type)
{
    kernel_lock_take(&service_lock);
    if (!lists[type])
        lists[type] = OSOrderedSet_withCapacity(LIST_ROOM, compare_priority, NULL);
    notifier->type = type;
    notifier->listed =
        lists[type] &&
        OSOrderedSet_setObject_metaclassbase(lists[type], (OSMetaClassBase *)notifier);
    kernel_lock_drop(&service_lock);
    return notifier->listed;
}

/* Lists the notifier (its one reference is the caller's) and calls it for what exists. */
static IONotifier *install(IOServiceNotifier *notifier, const OSSymbol *type)
{
    OSArray *existing;
    uint32_t state;
    unsigned i, index = type_index(type, &state);

    if (!notifier)
        return NULL;
    if (index == TYPE_COUNT || !list_notifier(notifier, index)) {
        object_release(notifier);
        return NULL;
    }
    existing = state ? copy_existing(notifier->matching, state, false) : NULL;
    for (i = 0; existing && i < array_count(existing); i++)
        call(notifier, array_at(existing, i));
    object_release(existing);
    return (IONotifier *)notifier;
}

IONotifier *IOService_addMatchingNotification(const OSSymbol *type, OSDictionary *matching,
                                              matching_handler *handler, void *target,
                                              void *reference, int32_t priority)
{
    if (!matching || !handler)
        return NULL;
    return install(make_notifier(matching, handler, NULL, target, reference, priority), type);
}

/* The old form: consumes the dictionary. */
IONotifier *IOService_addNotification(const OSSymbol *type, OSDictionary *matching,
                                      old_handler *handler, void *target, void *reference,
                                      int32_t priority)
{
    IONotifier *notifier = NULL;

    if (matching && handler)
        notifier = install(make_notifier(matching, NULL, handler, target, reference, priority),
                           type);
    object_release(matching);
    return notifier;
}

/* ---- waiting ---- */

struct waiting {
    IOService *service; /* +1 */
};

static bool service_came(void *target, void *reference, IOService *service, IONotifier *notifier)
{
    struct waiting *waiting = target;

    kernel_lock_take(&service_lock);
    if (!waiting->service) {
        object_retain(service);
        waiting->service = service;
        machine_wakeup(waiting, false);
    }
    kernel_lock_drop(&service_lock);
    return false;
}

/* A matched service that fits, +1; timeout in nanoseconds, 0 = only look, UINT64_MAX = for ever. */
IOService *IOService_waitForMatchingService(OSDictionary *matching, uint64_t timeout)
{
    uint64_t now = machine_uptime();
    uint64_t deadline = timeout > MACHINE_NEVER - now ? MACHINE_NEVER : now + timeout;
    struct waiting waiting = {NULL};
    IONotifier *notifier;

    if (!matching)
        return NULL;
    waiting.service = copy_existing(matching, kIOServiceMatchedState, true);
    if (waiting.service || timeout == 0)
        return waiting.service;
    notifier = IOService_addMatchingNotification(gIOMatchedNotification, matching, service_came,
                                                 &waiting, NULL, WAIT_PRIORITY);
    if (!notifier)
        return NULL;
    kernel_lock_take(&service_lock);
    while (!waiting.service &&
           kernel_lock_sleep(&service_lock, &waiting, deadline) != MACHINE_TIMED_OUT)
        ;
    kernel_lock_drop(&service_lock);
    IONotifier_remove(notifier);
    return waiting.service;
}

/* The old form: consumes the dictionary, NULL timeout = for ever, the result is borrowed. */
IOService *IOService_waitForService(OSDictionary *matching, struct mach_timespec *timeout)
{
    uint64_t nanoseconds = UINT64_MAX;
    IOService *service;

    if (timeout)
        nanoseconds = (uint64_t)timeout->tv_sec * NANOSECONDS + (uint64_t)timeout->tv_nsec;
    service = IOService_waitForMatchingService(matching, nanoseconds);
    object_release(matching);
    object_release(service);
    return service;
}
