/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVBackup: attaches the backup engine to its channel and its daemon. */
#include "abi/runtime.h"
#include "kext/services/daemon_service.h"
#include "kext/services/backup.h"

struct HyperVBackup {
    struct daemon_service_object object;
    struct backup backup;
};
typedef struct HyperVBackup HyperVBackup;

static const struct daemon_service_description description = {
    .class_name = "HyperVBackup",
    .off_switch = "-hvbackupoff",
    .control_name = SERVICE_CONTROL_BACKUP,
    .service = &backup_service,
    .ring_pages = 4,
    .message_maximum = IC_MESSAGE_MAXIMUM,
    .timeout_ms = 60000,
    .timeout_status = IC_STATUS_FAIL,
};

static bool backup_start(IOService *me, IOService *provider)
{
    HyperVBackup *self = (HyperVBackup *)me;

    self->backup.port = &self->object.daemon.port;
    return daemon_service_start(&self->object, provider, &description, &self->backup);
}

static void backup_stop(IOService *me, IOService *provider)
{
    daemon_service_stop((struct daemon_service_object *)me, provider);
}

IOKIT_CLASS(12, HyperVBackup, IOService,
            .start = backup_start,
            .stop = backup_stop)
