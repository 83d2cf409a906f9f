/* SPDX-License-Identifier: BSD-3-Clause */
/* The platform expert as C functions (xnu iokit/Kernel/IOPlatformExpert.cpp). */
#include "abi/IOPlatformExpert.h"
#include "abi/kpi/libkern.h"

#include "xnu/bsd/kpi.h"
#include "xnu/iokit/service.h"

KPI(boolean_t, PEGetModelName, (char *name, int size))
{
    IOPlatformExpert *platform = IOService_getPlatform();

    return platform && IOPlatformExpert_getModelName(platform, name, size);
}

KPI(boolean_t, PEGetMachineName, (char *name, int size))
{
    IOPlatformExpert *platform = IOService_getPlatform();

    return platform && IOPlatformExpert_getMachineName(platform, name, size);
}

KPI(boolean_t, PEGetTargetName, (char *name, int size))
{
    IOPlatformExpert *platform = IOService_getPlatform();

    return platform && IOPlatformExpert_getTargetName(platform, name, size);
}

KPI(boolean_t, PEGetProductName, (char *name, int size))
{
    IOPlatformExpert *platform = IOService_getPlatform();

    return platform && IOPlatformExpert_getProductName(platform, name, size);
}

KPI(int, PEGetPlatformEpoch, (void))
{
    IOPlatformExpert *platform = IOService_getPlatform();

    return platform ? (int)IOPlatformExpert_getBootROMType(platform) : -1;
}

KPI(int, PEHaltRestart, (unsigned int type))
{
    IOPlatformExpert *platform = IOService_getPlatform();

    return platform ? IOPlatformExpert_haltRestart(platform, type) : -1;
}

KPI(long, PEGetGMTTimeOfDay, (void))
{
    IOPlatformExpert *platform = IOService_getPlatform();

    return platform ? IOPlatformExpert_getGMTTimeOfDay(platform) : 0;
}

KPI(void, PESetGMTTimeOfDay, (long seconds))
{
    IOPlatformExpert *platform = IOService_getPlatform();

    if (platform)
        IOPlatformExpert_setGMTTimeOfDay(platform, seconds);
}
