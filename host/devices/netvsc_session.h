/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NVSP as the host speaks it: what each message of the guest means at this point. Nothing here
 * moves packets or memory; the caller obeys the decision.
 */
#ifndef HOST_DEVICES_NETVSC_SESSION_H
#define HOST_DEVICES_NETVSC_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/netvsc.h"

struct netvsc_session {
    uint32_t version_max; /* set by the caller, kept by reset; so sub_channels_max */
    uint16_t sub_channels_max;

    uint32_t version;     /* agreed, 0 before */
    uint32_t mtu;         /* with the Ethernet header */
    uint64_t capabilities;
    uint32_t ndis_minor;
    bool configured, ndis_told, sub_channels_told;
    bool receive_buffer, send_buffer;
};

enum netvsc_verdict {
    NETVSC_ANSWER,         /* complete the packet with `answer` */
    NETVSC_NOTHING,        /* complete it empty, if a completion is wanted */
    NETVSC_RECEIVE_BUFFER, /* `gpadl_id` is the receive buffer: accept or refuse it, then answer */
    NETVSC_SEND_BUFFER,
    NETVSC_REVOKE_RECEIVE_BUFFER, /* then as NETVSC_NOTHING */
    NETVSC_REVOKE_SEND_BUFFER,
    NETVSC_SUB_CHANNELS,   /* add `sub_channels`, then answer */
    NETVSC_RNDIS,          /* `rndis` says where the message lies */
    NETVSC_STOP,           /* the guest broke `rule`: take nothing more from this channel */
};

struct netvsc_decision {
    enum netvsc_verdict verdict;
    const char *rule;
    struct nvsp_message answer;
    uint32_t gpadl_id;
    uint16_t sub_channels;
    struct nvsp_rndis_packet rndis;
};

void netvsc_session_reset(struct netvsc_session *session);

/* payload, size: a private copy, any content. */
void netvsc_session_handle(struct netvsc_session *session, const void *payload, size_t size,
                           bool on_primary, struct netvsc_decision *decision);

/* Bytes of one unit of the receive buffer at the negotiated MTU. */
uint32_t netvsc_unit_size(const struct netvsc_session *session);

/* "6.1" and the like; "none" for 0. */
const char *netvsc_version_name(uint32_t version);

#endif
