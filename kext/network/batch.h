/* SPDX-License-Identifier: BSD-3-Clause */
/* Several RNDIS packets in one message: where in a section the next one goes, by the limits that
 * the host set when RNDIS was initialised. Each packet begins at a multiple of the host's
 * alignment; the bytes up to there count as the previous packet's.
 *
 * No I/O Kit, locks, clock or allocation. Sources: Microsoft's RNDIS documentation
 * (REMOTE_NDIS_PACKET_MSG), FreeBSD hn_rndis.c. */
#ifndef KEXT_NETWORK_BATCH_H
#define KEXT_NETWORK_BATCH_H

#include <stdbool.h>
#include <stdint.h>

enum { BATCH_ALIGNMENT_FACTOR_MAX = 7, BATCH_PACKETS_MAX = 64 };

/* The host's limits and ours, put right. */
struct batch_limits {
    uint32_t packets;   /* 1 .. BATCH_PACKETS_MAX */
    uint32_t bytes;     /* of a message: at most a section */
    uint32_t alignment; /* a power of two */
};

struct batch {
    uint8_t *bytes;     /* of the section */
    uint32_t packets;   /* in it so far */
    uint32_t used;      /* up to the last packet's end */
    uint32_t last;      /* where the last packet begins */
};

/* `max_packets`, `max_transfer` and `alignment_factor` are INITIALIZE COMPLETE's, any value: a host
 * that asks for an impossible alignment gets one packet a message. */
void batch_limits(uint32_t max_packets, uint32_t max_transfer, uint32_t alignment_factor,
                  uint32_t section_size, struct batch_limits *limits);

/* True if a packet of `size` bytes goes behind what is there. An empty batch takes one of up to a
 * section. */
bool batch_has_room(const struct batch *batch, const struct batch_limits *limits, uint32_t size);

/* Where the packet is to be written. Lengthens the packet before it; it must have room. */
uint8_t *batch_add(struct batch *batch, const struct batch_limits *limits, uint32_t size);

#endif
