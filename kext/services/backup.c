/* SPDX-License-Identifier: BSD-3-Clause */
/* Backup. */
#include "kext/services/backup.h"

#include "kext/core/shared_memory.h"

/* ---- Writes to the disks ---- */

void backup_let_go(void *context)
{
    struct backup *backup = context;

    if (backup->holding && !backup->hold.end(backup->hold.context))
        backup->spoilt = true;
    backup->holding = false;
}

static bool hold_writes(struct backup *backup)
{
    if (backup->holding) {
        backup_let_go(backup);              /* frozen twice: what is to become of it? */
        return false;
    }
    backup->spoilt = false;
    if (backup->hold.begin == NULL)
        return true;
    backup->holding = backup->hold.begin(backup->hold.context);
    return backup->holding;
}

uint32_t backup_answering(void *context, uint32_t status)
{
    struct backup *backup = context;

    if (backup->operation == IC_VSS_THAW && backup->spoilt)
        return IC_STATUS_FAIL;
    if (backup->operation != IC_VSS_FREEZE || status != IC_STATUS_OK || hold_writes(backup))
        return status;
    daemon_reset(backup->port);             /* which thaws */
    return IC_STATUS_FAIL;
}

/* ---- The host's requests ---- */

/* What the daemon is told about an operation: the head of the host's message. */
static bool ask(struct backup *backup, const void *body, uint8_t operation)
{
    backup->operation = operation;
    return daemon_ask(backup->port, body, sizeof(struct ic_vss_header));
}

static enum integration_answer reply_flags(void *body, uint32_t size, uint32_t flags,
                                           uint32_t *status)
{
    if (size < sizeof(struct ic_vss_flags))
        *status = IC_STATUS_INVALID_ARGUMENT;
    else
        memcpy((uint8_t *)body + offsetof(struct ic_vss_flags, flags), &flags, sizeof flags);
    return INTEGRATION_REPLY;
}

/* Only with a daemon that can do it is a backup of the running machine possible. */
static enum integration_answer back_up(struct integration_engine *engine, void *body,
                                       uint32_t *body_size, uint32_t capacity, uint32_t *status)
{
    struct backup *backup = engine->context;
    struct ic_vss_header header;

    memcpy(&header, body, sizeof header);
    switch (header.operation) {
    case IC_VSS_CREATE:
    case IC_VSS_DELETE:
    case IC_VSS_BACKUP_COMPLETE:
        return INTEGRATION_REPLY;           /* nothing to do, as Linux has it */
    case IC_VSS_DIRECT_DEVICES:
        return reply_flags(body, *body_size, 0, status);
    case IC_VSS_HOT_BACKUP:
        reply_flags(body, *body_size, IC_VSS_HOT_BACKUP_POSSIBLE | IC_VSS_HOT_BACKUP_NO_RECOVERY,
                    status);
        if (*status != IC_STATUS_OK)
            return INTEGRATION_REPLY;
        break;
    case IC_VSS_FREEZE:
        backup->freezes++;
        break;
    case IC_VSS_THAW:
        backup_let_go(backup);              /* first: the daemon may have to write */
        backup->thaws++;
        break;
    default:
        *status = IC_STATUS_NOT_SUPPORTED;
        return INTEGRATION_REPLY;
    }
    if (ask(backup, body, header.operation))
        return INTEGRATION_LATER;
    *status = IC_STATUS_FAIL;
    return INTEGRATION_REPLY;
}

static void reset(struct integration_engine *engine)
{
    struct backup *backup = engine->context;

    backup_let_go(backup);
    daemon_reset(backup->port);
}

const struct integration_service backup_service = {
    .name = "backup",
    .message_type = IC_MESSAGE_VSS,
    .body_minimum = sizeof(struct ic_vss_header),
    .framework_versions = { IC_FRAMEWORK_3_0 },
    .message_versions = { IC_VSS_5_0, IC_VSS_4_0 },
    .handle = back_up,
    .reset = reset,
};
