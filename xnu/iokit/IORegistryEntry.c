/* SPDX-License-Identifier: BSD-3-Clause */
/* IORegistryEntry: its life, its place in the planes, its names. Properties are in
 * IORegistryEntry_properties.c, paths in IORegistryEntry_paths.c.
 * Source of the rules: xnu iokit/Kernel/IORegistryEntry.cpp. */
#include "abi/IOService.h"
#include "abi/kpi/libkern.h"

#include "xnu/iokit/registry.h"
#include "xnu/iokit/symbols.h"
#include "xnu/libkern/object.h"
#include "xnu/libkern/collection.h"

enum { TABLE_ROOM = 8, ID_FIRST = 0x100000100 };

static uint64_t next_id = ID_FIRST;

struct registry_private *registry_private(const IORegistryEntry *entry)
{
    return (struct registry_private *)entry->reserved;
}

/* ---- life ---- */

static bool make_private(IORegistryEntry *me)
{
    struct registry_private *private = registry_private(me);

    /* A service whose constructor found no memory for its private part. */
    if (object_cast(me, &IOService_gMetaClass) && !((IOService *)me)->reserved)
        return false;
    if (private)
        return true;
    private = kernel_allocate(sizeof(*private));
    if (!private)
        return false;
    private->property_lock.name = "properties of an entry";
    me->reserved = (void *)private;
    return true;
}

static bool take_property_table(IORegistryEntry *me, OSDictionary *properties)
{
    if (properties) {
        /* A table that the registry shows somewhere already must not be changed here. */
        if (((OSCollection *)properties)->fOptions & COLLECTION_IMMUTABLE)
            properties = (OSDictionary *)OSCollection_copyCollection((OSCollection *)properties,
                                                                     NULL);
        else
            object_retain(properties);
        if (!properties)
            return false;
        object_release(me->fPropertyTable);
        me->fPropertyTable = properties;
    } else if (!me->fPropertyTable) {
        me->fPropertyTable = OSDictionary_withCapacity(TABLE_ROOM);
    }
    return me->fPropertyTable != NULL;
}

bool IORegistryEntry__init_dictionary(IORegistryEntry *me, OSDictionary *properties)
{
    OSString *name;

    if (!OSObject_super_init((OSObject *)me) || !make_private(me) ||
        !take_property_table(me, properties))
        return false;
    if (!me->fRegistryTable)
        me->fRegistryTable = OSDictionary_withCapacity(TABLE_ROOM);
    if (!me->fRegistryTable)
        return false;
    name = as_string(IORegistryEntry_getProperty_symbol(me, gIONameKey));
    if (name) {
        const OSSymbol *symbol = OSSymbol_withString(name);

        if (symbol)
            OSDictionary_setObject_symbol(me->fRegistryTable, gIONameKey,
                                          (const OSMetaClassBase *)symbol);
        object_release(symbol);
    }
    return true;
}

/* Puts `me` in the place of `from` in a plane, with its links, names and properties. */
static void take_place(IORegistryEntry *me, IORegistryEntry *from, enum registry_relation relation,
                       const IORegistryPlane *plane)
{
    enum registry_relation back = relation == REGISTRY_CHILDREN ? REGISTRY_PARENTS
                                                                : REGISTRY_CHILDREN;
    OSArray *links = registry_copy_links(from, relation, plane);
    unsigned i;

    for (i = 0; links && i < array_count(links); i++) {
        IORegistryEntry *other = array_at(links, i);
        OSArray *others = registry_links(other, back, plane);
        uint32_t index;

        IORegistryEntry_makeLink(me, other, relation, plane);
        if (others && IORegistryEntry_arrayMember(other, others, from, &index))
            OSArray_replaceObject(others, index, (OSMetaClassBase *)me);
        IORegistryEntry_breakLink(from, other, relation, plane);
    }
    object_release(links);
}

bool IORegistryEntry__init_entry_plane(IORegistryEntry *me, IORegistryEntry *from,
                                       const IORegistryPlane *plane)
{
    if (!from || !OSObject_super_init((OSObject *)me) || !make_private(me))
        return false;
    kernel_lock_take(&registry_lock);
    registry_private(me)->id = registry_private(from)->id;
    me->fPropertyTable = from->fPropertyTable;
    from->fPropertyTable = OSDictionary_withDictionary(me->fPropertyTable, 0);
    me->fRegistryTable = OSDictionary_withDictionary(from->fRegistryTable, 0);
    if (me->fRegistryTable) {
        OSDictionary_removeObject_symbol(me->fRegistryTable, plane->links[REGISTRY_PARENTS]);
        OSDictionary_removeObject_symbol(me->fRegistryTable, plane->links[REGISTRY_CHILDREN]);
        take_place(me, from, REGISTRY_PARENTS, plane);
        take_place(me, from, REGISTRY_CHILDREN, plane);
    }
    kernel_lock_drop(&registry_lock);
    return me->fRegistryTable && from->fPropertyTable;
}

void IORegistryEntry__free(IORegistryEntry *me)
{
    struct registry_private *private = registry_private(me);

    if (private) {
        object_release(private->indexed[0]);
        object_release(private->indexed[1]);
        machine_mutex_destroy(private->property_lock.mutex);
        kernel_free(private, sizeof(*private));
        me->reserved = NULL;
    }
    object_release_clear(&me->fPropertyTable);
    object_release_clear(&me->fRegistryTable);
    OSObject_super_free((OSObject *)me);
}

/* ---- place ---- */

uint64_t IORegistryEntry_getRegistryEntryID(IORegistryEntry *me)
{
    return registry_private(me) ? registry_private(me)->id : 0;
}

void registry_give_id(IORegistryEntry *me)
{
    if (!registry_private(me)->id)
        registry_private(me)->id = next_id++;
}

/* What the registry shows must not change under a reader: collections among the properties are
 * sealed. */
static void seal_properties(IORegistryEntry *me)
{
    OSCollectionIterator *iterator;
    OSSymbol *key;

    property_lock(me);
    iterator = OSCollectionIterator_withCollection((OSCollection *)me->fPropertyTable);
    while (iterator && (key = iterator_next((OSIterator *)iterator))) {
        OSCollection *value =
            as_collection(OSDictionary_getObject_symbol(me->fPropertyTable, key));

        if (value)
            OSCollection_setOptions(value, COLLECTION_IMMUTABLE, COLLECTION_IMMUTABLE, NULL);
    }
    object_release(iterator);
    property_unlock(me);
}

bool IORegistryEntry__attachToParent(IORegistryEntry *me, IORegistryEntry *parent,
                                     const IORegistryPlane *plane)
{
    OSArray *children;
    bool good, missing;

    if (!parent || me == parent)
        return false;
    kernel_lock_take(&registry_lock);
    registry_give_id(me);
    good = IORegistryEntry_makeLink(me, parent, REGISTRY_PARENTS, plane);
    children = registry_links(parent, REGISTRY_CHILDREN, plane);
    missing = !children || !IORegistryEntry_arrayMember(parent, children, me, NULL);
    kernel_lock_drop(&registry_lock);
    seal_properties(me);
    if (good && missing)
        good = IORegistryEntry_attachToChild(parent, me, plane);
    if (!good) {
        kernel_lock_take(&registry_lock);
        IORegistryEntry_breakLink(me, parent, REGISTRY_PARENTS, plane);
        kernel_lock_drop(&registry_lock);
    }
    return good;
}

bool IORegistryEntry__attachToChild(IORegistryEntry *me, IORegistryEntry *child,
                                    const IORegistryPlane *plane)
{
    OSArray *parents;
    bool good, missing;

    if (!child || me == child)
        return false;
    kernel_lock_take(&registry_lock);
    registry_give_id(me);
    good = IORegistryEntry_makeLink(me, child, REGISTRY_CHILDREN, plane);
    parents = registry_links(child, REGISTRY_PARENTS, plane);
    missing = !parents || !IORegistryEntry_arrayMember(child, parents, me, NULL);
    kernel_lock_drop(&registry_lock);
    if (good && missing)
        good = IORegistryEntry_attachToParent(child, me, plane);
    return good;
}

void IORegistryEntry__detachFromParent(IORegistryEntry *me, IORegistryEntry *parent,
                                       const IORegistryPlane *plane)
{
    OSArray *children;
    bool there;

    object_retain(me);
    object_retain(parent);
    kernel_lock_take(&registry_lock);
    IORegistryEntry_breakLink(me, parent, REGISTRY_PARENTS, plane);
    children = registry_links(parent, REGISTRY_CHILDREN, plane);
    there = children && IORegistryEntry_arrayMember(parent, children, me, NULL);
    kernel_lock_drop(&registry_lock);
    if (there)
        IORegistryEntry_detachFromChild(parent, me, plane);
    object_release(parent);
    object_release(me);
}

void IORegistryEntry__detachFromChild(IORegistryEntry *me, IORegistryEntry *child,
                                      const IORegistryPlane *plane)
{
    OSArray *parents;
    bool there;

    object_retain(me);
    object_retain(child);
    kernel_lock_take(&registry_lock);
    IORegistryEntry_breakLink(me, child, REGISTRY_CHILDREN, plane);
    parents = registry_links(child, REGISTRY_PARENTS, plane);
    there = parents && IORegistryEntry_arrayMember(child, parents, me, NULL);
    kernel_lock_drop(&registry_lock);
    if (there)
        IORegistryEntry_detachFromParent(child, me, plane);
    object_release(child);
    object_release(me);
}

void IORegistryEntry__detachAbove(IORegistryEntry *me, const IORegistryPlane *plane)
{
    IORegistryEntry *parent;

    object_retain(me);
    while ((parent = IORegistryEntry_copyParentEntry(me, plane))) {
        IORegistryEntry_detachFromParent(me, parent, plane);
        object_release(parent);
    }
    object_release(me);
}

/* The entry and all below it, leaves first. */
void IORegistryEntry__detachAll(IORegistryEntry *me, const IORegistryPlane *plane)
{
    IORegistryIterator *iterator =
        IORegistryIterator_iterateOver_entry(me, plane, kIORegistryIterateRecursively);
    OSOrderedSet *all = iterator ? IORegistryIterator_iterateAll(iterator) : NULL;
    unsigned i = all ? OSCollection_getCount((OSCollection *)all) : 0;

    object_retain(me);
    object_release(iterator);
    IORegistryEntry_detachAbove(me, plane);
    while (i-- > 0)
        IORegistryEntry_detachAbove((IORegistryEntry *)OSOrderedSet_getObject(all, i), plane);
    object_release(all);
    object_release(me);
}

/* ---- names ---- */

static OSObject *registry_value(const IORegistryEntry *me, const OSSymbol *plane_key,
                                const OSSymbol *general_key)
{
    OSObject *value = NULL;

    if (!me->fRegistryTable)
        return NULL;
    if (plane_key)
        value = OSDictionary_getObject_symbol(me->fRegistryTable, plane_key);
    if (!value)
        value = OSDictionary_getObject_symbol(me->fRegistryTable, general_key);
    return value;
}

const OSSymbol *IORegistryEntry__copyName(IORegistryEntry *me, const IORegistryPlane *plane)
{
    const OSSymbol *name;

    kernel_lock_take(&registry_lock);
    name = (const OSSymbol *)registry_value(me, plane ? plane->name_key : NULL, gIONameKey);
    if (name)
        object_retain(name);
    kernel_lock_drop(&registry_lock);
    return name ? name : OSSymbol_withCString(object_class_name(me));
}

const char *IORegistryEntry__getName(IORegistryEntry *me, const IORegistryPlane *plane)
{
    OSSymbol *name;

    kernel_lock_take(&registry_lock);
    name = (OSSymbol *)registry_value(me, plane ? plane->name_key : NULL, gIONameKey);
    kernel_lock_drop(&registry_lock);
    return name ? OSString_getCStringNoCopy((OSString *)name) : object_class_name(me);
}

static void set_registry_value(IORegistryEntry *me, const OSSymbol *value, const OSSymbol *key)
{
    kernel_lock_take(&registry_lock);
    OSDictionary_setObject_symbol(me->fRegistryTable, key, (const OSMetaClassBase *)value);
    kernel_lock_drop(&registry_lock);
}

void IORegistryEntry__setName_symbol(IORegistryEntry *me, const OSSymbol *name,
                                     const IORegistryPlane *plane)
{
    if (name)
        set_registry_value(me, name, plane ? plane->name_key : gIONameKey);
}

void IORegistryEntry__setName_cstring(IORegistryEntry *me, const char *name,
                                      const IORegistryPlane *plane)
{
    const OSSymbol *symbol = OSSymbol_withCString(name);

    if (symbol)
        IORegistryEntry_setName_symbol(me, symbol, plane);
    object_release(symbol);
}

const OSSymbol *IORegistryEntry__copyLocation(IORegistryEntry *me, const IORegistryPlane *plane)
{
    OSSymbol *location;

    kernel_lock_take(&registry_lock);
    location = (OSSymbol *)registry_value(me, plane ? plane->location_key : NULL, gIOLocationKey);
    if (location)
        object_retain(location);
    kernel_lock_drop(&registry_lock);
    return location;
}

const char *IORegistryEntry__getLocation(IORegistryEntry *me, const IORegistryPlane *plane)
{
    const OSSymbol *location = IORegistryEntry_copyLocation(me, plane);
    const char *text = location ? OSString_getCStringNoCopy((OSString *)location) : NULL;

    object_release(location);
    return text;
}

void IORegistryEntry__setLocation_symbol(IORegistryEntry *me, const OSSymbol *location,
                                         const IORegistryPlane *plane)
{
    if (location)
        set_registry_value(me, location, plane ? plane->location_key : gIOLocationKey);
}

void IORegistryEntry__setLocation_cstring(IORegistryEntry *me, const char *location,
                                          const IORegistryPlane *plane)
{
    const OSSymbol *symbol = OSSymbol_withCString(location);

    if (symbol)
        IORegistryEntry_setLocation_symbol(me, symbol, plane);
    object_release(symbol);
}

/* On a match *matched (if asked for) is the name, +1. */
bool IORegistryEntry__compareName(IORegistryEntry *me, OSString *name, OSString **matched)
{
    if (!OSString_isEqualTo_cstring(name, IORegistryEntry_getName(me, NULL)))
        return false;
    if (matched) {
        object_retain(name);
        *matched = name;
    }
    return true;
}

/* A string, or a collection of them: the walk ends at the first other object. */
bool IORegistryEntry__compareNames(IORegistryEntry *me, OSObject *names, OSString **matched)
{
    OSCollection *collection = as_collection(names);
    OSCollectionIterator *iterator;
    OSString *name = as_string(names);
    bool found = false;

    if (name)
        return IORegistryEntry_compareName(me, name, matched);
    iterator = collection ? OSCollectionIterator_withCollection(collection) : NULL;
    while (iterator && !found && (name = as_string(iterator_next((OSIterator *)iterator))))
        found = IORegistryEntry_compareName(me, name, matched);
    object_release(iterator);
    return found;
}
