/* SPDX-License-Identifier: BSD-3-Clause */
/* Registration and matching: from registerService to the started driver.
 *
 * A matching pass tells those who wait for the service, asks the catalogue, probes every
 * personality that fits, best score first, and starts in each match category the best driver
 * that will. A registration that comes meanwhile, or a change of the catalogue, makes another
 * pass. Source of the rules: xnu iokit/Kernel/IOService.cpp: doServiceMatch, probeCandidates,
 * startCandidate. */
#include "abi/IOPlatformExpert.h"
#include "abi/kpi/libkern.h"

#include "xnu/iokit/catalogue.h"
#include "xnu/iokit/configuration_threads.h"
#include "xnu/iokit/kext_request.h"
#include "xnu/iokit/resources.h"
#include "xnu/iokit/panic_actions.h"
#include "xnu/iokit/service.h"

enum { CATEGORY_ROOM = 1, SCORE_BITS = 32 };

/* ---- registration ---- */

static bool is_rooted(const IOService *me)
{
    const IOService *root = IOService_getServiceRoot();
    IORegistryEntry *entry = entry_of(me);

    while (entry && entry != entry_of(root))
        entry = IORegistryEntry_getParentEntry(entry, gIOServicePlane);
    return entry != NULL;
}

static bool runs_synchronously(IOService *me, uint32_t options)
{
    IOService *provider = IOService_getProvider(me);

    if (options & kIOServiceAsynchronous)
        return false;
    return (options & kIOServiceSynchronous) ||
           (provider && service_private(provider)->flags & SERVICE_SYNCHRONOUS);
}

/* Waits until what this registration caused is over, matching again if asked to meanwhile. */
static void match_here(IOService *me, uint32_t options, unsigned busy_before)
{
    struct service_private *private = service_private(me);

    service_match(me, options);
    kernel_lock_take(&service_lock);
    while (private->busy > busy_before && !service_inactive(me))
        kernel_lock_sleep(&service_lock, &private->busy, MACHINE_NEVER);
    kernel_lock_drop(&service_lock);
}

void IOService_startMatching(IOService *me, uint32_t options)
{
    struct service_private *private = service_private(me);
    unsigned busy_before;
    bool begin, sync;

    kernel_lock_take(&service_lock);
    sync = runs_synchronously(me, options);
    begin = !(private->flags & (SERVICE_NEEDS_CONFIGURATION | SERVICE_CONFIGURING)) &&
            !service_inactive(me);
    private->flags |= SERVICE_NEEDS_CONFIGURATION;
    if (sync)
        private->flags |= SERVICE_SYNCHRONOUS;
    else
        private->flags &= ~(unsigned)SERVICE_SYNCHRONOUS;
    busy_before = private->busy;
    if (begin)
        service_adjust_busy(me, 1);
    kernel_lock_drop(&service_lock);
    if (!begin)
        return; /* the thread that matches it makes another pass */
    if (sync)
        match_here(me, options, busy_before);
    else if (!configuration_queue(me, options, me == IOService_getResourceService()))
        match_here(me, options, busy_before);
}

void IOService__registerService(IOService *me, uint32_t options)
{
    IOPlatformExpert *platform = IOService_getPlatform();

    if (!is_rooted(me)) {
        machine_log("%s: not registry member at registerService()",
                    IORegistryEntry_getName(entry_of(me), NULL));
        return;
    }
    if (platform && !IOPlatformExpert_platformAdjustService(platform, me))
        return;
    panic_actions_add(me);
    IOService_startMatching(me, options);
}

/* ---- probing ---- */

/* Adds the driver to its category's list of candidates, in order of the score. */
static void add_candidate(OSDictionary *categories, IOService *driver)
{
    const OSSymbol *category = OSSymbol_withString(as_string(
        IORegistryEntry_getProperty_symbol(entry_of(driver), gIOMatchCategoryKey)));
    OSOrderedSet *list;

    if (!category)
        return;
    list = (OSOrderedSet *)OSDictionary_getObject_symbol(categories, category);
    if (!list) {
        list = OSOrderedSet_withCapacity(CATEGORY_ROOM, catalogue_order, NULL);
        if (list) {
            OSDictionary_setObject_symbol(categories, category, (OSMetaClassBase *)list);
            object_release(list);
        }
    }
    if (list)
        OSOrderedSet_setObject_metaclassbase(list, (OSMetaClassBase *)driver);
    object_release(category);
}

/* A new instance of the personality's class, initialised with it; +1 or NULL. */
static IOService *make_driver(OSDictionary *personality)
{
    OSString *class = as_string(OSDictionary_getObject_symbol(personality, gIOClassKey));
    OSObject *object = class ? OSMetaClass_allocClassWithName_string(class) : NULL;
    IOService *driver = object_cast(object, &IOService_gMetaClass);

    if (!driver) {
        machine_log("Couldn't alloc class \"%s\"",
                    class ? OSString_getCStringNoCopy(class) : "(none)");
        object_release(object);
        return NULL;
    }
    if (!IORegistryEntry_init_dictionary(entry_of(driver), personality)) {
        machine_log("%s: init fails", OSString_getCStringNoCopy(class));
        object_release_clear(&driver);
    }
    return driver;
}

static void give_category(IOService *driver)
{
    if (!as_string(IORegistryEntry_getProperty_symbol(entry_of(driver), gIOMatchCategoryKey)))
        IORegistryEntry_setProperty_symbol_object(entry_of(driver), gIOMatchCategoryKey,
                                                  (OSObject *)gIODefaultMatchCategoryKey);
}

static void store_score(IOService *driver, int32_t score)
{
    OSNumber *number = OSNumber_withNumber_number((uint32_t)score, SCORE_BITS);

    if (number)
        IORegistryEntry_setProperty_symbol_object(entry_of(driver), gIOProbeScoreKey,
                                                  (OSObject *)number);
    object_release(number);
}

/* Makes an instance, attaches it for the time of its probe, and keeps what probe gives. */
static void probe_one(IOService *me, OSDictionary *personality, OSDictionary *categories)
{
    IOService *driver = make_driver(personality);
    int32_t score = catalogue_score(personality);
    IOService *probed;

    if (!driver)
        return;
    give_category(driver);
    if (!IOService_attach(driver, me)) {
        object_release(driver);
        return;
    }
    probed = IOService_probe(driver, me, &score);
    IOService_detach(driver, me);
    if (probed) {
        if (probed != driver)
            give_category(probed);
        store_score(probed, score);
        add_candidate(categories, probed);
    }
    object_release(driver);
}

static const OSSymbol *copy_category(OSDictionary *personality)
{
    OSString *category =
        as_string(OSDictionary_getObject_symbol(personality, gIOMatchCategoryKey));

    if (category)
        return OSSymbol_withString(category);
    object_retain(gIODefaultMatchCategoryKey);
    return gIODefaultMatchCategoryKey;
}

static bool category_taken(IOService *me, OSDictionary *personality)
{
    const OSSymbol *category = copy_category(personality);
    bool taken = category && IOService_getClientWithCategory(me, category);

    object_release(category);
    return taken;
}

/* The personalities that fit, copied, in the order of the scores the family left; +1. */
static OSOrderedSet *match_personalities(IOService *me, OSOrderedSet *found)
{
    OSOrderedSet *fitting = OSOrderedSet_withCapacity(1, catalogue_order, NULL);
    unsigned i, count = OSCollection_getCount((OSCollection *)found);

    for (i = 0; fitting && i < count && !service_inactive(me); i++) {
        OSDictionary *personality = (OSDictionary *)OSOrderedSet_getObject(found, i);
        OSDictionary *copy;

        if (category_taken(me, personality))
            continue;
        copy = OSDictionary_withDictionary(personality, 0);
        if (copy && service_matches(me, copy, true))
            OSOrderedSet_setObject_metaclassbase(fitting, (OSMetaClassBase *)copy);
        object_release(copy);
    }
    return fitting;
}

/* ---- starting ---- */

/* Waits for each resource that the property names. */
static void wait_for_resources(IOService *me)
{
    OSObject *needed = IORegistryEntry_copyProperty_symbol(entry_of(me), gIOResourceMatchKey);
    OSCollection *list = as_collection(needed);
    OSCollectionIterator *iterator = list ? OSCollectionIterator_withCollection(list) : NULL;
    OSObject *each = as_string(needed) ? needed : NULL;

    do {
        if (iterator)
            each = iterator_next((OSIterator *)iterator);
        if (each)
            IOService_checkResource(me, each);
    } while (iterator && each);
    object_release(iterator);
    object_release(needed);
}

bool IOService_checkResource(IOService *me, OSObject *matching)
{
    OSString *name = as_string(matching);
    OSDictionary *dictionary = as_dictionary(matching);

    if (name) {
        dictionary = IOService_resourceMatching_string(name, NULL);
    } else if (dictionary) {
        object_retain(dictionary);
    } else {
        machine_log("%s: can't match using: %s", IORegistryEntry_getName(entry_of(me), NULL),
                    object_class_name(matching));
        return true;
    }
    return dictionary && IOService_waitForService(dictionary, NULL) != NULL;
}

bool IOService_checkResources(IOService *me)
{
    wait_for_resources(me);
    return true;
}

static void set_starting(IOService *driver, bool on)
{
    kernel_lock_take(&service_lock);
    if (on)
        service_private(driver)->flags |= SERVICE_STARTING;
    else
        service_private(driver)->flags &= ~(unsigned)SERVICE_STARTING;
    kernel_lock_drop(&service_lock);
}

/* Terminations of the service that found a start in progress go on when it is over. */
static void resume_termination(IOService *me)
{
    if (service_inactive(me))
        service_schedule_phase2(me, 0);
}

bool IOService_startCandidate(IOService *me, IOService *driver)
{
    bool started = false;

    if (!IOService_attach(driver, me))
        return false;
    if (me != IOService_getResourceService()) {
        wait_for_resources(me);
        wait_for_resources(driver);
    }
    set_starting(driver, true);
    if (!service_inactive(driver))
        started = IOService_start(driver, me);
    set_starting(driver, false);
    if (!started)
        IOService_detach(driver, me);
    else if (!service_inactive(me))
        resume_termination(driver); /* else it goes with its provider, in order */
    resume_termination(me);
    return started;
}

static void start_best(IOService *me, OSOrderedSet *candidates)
{
    bool started = false;
    IOService *driver;

    while ((driver = (IOService *)OSOrderedSet_getFirstObject(candidates))) {
        object_retain(driver);
        OSOrderedSet_removeObject(candidates, (OSMetaClassBase *)driver);
        if (!started && !service_inactive(me))
            started = IOService_startCandidate(me, driver);
        object_release(driver);
    }
}

/* Consumes the set. */
void IOService_probeCandidates(IOService *me, OSOrderedSet *found)
{
    OSDictionary *categories = OSDictionary_withCapacity(CATEGORY_ROOM);
    OSOrderedSet *fitting = match_personalities(me, found);
    OSCollectionIterator *iterator;
    OSSymbol *category;
    unsigned i;

    object_release(found);
    for (i = 0; categories && fitting && !service_inactive(me) &&
                i < OSCollection_getCount((OSCollection *)fitting);
         i++) {
        OSDictionary *personality = (OSDictionary *)OSOrderedSet_getObject(fitting, i);

        if (kext_request(personality))
            probe_one(me, personality, categories);
    }
    object_release(fitting);
    iterator = categories ? OSCollectionIterator_withCollection((OSCollection *)categories) : NULL;
    while (iterator && (category = iterator_next((OSIterator *)iterator)))
        start_best(me, (OSOrderedSet *)OSDictionary_getObject_symbol(categories, category));
    object_release(iterator);
    object_release(categories);
}

/* ---- one service is matched ---- */

/* Begins a pass; false when the service has gone. */
static bool begin_pass(IOService *me)
{
    struct service_private *private = service_private(me);
    bool active, registered;

    kernel_lock_take(&service_lock);
    active = !service_inactive(me);
    registered = private->flags & SERVICE_NEEDS_CONFIGURATION;
    private->flags &= ~(unsigned)SERVICE_NEEDS_CONFIGURATION;
    private->flags |= SERVICE_CONFIGURING;
    kernel_lock_drop(&service_lock);
    if (active && !(me->__state[0] & kIOServiceFirstPublishState))
        service_deliver(me, gIOFirstPublishNotification, kIOServiceFirstPublishState, UINT32_MAX);
    if (active && registered)
        service_deliver(me, gIOPublishNotification, kIOServiceRegisteredState, UINT32_MAX);
    return active;
}

static void match_pass(IOService *me, int32_t *generation)
{
    OSOrderedSet *found = IOCatalogue_findDrivers_service(gIOCatalogue, me, generation);

    if (found && OSCollection_getCount((OSCollection *)found) > 0 &&
        IOService_getResources(me) == kIOReturnSuccess)
        IOService_probeCandidates(me, found);
    else
        object_release(found);
}

/* Has something changed since the pass began? service_lock is held. */
static bool pass_is_stale(IOService *me, int32_t generation)
{
    return !service_inactive(me) &&
           ((service_private(me)->flags & SERVICE_NEEDS_CONFIGURATION) ||
            generation != IOCatalogue_getGenerationCount(gIOCatalogue));
}

static void deliver_matched(IOService *me, int32_t generation)
{
    bool first = !(me->__state[0] & kIOServiceFirstMatchState);
    bool stale;

    kernel_lock_take(&service_lock);
    stale = pass_is_stale(me, generation) || service_inactive(me);
    kernel_lock_drop(&service_lock);
    if (stale)
        return;
    service_deliver(me, gIOMatchedNotification, kIOServiceMatchedState, UINT32_MAX);
    if (first)
        service_deliver(me, gIOFirstMatchNotification, kIOServiceFirstMatchState, UINT32_MAX);
}

static bool another_pass(IOService *me, int32_t generation)
{
    bool again;

    kernel_lock_take(&service_lock);
    again = pass_is_stale(me, generation);
    if (!again)
        service_private(me)->flags &= ~(unsigned)SERVICE_CONFIGURING;
    kernel_lock_drop(&service_lock);
    return again;
}

void service_match(IOService *me, uint32_t options)
{
    int32_t generation = 0;

    do {
        if (begin_pass(me)) {
            match_pass(me, &generation);
            deliver_matched(me, generation);
        }
    } while (another_pass(me, generation));
    service_adjust_busy(me, -1);
    resume_termination(me);
}

void IOService_doServiceMatch(IOService *me, uint32_t options)
{
    service_match(me, options);
}
