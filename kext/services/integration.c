/* SPDX-License-Identifier: BSD-3-Clause */
/* Framework of the integration services. */
#include "kext/services/integration.h"

#include "kext/core/shared_memory.h"

#define HEADER_SIZE ((uint32_t)sizeof(struct ic_message_header))

void integration_init(struct integration_engine *engine, const struct integration_service *service,
                      void *context)
{
    memset(engine, 0, sizeof *engine);
    engine->service = service;
    engine->context = context;
}

/* Completes the header of a reply; returns the whole length. */
static int make_reply(void *message, uint32_t status, uint32_t body_size)
{
    struct ic_message_header header;

    memcpy(&header, message, sizeof header);
    header.pipe.type = VMBUS_PIPE_DATA;
    header.pipe.length = IC_HEADER_SIZE_WITHOUT_PIPE + body_size;
    header.body_size = (uint16_t)body_size;
    header.status = status;
    header.flags = IC_FLAGS_RESPONSE;
    memcpy(message, &header, sizeof header);
    return (int)(HEADER_SIZE + body_size);
}

/* ---- Negotiation ----------------------------------------------------------------------------- */

static uint32_t version_at(const uint8_t *versions, uint32_t index)
{
    struct ic_version version;

    memcpy(&version, versions + index * sizeof version, sizeof version);
    return IC_VERSION(version.major, version.minor);
}

/* The best of ours that is among the host's `count`; 0 if none is. */
static uint32_t choose(const uint32_t *ours, const uint8_t *theirs, uint32_t count)
{
    for (uint32_t i = 0; i < INTEGRATION_VERSIONS_MAXIMUM && ours[i] != 0; i++)
        for (uint32_t j = 0; j < count; j++)
            if (version_at(theirs, j) == ours[i])
                return ours[i];
    return 0;
}

static struct ic_version wire_version(uint32_t version)
{
    return (struct ic_version){ (uint16_t)IC_VERSION_MAJOR(version),
                                (uint16_t)IC_VERSION_MINOR(version) };
}

static int negotiate(struct integration_engine *engine, void *message, uint32_t body_size,
                     uint32_t capacity)
{
    uint8_t *body = (uint8_t *)message + HEADER_SIZE;
    struct ic_negotiate_reply reply;
    struct ic_negotiate counts;
    uint32_t total;

    if (body_size < sizeof counts || capacity < HEADER_SIZE + sizeof reply)
        return HV_ERROR_MALFORMED;
    memcpy(&counts, body, sizeof counts);
    total = (uint32_t)counts.framework_version_count + counts.message_version_count;
    if (total * sizeof(struct ic_version) > body_size - sizeof counts)
        return HV_ERROR_MALFORMED;
    body += sizeof counts;
    engine->framework_version =
        choose(engine->service->framework_versions, body, counts.framework_version_count);
    engine->message_version =
        choose(engine->service->message_versions,
               body + counts.framework_version_count * sizeof(struct ic_version),
               counts.message_version_count);
    engine->negotiated = engine->framework_version != 0 && engine->message_version != 0;
    engine->generation++;
    engine->counters.negotiations++;
    if (engine->service->reset != NULL)
        engine->service->reset(engine);
    memset(&reply, 0, sizeof reply);
    if (engine->negotiated) {
        reply.framework_version_count = 1;
        reply.message_version_count = 1;
        reply.framework_version = wire_version(engine->framework_version);
        reply.message_version = wire_version(engine->message_version);
    }
    memcpy((uint8_t *)message + HEADER_SIZE, &reply, sizeof reply);
    return make_reply(message, engine->negotiated ? IC_STATUS_OK : IC_STATUS_FAIL, sizeof reply);
}

/* ---- Requests -------------------------------------------------------------------------------- */

static int refuse(struct integration_engine *engine, void *message, uint32_t body_size,
                  uint32_t status)
{
    engine->counters.refused++;
    return make_reply(message, status, body_size);
}

static int handle(struct integration_engine *engine, void *message, uint32_t body_size,
                  uint32_t capacity)
{
    uint32_t status = IC_STATUS_OK, size = body_size;

    if (body_size < engine->service->body_minimum)
        return refuse(engine, message, body_size, IC_STATUS_INVALID_ARGUMENT);
    engine->counters.requests++;
    if (engine->service->handle(engine, (uint8_t *)message + HEADER_SIZE, &size,
                                capacity - HEADER_SIZE, &status) == INTEGRATION_LATER)
        return 0;
    return make_reply(message, status, size);
}

int integration_receive(struct integration_engine *engine, void *message, uint32_t length,
                        uint32_t capacity)
{
    struct ic_message_header header;
    int result;

    if (length < HEADER_SIZE || capacity < length) {
        engine->counters.dropped++;
        return HV_ERROR_MALFORMED;
    }
    memcpy(&header, message, sizeof header);
    if (header.pipe.type != VMBUS_PIPE_DATA || header.pipe.length < IC_HEADER_SIZE_WITHOUT_PIPE ||
        header.pipe.length > length - sizeof header.pipe ||
        header.body_size > header.pipe.length - IC_HEADER_SIZE_WITHOUT_PIPE ||
        (header.flags & IC_FLAG_RESPONSE) != 0) {
        engine->counters.dropped++;
        return HV_ERROR_MALFORMED;
    }
    if (header.message_type == IC_MESSAGE_NEGOTIATE) {
        result = negotiate(engine, message, header.body_size, capacity);
        if (result < 0)
            engine->counters.dropped++;
        return result;
    }
    if (header.message_type != engine->service->message_type)
        return refuse(engine, message, header.body_size, IC_STATUS_NOT_SUPPORTED);
    if (!engine->negotiated)
        return refuse(engine, message, header.body_size, IC_STATUS_FAIL);
    return handle(engine, message, header.body_size, capacity);
}

int integration_finish(struct integration_engine *engine, void *message, uint32_t generation,
                       uint32_t status, uint32_t body_size)
{
    if (generation != engine->generation) {
        engine->counters.stale++;
        return HV_ERROR_GONE;
    }
    return make_reply(message, status, body_size);
}
