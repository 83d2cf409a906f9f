/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVTimeSync: attaches the time engine to its channel and its daemon. */
#include "abi/runtime.h"
#include "kext/core/controller.h"
#include "kext/services/daemon_service.h"
#include "kext/services/time_sync.h"

struct HyperVTimeSync {
    struct daemon_service_object object;
    struct time_sync time_sync;
};
typedef struct HyperVTimeSync HyperVTimeSync;

static const struct daemon_service_description description = {
    .class_name = "HyperVTimeSync",
    .off_switch = "-hvtimeoff",
    .control_name = SERVICE_CONTROL_TIME_SYNC,
    .service = &time_sync_service,
    .ring_pages = 3,
    .message_maximum = 256,
    .timeout_ms = 1000,
    .timeout_status = IC_STATUS_FAIL,
    .daemon_ready = time_sync_daemon_ready,
};

static uint64_t reference_now(void *context)
{
    HyperVController *controller = controller_instance();

    return controller != NULL ? controller_reference_time(controller) : 0;
}

static bool time_sync_start(IOService *me, IOService *provider)
{
    HyperVTimeSync *self = (HyperVTimeSync *)me;

    self->time_sync.port = &self->object.daemon.port;
    self->time_sync.reference_now = reference_now;
    return daemon_service_start(&self->object, provider, &description, &self->time_sync);
}

static void time_sync_stop(IOService *me, IOService *provider)
{
    daemon_service_stop((struct daemon_service_object *)me, provider);
}

IOKIT_CLASS(14, HyperVTimeSync, IOService,
            .start = time_sync_start,
            .stop = time_sync_stop)
