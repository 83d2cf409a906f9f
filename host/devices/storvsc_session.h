/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's side of the synthetic storage protocol, without I/O: one session from the opening of
 * the primary channel to its end. A packet goes in, what to do comes out.
 *
 *     begin -> version (until one fits) -> properties -> end -> ready
 *
 * Facts: OpenVMM storvsp, Linux storvsc_drv.c.
 */
#ifndef HOST_DEVICES_STORVSC_SESSION_H
#define HOST_DEVICES_STORVSC_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/storvsc.h"

enum storvsc_state {
    STORVSC_STATE_BEGIN,
    STORVSC_STATE_QUERY_VERSION,
    STORVSC_STATE_QUERY_PROPERTIES,
    STORVSC_STATE_END,
    STORVSC_STATE_READY,
};

struct storvsc_session {
    enum storvsc_state state;
    uint16_t version;            /* agreed; 0 before */
    bool sub_channels_created;
    /* What the host offers: set before the first packet. */
    uint16_t version_max;        /* STORVSC_VERSION_*: this and all older ones are accepted */
    uint16_t sub_channels_max;   /* told to guests of version 5.1 and later */
    uint32_t transfer_bytes_max;
};

enum storvsc_verdict {
    STORVSC_ANSWER,              /* send the completion as it is */
    STORVSC_ANSWER_READY,        /* the same; the session has just become ready */
    STORVSC_CREATE,              /* offer sub_channel_count channels, and send the completion */
    STORVSC_EXECUTE,             /* run the SRB; the completion is for storvsc_complete_srb() */
    STORVSC_RESET,               /* end what is held back, and send the completion */
    STORVSC_RESET_ONE,           /* the same, of the LUN that the SRB names */
    STORVSC_STOP,                /* broken rule: no answer, nothing more from this channel */
};

/* A completion or event on its way to the guest. */
struct storvsc_message {
    struct storvsc_packet packet;
    uint32_t size; /* bytes to send */
};

struct storvsc_decision {
    enum storvsc_verdict verdict;
    const char *rule;              /* STOP: the rule broken; otherwise NULL */
    const char *complaint;         /* a rule broken that is answered with an error, or NULL */
    uint16_t sub_channel_count;
    struct storvsc_srb srb;        /* EXECUTE, RESET_ONE: complete, zeros beyond what was sent */
    struct storvsc_message completion;
};

/* Starts anew: what the guest sees after opening the primary channel. */
void storvsc_session_reset(struct storvsc_session *session);

/*
 * One packet. `payload` is a private copy; completion_requested as in the packet's header;
 * on_primary: it came on the primary channel.
 */
void storvsc_session_handle(struct storvsc_session *session, const void *payload, size_t size,
                            bool completion_requested, bool on_primary,
                            struct storvsc_decision *decision);

/* How an SRB ended. */
struct storvsc_srb_result {
    uint8_t srb_status;  /* STORVSC_SRB_STATUS_*, without the autosense bit */
    uint8_t scsi_status;
    bool has_sense;      /* sets the autosense bit */
    uint8_t sense[18];
    uint32_t transferred;
};

/* Fills in the completion of an SRB. `echo_address` gives the guest its own address fields back. */
void storvsc_complete_srb(struct storvsc_message *completion, const struct storvsc_srb *request,
                          const struct storvsc_srb_result *result, bool echo_address);

/* The packet status that goes with an SRB status. */
uint32_t storvsc_packet_status(uint8_t srb_status);

/*
 * The event "look at the bus again". Returns false if it is not to be sent: before the session is
 * ready (the guest will look anyway), and to guests older than 4.2.
 */
bool storvsc_enumerate_bus_event(const struct storvsc_session *session,
                                 struct storvsc_message *event);

const char *storvsc_state_name(enum storvsc_state state);

#endif
