/* SPDX-License-Identifier: BSD-3-Clause */
/* The heartbeat service. */
#include "kext/services/heartbeat.h"

#include "kext/core/shared_memory.h"

static enum integration_answer beat(struct integration_engine *engine, void *body,
                                    uint32_t *body_size, uint32_t capacity, uint32_t *status)
{
    struct heartbeat *heartbeat = engine->context;
    uint64_t sequence;

    memcpy(&sequence, body, sizeof sequence);
    heartbeat->last_sequence = sequence;
    heartbeat->beats++;
    sequence++;
    memcpy(body, &sequence, sizeof sequence);   /* what follows is echoed: applications unknown */
    return INTEGRATION_REPLY;
}

const struct integration_service heartbeat_service = {
    .name = "heartbeat",
    .message_type = IC_MESSAGE_HEARTBEAT,
    .body_minimum = IC_HEARTBEAT_SIZE_MINIMUM,
    .framework_versions = { IC_FRAMEWORK_3_0, IC_FRAMEWORK_1_0 },
    .message_versions = { IC_HEARTBEAT_3_0, IC_HEARTBEAT_1_0 },
    .handle = beat,
};
