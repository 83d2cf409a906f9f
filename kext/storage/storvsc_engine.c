/* SPDX-License-Identifier: BSD-3-Clause */
/* Initialisation: begin, versions from the newest down, properties, end. */
#include "kext/storage/storvsc_engine.h"

static const uint16_t versions[] = {
    STORVSC_VERSION_6_2, STORVSC_VERSION_6_0, STORVSC_VERSION_5_1,
    STORVSC_VERSION_4_2, STORVSC_VERSION_2_0,
};

enum { VERSION_COUNT = sizeof versions / sizeof *versions };

/* Zeroes `packet` and sets its operation. Returns the length that the agreed version has. */
static size_t begin_packet(const struct storvsc_engine *engine, struct storvsc_packet *packet,
                           uint32_t operation)
{
    *packet = (struct storvsc_packet){
        .operation = operation, .flags = STORVSC_FLAG_COMPLETION_REQUESTED,
    };
    return storvsc_packet_size(engine->version);
}

size_t storvsc_begin(struct storvsc_engine *engine, struct storvsc_packet *packet)
{
    *engine = (struct storvsc_engine){ .state = STORVSC_STATE_BEGIN };
    return begin_packet(engine, packet, STORVSC_BEGIN_INITIALIZATION);
}

static enum storvsc_progress send_version(struct storvsc_engine *engine,
                                          struct storvsc_packet *packet, size_t *length)
{
    engine->state = STORVSC_STATE_VERSION;
    *length = begin_packet(engine, packet, STORVSC_QUERY_PROTOCOL_VERSION);
    packet->version.version = versions[engine->ladder];
    return STORVSC_PROGRESS_SEND;
}

static enum storvsc_progress fail(struct storvsc_engine *engine)
{
    engine->state = STORVSC_STATE_FAILED;
    return STORVSC_PROGRESS_FAILED;
}

static enum storvsc_progress version_answered(struct storvsc_engine *engine, bool accepted,
                                              struct storvsc_packet *packet, size_t *length)
{
    if (!accepted) {
        engine->counters.versions_refused++;
        if (++engine->ladder == VERSION_COUNT)
            return fail(engine);
        return send_version(engine, packet, length);
    }
    engine->version = versions[engine->ladder];
    engine->state = STORVSC_STATE_PROPERTIES;
    *length = begin_packet(engine, packet, STORVSC_QUERY_PROPERTIES);
    return STORVSC_PROGRESS_SEND;
}

static enum storvsc_progress properties_answered(struct storvsc_engine *engine,
                                                 const struct storvsc_packet *reply,
                                                 struct storvsc_packet *packet, size_t *length)
{
    uint32_t maximum = reply->properties.transfer_bytes_max;

    if (maximum < STORVSC_TRANSFER_MIN)
        return fail(engine);
    if (maximum > STORVSC_TRANSFER_LIMIT)
        maximum = STORVSC_TRANSFER_LIMIT;
    engine->transfer_bytes_max = maximum & ~(uint32_t)(STORVSC_TRANSFER_MIN - 1);
    if (engine->version >= STORVSC_VERSION_5_1 &&
        (reply->properties.flags & STORVSC_PROPERTIES_MULTI_CHANNEL) != 0)
        engine->sub_channels_max = reply->properties.sub_channels_max;
    engine->state = STORVSC_STATE_END;
    *length = begin_packet(engine, packet, STORVSC_END_INITIALIZATION);
    return STORVSC_PROGRESS_SEND;
}

/* Bytes that a reply must have in the present state. */
static size_t needed_bytes(enum storvsc_state state)
{
    if (state == STORVSC_STATE_PROPERTIES)
        return STORVSC_PACKET_HEADER_SIZE + sizeof(struct storvsc_properties);
    return STORVSC_PACKET_HEADER_SIZE;
}

enum storvsc_progress storvsc_initialization_reply(struct storvsc_engine *engine,
                                                   const void *reply, size_t size,
                                                   struct storvsc_packet *packet, size_t *length)
{
    struct storvsc_packet answer = { .operation = 0 };
    bool accepted;

    if (size < needed_bytes(engine->state)) {
        engine->counters.short_packets++;
        return fail(engine);
    }
    __builtin_memcpy(&answer, reply, size < sizeof answer ? size : sizeof answer);
    if (answer.operation != STORVSC_COMPLETE_IO) {
        engine->counters.unexpected_packets++;
        return STORVSC_PROGRESS_IGNORED;
    }
    accepted = answer.status == STORVSC_STATUS_SUCCESS;
    if (engine->state == STORVSC_STATE_VERSION)
        return version_answered(engine, accepted, packet, length);
    if (!accepted)
        return fail(engine);
    switch (engine->state) {
    case STORVSC_STATE_BEGIN:
        return send_version(engine, packet, length);
    case STORVSC_STATE_PROPERTIES:
        return properties_answered(engine, &answer, packet, length);
    case STORVSC_STATE_END:
        engine->state = STORVSC_STATE_READY;
        return STORVSC_PROGRESS_READY;
    default:
        engine->counters.unexpected_packets++;
        return STORVSC_PROGRESS_IGNORED;
    }
}

static const uint8_t wire_directions[] = {
    [STORVSC_TO_DEVICE] = STORVSC_DATA_OUT,
    [STORVSC_FROM_DEVICE] = STORVSC_DATA_IN,
    [STORVSC_NO_DATA] = STORVSC_DATA_NONE,
};

static const uint32_t direction_flags[] = {
    [STORVSC_TO_DEVICE] = STORVSC_SRB_DATA_OUT,
    [STORVSC_FROM_DEVICE] = STORVSC_SRB_DATA_IN,
    [STORVSC_NO_DATA] = 0,
};

size_t storvsc_request(const struct storvsc_engine *engine, const struct storvsc_command *command,
                       struct storvsc_packet *packet)
{
    bool extended = engine->version >= STORVSC_VERSION_5_1;
    struct storvsc_srb *srb = &packet->srb;
    size_t length;

    if (engine->state != STORVSC_STATE_READY || command->cdb_length == 0 ||
        command->cdb_length > STORVSC_CDB_SIZE ||
        command->transfer_bytes > engine->transfer_bytes_max)
        return 0;
    length = begin_packet(engine, packet, STORVSC_EXECUTE_SRB);
    srb->length = extended ? STORVSC_SRB_SIZE : STORVSC_SRB_SIZE_BEFORE_5_1;
    srb->path = command->address.path;
    srb->target = command->address.target;
    srb->lun = command->address.lun;
    srb->cdb_length = command->cdb_length;
    srb->sense_length = extended ? STORVSC_SENSE_SIZE : STORVSC_SENSE_SIZE_BEFORE_5_1;
    srb->data_direction = wire_directions[command->direction];
    srb->data_transfer_length = command->transfer_bytes;
    __builtin_memcpy(srb->cdb, command->cdb, command->cdb_length);
    if (extended) {
        srb->srb_flags = STORVSC_SRB_DISABLE_SYNCH_TRANSFER | direction_flags[command->direction];
        srb->timeout_seconds = STORVSC_SRB_TIMEOUT_SECONDS;
        if (command->tagged) {
            srb->srb_flags |= STORVSC_SRB_QUEUE_ACTION_ENABLE | STORVSC_SRB_NO_QUEUE_FREEZE;
            srb->queue_tag = STORVSC_QUEUE_TAG_UNTAGGED;
            srb->queue_action = STORVSC_QUEUE_ACTION_SIMPLE;
        }
    }
    return length;
}

size_t storvsc_reset_request(const struct storvsc_engine *engine, enum storvsc_reset what,
                             struct storvsc_address address, struct storvsc_packet *packet)
{
    size_t length;

    if (engine->state != STORVSC_STATE_READY)
        return 0;
    length = begin_packet(engine, packet,
                          what == STORVSC_RESET_OF_LUN ? STORVSC_RESET_LUN : STORVSC_RESET_BUS);
    packet->srb.path = address.path;
    packet->srb.target = address.target;
    packet->srb.lun = address.lun;
    return length;
}

size_t storvsc_sub_channel_request(const struct storvsc_engine *engine, uint16_t count,
                                   struct storvsc_packet *packet)
{
    size_t length;

    if (engine->state != STORVSC_STATE_READY || count == 0 || count > engine->sub_channels_max)
        return 0;
    length = begin_packet(engine, packet, STORVSC_CREATE_SUB_CHANNELS);
    packet->sub_channel_count = count;
    return length;
}

/* A completion of which only the status counts. */
static bool is_good(struct storvsc_engine *engine, const void *reply, size_t size)
{
    struct storvsc_packet answer;

    if (size < STORVSC_PACKET_HEADER_SIZE) {
        engine->counters.short_packets++;
        return false;
    }
    __builtin_memcpy(&answer, reply, STORVSC_PACKET_HEADER_SIZE);
    if (answer.operation != STORVSC_COMPLETE_IO) {
        engine->counters.unexpected_packets++;
        return false;
    }
    return answer.status == STORVSC_STATUS_SUCCESS;
}

bool storvsc_sub_channel_reply(struct storvsc_engine *engine, const void *reply, size_t size)
{
    return is_good(engine, reply, size);
}

bool storvsc_reset_reply(struct storvsc_engine *engine, const void *reply, size_t size)
{
    return is_good(engine, reply, size);
}

bool storvsc_event_asks_for_scan(struct storvsc_engine *engine, const void *packet, size_t size)
{
    uint32_t operation;

    if (size < STORVSC_PACKET_HEADER_SIZE) {
        engine->counters.short_packets++;
        return false;
    }
    __builtin_memcpy(&operation, packet, sizeof operation);
    if (operation == STORVSC_ENUMERATE_BUS || operation == STORVSC_REMOVE_DEVICE)
        return true;
    engine->counters.unexpected_packets++;
    return false;
}
