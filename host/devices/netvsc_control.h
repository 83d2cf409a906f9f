/* SPDX-License-Identifier: BSD-3-Clause */
/* RNDIS control messages as the host answers them, and the adapter's settings that they change. */
#ifndef HOST_DEVICES_NETVSC_CONTROL_H
#define HOST_DEVICES_NETVSC_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/rndis.h"

enum {
    NETVSC_CONTROL_REQUEST_MAX = 4096, /* bytes of a control message from the guest */
    NETVSC_CONTROL_REPLY_MAX = 1024,
    NETVSC_PACKETS_A_MESSAGE = 8,      /* RNDIS packets that a guest may put into one message */
    NETVSC_ALIGNMENT_FACTOR = 3,
    NETVSC_LSO_SIZE_MAX = 0xf53c,
    NETVSC_LSO_SEGMENTS_MIN = 2,
};

struct netvsc_control {
    /* Set by the caller, kept by reset: */
    uint8_t permanent_address[6];
    uint64_t link_speed; /* bit/s */
    bool link_up;
    uint16_t queues_max; /* channels that receive */

    uint32_t mtu;        /* set by the caller when it is known */
    uint32_t nvsp_version;
    bool initialised;
    uint8_t address[6];
    uint32_t filter;     /* RNDIS_FILTER_... */
    bool checksum_receive; /* the guest wants to be told which checksums are right */
    bool rsc_ipv4, rsc_ipv6;
    bool rss;
    uint16_t queues;     /* channels open now: what a table may name */
    uint32_t hash;       /* NDIS_RSS_... */
    uint8_t key[NDIS_RSS_KEY_BYTES];
    uint16_t table_entries;
    uint8_t table[NDIS_RSS_TABLE_ENTRIES];
};

void netvsc_control_reset(struct netvsc_control *control);

/*
 * Handles one message of the guest. Returns the bytes of the reply (NETVSC_CONTROL_REPLY_MAX at
 * most), 0 when there is none, or -1 with *rule when the channel has to stop.
 */
int netvsc_control_handle(struct netvsc_control *control, const uint8_t *message, size_t size,
                          uint8_t *reply, const char **rule);

/* Builds a status indication; returns its bytes. */
size_t netvsc_control_indicate(uint32_t status, const void *data, uint32_t size, uint8_t *reply);

#endif
