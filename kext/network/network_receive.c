/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames from the host: transfer-page packets name pieces of the receive buffer, each with one RNDIS message. Frames
 * are copied to mbufs, so each packet is acknowledged at the end of the burst it came in. */
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
void network_acknowledge(struct HyperVNetwork *self)
{
    struct nvsp_message message;
    const struct ring_piece piece = { &message, sizeof message };

    if (self->acknowledgement_count == 0 || self->channel == NULL || device_channel_begin(self->channel) != 0)
        return;
    nvs_acknowledgement(&message);
    while (self->acknowledgement_count != 0 &&
           device_channel_append_completion(self->channel, self->acknowledgements[self->acknowledgement_first],
                                            &piece, 1) == 0) {
        self->acknowledgement_first = (self->acknowledgement_first + 1) % NETWORK_ACKNOWLEDGEMENTS_MAX;
        self->acknowledgement_count--;
    }
    device_channel_commit(self->channel);
}

static void remember(struct HyperVNetwork *self, uint64_t transaction_id)
{
    uint32_t slot;

    if (self->acknowledgement_count == NETWORK_ACKNOWLEDGEMENTS_MAX)
        network_acknowledge(self);
    if (self->acknowledgement_count == NETWORK_ACKNOWLEDGEMENTS_MAX) {
        /* The host sends and sends but takes nothing: what it loses is its own. */
        self->counters.acknowledgements_lost++;
        return;
    }
    slot = (self->acknowledgement_first + self->acknowledgement_count) % NETWORK_ACKNOWLEDGEMENTS_MAX;
    self->acknowledgements[slot] = transaction_id;
    self->acknowledgement_count++;
}

/* ---- frames ---- */

static void set_checksum_result(struct HyperVNetwork *self, mbuf_t packet, uint32_t word)
{
    uint32_t good = 0;

    if ((word & RNDIS_RX_CHECKSUM_IP_GOOD) != 0)
        good |= CHECKSUM_IP;
    if ((word & RNDIS_RX_CHECKSUM_TCP_GOOD) != 0)
        good |= CHECKSUM_TCP;
    if ((word & RNDIS_RX_CHECKSUM_UDP_GOOD) != 0)
        good |= CHECKSUM_UDP;
    if (good != 0) /* of one that failed nothing is said: the stack looks itself, and counts it */
        IONetworkController_setChecksumResult((IONetworkController *)self, packet, CHECKSUM_FAMILY_TCPIP, good, good,
                                              0, 0);
}

static void deliver(struct HyperVNetwork *self, mbuf_t packet, const struct rndis_receive *receive)
{
    if (receive->has_checksum)
        set_checksum_result(self, packet, receive->checksum);
    if (receive->has_vlan)
        IOEthernetController_setVlanTag((IOEthernetController *)self, packet, receive->vlan_tag);
    self->counters.receive_frames++;
    self->counters.receive_bytes += mbuf_pkthdr_len(packet);
    IONetworkInterface_inputPacket((IONetworkInterface *)self->interface, packet, 0, QUEUE_PACKET, NULL);
}

static void copy_to_packet(mbuf_t packet, const uint8_t *from, uint32_t length)
{
    while (packet != NULL && length != 0) {
        uint32_t part = mbuf_len(packet) < length ? (uint32_t)mbuf_len(packet) : length;

        memcpy(mbuf_data(packet), from, part);
        from += part;
        length -= part;
        packet = mbuf_next(packet);
    }
}

static void drop_coalescing(struct HyperVNetwork *self)
{
    if (self->coalescing == NULL)
        return;
    mbuf_freem(self->coalescing);
    self->coalescing = NULL;
    self->counters.receive_dropped++;
}

/* A piece of a frame that the host put together from several TCP segments. */
static void take_piece(struct HyperVNetwork *self, const uint8_t *bytes, const struct rndis_receive *receive)
{
    uint8_t flags = receive->packet_id.flags;

    if ((flags & RNDIS_PACKET_ID_FIRST) != 0) {
        drop_coalescing(self);
        self->coalescing = IONetworkController_allocatePacket((IONetworkController *)self, COALESCED_MAX);
        self->coalesced_bytes = 0;
        self->coalesced = *receive;
        if (self->coalescing == NULL) {
            self->counters.receive_no_memory++;
            return;
        }
    }
    if (self->coalescing == NULL)
        return; /* its beginning was lost */
    if (receive->packet_id.id != self->coalesced.packet_id.id ||
        receive->length > COALESCED_MAX - self->coalesced_bytes ||
        mbuf_copyback(self->coalescing, self->coalesced_bytes, receive->length, bytes, MBUF_DONTWAIT) != 0) {
        drop_coalescing(self);
        return;
    }
    self->coalesced_bytes += receive->length;
    if ((flags & RNDIS_PACKET_ID_LAST) != 0) {
        mbuf_adj(self->coalescing, (int)self->coalesced_bytes - COALESCED_MAX);
        self->counters.receive_coalesced++;
        deliver(self, self->coalescing, &self->coalesced);
        self->coalescing = NULL;
    }
}

static void take_frame(struct HyperVNetwork *self, const uint8_t *message, uint32_t size)
{
    const uint8_t whole = RNDIS_PACKET_ID_FIRST | RNDIS_PACKET_ID_LAST;
    struct rndis_receive receive;
    mbuf_t packet;

    if (rndis_parse_packet(message, size, &receive) != 0) {
        if (hv_log_now(++self->counters.receive_malformed))
            network_log(self, "a malformed frame was dropped");
        return;
    }
    if (!self->enabled || self->interface == NULL) {
        self->counters.receive_dropped++;
        return;
    }
    if (receive.has_packet_id && (receive.packet_id.flags & whole) != whole) {
        take_piece(self, message + receive.offset, &receive);
        return;
    }
    packet = receive.length < 14 || receive.length > COALESCED_MAX
                 ? NULL : IONetworkController_allocatePacket((IONetworkController *)self, receive.length);
    if (packet == NULL) {
        self->counters.receive_no_memory++;
        return;
    }
    copy_to_packet(packet, message + receive.offset, receive.length);
    deliver(self, packet, &receive);
}

static void take_control(struct HyperVNetwork *self, const uint8_t *message, uint32_t size)
{
    uint8_t copy[RNDIS_CONTROL_MAX];

    if (size > sizeof copy)
        size = sizeof copy;
    memcpy(copy, message, size);
    network_control_arrived(self, copy, size);
}

/* ---- packets ---- */

static void take_ranges(struct HyperVNetwork *self, const struct packet_view *packet, uint32_t count, bool control)
{
    struct packet_transfer_range range;

    for (uint32_t i = 0; i < count; i++) {
        if (packet_transfer_range(packet, i, self->receive.size, &range) != 0) {
            if (hv_log_now(++self->counters.receive_malformed))
                network_log(self, "a range outside the receive buffer was dropped");
        } else if (control) {
            take_control(self, self->receive.bytes + range.offset, range.length);
        } else {
            take_frame(self, self->receive.bytes + range.offset, range.length);
        }
    }
    drop_coalescing(self); /* all pieces of a frame come in one packet */
}

static void take_transfer_pages(struct HyperVNetwork *self, const struct packet_view *packet)
{
    uint32_t channel_type;
    uint16_t set_id;
    int count = packet_transfer_count(packet, &set_id);

    if (count < 0 || set_id != NVSP_RECEIVE_BUFFER_ID || self->receive.bytes == NULL || self->nvs.unit_size == 0) {
        if (hv_log_now(++self->counters.receive_malformed))
            network_log(self, "a malformed receive packet was dropped");
        return;
    }
    self->counters.receive_packets++;
    if (nvs_receive_header(&self->nvs, packet->data, packet->length, &channel_type) == 0)
        take_ranges(self, packet, (uint32_t)count, channel_type == NVSP_CHANNEL_CONTROL);
    else
        self->counters.receive_malformed++;
    /* Also for what was dropped: the host gets its units back. */
    remember(self, packet->transaction_id);
}

void network_packet(void *owner, struct device_channel *channel, const struct packet_view *packet)
{
    struct HyperVNetwork *self = owner;
    uint8_t table[NVSP_INDIRECTION_ENTRIES];

    (void)channel;
    if (packet->type == VMBUS_PACKET_TRANSFER_PAGES)
        take_transfer_pages(self, packet);
    else /* one channel needs no table; it is looked at so that what is wrong with it is counted */
        nvs_indirection_table(&self->nvs, packet->data, packet->length, 1, table);
}

void network_drained(void *owner, struct device_channel *channel)
{
    struct HyperVNetwork *self = owner;

    (void)channel;
    network_acknowledge(self);
    if (self->enabled && self->interface != NULL)
        IONetworkInterface_flushInputQueue((IONetworkInterface *)self->interface);
    if (self->send_lock != NULL)
        network_resume(self);
}

void network_receive_end(struct HyperVNetwork *self)
{
    drop_coalescing(self);
    self->acknowledgement_count = 0;
}
