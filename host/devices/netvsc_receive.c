/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * To the guest: frames and RNDIS messages are written into units of the buffer that the guest
 * lends, and named in transfer-page packets, many in one. The guest acknowledges each packet; then
 * its units are free again. A packet's transaction id is the number of its first unit.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/netvsc_internal.h"
#include "host/network/coalesce.h"

enum { HELD_MAX = 2 << 20 }; /* bytes of units that the guest may have before it gets more */

/* ---- The buffer ---- */

int netvsc_receive_open(struct netvsc *adapter, struct host_gpadl *gpadl)
{
    uint32_t size = netvsc_unit_size(&adapter->session);
    size_t bytes = host_gpadl_size(gpadl);
    size_t most = adapter->session.version <= NVSP_VERSION_2 ? NVSP_RECEIVE_BUFFER_MAX_OLD
                                                             : NVSP_RECEIVE_BUFFER_MAX;
    if (bytes > most || bytes / size < 2 * NETVSC_UNITS_RESERVED) {
        return -EINVAL;
    }
    uint32_t count = (uint32_t)(bytes / size);
    struct netvsc_unit *units = calloc(count, sizeof(*units));
    if (units == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        units[i].next = i + 1 < count ? i + 1 : NETVSC_NO_UNIT;
    }
    adapter->receive = gpadl;
    adapter->units = units;
    adapter->unit_size = size;
    adapter->unit_count = adapter->units_free = count;
    adapter->free_unit = 0;
    return 0;
}

void netvsc_receive_close(struct netvsc *adapter)
{
    for (struct netvsc_channel *channel = adapter->channels; channel != NULL;
         channel = channel->next) {
        channel->staged_count = 0;
    }
    while (adapter->queued_first != NULL) {
        struct netvsc_queued *queued = adapter->queued_first;
        adapter->queued_first = queued->next;
        free(queued);
    }
    adapter->queued_last = &adapter->queued_first;
    adapter->queued_count = 0;
    free(adapter->units);
    adapter->units = NULL;
    adapter->receive = NULL;
    adapter->unit_count = adapter->units_free = 0;
    adapter->reserved_count = 0;
    adapter->free_unit = NETVSC_NO_UNIT;
}

static uint32_t take_unit(struct netvsc *adapter)
{
    uint32_t unit = adapter->free_unit;
    adapter->free_unit = adapter->units[unit].next;
    adapter->units_free--;
    adapter->units[unit] = (struct netvsc_unit){NETVSC_NO_UNIT, NETVSC_UNIT_TAKEN, 0};
    return unit;
}

static void free_units(struct netvsc *adapter, uint32_t unit)
{
    while (unit != NETVSC_NO_UNIT) {
        uint32_t next = adapter->units[unit].next;
        adapter->units[unit] = (struct netvsc_unit){.next = adapter->free_unit};
        adapter->free_unit = unit;
        adapter->units_free++;
        unit = next;
    }
}

void netvsc_receive_forget(struct netvsc_channel *channel)
{
    struct netvsc *adapter = channel->adapter;
    if (adapter->units == NULL) {
        return;
    }
    if (channel->staged_count > 0) {
        free_units(adapter, channel->staged_first);
        channel->staged_count = 0;
    }
    for (uint32_t i = 0; i < adapter->unit_count; i++) {
        if (adapter->units[i].state == NETVSC_UNIT_FIRST &&
            adapter->units[i].channel == channel->index) {
            free_units(adapter, i);
        }
    }
}

/* ---- Packets ---- */

static bool send_staged(struct netvsc_channel *channel, uint32_t channel_type)
{
    struct netvsc *adapter = channel->adapter;
    const struct nvsp_message message = {
        .type = NVSP_RNDIS_PACKET,
        .rndis = {.channel_type = channel_type, .section_index = NVSP_NO_SECTION},
    };
    const struct iovec piece = {(void *)(uintptr_t)&message,
                                nvsp_message_size(adapter->session.version)};
    if (channel->staged_count == 0) {
        return true;
    }
    int result = host_channel_send_transfer_pages(channel->channel, channel->staged_first,
                                                  NVSP_RECEIVE_BUFFER_ID, channel->staged,
                                                  channel->staged_count, &piece, 1);
    if (result == -EAGAIN) {
        return false; /* the guest signals when there is room */
    }
    if (result == 0) {
        adapter->units[channel->staged_first].state = NETVSC_UNIT_FIRST;
        adapter->counters.received_packets++;
        channel->dirty = true;
    } else {
        free_units(adapter, channel->staged_first); /* a broken ring: the bus has told */
    }
    channel->staged_count = 0;
    return true;
}

/* What a unit is to hold. */
struct unit_content {
    const void *head; /* written to its beginning */
    size_t head_size;
    const void *body; /* `copied` bytes of it are written behind the head, the others are there */
    size_t copied, body_size;
};

/* Puts a unit at the end of what is staged. */
static void stage(struct netvsc_channel *channel, uint32_t unit,
                  const struct unit_content *content)
{
    struct netvsc *adapter = channel->adapter;
    size_t offset = (size_t)unit * adapter->unit_size;
    host_gpadl_write(adapter->receive, offset, content->head, content->head_size);
    if (content->copied > 0) {
        host_gpadl_write(adapter->receive, offset + content->head_size, content->body,
                         content->copied);
    }
    adapter->counters.receive_copied += content->head_size + content->copied;
    adapter->units[unit].channel = (uint8_t)channel->index;
    if (channel->staged_count == 0) {
        channel->staged_first = unit;
    } else {
        adapter->units[channel->staged_last].next = unit;
    }
    channel->staged_last = unit;
    channel->staged[channel->staged_count++] = (struct host_transfer_range){
        .byte_count = (uint32_t)(content->head_size + content->body_size),
        .byte_offset = (uint32_t)offset,
    };
}

static unsigned ranges_max(const struct netvsc *adapter)
{
    return (adapter->session.capabilities & NVSP_CAPABILITY_RSC) != 0 ? NVSP_RECEIVE_RANGES_MAX_RSC
                                                                      : NVSP_RECEIVE_RANGES_MAX;
}

/* ---- RNDIS messages ---- */

void netvsc_queue(struct netvsc *adapter, const uint8_t *message, size_t size)
{
    if (adapter->receive == NULL || adapter->queued_count == NETVSC_QUEUED_MAX) {
        return; /* a guest that takes nothing gets nothing */
    }
    struct netvsc_queued *queued = malloc(sizeof(*queued));
    if (queued == NULL) {
        return;
    }
    queued->next = NULL;
    queued->size = size;
    memcpy(queued->bytes, message, size);
    *adapter->queued_last = queued;
    adapter->queued_last = &queued->next;
    adapter->queued_count++;
}

static void send_queued(struct netvsc *adapter, struct netvsc_channel *primary)
{
    while (adapter->queued_first != NULL && adapter->units_free > 0 &&
           send_staged(primary, NVSP_CHANNEL_DATA)) {
        struct netvsc_queued *queued = adapter->queued_first;
        stage(primary, take_unit(adapter),
              &(struct unit_content){.head = queued->bytes, .head_size = queued->size});
        if (!send_staged(primary, NVSP_CHANNEL_CONTROL)) {
            free_units(adapter, primary->staged_first);
            primary->staged_count = 0;
            return;
        }
        adapter->queued_first = queued->next;
        adapter->queued_count--;
        free(queued);
        if (adapter->queued_first == NULL) {
            adapter->queued_last = &adapter->queued_first;
        }
    }
}

static void send_table(struct netvsc *adapter, struct netvsc_channel *primary)
{
    struct {
        struct nvsp_message message;
        uint32_t table[NVSP_INDIRECTION_ENTRIES];
    } WIRE_PACKED packet = {
        .message = {
            .type = NVSP_INDIRECTION_TABLE,
            .indirection = {NVSP_INDIRECTION_ENTRIES, sizeof(packet.message)},
        },
    };
    for (unsigned i = 0; i < NVSP_INDIRECTION_ENTRIES; i++) {
        packet.table[i] = i % adapter->control.queues;
    }
    if (host_channel_send_bytes(primary->channel, &packet, sizeof(packet)) != -EAGAIN) {
        adapter->table_wanted = false;
        primary->dirty = true;
    }
}

void netvsc_receive_flush(struct netvsc *adapter)
{
    struct netvsc_channel *primary = netvsc_channel(adapter, 0);
    if (primary == NULL || adapter->receive == NULL) {
        return;
    }
    send_queued(adapter, primary);
    if (adapter->table_wanted && adapter->queued_first == NULL) {
        send_table(adapter, primary);
    }
    for (struct netvsc_channel *channel = adapter->channels; channel != NULL;
         channel = channel->next) {
        send_staged(channel, NVSP_CHANNEL_DATA);
    }
}

/* ---- Frames ---- */

struct receive_header {
    uint8_t bytes[NETVSC_HEADROOM];
    size_t size; /* so far */
};

static void add_information(struct receive_header *header, uint32_t type, const void *data,
                            uint32_t size)
{
    const struct rndis_packet_info element = {sizeof(element) + size, type, sizeof(element)};
    memcpy(header->bytes + header->size, &element, sizeof(element));
    memcpy(header->bytes + header->size + sizeof(element), data, size);
    header->size += element.size;
}

/* Begins the header of a frame whose checksums are all filled in. */
static void describe_frame(const struct netvsc *adapter, const struct frame *frame, uint32_t hash,
                           uint32_t hash_type, struct receive_header *header)
{
    *header = (struct receive_header){.size = sizeof(struct rndis_packet)};
    if (frame->offload.tagged) {
        uint32_t vlan = rndis_vlan_from_tag(frame->offload.tag);
        add_information(header, RNDIS_INFO_VLAN, &vlan, sizeof(vlan));
    }
    if (adapter->control.checksum_receive) {
        struct frame_check check;
        uint32_t word = 0;
        frame_check(frame, &check);
        word |= check.network == FRAME_GOOD ? RNDIS_RX_CHECKSUM_IP_GOOD : 0;
        word |= check.network == FRAME_BAD ? RNDIS_RX_CHECKSUM_IP_FAILED : 0;
        if (check.transport != FRAME_UNCHECKED) {
            bool tcp = check.kind == FRAME_TCP;
            word |= check.transport == FRAME_GOOD
                        ? (tcp ? RNDIS_RX_CHECKSUM_TCP_GOOD : RNDIS_RX_CHECKSUM_UDP_GOOD)
                        : (tcp ? RNDIS_RX_CHECKSUM_TCP_FAILED : RNDIS_RX_CHECKSUM_UDP_FAILED);
        }
        add_information(header, RNDIS_INFO_CHECKSUM, &word, sizeof(word));
    }
    if (hash_type != 0) {
        add_information(header, RNDIS_INFO_HASH_VALUE, &hash, sizeof(hash));
        add_information(header, RNDIS_INFO_HASH_TYPE, &hash_type, sizeof(hash_type));
    }
}

/* Completes the header for `size` bytes of frame that follow it at NETVSC_HEADROOM. */
static void finish_header(struct receive_header *header, size_t size)
{
    const uint32_t information = (uint32_t)(header->size - sizeof(struct rndis_packet));
    const struct rndis_packet packet = {
        .header = {RNDIS_PACKET, (uint32_t)(NETVSC_HEADROOM + size)},
        .data_offset = NETVSC_HEADROOM - RNDIS_OFFSET_BASE,
        .data_length = (uint32_t)size,
        .info_offset = information > 0 ? sizeof(packet) - RNDIS_OFFSET_BASE : 0,
        .info_length = information,
    };
    memcpy(header->bytes, &packet, sizeof(packet));
}

static void add_packet_id(struct netvsc *adapter, struct receive_header *header, bool first,
                          bool last)
{
    const struct rndis_packet_id id = {
        .version = 1,
        .flags = (uint8_t)((first ? RNDIS_PACKET_ID_FIRST : 0) | (last ? RNDIS_PACKET_ID_LAST : 0)),
        .id = adapter->packet_id,
    };
    add_information(header, RNDIS_INFO_PACKET_ID, &id, sizeof(id));
}

/* Bytes of frame that fit one unit. */
static size_t unit_room(const struct netvsc *adapter)
{
    return adapter->unit_size - NETVSC_HEADROOM;
}

/* Units that the largest frame needs. */
static unsigned units_for_a_frame(const struct netvsc *adapter)
{
    const size_t room = unit_room(adapter);
    return (unsigned)((FRAME_SIZE_MAX + room - 1) / room);
}

/* Units for a frame. False: there are not enough now. */
static bool reserve(struct netvsc *adapter, unsigned count)
{
    while (adapter->reserved_count < count) {
        if (adapter->units_free <= NETVSC_UNITS_RESERVED) {
            return false;
        }
        adapter->reserved[adapter->reserved_count++] = take_unit(adapter);
    }
    return true;
}

unsigned netvsc_space(void *context, size_t *head, struct iovec *pieces, unsigned capacity)
{
    struct netvsc *adapter = context;
    if (adapter->receive == NULL || !netvsc_takes_coalesced(adapter)) {
        return 0;
    }
    const unsigned units = units_for_a_frame(adapter);
    unsigned count = 0;
    if (units > NETVSC_UNITS_FOR_A_FRAME || unit_room(adapter) <= NETVSC_HEAD_BYTES ||
        !reserve(adapter, units)) {
        return 0;
    }
    for (unsigned i = 0; i < units; i++) {
        size_t before = NETVSC_HEADROOM + (i == 0 ? NETVSC_HEAD_BYTES : 0);
        size_t offset = (size_t)adapter->reserved[i] * adapter->unit_size + before;
        int mapped = host_gpadl_map(adapter->receive, offset, adapter->unit_size - before,
                                    pieces + count, capacity - count);
        if (mapped < 0) {
            return 0; /* in more places than there are pieces */
        }
        count += (unsigned)mapped;
    }
    *head = NETVSC_HEAD_BYTES;
    return count;
}

/* The first ones hold a frame now. */
static void use_reserved(struct netvsc *adapter, unsigned count)
{
    adapter->reserved_count -= count;
    memmove(adapter->reserved, adapter->reserved + count,
            adapter->reserved_count * sizeof(adapter->reserved[0]));
}

/* Writes a frame over as many units as it needs; more than one only with RSC. What has been read to
 * reserved units stays there. */
static void write_frame(struct netvsc *adapter, struct frame *frame)
{
    uint32_t hash, hash_type;
    struct receive_header header;
    uint16_t queue = netvsc_queue_of(&adapter->control, frame->bytes, frame->size, &hash,
                                     &hash_type);
    struct netvsc_channel *channel = netvsc_channel(adapter, queue);
    if (channel == NULL) {
        channel = netvsc_channel(adapter, 0);
    }
    if (frame->rest != NULL && frame->head != NETVSC_HEAD_BYTES) {
        frame_gather(frame); /* without its tag it begins elsewhere */
    }
    const bool in_place = frame->rest != NULL;
    const size_t room = unit_room(adapter);
    const unsigned units = (unsigned)((frame->size + room - 1) / room);
    if (channel->staged_count + units > ranges_max(adapter)) {
        send_staged(channel, NVSP_CHANNEL_DATA);
    }
    if (adapter->units_free < units + NETVSC_UNITS_RESERVED ||
        channel->staged_count + units > ranges_max(adapter)) {
        adapter->counters.no_room++;
        return;
    }
    describe_frame(adapter, frame, hash, hash_type, &header);
    adapter->packet_id++;
    for (unsigned i = 0; i < units; i++) {
        const size_t done = i * room, left = frame->size - done, size = left < room ? left : room;
        const size_t there = !in_place ? 0 : i == 0 ? size - NETVSC_HEAD_BYTES : size;
        if (i > 0) {
            header.size = sizeof(struct rndis_packet);
        }
        if (units > 1) {
            add_packet_id(adapter, &header, i == 0, i + 1 == units);
        }
        finish_header(&header, size);
        stage(channel, in_place ? adapter->reserved[i] : take_unit(adapter),
              &(struct unit_content){header.bytes, NETVSC_HEADROOM, frame->bytes + done,
                                     size - there, size});
    }
    use_reserved(adapter, in_place ? units : 0);
    adapter->counters.coalesced += units > 1;
    channel->received_frames++;
    adapter->counters.received_frames++;
    adapter->counters.received_bytes += frame->size;
}

static void write_segment(void *context, struct frame *frame)
{
    struct netvsc *adapter = context;
    if (frame->size > unit_room(adapter) || frame->size > adapter->session.mtu + FRAME_TAG) {
        adapter->counters.too_large++;
        return;
    }
    write_frame(adapter, frame);
}

static bool passes_filter(const struct netvsc *adapter, const uint8_t *destination)
{
    static const uint8_t broadcast[FRAME_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint32_t filter = adapter->control.filter;
    if ((filter & RNDIS_FILTER_PROMISCUOUS) != 0) {
        return true;
    }
    if (memcmp(destination, broadcast, FRAME_ADDRESS) == 0) {
        return (filter & RNDIS_FILTER_BROADCAST) != 0;
    }
    if ((destination[0] & 1) != 0) {
        return (filter & (RNDIS_FILTER_MULTICAST | RNDIS_FILTER_ALL_MULTICAST)) != 0;
    }
    return (filter & RNDIS_FILTER_DIRECTED) != 0 &&
           memcmp(destination, adapter->control.address, FRAME_ADDRESS) == 0;
}

static bool may_coalesce(const struct netvsc *adapter, const struct frame *frame)
{
    return (adapter->session.capabilities & NVSP_CAPABILITY_RSC) != 0 &&
           ((frame->offload.segmentation == FRAME_TCP_IPV4 && adapter->control.rsc_ipv4) ||
            (frame->offload.segmentation == FRAME_TCP_IPV6 && adapter->control.rsc_ipv6));
}

void netvsc_take_frame(void *context, struct frame *frame)
{
    struct netvsc *adapter = context;
    if (adapter->receive == NULL || !adapter->control.initialised || !adapter->control.link_up ||
        netvsc_channel(adapter, 0) == NULL || frame->size < FRAME_HEADER ||
        !passes_filter(adapter, frame->bytes)) {
        adapter->counters.filtered++;
        return;
    }
    if ((adapter->session.capabilities & NVSP_CAPABILITY_8021Q) != 0) {
        frame_remove_tag(frame);
    } else if (frame->offload.tagged) {
        adapter->counters.filtered++; /* an adapter without VLANs sees untagged frames only */
        return;
    }
    const bool coalesced = may_coalesce(adapter, frame);
    if (!coalesced || !frame->offload.needs_checksum) {
        frame_gather(frame); /* all of it will be looked at */
    }
    if (coalesced) {
        frame->offload.segmentation = FRAME_WHOLE;
        if (frame_complete_checksum(frame)) {
            write_frame(adapter, frame);
        }
    } else {
        frame_segment(frame, adapter->segment + FRAME_TAG, write_segment, adapter);
    }
}

bool netvsc_takes_coalesced(const struct netvsc *adapter)
{
    return (adapter->session.capabilities & NVSP_CAPABILITY_RSC) != 0 &&
           (adapter->control.rsc_ipv4 || adapter->control.rsc_ipv6) &&
           adapter->unit_count >= 2 * NETVSC_UNITS_FOR_A_FRAME * (1 + COALESCE_FLOWS);
}

/* A guest that is slower than its network gets no more than stays in the processor's cache until it
 * looks, if the rest can wait; what is read ahead beyond that costs both sides more. */
bool netvsc_has_room(void *context)
{
    const struct netvsc *adapter = context;
    /* One frame, and those that are being put together. */
    const unsigned frames = adapter->port->coalesce ? 1 + COALESCE_FLOWS : 1;
    if (adapter->receive == NULL || !adapter->control.initialised) {
        return true; /* frames are taken and dropped, as by a cable that nobody listens to */
    }
    const size_t held = adapter->unit_count - adapter->units_free - adapter->reserved_count;
    if (adapter->port->operations->waits && held * adapter->unit_size >= HELD_MAX) {
        return false;
    }
    return adapter->units_free >= NETVSC_UNITS_RESERVED + NETVSC_UNITS_FOR_A_FRAME * frames;
}

/* ---- Acknowledgements ---- */

const char *netvsc_acknowledged(struct netvsc_channel *channel, const struct host_packet *packet)
{
    struct netvsc *adapter = channel->adapter;
    struct {
        uint32_t type, status;
    } message;
    if (packet->payload_size < sizeof(message)) {
        return "an acknowledgement has at least 8 bytes";
    }
    memcpy(&message, packet->payload, sizeof(message));
    if (message.type != NVSP_RNDIS_PACKET_COMPLETE) {
        return "a guest completes receive packets with message 108";
    }
    if (adapter->receive == NULL) {
        return NULL; /* crossed with the revocation */
    }
    if (packet->transaction_id >= adapter->unit_count ||
        adapter->units[packet->transaction_id].state != NETVSC_UNIT_FIRST) {
        return "a receive packet is acknowledged once";
    }
    if (adapter->units[packet->transaction_id].channel != channel->index) {
        return "a receive packet is acknowledged on the channel that it came on";
    }
    free_units(adapter, (uint32_t)packet->transaction_id);
    return NULL;
}
