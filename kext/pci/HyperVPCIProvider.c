/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVPCIProvider: on machines of generation 2, the ACPI device that a PCI root bridge would
 * have, for HyperVPCIRoot to be on. It is named as on any PC, PCI0, since programs look there. */
#include "abi/IOACPIPlatformDevice.h"
#include "abi/OSIterator.h"
#include "abi/OSString.h"
#include "abi/constants.h"
#include "abi/kpi/globals.h"
#include "abi/runtime.h"
#include "kext/core/log.h"

static const char who[] = "HyperVPCIProvider";

struct HyperVPCIProvider {
    IOACPIPlatformDevice super;
};

/* Generation 1 has a root bridge of its own, which the platform has made before it comes to us. */
static bool machine_has_root(IOService *platform)
{
    OSIterator *devices = IOService_getClientIterator(platform);
    OSString *name = OSString_withCString("PNP0A03");
    bool found = false;
    OSObject *device;

    while (devices != NULL && name != NULL && !found &&
           (device = OSIterator_getNextObject(devices)) != NULL)
        found = IORegistryEntry_compareName((IORegistryEntry *)device, name, NULL);
    iokit_release(name);
    iokit_release(devices);
    return found;
}

static IOService *provider_probe(IOService *me, IOService *platform, int32_t *score)
{
    return machine_has_root(platform) ? NULL : IOService_super_probe(me, platform, score);
}

static bool provider_start(IOService *me, IOService *platform)
{
    IORegistryEntry *entry = (IORegistryEntry *)me;

    /* AppleACPIPlatformExpert takes every client for a device that it has made itself. */
    if (!IOACPIPlatformDevice_init_service_pointer_dictionary(
            (IOACPIPlatformDevice *)me, platform, NULL, IORegistryEntry_getPropertyTable(entry)) ||
        !IOService_super_start(me, platform))
        return false;
    IORegistryEntry_setName_cstring(entry, "PCI0", NULL);
    if (!IORegistryEntry_attachToParent(entry, (IORegistryEntry *)platform, gIODTPlane)) {
        hv_log(who, "no place in the device tree");
        return false;
    }
    IOService_registerService(me, 0);
    return true;
}

static void provider_stop(IOService *me, IOService *platform)
{
    IORegistryEntry_detachFromParent((IORegistryEntry *)me, (IORegistryEntry *)platform,
                                     gIODTPlane);
    IOService_super_stop(me, platform);
}

/* What the superclass does, too, but 10.4 and 10.5 do not export its function. */
static IOService *provider_match_location(IOService *me, IOService *client)
{
    return me;
}

IOKIT_CLASS(17, HyperVPCIProvider, IOACPIPlatformDevice,
            .probe = provider_probe,
            .start = provider_start,
            .stop = provider_stop,
            .matchLocation = provider_match_location)
