/* SPDX-License-Identifier: BSD-3-Clause */
/* IOCatalogue: the personalities of all kexts, kept by provider class, found in the order in
 * which they are tried: best score first; equal scores: most derived provider class first, then
 * order of addition (before 10.9: order of addition alone). Source of the rules: xnu
 * iokit/Kernel/IOCatalogue.cpp. */
#include "abi/IOCatalogue.h"
#include "abi/kpi/libkern.h"

#include "xnu/iokit/catalogue.h"
#include "xnu/iokit/service.h"
#include "xnu/libkern/module.h"
#include "xnu/libkern/release.h"

enum { ROOM = 16 };

IOCatalogue *gIOCatalogue;

static struct kernel_lock catalogue_lock = KERNEL_LOCK("driver catalogue");
static OSArray *personalities; /* all, in the order of addition */
static int32_t generation;

void catalogue_start(void)
{
    if (gIOCatalogue)
        return;
    gIOCatalogue = object_new(&IOCatalogue_gMetaClass);
    personalities = OSArray_withCapacity(ROOM);
    if (!gIOCatalogue || !personalities)
        machine_panic("no memory for the catalogue");
}

/* ---- order ---- */

int32_t catalogue_score(const OSDictionary *personality)
{
    OSNumber *score = as_number(OSDictionary_getObject_symbol((OSDictionary *)personality,
                                                              gIOProbeScoreKey));

    return score ? (int32_t)OSNumber_unsigned32BitValue(score) : 0;
}

/* By the score of a personality or of a candidate driver; higher first. */
int32_t catalogue_order(const OSMetaClassBase *left, const OSMetaClassBase *right, void *unused)
{
    const OSMetaClassBase *objects[2] = {left, right};
    uint32_t scores[2];
    int i;

    for (i = 0; i < 2; i++) {
        OSDictionary *dictionary = as_dictionary(objects[i]);
        OSNumber *number;

        if (dictionary) {
            scores[i] = (uint32_t)catalogue_score(dictionary);
            continue;
        }
        number = objects[i] ? as_number(IORegistryEntry_getProperty_symbol(entry_of(objects[i]),
                                                                           gIOProbeScoreKey))
                            : NULL;
        scores[i] = number ? OSNumber_unsigned32BitValue(number) : 0;
    }
    return (int32_t)(scores[0] - scores[1]);
}

/* IOServiceOrdering, exported. */
int32_t service_ordering(const OSMetaClassBase *left, const OSMetaClassBase *right, void *unused)
    __asm("__Z17IOServiceOrderingPK15OSMetaClassBaseS1_Pv");
int32_t service_ordering(const OSMetaClassBase *left, const OSMetaClassBase *right, void *unused)
{
    return catalogue_order(left, right, unused);
}

/* ---- adding ---- */

static bool already_there(OSDictionary *personality)
{
    unsigned i;

    for (i = 0; i < array_count(personalities); i++) {
        if (object_equal(array_at(personalities, i), personality))
            return true;
    }
    return false;
}

/* Strings that are compared often become symbols. */
static void use_symbols(OSDictionary *personality)
{
    const OSSymbol *const keys[] = {gIOModuleIdentifierKey, gIOClassKey,   gIOProviderClassKey,
                                    gIOMatchCategoryKey,    gIOResourceMatchKey,
                                    gIOUserClientClassKey};
    size_t i;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        OSString *value = as_string(OSDictionary_getObject_symbol(personality, keys[i]));
        const OSSymbol *symbol = value ? OSSymbol_withString(value) : NULL;

        if (symbol)
            OSDictionary_setObject_symbol(personality, keys[i], (const OSMetaClassBase *)symbol);
        object_release(symbol);
    }
}

/* Adds a copy; false for one that is known or cannot be. */
static bool add_one(OSDictionary *personality)
{
    OSDictionary *copy;
    bool added = false;

    if (!personality ||
        !as_string(OSDictionary_getObject_symbol(personality, gIOProviderClassKey)))
        return false;
    copy = (OSDictionary *)OSCollection_copyCollection((OSCollection *)personality, NULL);
    if (copy) {
        use_symbols(copy);
        if (!already_there(copy))
            added = OSArray_setObject_metaclassbase(personalities, (OSMetaClassBase *)copy);
    }
    object_release(copy);
    return added;
}

/* Matches registered services again that a personality fits (IOService::catalogNewDrivers). The
 * whole personality decides: its class alone is no match for IOResources before 10.9. */
static void rematch(OSArray *added)
{
    unsigned i;

    for (i = 0; i < array_count(added); i++) {
        OSDictionary *personality = array_at(added, i);
        OSIterator *iterator = IOService_getMatchingServices(personality);
        IOService *service;

        while (iterator && (service = iterator_next(iterator)))
            IOService_registerService(service, kIOServiceAsynchronous);
        object_release(iterator);
    }
}

bool IOCatalogue_addDrivers(IOCatalogue *me, OSArray *drivers, bool match)
{
    OSArray *added = OSArray_withCapacity(ROOM);
    unsigned i;

    if (!added || !drivers) {
        object_release(added);
        return false;
    }
    kernel_lock_take(&catalogue_lock);
    for (i = 0; i < array_count(drivers); i++) {
        OSDictionary *personality = as_dictionary(array_at(drivers, i));

        if (add_one(personality))
            OSArray_setObject_metaclassbase(added, (OSMetaClassBase *)personality);
    }
    if (array_count(added) > 0)
        generation++;
    kernel_lock_drop(&catalogue_lock);
    if (match)
        rematch(added);
    object_release(added);
    return true;
}

/* Every pair of `matching` is in the personality. */
static bool contains(OSDictionary *personality, OSDictionary *matching)
{
    return OSDictionary_isEqualTo_dictionary_collection(matching, personality,
                                                        (OSCollection *)matching);
}

/* Takes personalities out that contain `matching`. The services they made stay
 * (terminateDrivers). */
bool IOCatalogue_removeDrivers(IOCatalogue *me, OSDictionary *matching, bool match)
{
    unsigned i;

    if (!matching)
        return false;
    kernel_lock_take(&catalogue_lock);
    i = array_count(personalities);
    while (i-- > 0) {
        if (contains(array_at(personalities, i), matching)) {
            OSArray_removeObject(personalities, i);
            generation++;
        }
    }
    kernel_lock_drop(&catalogue_lock);
    return true;
}

int32_t IOCatalogue_getGenerationCount(IOCatalogue *me)
{
    return generation;
}

/* ---- finding ---- */

/* Appends the personalities whose provider class is exactly `class`, or with NULL any that the
 * service can be cast to. */
static void append(OSOrderedSet *found, IOService *service, const OSSymbol *class)
{
    unsigned i;

    for (i = 0; i < array_count(personalities); i++) {
        OSDictionary *personality = array_at(personalities, i);
        OSString *wanted = as_string(OSDictionary_getObject_symbol(personality,
                                                                   gIOProviderClassKey));
        bool fits = class ? OSString_isEqualTo_string(wanted, (const OSString *)class)
                          : OSMetaClassBase_metaCast_string((OSMetaClassBase *)service,
                                                            wanted) != NULL;

        if (fits)
            OSOrderedSet_setObject_metaclassbase(found, (OSMetaClassBase *)personality);
    }
}

/* +1, in the order in which they are to be tried; *generation_count: of this answer. */
OSOrderedSet *IOCatalogue_findDrivers_service(IOCatalogue *me, IOService *service,
                                              int32_t *generation_count)
{
    OSOrderedSet *found = OSOrderedSet_withCapacity(1, catalogue_order, NULL);
    const OSMetaClass *class;

    if (!found)
        return NULL;
    kernel_lock_take(&catalogue_lock);
    *generation_count = generation;
    if (!release_behaviour()->catalogue_by_class) {
        append(found, service, NULL);
    } else {
        for (class = OSMetaClassBase_getMetaClass((OSMetaClassBase *)service);
             class && class != &IORegistryEntry_gMetaClass; class = class->superClassLink)
            append(found, service, OSMetaClass_getClassNameSymbol((OSMetaClass *)class));
    }
    kernel_lock_drop(&catalogue_lock);
    return found;
}

/* Those that contain `matching`. */
OSOrderedSet *IOCatalogue_findDrivers_dictionary(IOCatalogue *me, OSDictionary *matching,
                                                 int32_t *generation_count)
{
    OSOrderedSet *found = OSOrderedSet_withCapacity(1, catalogue_order, NULL);
    unsigned i;

    if (!found)
        return NULL;
    kernel_lock_take(&catalogue_lock);
    *generation_count = generation;
    for (i = 0; i < array_count(personalities); i++) {
        if (contains(array_at(personalities, i), matching))
            OSOrderedSet_setObject_metaclassbase(found, array_at(personalities, i));
    }
    kernel_lock_drop(&catalogue_lock);
    return found;
}

/* Ends every service that one of the removed personalities made. */
int32_t IOCatalogue_terminateDrivers(IOCatalogue *me, OSDictionary *matching)
{
    OSDictionary *all = IOService_serviceMatching_cstring("IOService", NULL);
    OSIterator *iterator = all ? IOService_getMatchingServices(all) : NULL;
    IOService *service;

    while (iterator && (service = iterator_next(iterator))) {
        if (contains(service->fPropertyTable, matching) &&
            !IOService_terminate(service, kIOServiceRequired | kIOServiceSynchronous))
            machine_log("IOCatalogue: %s does not terminate",
                        IORegistryEntry_getName(entry_of(service), NULL));
    }
    object_release(iterator);
    object_release(all);
    return kIOReturnSuccess;
}

/* Registers all services again that a personality with this bundle could fit. */
bool IOCatalogue_startMatching_dictionary(IOCatalogue *me, OSDictionary *matching)
{
    OSOrderedSet *found;
    OSArray *list = OSArray_withCapacity(ROOM);
    int32_t unused;
    unsigned i;

    found = matching && list ? IOCatalogue_findDrivers_dictionary(me, matching, &unused) : NULL;
    for (i = 0; found && i < OSCollection_getCount((OSCollection *)found); i++)
        OSArray_setObject_metaclassbase(list,
                                        (OSMetaClassBase *)OSOrderedSet_getObject(found, i));
    if (found) {
        kernel_lock_take(&catalogue_lock);
        generation++;
        kernel_lock_drop(&catalogue_lock);
        rematch(list);
    }
    object_release(found);
    object_release(list);
    return found != NULL;
}

void IOCatalogue__free(IOCatalogue *me)
{
    machine_panic("the catalogue is never freed");
}
