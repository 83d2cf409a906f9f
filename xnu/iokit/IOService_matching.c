/* SPDX-License-Identifier: BSD-3-Clause */
/* Does a service fit a dictionary? The keys are decided by libkextmatch, which asks back about
 * the service; names and the family's keys are the service's own virtual methods. Source of the
 * rules: xnu iokit/Kernel/IOService.cpp: matchPassive, matchInternal. */
#include "abi/kpi/libkern.h"

#include "match/personality.h"
#include "xnu/iokit/service.h"
#include "xnu/libkern/plist_objects.h"
#include "xnu/libkern/release.h"

enum { RELEASE_UNIT = 100 /* libkextmatch counts 1006, 1200 */ };

/* ---- what libkextmatch asks; `device` is an IOService ---- */

static bool is_class(const void *device, const char *name)
{
    return OSMetaClassBase_metaCast_cstring((OSMetaClassBase *)device, name) != NULL;
}

static struct plist *copy_property(const void *device, const char *key)
{
    OSObject *value = IORegistryEntry_copyProperty_cstring(entry_of(device), key);
    struct plist *plist = value ? plist_from_object(value, NULL) : NULL;

    object_release(value);
    return plist;
}

static const char *name(const void *device)
{
    return IORegistryEntry_getName(entry_of(device), NULL);
}

static const char *location(const void *device)
{
    return IORegistryEntry_getLocation(entry_of(device), gIOServicePlane);
}

static enum match_names names(const void *device)
{
    if (is_class(device, "IOPlatformDevice"))
        return MATCH_NAMES_TREE_REGISTRY;
    if (is_class(device, "IOPCIDevice") || is_class(device, "IOPlatformExpertDevice"))
        return MATCH_NAMES_TREE;
    return MATCH_NAMES_REGISTRY;
}

static bool is_at_path(const void *device, const char *path)
{
    IORegistryEntry *entry = IORegistryEntry_fromPath(path, NULL, NULL, NULL, NULL);

    object_release(entry);
    return entry == device;
}

static uint64_t registry_id(const void *device)
{
    return IORegistryEntry_getRegistryEntryID(entry_of(device));
}

static uint64_t client_count(const void *device)
{
    OSArray *clients = service_copy_clients(device);
    uint64_t count = 0;
    unsigned i;

    for (i = 0; clients && i < array_count(clients); i++) {
        IOService *client = array_at(clients, i);

        if (!service_inactive(client) &&
            IORegistryEntry_getProperty_symbol(entry_of(client), gIOMatchCategoryKey))
            count++;
    }
    object_release(clients);
    return count;
}

static const void *parent(const void *device)
{
    return IOService_getProvider((IOService *)device);
}

static const void *location_node(const void *device)
{
    return IOService_matchLocation((IOService *)device, (IOService *)device);
}

/* Most services have no keys of their own: those need no dictionary. */
static bool has_family_keys(const IOService *service)
{
    return service->vtable->matchPropertyTable_numbers != IOService__matchPropertyTable_numbers ||
           service->vtable->matchPropertyTable != IOService__matchPropertyTable;
}

static enum match_answer match_family(const void *device, const struct plist *personality,
                                      int32_t *score)
{
    OSObject *table;
    bool good;

    if (!has_family_keys(device))
        return MATCH_YES;
    table = object_from_plist(personality);
    good = table && IOService_matchPropertyTable_numbers((IOService *)device,
                                                         (OSDictionary *)table, score);
    object_release(table);
    return good ? MATCH_YES : MATCH_NO;
}

static const struct match_device_operations operations = {
    .is_class = is_class,
    .copy_property = copy_property,
    .name = name,
    .location = location,
    .names = names,
    .is_at_path = is_at_path,
    .registry_id = registry_id,
    .client_count = client_count,
    .parent = parent,
    .location_node = location_node,
    .match_family = match_family,
};

/* ---- matching ---- */

/* IONameMatch is the service's own business: compareName is virtual. */
static bool names_match(IOService *me, OSDictionary *table, bool changes)
{
    OSObject *wanted = OSDictionary_getObject_symbol(table, gIONameMatchKey);
    OSString *matched = NULL;
    bool good;

    if (!wanted)
        return true;
    good = IORegistryEntry_compareNames(entry_of(me), wanted, changes ? &matched : NULL);
    if (matched)
        OSDictionary_setObject_symbol(table, gIONameMatchedKey, (OSMetaClassBase *)matched);
    object_release(matched);
    return good;
}

/* The cheap test that decides most questions: is it of the class at all? */
static bool class_matches(IOService *me, OSDictionary *table)
{
    OSString *wanted = as_string(OSDictionary_getObject_symbol(table, gIOProviderClassKey));

    return !wanted || OSMetaClassBase_metaCast_string((OSMetaClassBase *)me, wanted);
}

static void store_score(OSDictionary *table, int32_t score)
{
    OSNumber *number = OSNumber_withNumber_number((uint32_t)score, 32);

    if (number)
        OSDictionary_setObject_symbol(table, gIOProbeScoreKey, (OSMetaClassBase *)number);
    object_release(number);
}

bool service_matches(IOService *me, OSDictionary *table, bool changes)
{
    struct match_rules rules = {.release = release_number() / RELEASE_UNIT};
    struct match_device device = {&operations, me};
    struct match_result result;
    struct plist *personality;

    if (!table || !class_matches(me, table) || !names_match(me, table, changes))
        return false;
    personality = plist_from_object((OSObject *)table, "IONameMatch");
    if (!personality)
        return false;
    result = match_personality(personality, device, &rules);
    if (result.answer == MATCH_YES && changes &&
        (result.score != 0 || OSDictionary_getObject_symbol(table, gIOProbeScoreKey)))
        store_score(table, result.score);
    plist_release(result.name_matched);
    plist_release(personality);
    return result.answer == MATCH_YES;
}

bool IOService_passiveMatch(IOService *me, OSDictionary *matching, bool changes)
{
    return service_matches(me, matching, changes);
}

bool IOService_matchPassive(IOService *me, OSDictionary *table, uint32_t options)
{
    return service_matches(me, table, options & 1 /* kIOServiceChangesOK */);
}

/* ---- what a family overrides ---- */

bool IOService__matchPropertyTable_numbers(IOService *me, OSDictionary *table, int32_t *score)
{
    return IOService_matchPropertyTable(me, table);
}

bool IOService__matchPropertyTable(IOService *me, OSDictionary *table)
{
    return true;
}

IOService *IOService__matchLocation(IOService *me, IOService *client)
{
    IOService *provider = IOService_getProvider(me);

    return provider ? IOService_matchLocation(provider, me) : NULL;
}

bool IOService__addNeededResource(IOService *me, const char *key)
{
    const OSSymbol *needed = OSSymbol_withCString(key);
    OSObject *old = IORegistryEntry_getProperty_symbol(entry_of(me), gIOResourceMatchKey);
    OSSet *set = OSSet_withCapacity(2);
    bool good;

    if (set && old && as_collection(old))
        OSSet_merge_set(set, object_cast(old, &OSSet_gMetaClass));
    else if (set && old)
        OSSet_setObject(set, (OSMetaClassBase *)old);
    good = needed && set && OSSet_setObject(set, (const OSMetaClassBase *)needed) &&
           IORegistryEntry_setProperty_symbol_object(entry_of(me), gIOResourceMatchKey,
                                                     (OSObject *)set);
    object_release(set);
    object_release(needed);
    return good;
}

/* True if the dictionary has no such key, or the service a property that equals it. */
static bool compare(IOService *me, OSDictionary *matching, const OSSymbol *key)
{
    OSObject *wanted = OSDictionary_getObject_symbol(matching, key);
    OSObject *have;
    bool equal;

    if (!wanted)
        return true;
    have = IORegistryEntry_copyProperty_symbol(entry_of(me), key);
    equal = have && object_equal(wanted, have);
    object_release(have);
    return equal;
}

bool IOService__compareProperty_string(IOService *me, OSDictionary *matching, const OSString *key)
{
    const OSSymbol *symbol = OSSymbol_withString(key);
    bool equal = symbol && compare(me, matching, symbol);

    object_release(symbol);
    return equal;
}

bool IOService__compareProperty_cstring(IOService *me, OSDictionary *matching, const char *key)
{
    const OSSymbol *symbol = OSSymbol_withCString(key);
    bool equal = symbol && compare(me, matching, symbol);

    object_release(symbol);
    return equal;
}

bool IOService__compareProperties(IOService *me, OSDictionary *matching, OSCollection *keys)
{
    OSCollectionIterator *iterator =
        matching && keys ? OSCollectionIterator_withCollection(keys) : NULL;
    bool equal = iterator != NULL;
    OSString *key;

    while (equal && (key = as_string(iterator_next((OSIterator *)iterator))))
        equal = IOService_compareProperty_string(me, matching, key);
    object_release(iterator);
    return equal;
}
