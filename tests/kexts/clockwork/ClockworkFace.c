/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver that matches the movement's nub by a property, and what it finds there. */
#include "tests/kexts/clockwork/Clockwork.h"

#include "abi/OSString.h"
#include "abi/kpi/iolib.h"

struct ClockworkFace {
    IOService super;
};

static IOService *probe(IOService *me, IOService *provider, int32_t *score)
{
    *score += 10;
    return IOService_super_probe(me, provider, score);
}

static bool start(IOService *me, IOService *provider)
{
    OSString *kind = iokit_cast(OSString, IORegistryEntry_getProperty_cstring(
                                              (IORegistryEntry *)provider, "Hand"));

    if (kind == NULL || !IOService_super_start(me, provider))
        return false;
    clockwork_log("the face shows the %s hand", OSString_getCStringNoCopy(kind));
    IOService_registerService(me, 0);
    return true;
}

IOKIT_CLASS(13, ClockworkFace, IOService, .probe = probe, .start = start)
