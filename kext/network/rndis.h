/* SPDX-License-Identifier: BSD-3-Clause */
/* RNDIS messages, guest side: requests and their replies, frames both ways.
 *
 * No I/O Kit, locks, clock or allocation. Received messages lie in memory that the host can change
 * at any time: what is looked at is copied first. Errors are those of kext/core/errors.h.
 * Sources: Linux drivers/net/hyperv/rndis_filter.c, FreeBSD hn_rndis.c, Microsoft's documentation
 * of RNDIS. */
#ifndef KEXT_NETWORK_RNDIS_H
#define KEXT_NETWORK_RNDIS_H

#include "protocol/rndis.h"

/* ---- control ---- */

enum {
    RNDIS_CONTROL_MAX = 1024,     /* bytes of a reply or indication that are looked at */
    RNDIS_TRANSFER_MAX = 0x4000,  /* what we tell the host */
};

/* Each fills `buffer` (`capacity` bytes) and returns the message's length, 0 if it does not fit. */
uint32_t rndis_initialize_message(void *buffer, uint32_t capacity, uint32_t request_id);
uint32_t rndis_halt_message(void *buffer, uint32_t capacity, uint32_t request_id);
uint32_t rndis_query_message(void *buffer, uint32_t capacity, uint32_t request_id, uint32_t oid,
                             const void *information, uint32_t length);
uint32_t rndis_set_message(void *buffer, uint32_t capacity, uint32_t request_id, uint32_t oid,
                           const void *information, uint32_t length);
uint32_t rndis_keepalive_reply(void *buffer, uint32_t capacity, uint32_t request_id);

enum rndis_control_kind {
    RNDIS_CONTROL_REPLY,     /* of the request `request_id` */
    RNDIS_CONTROL_STATUS,    /* an indication: `status` and its data */
    RNDIS_CONTROL_KEEPALIVE, /* the host asks: `request_id` */
};

struct rndis_control {
    enum rndis_control_kind kind;
    uint32_t type;        /* of the reply */
    uint32_t request_id;
    uint32_t status;
    const uint8_t *data;  /* inside the message given */
    uint32_t length;
    uint32_t max_packets, max_transfer, alignment_factor; /* of INITIALIZE COMPLETE */
};

/* Takes apart a control message from the host: a private copy, any content.
 * 0 or HV_ERROR_MALFORMED. */
int rndis_parse_control(const void *message, uint32_t size, struct rndis_control *control);

/* ---- frames from the host ---- */

struct rndis_receive {
    uint32_t offset; /* of the data in the message */
    uint32_t length;
    bool has_checksum, has_vlan, has_packet_id, has_hash;
    uint32_t checksum; /* RNDIS_RX_CHECKSUM_... */
    uint16_t vlan_tag; /* 802.1Q tag control word */
    uint32_t hash;
    struct rndis_packet_id packet_id;
};

/* Takes apart the headers of an RNDIS packet of at most `size` bytes in shared memory.
 * 0, or HV_ERROR_MALFORMED. */
int rndis_parse_packet(const volatile void *message, uint32_t size, struct rndis_receive *receive);

/* ---- frames to the host ---- */

enum { RNDIS_TRANSMIT_HEADER_MAX = 44 + 3 * 16 }; /* header and three elements of information */

struct rndis_transmit {
    uint32_t length;     /* of the frame */
    bool has_vlan, has_checksum, has_lso;
    uint16_t vlan_tag;
    uint32_t checksum;   /* RNDIS_TX_CHECKSUM_... */
    uint32_t lso;        /* segment size, header offset, RNDIS_LSO_... */
};

/* Writes header and information, after which the frame follows. Returns their bytes. */
uint32_t rndis_packet_header(uint8_t buffer[RNDIS_TRANSMIT_HEADER_MAX],
                             const struct rndis_transmit *transmit);

/* ---- offloads ---- */

struct rndis_offload {
    bool transmit_ipv4, transmit_tcp_ipv4, transmit_udp_ipv4, transmit_tcp_ipv6, transmit_udp_ipv6;
    bool receive;
    uint32_t lso_ipv4, lso_ipv6; /* largest frame, 0: none */
};

/* What the host's capabilities (RNDIS_OID_OFFLOAD_CAPABILITIES) allow. 0 or HV_ERROR_MALFORMED. */
int rndis_parse_offload(const void *information, uint32_t length, bool with_udp,
                        struct rndis_offload *offload);
/* Parameters that turn on what `offload` has; returns their bytes.
 * `ndis_6_30`: NVSP version 5 and later. */
uint32_t rndis_offload_parameters(const struct rndis_offload *offload, bool ndis_6_30, bool rsc,
                                  struct ndis_offload_parameters *parameters);
/* The header that the query for capabilities carries. */
void rndis_offload_query(bool ndis_6_30, struct ndis_offload *query);

#endif
