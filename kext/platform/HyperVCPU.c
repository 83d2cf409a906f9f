/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVCPU: keeps AppleACPICPU away from processors that Mac OS X 10.4 has no room for, by taking
 * their ACPI devices itself. */
#include "abi/IOService.h"
#include "abi/OSNumber.h"
#include "abi/kpi/platform.h"
#include "abi/runtime.h"
#include "kext/core/log.h"
#include "kext/platform/cpu_limit.h"

struct HyperVCPU {
    IOService super;
};
typedef struct HyperVCPU HyperVCPU;

static IOService *cpu_probe(IOService *me, IOService *provider, int32_t *score)
{
    OSNumber *index = iokit_cast(OSNumber, IORegistryEntry_getProperty_cstring(
                                               (IORegistryEntry *)provider, "cpu index"));

    if (index == NULL ||
        !cpu_is_surplus((uint32_t)version_major, OSNumber_unsigned32BitValue(index)))
        return NULL;
    return IOService_super_probe(me, provider, score);
}

static bool cpu_start(IOService *me, IOService *provider)
{
    if (!IOService_super_start(me, provider))
        return false;
    hv_log("HyperVCPU", "processor %s is one too many for this macOS",
           IORegistryEntry_getName((IORegistryEntry *)provider, NULL));
    return true;
}

IOKIT_CLASS(9, HyperVCPU, IOService,
            .probe = cpu_probe,
            .start = cpu_start)
