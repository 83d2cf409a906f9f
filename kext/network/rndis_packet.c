/* SPDX-License-Identifier: BSD-3-Clause */
/* RNDIS data packets. */
#include "kext/network/rndis.h"

#include "kext/core/errors.h"

enum {
    INFORMATION_MAX = 512, /* bytes of per-packet information looked at; hosts send far fewer */
};

/* ---- from the host ---- */

static void take_element(uint32_t type, const uint8_t *data, uint32_t length,
                         struct rndis_receive *receive)
{
    uint32_t value;

    if (length < sizeof value)
        return;
    __builtin_memcpy(&value, data, sizeof value);
    switch (type) {
    case RNDIS_INFO_CHECKSUM:
        receive->has_checksum = true;
        receive->checksum = value;
        break;
    case RNDIS_INFO_VLAN:
        receive->has_vlan = true;
        receive->vlan_tag = rndis_vlan_to_tag(value);
        break;
    case RNDIS_INFO_HASH_VALUE:
        receive->has_hash = true;
        receive->hash = value;
        break;
    case RNDIS_INFO_PACKET_ID:
        receive->has_packet_id = true;
        __builtin_memcpy(&receive->packet_id, data, sizeof receive->packet_id);
        break;
    default:
        break;
    }
}

/* Elements are 4-byte multiples of at least their header; one that is not ends the list: the frame
 * is still good if it lies where the header says, but what cannot be understood of it makes it
 * suspect. */
static int take_information(const uint8_t *at, uint32_t size, struct rndis_receive *receive)
{
    while (size != 0) {
        struct rndis_packet_info element;

        if (size < sizeof element)
            return HV_ERROR_MALFORMED;
        __builtin_memcpy(&element, at, sizeof element);
        if (element.size < sizeof element || element.size > size || element.size % 4 != 0 ||
            element.offset < sizeof element || element.offset > element.size)
            return HV_ERROR_MALFORMED;
        take_element(element.type, at + element.offset, element.size - element.offset, receive);
        at += element.size;
        size -= element.size;
    }
    return 0;
}

/* Copies from memory that the host may be writing to. */
static void copy_in(void *to, const volatile uint8_t *from, uint32_t size)
{
    __builtin_memcpy(to, (const void *)from, size);
    __asm__ volatile("" ::: "memory"); /* what follows works on the copy */
}

int rndis_parse_packet(const volatile void *message, uint32_t size, struct rndis_receive *receive)
{
    const volatile uint8_t *bytes = message;
    struct rndis_packet packet;
    uint8_t information[INFORMATION_MAX];
    uint32_t room;

    *receive = (struct rndis_receive){ .length = 0 };
    if (size < sizeof packet)
        return HV_ERROR_MALFORMED;
    copy_in(&packet, bytes, sizeof packet);
    if (packet.header.type != RNDIS_PACKET || packet.header.length < sizeof packet ||
        packet.header.length > size)
        return HV_ERROR_MALFORMED;
    room = packet.header.length - RNDIS_OFFSET_BASE;
    if (packet.data_offset < sizeof packet - RNDIS_OFFSET_BASE || packet.data_offset > room ||
        packet.data_length > room - packet.data_offset || packet.data_length == 0)
        return HV_ERROR_MALFORMED;
    receive->offset = packet.data_offset + RNDIS_OFFSET_BASE;
    receive->length = packet.data_length;
    if (packet.info_length == 0)
        return 0;
    if (packet.info_offset < sizeof packet - RNDIS_OFFSET_BASE || packet.info_offset > room ||
        packet.info_length > room - packet.info_offset || packet.info_length > sizeof information)
        return HV_ERROR_MALFORMED;
    copy_in(information, bytes + RNDIS_OFFSET_BASE + packet.info_offset, packet.info_length);
    return take_information(information, packet.info_length, receive);
}

/* ---- to the host ---- */

static uint32_t add_element(uint8_t *at, uint32_t type, uint32_t value)
{
    const struct rndis_packet_info element = { sizeof element + sizeof value, type,
                                               sizeof element };

    __builtin_memcpy(at, &element, sizeof element);
    __builtin_memcpy(at + sizeof element, &value, sizeof value);
    return element.size;
}

uint32_t rndis_packet_header(uint8_t buffer[RNDIS_TRANSMIT_HEADER_MAX],
                             const struct rndis_transmit *transmit)
{
    uint32_t length = sizeof(struct rndis_packet);
    struct rndis_packet packet = { .header = { RNDIS_PACKET, 0 } };

    if (transmit->has_vlan)
        length += add_element(buffer + length, RNDIS_INFO_VLAN,
                              rndis_vlan_from_tag(transmit->vlan_tag));
    if (transmit->has_lso) /* it implies the checksums */
        length += add_element(buffer + length, RNDIS_INFO_LSO, transmit->lso);
    else if (transmit->has_checksum)
        length += add_element(buffer + length, RNDIS_INFO_CHECKSUM, transmit->checksum);
    packet.header.length = length + transmit->length;
    packet.data_offset = length - RNDIS_OFFSET_BASE;
    packet.data_length = transmit->length;
    packet.info_length = length - (uint32_t)sizeof packet;
    packet.info_offset = packet.info_length != 0 ? (uint32_t)sizeof packet - RNDIS_OFFSET_BASE : 0;
    __builtin_memcpy(buffer, &packet, sizeof packet);
    return length;
}
