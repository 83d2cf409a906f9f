/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVFileCopy: attaches the file copy engine to its channel and its daemon. */
#include "abi/runtime.h"
#include "kext/services/daemon_service.h"
#include "kext/services/file_copy.h"

struct HyperVFileCopy {
    struct daemon_service_object object;
    struct file_copy file_copy;
};
typedef struct HyperVFileCopy HyperVFileCopy;

static const struct daemon_service_description description = {
    .class_name = "HyperVFileCopy",
    .off_switch = "-hvfcopyoff",
    .control_name = SERVICE_CONTROL_FILE_COPY,
    .service = &file_copy_service,
    .ring_pages = 4,
    .message_maximum = 7168,
    .queue_maximum = FILE_COPY_AHEAD_MAXIMUM + 2,       /* a request, and a reset */
    .timeout_ms = 15000,
    .timeout_status = IC_STATUS_TIMEOUT,
    .answered = file_copy_answered,
};

static bool file_copy_start(IOService *me, IOService *provider)
{
    HyperVFileCopy *self = (HyperVFileCopy *)me;

    self->file_copy.port = &self->object.daemon.port;
    return daemon_service_start(&self->object, provider, &description, &self->file_copy);
}

static void file_copy_stop(IOService *me, IOService *provider)
{
    daemon_service_stop((struct daemon_service_object *)me, provider);
}

IOKIT_CLASS(14, HyperVFileCopy, IOService,
            .start = file_copy_start,
            .stop = file_copy_stop)
