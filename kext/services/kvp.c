/* SPDX-License-Identifier: BSD-3-Clause */
/* Data exchange. */
#include "kext/services/kvp.h"

#include "kext/core/shared_memory.h"

static uint32_t load(const void *body, uint32_t offset)
{
    uint32_t value;

    memcpy(&value, (const uint8_t *)body + offset, sizeof value);
    return value;
}

static bool item_fits(const void *body, uint32_t at)
{
    return load(body, at + offsetof(struct ic_kvp_value, key_size)) <= IC_KVP_KEY_SIZE &&
           load(body, at + offsetof(struct ic_kvp_value, value_size)) <= IC_KVP_VALUE_SIZE;
}

/* Bytes of an address block: of text, or from version 5.0 on of arrays. */
static uint32_t block_size_of(uint32_t version)
{
    return version >= IC_KVP_5_0 ? sizeof(struct ic_kvp_ip_binary) : sizeof(struct ic_kvp_ip);
}

static uint32_t check(const struct ic_kvp_header *header, const void *body, uint32_t size,
                      uint32_t block_size)
{
    bool good;

    if (header->operation > IC_KVP_SET_IP)
        return IC_STATUS_NOT_SUPPORTED;
    if (header->pool > IC_KVP_POOL_INTERNAL && header->operation <= IC_KVP_ENUMERATE)
        return IC_STATUS_INVALID_ARGUMENT;
    switch (header->operation) {
    case IC_KVP_DELETE:
        good = size >= sizeof(struct ic_kvp_delete) &&
               load(body, offsetof(struct ic_kvp_delete, key_size)) <= IC_KVP_KEY_SIZE;
        break;
    case IC_KVP_ENUMERATE:
        good = size >= sizeof(struct ic_kvp_enumerate);
        break;
    case IC_KVP_GET:
    case IC_KVP_SET:
        good = size >= sizeof(struct ic_kvp_exchange) &&
               item_fits(body, offsetof(struct ic_kvp_exchange, item));
        break;
    default:
        good = size >= block_size;
        break;
    }
    return good ? IC_STATUS_OK : IC_STATUS_INVALID_ARGUMENT;
}

static enum integration_answer exchange(struct integration_engine *engine, void *body,
                                        uint32_t *body_size, uint32_t capacity, uint32_t *status)
{
    struct kvp *kvp = engine->context;
    const uint32_t block_size = block_size_of(engine->message_version);
    uint32_t size = *body_size;
    struct ic_kvp_header header;

    memcpy(&header, body, sizeof header);
    *status = check(&header, body, size, block_size);
    if (*status != IC_STATUS_OK) {
        kvp->refused++;
        return INTEGRATION_REPLY;
    }
    if (header.operation > IC_KVP_ENUMERATE)
        size = block_size;                  /* by which the daemon knows the form */
    if (daemon_ask(kvp->port, body, size))
        return INTEGRATION_LATER;
    *status = IC_STATUS_FAIL;
    return INTEGRATION_REPLY;
}

static void reset(struct integration_engine *engine)
{
    struct kvp *kvp = engine->context;

    daemon_reset(kvp->port);
}

const struct integration_service kvp_service = {
    .name = "data exchange",
    .message_type = IC_MESSAGE_KVP,
    .body_minimum = sizeof(struct ic_kvp_header),
    .framework_versions = { IC_FRAMEWORK_3_0, IC_FRAMEWORK_1_0 },
    /* Linux takes 4.0 of hosts that also have 5.0: that is what hosts are known to be right with.
     */
    .message_versions = { IC_KVP_4_0, IC_KVP_5_0, IC_KVP_3_0, IC_KVP_1_0 },
    .handle = exchange,
    .reset = reset,
};
