/* SPDX-License-Identifier: BSD-3-Clause */
/* tap_export.c - frames between en0 and a TAP device. What one side leaves undone (checksums, segmentation) the
 * driver's hardware does; so large TCP frames pass whole. */
#include "xnu/families/network/tap_export.h"

#include <stdatomic.h>

#include "abi/constants.h"
#include "xnu/bsd/format.h"
#include "xnu/bsd/mbuf_private.h"
#include "xnu/families/network/ethernet_stack.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/tap.h"
#include "xnu/machine/threads.h"

enum { FRAME_MAX = 65535 + 18, TCP_CHECKSUM = 16, IPV6_TYPE = 0x86dd };

static int descriptor = -1;
static atomic_bool stopping;
static _Atomic(struct ethernet_device *) device; /* en0 */
static struct machine_thread *reader;
static struct machine_spin_lock sending;         /* held while the reader uses `device` */
static uint8_t input_buffer[FRAME_MAX], output_buffer[FRAME_MAX];

/* ---- from the TAP device to the driver -------------------------------------------------------------- */

static void set_offloads(mbuf_t packet, const struct machine_tap_frame *about, const uint8_t *bytes)
{
    bool ipv6 = (bytes[12] << 8 | bytes[13]) == IPV6_TYPE;

    if (about->needs_checksum) {
        bool tcp = about->checksum_offset == TCP_CHECKSUM;
        packet->checksum_requested = ipv6 ? (tcp ? MBUF_CSUM_REQ_TCPIPV6 : MBUF_CSUM_REQ_UDPIPV6)
                                          : (tcp ? MBUF_CSUM_REQ_TCP : MBUF_CSUM_REQ_UDP);
        packet->checksum_start = about->checksum_offset;
    }
    if (about->segmentation != MACHINE_TAP_WHOLE) {
        packet->tso_requested = about->segmentation == MACHINE_TAP_TCP_IPV4 ? MBUF_TSO_IPV4 : MBUF_TSO_IPV6;
        packet->tso_segment_size = about->segment_size;
    }
}

static void send_frame(struct ethernet_device *to, const struct machine_tap_frame *about, size_t size)
{
    mbuf_t packet = NULL;

    if (mbuf_allocpacket(MBUF_WAITOK, size, NULL, &packet) != 0)
        return;
    if (mbuf_copyback(packet, 0, size, input_buffer, MBUF_WAITOK) != 0) {
        mbuf_freem(packet);
        return;
    }
    mbuf_pkthdr_setlen(packet, size);
    set_offloads(packet, about, input_buffer);
    ethernet_output(to, packet);
}

static void read_frames(void *argument)
{
    struct machine_tap_frame about;

    while (!atomic_load(&stopping)) {
        struct ethernet_device *to;
        long size = machine_tap_read(descriptor, &about, input_buffer, sizeof input_buffer);

        if (size < 0)
            return;
        if (size == 0) {
            machine_poll(descriptor, false, MACHINE_NEVER, true);
            continue;
        }
        to = atomic_load(&device);
        if (to != NULL && size >= 14)
            send_frame(to, &about, (size_t)size);
    }
}

/* ---- from the driver to the TAP device -------------------------------------------------------------- */

static void write_frame(mbuf_t packet)
{
    const uint32_t good = MBUF_CSUM_DID_DATA | MBUF_CSUM_PSEUDO_HDR;
    struct machine_tap_frame about = { .checksum_good = (packet->checksum_performed & good) == good };
    size_t size = mbuf_pkthdr_len(packet), skip = 0;
    uint16_t tag;

    if (size < 14 || size > FRAME_MAX - 4)
        return;
    machine_spin_lock(&sending);
    if (mbuf_get_vlan_tag(packet, &tag) == 0) { /* put the tag back where the other side looks for it */
        mbuf_copydata(packet, 0, 12, output_buffer);
        output_buffer[12] = 0x81;
        output_buffer[13] = 0x00;
        output_buffer[14] = (uint8_t)(tag >> 8);
        output_buffer[15] = (uint8_t)tag;
        skip = 4;
        mbuf_copydata(packet, 12, size - 12, output_buffer + 16);
    } else {
        mbuf_copydata(packet, 0, size, output_buffer);
    }
    machine_tap_write(descriptor, &about, output_buffer, size + skip);
    machine_spin_unlock(&sending);
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

/* ---- interfaces --------------------------------------------------------------------------------------- */

static void added(struct ethernet_device *added_device)
{
    if (added_device->unit == 0)
        atomic_store(&device, added_device);
}

static void removed(struct ethernet_device *removed_device)
{
    if (removed_device == atomic_load(&device))
        atomic_store(&device, NULL);
}

static void link_changed(struct ethernet_device *of, bool up)
{
}

int tap_export_start(const char *name, char *error, size_t error_size)
{
    static const struct ethernet_observer observer = { added, removed, input, link_changed };

    descriptor = machine_tap_open(name, error, error_size);
    if (descriptor < 0)
        return -1;
    reader = machine_thread_start("tap", read_frames, NULL);
    if (reader == NULL) {
        format_text(error, error_size, "no thread for tap=%s", name);
        return -1;
    }
    ethernet_stack_observe(&observer);
    ethernet_stack_start();
    return 0;
}

void tap_export_stop(void)
{
    if (descriptor < 0)
        return;
    atomic_store(&stopping, true);
    ethernet_stack_observe(NULL);
    machine_interrupt_thread(reader);
    machine_thread_join(reader);
    machine_thread_release(reader);
    machine_tap_close(descriptor);
    descriptor = -1;
}
