/* SPDX-License-Identifier: BSD-3-Clause */
/* A network adapter that lies to its guest, one field at a time. Host side. */
#include <string.h>

#include "host/devices/netvsc_internal.h"
#include "tests/pair/pair_host.h"

enum { MESSAGE = 200, DATA = 100, PIECES = 3, NO_TRANSACTION = 0x12345678 };

#define HOSTS_OWN_TRANSACTION (UINT64_C(1) << 63) /* as hosts number what they ask the guest */

static uint32_t lying_unit; /* of the receive buffer, taken from the host's free ones */
static bool unit_taken;

/* ---- the unit that a packet names ---- */

static void take_unit(struct netvsc *adapter, unsigned index)
{
    lying_unit = adapter->free_unit;
    adapter->free_unit = adapter->units[lying_unit].next;
    adapter->units_free--;
    adapter->units[lying_unit] = (struct netvsc_unit){
        .next = NETVSC_NO_UNIT, .state = NETVSC_UNIT_FIRST, .channel = (uint8_t)index,
    };
    unit_taken = true;
}

static struct host_transfer_range write_unit(struct netvsc *adapter, uint32_t offset,
                                             const void *bytes, uint32_t size)
{
    struct host_transfer_range range = { size, lying_unit * adapter->unit_size + offset };

    host_gpadl_write(adapter->receive, range.byte_offset, bytes, size);
    return range;
}

/* ---- RNDIS messages ---- */

/* A packet with one element of information, and the lie in it; at `offset` of the unit. */
static struct host_transfer_range lying_packet(struct netvsc *adapter, enum pair_network_lie lie,
                                               uint32_t offset)
{
    struct rndis_packet packet = {
        .header = { RNDIS_PACKET, MESSAGE },
        .data_offset = MESSAGE - DATA - RNDIS_OFFSET_BASE,
        .data_length = DATA,
        .info_offset = sizeof packet - RNDIS_OFFSET_BASE,
        .info_length = 16,
    };
    uint32_t element[4] = { 16, RNDIS_INFO_CHECKSUM, 12, 0 };
    uint8_t message[MESSAGE] = { 0 };

    switch (lie) {
    case PAIR_LIE_LENGTH_SMALL: packet.header.length = sizeof packet - 1; break;
    case PAIR_LIE_LENGTH_LARGE: packet.header.length = MESSAGE + 1; break;
    case PAIR_LIE_DATA_OUTSIDE: packet.data_offset = 0xfffffff0; break;
    case PAIR_LIE_DATA_EMPTY: packet.data_length = 0; break;
    case PAIR_LIE_DATA_IN_HEADER: packet.data_offset = 8; break;
    case PAIR_LIE_INFO_OUTSIDE: packet.info_length = MESSAGE; break;
    case PAIR_LIE_INFO_SIZE_ZERO: element[0] = 0; break;
    case PAIR_LIE_INFO_SIZE_ODD: element[0] = 13; break;
    case PAIR_LIE_INFO_SIZE_LARGE: element[0] = 0xfffffffc; break;
    case PAIR_LIE_INFO_OFFSET: element[2] = 0xfffffffc; break;
    case PAIR_LIE_PIECE:
        element[1] = RNDIS_INFO_PACKET_ID;
        element[3] = 1 | RNDIS_PACKET_ID_LAST << 8 | 7 << 16;
        break;
    case PAIR_LIE_PIECE_ALONE:
        element[1] = RNDIS_INFO_PACKET_ID;
        element[3] = 1 | RNDIS_PACKET_ID_FIRST << 8 | 9 << 16;
        break;
    case PAIR_LIE_PIECE_OF_OTHER:
        element[1] = RNDIS_INFO_PACKET_ID;
        element[3] = 1 | 7 << 16;
        break;
    case PAIR_LIE_PIECE_LATE:
        element[1] = RNDIS_INFO_PACKET_ID;
        element[3] = 1 | RNDIS_PACKET_ID_LAST << 8 | 9 << 16;
        break;
    default: memset(&packet, 0xa5, sizeof packet); break;
    }
    memcpy(message, &packet, sizeof packet);
    memcpy(message + sizeof packet, element, sizeof element);
    return write_unit(adapter, offset, message, sizeof message);
}

static struct host_transfer_range lying_control(struct netvsc *adapter, enum pair_network_lie lie)
{
    struct rndis_status_complete reply = { { RNDIS_SET | RNDIS_COMPLETION, 16 }, 0xffffffff, 0 };
    const struct rndis_indicate_status indication = {
        .header = { RNDIS_INDICATE_STATUS, sizeof indication },
        .status = RNDIS_STATUS_LINK_SPEED_CHANGE,
        .buffer_length = 4,
        .buffer_offset = 0xfffffff0,
    };

    if (lie == PAIR_LIE_INDICATION)
        return write_unit(adapter, 0, &indication, sizeof indication);
    if (lie == PAIR_LIE_REPLY_SHORT)
        reply.header.length = 12;
    if (lie == PAIR_LIE_CONTROL_TYPE)
        reply.header.type = 0x80004711;
    return write_unit(adapter, 0, &reply, reply.header.length);
}

/* ---- packets ---- */

static bool is_control(enum pair_network_lie lie)
{
    return lie >= PAIR_LIE_REPLY;
}

static struct host_transfer_range range_outside(struct netvsc *adapter)
{
    return (struct host_transfer_range){ 100, (uint32_t)host_gpadl_size(adapter->receive) - 50 };
}

static struct host_transfer_range lying_range(struct netvsc *adapter, enum pair_network_lie lie)
{
    if (lie == PAIR_LIE_RANGE_OUTSIDE)
        return range_outside(adapter);
    if (lie == PAIR_LIE_RANGE_WRAPS)
        return (struct host_transfer_range){ 0xffffff00, 0x1000 };
    if (lie == PAIR_LIE_EMPTY_RANGE)
        return (struct host_transfer_range){ 0, 0 };
    return is_control(lie) ? lying_control(adapter, lie) : lying_packet(adapter, lie, 0);
}

static bool is_in_pieces(enum pair_network_lie lie)
{
    return lie == PAIR_LIE_PIECE_BROKEN || lie == PAIR_LIE_PIECE_OUTSIDE ||
           lie == PAIR_LIE_PIECE_OF_OTHER;
}

/* A coalesced frame whose second piece is none, or not its own. */
static void lying_pieces(struct netvsc *adapter, enum pair_network_lie lie,
                         struct host_transfer_range *ranges)
{
    if (lie == PAIR_LIE_PIECE_BROKEN)
        lie = PAIR_LIE_GARBAGE;
    ranges[0] = lying_packet(adapter, PAIR_LIE_PIECE_ALONE, 0);
    ranges[1] = lie == PAIR_LIE_PIECE_OUTSIDE ? range_outside(adapter)
                                              : lying_packet(adapter, lie, MESSAGE);
    ranges[2] = lying_packet(adapter, PAIR_LIE_PIECE_LATE, 2 * MESSAGE);
}

static void send_pages(struct netvsc *adapter, struct host_channel *channel, unsigned index,
                       enum pair_network_lie lie)
{
    struct nvsp_message message = {
        .type = NVSP_RNDIS_PACKET,
        .rndis = { .channel_type = is_control(lie) ? NVSP_CHANNEL_CONTROL : NVSP_CHANNEL_DATA,
                   .section_index = NVSP_NO_SECTION },
    };
    const struct iovec piece = { &message, lie == PAIR_LIE_SHORT ? 8 : sizeof message };
    struct host_transfer_range ranges[PIECES];
    unsigned count = lie == PAIR_LIE_NO_RANGES ? 0 : 1;

    take_unit(adapter, index);
    if (is_in_pieces(lie)) {
        lying_pieces(adapter, lie, ranges);
        count = PIECES;
    } else {
        ranges[0] = lying_range(adapter, lie);
    }
    if (lie == PAIR_LIE_CHANNEL_TYPE)
        message.rndis.channel_type = 77;
    host_channel_send_transfer_pages(channel, lying_unit,
                                     lie == PAIR_LIE_SET_ID ? 0xbeef : NVSP_RECEIVE_BUFFER_ID,
                                     ranges, count, &piece, 1);
}

static void send_table(struct host_channel *channel, enum pair_network_lie lie)
{
    struct {
        struct nvsp_message message;
        uint32_t table[NVSP_INDIRECTION_ENTRIES];
    } WIRE_PACKED packet = {
        .message = { .type = NVSP_INDIRECTION_TABLE,
                     .indirection = { NVSP_INDIRECTION_ENTRIES, sizeof packet.message } },
    };

    if (lie == PAIR_LIE_TABLE_COUNT)
        packet.message.indirection.count = 0xffffffff;
    if (lie == PAIR_LIE_TABLE_OFFSET)
        packet.message.indirection.offset = 0xfffffff0;
    for (unsigned i = 0; i < NVSP_INDIRECTION_ENTRIES; i++)
        packet.table[i] = lie == PAIR_LIE_TABLE_ENTRIES ? 0xfffffff1 + i : 0;
    host_channel_send_bytes(channel, &packet, sizeof packet);
}

static void send_other(struct host_channel *channel, enum pair_network_lie lie)
{
    struct nvsp_message message = { .type = 4711 };
    const struct iovec piece = { &message, sizeof message };

    if (lie == PAIR_LIE_VF || lie == PAIR_LIE_DATA_PATH) {
        message.type = lie == PAIR_LIE_VF ? NVSP_VF_ASSOCIATION : NVSP_SWITCH_DATA_PATH;
        message.vf_association = (struct nvsp_vf_association){ .allocated = 1, .serial = 1 };
        host_channel_send(channel, HOSTS_OWN_TRANSACTION, true, &piece, 1);
        return;
    }
    if (lie == PAIR_LIE_UNSOLICITED) {
        host_channel_send(channel, 0, false, &piece, 1);
        return;
    }
    message.type = NVSP_RNDIS_PACKET_COMPLETE;
    message.status.status = NVSP_STATUS_SUCCESS;
    /* The guest counts its transactions from 1 up, so 1 was the version and is long over. */
    host_channel_complete(channel, lie == PAIR_LIE_REPEATED_COMPLETION ? 1 : NO_TRANSACTION, &piece,
                          1);
}

void pair_host_network_lie(struct pair_host *host, enum pair_network_lie lie, unsigned index)
{
    struct netvsc *adapter = pair_host_adapter(host);
    struct host_channel *channel = netvsc_channel(adapter, (uint16_t)index)->channel;

    unit_taken = false;
    if (lie == PAIR_LIE_TABLE_COUNT || lie == PAIR_LIE_TABLE_OFFSET ||
        lie == PAIR_LIE_TABLE_ENTRIES)
        send_table(channel, lie);
    else if (lie == PAIR_LIE_UNSOLICITED || lie == PAIR_LIE_VF || lie == PAIR_LIE_DATA_PATH ||
             lie == PAIR_LIE_UNKNOWN_COMPLETION || lie == PAIR_LIE_REPEATED_COMPLETION)
        send_other(channel, lie);
    else
        send_pages(adapter, channel, index, lie);
    host_channel_flush(channel);
}

bool pair_host_network_acknowledged(struct pair_host *host)
{
    return !unit_taken || pair_host_adapter(host)->units[lying_unit].state == NETVSC_UNIT_FREE;
}
