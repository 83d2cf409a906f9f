/* SPDX-License-Identifier: BSD-3-Clause */
/* tap_headers.c - Ethernet, IP and transport headers at the beginning of a frame. */
#include "xnu/machine/tap_headers.h"

#include "protocol/big_endian.h"

enum {
    ADDRESSES = 12,
    TYPE_VLAN = 0x8100,
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    FRAGMENT = 0x3fff, /* more of them, or not the first */
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    TCP_HEADER = 20,
    TCP_CHECKSUM = 16,
    UDP_HEADER = 8,
    UDP_CHECKSUM = 6,
};

/* A packet's transport part. */
struct transport {
    size_t start, bytes;
    uint8_t protocol;
    const uint8_t *addresses; /* of source and destination */
    size_t addresses_size;
};

static bool find_ipv4(const uint8_t *head, size_t ip, size_t length, struct transport *found)
{
    size_t header, total;

    if (length < ip + IPV4_HEADER || head[ip] >> 4 != 4 ||
        (be16_get(head + ip + 6) & FRAGMENT) != 0)
        return false;
    header = (size_t)(head[ip] & 15) * 4;
    total = be16_get(head + ip + 2);
    if (header < IPV4_HEADER || total < header)
        return false;
    *found = (struct transport){ ip + header, total - header, head[ip + 9], head + ip + 12, 8 };
    return true;
}

static bool find_ipv6(const uint8_t *head, size_t ip, size_t length, struct transport *found)
{
    if (length < ip + IPV6_HEADER || head[ip] >> 4 != 6)
        return false;
    *found = (struct transport){ ip + IPV6_HEADER, be16_get(head + ip + 4), head[ip + 6],
                                 head + ip + 8, 32 };
    return true;
}

static bool find_transport(const uint8_t *head, size_t length, struct transport *found)
{
    size_t type = ADDRESSES;

    if (length >= type + 4 && be16_get(head + type) == TYPE_VLAN)
        type += 4;
    if (length < type + 2)
        return false;
    switch (be16_get(head + type)) {
    case TYPE_IPV4:
        return find_ipv4(head, type + 2, length, found);
    case TYPE_IPV6:
        return find_ipv6(head, type + 2, length, found);
    default:
        return false;
    }
}

static uint16_t pseudo_header_sum(const struct transport *transport)
{
    uint32_t sum = transport->protocol + (uint32_t)transport->bytes;

    for (size_t i = 0; i < transport->addresses_size; i += 2)
        sum += be16_get(transport->addresses + i);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

bool tap_leave_checksum(uint8_t *head, size_t length, struct tap_checksum *checksum)
{
    struct transport transport;
    size_t header, field;

    if (!find_transport(head, length, &transport))
        return false;
    if (transport.protocol == PROTOCOL_TCP) {
        header = TCP_HEADER;
        field = TCP_CHECKSUM;
    } else if (transport.protocol == PROTOCOL_UDP) {
        header = UDP_HEADER;
        field = UDP_CHECKSUM;
    } else {
        return false;
    }
    if (transport.bytes < header || transport.start + header > length)
        return false;
    if (transport.protocol == PROTOCOL_UDP && be16_get(head + transport.start + field) == 0)
        return false; /* the sender made none */
    be16_put(head + transport.start + field, pseudo_header_sum(&transport));
    *checksum = (struct tap_checksum){ (uint16_t)transport.start, (uint16_t)field };
    return true;
}
