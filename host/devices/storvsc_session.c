/* SPDX-License-Identifier: BSD-3-Clause */
/* The storage protocol's state machine and packets. */
#include "host/devices/storvsc_session.h"

#include <string.h>

static const uint16_t known_versions[] = {
    STORVSC_VERSION_2_0, STORVSC_VERSION_4_2, STORVSC_VERSION_5_1,
    STORVSC_VERSION_6_0, STORVSC_VERSION_6_2,
};

void storvsc_session_reset(struct storvsc_session *session)
{
    session->state = STORVSC_STATE_BEGIN;
    session->version = 0;
    session->sub_channels_created = false;
}

const char *storvsc_state_name(enum storvsc_state state)
{
    static const char *const names[] = {
        [STORVSC_STATE_BEGIN] = "before begin",
        [STORVSC_STATE_QUERY_VERSION] = "version wanted",
        [STORVSC_STATE_QUERY_PROPERTIES] = "properties wanted",
        [STORVSC_STATE_END] = "end wanted",
        [STORVSC_STATE_READY] = "ready",
    };
    return names[state];
}

static void answer(struct storvsc_decision *decision, uint32_t status)
{
    decision->verdict = STORVSC_ANSWER;
    decision->completion.packet.status = status;
}

static void refuse(struct storvsc_decision *decision, uint32_t status, const char *complaint)
{
    answer(decision, status);
    decision->complaint = complaint;
}

static void stop(struct storvsc_decision *decision, const char *rule)
{
    decision->verdict = STORVSC_STOP;
    decision->rule = rule;
}

/* ---- Initialisation ---- */

static void query_version(struct storvsc_session *session, struct storvsc_decision *decision)
{
    uint16_t wanted = decision->completion.packet.version.version;
    for (unsigned i = 0; i < sizeof(known_versions) / sizeof(known_versions[0]); i++) {
        if (wanted == known_versions[i] && wanted <= session->version_max) {
            session->version = wanted;
            session->state = STORVSC_STATE_QUERY_PROPERTIES;
            answer(decision, STORVSC_STATUS_SUCCESS);
            return;
        }
    }
    answer(decision, STORVSC_STATUS_REVISION_MISMATCH); /* not a broken rule: the guest goes on */
}

static void query_properties(struct storvsc_session *session, struct storvsc_decision *decision)
{
    struct storvsc_properties properties = {.transfer_bytes_max = session->transfer_bytes_max};
    if (session->version >= STORVSC_VERSION_5_1 && session->sub_channels_max > 0) {
        properties.sub_channels_max = session->sub_channels_max;
        properties.flags = STORVSC_PROPERTIES_MULTI_CHANNEL;
    }
    memset(decision->completion.packet.payload, 0, sizeof(decision->completion.packet.payload));
    decision->completion.packet.properties = properties;
    session->state = STORVSC_STATE_END;
    answer(decision, STORVSC_STATUS_SUCCESS);
}

static void create_sub_channels(struct storvsc_session *session,
                                struct storvsc_decision *decision)
{
    uint16_t count = decision->completion.packet.sub_channel_count;
    if (session->version < STORVSC_VERSION_5_1 || session->sub_channels_created) {
        refuse(decision, STORVSC_STATUS_INVALID_DEVICE_STATE,
               "sub-channels are asked for once, from version 5.1 on");
    } else if (count == 0 || count > session->sub_channels_max) {
        refuse(decision, STORVSC_STATUS_INVALID_PARAMETER,
               "no more sub-channels than the properties allow, and at least one");
    } else {
        session->sub_channels_created = true;
        answer(decision, STORVSC_STATUS_SUCCESS);
        decision->verdict = STORVSC_CREATE;
        decision->sub_channel_count = count;
    }
}

static void wrong_state(struct storvsc_decision *decision)
{
    refuse(decision, STORVSC_STATUS_INVALID_DEVICE_STATE,
           "the storage protocol starts with begin, version, properties, end");
}

static void execute(struct storvsc_session *session, const struct storvsc_packet *packet,
                    size_t size, struct storvsc_decision *decision)
{
    if (session->state != STORVSC_STATE_READY) {
        wrong_state(decision);
    } else if (size < STORVSC_PACKET_SIZE_BEFORE_5_1) {
        stop(decision, "an SRB packet has at least 48 bytes");
    } else {
        decision->verdict = STORVSC_EXECUTE;
        decision->srb = packet->srb;
    }
}

/* The operation that each state waits for, besides those below that have their own rules. */
static void initialise(struct storvsc_session *session, uint32_t operation,
                       struct storvsc_decision *decision)
{
    static const uint32_t expected[] = {
        [STORVSC_STATE_BEGIN] = STORVSC_BEGIN_INITIALIZATION,
        [STORVSC_STATE_QUERY_VERSION] = STORVSC_QUERY_PROTOCOL_VERSION,
        [STORVSC_STATE_QUERY_PROPERTIES] = STORVSC_QUERY_PROPERTIES,
        [STORVSC_STATE_END] = STORVSC_END_INITIALIZATION,
    };
    if (session->state == STORVSC_STATE_READY || operation != expected[session->state]) {
        wrong_state(decision);
        return;
    }
    switch (session->state) {
    case STORVSC_STATE_BEGIN:
        session->state = STORVSC_STATE_QUERY_VERSION;
        answer(decision, STORVSC_STATUS_SUCCESS);
        break;
    case STORVSC_STATE_QUERY_VERSION:
        query_version(session, decision);
        break;
    case STORVSC_STATE_QUERY_PROPERTIES:
        query_properties(session, decision);
        break;
    default:
        session->state = STORVSC_STATE_READY;
        answer(decision, STORVSC_STATUS_SUCCESS);
        decision->verdict = STORVSC_ANSWER_READY;
        break;
    }
}

static void dispatch(struct storvsc_session *session, const struct storvsc_packet *packet,
                     size_t size, bool on_primary, struct storvsc_decision *decision)
{
    switch (packet->operation) {
    case STORVSC_EXECUTE_SRB:
        execute(session, packet, size, decision);
        break;
    case STORVSC_RESET_LUN:
    case STORVSC_RESET_ADAPTER:
    case STORVSC_RESET_BUS:
        if (session->state != STORVSC_STATE_READY) {
            wrong_state(decision);
        } else {
            answer(decision, STORVSC_STATUS_SUCCESS);
            decision->verdict = packet->operation == STORVSC_RESET_LUN ? STORVSC_RESET_ONE
                                                                       : STORVSC_RESET;
            decision->srb = packet->srb;
        }
        break;
    case STORVSC_CREATE_SUB_CHANNELS:
        if (session->state < STORVSC_STATE_END || !on_primary) {
            wrong_state(decision);
        } else {
            create_sub_channels(session, decision);
        }
        break;
    case STORVSC_BEGIN_INITIALIZATION:
    case STORVSC_END_INITIALIZATION:
    case STORVSC_QUERY_PROTOCOL_VERSION:
    case STORVSC_QUERY_PROPERTIES:
        if (!on_primary) {
            wrong_state(decision);
        } else {
            initialise(session, packet->operation, decision);
        }
        break;
    case STORVSC_FC_HBA_DATA:
        refuse(decision, STORVSC_STATUS_INVALID_DEVICE_STATE,
               "only a Fibre Channel adapter has HBA data");
        break;
    default:
        stop(decision, "the operation code of a storage packet is one that a guest may send");
        break;
    }
}

void storvsc_session_handle(struct storvsc_session *session, const void *payload, size_t size,
                            bool completion_requested, bool on_primary,
                            struct storvsc_decision *decision)
{
    struct storvsc_packet packet = {0};
    *decision = (struct storvsc_decision){0};
    if (size < STORVSC_PACKET_HEADER_SIZE) {
        stop(decision, "a storage packet has at least 12 bytes");
        return;
    }
    if (!completion_requested) {
        stop(decision, "a storage packet asks for its completion");
        return;
    }
    memcpy(&packet, payload, size < sizeof(packet) ? size : sizeof(packet));
    /* The completion has the size of the request, at most that of the structure. */
    decision->completion.size = size < sizeof(packet) ? (uint32_t)size : sizeof(packet);
    decision->completion.packet = packet;
    decision->completion.packet.operation = STORVSC_COMPLETE_IO;
    decision->completion.packet.flags = 0;
    dispatch(session, &packet, size, on_primary, decision);
}

/* ---- SRBs ---- */

uint32_t storvsc_packet_status(uint8_t srb_status)
{
    switch (srb_status & STORVSC_SRB_STATUS_MASK) {
    case STORVSC_SRB_STATUS_SUCCESS:
        return STORVSC_STATUS_SUCCESS;
    case STORVSC_SRB_STATUS_BUSY:
        return STORVSC_STATUS_DEVICE_BUSY;
    case STORVSC_SRB_STATUS_NO_DEVICE:
    case STORVSC_SRB_STATUS_NO_HBA:
    case STORVSC_SRB_STATUS_INVALID_LUN:
    case STORVSC_SRB_STATUS_INVALID_TARGET_ID:
        return STORVSC_STATUS_DEVICE_DOES_NOT_EXIST;
    case STORVSC_SRB_STATUS_TIMEOUT:
    case STORVSC_SRB_STATUS_COMMAND_TIMEOUT:
        return STORVSC_STATUS_IO_TIMEOUT;
    case STORVSC_SRB_STATUS_SELECTION_TIMEOUT:
        return STORVSC_STATUS_DEVICE_NOT_CONNECTED;
    case STORVSC_SRB_STATUS_DATA_OVERRUN:
        return STORVSC_STATUS_BUFFER_OVERFLOW;
    case STORVSC_SRB_STATUS_BAD_SRB_BLOCK_LENGTH:
    case STORVSC_SRB_STATUS_BAD_FUNCTION:
        return STORVSC_STATUS_INVALID_DEVICE_REQUEST;
    case STORVSC_SRB_STATUS_REQUEST_FLUSHED:
        return STORVSC_STATUS_UNSUCCESSFUL;
    case STORVSC_SRB_STATUS_ABORTED:
        return STORVSC_STATUS_CANCELLED;
    default:
        return STORVSC_STATUS_IO_DEVICE_ERROR;
    }
}

void storvsc_complete_srb(struct storvsc_message *completion, const struct storvsc_srb *request,
                          const struct storvsc_srb_result *result, bool echo_address)
{
    struct storvsc_srb srb = {
        .length = completion->size < STORVSC_PACKET_SIZE ? STORVSC_SRB_SIZE_BEFORE_5_1
                                                         : STORVSC_SRB_SIZE,
        .srb_status = result->srb_status,
        .scsi_status = result->scsi_status,
        .cdb_length = STORVSC_CDB_SIZE,
        .sense_length = STORVSC_SENSE_SIZE,
        .data_transfer_length = result->transferred,
    };
    if (completion->size < STORVSC_PACKET_SIZE) {
        srb.sense_length = STORVSC_SENSE_SIZE_BEFORE_5_1;
    }
    if (echo_address) {
        srb.port = request->port;
        srb.path = request->path;
        srb.target = request->target;
        srb.lun = request->lun;
        srb.data_direction = request->data_direction;
    }
    if (result->has_sense) {
        srb.srb_status |= STORVSC_SRB_STATUS_AUTOSENSE_VALID;
        memcpy(srb.sense, result->sense, sizeof(result->sense));
    }
    completion->packet.operation = STORVSC_COMPLETE_IO;
    completion->packet.flags = 0;
    completion->packet.status = storvsc_packet_status(result->srb_status);
    completion->packet.srb = srb;
}

bool storvsc_enumerate_bus_event(const struct storvsc_session *session,
                                 struct storvsc_message *event)
{
    if (session->state != STORVSC_STATE_READY || session->version < STORVSC_VERSION_4_2) {
        return false;
    }
    *event = (struct storvsc_message){
        .packet = {.operation = STORVSC_ENUMERATE_BUS},
        .size = storvsc_packet_size(session->version),
    };
    return true;
}
