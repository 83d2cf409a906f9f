/* SPDX-License-Identifier: BSD-3-Clause */
/* Making matching dictionaries. Each function adds to `table`, or to a new dictionary when that
 * is NULL; the result is +1 (the caller's own reference when it gave the table), NULL without
 * memory. Source of the rules: xnu iokit/Kernel/IOService.cpp. */
#include "xnu/iokit/service.h"

enum { TABLE_ROOM = 2, ID_BITS = 64 };

/* Consumes the value. */
static OSDictionary *with_value(OSDictionary *table, const OSSymbol *key, const void *value)
{
    OSDictionary *result = table ? table : OSDictionary_withCapacity(TABLE_ROOM);

    if (result && (!value || !OSDictionary_setObject_symbol(result, key, value))) {
        if (!table)
            object_release(result);
        result = NULL;
    }
    object_release(value);
    return result;
}

OSDictionary *IOService_serviceMatching_string(const OSString *name, OSDictionary *table)
{
    return with_value(table, gIOProviderClassKey, OSSymbol_withString(name));
}

OSDictionary *IOService_serviceMatching_cstring(const char *name, OSDictionary *table)
{
    return with_value(table, gIOProviderClassKey, OSSymbol_withCString(name));
}

OSDictionary *IOService_nameMatching_string(const OSString *name, OSDictionary *table)
{
    return with_value(table, gIONameMatchKey, OSSymbol_withString(name));
}

OSDictionary *IOService_nameMatching_cstring(const char *name, OSDictionary *table)
{
    return with_value(table, gIONameMatchKey, OSSymbol_withCString(name));
}

static OSDictionary *resource_matching(const OSSymbol *name, OSDictionary *table)
{
    OSDictionary *result = IOService_serviceMatching_string((const OSString *)gIOResourcesKey,
                                                            table);

    if (!result) {
        object_release(name);
        return NULL;
    }
    return with_value(result, gIOResourceMatchKey, name);
}

OSDictionary *IOService_resourceMatching_string(const OSString *name, OSDictionary *table)
{
    return resource_matching(OSSymbol_withString(name), table);
}

OSDictionary *IOService_resourceMatching_cstring(const char *name, OSDictionary *table)
{
    return resource_matching(OSSymbol_withCString(name), table);
}

OSDictionary *IOService_propertyMatching(const OSSymbol *key, const OSObject *value,
                                         OSDictionary *table)
{
    OSDictionary *properties = OSDictionary_withCapacity(TABLE_ROOM);

    if (!properties || !OSDictionary_setObject_symbol(properties, key,
                                                      (const OSMetaClassBase *)value)) {
        object_release(properties);
        return NULL;
    }
    return with_value(table, gIOPropertyMatchKey, properties);
}

OSDictionary *IOService_registryEntryIDMatching(uint64_t id, OSDictionary *table)
{
    const OSSymbol *key = OSSymbol_withCString("IORegistryEntryID");
    OSDictionary *result =
        key ? with_value(table, key, OSNumber_withNumber_number(id, ID_BITS)) : NULL;

    object_release(key);
    return result;
}

/* Meant for boot paths that name a partition; the original adds nothing either. */
OSDictionary *IOService_addLocation(OSDictionary *table)
{
    OSDictionary *dictionary;

    if (!table)
        return NULL;
    dictionary = OSDictionary_withCapacity(1);
    if (dictionary)
        OSDictionary_setObject_symbol(table, gIOLocationMatchKey, (OSMetaClassBase *)dictionary);
    object_release(dictionary);
    return dictionary;
}

/* ---- the names that macOS 10.15 added ---- */

OSDictionary *IOService_CreateNameMatchingDictionary_string(OSString *name, OSDictionary *table)
{
    return IOService_nameMatching_string(name, table);
}

OSDictionary *IOService_CreateNameMatchingDictionary_cstring(const char *name, OSDictionary *table)
{
    return IOService_nameMatching_cstring(name, table);
}

OSDictionary *IOService_CreateKernelClassMatchingDictionary_string(OSString *name,
                                                                   OSDictionary *table)
{
    return IOService_serviceMatching_string(name, table);
}

OSDictionary *IOService_CreateKernelClassMatchingDictionary_cstring(const char *name,
                                                                    OSDictionary *table)
{
    return IOService_serviceMatching_cstring(name, table);
}

OSDictionary *IOService_CreatePropertyMatchingDictionary_object(const char *key, OSObject *value,
                                                                OSDictionary *table)
{
    const OSSymbol *symbol = OSSymbol_withCString(key);
    OSDictionary *result = symbol ? IOService_propertyMatching(symbol, value, table) : NULL;

    object_release(symbol);
    return result;
}

OSDictionary *IOService_CreatePropertyMatchingDictionary_cstring(const char *key, const char *text,
                                                                 OSDictionary *table)
{
    OSString *value = OSString_withCString(text);
    OSDictionary *result =
        value ? IOService_CreatePropertyMatchingDictionary_object(key, (OSObject *)value, table)
              : NULL;

    object_release(value);
    return result;
}
