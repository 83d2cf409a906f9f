/* SPDX-License-Identifier: BSD-3-Clause */
/* RNDIS messages of the guest: from its memory to the network, or to the control messages. */
#include <string.h>

#include "host/devices/netvsc_internal.h"

enum { IN_PLACE_MIN = 8192 }; /* bytes of a message whose data may stay in the guest */

/* ---- Fetching the message: it is copied once, and only the copy is looked at. Most of a large
 * frame is not looked at, and stays where it is ---- */

/* Copies `bytes` of the pieces, and keeps what is left of them for later. */
static void fetch_pieces(struct netvsc *adapter, struct iovec *pieces, unsigned count, size_t bytes)
{
    for (unsigned i = 0; i < count; i++) {
        size_t part = pieces[i].iov_len < bytes ? pieces[i].iov_len : bytes;
        memcpy(adapter->transmit + adapter->fetched, pieces[i].iov_base, part);
        adapter->fetched += part;
        adapter->counters.transmit_copied += part;
        bytes -= part;
        if (part < pieces[i].iov_len) {
            adapter->rest[adapter->rest_count++] = (struct iovec){
                (uint8_t *)pieces[i].iov_base + part, pieces[i].iov_len - part};
        }
    }
}

static void fetch_rest(struct netvsc *adapter)
{
    const unsigned count = adapter->rest_count;
    adapter->rest_count = 0;
    fetch_pieces(adapter, adapter->rest, count, NETVSC_TRANSMIT_MAX - adapter->fetched);
}

static const char *fetch_section(struct netvsc *adapter, const struct nvsp_rndis_packet *rndis)
{
    if (rndis->section_index == NVSP_NO_SECTION) {
        return NULL;
    }
    if (adapter->send == NULL || rndis->section_index >= adapter->send_sections) {
        return "the section of a message exists";
    }
    if (rndis->section_bytes > NVSP_SECTION_SIZE) {
        return "a message in a section has at most the section's size";
    }
    size_t offset = (size_t)rndis->section_index * NVSP_SECTION_SIZE;
    if (host_gpadl_read(adapter->send, offset, adapter->transmit, rndis->section_bytes) != 0) {
        return "the section of a message exists";
    }
    adapter->fetched = rndis->section_bytes;
    adapter->counters.transmit_copied += rndis->section_bytes;
    return NULL;
}

/* *size: bytes of the whole message, fetched or not. */
static const char *fetch_ranges(struct netvsc_channel *channel, const struct host_packet *packet,
                                bool data, size_t *size)
{
    struct netvsc *adapter = channel->adapter;
    struct iovec pieces[NETVSC_PIECES_MAX];
    size_t described = 0;
    *size = adapter->fetched;
    if (packet->type != VMBUS_PACKET_GPA_DIRECT) {
        return NULL;
    }
    int count = host_packet_map(channel->channel, packet, HOST_ALL_RANGES, pieces,
                                NETVSC_PIECES_MAX, &described);
    if (count < 0) {
        return "the ranges of a message are guest memory, in at most 64 pieces";
    }
    if (described > NETVSC_TRANSMIT_MAX - *size) {
        return "a message has at most 64 KiB of frame";
    }
    *size += described;
    fetch_pieces(adapter, pieces, (unsigned)count,
                 data && described >= IN_PLACE_MIN ? NETVSC_HEAD_BYTES : described);
    return NULL;
}

/* Bytes that must hold the RNDIS header and the information: the section,
 * or else the first range. */
static size_t first_part(const struct host_packet *packet, const struct nvsp_rndis_packet *rndis)
{
    struct vmbus_gpa_range range;
    if (rndis->section_index != NVSP_NO_SECTION) {
        return rndis->section_bytes;
    }
    if (packet->type != VMBUS_PACKET_GPA_DIRECT || packet->ranges_size < sizeof(range)) {
        return 0;
    }
    memcpy(&range, packet->ranges, sizeof(range));
    return range.byte_count;
}

/* ---- Per-packet information ---- */

struct transmit_information {
    bool has_checksum, has_lso, has_vlan;
    uint32_t checksum, lso, vlan;
};

static const char *read_element(const struct rndis_packet_info *element, const uint8_t *data,
                                struct transmit_information *information)
{
    uint32_t value;
    if (element->type != RNDIS_INFO_CHECKSUM && element->type != RNDIS_INFO_LSO &&
        element->type != RNDIS_INFO_VLAN) {
        return NULL; /* a hash value, say: of no use here */
    }
    if (element->size - element->offset < sizeof(value)) {
        return "checksum, segmentation and VLAN information are 4 bytes long";
    }
    memcpy(&value, data, sizeof(value));
    switch (element->type) {
    case RNDIS_INFO_CHECKSUM:
        information->has_checksum = true;
        information->checksum = value;
        break;
    case RNDIS_INFO_LSO:
        information->has_lso = true;
        information->lso = value;
        break;
    default:
        information->has_vlan = true;
        information->vlan = value;
        break;
    }
    return NULL;
}

static const char *read_information(const uint8_t *at, size_t size,
                                    struct transmit_information *information)
{
    *information = (struct transmit_information){0};
    while (size > 0) {
        struct rndis_packet_info element;
        if (size < sizeof(element)) {
            return "an information element has at least 12 bytes";
        }
        memcpy(&element, at, sizeof(element));
        if (element.size < sizeof(element) || element.size > size || element.size % 4 != 0 ||
            element.offset < sizeof(element) || element.offset > element.size) {
            return "an information element lies inside the packet's information";
        }
        const char *rule = read_element(&element, at + element.offset, information);
        if (rule != NULL) {
            return rule;
        }
        at += element.size;
        size -= element.size;
    }
    return NULL;
}

/* ---- Offloads ---- */

/* A frame to be cut comes with lengths and sums left out;
 * the network wants them as for one large frame. */
static const char *prepare_lso(struct frame *frame, uint32_t lso)
{
    struct frame_layout layout;
    bool ipv6 = (lso & RNDIS_LSO_IPV6) != 0;
    frame_parse(frame->bytes, frame->size, &layout);
    if ((lso & RNDIS_LSO_V2) == 0) {
        return "segmentation is version 2, as the capabilities say";
    }
    if (layout.kind != FRAME_TCP || layout.ipv6 != ipv6 ||
        layout.transport != (lso >> RNDIS_LSO_HEADER_SHIFT & RNDIS_LSO_HEADER_MASK)) {
        return "a frame to be cut is TCP, with its header where the information says";
    }
    if ((lso & RNDIS_LSO_MSS_MASK) == 0 || (lso & RNDIS_LSO_MSS_MASK) > UINT16_MAX) {
        return "the segment size is not 0";
    }
    if (frame->size - layout.payload > NETVSC_LSO_SIZE_MAX) {
        return "a frame to be cut is not larger than the capabilities say";
    }
    uint8_t *ip = frame->bytes + layout.network;
    size_t length = frame->size - layout.network - (ipv6 ? 40 : 0);
    layout.end = frame->size;
    ip[ipv6 ? 4 : 2] = (uint8_t)(length >> 8);
    ip[ipv6 ? 5 : 3] = (uint8_t)length;
    if (!ipv6) {
        frame_ipv4_header_checksum(frame->bytes, &layout);
    }
    uint16_t sum = frame_fold(frame_pseudo_sum(frame->bytes, &layout,
                                               layout.end - layout.transport));
    memcpy(frame->bytes + layout.transport + 16, &sum, sizeof(sum));
    frame->offload.needs_checksum = true;
    frame->offload.checksum_start = layout.transport;
    frame->offload.checksum_offset = 16;
    frame->offload.segmentation = ipv6 ? FRAME_TCP_IPV6 : FRAME_TCP_IPV4;
    frame->offload.segment_size = (uint16_t)(lso & RNDIS_LSO_MSS_MASK);
    return NULL;
}

static const char *prepare_checksum(struct frame *frame, uint32_t checksum)
{
    struct frame_layout layout;
    frame_parse(frame->bytes, frame->size, &layout);
    if ((checksum & RNDIS_TX_CHECKSUM_IP_HEADER) != 0) {
        if (!layout.ipv4) {
            return "only an IPv4 header has a checksum";
        }
        frame_ipv4_header_checksum(frame->bytes, &layout);
    }
    bool tcp = (checksum & RNDIS_TX_CHECKSUM_TCP) != 0;
    if (!tcp && (checksum & RNDIS_TX_CHECKSUM_UDP) == 0) {
        return NULL;
    }
    uint16_t start = (uint16_t)(checksum >> RNDIS_TX_CHECKSUM_HEADER_SHIFT & 0x3ff);
    if (start == 0) {
        start = layout.transport; /* guests may leave it out for UDP */
    }
    if (start < FRAME_HEADER || (size_t)start + (tcp ? 20 : 8) > frame->size) {
        return "the transport header to be summed lies inside the frame";
    }
    frame->offload.needs_checksum = true;
    frame->offload.checksum_start = start;
    frame->offload.checksum_offset = tcp ? 16 : 6;
    return NULL;
}

static const char *prepare(struct netvsc *adapter, const struct transmit_information *information,
                           struct frame *frame)
{
    const char *rule = NULL;
    if (information->has_lso) {
        rule = prepare_lso(frame, information->lso);
    } else if (information->has_checksum) {
        rule = prepare_checksum(frame, information->checksum);
    }
    if (rule == NULL && information->has_vlan) {
        if ((adapter->session.capabilities & NVSP_CAPABILITY_8021Q) == 0) {
            return "VLAN information goes with the capability 802.1Q";
        }
        frame->offload.tagged = true;
        frame->offload.tag = rndis_vlan_to_tag(information->vlan);
    }
    if (rule == NULL && !information->has_lso && frame->size > adapter->session.mtu + FRAME_TAG) {
        return "a frame has at most the MTU told before, or is to be cut";
    }
    return rule;
}

/* ---- Data ---- */

static bool inside(uint32_t offset, uint32_t length, size_t size)
{
    return offset <= size && length <= size - offset;
}

/* Whether the frame of a message can be sent from where it is: what is looked at has been fetched,
 * and the frame ends where the message does. */
static bool stays_in_place(const struct netvsc *adapter, const struct rndis_packet *packet,
                           size_t size)
{
    struct frame_layout layout;
    const size_t data = RNDIS_OFFSET_BASE + (size_t)packet->data_offset;
    if (RNDIS_OFFSET_BASE + (size_t)packet->info_offset + packet->info_length > adapter->fetched ||
        data > adapter->fetched || data + packet->data_length != size) {
        return false;
    }
    frame_parse(adapter->transmit + data, packet->data_length, &layout);
    return layout.kind != FRAME_OTHER && layout.payload <= adapter->fetched - data;
}

/* One RNDIS packet of `size` bytes, whose headers lie in the first `first` bytes. */
static const char *send_packet(struct netvsc_channel *channel, uint8_t *message, size_t size,
                               size_t first)
{
    struct netvsc *adapter = channel->adapter;
    struct rndis_packet packet;
    struct transmit_information information;
    memcpy(&packet, message, sizeof(packet));
    const size_t room = size - RNDIS_OFFSET_BASE;
    if (packet.oob_offset != 0 || packet.oob_length != 0 || packet.oob_count != 0 ||
        packet.vc_handle != 0) {
        return "an RNDIS packet has no out-of-band data and no connection";
    }
    if (packet.data_length < FRAME_HEADER ||
        packet.data_offset < sizeof(packet) - RNDIS_OFFSET_BASE ||
        !inside(packet.data_offset, packet.data_length, room)) {
        return "the frame lies inside the RNDIS packet, after its header";
    }
    if (packet.info_length > 0 && (packet.info_offset < sizeof(packet) - RNDIS_OFFSET_BASE ||
                                   !inside(packet.info_offset, packet.info_length, room))) {
        return "the information lies inside the RNDIS packet, after its header";
    }
    if (first < sizeof(packet) ||
        (packet.info_length > 0 &&
         !inside(packet.info_offset, packet.info_length, first - RNDIS_OFFSET_BASE))) {
        return "header and information of an RNDIS packet lie in its first range";
    }
    if (adapter->rest_count > 0 && !stays_in_place(adapter, &packet, size)) {
        fetch_rest(adapter);
    }
    const char *rule = read_information(message + RNDIS_OFFSET_BASE + packet.info_offset,
                                        packet.info_length, &information);
    struct frame frame = {.bytes = message + RNDIS_OFFSET_BASE + packet.data_offset,
                          .size = packet.data_length};
    if (adapter->rest_count > 0) {
        frame.rest = adapter->rest;
        frame.rest_count = adapter->rest_count;
        frame.head = (size_t)(adapter->transmit + adapter->fetched - frame.bytes);
    }
    if (rule == NULL) {
        rule = prepare(adapter, &information, &frame);
    }
    if (rule == NULL) {
        channel->transmitted_frames++;
        adapter->counters.transmitted_frames++;
        adapter->counters.transmitted_bytes += frame.size;
        if (adapter->control.link_up) {
            network_port_send(adapter->port, &frame);
        }
    }
    return rule;
}

/* Several RNDIS packets may follow one another. */
static const char *send_packets(struct netvsc_channel *channel, size_t size, size_t first)
{
    struct netvsc *adapter = channel->adapter;
    uint8_t *at = adapter->transmit;
    unsigned count = 0;
    do {
        struct rndis_header header;
        if (size < sizeof(struct rndis_packet)) {
            return "an RNDIS packet has at least 44 bytes";
        }
        memcpy(&header, at, sizeof(header));
        if (header.type != RNDIS_PACKET) {
            return "a data message holds RNDIS packets";
        }
        if (header.length < sizeof(struct rndis_packet) || header.length > size) {
            return "the length of an RNDIS packet is that of its message";
        }
        if (++count > NETVSC_PACKETS_A_MESSAGE) {
            return "a message holds at most 8 RNDIS packets";
        }
        if (adapter->rest_count > 0 && header.length != size) {
            fetch_rest(adapter); /* more than one packet, or padding */
        }
        const char *rule = send_packet(channel, at, header.length, first);
        if (rule != NULL) {
            return rule;
        }
        at += header.length;
        size -= header.length;
        first = first > header.length ? first - header.length : 0;
    } while (size >= (1u << NETVSC_ALIGNMENT_FACTOR)); /* less is padding */
    return NULL;
}

/* ---- Both ---- */

static void complete(struct netvsc_channel *channel, const struct host_packet *packet,
                     uint32_t status)
{
    const struct nvsp_message message = {
        .type = NVSP_RNDIS_PACKET_COMPLETE,
        .status = {status},
    };
    if (packet->completion_requested) {
        netvsc_complete(channel, packet->transaction_id, &message,
                        nvsp_message_size(channel->adapter->session.version));
    }
}

static const char *control(struct netvsc_channel *channel, const struct host_packet *packet,
                           size_t size)
{
    struct netvsc *adapter = channel->adapter;
    uint8_t reply[NETVSC_CONTROL_REPLY_MAX];
    const char *rule = NULL;
    const bool had_rss = adapter->control.rss;
    if (size > NETVSC_CONTROL_REQUEST_MAX) {
        return "an RNDIS control message has at most 4096 bytes";
    }
    adapter->control.mtu = adapter->session.mtu;
    adapter->control.nvsp_version = adapter->session.version;
    int length = netvsc_control_handle(&adapter->control, adapter->transmit, size, reply, &rule);
    if (length < 0) {
        return rule;
    }
    adapter->counters.control_messages++;
    adapter->table_wanted |= adapter->control.rss && !had_rss;
    if (adapter->settings.reply_first && length > 0) {
        netvsc_queue(adapter, reply, (size_t)length);
        netvsc_receive_flush(adapter);
    }
    complete(channel, packet, NVSP_STATUS_SUCCESS);
    if (!adapter->settings.reply_first && length > 0) {
        netvsc_queue(adapter, reply, (size_t)length);
    }
    return NULL;
}

const char *netvsc_transmit(struct netvsc_channel *channel, const struct host_packet *packet,
                            const struct nvsp_rndis_packet *rndis)
{
    struct netvsc *adapter = channel->adapter;
    size_t size = 0;
    adapter->fetched = 0;
    adapter->rest_count = 0;
    const char *rule = fetch_section(adapter, rndis);
    if (rule == NULL) {
        rule = fetch_ranges(channel, packet, rndis->channel_type != NVSP_CHANNEL_CONTROL, &size);
    }
    if (rule == NULL && rndis->channel_type == NVSP_CHANNEL_CONTROL) {
        return control(channel, packet, size);
    }
    if (rule == NULL && !adapter->control.initialised) {
        return "frames come after RNDIS INITIALIZE";
    }
    if (rule == NULL) {
        adapter->counters.transmitted_messages++;
        rule = send_packets(channel, size, first_part(packet, rndis));
    }
    if (rule != NULL) {
        adapter->counters.transmit_invalid++;
        host_channel_violation(channel->channel, rule);
    }
    complete(channel, packet, rule == NULL ? NVSP_STATUS_SUCCESS : NVSP_STATUS_INVALID_PACKET);
    return NULL;
}
