/* SPDX-License-Identifier: BSD-3-Clause */
/* The property table of a registry entry, under the entry's recursive lock.
 * Source of the rules: xnu iokit/Kernel/IORegistryEntry.cpp. */
#include "abi/kpi/libkern.h"

#include "xnu/iokit/registry.h"
#include "xnu/iokit/symbols.h"
#include "xnu/libkern/collection.h"

void property_lock(const IORegistryEntry *entry)
{
    kernel_lock_take(&registry_private(entry)->property_lock);
}

void property_unlock(const IORegistryEntry *entry)
{
    kernel_lock_drop(&registry_private(entry)->property_lock);
}

/* False for an entry whose init failed: its free() may still ask for properties. */
static bool has_properties(const IORegistryEntry *entry)
{
    return registry_private(entry) && entry->fPropertyTable;
}

OSDictionary *IORegistryEntry_getPropertyTable(IORegistryEntry *me)
{
    return me->fPropertyTable;
}

/* Takes the place of the whole table; consumes nothing. */
void IORegistryEntry__setPropertyTable(IORegistryEntry *me, OSDictionary *table)
{
    OSDictionary *old;

    if (!table)
        return;
    property_lock(me);
    object_retain(table);
    old = me->fPropertyTable;
    me->fPropertyTable = table;
    property_unlock(me);
    object_release(old);
}

/* ---- setting ---- */

bool IORegistryEntry__setProperty_symbol_object(IORegistryEntry *me, const OSSymbol *key,
                                                OSObject *value)
{
    OSCollection *collection = as_collection(value);
    bool good;

    if (!key || !value)
        return false;
    if (collection && IORegistryEntry_inPlane(me, NULL))
        OSCollection_setOptions(collection, COLLECTION_IMMUTABLE, COLLECTION_IMMUTABLE, NULL);
    property_lock(me);
    good = OSDictionary_setObject_symbol(me->fPropertyTable, key, (OSMetaClassBase *)value);
    property_unlock(me);
    return good;
}

bool IORegistryEntry__setProperty_string_object(IORegistryEntry *me, const OSString *key,
                                                OSObject *value)
{
    const OSSymbol *symbol = OSSymbol_withString(key);
    bool good = symbol && IORegistryEntry_setProperty_symbol_object(me, symbol, value);

    object_release(symbol);
    return good;
}

bool IORegistryEntry__setProperty_cstring_object(IORegistryEntry *me, const char *key,
                                                 OSObject *value)
{
    const OSSymbol *symbol = OSSymbol_withCString(key);
    bool good = symbol && IORegistryEntry_setProperty_symbol_object(me, symbol, value);

    object_release(symbol);
    return good;
}

/* Sets a value that the registry then owns alone; consumes the reference. */
static bool set_made(IORegistryEntry *me, const char *key, void *value)
{
    bool good = value && IORegistryEntry_setProperty_cstring_object(me, key, value);

    object_release(value);
    return good;
}

bool IORegistryEntry__setProperty_cstring_cstring(IORegistryEntry *me, const char *key,
                                                  const char *text)
{
    return set_made(me, key, (void *)OSSymbol_withCString(text));
}

bool IORegistryEntry__setProperty_cstring_bool(IORegistryEntry *me, const char *key, bool value)
{
    return IORegistryEntry_setProperty_cstring_object(me, key,
                                                      (OSObject *)OSBoolean_withBoolean(value));
}

bool IORegistryEntry__setProperty_cstring_number(IORegistryEntry *me, const char *key,
                                                 uint64_t value, uint32_t bits)
{
    return set_made(me, key, OSNumber_withNumber_number(value, bits));
}

bool IORegistryEntry__setProperty_cstring_pointer(IORegistryEntry *me, const char *key, void *bytes,
                                                  uint32_t length)
{
    return set_made(me, key, OSData_withBytes(bytes, length));
}

void IORegistryEntry__removeProperty_symbol(IORegistryEntry *me, const OSSymbol *key)
{
    property_lock(me);
    OSDictionary_removeObject_symbol(me->fPropertyTable, key);
    property_unlock(me);
}

void IORegistryEntry__removeProperty_string(IORegistryEntry *me, const OSString *key)
{
    const OSSymbol *symbol = OSSymbol_withString(key);

    if (symbol)
        IORegistryEntry_removeProperty_symbol(me, symbol);
    object_release(symbol);
}

void IORegistryEntry__removeProperty_cstring(IORegistryEntry *me, const char *key)
{
    const OSSymbol *symbol = OSSymbol_withCString(key);

    if (symbol)
        IORegistryEntry_removeProperty_symbol(me, symbol);
    object_release(symbol);
}

/* ---- reading ---- */

OSObject *IORegistryEntry__copyProperty_symbol(IORegistryEntry *me, const OSSymbol *key)
{
    OSObject *value;

    if (!has_properties(me))
        return NULL;
    property_lock(me);
    value = OSDictionary_getObject_symbol(me->fPropertyTable, key);
    if (value)
        object_retain(value);
    property_unlock(me);
    return value;
}

OSObject *IORegistryEntry__copyProperty_string(IORegistryEntry *me, const OSString *key)
{
    const OSSymbol *symbol = OSSymbol_withString(key);
    OSObject *value = symbol ? IORegistryEntry_copyProperty_symbol(me, symbol) : NULL;

    object_release(symbol);
    return value;
}

OSObject *IORegistryEntry__copyProperty_cstring(IORegistryEntry *me, const char *key)
{
    const OSSymbol *symbol = OSSymbol_withCString(key);
    OSObject *value = symbol ? IORegistryEntry_copyProperty_symbol(me, symbol) : NULL;

    object_release(symbol);
    return value;
}

OSObject *IORegistryEntry__getProperty_symbol(IORegistryEntry *me, const OSSymbol *key)
{
    OSObject *value;

    if (!has_properties(me))
        return NULL;
    property_lock(me);
    value = OSDictionary_getObject_symbol(me->fPropertyTable, key);
    property_unlock(me);
    return value;
}

OSObject *IORegistryEntry__getProperty_string(IORegistryEntry *me, const OSString *key)
{
    const OSSymbol *symbol = OSSymbol_withString(key);
    OSObject *value = symbol ? IORegistryEntry_getProperty_symbol(me, symbol) : NULL;

    object_release(symbol);
    return value;
}

OSObject *IORegistryEntry__getProperty_cstring(IORegistryEntry *me, const char *key)
{
    const OSSymbol *symbol = OSSymbol_withCString(key);
    OSObject *value = symbol ? IORegistryEntry_getProperty_symbol(me, symbol) : NULL;

    object_release(symbol);
    return value;
}

/* ---- reading along a plane: the entry itself, then (recursive) those that an iterator visits
 * ---- */

OSObject *IORegistryEntry__copyProperty_symbol_plane(IORegistryEntry *me, const OSSymbol *key,
                                                     const IORegistryPlane *plane, uint32_t options)
{
    OSObject *value = IORegistryEntry_copyProperty_symbol(me, key);
    IORegistryIterator *iterator;
    IORegistryEntry *next;

    if (value || !plane || !(options & kIORegistryIterateRecursively))
        return value;
    iterator = IORegistryIterator_iterateOver_entry(me, plane, options);
    while (iterator && !value && (next = iterator_next((OSIterator *)iterator)))
        value = IORegistryEntry_copyProperty_symbol(next, key);
    object_release(iterator);
    return value;
}

OSObject *IORegistryEntry__copyProperty_string_plane(IORegistryEntry *me, const OSString *key,
                                                     const IORegistryPlane *plane, uint32_t options)
{
    const OSSymbol *symbol = OSSymbol_withString(key);
    OSObject *value =
        symbol ? IORegistryEntry_copyProperty_symbol_plane(me, symbol, plane, options) : NULL;

    object_release(symbol);
    return value;
}

OSObject *IORegistryEntry__copyProperty_cstring_plane(IORegistryEntry *me, const char *key,
                                                      const IORegistryPlane *plane,
                                                      uint32_t options)
{
    const OSSymbol *symbol = OSSymbol_withCString(key);
    OSObject *value =
        symbol ? IORegistryEntry_copyProperty_symbol_plane(me, symbol, plane, options) : NULL;

    object_release(symbol);
    return value;
}

OSObject *IORegistryEntry__getProperty_symbol_plane(IORegistryEntry *me, const OSSymbol *key,
                                                    const IORegistryPlane *plane, uint32_t options)
{
    OSObject *value = IORegistryEntry_copyProperty_symbol_plane(me, key, plane, options);

    object_release(value);
    return value;
}

OSObject *IORegistryEntry__getProperty_string_plane(IORegistryEntry *me, const OSString *key,
                                                    const IORegistryPlane *plane, uint32_t options)
{
    OSObject *value = IORegistryEntry_copyProperty_string_plane(me, key, plane, options);

    object_release(value);
    return value;
}

OSObject *IORegistryEntry__getProperty_cstring_plane(IORegistryEntry *me, const char *key,
                                                     const IORegistryPlane *plane, uint32_t options)
{
    OSObject *value = IORegistryEntry_copyProperty_cstring_plane(me, key, plane, options);

    object_release(value);
    return value;
}

/* ---- macOS 11 and later ---- */

bool IORegistryEntry_propertyExists_symbol(IORegistryEntry *me, const OSSymbol *key)
{
    return IORegistryEntry_getProperty_symbol(me, key) != NULL;
}

bool IORegistryEntry_propertyExists_string(IORegistryEntry *me, const OSString *key)
{
    return IORegistryEntry_getProperty_string(me, key) != NULL;
}

bool IORegistryEntry_propertyExists_cstring(IORegistryEntry *me, const char *key)
{
    return IORegistryEntry_getProperty_cstring(me, key) != NULL;
}

bool IORegistryEntry_propertyExists_symbol_plane(IORegistryEntry *me, const OSSymbol *key,
                                                 const IORegistryPlane *plane, uint32_t options)
{
    return IORegistryEntry_getProperty_symbol_plane(me, key, plane, options) != NULL;
}

bool IORegistryEntry_propertyExists_string_plane(IORegistryEntry *me, const OSString *key,
                                                 const IORegistryPlane *plane, uint32_t options)
{
    return IORegistryEntry_getProperty_string_plane(me, key, plane, options) != NULL;
}

bool IORegistryEntry_propertyExists_cstring_plane(IORegistryEntry *me, const char *key,
                                                  const IORegistryPlane *plane, uint32_t options)
{
    return IORegistryEntry_getProperty_cstring_plane(me, key, plane, options) != NULL;
}

/* Consumes the reference to `have`. */
static bool has_value(OSObject *have, const OSObject *wanted)
{
    bool equal = have && object_equal(have, wanted);

    object_release(have);
    return equal;
}

bool IORegistryEntry_propertyHasValue_symbol_object(IORegistryEntry *me, const OSSymbol *key,
                                                    const OSObject *value)
{
    return has_value(IORegistryEntry_copyProperty_symbol(me, key), value);
}

bool IORegistryEntry_propertyHasValue_string_object(IORegistryEntry *me, const OSString *key,
                                                    const OSObject *value)
{
    return has_value(IORegistryEntry_copyProperty_string(me, key), value);
}

bool IORegistryEntry_propertyHasValue_cstring_object(IORegistryEntry *me, const char *key,
                                                     const OSObject *value)
{
    return has_value(IORegistryEntry_copyProperty_cstring(me, key), value);
}

bool IORegistryEntry_propertyHasValue_symbol_object_plane(IORegistryEntry *me, const OSSymbol *key,
                                                          const OSObject *value,
                                                          const IORegistryPlane *plane,
                                                          uint32_t options)
{
    return has_value(IORegistryEntry_copyProperty_symbol_plane(me, key, plane, options), value);
}

bool IORegistryEntry_propertyHasValue_string_object_plane(IORegistryEntry *me, const OSString *key,
                                                          const OSObject *value,
                                                          const IORegistryPlane *plane,
                                                          uint32_t options)
{
    return has_value(IORegistryEntry_copyProperty_string_plane(me, key, plane, options), value);
}

bool IORegistryEntry_propertyHasValue_cstring_object_plane(IORegistryEntry *me, const char *key,
                                                           const OSObject *value,
                                                           const IORegistryPlane *plane,
                                                           uint32_t options)
{
    return has_value(IORegistryEntry_copyProperty_cstring_plane(me, key, plane, options), value);
}

/* ---- the whole table ---- */

OSDictionary *IORegistryEntry__dictionaryWithProperties(IORegistryEntry *me)
{
    OSDictionary *copy;

    property_lock(me);
    copy = (OSDictionary *)OSCollection_copyCollection((OSCollection *)me->fPropertyTable, NULL);
    property_unlock(me);
    return copy;
}

bool IORegistryEntry__serializeProperties(IORegistryEntry *me, OSSerialize *serializer)
{
    OSDictionary *copy;
    bool good;

    property_lock(me);
    copy = OSDictionary_withDictionary(me->fPropertyTable, 0);
    property_unlock(me);
    good = copy && OSMetaClassBase_serialize((OSMetaClassBase *)copy, serializer);
    object_release(copy);
    return good;
}

int32_t IORegistryEntry__setProperties(IORegistryEntry *me, OSObject *properties)
{
    return kIOReturnUnsupported;
}

/* Runs the action with the entry's property lock held. */
int32_t IORegistryEntry__runPropertyAction(IORegistryEntry *me,
                                           int32_t (*action)(OSObject *, void *, void *, void *,
                                                             void *),
                                           OSObject *target, void *arg0, void *arg1, void *arg2,
                                           void *arg3)
{
    int32_t result;

    property_lock(me);
    result = action(target, arg0, arg1, arg2, arg3);
    property_unlock(me);
    return result;
}

/* Two places for objects that are looked up often. Returns what was there before, for the
 * caller. */
OSObject *IORegistryEntry_setIndexedProperty(IORegistryEntry *me, uint32_t index, OSObject *value)
{
    struct registry_private *private = registry_private(me);
    OSObject *old;

    if (index >= sizeof(private->indexed) / sizeof(private->indexed[0]))
        return NULL;
    if (value)
        object_retain(value);
    property_lock(me);
    old = private->indexed[index];
    private->indexed[index] = value;
    property_unlock(me);
    return old;
}

OSObject *IORegistryEntry_getIndexedProperty(IORegistryEntry *me, uint32_t index)
{
    struct registry_private *private = registry_private(me);

    if (index >= sizeof(private->indexed) / sizeof(private->indexed[0]))
        return NULL;
    return private->indexed[index];
}
