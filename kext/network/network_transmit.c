/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames to the host: what has to be done to each. Checksums and TCP segmentation are the host's
 * work. */
#include "kext/network/HyperVNetwork.h"

#include "abi/kpi/libkern.h"

enum {
    CHECKSUM_FAMILY_TCPIP = 1, /* IONetworkController's kChecksumFamilyTCPIP */
    CHECKSUM_TCP = MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_TCPIPV6,
    CHECKSUM_UDP = MBUF_CSUM_REQ_UDP | MBUF_CSUM_REQ_UDPIPV6,
};

/* ---- planning ---- */

static uint32_t segment_size(mbuf_t packet, bool *ipv6)
{
#if NETWORK_SEGMENTS
    mbuf_tso_request_flags_t request = 0;
    uint32_t size = 0;

    if (mbuf_get_tso_requested(packet, &request, &size) == 0 &&
        (request & (MBUF_TSO_IPV4 | MBUF_TSO_IPV6)) != 0) {
        *ipv6 = (request & MBUF_TSO_IPV6) != 0;
        return size;
    }
#endif
    (void)packet;
    *ipv6 = false;
    return 0;
}

/* Copies the first bytes, which the frame's flow and the offloads are found in. */
static void read_head(mbuf_t packet, struct network_plan *plan)
{
    uint32_t length = plan->transmit.length < HEADERS_MAX ? plan->transmit.length : HEADERS_MAX;

    mbuf_copydata(packet, 0, length, plan->head);
    plan->head_length = plan->body = length;
    plan->found = headers_find(plan->head, length, &plan->headers) == 0;
}

/* False: the transport's checksum is wanted, and nobody knows where it is. */
static bool plan_checksum(uint32_t demand, struct network_plan *plan)
{
    const struct headers *headers = &plan->headers;

    if (!plan->found)
        return (demand & (CHECKSUM_TCP | CHECKSUM_UDP)) == 0;
    plan->transmit.has_checksum = true;
    plan->transmit.checksum = headers->ipv6 ? RNDIS_TX_CHECKSUM_IPV6 : RNDIS_TX_CHECKSUM_IPV4;
    if ((demand & MBUF_CSUM_REQ_IP) != 0 && !headers->ipv6)
        plan->transmit.checksum |= RNDIS_TX_CHECKSUM_IP_HEADER;
    if ((demand & CHECKSUM_TCP) != 0)
        plan->transmit.checksum |= RNDIS_TX_CHECKSUM_TCP;
    if ((demand & CHECKSUM_UDP) != 0)
        plan->transmit.checksum |= RNDIS_TX_CHECKSUM_UDP;
    plan->transmit.checksum |= (uint32_t)headers->transport << RNDIS_TX_CHECKSUM_HEADER_SHIFT;
    return true;
}

static bool plan_segmentation(uint32_t size, bool ipv6, struct network_plan *plan)
{
    struct headers *headers = &plan->headers;

    if (!plan->found || headers->ipv6 != ipv6 ||
        headers_prepare_segmentation(plan->head, plan->head_length, headers) != 0)
        return false;
    plan->head_length = headers_tcp_length(plan->head, plan->head_length, headers);
    plan->body = plan->head_length;
    plan->segment_size = size;
    plan->transmit.has_lso = true;
    plan->transmit.lso = (size & RNDIS_LSO_MSS_MASK) |
                         (uint32_t)headers->transport << RNDIS_LSO_HEADER_SHIFT | RNDIS_LSO_V2 |
                         (ipv6 ? RNDIS_LSO_IPV6 : 0);
    return plan->head_length != 0;
}

static void plan_tag(struct HyperVNetwork *self, mbuf_t packet, struct network_plan *plan)
{
    uint32_t tag = 0;

    if (!IOEthernetController_getVlanTagDemand((IOEthernetController *)self, packet, &tag))
        return;
    plan->transmit.has_vlan = true;
    plan->transmit.vlan_tag = (uint16_t)tag;
}

/* False: the frame cannot be sent at all. */
static bool make_plan(struct HyperVNetwork *self, mbuf_t packet, struct network_plan *plan)
{
    uint32_t demand = 0, size;
    bool ipv6;

    plan->transmit = (struct rndis_transmit){ .length = (uint32_t)mbuf_pkthdr_len(packet) };
    plan->part = false;
    if (plan->transmit.length < 14)
        return false;
    read_head(packet, plan);
    plan_tag(self, packet, plan);
    size = segment_size(packet, &ipv6);
    if (size != 0)
        return plan->transmit.length <= NETWORK_LARGE_BYTES - RNDIS_TRANSMIT_HEADER_MAX &&
               plan_segmentation(size, ipv6, plan);
    if (plan->transmit.length > self->mtu)
        return false;
    IONetworkController_getChecksumDemand((IONetworkController *)self, packet,
                                          CHECKSUM_FAMILY_TCPIP, &demand, NULL, NULL);
    return (demand & (MBUF_CSUM_REQ_IP | CHECKSUM_TCP | CHECKSUM_UDP)) == 0 ||
           plan_checksum(demand, plan);
}

/* ---- sending ---- */

/* A frame with more than the host cuts goes in parts, each a frame to be cut. If there is room for
 * the first ones only, all are sent again later: TCP drops what it has. */
static int send_parts(struct network_queue *queue, mbuf_t packet, const struct network_plan *whole)
{
    const struct rndis_offload *offload = &queue->adapter->offload;
    uint32_t most = whole->headers.ipv6 ? offload->lso_ipv6 : offload->lso_ipv4;
    uint32_t head = whole->head_length, payload = whole->transmit.length - head;
    uint32_t part;
    int error = 0;

    if (most <= head + whole->segment_size)
        return HV_ERROR_INVALID;
    part = (most - head) / whole->segment_size * whole->segment_size;
    for (uint32_t done = 0; done < payload && error == 0; done += part) {
        uint32_t length = payload - done < part ? payload - done : part;
        struct network_plan plan = *whole;

        headers_advance(plan.head, &plan.headers, done, done / whole->segment_size,
                        done + length == payload);
        plan.transmit.length = head + length;
        plan.body = head + done;
        plan.part = part < payload;
        error = network_send(queue, packet, &plan);
    }
    return error;
}

static int send_planned(struct HyperVNetwork *self, mbuf_t packet, const struct network_plan *plan)
{
    uint32_t hash = plan->found ? headers_hash(plan->head, &plan->headers) : 0;
    struct network_queue *queue = network_queue_for(self, hash);

    return plan->transmit.has_lso ? send_parts(queue, packet, plan)
                                  : network_send(queue, packet, plan);
}

/* Messages wait for more frames as long as the family has some. */
static void flush_if_last(struct HyperVNetwork *self)
{
    if (self->queue == NULL || IOOutputQueue_getSize(self->queue) == 0)
        network_flush(self);
}

static void count_stall(struct HyperVNetwork *self)
{
    self->counters.transmit_stalls++;
    if (self->ethernet_statistics != NULL)
        self->ethernet_statistics->dot3TxExtraEntry.resourceErrors++;
}

static void count_frame(struct HyperVNetwork *self, const struct network_plan *plan, bool sent)
{
    struct network_counters *counters = &self->counters;

    if (sent) {
        counters->transmit_frames++;
        counters->transmit_bytes += plan->transmit.length;
        counters->transmit_segmented += plan->transmit.has_lso;
    } else {
        counters->transmit_errors++;
    }
    if (self->statistics == NULL || self->ethernet_statistics == NULL)
        return;
    if (sent) {
        self->statistics->outputPackets++;
    } else {
        self->statistics->outputErrors++;
        self->ethernet_statistics->dot3StatsEntry.internalMacTransmitErrors++;
    }
}

uint32_t network_output_packet(IONetworkController *me, mbuf_t packet, void *parameter)
{
    struct HyperVNetwork *self = (struct HyperVNetwork *)me;
    struct network_plan plan;
    int error = HV_ERROR_INVALID;
    bool sent;

    (void)parameter;
    if (self->queue_count != 0 && !self->gone && make_plan(self, packet, &plan))
        error = send_planned(self, packet, &plan);
    if (error == HV_ERROR_FULL) {
        network_flush(self);
        count_stall(self);
        return kIOReturnOutputStall; /* the queue keeps it until network_resume */
    }
    sent = error == 0 || error == NETWORK_SENT_KEPT;
    count_frame(self, &plan, sent);
    if (error != NETWORK_SENT_KEPT)
        IONetworkController_freePacket(me, packet, 0);
    flush_if_last(self);
    return sent ? kIOReturnOutputSuccess : kIOReturnOutputDropped;
}
