/* SPDX-License-Identifier: BSD-3-Clause */
/* IP and TCP headers (RFC 791, 8200, 9293): where their fields are, which are big endian. */
#ifndef HOST_NETWORK_IP_HEADERS_H
#define HOST_NETWORK_IP_HEADERS_H

#include "protocol/big_endian.h"

enum {
    IPV6_HEADER = 40, /* bytes, without extensions */
    /* Offsets in a TCP header, and flags of the byte at TCP_FLAGS. */
    TCP_SEQUENCE = 4,
    TCP_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_CHECKSUM = 16,
    TCP_FIN = 0x01,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_CWR = 0x80,
};

#endif
