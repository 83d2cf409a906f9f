/* SPDX-License-Identifier: BSD-3-Clause */
#include "kext/network/nvs.h"

#include "kext/core/errors.h"

static const uint32_t versions[] = { NVSP_VERSION_6_1, NVSP_VERSION_6, NVSP_VERSION_5,
                                     NVSP_VERSION_4,   NVSP_VERSION_2, NVSP_VERSION_1 };
enum { VERSION_COUNT = sizeof versions / sizeof versions[0] };

static void begin_message(struct nvsp_message *message, uint32_t type)
{
    *message = (struct nvsp_message){ .type = type };
}

/* Copies a reply of the wanted type, of which `needed` bytes are read. */
static int take_reply(struct nvs_counters *counters, const void *reply, uint32_t size,
                      uint32_t type, uint32_t needed, struct nvsp_message *message)
{
    if (size < needed) {
        counters->short_packets++;
        return HV_ERROR_MALFORMED;
    }
    *message = (struct nvsp_message){ .type = 0 };
    __builtin_memcpy(message, reply, size < sizeof *message ? size : sizeof *message);
    if (message->type != type) {
        counters->unexpected_packets++;
        return HV_ERROR_MALFORMED;
    }
    return 0;
}

/* ---- version ---- */

static void version_message(const struct nvs *nvs, struct nvsp_message *message)
{
    begin_message(message, NVSP_INIT);
    message->init.version_min = versions[nvs->ladder];
    message->init.version_max = versions[nvs->ladder];
}

void nvs_begin(struct nvs *nvs, struct nvsp_message *message)
{
    *nvs = (struct nvs){ .ladder = 0 };
    version_message(nvs, message);
}

int nvs_version_reply(struct nvs *nvs, const void *reply, uint32_t size,
                      struct nvsp_message *message, bool *again)
{
    struct nvsp_message answer;
    int error = take_reply(&nvs->counters, reply, size, NVSP_INIT_COMPLETE,
                           NVSP_HEADER_SIZE + sizeof answer.init_complete, &answer);

    *again = false;
    if (error != 0)
        return error;
    if (answer.init_complete.status == NVSP_STATUS_SUCCESS) {
        nvs->version = versions[nvs->ladder];
        return 0;
    }
    nvs->counters.versions_refused++;
    if (nvs->ladder + 1 < VERSION_COUNT) {
        nvs->ladder++;
        version_message(nvs, message);
        *again = true;
    }
    return HV_ERROR_REFUSED;
}

bool nvs_configuration_message(const struct nvs *nvs, uint32_t mtu, struct nvsp_message *message)
{
    if (nvs->version < NVSP_VERSION_2)
        return false;
    begin_message(message, NVSP_SEND_NDIS_CONFIG);
    message->ndis_config.mtu = mtu;
    message->ndis_config.capabilities = NVSP_CAPABILITY_8021Q;
    if (nvs->version >= NVSP_VERSION_5)
        message->ndis_config.capabilities |= NVSP_CAPABILITY_TEAMING; /* news of the link's speed */
    if (nvs->version >= NVSP_VERSION_6_1)
        message->ndis_config.capabilities |= NVSP_CAPABILITY_RSC;
    return true;
}

void nvs_ndis_version_message(const struct nvs *nvs, struct nvsp_message *message)
{
    begin_message(message, NVSP_SEND_NDIS_VERSION);
    message->ndis_version.major = 6;
    message->ndis_version.minor = nvs->version >= NVSP_VERSION_5 ? 0x1e : 1;
}

/* ---- buffers ---- */

uint32_t nvs_receive_buffer_maximum(const struct nvs *nvs)
{
    return nvs->version <= NVSP_VERSION_2 ? NVSP_RECEIVE_BUFFER_MAX_OLD : NVSP_RECEIVE_BUFFER_MAX;
}

void nvs_receive_buffer_message(uint32_t gpadl_id, struct nvsp_message *message)
{
    begin_message(message, NVSP_SEND_RECEIVE_BUFFER);
    message->buffer.gpadl_id = gpadl_id;
    message->buffer.id = NVSP_RECEIVE_BUFFER_ID;
}

int nvs_receive_buffer_reply(struct nvs *nvs, const void *reply, uint32_t size,
                             uint32_t buffer_size)
{
    struct nvsp_message answer;
    const struct nvsp_receive_buffer_complete *complete = &answer.receive_buffer_complete;
    int error = take_reply(&nvs->counters, reply, size, NVSP_RECEIVE_BUFFER_COMPLETE,
                           NVSP_HEADER_SIZE + sizeof *complete, &answer);

    if (error != 0)
        return error;
    if (complete->status != NVSP_STATUS_SUCCESS)
        return HV_ERROR_REFUSED;
    if (complete->section_count != 1 || complete->offset != 0 ||
        complete->unit_size < NVS_UNIT_SIZE_MIN || complete->unit_count == 0 ||
        complete->unit_count > buffer_size / complete->unit_size)
        return HV_ERROR_MALFORMED;
    nvs->unit_size = complete->unit_size;
    nvs->receive_bytes = complete->unit_size * complete->unit_count;
    return 0;
}

void nvs_send_buffer_message(uint32_t gpadl_id, struct nvsp_message *message)
{
    begin_message(message, NVSP_SEND_SEND_BUFFER);
    message->buffer.gpadl_id = gpadl_id;
    message->buffer.id = NVSP_SEND_BUFFER_ID;
}

int nvs_send_buffer_reply(struct nvs *nvs, const void *reply, uint32_t size, uint32_t buffer_size)
{
    struct nvsp_message answer;
    int error = take_reply(&nvs->counters, reply, size, NVSP_SEND_BUFFER_COMPLETE,
                           NVSP_HEADER_SIZE + sizeof answer.send_buffer_complete, &answer);

    if (error != 0)
        return error;
    if (answer.send_buffer_complete.status != NVSP_STATUS_SUCCESS)
        return HV_ERROR_REFUSED;
    if (answer.send_buffer_complete.section_size < NVS_SECTION_SIZE_MIN ||
        answer.send_buffer_complete.section_size > buffer_size)
        return HV_ERROR_MALFORMED;
    nvs->section_size = answer.send_buffer_complete.section_size;
    nvs->section_count = buffer_size / nvs->section_size;
    return 0;
}

void nvs_revoke_message(enum nvs_buffer which, struct nvsp_message *message)
{
    begin_message(message, which == NVS_RECEIVE_BUFFER ? NVSP_REVOKE_RECEIVE_BUFFER
                                                       : NVSP_REVOKE_SEND_BUFFER);
    message->revoke.id = which == NVS_RECEIVE_BUFFER ? NVSP_RECEIVE_BUFFER_ID : NVSP_SEND_BUFFER_ID;
}

/* ---- RNDIS messages ---- */

void nvs_rndis_message(uint32_t channel_type, uint32_t section, uint32_t bytes,
                       struct nvsp_message *message)
{
    begin_message(message, NVSP_RNDIS_PACKET);
    message->rndis.channel_type = channel_type;
    message->rndis.section_index = section;
    message->rndis.section_bytes = bytes;
}

void nvs_acknowledgement(struct nvsp_message *message)
{
    begin_message(message, NVSP_RNDIS_PACKET_COMPLETE);
    message->status.status = NVSP_STATUS_SUCCESS;
}

int nvs_receive_header(struct nvs_counters *counters, const void *payload, uint32_t size,
                       uint32_t *channel_type)
{
    struct nvsp_message message;
    int error = take_reply(counters, payload, size, NVSP_RNDIS_PACKET,
                           NVSP_HEADER_SIZE + sizeof message.rndis, &message);

    if (error != 0)
        return error;
    if (message.rndis.channel_type > NVSP_CHANNEL_CONTROL) {
        counters->unexpected_packets++;
        return HV_ERROR_MALFORMED;
    }
    *channel_type = message.rndis.channel_type;
    return 0;
}

bool nvs_send_succeeded(struct nvs_counters *counters, const void *payload, uint32_t size)
{
    struct nvsp_message message;

    return take_reply(counters, payload, size, NVSP_RNDIS_PACKET_COMPLETE,
                      NVSP_HEADER_SIZE + sizeof message.status, &message) == 0 &&
           message.status.status == NVSP_STATUS_SUCCESS;
}

/* ---- sub-channels ---- */

void nvs_sub_channel_message(uint32_t count, struct nvsp_message *message)
{
    begin_message(message, NVSP_SUB_CHANNEL);
    message->sub_channel.operation = NVSP_SUB_CHANNEL_ALLOCATE;
    message->sub_channel.count = count;
}

int nvs_sub_channel_reply(struct nvs *nvs, const void *reply, uint32_t size, uint32_t asked,
                          uint32_t *granted)
{
    struct nvsp_message answer;
    int error = take_reply(&nvs->counters, reply, size, NVSP_SUB_CHANNEL,
                           NVSP_HEADER_SIZE + sizeof answer.sub_channel_complete, &answer);

    *granted = 0;
    if (error != 0)
        return error;
    if (answer.sub_channel_complete.status != NVSP_STATUS_SUCCESS)
        return HV_ERROR_REFUSED;
    if (answer.sub_channel_complete.count > asked)
        return HV_ERROR_MALFORMED;
    *granted = answer.sub_channel_complete.count;
    return 0;
}

/* ---- what the host says by itself ---- */

int nvs_indirection_table(struct nvs *nvs, const void *payload, uint32_t size, uint32_t channels,
                          uint8_t table[NVSP_INDIRECTION_ENTRIES])
{
    struct nvsp_message message;
    const uint32_t table_size = NVSP_INDIRECTION_ENTRIES * (uint32_t)sizeof(uint32_t);
    uint32_t type = 0;
    uint32_t offset;

    if (size >= sizeof type)
        __builtin_memcpy(&type, payload, sizeof type);
    if (type == NVSP_VF_ASSOCIATION || type == NVSP_UPLINK_STATE || type == NVSP_SWITCH_DATA_PATH)
        return HV_ERROR_UNEXPECTED; /* nothing that we asked for, and no harm */
    if (take_reply(&nvs->counters, payload, size, NVSP_INDIRECTION_TABLE,
                   NVSP_HEADER_SIZE + sizeof message.indirection, &message) != 0)
        return HV_ERROR_UNEXPECTED;
    if (message.indirection.count != NVSP_INDIRECTION_ENTRIES || size < table_size || channels == 0)
        return HV_ERROR_MALFORMED;
    /* Hosts up to version 6 may give a wrong offset; the table is the last thing in the message. */
    offset = nvs->version <= NVSP_VERSION_6 ? size - table_size : message.indirection.offset;
    if (offset < NVSP_HEADER_SIZE + sizeof message.indirection || offset > size - table_size)
        return HV_ERROR_MALFORMED;
    for (uint32_t i = 0; i < NVSP_INDIRECTION_ENTRIES; i++) {
        uint32_t entry;

        __builtin_memcpy(&entry, (const uint8_t *)payload + offset + i * sizeof entry,
                         sizeof entry);
        table[i] = (uint8_t)(entry % channels);
    }
    return 0;
}
