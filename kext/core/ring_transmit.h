/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest-to-host ring of a VMBus channel.
 *
 * Packets are appended one by one and become visible to the host in bursts: ring_transmit_publish
 * stores the write index once for all of them and says whether the host must be signalled. Small
 * packets are put together in private memory and copied to the ring at once, since the host's
 * processor has the ring's cache lines and taking them back one by one is what costs most.
 * Own indices are private; the host's index is checked each time it is read.
 *
 * The caller serialises all calls on one ring. Nothing here blocks, allocates or rings a doorbell.
 * Sources: Linux ring_buffer.c, mu_msvm, OpenVMM vmbus_ring. */
#ifndef KEXT_CORE_RING_TRANSMIT_H
#define KEXT_CORE_RING_TRANSMIT_H

#include "protocol/vmbus_ring.h"

#define RING_STAGING_SIZE 4096u         /* bytes of small packets put together */
#define RING_STAGED_PACKET_MAXIMUM 192u /* larger packets go to the ring directly */

struct ring_transmit_counters {
    uint64_t packets;
    uint64_t bytes;             /* whole packets with trailers */
    uint64_t bursts;            /* publications that made something visible */
    uint64_t signals;           /* publications that asked for a doorbell */
    uint64_t full;              /* packets turned away for want of room */
    uint64_t corrupt;           /* bad read indices from the host (the first one ends the ring) */
};

struct ring_transmit {
    struct vmbus_ring_control *control;     /* shared with the host */
    uint8_t *data;                          /* shared with the host */
    uint32_t size;              /* bytes of data area, a multiple of 4096 */
    uint32_t write;             /* where the next packet goes, published or not */
    uint32_t published;         /* write index that the host may know */
    uint32_t read;              /* host's read index when last looked at, checked */
    uint32_t wanted;            /* room asked for by pending_send_size; 0 = nothing asked */
    bool corrupt;
    struct ring_transmit_counters counters;
    uint32_t staged;            /* bytes in `staging`; their place is just before `write` */
    uint8_t staging[RING_STAGING_SIZE] __attribute__((aligned(8)));
};

/* Part of a packet, in the caller's memory. */
struct ring_piece {
    const void *bytes;
    uint32_t length;
};

/* What goes into the packet's header. The first `extra_header` bytes of the pieces (a multiple of
 * 8) extend the header, as the ranges of a GPA-direct packet do; the rest is the packet's data. */
struct ring_packet {
    uint16_t type;              /* enum vmbus_packet_type */
    uint16_t flags;             /* VMBUS_PACKET_FLAG_* */
    uint32_t extra_header;
    uint64_t transaction_id;
};

/* Takes over `pages` pages at `memory` (one control page, at least one data page), which the host
 * must not know yet: clears the control page. Returns 0 or HV_ERROR_INVALID. */
int ring_transmit_init(struct ring_transmit *ring, void *memory, uint32_t pages);

/* Appends one packet made of `count` pieces, not yet visible to the host.
 * Returns 0;
 * HV_ERROR_FULL       nothing written; the host was asked to signal when there is room: publish
 *                     what is unpublished, and call ring_transmit_room_returned on each interrupt;
 * HV_ERROR_TOO_LARGE  would not fit an empty ring, or exceeds VMBUS_PACKET_LENGTH_MAXIMUM;
 * HV_ERROR_INVALID    extra_header is no multiple of 8 or larger than the pieces;
 * HV_ERROR_CORRUPT    the host's read index is impossible: the ring cannot be used any more. */
int ring_transmit_append(struct ring_transmit *ring, const struct ring_packet *packet,
                         const struct ring_piece *pieces, uint32_t count);

/* Makes all appended packets visible. Returns true if the host must be signalled, which is the case
 * only if it had read everything published before and did not mask its interrupt. */
bool ring_transmit_publish(struct ring_transmit *ring);

/* To be called on each interrupt of the channel. Returns true once when the room that was asked for
 * by a packet turned away has become free; the request is then withdrawn. */
bool ring_transmit_room_returned(struct ring_transmit *ring);

/* Free bytes by the host's present read index; 0 if the ring is corrupt. A packet fits if its whole
 * size (ring_transmit_packet_size) is less than this. */
uint32_t ring_transmit_free(struct ring_transmit *ring);

/* Bytes that a packet with `payload` bytes behind its 16-byte header takes up in the ring. */
static inline uint32_t ring_transmit_packet_size(uint32_t payload)
{
    return (uint32_t)sizeof(struct vmbus_packet_header) + ((payload + 7) & ~7u) +
           VMBUS_PACKET_TRAILER_SIZE;
}

#endif
