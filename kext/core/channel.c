/* SPDX-License-Identifier: BSD-3-Clause */
/* One open VMBus channel: its two rings and the requests that wait for completions. */
#include "kext/core/channel.h"

#include "kext/core/errors.h"
#include "kext/core/shared_memory.h"

int channel_init(struct channel *channel, void *memory, uint32_t transmit_pages,
                 uint32_t receive_pages, struct request_slot *slots, uint32_t request_count)
{
    uint8_t *receive = (uint8_t *)memory + (size_t)transmit_pages * VMBUS_RING_CONTROL_SIZE;
    int error;

    memset(channel, 0, sizeof *channel);
    if ((error = requests_init(&channel->requests, slots, request_count)) != 0 ||
        (error = ring_transmit_init(&channel->transmit, memory, transmit_pages)) != 0)
        return error;
    return ring_receive_init(&channel->receive, receive, receive_pages);
}

int channel_append(struct channel *channel, const struct ring_piece *pieces, uint32_t count,
                   uint64_t transaction_id)
{
    const struct ring_packet packet = {
        .type = VMBUS_PACKET_IN_BAND,
        .transaction_id = transaction_id,
    };

    return ring_transmit_append(&channel->transmit, &packet, pieces, count);
}

int channel_append_request(struct channel *channel, const struct ring_piece *pieces,
                           uint32_t count, void *owner, uint64_t *id)
{
    struct ring_packet packet = {
        .type = VMBUS_PACKET_IN_BAND,
        .flags = VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
    };
    int error = requests_add(&channel->requests, owner, &packet.transaction_id);

    if (error != 0)
        return error;
    error = ring_transmit_append(&channel->transmit, &packet, pieces, count);
    if (error != 0)
        requests_take(&channel->requests, packet.transaction_id);
    else
        *id = packet.transaction_id;
    return error;
}

int channel_append_gpa_direct(struct channel *channel, const struct gpa_range *ranges,
                              uint32_t range_count, const struct ring_piece *data,
                              uint32_t data_count, void *owner, uint64_t *id)
{
    struct packet_gpa_direct built;
    uint64_t transaction_id;
    int error = requests_add(&channel->requests, owner, &transaction_id);

    if (error != 0)
        return error;
    error = packet_build_gpa_direct(&built, transaction_id, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
                                    ranges, range_count, data, data_count);
    if (error == 0)
        error = ring_transmit_append(&channel->transmit, &built.packet, built.pieces,
                                     built.piece_count);
    if (error != 0)
        requests_take(&channel->requests, transaction_id);
    else
        *id = transaction_id;
    return error;
}

int channel_append_completion(struct channel *channel, uint64_t transaction_id,
                              const struct ring_piece *pieces, uint32_t count)
{
    const struct ring_packet packet = {
        .type = VMBUS_PACKET_COMPLETION,
        .transaction_id = transaction_id,
    };

    return ring_transmit_append(&channel->transmit, &packet, pieces, count);
}

bool channel_flush(struct channel *channel)
{
    return ring_transmit_publish(&channel->transmit);
}

void *channel_take_completion(struct channel *channel, uint64_t id)
{
    return requests_take(&channel->requests, id);
}

int channel_receive(struct channel *channel, void *buffer, uint32_t capacity,
                    struct packet_view *view, enum channel_packet_kind *kind)
{
    uint32_t length = 0;
    int error = ring_receive_next(&channel->receive, buffer, capacity, &length);

    if (error != 0) {
        view->length = length;
        return error;
    }
    error = packet_parse(buffer, length, view);
    if (error != 0)                 /* cannot be after ring_receive_next's checks */
        return error;
    switch (view->type) {
    case VMBUS_PACKET_IN_BAND:
    case VMBUS_PACKET_TRANSFER_PAGES:
        *kind = CHANNEL_PACKET;
        break;
    case VMBUS_PACKET_COMPLETION:
        *kind = CHANNEL_COMPLETION;
        break;
    default:
        *kind = CHANNEL_DROPPED;
        channel->dropped++;
        break;
    }
    return 0;
}
