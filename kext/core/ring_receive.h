/* SPDX-License-Identifier: BSD-3-Clause */
/* The host-to-guest ring of a VMBus channel.
 *
 * Every packet is copied to private memory before anything looks at it. The read index is private
 * and is stored once for a batch of packets; publishing it says whether the host waits for room.
 *
 * The caller serialises all calls on one ring. Nothing here blocks, allocates or rings a doorbell.
 * Sources: Linux ring_buffer.c, mu_msvm, OpenVMM vmbus_ring. */
#ifndef KEXT_CORE_RING_RECEIVE_H
#define KEXT_CORE_RING_RECEIVE_H

#include "protocol/vmbus_ring.h"

struct ring_receive_counters {
    uint64_t packets;
    uint64_t bytes;             /* whole packets with trailers */
    uint64_t batches;           /* publications that freed something */
    uint64_t signals;           /* publications that asked for a doorbell */
    uint64_t too_large;         /* packets that did not fit the caller's buffer */
    uint64_t corrupt;           /* broken indices or packets (the first one ends the ring) */
};

struct ring_receive {
    struct vmbus_ring_control *control;     /* shared with the host */
    const uint8_t *data;                    /* shared with the host */
    uint32_t size;              /* bytes of data area, a multiple of 4096 */
    uint32_t read;              /* where the next packet starts, published or not */
    uint32_t published;         /* read index that the host may know */
    uint32_t write;             /* host's write index when last looked at, checked */
    bool corrupt;
    struct ring_receive_counters counters;
};

/* Takes over `pages` pages at `memory` (one control page, at least one data page), which the host
 * must not know yet: clears the control page. Returns 0 or HV_ERROR_INVALID. */
int ring_receive_init(struct ring_receive *ring, void *memory, uint32_t pages);

/* Copies the next packet, header included and trailer left out, to `buffer`.
 * Returns 0 and its length in `*length`: at least 16, a multiple of 8, and the copy's header is
 * consistent with it (2 <= data_offset8 <= length8 == *length / 8);
 * HV_ERROR_EMPTY      no packet;
 * HV_ERROR_TOO_LARGE  it needs `*length` bytes; nothing was consumed. Come with a larger buffer, or
 *                     call ring_receive_skip;
 * HV_ERROR_CORRUPT    the host broke the ring: it cannot be used any more. */
int ring_receive_next(struct ring_receive *ring, void *buffer, uint32_t capacity,
                      uint32_t *length);

/* Passes over the packet that ring_receive_next found too large. Returns like it. */
int ring_receive_skip(struct ring_receive *ring);

/* Gives the room of all packets read back to the host. Returns true if the host must be signalled,
 * which is the case only if it waits for room and this batch made enough of it. */
bool ring_receive_publish(struct ring_receive *ring);

/* Tells the host that no interrupt is wanted while the ring is being drained. */
void ring_receive_mask(struct ring_receive *ring);

/* Wants interrupts again. Returns true if packets arrived meanwhile: go on draining, for the host
 * will not signal these. */
bool ring_receive_unmask(struct ring_receive *ring);

#endif
