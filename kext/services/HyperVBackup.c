/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVBackup: attaches the backup engine to its channel and its daemon. */
#include "abi/runtime.h"
#include "kext/core/controller.h"
#include "kext/services/daemon_service.h"
#include "kext/services/backup.h"

struct HyperVBackup {
    struct daemon_service_object object;
    struct backup backup;
};
typedef struct HyperVBackup HyperVBackup;

/* Hosts need a few seconds for a checkpoint. What cannot be written for longer makes programs, and
 * their users, think that the machine is dead. */
enum { HOLD_LIMIT_MS = 20000 };

static const struct daemon_service_description description = {
    .class_name = "HyperVBackup",
    .off_switch = "-hvsnapoff",
    .control_name = SERVICE_CONTROL_BACKUP,
    .service = &backup_service,
    .ring_pages = 4,
    .message_maximum = IC_MESSAGE_MAXIMUM,
    .timeout_ms = 60000,
    .timeout_status = IC_STATUS_FAIL,
    .daemon_gone = backup_let_go,
    .answering = backup_answering,
};

static bool begin_hold(void *context)
{
    return write_hold_begin(context, HOLD_LIMIT_MS);
}

static bool end_hold(void *context)
{
    return write_hold_end(context);
}

static bool backup_start(IOService *me, IOService *provider)
{
    HyperVBackup *self = (HyperVBackup *)me;

    self->backup.port = &self->object.daemon.port;
    self->backup.hold = (struct backup_hold){ .context = &controller_instance()->write_hold,
                                              .begin = begin_hold, .end = end_hold };
    return daemon_service_start(&self->object, provider, &description, &self->backup);
}

static void backup_stop(IOService *me, IOService *provider)
{
    struct backup *backup = &((HyperVBackup *)me)->backup;

    backup_let_go(backup); /* at once: stopping waits for the daemon, which may have to write */
    daemon_service_stop((struct daemon_service_object *)me, provider);
    backup_let_go(backup);      /* of an answer that came in between */
}

IOKIT_CLASS(12, HyperVBackup, IOService,
            .start = backup_start,
            .stop = backup_stop)
