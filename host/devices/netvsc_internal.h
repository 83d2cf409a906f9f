/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of the network adapter. */
#ifndef HOST_DEVICES_NETVSC_INTERNAL_H
#define HOST_DEVICES_NETVSC_INTERNAL_H

#include "host/devices/netvsc.h"
#include "host/devices/netvsc_control.h"
#include "host/devices/netvsc_session.h"
#include "host/vmbus/device.h"

enum {
    NETVSC_UNITS_RESERVED = 16,   /* of the receive buffer: for RNDIS replies */
    NETVSC_UNITS_FOR_A_FRAME = 64, /* enough for an uncut frame of 64 KiB */
    NETVSC_QUEUED_MAX = 64,       /* RNDIS messages that wait for units */
    NETVSC_HEADROOM = 256,        /* of a unit: RNDIS header and per-packet information */
    NETVSC_HEAD_BYTES = 512,      /* of a large frame: what is looked at, and so copied */
    NETVSC_PIECES_MAX = 64,       /* of guest memory in a message */
    NETVSC_TRANSMIT_MAX = FRAME_SIZE_MAX + 4096, /* bytes of one message from the guest */
};

/* An open channel of the adapter. */
struct netvsc_channel {
    struct netvsc *adapter;
    struct host_channel *channel;
    struct netvsc_channel *next;
    uint16_t index;  /* 0: primary */
    bool stopped;    /* the guest broke a rule: nothing more is taken from the ring */
    bool dirty;      /* something was sent since the last flush */
    bool more;       /* packets were left in the ring for the next turn */
    bool blocked;    /* the ring had no room for this completion */
    uint64_t blocked_id;
    struct nvsp_message blocked_message;
    uint32_t blocked_size;
    /* Frames in the receive buffer that the guest has not been told of; a packet's worth. */
    struct host_transfer_range staged[NVSP_RECEIVE_RANGES_MAX_RSC];
    unsigned staged_count;
    uint32_t staged_first, staged_last;
    uint64_t transmitted_frames, received_frames; /* since it was opened */
};

enum netvsc_unit_state { NETVSC_UNIT_FREE, NETVSC_UNIT_TAKEN, NETVSC_UNIT_FIRST };

/* One unit of the receive buffer. */
struct netvsc_unit {
    uint32_t next;    /* in the free list, or of the same packet; NETVSC_NO_UNIT at the end */
    uint8_t state;    /* FIRST: its number is the transaction id of a packet that the guest has */
    uint8_t channel;  /* that has to acknowledge it */
};
#define NETVSC_NO_UNIT UINT32_MAX

/* An RNDIS message on its way to the guest. */
struct netvsc_queued {
    struct netvsc_queued *next;
    size_t size;
    uint8_t bytes[NETVSC_CONTROL_REPLY_MAX];
};

struct netvsc_counters {
    uint64_t transmitted_frames, transmitted_bytes, transmitted_messages, transmit_invalid;
    uint64_t received_frames, received_bytes, received_packets; /* frames in packets of the ring */
    uint64_t transmit_copied, receive_copied; /* bytes, between the guest's memory and ours */
    uint64_t filtered, no_room, too_large, indications, control_messages, coalesced;
};

struct netvsc {
    struct virtual_device device; /* first */
    struct netvsc_settings settings;
    struct netvsc_session session;
    struct netvsc_control control;
    struct network_port *port;
    struct host_channel *primary; /* while plugged */
    struct netvsc_channel *channels;

    struct host_gpadl *receive, *send; /* while the guest lends them */
    uint32_t send_sections;
    uint32_t unit_size, unit_count, units_free, free_unit;
    uint32_t reserved[NETVSC_UNITS_FOR_A_FRAME]; /* units that the port may read a frame to */
    unsigned reserved_count;
    struct netvsc_unit *units;

    struct netvsc_queued *queued_first, **queued_last;
    unsigned queued_count;
    uint16_t packet_id;        /* of coalesced frames */
    bool table_wanted;         /* the guest is to be told the send indirection table */

    uint8_t *transmit;         /* NETVSC_TRANSMIT_MAX: one message, copied from the guest */
    size_t fetched;            /* bytes of the message that are there; the rest is in the guest */
    struct iovec rest[NETVSC_PIECES_MAX];
    unsigned rest_count;
    uint8_t *segment;          /* one frame cut from a larger one */
    struct netvsc_counters counters;
    /* Of the last session, for reports after its end. */
    uint32_t version_seen, mtu_seen;
    uint16_t queues_seen;
};

struct netvsc_channel *netvsc_channel(const struct netvsc *adapter, uint16_t index);

/* Completes a packet now or as soon as there is room. `size` 0: an empty completion. */
void netvsc_complete(struct netvsc_channel *channel, uint64_t transaction_id,
                     const struct nvsp_message *message, uint32_t size);

/* ---- netvsc_transmit.c ---- */

/* An NVSP RNDIS packet of the guest. Returns NULL, or the rule that stops the channel. */
const char *netvsc_transmit(struct netvsc_channel *channel, const struct host_packet *packet,
                            const struct nvsp_rndis_packet *rndis);

/* ---- netvsc_receive.c ---- */

/* The guest lends its receive buffer: 0, or a negative errno and nothing has changed. */
int netvsc_receive_open(struct netvsc *adapter, struct host_gpadl *gpadl);
void netvsc_receive_close(struct netvsc *adapter);
/* Forgets what a channel had: it is closing. */
void netvsc_receive_forget(struct netvsc_channel *channel);

/* For the port. */
void netvsc_take_frame(void *adapter, struct frame *frame);
bool netvsc_has_room(void *adapter);
unsigned netvsc_space(void *adapter, size_t *head, struct iovec *pieces, unsigned capacity);
/* Whether there is a use for TCP segments that were put together. */
bool netvsc_takes_coalesced(const struct netvsc *adapter);

/* Queues an RNDIS message for the guest. */
void netvsc_queue(struct netvsc *adapter, const uint8_t *message, size_t size);
/* Tells the guest of all that waits, as far as the rings have room. */
void netvsc_receive_flush(struct netvsc *adapter);

/* The guest acknowledges a packet. Returns NULL or the rule that it broke. */
const char *netvsc_acknowledged(struct netvsc_channel *channel, const struct host_packet *packet);

/* ---- netvsc_hash.c ---- */

/* The channel for a frame that goes to the guest, as RSS says; *hash and *type for its information,
 * 0 when there is none. */
uint16_t netvsc_queue_of(const struct netvsc_control *control, const uint8_t *bytes, size_t size,
                         uint32_t *hash, uint32_t *type);
/* Microsoft's Toeplitz hash. */
uint32_t netvsc_toeplitz(const uint8_t key[NDIS_RSS_KEY_BYTES], const uint8_t *input, size_t size);

#endif
