/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVPCIBridge: properties that the boot loader has for a device, and counters. */
#include "abi/OSData.h"
#include "abi/OSDictionary.h"
#include "abi/OSNumber.h"
#include "abi/kpi/globals.h"
#include "kext/core/log.h"
#include "kext/core/offer.h"
#include "kext/pci/HyperVPCIBridge.h"
#include "kext/pci/device_properties.h"

static const char who[] = "HyperVPCIBridge";

/* The injected buffer, borrowed from the entry, or NULL. */
static OSData *find_buffer(IORegistryEntry *entry)
{
    if (entry == NULL)
        return NULL;
    return iokit_cast(OSData, IORegistryEntry_getProperty_cstring(entry, "device-properties"));
}

static void set_all(IOPCIDevice *nub, struct device_properties *properties)
{
    IORegistryEntry *entry = (IORegistryEntry *)nub;
    struct device_property property;
    int error;

    while ((error = device_properties_next(properties, &property)) == 0)
        IORegistryEntry_setProperty_cstring_pointer(
            entry, property.name, (void *)(uintptr_t)property.value, property.length);
    if (error == HV_ERROR_MALFORMED)
        hv_log(who, "the boot loader's device properties end in the middle of one");
}

void bridge_inject_properties(HyperVPCIBridge *bridge, IOPCIDevice *nub)
{
    const struct offer *offer = device_offer(bridge->device);
    IORegistryEntry *entry = IORegistryEntry_fromPath("/efi", gIODTPlane, NULL, NULL, NULL);
    OSData *buffer = find_buffer(entry);
    struct device_properties properties;
    int error = buffer == NULL
                    ? HV_ERROR_NOT_FOUND
                    : device_properties_find(OSData_getBytesNoCopy(buffer),
                                             OSData_getLength(buffer), &offer->class_id,
                                             &offer->instance_id, &properties);

    if (error == 0)
        set_all(nub, &properties);
    else if (error == HV_ERROR_MALFORMED)
        hv_log(who, "the boot loader's device properties cannot be read");
    iokit_release(entry);
}

static void add(OSDictionary *dictionary, const char *key, uint64_t value)
{
    OSNumber *number = OSNumber_withNumber_number(value, 64);

    if (number != NULL)
        OSDictionary_setObject_cstring(dictionary, key, (OSMetaClassBase *)number);
    iokit_release(number);
}

void bridge_publish_counters(HyperVPCIBridge *bridge)
{
    OSDictionary *dictionary = OSDictionary_withCapacity(8);
    struct vpci_counters counters;
    struct interrupts *interrupts = &bridge->interrupts;

    if (dictionary == NULL)
        return;
    IOLockLock(bridge->lock);
    counters = bridge->vpci.counters;
    add(dictionary, "Interrupts made", interrupts->made);
    add(dictionary, "Interrupts deleted", interrupts->deleted);
    IOLockUnlock(bridge->lock);
    add(dictionary, "Malformed", counters.malformed);
    add(dictionary, "Unexpected", counters.unexpected);
    add(dictionary, "Relations", counters.relations);
    add(dictionary, "Repeated ejects", counters.repeated_ejects);
    add(dictionary, "Ignored functions", counters.ignored_functions);
    IORegistryEntry_setProperty_cstring_object((IORegistryEntry *)bridge, "HVPCICounters",
                                               (OSObject *)dictionary);
    iokit_release(dictionary);
}
