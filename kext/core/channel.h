/* SPDX-License-Identifier: BSD-3-Clause */
/* One open VMBus channel: its two rings and the requests that wait for completions.
 *
 * The transmit side (all channel_append_... and channel_flush), the receive side (channel_receive
 * and below) and the table of requests are independent of each other except that both sides use
 * the table: the caller has one lock for transmitting, serialises receiving by itself, and holds
 * the transmit lock in channel_receive's moments of look-up by calling channel_take_completion.
 * Nothing here blocks, allocates or rings a doorbell. */
#ifndef KEXT_CORE_CHANNEL_H
#define KEXT_CORE_CHANNEL_H

#include "kext/core/packet.h"
#include "kext/core/requests.h"
#include "kext/core/ring_receive.h"
#include "kext/core/ring_transmit.h"

struct channel {
    struct ring_transmit transmit;
    struct ring_receive receive;
    struct requests requests;
    uint64_t dropped;               /* packets of a type that no host sends */
};

/* Sets the channel up in `memory`: `transmit_pages` pages for the guest-to-host ring, then
 * `receive_pages` for the other (each one control page and at least one data page), not yet known
 * to the host. `slots` holds `request_count` requests. Returns 0 or HV_ERROR_INVALID. */
int channel_init(struct channel *channel, void *memory, uint32_t transmit_pages,
                 uint32_t receive_pages, struct request_slot *slots, uint32_t request_count);

/* ---- Transmit side: errors of ring_transmit_append ------------------------------------------- */

/* Appends an in-band packet that no completion is wanted for. */
int channel_append(struct channel *channel, const struct ring_piece *pieces, uint32_t count,
                   uint64_t transaction_id);

/* Appends an in-band packet and remembers `owner` (not NULL) until its completion. `*id` is the
 * transaction id. HV_ERROR_FULL also if too many requests are outstanding. */
int channel_append_request(struct channel *channel, const struct ring_piece *pieces,
                           uint32_t count, void *owner, uint64_t *id);

/* The same with ranges of guest memory that the host may read or write until the completion. */
int channel_append_gpa_direct(struct channel *channel, const struct gpa_range *ranges,
                              uint32_t range_count, const struct ring_piece *data,
                              uint32_t data_count, void *owner, uint64_t *id);

/* Appends the completion of a packet of the host that asked for one. */
int channel_append_completion(struct channel *channel, uint64_t transaction_id,
                              const struct ring_piece *pieces, uint32_t count);

/* Shows everything appended to the host. Returns true if it must be signalled. */
bool channel_flush(struct channel *channel);

/* Ends the request `id` and returns its owner, or NULL (counted) if there is none. */
void *channel_take_completion(struct channel *channel, uint64_t id);

/* ---- Receive side ---------------------------------------------------------------------------- */

enum channel_packet_kind {
    CHANNEL_PACKET,                 /* in-band or transfer pages: for the driver */
    CHANNEL_COMPLETION,             /* for channel_take_completion(transaction_id) */
    CHANNEL_DROPPED                 /* of no known type; counted */
};

/* Copies the next packet to `buffer` (`capacity` bytes) and takes it apart.
 * Returns 0, or the errors of ring_receive_next (with HV_ERROR_TOO_LARGE `view->length` says what
 * the whole packet needs). */
int channel_receive(struct channel *channel, void *buffer, uint32_t capacity,
                    struct packet_view *view, enum channel_packet_kind *kind);

#endif
