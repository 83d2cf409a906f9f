/* SPDX-License-Identifier: BSD-3-Clause */
/* NVSP messages of the guest: order, versions, answers. Source: OpenVMM netvsp, Linux netvsc.c. */
#include "host/devices/netvsc_session.h"

#include <string.h>

enum {
    UNIT_HEADROOM = 256, /* RNDIS header and per-packet information before the frame */
    UNIT_TAIL = 36,
    UNIT_ALIGNMENT = 8,
};

static const struct {
    uint32_t version;
    const char *name;
} versions[] = {
    {NVSP_VERSION_1, "1"}, {NVSP_VERSION_2, "2"}, {NVSP_VERSION_4, "4"},
    {NVSP_VERSION_5, "5"}, {NVSP_VERSION_6, "6"}, {NVSP_VERSION_6_1, "6.1"},
};
enum { VERSION_COUNT = sizeof(versions) / sizeof(versions[0]) };

const char *netvsc_version_name(uint32_t version)
{
    for (int i = 0; i < VERSION_COUNT; i++) {
        if (versions[i].version == version) {
            return versions[i].name;
        }
    }
    return "none";
}

void netvsc_session_reset(struct netvsc_session *session)
{
    *session = (struct netvsc_session){
        .version_max = session->version_max,
        .sub_channels_max = session->sub_channels_max,
        .mtu = NVSP_MTU_DEFAULT,
    };
}

uint32_t netvsc_unit_size(const struct netvsc_session *session)
{
    uint32_t size = UNIT_HEADROOM + session->mtu + UNIT_TAIL;
    return (size + UNIT_ALIGNMENT - 1) / UNIT_ALIGNMENT * UNIT_ALIGNMENT;
}

static void stop(struct netvsc_decision *decision, const char *rule)
{
    decision->verdict = NETVSC_STOP;
    decision->rule = rule;
}

static void answer(struct netvsc_decision *decision, uint32_t type)
{
    decision->verdict = NETVSC_ANSWER;
    decision->answer.type = type;
}

/* ---- One function a message ---- */

static void init(struct netvsc_session *session, const struct nvsp_message *message,
                 struct netvsc_decision *decision)
{
    if (session->version != 0) {
        stop(decision, "the version is agreed upon once");
        return;
    }
    answer(decision, NVSP_INIT_COMPLETE);
    struct nvsp_init_complete *complete = &decision->answer.init_complete;
    complete->deprecated = message->init.version_min == NVSP_VERSION_1 ? 2 : 0xffffffffu;
    complete->max_mdl_chain = NVSP_MAX_MDL_CHAIN;
    complete->status = NVSP_STATUS_FAILURE; /* the guest tries an older one */
    for (int i = 0; i < VERSION_COUNT; i++) {
        if (versions[i].version == message->init.version_min &&
            message->init.version_min == message->init.version_max &&
            versions[i].version <= session->version_max) {
            session->version = versions[i].version;
            complete->status = NVSP_STATUS_SUCCESS;
        }
    }
}

static void ndis_config(struct netvsc_session *session, const struct nvsp_message *message,
                        struct netvsc_decision *decision)
{
    uint32_t mtu = message->ndis_config.mtu;
    if (session->version < NVSP_VERSION_2) {
        stop(decision, "NDIS configuration exists from version 2 on");
    } else if (session->configured || session->receive_buffer) {
        stop(decision, "NDIS configuration is sent once, before the buffers");
    } else {
        session->configured = true;
        session->mtu = mtu >= NVSP_MTU_DEFAULT && mtu <= NVSP_MTU_MAX ? mtu : NVSP_MTU_DEFAULT;
        session->capabilities = message->ndis_config.capabilities;
    }
}

static void receive_buffer(struct netvsc_session *session, const struct nvsp_message *message,
                           struct netvsc_decision *decision)
{
    if (session->receive_buffer) {
        stop(decision, "there is one receive buffer");
    } else if (session->version >= NVSP_VERSION_2 && !session->configured) {
        stop(decision, "the receive buffer comes after the NDIS configuration");
    } else if (message->buffer.id != NVSP_RECEIVE_BUFFER_ID) {
        stop(decision, "the receive buffer's id is 0xcafe");
    } else {
        answer(decision, NVSP_RECEIVE_BUFFER_COMPLETE);
        decision->verdict = NETVSC_RECEIVE_BUFFER;
        decision->gpadl_id = message->buffer.gpadl_id;
    }
}

static void send_buffer(struct netvsc_session *session, const struct nvsp_message *message,
                        struct netvsc_decision *decision)
{
    if (session->send_buffer) {
        stop(decision, "there is one send buffer");
    } else {
        answer(decision, NVSP_SEND_BUFFER_COMPLETE);
        decision->verdict = NETVSC_SEND_BUFFER;
        decision->gpadl_id = message->buffer.gpadl_id;
    }
}

static void sub_channels(struct netvsc_session *session, const struct nvsp_message *message,
                         struct netvsc_decision *decision)
{
    uint32_t count = message->sub_channel.count;
    if (session->version < NVSP_VERSION_5) {
        stop(decision, "sub-channels exist from version 5 on");
        return;
    }
    answer(decision, NVSP_SUB_CHANNEL);
    decision->answer.sub_channel_complete.status = NVSP_STATUS_FAILURE;
    if (message->sub_channel.operation == NVSP_SUB_CHANNEL_ALLOCATE && count > 0 &&
        count <= session->sub_channels_max && !session->sub_channels_told) {
        session->sub_channels_told = true;
        decision->verdict = NETVSC_SUB_CHANNELS;
        decision->sub_channels = (uint16_t)count;
        decision->answer.sub_channel_complete.status = NVSP_STATUS_SUCCESS;
        decision->answer.sub_channel_complete.count = count;
    }
}

static void rndis(struct netvsc_session *session, const struct nvsp_message *message,
                  bool on_primary, struct netvsc_decision *decision)
{
    if (!session->receive_buffer) {
        stop(decision, "RNDIS messages come after the receive buffer");
    } else if (message->rndis.channel_type > NVSP_CHANNEL_CONTROL) {
        stop(decision, "an RNDIS message is data (0) or control (1)");
    } else if (message->rndis.channel_type == NVSP_CHANNEL_CONTROL && !on_primary) {
        stop(decision, "RNDIS control messages use the primary channel");
    } else {
        decision->verdict = NETVSC_RNDIS;
        decision->rndis = message->rndis;
    }
}

static void revoke(struct netvsc_session *session, const struct nvsp_message *message,
                   struct netvsc_decision *decision)
{
    bool receive = message->type == NVSP_REVOKE_RECEIVE_BUFFER;
    if (receive ? !session->receive_buffer : !session->send_buffer) {
        stop(decision, "a buffer that is revoked has been given before");
        return;
    }
    *(receive ? &session->receive_buffer : &session->send_buffer) = false;
    decision->verdict = receive ? NETVSC_REVOKE_RECEIVE_BUFFER : NETVSC_REVOKE_SEND_BUFFER;
}

/* ---- All of them ---- */

static void dispatch(struct netvsc_session *session, const struct nvsp_message *message,
                     struct netvsc_decision *decision)
{
    switch (message->type) {
    case NVSP_SEND_NDIS_VERSION:
        session->ndis_told = true;
        session->ndis_minor = message->ndis_version.minor;
        break;
    case NVSP_SEND_NDIS_CONFIG:
        ndis_config(session, message, decision);
        break;
    case NVSP_SEND_RECEIVE_BUFFER:
        receive_buffer(session, message, decision);
        break;
    case NVSP_SEND_SEND_BUFFER:
        send_buffer(session, message, decision);
        break;
    case NVSP_REVOKE_RECEIVE_BUFFER:
    case NVSP_REVOKE_SEND_BUFFER:
        revoke(session, message, decision);
        break;
    case NVSP_SUB_CHANNEL:
        sub_channels(session, message, decision);
        break;
    case NVSP_SWITCH_DATA_PATH:
        if (session->version < NVSP_VERSION_4) {
            stop(decision, "the data path can be switched from version 4 on");
        }
        break;
    default:
        stop(decision, "the type of an NVSP message is one that a guest may send");
        break;
    }
}

void netvsc_session_handle(struct netvsc_session *session, const void *payload, size_t size,
                           bool on_primary, struct netvsc_decision *decision)
{
    struct nvsp_message message = {0};
    *decision = (struct netvsc_decision){.verdict = NETVSC_NOTHING};
    if (size < NVSP_MESSAGE_SIZE_BEFORE_6_1) {
        stop(decision, "an NVSP message has at least 28 bytes");
        return;
    }
    memcpy(&message, payload, size < sizeof(message) ? size : sizeof(message));
    if (message.type == NVSP_RNDIS_PACKET) {
        rndis(session, &message, on_primary, decision);
    } else if (!on_primary) {
        stop(decision, "a sub-channel carries RNDIS packets only");
    } else if (message.type == NVSP_INIT) {
        init(session, &message, decision);
    } else if (session->version == 0) {
        stop(decision, "the first message of an adapter is the version");
    } else {
        dispatch(session, &message, decision);
    }
}
