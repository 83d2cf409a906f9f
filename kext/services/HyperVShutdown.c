/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVShutdown: attaches the shutdown engine to its channel and its daemon. */
#include "abi/runtime.h"
#include "kext/services/daemon_service.h"
#include "kext/services/shutdown.h"

struct HyperVShutdown {
    struct daemon_service_object object;
    struct shutdown shutdown;
};
typedef struct HyperVShutdown HyperVShutdown;

static const struct daemon_service_description description = {
    .class_name = "HyperVShutdown",
    .off_switch = "-hvshutoff",
    .control_name = SERVICE_CONTROL_SHUTDOWN,
    .service = &shutdown_service,
    .ring_pages = 3,
    .message_maximum = 4096,
    .timeout_ms = 5000,
    .timeout_status = IC_STATUS_FAIL,
    .daemon_ready = shutdown_daemon_ready,
    .answered = shutdown_answered,
};

static bool shutdown_start(IOService *me, IOService *provider)
{
    HyperVShutdown *self = (HyperVShutdown *)me;

    self->shutdown.port = &self->object.daemon.port;
    return daemon_service_start(&self->object, provider, &description, &self->shutdown);
}

static void shutdown_stop(IOService *me, IOService *provider)
{
    daemon_service_stop((struct daemon_service_object *)me, provider);
}

IOKIT_CLASS(14, HyperVShutdown, IOService,
            .start = shutdown_start,
            .stop = shutdown_stop)
