/* SPDX-License-Identifier: BSD-3-Clause */
/* The network of the guest, as the rest of the kernel uses it. Kernel side. */
#include "tests/pair/pair_guest.h"

#include "xnu/bsd/mbuf_private.h"
#include "xnu/families/network/ethernet_stack.h"
#include "xnu/machine/clock.h"

enum { WAIT_SECONDS = 10, STEP_NANOSECONDS = 1000000, SEGMENT_SIZE = 1448, HELD_MAX = 4096 };

static struct ethernet_device *device;
static mbuf_t held[HELD_MAX]; /* received, a ring */
static unsigned first, count;
static uint64_t received;
static struct pair_frame back; /* of a round trip */

static void added(struct ethernet_device *added_device)
{
    device = added_device;
}

static void removed(struct ethernet_device *removed_device)
{
    device = NULL;
}

static void input(struct ethernet_device *from, mbuf_t packets)
{
    while (packets != NULL) {
        mbuf_t next = mbuf_nextpkt(packets);

        mbuf_setnextpkt(packets, NULL);
        received++;
        if (count < HELD_MAX)
            held[(first + count++) % HELD_MAX] = packets;
        else
            mbuf_freem(packets);
        packets = next;
    }
}

static void changed(struct ethernet_device *of)
{
}

void pair_network_start(void)
{
    static const struct ethernet_observer observer = { added, removed, input, changed };

    ethernet_stack_observe(&observer);
    ethernet_stack_start();
}

bool pair_wait_for_network(bool there)
{
    uint64_t deadline = machine_uptime() + WAIT_SECONDS * PAIR_SECOND;

    while ((device != NULL) != there && machine_uptime() < deadline)
        pair_sleep(STEP_NANOSECONDS);
    return (device != NULL) == there;
}

bool pair_network_link(void)
{
    return device != NULL && device->link;
}

bool pair_wait_for_link(bool up)
{
    uint64_t deadline = machine_uptime() + WAIT_SECONDS * PAIR_SECOND;

    while (pair_network_link() != up && machine_uptime() < deadline)
        pair_sleep(STEP_NANOSECONDS);
    return pair_network_link() == up;
}

const uint8_t *pair_network_address(void)
{
    return device->address;
}

uint32_t pair_network_segment_limit(void)
{
    return device->tso_mtu;
}

bool pair_network_send(const void *bytes, size_t size, unsigned offload, uint16_t tag)
{
    mbuf_t packet = NULL;

    if (device == NULL || mbuf_allocpacket(MBUF_WAITOK, size, NULL, &packet) != 0)
        return false;
    if (mbuf_copyback(packet, 0, size, bytes, MBUF_WAITOK) != 0)
        return false;
    mbuf_pkthdr_setlen(packet, size);
    if (offload & (PAIR_TCP_CHECKSUM | PAIR_SEGMENT)) {
        packet->checksum_requested = MBUF_CSUM_REQ_TCP;
        packet->checksum_start = 16;
    }
    if (offload & PAIR_SEGMENT) {
        packet->tso_requested = MBUF_TSO_IPV4;
        packet->tso_segment_size = SEGMENT_SIZE;
    }
    if (offload & PAIR_TAGGED)
        mbuf_set_vlan_tag(packet, tag);
    ethernet_stack_output(device, packet);
    return true;
}

bool pair_network_send_many(const void *bytes, size_t size, unsigned count, size_t mark)
{
    mbuf_t first = NULL, *link = &first;

    for (unsigned i = 0; i < count; i++) {
        const uint8_t number = (uint8_t)i;
        mbuf_t packet = NULL;

        if (mbuf_allocpacket(MBUF_WAITOK, size, NULL, &packet) != 0 ||
            mbuf_copyback(packet, 0, size, bytes, MBUF_WAITOK) != 0 ||
            mbuf_copyback(packet, mark, 1, &number, MBUF_WAITOK) != 0)
            return false;
        *link = packet;
        link = &packet->next_packet;
    }
    if (device == NULL || first == NULL)
        return false;
    ethernet_stack_output(device, first);
    return true;
}

bool pair_network_receive(struct pair_frame *frame)
{
    uint64_t deadline = machine_uptime() + PAIR_SECOND;
    mbuf_t packet;

    while (count == 0 && machine_uptime() < deadline)
        pair_sleep(STEP_NANOSECONDS);
    if (count == 0)
        return false;
    packet = held[first];
    first = (first + 1) % HELD_MAX;
    count--;
    frame->size = mbuf_pkthdr_len(packet);
    frame->tagged = mbuf_get_vlan_tag(packet, &frame->tag) == 0;
    frame->checksum_performed = packet->checksum_performed;
    mbuf_copydata(packet, 0, frame->size, frame->bytes);
    mbuf_freem(packet);
    return true;
}

void pair_network_forget(void)
{
    while (pair_network_receive(&back))
        ;
}

void pair_network_make_frame(uint8_t *bytes, size_t size, unsigned seed)
{
    for (size_t i = 14; i < size; i++)
        bytes[i] = (uint8_t)(i * 13 + i / 256 + seed);
    memcpy(bytes, "\x02\x11\x22\x33\x44\x55", 6);
    memcpy(bytes + 6, pair_network_address(), 6);
    bytes[12] = 0x88; /* an experimental type */
    bytes[13] = 0xb5;
}

bool pair_network_round_trip(size_t size, unsigned seed)
{
    static uint8_t sent[9014];

    pair_network_make_frame(sent, size, seed);
    return pair_network_send(sent, size, PAIR_PLAIN, 0) && pair_network_receive(&back) &&
           back.size == size && memcmp(back.bytes + 12, sent + 12, size - 12) == 0;
}

uint64_t pair_network_received(void)
{
    return received;
}

void pair_network_statistics(struct pair_statistics *statistics)
{
    struct ethernet_snapshot snapshot = { .unit = 0 };

    ethernet_take_snapshot(0, &snapshot);
    *statistics = (struct pair_statistics){
        .input_packets = snapshot.statistics.inputPackets,
        .input_errors = snapshot.statistics.inputErrors,
        .output_packets = snapshot.statistics.outputPackets,
        .output_errors = snapshot.statistics.outputErrors,
        .receive_errors = snapshot.ethernet_statistics.dot3StatsEntry.internalMacReceiveErrors,
        .transmit_errors = snapshot.ethernet_statistics.dot3StatsEntry.internalMacTransmitErrors,
        .stack_input = snapshot.input_frames,
        .stack_output = snapshot.output_frames,
        .speed = snapshot.speed,
    };
}

void pair_network_set_power(bool on)
{
    IOService *controller = (IOService *)IONetworkInterface_getController(device->interface);

    IOService_setPowerState(controller, on, controller);
}

int pair_network_set_promiscuous(bool on)
{
    return device == NULL ? -1 : ethernet_set_promiscuous(device, on);
}

int pair_network_set_multicast(bool on)
{
    return device == NULL ? -1 : ethernet_set_multicast(device, on);
}
