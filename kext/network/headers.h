/* SPDX-License-Identifier: BSD-3-Clause */
/* The headers of an outgoing frame, as far as offloads need them. Works on a private copy of its
 * first bytes. */
#ifndef KEXT_NETWORK_HEADERS_H
#define KEXT_NETWORK_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

/* Ethernet, the longest IPv4 header or IPv6 with some options, the longest TCP header. */
enum { HEADERS_MAX = 160 };

struct headers {
    bool ipv6;
    uint16_t network;   /* offset of the IP header */
    uint16_t transport; /* offset of the TCP or UDP header */
};

/* Finds the headers in the first `length` bytes of a frame. 0, or HV_ERROR_INVALID: not IP, a
 * fragment, or the transport header is not among these bytes. */
int headers_find(const uint8_t *bytes, uint32_t length, struct headers *headers);

/* A hash of addresses and ports, to spread flows over channels; the same for all of a flow. */
uint32_t headers_hash(const uint8_t *bytes, const struct headers *headers);

/* Makes the headers of a TCP frame what large send offload wants: no IP length, no IP checksum, and
 * in the TCP checksum the sum of the pseudo-header without length. 0 or HV_ERROR_INVALID (no whole
 * TCP header). */
int headers_prepare_segmentation(uint8_t *bytes, uint32_t length, const struct headers *headers);

/* Bytes of the headers up to the TCP payload, or 0 if they are not all among these. */
uint32_t headers_tcp_length(const uint8_t *bytes, uint32_t length, const struct headers *headers);

/* Makes the headers those of the part that begins `done` bytes into the payload, `segments`
 * segments after the first. Only the last part keeps FIN and PSH. */
void headers_advance(uint8_t *bytes, const struct headers *headers, uint32_t done,
                     uint32_t segments, bool last);

#endif
