/* SPDX-License-Identifier: BSD-3-Clause */
/* wire_export.c - frames between en0 and what it is plugged into. What one side leaves undone
 * (checksums, segmentation) the driver's hardware does; so large TCP frames pass whole. */
#include "xnu/families/network/wire_export.h"

#include <stdatomic.h>

#include "abi/constants.h"
#include "xnu/bsd/format.h"
#include "xnu/bsd/mbuf_private.h"
#include "xnu/families/network/ethernet_stack.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/threads.h"

enum { HEADER = 14, TYPE = 12, TCP_CHECKSUM = 16, IPV6_TYPE = 0x86dd };
enum {
    PACKETS_A_BURST = 32,
    BYTES_A_BURST = 128 << 10,
    DENSE_NS = 40000,  /* between two frames: less, and they are let gather */
    GATHER_NS = 60000,
    SMALL_MAX = 4096,  /* on average; large ones are worth a wake-up each */
    LOOKS_MAX = 2,     /* in vain before a wait */
};

static const struct machine_wire *wire; /* NULL: none is open */
static int descriptor = -1;
static atomic_bool stopping;
static _Atomic(struct ethernet_device *) device; /* en0; cleared with `sending` held */
static struct machine_mutex *sending;            /* held while the reader uses `device` */
static struct machine_thread *reader;
static mbuf_t small, large;                      /* the reader's: memory for the next frame */
static size_t large_room;                        /* bytes of `large` */

/* ---- from the wire to the driver ----------------------------------------------------------- */

static void set_offloads(mbuf_t packet, const struct machine_wire_frame *about)
{
    const uint8_t *bytes = mbuf_data(packet);
    bool ipv6 = (bytes[TYPE] << 8 | bytes[TYPE + 1]) == IPV6_TYPE;

    if (about->needs_checksum) {
        bool tcp = about->checksum_offset == TCP_CHECKSUM;
        packet->checksum_requested = ipv6 ? (tcp ? MBUF_CSUM_REQ_TCPIPV6 : MBUF_CSUM_REQ_UDPIPV6)
                                          : (tcp ? MBUF_CSUM_REQ_TCP : MBUF_CSUM_REQ_UDP);
        packet->checksum_start = about->checksum_offset;
    }
    if (about->segmentation != MACHINE_WIRE_WHOLE) {
        packet->tso_requested =
            about->segmentation == MACHINE_WIRE_TCP_IPV4 ? MBUF_TSO_IPV4 : MBUF_TSO_IPV6;
        packet->tso_segment_size = about->segment_size;
    }
}

/* Memory for the largest frame: a cluster that most frames fit, and more behind it, of which what a
 * frame does not need is used again. True if there is all of it. */
static bool have_room(void)
{
    if (small == NULL && mbuf_getpacket(MBUF_WAITOK, &small) != 0)
        return false;
    while (large_room < MACHINE_WIRE_FRAME_MAX - MBUF_CLUSTER_SIZE) {
        mbuf_t part = NULL;

        if (mbuf_getcluster(MBUF_WAITOK, MBUF_TYPE_DATA, MBUF_JUMBO_CLUSTER_SIZE, &part) != 0)
            return false;
        mbuf_setnext(part, large);
        large = part;
        large_room += MBUF_JUMBO_CLUSTER_SIZE;
    }
    return true;
}

static long read_into_room(struct machine_wire_frame *about)
{
    struct machine_wire_space spaces[MACHINE_WIRE_PIECES_MAX];
    unsigned count = 0;

    spaces[count++] = (struct machine_wire_space){ mbuf_data(small), MBUF_CLUSTER_SIZE };
    for (mbuf_t part = large; part != NULL && count < MACHINE_WIRE_PIECES_MAX;
         part = mbuf_next(part))
        spaces[count++] = (struct machine_wire_space){ mbuf_data(part), MBUF_JUMBO_CLUSTER_SIZE };
    return wire->read(descriptor, about, spaces, count);
}

/* The frame stays where it was read to. */
static mbuf_t take_room(size_t size)
{
    mbuf_t packet = small, last = small;
    size_t left = size < MBUF_CLUSTER_SIZE ? 0 : size - MBUF_CLUSTER_SIZE;

    small = NULL;
    mbuf_setlen(packet, size - left);
    mbuf_pkthdr_setlen(packet, size);
    while (left != 0) {
        mbuf_t part = large;
        size_t length = left < MBUF_JUMBO_CLUSTER_SIZE ? left : MBUF_JUMBO_CLUSTER_SIZE;

        large = mbuf_next(part);
        large_room -= MBUF_JUMBO_CLUSTER_SIZE;
        mbuf_setnext(part, NULL);
        mbuf_setlen(part, length);
        mbuf_setnext(last, part);
        last = part;
        left -= length;
    }
    return packet;
}

/* The next frame, or NULL: there is none now. A negative errno in `error`: there will be none. */
static mbuf_t read_packet(long *error)
{
    struct machine_wire_frame about;
    mbuf_t packet = NULL;

    while (packet == NULL && have_room()) {
        long size = read_into_room(&about);

        *error = size < 0 ? size : 0;
        if (size <= 0)
            return NULL;
        if (size >= HEADER)
            packet = take_room((size_t)size);
    }
    if (packet != NULL)
        set_offloads(packet, &about);
    return packet;
}

static void send_packets(mbuf_t packets)
{
    struct ethernet_device *to;

    machine_mutex_lock(sending);
    to = atomic_load(&device);
    if (to != NULL)
        ethernet_stack_output(to, packets);
    else
        mbuf_freem_list(packets);
    machine_mutex_unlock(sending);
}

/* Waits for frames. Whoever sends many small ones would wake this thread for each: as adapters
 * moderate their interrupts, it sleeps a moment without being woken while they come close together.
 * `count` frames of `bytes` have come since the last time. */
static void wait_for_packets(unsigned count, size_t bytes)
{
    static uint64_t last;
    static unsigned looks; /* in vain, since frames came */
    static bool gathered;  /* the last time; small frames come on, and looking costs them time */
    uint64_t now = machine_uptime();
    bool dense = now - last < (uint64_t)count * DENSE_NS && bytes < (size_t)count * SMALL_MAX;

    if (count != 0)
        looks = 0;
    if (dense)
        machine_sleep(NULL, &last, now + GATHER_NS, true);
    else if (gathered || !machine_look_around(&looks, LOOKS_MAX))
        machine_poll(descriptor, false, MACHINE_NEVER, true);
    gathered = dense;
    last = dense ? now : machine_uptime();
}

/* Frames that are there together go together: the driver sends several a message. But only as many
 * bytes as are still in the processor's cache when the host reads them. */
static mbuf_t read_burst(unsigned *count, size_t *bytes, long *error)
{
    mbuf_t first = NULL, last = NULL, next;

    *count = 0;
    *bytes = 0;
    while (*count < PACKETS_A_BURST && *bytes < BYTES_A_BURST &&
           (next = read_packet(error)) != NULL) {
        if (last != NULL)
            mbuf_setnextpkt(last, next);
        else
            first = next;
        last = next;
        ++*count;
        *bytes += mbuf_pkthdr_len(next);
    }
    return first;
}

static void read_packets(void *argument)
{
    unsigned count = 0, burst;
    size_t bytes = 0, burst_bytes;
    long error = 0;

    while (!atomic_load(&stopping) && error == 0) {
        mbuf_t packets = read_burst(&burst, &burst_bytes, &error);

        count += burst;
        bytes += burst_bytes;
        if (packets != NULL) {
            send_packets(packets);
        } else if (error == 0) {
            wait_for_packets(count, bytes);
            count = 0;
            bytes = 0;
        }
    }
}

/* ---- from the driver to the wire ----------------------------------------------------------- */

/* The frame's bytes from `skip` on, added to the pieces. Returns how many there are, or 0: too
 * many. */
static unsigned add_pieces(mbuf_t packet, size_t skip, struct machine_wire_piece *pieces,
                           unsigned count)
{
    for (; packet != NULL; packet = mbuf_next(packet)) {
        size_t length = mbuf_len(packet);

        if (length <= skip) {
            skip -= length;
            continue;
        }
        if (count == MACHINE_WIRE_PIECES_MAX)
            return 0;
        pieces[count++] =
            (struct machine_wire_piece){ (const uint8_t *)mbuf_data(packet) + skip, length - skip };
        skip = 0;
    }
    return count;
}

static void write_frame(mbuf_t packet)
{
    const uint32_t good = MBUF_CSUM_DID_DATA | MBUF_CSUM_PSEUDO_HDR;
    const struct machine_wire_frame about = { .checksum_good =
                                                  (packet->checksum_performed & good) == good };
    struct machine_wire_piece pieces[MACHINE_WIRE_PIECES_MAX];
    uint8_t head[TYPE + 4];
    unsigned count = 0;
    size_t skip = 0;
    uint16_t tag;

    if (mbuf_pkthdr_len(packet) < HEADER)
        return;
    if (mbuf_get_vlan_tag(packet, &tag) ==
        0) { /* put the tag back where the other side looks for it */
        mbuf_copydata(packet, 0, TYPE, head);
        head[TYPE] = 0x81;
        head[TYPE + 1] = 0x00;
        head[TYPE + 2] = (uint8_t)(tag >> 8);
        head[TYPE + 3] = (uint8_t)tag;
        pieces[count++] = (struct machine_wire_piece){ head, sizeof head };
        skip = TYPE;
    }
    count = add_pieces(packet, skip, pieces, count);
    if (count != 0)
        wire->write(descriptor, &about, pieces, count);
}

static void input(struct ethernet_device *from, mbuf_t packets)
{
    while (packets != NULL) {
        mbuf_t next = mbuf_nextpkt(packets);

        mbuf_setnextpkt(packets, NULL);
        if (from == atomic_load(&device))
            write_frame(packets);
        mbuf_freem(packets);
        packets = next;
    }
}

/* ---- interfaces ---------------------------------------------------------------------------- */

static void plug(const struct ethernet_device *in)
{
    struct machine_wire_interface interface = { .name = in->name,
                                                .mtu = in->mtu,
                                                .tso_mtu = in->tso_mtu,
                                                .link = in->link };

    __builtin_memcpy(interface.address, in->address, sizeof interface.address);
    wire->plug(descriptor, &interface);
}

static void added(struct ethernet_device *added_device)
{
    if (added_device->unit != 0)
        return;
    plug(added_device);
    atomic_store(&device, added_device);
}

static void removed(struct ethernet_device *removed_device)
{
    if (removed_device != atomic_load(&device))
        return;
    machine_mutex_lock(sending);
    atomic_store(&device, NULL);
    machine_mutex_unlock(sending);
    wire->plug(descriptor, NULL);
}

static void changed(struct ethernet_device *changed_device)
{
    if (changed_device == atomic_load(&device))
        plug(changed_device);
}

int wire_export_start(const struct machine_wire *new_wire, const char *name, char *error,
                      size_t error_size)
{
    static const struct ethernet_observer observer = { added, removed, input, changed };

    descriptor = new_wire->open(name, error, error_size);
    if (descriptor < 0)
        return -1;
    wire = new_wire;
    sending = machine_mutex_create("network");
    reader = sending == NULL ? NULL : machine_thread_start("network", read_packets, NULL);
    if (reader == NULL) {
        format_text(error, error_size, "no memory for a thread");
        wire->close(descriptor);
        wire = NULL;
        return -1;
    }
    ethernet_stack_observe(&observer);
    ethernet_stack_start();
    return 0;
}

void wire_export_stop(void)
{
    if (wire == NULL)
        return;
    atomic_store(&stopping, true);
    ethernet_stack_observe(NULL);
    machine_interrupt_thread(reader);
    machine_thread_join(reader);
    machine_thread_release(reader);
    machine_mutex_destroy(sending);
    if (small != NULL)
        mbuf_freem(small);
    if (large != NULL)
        mbuf_freem(large);
    small = large = NULL;
    large_room = 0;
    wire->close(descriptor);
    wire = NULL;
}
