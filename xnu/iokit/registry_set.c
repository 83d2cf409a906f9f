/* SPDX-License-Identifier: BSD-3-Clause */
/* What a program's IORegistryEntrySetCFProperty ends in. */
#include "xnu/iokit/service.h"
#include "xnu/iokit/startup.h"

static IOService *find(const char *class_name)
{
    OSDictionary *matching = IOService_serviceMatching_cstring(class_name, NULL);
    IOService *service = matching ? IOService_copyMatchingService(matching) : NULL;

    object_release(matching);
    return service;
}

bool xnu_registry_set(const char *class_name, const char *property, const void *bytes,
                      size_t length, bool is_text, int32_t *result)
{
    IOService *service = find(class_name);
    OSDictionary *properties = OSDictionary_withCapacity(1);
    OSObject *value = is_text ? (OSObject *)OSString_withCString(bytes)
                              : (OSObject *)OSData_withBytes(bytes, (uint32_t)length);

    *result = kIOReturnNoMemory;
    if (service && properties && value &&
        OSDictionary_setObject_cstring(properties, property, (OSMetaClassBase *)value))
        *result = IORegistryEntry_setProperties((IORegistryEntry *)service, (OSObject *)properties);
    object_release(value);
    object_release(properties);
    object_release(service);
    return service != NULL;
}
