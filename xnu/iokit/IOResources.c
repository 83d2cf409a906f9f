/* SPDX-License-Identifier: BSD-3-Clause */
/* IOResources: publishResource sets a property of it and registers it again, so that drivers with
 * this provider and waiters are looked at anew.
 * Source of the rules: xnu iokit/Kernel/IOService.cpp. */
#include "abi/IOResources.h"
#include "abi/IOUserResources.h"
#include "abi/IOPlatformExpert.h"

#include "xnu/iokit/resources.h"
#include "xnu/iokit/service.h"
#include "xnu/libkern/release.h"

static IOService *resources;
static IOService *user_resources;

static IOService *make(OSMetaClass *class, const char *name, IOService *root)
{
    IOService *me = object_new(class);

    if (!me || !IORegistryEntry_init_dictionary(entry_of(me), NULL))
        machine_panic("no memory for %s", name);
    IORegistryEntry_setName_cstring(entry_of(me), name, NULL);
    if (!IOService_attach(me, root))
        machine_panic("%s does not attach", name);
    return me;
}

void resources_start(IOService *root)
{
    resources = make(&IOResources_gMetaClass, "IOResources", root);
    IOService_registerService(resources, 0);
    if (release_number() >= RELEASE(10, 15, 0)) {
        user_resources = make(&IOUserResources_gMetaClass, "IOUserResources", root);
        IOService_registerService(user_resources, 0);
    }
}

IOService *IOResources_resources(void)
{
    return resources;
}

IOService *IOService_getResourceService(void)
{
    return resources;
}

void IOService_publishResource_symbol(const OSSymbol *key, OSObject *value)
{
    OSObject *published = value ? value : (OSObject *)gIOServiceKey;

    if (!resources)
        return;
    if (IORegistryEntry_setProperty_symbol_object(entry_of(resources), key, published))
        IOService_registerService(resources, 0);
}

void IOService_publishResource_cstring(const char *key, OSObject *value)
{
    const OSSymbol *symbol = OSSymbol_withCString(key);

    if (symbol)
        IOService_publishResource_symbol(symbol, value);
    object_release(symbol);
}

bool IOResources__init_dictionary(IOResources *me, OSDictionary *properties)
{
    return IOService_super_init_dictionary((IOService *)me, properties);
}

IOWorkLoop *IOResources__getWorkLoop(IOResources *me)
{
    IOPlatformExpert *platform = IOService_getPlatform();

    return platform ? IOService_getWorkLoop((IOService *)platform) : NULL;
}

/* All names must have been published; without names the release decides. */
bool IOResources__matchPropertyTable(IOResources *me, OSDictionary *table)
{
    OSObject *wanted = OSDictionary_getObject_symbol(table, gIOResourceMatchKey);
    OSCollection *list = as_collection(wanted);
    OSCollectionIterator *iterator;
    OSString *name = as_string(wanted);
    bool good = true;

    if (name)
        return IORegistryEntry_getProperty_string(entry_of(me), name) != NULL;
    if (!list || (as_array(list) && !release_behaviour()->resource_match_array))
        return release_behaviour()->resources_match_anything;
    iterator = OSCollectionIterator_withCollection(list);
    while (iterator && good && (name = as_string(iterator_next((OSIterator *)iterator))))
        good = IORegistryEntry_getProperty_string(entry_of(me), name) != NULL;
    object_release(iterator);
    return good;
}

/* What user space publishes. */
int32_t IOResources__setProperties(IOResources *me, OSObject *properties)
{
    OSDictionary *dictionary = as_dictionary(properties);
    OSCollectionIterator *iterator;
    OSSymbol *key;

    if (!dictionary)
        return kIOReturnBadArgument;
    iterator = OSCollectionIterator_withCollection((OSCollection *)dictionary);
    while (iterator && (key = iterator_next((OSIterator *)iterator)))
        IOService_publishResource_symbol(key, OSDictionary_getObject_symbol(dictionary, key));
    object_release(iterator);
    return kIOReturnSuccess;
}

int32_t IOResources__newUserClient_dictionary(IOResources *me, struct task *owner, void *security,
                                              uint32_t type, OSDictionary *properties,
                                              IOUserClient **handler)
{
    return kIOReturnUnsupported;
}

/* ---- IOUserResources (10.15): nothing in the kernel publishes there ---- */

bool IOUserResources__init_dictionary(IOUserResources *me, OSDictionary *properties)
{
    return IOService_super_init_dictionary((IOService *)me, properties);
}

IOWorkLoop *IOUserResources__getWorkLoop(IOUserResources *me)
{
    return IOResources__getWorkLoop((IOResources *)me);
}

bool IOUserResources__matchPropertyTable(IOUserResources *me, OSDictionary *table)
{
    return IOResources__matchPropertyTable((IOResources *)me, table);
}
