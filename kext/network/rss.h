/* SPDX-License-Identifier: BSD-3-Clause */
/* Receive side scaling: what the host can do, and what it is told. Which channel a frame from the
 * host comes on follows from a hash and a table of ours; which one a frame to the host takes, from
 * a hash of ours (headers.h) and the host's table.
 *
 * No I/O Kit, locks, clock or allocation. Sources: Microsoft's NDIS documentation
 * (NDIS_RECEIVE_SCALE_CAPABILITIES, NDIS_RECEIVE_SCALE_PARAMETERS), Linux rndis_filter.c. */
#ifndef KEXT_NETWORK_RSS_H
#define KEXT_NETWORK_RSS_H

#include "protocol/netvsc.h"
#include "protocol/rndis.h"

enum {
    RSS_MESSAGE_BYTES = sizeof(struct ndis_rss_parameters) +
                        NDIS_RSS_TABLE_ENTRIES * sizeof(uint32_t) + NDIS_RSS_KEY_BYTES,
};

/* What the query for RNDIS_OID_RSS_CAPABILITIES carries. */
void rss_query(struct ndis_rss_capabilities *query);

/* The answer, a private copy of any content. 0 with the number of channels that can receive
 * (1 .. NVSP_CHANNELS_MAX; 1 if the host cannot hash as we want it), or HV_ERROR_MALFORMED. */
int rss_parse_capabilities(const void *information, uint32_t length, uint32_t *channels);

/* Fills the data of RNDIS_OID_RSS_PARAMETERS: frames are spread over the channels 0 ..
 * `channels` - 1 evenly. */
void rss_parameters(uint32_t channels, uint8_t message[RSS_MESSAGE_BYTES]);

#endif
