/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVHeartbeat: attaches the heartbeat engine to its channel. */
#include "abi/IOService.h"
#include "abi/runtime.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/log.h"
#include "kext/services/heartbeat.h"
#include "kext/services/integration_channel.h"

#define RING_PAGES      3u          /* as Linux has for its services */
#define MESSAGE_MAXIMUM 256u

struct HyperVHeartbeat {
    IOService super;
    struct integration_channel integration;
    struct heartbeat heartbeat;
};
typedef struct HyperVHeartbeat HyperVHeartbeat;

static bool heartbeat_start(IOService *me, IOService *provider)
{
    HyperVHeartbeat *self = (HyperVHeartbeat *)me;
    int error;

    if (boot_argument_given("-hvheartoff") || !IOService_super_start(me, provider))
        return false;
    error = integration_channel_open(&self->integration, provider, &heartbeat_service,
                                     &self->heartbeat, RING_PAGES, MESSAGE_MAXIMUM);
    if (error != 0) {
        hv_log("HyperVHeartbeat", "cannot open the channel (error %d)", error);
        IOService_super_stop(me, provider);
        return false;
    }
    IOService_registerService(me, 0);
    return true;
}

static void heartbeat_stop(IOService *me, IOService *provider)
{
    HyperVHeartbeat *self = (HyperVHeartbeat *)me;

    integration_channel_close(&self->integration);
    IOService_super_stop(me, provider);
}

IOKIT_CLASS(15, HyperVHeartbeat, IOService,
            .start = heartbeat_start,
            .stop = heartbeat_stop)
