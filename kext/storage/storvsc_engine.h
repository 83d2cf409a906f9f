/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic storage protocol, guest side: initialisation, requests, completions, events.
 *
 * No I/O Kit, locks, clock or allocation. The caller moves packets and keeps the table of
 * outstanding requests (kext/core/requests.h): a completion carries no address and no direction
 * that can be relied on. Sources: Linux drivers/scsi/storvsc_drv.c, FreeBSD
 * hv_storvsc_drv_freebsd.c, OpenBSD hvs.c, OpenVMM storvsp.
 */
#ifndef KEXT_STORAGE_STORVSC_ENGINE_H
#define KEXT_STORAGE_STORVSC_ENGINE_H

#include "protocol/storvsc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum storvsc_state {
    STORVSC_STATE_CLOSED,
    STORVSC_STATE_BEGIN,       /* sent, reply awaited; so for those below */
    STORVSC_STATE_VERSION,
    STORVSC_STATE_PROPERTIES,
    STORVSC_STATE_END,
    STORVSC_STATE_READY,
    STORVSC_STATE_FAILED,
};

/* Counters of what was dropped or refused; each grows by one at a time. */
struct storvsc_counters {
    uint32_t short_packets;      /* fewer bytes than the part that is read */
    uint32_t unexpected_packets; /* a reply nobody waits for, an unknown operation */
    uint32_t versions_refused;
    uint32_t transfers_too_long; /* host says it moved more than was asked */
};

struct storvsc_engine {
    enum storvsc_state state;
    uint16_t version;            /* agreed, 0 before */
    uint8_t ladder;              /* index of the version under negotiation */
    uint32_t transfer_bytes_max; /* a multiple of 4096, at least 4096, once ready */
    uint16_t sub_channels_max;   /* 0 when the host offers none */
    struct storvsc_counters counters;
};

enum {
    STORVSC_TRANSFER_MIN = 4096,          /* a host that allows less is refused */
    STORVSC_TRANSFER_LIMIT = 8 << 20,     /* we never ask for more, whatever the host allows */
    STORVSC_SRB_TIMEOUT_SECONDS = 60,     /* carried in the request; hosts complete every request */
};

/* Begins the conversation on a channel that was just opened. Fills `packet`, returns its length. */
size_t storvsc_begin(struct storvsc_engine *engine, struct storvsc_packet *packet);

enum storvsc_progress {
    STORVSC_PROGRESS_SEND,    /* `packet` holds the next message of `*length` bytes */
    STORVSC_PROGRESS_READY,   /* the device takes requests now */
    STORVSC_PROGRESS_FAILED,  /* it never will; `status` of the reply says why */
    STORVSC_PROGRESS_IGNORED, /* the reply was not one; counted, still waiting */
};

/* Takes the completion of an initialisation message.
 *
 * reply, size  a private copy of the packet's payload, any content
 * packet       filled on STORVSC_PROGRESS_SEND */
enum storvsc_progress storvsc_initialization_reply(struct storvsc_engine *engine,
                                                   const void *reply, size_t size,
                                                   struct storvsc_packet *packet, size_t *length);

/* Where a request goes. SCSI: path and target 0. Accelerated IDE: see protocol/storvsc.h. */
struct storvsc_address {
    uint8_t path;
    uint8_t target;
    uint8_t lun;
};

enum storvsc_direction { STORVSC_TO_DEVICE, STORVSC_FROM_DEVICE, STORVSC_NO_DATA };

struct storvsc_command {
    struct storvsc_address address;
    enum storvsc_direction direction;
    uint32_t transfer_bytes;
    const uint8_t *cdb; /* borrowed */
    uint8_t cdb_length; /* 1 - 16 */
    bool tagged;        /* may be reordered with others */
};

/* Builds the request for `command`. Returns its length, or 0 when the engine is not ready, the CDB
 * has an impossible length or the transfer is longer than the host allows. */
size_t storvsc_request(const struct storvsc_engine *engine, const struct storvsc_command *command,
                       struct storvsc_packet *packet);

enum storvsc_reset { STORVSC_RESET_OF_LUN, STORVSC_RESET_OF_BUS };

/* Builds a reset. Returns its length, or 0 when the engine is not ready. */
size_t storvsc_reset_request(const struct storvsc_engine *engine, enum storvsc_reset what,
                             struct storvsc_address address, struct storvsc_packet *packet);
/* Whether the host says that it has reset; anything else is a refusal. */
bool storvsc_reset_reply(struct storvsc_engine *engine, const void *reply, size_t size);

/* Builds the request for `count` sub-channels; 0 when the host offers fewer. */
size_t storvsc_sub_channel_request(const struct storvsc_engine *engine, uint16_t count,
                                   struct storvsc_packet *packet);

/* Takes its completion: true when the host is going to offer them.
 *
 * reply, size  a private copy of the packet's payload, any content */
bool storvsc_sub_channel_reply(struct storvsc_engine *engine, const void *reply, size_t size);

enum storvsc_outcome {
    STORVSC_OUTCOME_GOOD,         /* SCSI GOOD; `transferred` bytes moved */
    STORVSC_OUTCOME_STATUS,       /* the device answered with `scsi_status`, and perhaps sense */
    STORVSC_OUTCOME_ABSENT,       /* no such LUN, or it went away */
    STORVSC_OUTCOME_BUSY,         /* ask again later */
    STORVSC_OUTCOME_FAILED,       /* the host could not do it; may be tried again */
    STORVSC_OUTCOME_REFUSED,      /* the host does not know such requests; do not try again */
    STORVSC_OUTCOME_CAPACITY_CHANGED, /* unit attention 2A/09, sense filled: the disk was resized */
    STORVSC_OUTCOME_BROKEN,       /* the packet makes no sense; counted; nothing is known */
};

struct storvsc_result {
    enum storvsc_outcome outcome;
    uint8_t scsi_status;
    uint8_t srb_status; /* without flags; for the log */
    uint32_t transferred;
    uint8_t sense_length;
    uint8_t sense[STORVSC_SENSE_SIZE];
};

/* Decodes the completion of a request that asked for `requested` bytes.
 *
 * operation_code  first byte of the request's CDB (some hosts fail INQUIRY and MODE SENSE wrongly)
 * reply, size     a private copy of the packet's payload, any content
 * On every outcome but GOOD and STATUS, `transferred` is 0. */
struct storvsc_result storvsc_completion(struct storvsc_engine *engine, uint8_t operation_code,
                                         uint32_t requested, const void *reply, size_t size);

/* Whether a packet that the host sent by itself asks for a new look at the bus. Others are counted.
 */
bool storvsc_event_asks_for_scan(struct storvsc_engine *engine, const void *packet, size_t size);

#endif
