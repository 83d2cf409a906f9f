/* SPDX-License-Identifier: BSD-3-Clause */
/* The root of all services (IOPlatformExpertDevice) and the nubs of the platform
 * (IOPlatformDevice). Source of the rules: xnu iokit/Kernel/IOPlatformExpert.cpp. */
#include "abi/IOPlatformDevice.h"
#include "abi/IOPlatformExpert.h"
#include "abi/IOPlatformExpertDevice.h"
#include "abi/IOWorkLoop.h"
#include "abi/kpi/libkern.h"

#include "xnu/iokit/device_tree.h"
#include "xnu/iokit/platform.h"
#include "xnu/iokit/service.h"

/* ---- IOPlatformExpertDevice ---- */

bool IOPlatformExpertDevice__compareName(IOPlatformExpertDevice *me, OSString *name,
                                         OSString **matched)
{
    return IODTCompareNubName(entry_of(me), name, matched);
}

IOWorkLoop *IOPlatformExpertDevice__getWorkLoop(IOPlatformExpertDevice *me)
{
    return me->workLoop;
}

int32_t IOPlatformExpertDevice__setProperties(IOPlatformExpertDevice *me, OSObject *properties)
{
    return kIOReturnUnsupported;
}

int32_t IOPlatformExpertDevice__newUserClient_dictionary(IOPlatformExpertDevice *me,
                                                         struct task *owner, void *security,
                                                         uint32_t type, OSDictionary *properties,
                                                         IOUserClient **handler)
{
    return kIOReturnUnsupported;
}

void IOPlatformExpertDevice__free(IOPlatformExpertDevice *me)
{
    object_release(me->workLoop);
    IOService_super_free((IOService *)me);
}

/* A property list of strings, as a device tree has it: data with a NUL after each. */
static void set_text(IOService *me, const char *key, const char *text)
{
    IORegistryEntry_setProperty_cstring_pointer(entry_of(me), key, (void *)(uintptr_t)text,
                                                (uint32_t)strlen(text) + 1);
}

IOService *platform_make_root(void)
{
    const struct machine_description *machine = platform_machine();
    IOPlatformExpertDevice *device = object_new(&IOPlatformExpertDevice_gMetaClass);
    IOService *me = (IOService *)device;

    if (!me || !IORegistryEntry_init_dictionary(entry_of(me), NULL))
        machine_panic("no memory for the root of all services");
    device->workLoop = IOWorkLoop_workLoop();
    IORegistryEntry_setName_cstring(entry_of(me), machine->model, NULL);
    set_text(me, "name", "ACPI");
    set_text(me, "model", machine->model);
    set_text(me, "compatible", machine->model);
    set_text(me, "manufacturer", machine->manufacturer);
    set_text(me, "product-name", machine->model);
    IORegistryEntry_setProperty_cstring_cstring(entry_of(me), "IOPlatformSerialNumber",
                                                "0000-0000-0000");
    if (!IOService_attach(me, NULL) ||
        !IORegistryEntry_attachToParent(entry_of(me), IORegistryEntry_getRegistryRoot(),
                                        gIODTPlane))
        machine_panic("the root of all services does not attach");
    return me;
}

/* ---- IOPlatformDevice ---- */

bool IOPlatformDevice__compareName(IOPlatformDevice *me, OSString *name, OSString **matched)
{
    IOPlatformExpert *platform = IOService_getPlatform();

    if (!platform)
        return IORegistryEntry_super_compareName((IORegistryEntry *)me, name, matched);
    return IOPlatformExpert_compareNubName(platform, (IOService *)me, name, matched);
}

IOService *IOPlatformDevice__matchLocation(IOPlatformDevice *me, IOService *client)
{
    return (IOService *)me;
}

int32_t IOPlatformDevice__getResources(IOPlatformDevice *me)
{
    IOPlatformExpert *platform = IOService_getPlatform();

    return platform ? IOPlatformExpert_getNubResources(platform, (IOService *)me)
                    : kIOReturnSuccess;
}
