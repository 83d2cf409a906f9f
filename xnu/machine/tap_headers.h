/* SPDX-License-Identifier: BSD-3-Clause */
/* tap_headers.h - what Linux has to be told of a frame, found in its headers. */
#ifndef MACHV_XNU_MACHINE_TAP_HEADERS_H
#define MACHV_XNU_MACHINE_TAP_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAP_HEADERS_MAX = 128 }; /* bytes: Ethernet, a tag, IPv4 with options, TCP or UDP */

/* Where the checksum of a TCP segment or UDP datagram is. */
struct tap_checksum {
    uint16_t start;  /* of the bytes that are summed: the transport header, in the frame */
    uint16_t offset; /* of the field, from there */
};

/* Makes the checksum of a frame, of which `head` has the first `length` bytes, one that is still to
 * be computed: its field gets the sum of the pseudo-header (RFC 768, 9293, 8200 section 8.1), as
 * senders leave it to an adapter. False, and nothing has changed: the frame has none, is a
 * fragment, or its headers are not plainly there (IPv6 extension headers, for example). */
bool tap_leave_checksum(uint8_t *head, size_t length, struct tap_checksum *checksum);

#endif
