/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets after they were copied out of a ring, and the guest-memory ranges of packets to be sent.
 *
 * Sources: Linux hyperv.h and ring_buffer.c, OpenVMM vmbus_ring. */
#ifndef KEXT_CORE_PACKET_H
#define KEXT_CORE_PACKET_H

#include "kext/core/ring_transmit.h"
#include "protocol/vmbus_ring.h"

/* A received packet in private memory. */
struct packet_view {
    uint16_t type;                  /* enum vmbus_packet_type, or anything else */
    uint16_t flags;                 /* VMBUS_PACKET_FLAG_* */
    uint64_t transaction_id;        /* chosen by the host, or an echo: look it up, never trust it */
    const uint8_t *data;            /* lives as long as the memory of the packet */
    uint32_t length;                /* bytes of data, a multiple of 8: protocols know better */
    const uint8_t *extra_header;    /* between the 16-byte header and the data */
    uint32_t extra_header_length;
};

/* Takes apart the packet of `length` bytes at `packet` (private memory).
 * Returns 0, or HV_ERROR_MALFORMED if the header does not agree with the length. */
int packet_parse(const void *packet, uint32_t length, struct packet_view *view);

/* One range of a transfer-page packet: part of a buffer that the guest gave to the host. */
struct packet_transfer_range {
    uint32_t offset;                /* bytes from the buffer's start */
    uint32_t length;
};

/* Number of ranges of a transfer-page packet, and the id of its page set.
 * Returns HV_ERROR_MALFORMED if it is no such packet or says more ranges than it contains. */
int packet_transfer_count(const struct packet_view *view, uint16_t *set_id);

/* Range `index` (below the count) of a packet that packet_transfer_count accepted. Returns
 * HV_ERROR_MALFORMED unless the range lies inside a buffer of `buffer_size` bytes. */
int packet_transfer_range(const struct packet_view *view, uint32_t index, uint32_t buffer_size,
                          struct packet_transfer_range *range);

/* A range of guest memory for the host to read or write. */
struct gpa_range {
    uint32_t length;                /* bytes, not 0 */
    uint32_t offset;                /* in the first page, below 4096 */
    const uint64_t *page_numbers;   /* gpa_range_pages() guest page numbers; the caller's memory */
};

/* Pages that a range touches. */
static inline uint32_t gpa_range_pages(const struct gpa_range *range)
{
    return (uint32_t)(((uint64_t)range->offset + range->length + 4095) >> 12);
}

#define PACKET_GPA_RANGES_MAXIMUM 32u
#define PACKET_DATA_PIECES_MAXIMUM 4u

/* The pieces of a GPA-direct packet, put together without copying page numbers or data. */
struct packet_gpa_direct {
    struct ring_packet packet;
    struct ring_piece pieces[1 + 2 * PACKET_GPA_RANGES_MAXIMUM + PACKET_DATA_PIECES_MAXIMUM];
    uint32_t piece_count;
    struct { uint32_t reserved, range_count; } head;
    struct { uint32_t byte_count, byte_offset; } ranges[PACKET_GPA_RANGES_MAXIMUM];
};

/* Prepares a packet that carries `data_count` pieces of data and points at `range_count` ranges of
 * memory; `built` refers to the caller's ranges and data until it has been appended to a ring.
 * Returns 0, or HV_ERROR_INVALID (no range or too many, empty range, offset beyond a page). */
int packet_build_gpa_direct(struct packet_gpa_direct *built, uint64_t transaction_id,
                            uint16_t flags, const struct gpa_range *ranges, uint32_t range_count,
                            const struct ring_piece *data, uint32_t data_count);

#endif
