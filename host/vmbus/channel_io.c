/* SPDX-License-Identifier: BSD-3-Clause */
/* A channel's data path: what devices use to exchange packets with the guest. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmbus/packet.h"
#include "host/vmbus/state.h"

/* ---- Facts ---- */

uint32_t host_channel_id(const struct host_channel *channel)
{
    return channel->id;
}

uint16_t host_channel_sub_channel_index(const struct host_channel *channel)
{
    return channel->sub_channel_index;
}

struct host_channel *host_channel_primary(struct host_channel *channel)
{
    return channel->device->channels;
}

void host_channel_set_context(struct host_channel *channel, void *context)
{
    channel->context = context;
}

void *host_channel_context(const struct host_channel *channel)
{
    return channel->context;
}

const struct guest_memory *host_channel_memory(const struct host_channel *channel)
{
    return channel->server->configuration.memory;
}

uint32_t host_channel_protocol_version(const struct host_channel *channel)
{
    return channel->version;
}

const char *host_channel_device_name(const struct host_channel *channel)
{
    return channel->device->operations->name;
}

void host_channel_violation(struct host_channel *channel, const char *rule)
{
    vmbus_violation(channel->server, host_channel_device_name(channel), "open", rule,
                    channel->id);
}

void host_channel_set_filter(struct host_channel *channel,
                             const struct host_packet_filter *filter)
{
    channel->filter = filter;
}

/* ---- Receiving ---- */

static int broken(struct host_channel *channel, const char *rule)
{
    if (channel->reported_rule != rule) {
        channel->reported_rule = rule;
        vmbus_violation(channel->server, "ring", "open", rule, channel->id);
    }
    return -EPIPE;
}

/*
 * The ring is empty: says so to the guest and lets it signal again. Returns true if a packet came
 * in between, for which no signal will come.
 */
static bool rest(struct host_channel *channel)
{
    struct host_ring_reader *reader = &channel->reader;
    channel->signal_guest |= host_ring_reader_publish(reader);
    if (!channel->polled) {
        host_ring_reader_mask(reader, false);
    }
    channel->rested = !host_ring_reader_has_more(reader);
    if (channel->rested) {
        return false;
    }
    host_ring_reader_mask(reader, true);
    return true;
}

/* Lets the filter see a packet. False: it is lost, or no packet any more. */
static bool filter_passes(struct host_channel *channel, const uint8_t *bytes, size_t *length)
{
    const struct host_packet_filter *filter = channel->filter;
    if (filter == NULL || filter->from_guest == NULL) {
        return true;
    }
    if (!filter->from_guest(filter->context, channel, channel->reader.packet, length)) {
        return false;
    }
    struct vmbus_packet_header header;
    if (*length < sizeof(header)) {
        return false;
    }
    memcpy(&header, bytes, sizeof(header));
    size_t offset = header.data_offset8 * 8u;
    return offset >= sizeof(header) && offset <= *length;
}

int host_channel_receive(struct host_channel *channel, struct host_packet *packet)
{
    struct host_ring_reader *reader = &channel->reader;
    if (reader->packet == NULL) {
        return -EPIPE;
    }
    for (;;) {
        const uint8_t *bytes;
        size_t length;
        int result = host_ring_reader_next(reader, &bytes, &length);
        if (result < 0) {
            return broken(channel, reader->broken);
        }
        if (result == 0) {
            if (rest(channel)) {
                continue;
            }
            return reader->broken != NULL ? broken(channel, reader->broken) : 0;
        }
        const char *rule;
        if (!filter_passes(channel, bytes, &length)) {
            continue;
        }
        if (host_packet_parse(bytes, length, channel->pipe, packet, &rule) == 0) {
            return 1;
        }
        vmbus_violation(channel->server, "packet", "open", rule, channel->id);
    }
}

int host_channel_receive_in_band(struct host_channel *channel, struct host_packet *packet)
{
    int result;
    while ((result = host_channel_receive(channel, packet)) == 1 &&
           packet->type != VMBUS_PACKET_IN_BAND) {
        host_channel_violation(channel, "messages to this device are in-band packets");
    }
    if (result == 1 && packet->completion_requested) {
        host_channel_complete(channel, packet->transaction_id, NULL, 0);
    }
    return result;
}

int host_packet_map(const struct host_channel *channel, const struct host_packet *packet,
                    int range, struct iovec *vector, unsigned capacity, size_t *size)
{
    return host_packet_map_ranges(host_channel_memory(channel), packet, range, vector, capacity,
                                  size);
}

/* ---- Sending ---- */

/* A packet in the making: up to three leading pieces of our own, then the device's. */
struct outgoing_packet {
    struct iovec own[3];
    unsigned own_count;
    const struct iovec *pieces;
    unsigned count;
    struct vmbus_packet_header header; /* the common header; length and offset are filled in */
    uint32_t length;                   /* multiple of 8 */
};

static void add_own(struct outgoing_packet *packet, const void *bytes, size_t size)
{
    packet->own[packet->own_count++] = (struct iovec){(void *)(uintptr_t)bytes, size};
}

/* Fills the header's sizes. `data_offset`: bytes before the data. */
static int measure(struct outgoing_packet *packet, uint64_t data_offset, uint64_t extra)
{
    uint64_t total = data_offset + extra;
    for (unsigned i = 0; i < packet->count; i++) {
        if (packet->pieces[i].iov_len > VMBUS_PACKET_LENGTH_MAXIMUM) {
            return -EMSGSIZE;
        }
        total += packet->pieces[i].iov_len;
    }
    total = (total + 7) & ~UINT64_C(7);
    if (total > VMBUS_PACKET_LENGTH_MAXIMUM) {
        return -EMSGSIZE;
    }
    packet->length = (uint32_t)total;
    packet->header.length8 = (uint16_t)(total / 8);
    packet->header.data_offset8 = (uint16_t)(data_offset / 8);
    return 0;
}

static int begin(struct host_channel *channel, uint32_t length)
{
    if (channel->writer.memory.control == NULL) {
        return -EPIPE;
    }
    int result = host_ring_writer_begin(&channel->writer, length);
    return result == -EPIPE ? broken(channel, channel->writer.broken) : result;
}

int host_channel_send_raw(struct host_channel *channel, const void *bytes, uint32_t length)
{
    if (length % 8 != 0 || length < sizeof(struct vmbus_packet_header)) {
        return -EINVAL;
    }
    int result = begin(channel, length);
    if (result == 0) {
        host_ring_writer_append(&channel->writer, bytes, length);
        host_ring_writer_finish(&channel->writer);
    }
    return result;
}

static uint8_t *append_bytes(uint8_t *to, const struct iovec *pieces, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (pieces[i].iov_len > 0) {
            memcpy(to, pieces[i].iov_base, pieces[i].iov_len);
            to += pieces[i].iov_len;
        }
    }
    return to;
}

/* The way of a packet when a filter is set: put together first, then shown to the filter. */
static int send_filtered(struct host_channel *channel, const struct outgoing_packet *packet)
{
    const struct host_packet_filter *filter = channel->filter;
    uint8_t *bytes = calloc(1, packet->length);
    if (bytes == NULL) {
        return -EAGAIN;
    }
    append_bytes(append_bytes(bytes, packet->own, packet->own_count), packet->pieces,
                 packet->count);
    uint32_t length = packet->length;
    unsigned times = filter->to_guest(filter->context, channel, bytes, &length);
    int result = 0;
    for (unsigned i = 0; i < times && result == 0; i++) {
        result = host_channel_send_raw(channel, bytes, length);
    }
    free(bytes);
    return result;
}

static int send_packet(struct host_channel *channel, const struct outgoing_packet *packet)
{
    if (channel->filter != NULL && channel->filter->to_guest != NULL) {
        return send_filtered(channel, packet);
    }
    int result = begin(channel, packet->length);
    if (result < 0) {
        return result;
    }
    struct host_ring_writer *writer = &channel->writer;
    for (unsigned i = 0; i < packet->own_count; i++) {
        host_ring_writer_append(writer, packet->own[i].iov_base,
                                (uint32_t)packet->own[i].iov_len);
    }
    for (unsigned i = 0; i < packet->count; i++) {
        host_ring_writer_append(writer, packet->pieces[i].iov_base,
                                (uint32_t)packet->pieces[i].iov_len);
    }
    host_ring_writer_finish(writer);
    return 0;
}

int host_channel_send(struct host_channel *channel, uint64_t transaction_id,
                      bool request_completion, const struct iovec *pieces, unsigned count)
{
    struct vmbus_pipe_header pipe = {.type = VMBUS_PIPE_DATA};
    struct outgoing_packet packet = {
        .pieces = pieces,
        .count = count,
        .header = {
            .type = VMBUS_PACKET_IN_BAND,
            .flags = request_completion ? VMBUS_PACKET_FLAG_COMPLETION_REQUESTED : 0,
            .transaction_id = transaction_id,
        },
    };
    add_own(&packet, &packet.header, sizeof(packet.header));
    if (channel->pipe) {
        for (unsigned i = 0; i < count; i++) {
            pipe.length += (uint32_t)pieces[i].iov_len;
        }
        add_own(&packet, &pipe, sizeof(pipe));
    }
    int result = measure(&packet, sizeof(packet.header), channel->pipe ? sizeof(pipe) : 0);
    return result < 0 ? result : send_packet(channel, &packet);
}

int host_channel_complete(struct host_channel *channel, uint64_t transaction_id,
                          const struct iovec *pieces, unsigned count)
{
    struct outgoing_packet packet = {
        .pieces = pieces,
        .count = count,
        .header = {.type = VMBUS_PACKET_COMPLETION, .transaction_id = transaction_id},
    };
    add_own(&packet, &packet.header, sizeof(packet.header));
    int result = measure(&packet, sizeof(packet.header), 0);
    return result < 0 ? result : send_packet(channel, &packet);
}

int host_channel_send_transfer_pages(struct host_channel *channel, uint64_t transaction_id,
                                     uint16_t set_id, const struct host_transfer_range *ranges,
                                     unsigned range_count, const struct iovec *pieces,
                                     unsigned count)
{
    _Static_assert(sizeof(*ranges) == sizeof(struct vmbus_transfer_page_range), "same layout");
    if (range_count == 0 || range_count > VMBUS_PACKET_LENGTH_MAXIMUM / sizeof(*ranges)) {
        return -EINVAL;
    }
    struct vmbus_packet_transfer_pages pages = {
        .transfer_page_set_id = set_id,
        .range_count = range_count,
    };
    struct outgoing_packet packet = {
        .pieces = pieces,
        .count = count,
        .header = {
            .type = VMBUS_PACKET_TRANSFER_PAGES,
            .flags = VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
            .transaction_id = transaction_id,
        },
    };
    add_own(&packet, &pages, sizeof(pages));
    add_own(&packet, ranges, range_count * sizeof(*ranges));
    int result = measure(&packet, sizeof(pages) + range_count * sizeof(*ranges), 0);
    if (result < 0) {
        return result;
    }
    pages.header = packet.header;
    return send_packet(channel, &packet);
}

/* ---- Bursts ---- */

void host_channel_flush(struct host_channel *channel)
{
    if (channel->reader.packet == NULL || channel->writer.memory.control == NULL) {
        return;
    }
    bool signal = channel->signal_guest;
    channel->signal_guest = false;
    signal |= host_ring_reader_publish(&channel->reader);
    signal |= host_ring_writer_publish(&channel->writer);
    if (signal) {
        host_channel_signal_guest(channel);
    }
}

void host_channel_run(struct host_channel *channel)
{
    if (!atomic_load(&channel->running)) {
        return;
    }
    host_ring_reader_mask(&channel->reader, true);
    channel->rested = false;
    if (channel->device->operations->ready != NULL) {
        channel->device->operations->ready(channel->device->device, channel);
    }
    host_channel_flush(channel);
}

/* ---- Polling ---- */

void host_channel_poll_begin(struct host_channel *channel)
{
    channel->polled = true;
}

bool host_channel_poll(struct host_channel *channel)
{
    return atomic_load(&channel->running) && channel->rested &&
           host_ring_reader_has_more(&channel->reader);
}

bool host_channel_poll_end(struct host_channel *channel)
{
    channel->polled = false;
    /* A device that left packets in the ring knows of them: no signal is wanted. */
    if (!atomic_load(&channel->running) || !channel->rested) {
        return false;
    }
    host_ring_reader_mask(&channel->reader, false);
    return host_ring_reader_has_more(&channel->reader);
}

bool host_channel_sent_all_taken(const struct host_channel *channel)
{
    return channel->writer.memory.control == NULL || host_ring_writer_drained(&channel->writer);
}
