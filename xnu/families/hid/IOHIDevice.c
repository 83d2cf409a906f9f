/* SPDX-License-Identifier: BSD-3-Clause */
/* IOHIDevice.c - what keyboards and pointers of the older kind share (IOHIDFamily, IOHIDSystem
 * part). */
#include "abi/IOHIDevice.h"

#include "xnu/libkern/object.h"

enum { KIND_UNKNOWN = 0 };              /* kHIUnknownDevice */

bool IOHIDevice__init_dictionary(IOHIDevice *me, OSDictionary *properties)
{
    return IOService_super_init_dictionary((IOService *)me, properties);
}

void IOHIDevice__free(IOHIDevice *me)
{
    IOService_super_free((IOService *)me);
}

bool IOHIDevice__start(IOHIDevice *me, IOService *provider)
{
    if (!IOService_super_start((IOService *)me, provider))
        return false;
    return IOHIDevice_updateProperties(me);
}

bool IOHIDevice__open(IOHIDevice *me, IOService *client, uint32_t options, void *argument)
{
    return IOService_super_open((IOService *)me, client, options, argument);
}

uint32_t IOHIDevice__deviceType(IOHIDevice *me)
{
    return 0;
}

IOHIDKind IOHIDevice__hidKind(IOHIDevice *me)
{
    return KIND_UNKNOWN;
}

uint32_t IOHIDevice__interfaceID(IOHIDevice *me)
{
    return 0;
}

uint64_t IOHIDevice__getGUID(IOHIDevice *me)
{
    return UINT64_MAX;
}

static bool set_number(IOHIDevice *me, const char *key, uint64_t value)
{
    OSNumber *number = OSNumber_withNumber_number(value, 32);

    if (!number)
        return false;
    IORegistryEntry_setProperty_cstring_object((IORegistryEntry *)me, key, (OSObject *)number);
    object_release(number);
    return true;
}

bool IOHIDevice__updateProperties(IOHIDevice *me)
{
    return set_number(me, "HIDKind", IOHIDevice_hidKind(me)) &&
           set_number(me, "HIDInterfaceID", IOHIDevice_interfaceID(me)) &&
           set_number(me, "HIDSubinterfaceID", IOHIDevice_deviceType(me));
}

int32_t IOHIDevice__setParamProperties(IOHIDevice *me, OSDictionary *parameters)
{
    return IOHIDevice_updateProperties(me) ? kIOReturnSuccess : kIOReturnError;
}
