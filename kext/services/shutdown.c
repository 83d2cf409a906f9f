/* SPDX-License-Identifier: BSD-3-Clause */
/* The shutdown service. */
#include "kext/services/shutdown.h"

#include "kext/core/shared_memory.h"

#define FLAGS_KNOWN (IC_SHUTDOWN_FORCE | IC_SHUTDOWN_RESTART | IC_SHUTDOWN_HIBERNATE)

/* What may be asked, before the daemon is. */
static uint32_t judge(const struct integration_engine *engine, uint32_t flags)
{
    const struct shutdown *shutdown = engine->context;

    if ((flags & ~FLAGS_KNOWN) != 0 ||
        ((flags & IC_SHUTDOWN_RESTART) != 0 && (flags & IC_SHUTDOWN_HIBERNATE) != 0))
        return IC_STATUS_INVALID_ARGUMENT;
    if ((flags & IC_SHUTDOWN_RESTART) != 0 && engine->message_version < IC_SHUTDOWN_3_1)
        return IC_STATUS_INVALID_ARGUMENT;
    if ((flags & IC_SHUTDOWN_HIBERNATE) != 0)
        return IC_STATUS_NOT_SUPPORTED;     /* macOS hibernates to a disk that Hyper-V lacks */
    return shutdown->in_progress ? IC_STATUS_SHUTDOWN_IN_PROGRESS : IC_STATUS_OK;
}

static enum integration_answer shut_down(struct integration_engine *engine, void *body,
                                         uint32_t *body_size, uint32_t capacity, uint32_t *status)
{
    struct shutdown *shutdown = engine->context;
    uint32_t flags, known = sizeof(struct ic_shutdown);

    memcpy(&flags, (uint8_t *)body + offsetof(struct ic_shutdown, flags), sizeof flags);
    *status = judge(engine, flags);
    if (*status != IC_STATUS_OK)
        return INTEGRATION_REPLY;
    memcpy(shutdown->request, body, sizeof shutdown->request);
    if (daemon_ask(shutdown->port, body, *body_size < known ? *body_size : known))
        return INTEGRATION_LATER;
    *status = IC_STATUS_FAIL;
    return INTEGRATION_REPLY;
}

void shutdown_answered(void *context, uint32_t status)
{
    struct shutdown *shutdown = context;

    if (status != IC_STATUS_OK)
        return;
    shutdown->in_progress =
        daemon_tell(shutdown->port, shutdown->request, sizeof shutdown->request);
}

void shutdown_daemon_ready(void *context)
{
    struct shutdown *shutdown = context;

    shutdown->in_progress = false;
}

static void reset(struct integration_engine *engine)
{
    struct shutdown *shutdown = engine->context;

    daemon_reset(shutdown->port);
}

const struct integration_service shutdown_service = {
    .name = "shutdown",
    .message_type = IC_MESSAGE_SHUTDOWN,
    .body_minimum = IC_SHUTDOWN_SIZE_MINIMUM,
    .framework_versions = { IC_FRAMEWORK_3_0, IC_FRAMEWORK_1_0 },
    .message_versions = { IC_SHUTDOWN_3_2, IC_SHUTDOWN_3_1, IC_SHUTDOWN_3_0, IC_SHUTDOWN_1_0 },
    .handle = shut_down,
    .reset = reset,
};
