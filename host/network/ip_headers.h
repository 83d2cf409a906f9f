/* SPDX-License-Identifier: BSD-3-Clause */
/* Fields of IP and TCP headers (RFC 791, 8200, 9293) where they lie in a frame: big endian, at any
 * address. Whoever calls has checked that they are inside the frame. */
#ifndef HOST_NETWORK_IP_HEADERS_H
#define HOST_NETWORK_IP_HEADERS_H

#include <stdint.h>

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

static inline uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static inline void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

#endif
