/* SPDX-License-Identifier: BSD-3-Clause */
/* IONetworkController_packets.c - mbufs for drivers, and what the stack and the hardware tell each
 * other of checksums. */
#include "xnu/families/network/network_private.h"

enum { CHECKSUM_FAMILY_TCPIP = 1, CHECKSUM_IP = 1, CHECKSUM_TCP = 2, CHECKSUM_UDP = 4 };

mbuf_t IONetworkController__allocatePacket(IONetworkController *me, uint32_t size)
{
    mbuf_t packet = NULL;

    if (mbuf_allocpacket(MBUF_DONTWAIT, size, NULL, &packet) != 0)
        return NULL;
    /* All of it is in use, as drivers expect. */
    size_t left = size;
    for (mbuf_t part = packet; part; part = mbuf_next(part)) {
        size_t length = mbuf_maxlen(part) < left ? mbuf_maxlen(part) : left;
        mbuf_setlen(part, length);
        left -= length;
    }
    mbuf_pkthdr_setlen(packet, size);
    return packet;
}

void IONetworkController__freePacket(IONetworkController *me, mbuf_t packet, uint32_t options)
{
    mbuf_freem(packet);
}

uint32_t IONetworkController__releaseFreePackets(IONetworkController *me)
{
    return 0; /* none are delayed */
}

mbuf_t IONetworkController__copyPacket(IONetworkController *me, mbuf_t const packet, uint32_t size)
{
    size_t length = size != 0 ? size : mbuf_pkthdr_len(packet);
    mbuf_t copy = NULL;

    return mbuf_copym(packet, 0, length, MBUF_DONTWAIT, &copy) == 0 ? copy : NULL;
}

void IONetworkController__getPacketBufferConstraints(IONetworkController *me,
                                                     IOPacketBufferConstraints *constraints)
{
    constraints->alignStart = kIOPacketBufferAlign1;
    constraints->alignLength = kIOPacketBufferAlign1;
}

uint32_t IONetworkController__outputPacket(IONetworkController *me, mbuf_t packet, void *parameter)
{
    IONetworkController_freePacket(me, packet, 0);
    return kIOReturnOutputDropped;
}

int32_t IONetworkController__getChecksumSupport(IONetworkController *me, uint32_t *mask,
                                                uint32_t family, bool is_output)
{
    return kIOReturnUnsupported;
}

void IONetworkController__getChecksumDemand(IONetworkController *me, mbuf_t const packet,
                                            uint32_t family, uint32_t *demand, void *param0,
                                            void *param1)
{
    mbuf_csum_request_flags_t request = 0;
    uint32_t value = 0;

    if (family == CHECKSUM_FAMILY_TCPIP)
        mbuf_get_csum_requested(packet, &request, &value);
    *demand = request;
}

bool IONetworkController__setChecksumResult(IONetworkController *me, mbuf_t packet, uint32_t family,
                                            uint32_t result, uint32_t valid, uint32_t param0,
                                            uint32_t param1)
{
    mbuf_csum_performed_flags_t performed = 0;

    if (family != CHECKSUM_FAMILY_TCPIP)
        return false;
    if (result & CHECKSUM_IP)
        performed |= MBUF_CSUM_DID_IP | (valid & CHECKSUM_IP ? MBUF_CSUM_IP_GOOD : 0);
    if (result & (CHECKSUM_TCP | CHECKSUM_UDP))
        performed |= MBUF_CSUM_DID_DATA | MBUF_CSUM_PSEUDO_HDR;
    return mbuf_set_csum_performed(packet, performed,
                                   valid & (CHECKSUM_TCP | CHECKSUM_UDP) ? 0xffff : 0) == 0;
}
