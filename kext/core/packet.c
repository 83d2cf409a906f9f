/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets after they were copied out of a ring, and packets that point at guest memory. */
#include "kext/core/packet.h"

#include "kext/core/errors.h"
#include "kext/core/shared_memory.h"

#define HEADER_SIZE ((uint32_t)sizeof(struct vmbus_packet_header))
#define TRANSFER_HEAD_SIZE ((uint32_t)sizeof(struct vmbus_packet_transfer_pages) - HEADER_SIZE)

int packet_parse(const void *packet, uint32_t length, struct packet_view *view)
{
    struct vmbus_packet_header header;
    uint32_t data;

    if (length < HEADER_SIZE)
        return HV_ERROR_MALFORMED;
    memcpy(&header, packet, sizeof header);
    data = header.data_offset8 * 8u;
    if (header.length8 * 8u != length || data < HEADER_SIZE || data > length)
        return HV_ERROR_MALFORMED;
    view->type = header.type;
    view->flags = header.flags;
    view->transaction_id = header.transaction_id;
    view->data = (const uint8_t *)packet + data;
    view->length = length - data;
    view->extra_header = (const uint8_t *)packet + HEADER_SIZE;
    view->extra_header_length = data - HEADER_SIZE;
    return 0;
}

int packet_transfer_count(const struct packet_view *view, uint16_t *set_id)
{
    uint32_t count, room;

    if (view->type != VMBUS_PACKET_TRANSFER_PAGES ||
        view->extra_header_length < TRANSFER_HEAD_SIZE)
        return HV_ERROR_MALFORMED;
    memcpy(&count, view->extra_header + 4, sizeof count);
    room = (view->extra_header_length - TRANSFER_HEAD_SIZE) /
           (uint32_t)sizeof(struct vmbus_transfer_page_range);
    if (count > room)
        return HV_ERROR_MALFORMED;
    memcpy(set_id, view->extra_header, sizeof *set_id);
    return (int)count;
}

int packet_transfer_range(const struct packet_view *view, uint32_t index, uint32_t buffer_size,
                          struct packet_transfer_range *range)
{
    struct vmbus_transfer_page_range wire;
    uint64_t at = TRANSFER_HEAD_SIZE + (uint64_t)index * sizeof wire;

    if (at + sizeof wire > view->extra_header_length)
        return HV_ERROR_MALFORMED;
    memcpy(&wire, view->extra_header + at, sizeof wire);
    if (wire.byte_offset > buffer_size || wire.byte_count > buffer_size - wire.byte_offset)
        return HV_ERROR_MALFORMED;
    range->offset = wire.byte_offset;
    range->length = wire.byte_count;
    return 0;
}

int packet_build_gpa_direct(struct packet_gpa_direct *built, uint64_t transaction_id,
                            uint16_t flags, const struct gpa_range *ranges, uint32_t range_count,
                            const struct ring_piece *data, uint32_t data_count)
{
    uint32_t header = sizeof built->head, piece = 0;

    if (range_count == 0 || range_count > PACKET_GPA_RANGES_MAXIMUM ||
        data_count > PACKET_DATA_PIECES_MAXIMUM)
        return HV_ERROR_INVALID;
    built->head.reserved = 0;
    built->head.range_count = range_count;
    built->pieces[piece++] = (struct ring_piece){ &built->head, sizeof built->head };
    for (uint32_t i = 0; i < range_count; i++) {
        uint32_t pages = gpa_range_pages(&ranges[i]);

        if (ranges[i].length == 0 || ranges[i].offset >= 4096 ||
            pages > VMBUS_PACKET_LENGTH_MAXIMUM / 8)
            return HV_ERROR_INVALID;
        built->ranges[i].byte_count = ranges[i].length;
        built->ranges[i].byte_offset = ranges[i].offset;
        built->pieces[piece++] = (struct ring_piece){ &built->ranges[i], 8 };
        built->pieces[piece++] = (struct ring_piece){ ranges[i].page_numbers, pages * 8 };
        header += 8 + pages * 8;
    }
    for (uint32_t i = 0; i < data_count; i++)
        built->pieces[piece++] = data[i];
    built->packet = (struct ring_packet){
        .type = VMBUS_PACKET_GPA_DIRECT,
        .flags = flags,
        .extra_header = header,
        .transaction_id = transaction_id,
    };
    built->piece_count = piece;
    return 0;
}
