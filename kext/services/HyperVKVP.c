/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVKVP: attaches the kvp engine to its channel and its daemon. */
#include "abi/runtime.h"
#include "kext/services/daemon_service.h"
#include "kext/services/kvp.h"

struct HyperVKVP {
    struct daemon_service_object object;
    struct kvp kvp;
};
typedef struct HyperVKVP HyperVKVP;

static const struct daemon_service_description description = {
    .class_name = "HyperVKVP",
    .off_switch = "-hvkvpoff",
    .control_name = SERVICE_CONTROL_KVP,
    .service = &kvp_service,
    .ring_pages = 4,
    .message_maximum = 8192,
    .timeout_ms = 15000,
    .timeout_status = IC_STATUS_FAIL,
};

static bool kvp_start(IOService *me, IOService *provider)
{
    HyperVKVP *self = (HyperVKVP *)me;

    self->kvp.port = &self->object.daemon.port;
    return daemon_service_start(&self->object, provider, &description, &self->kvp);
}

static void kvp_stop(IOService *me, IOService *provider)
{
    daemon_service_stop((struct daemon_service_object *)me, provider);
}

IOKIT_CLASS(9, HyperVKVP, IOService,
            .start = kvp_start,
            .stop = kvp_stop)
