/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames from the host: transfer-page packets name pieces of the receive buffer, each with one
 * RNDIS message. Frames are copied to mbufs, so their packets are acknowledged at the end of the
 * burst that they came in, or earlier in a long one. All runs on the channel's thread. */
#include "kext/network/HyperVNetwork.h"

#include "abi/kpi/libkern.h"

enum {
    CHECKSUM_FAMILY_TCPIP = 1,
    CHECKSUM_IP = 1, CHECKSUM_TCP = 2, CHECKSUM_UDP = 4, /* IONetworkController's kChecksum... */
    QUEUE_PACKET = 1,          /* IONetworkInterface's kInputOptionQueuePacket */
    COALESCED_MAX = 65535 + 14,
};

/* ---- acknowledgements ---- */

/* Acknowledges as many packets as the ring has room for; `room` calls again for the rest. */
void network_acknowledge(struct network_queue *queue)
{
    struct nvsp_message message;
    const struct ring_piece piece = { &message, sizeof message };

    if (queue->acknowledgement_count == 0 || queue->channel == NULL ||
        device_channel_begin(queue->channel) != 0)
        return;
    nvs_acknowledgement(&message);
    while (queue->acknowledgement_count != 0 &&
           device_channel_append_completion(queue->channel,
                                            queue->acknowledgements[queue->acknowledgement_first],
                                            &piece, 1) == 0) {
        queue->acknowledgement_first =
            (queue->acknowledgement_first + 1) % NETWORK_ACKNOWLEDGEMENTS_MAX;
        queue->acknowledgement_count--;
    }
    device_channel_commit(queue->channel);
}

static void remember(struct network_queue *queue, uint64_t transaction_id)
{
    uint32_t slot;

    if (queue->acknowledgement_count == NETWORK_ACKNOWLEDGEMENTS_MAX) {
        /* The host sends and sends but takes nothing: what it loses is its own. */
        queue->counters.acknowledgements_lost++;
        return;
    }
    slot = (queue->acknowledgement_first + queue->acknowledgement_count) %
           NETWORK_ACKNOWLEDGEMENTS_MAX;
    queue->acknowledgements[slot] = transaction_id;
    queue->acknowledgement_count++;
    if (queue->acknowledgement_count % NETWORK_ACKNOWLEDGE_AFTER == 0)
        network_acknowledge(queue); /* the host needs its memory back while it goes on */
}

/* ---- frames ---- */

static void set_checksum_result(struct network_queue *queue, mbuf_t packet, uint32_t word)
{
    uint32_t good = 0;

    if ((word & RNDIS_RX_CHECKSUM_IP_GOOD) != 0)
        good |= CHECKSUM_IP;
    if ((word & RNDIS_RX_CHECKSUM_TCP_GOOD) != 0)
        good |= CHECKSUM_TCP;
    if ((word & RNDIS_RX_CHECKSUM_UDP_GOOD) != 0)
        good |= CHECKSUM_UDP;
    if (good != 0) /* of one that failed nothing is said: the stack looks itself, and counts it */
        IONetworkController_setChecksumResult((IONetworkController *)queue->adapter, packet,
                                              CHECKSUM_FAMILY_TCPIP, good, good, 0, 0);
}

/* The frame waits for the end of the burst. */
static void keep(struct network_queue *queue, mbuf_t packet, const struct rndis_receive *receive)
{
    if (receive->has_checksum)
        set_checksum_result(queue, packet, receive->checksum);
    if (receive->has_vlan)
        IOEthernetController_setVlanTag((IOEthernetController *)queue->adapter, packet,
                                        receive->vlan_tag);
    queue->counters.receive_frames++;
    queue->counters.receive_bytes += mbuf_pkthdr_len(packet);
    mbuf_setnextpkt(packet, NULL);
    if (queue->last != NULL)
        mbuf_setnextpkt(queue->last, packet);
    else
        queue->first = packet;
    queue->last = packet;
}

/* Brings the interface's statistics up to date with this channel's; the input lock is held. */
static void publish_counters(struct network_queue *queue)
{
    const struct network_queue_counters *now = &queue->counters;
    struct network_queue_counters *old = &queue->published;
    IONetworkStats *statistics = queue->adapter->statistics;
    IOEthernetStats *ethernet = queue->adapter->ethernet_statistics;
    uint32_t malformed = (uint32_t)(now->receive_malformed - old->receive_malformed);
    uint32_t no_memory = (uint32_t)(now->receive_no_memory - old->receive_no_memory);

    if (statistics == NULL || ethernet == NULL)
        return;
    statistics->inputPackets += (uint32_t)(now->receive_frames - old->receive_frames);
    statistics->inputErrors += malformed + no_memory;
    ethernet->dot3StatsEntry.internalMacReceiveErrors += malformed;
    ethernet->dot3StatsEntry.missedFrames +=
        no_memory + (uint32_t)(now->receive_dropped - old->receive_dropped);
    ethernet->dot3RxExtraEntry.resourceErrors += no_memory;
    ethernet->dot3RxExtraEntry.interrupts++;
    *old = *now;
}

/* The family takes frames from one thread at a time. */
static void deliver(struct network_queue *queue)
{
    struct HyperVNetwork *self = queue->adapter;
    IONetworkInterface *interface = (IONetworkInterface *)self->interface;
    mbuf_t packet = queue->first, next;

    queue->first = queue->last = NULL;
    if (interface == NULL || !self->enabled) {
        if (packet != NULL)
            mbuf_freem_list(packet);
        return;
    }
    IOLockLock(self->input_lock);
    publish_counters(queue);
    for (; packet != NULL; packet = next) {
        next = mbuf_nextpkt(packet);
        mbuf_setnextpkt(packet, NULL);
        IONetworkInterface_inputPacket(interface, packet, 0, QUEUE_PACKET, NULL);
    }
    IONetworkInterface_flushInputQueue(interface);
    IOLockUnlock(self->input_lock);
}

static void drop_coalescing(struct network_queue *queue)
{
    if (queue->coalescing == NULL)
        return;
    mbuf_freem(queue->coalescing);
    queue->coalescing = NULL;
    queue->counters.receive_dropped++;
}

/* A piece of a frame that the host put together from several TCP segments. */
static void take_piece(struct network_queue *queue, const uint8_t *bytes,
                       const struct rndis_receive *receive)
{
    uint8_t flags = receive->packet_id.flags;

    if ((flags & RNDIS_PACKET_ID_FIRST) != 0) {
        drop_coalescing(queue);
        queue->coalescing = IONetworkController_allocatePacket(
            (IONetworkController *)queue->adapter, COALESCED_MAX);
        queue->coalesced_bytes = 0;
        queue->coalesced = *receive;
        if (queue->coalescing == NULL) {
            queue->counters.receive_no_memory++;
            return;
        }
    }
    if (queue->coalescing == NULL)
        return; /* its beginning was lost */
    if (receive->packet_id.id != queue->coalesced.packet_id.id ||
        receive->length > COALESCED_MAX - queue->coalesced_bytes ||
        mbuf_copyback(queue->coalescing, queue->coalesced_bytes, receive->length, bytes,
                      MBUF_DONTWAIT) != 0) {
        drop_coalescing(queue);
        return;
    }
    queue->coalesced_bytes += receive->length;
    if ((flags & RNDIS_PACKET_ID_LAST) != 0) {
        mbuf_adj(queue->coalescing, (int)queue->coalesced_bytes - COALESCED_MAX);
        queue->counters.receive_coalesced++;
        keep(queue, queue->coalescing, &queue->coalesced);
        queue->coalescing = NULL;
    }
}

static void take_frame(struct network_queue *queue, const uint8_t *message, uint32_t size)
{
    const uint8_t whole = RNDIS_PACKET_ID_FIRST | RNDIS_PACKET_ID_LAST;
    struct rndis_receive receive;
    mbuf_t packet;

    if (rndis_parse_packet(message, size, &receive) != 0) {
        drop_coalescing(queue); /* it may have been a piece of it */
        if (hv_log_now(++queue->counters.receive_malformed))
            network_log(queue->adapter, "a malformed frame was dropped");
        return;
    }
    if (!queue->adapter->enabled || queue->adapter->interface == NULL) {
        queue->counters.receive_dropped++;
        return;
    }
    if (receive.has_packet_id && (receive.packet_id.flags & whole) != whole) {
        take_piece(queue, message + receive.offset, &receive);
        return;
    }
    packet = receive.length < 14 || receive.length > COALESCED_MAX
                 ? NULL
                 : IONetworkController_allocatePacket((IONetworkController *)queue->adapter,
                                                      receive.length);
    if (packet == NULL) {
        queue->counters.receive_no_memory++;
        return;
    }
    /* It is as long as the frame, so this finds room. */
    mbuf_copyback(packet, 0, receive.length, message + receive.offset, MBUF_DONTWAIT);
    keep(queue, packet, &receive);
}

static void take_control(struct network_queue *queue, const uint8_t *message, uint32_t size)
{
    uint8_t copy[RNDIS_CONTROL_MAX];

    if (size > sizeof copy)
        size = sizeof copy;
    memcpy(copy, message, size);
    network_control_arrived(queue->adapter, copy, size);
}

/* ---- packets ---- */

static void take_ranges(struct network_queue *queue, const struct packet_view *packet,
                        uint32_t count, bool control)
{
    const struct device_channel_memory *memory = &queue->adapter->receive;
    struct packet_transfer_range range;

    for (uint32_t i = 0; i < count; i++) {
        if (packet_transfer_range(packet, i, memory->size, &range) != 0) {
            drop_coalescing(queue);
            if (hv_log_now(++queue->counters.receive_malformed))
                network_log(queue->adapter, "a range outside the receive buffer was dropped");
        } else if (control) {
            take_control(queue, memory->bytes + range.offset, range.length);
        } else {
            take_frame(queue, memory->bytes + range.offset, range.length);
        }
    }
    drop_coalescing(queue); /* all pieces of a frame come in one packet */
}

static void take_transfer_pages(struct network_queue *queue, const struct packet_view *packet)
{
    struct HyperVNetwork *self = queue->adapter;
    uint32_t channel_type;
    uint16_t set_id;
    int count = packet_transfer_count(packet, &set_id);

    if (count < 0 || set_id != NVSP_RECEIVE_BUFFER_ID || self->receive.bytes == NULL ||
        self->nvs.unit_size == 0) {
        if (hv_log_now(++queue->counters.receive_malformed))
            network_log(self, "a malformed receive packet was dropped");
        return;
    }
    queue->counters.receive_packets++;
    if (nvs_receive_header(&queue->nvs_counters, packet->data, packet->length,
                           &channel_type) != 0)
        queue->counters.receive_malformed++;
    else if (channel_type == NVSP_CHANNEL_CONTROL && queue->index != 0)
        queue->counters.receive_malformed++; /* replies come on the primary channel only */
    else
        take_ranges(queue, packet, (uint32_t)count, channel_type == NVSP_CHANNEL_CONTROL);
    /* Also for what was dropped: the host gets its units back. */
    remember(queue, packet->transaction_id);
}

void network_packet(void *owner, struct device_channel *channel, const struct packet_view *packet)
{
    struct network_queue *queue = owner;

    (void)channel;
    if (packet->type == VMBUS_PACKET_TRANSFER_PAGES)
        take_transfer_pages(queue, packet);
    else if (queue->index == 0)
        network_take_table(queue->adapter, packet);
    else
        queue->counters.receive_malformed++;
}

void network_drained(void *owner, struct device_channel *channel)
{
    struct network_queue *queue = owner;

    (void)channel;
    network_acknowledge(queue);
    deliver(queue);
    if (queue->adapter->send_lock != NULL)
        network_resume(queue->adapter);
}

void network_receive_end(struct network_queue *queue)
{
    drop_coalescing(queue);
    if (queue->first != NULL)
        mbuf_freem_list(queue->first);
    queue->first = queue->last = NULL;
    queue->acknowledgement_count = 0;
}
