/* SPDX-License-Identifier: BSD-3-Clause */
#include "kext/network/headers.h"

#include "kext/core/errors.h"
#include "protocol/big_endian.h"

enum {
    ETHERNET_HEADER = 14,
    ETHERNET_TYPE = 12,
    IPV4_HEADER_MIN = 20,
    IPV6_HEADER = 40,
    TCP_HEADER_MIN = 20,
    TCP_SEQUENCE = 4,
    TCP_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_FIN_PSH = 0x09,
    TCP_CWR = 0x80,
    TCP_CHECKSUM = 16,
    UDP_HEADER = 8,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
};

static int find_transport(uint8_t protocol, uint32_t offset, uint32_t length,
                          struct headers *headers)
{
    uint32_t needed = protocol == PROTOCOL_TCP ? TCP_HEADER_MIN : UDP_HEADER;

    if ((protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP) || offset + needed > length)
        return HV_ERROR_INVALID;
    headers->transport = (uint16_t)offset;
    return 0;
}

int headers_find(const uint8_t *bytes, uint32_t length, struct headers *headers)
{
    const uint8_t *ip = bytes + ETHERNET_HEADER;
    uint16_t type;

    *headers = (struct headers){ .network = ETHERNET_HEADER };
    if (length < ETHERNET_HEADER + IPV4_HEADER_MIN)
        return HV_ERROR_INVALID;
    type = be16_get(bytes + ETHERNET_TYPE);
    if (type == 0x0800 && ip[0] >> 4 == 4 && (ip[0] & 15) >= 5 && (be16_get(ip + 6) & 0x3fff) == 0)
        return find_transport(ip[9], ETHERNET_HEADER + (uint32_t)(ip[0] & 15) * 4, length, headers);
    if (type == 0x86dd && ip[0] >> 4 == 6 && length >= ETHERNET_HEADER + IPV6_HEADER) {
        headers->ipv6 = true;
        return find_transport(ip[6], ETHERNET_HEADER + IPV6_HEADER, length, headers);
    }
    return HV_ERROR_INVALID;
}

/* FNV-1a over the bytes, then mixed so that the low bits depend on all. */
static uint32_t add_bytes(uint32_t hash, const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 0x01000193u;
    return hash;
}

uint32_t headers_hash(const uint8_t *bytes, const struct headers *headers)
{
    const uint8_t *ip = bytes + headers->network;
    uint32_t hash = 0x811c9dc5u;

    hash = headers->ipv6 ? add_bytes(hash, ip + 8, 32) : add_bytes(hash, ip + 12, 8);
    hash = add_bytes(hash, bytes + headers->transport, 4);
    hash ^= hash >> 16;
    hash *= 0x85ebca6bu;
    return hash ^ hash >> 13;
}

static uint32_t add_words(const uint8_t *bytes, uint32_t length, uint32_t sum)
{
    for (uint32_t i = 0; i < length; i += 2)
        sum += be16_get(bytes + i);
    return sum;
}

int headers_prepare_segmentation(uint8_t *bytes, uint32_t length, const struct headers *headers)
{
    uint8_t *ip = bytes + headers->network;
    uint8_t *tcp = bytes + headers->transport;
    uint32_t sum;

    if (headers->transport + (uint32_t)TCP_HEADER_MIN > length ||
        (headers->ipv6 ? ip[6] : ip[9]) != PROTOCOL_TCP)
        return HV_ERROR_INVALID;
    sum = headers->ipv6 ? add_words(ip + 8, 32, PROTOCOL_TCP) : add_words(ip + 12, 8, PROTOCOL_TCP);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    tcp[TCP_CHECKSUM] = (uint8_t)(sum >> 8);
    tcp[TCP_CHECKSUM + 1] = (uint8_t)sum;
    if (headers->ipv6) {
        ip[4] = ip[5] = 0;
    } else {
        ip[2] = ip[3] = 0;
        ip[10] = ip[11] = 0;
    }
    return 0;
}

uint32_t headers_tcp_length(const uint8_t *bytes, uint32_t length, const struct headers *headers)
{
    uint32_t size;

    if (headers->transport + (uint32_t)TCP_HEADER_MIN > length)
        return 0;
    size = (uint32_t)(bytes[headers->transport + TCP_OFFSET] >> 4) * 4;
    return size < TCP_HEADER_MIN || headers->transport + size > length ? 0
                                                                       : headers->transport + size;
}

void headers_advance(uint8_t *bytes, const struct headers *headers, uint32_t done,
                     uint32_t segments, bool last)
{
    uint8_t *ip = bytes + headers->network;
    uint8_t *tcp = bytes + headers->transport;

    be32_put(tcp + TCP_SEQUENCE, be32_get(tcp + TCP_SEQUENCE) + done);
    if (!last)
        tcp[TCP_FLAGS] &= (uint8_t)~TCP_FIN_PSH;
    if (done != 0)
        tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
    if (!headers->ipv6) /* the identification */
        be16_put(ip + 4, (uint16_t)(be16_get(ip + 4) + segments));
}
