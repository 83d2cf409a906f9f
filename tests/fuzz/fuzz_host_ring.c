/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: the host's ring reader and packet parser on a ring that a hostile guest fills. The
 * first bytes choose where the ring starts and what the guest does to its indices between reads;
 * the rest is the ring's content.
 */
#include <stdlib.h>
#include <string.h>

#include "host/vmbus/packet.h"
#include "host/vmbus/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DATA_PAGES = 2, DATA_SIZE = DATA_PAGES * 4096, HEADER = 16, RAM_PAGES = 16 };

static uint8_t ram[RAM_PAGES * 4096] __attribute__((aligned(4096)));

/* Looks at every byte of a packet, so that a sanitizer sees one that is not there. */
static unsigned look(const uint8_t *bytes, size_t size)
{
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum += bytes[i];
    }
    return sum;
}

static void use_packet(const uint8_t *bytes, size_t length, bool pipe)
{
    struct host_packet packet;
    const char *rule;
    if (host_packet_parse(bytes, length, pipe, &packet, &rule) < 0) {
        return;
    }
    volatile unsigned sum = look(packet.payload, packet.payload_size);
    (void)sum;
    struct guest_memory memory;
    guest_memory_initialise(&memory);
    guest_memory_add(&memory, 0, sizeof(ram), ram);
    struct iovec vector[8];
    size_t mapped;
    int count = host_packet_map_ranges(&memory, &packet, HOST_ALL_RANGES, vector, 8, &mapped);
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        uint8_t *start = vector[i].iov_base;
        if (start < ram || start + vector[i].iov_len > ram + sizeof(ram)) {
            abort();
        }
        total += vector[i].iov_len;
    }
    if (count >= 0 && total != mapped) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t pages_memory[(1 + DATA_PAGES) * 4096] __attribute__((aligned(4096)));
    uint8_t *pages[] = {pages_memory, pages_memory + 2 * 4096, pages_memory + 4096};
    uint32_t words[HEADER / 4];
    if (size < HEADER) {
        return 0;
    }
    memcpy(words, data, HEADER);
    memset(pages_memory, 0, sizeof(pages_memory));
    struct host_ring_memory ring;
    struct host_ring_reader reader;
    host_ring_memory_set(&ring, pages, 1 + DATA_PAGES);
    ring.control->read_index = words[0] % DATA_SIZE & ~7u;
    ring.control->write_index = ring.control->read_index;
    if (host_ring_reader_initialise(&reader, &ring) != 0) {
        abort();
    }
    uint32_t room = DATA_SIZE - 8;
    uint32_t content = size - HEADER < room ? (uint32_t)(size - HEADER) & ~7u : room;
    host_ring_copy_in(&ring, ring.control->read_index, data + HEADER, content);
    ring.control->write_index = (words[3] & 1) != 0
                                    ? words[1] : (ring.control->read_index + content) % DATA_SIZE;
    ring.control->pending_send_size = words[2];
    const uint8_t *packet;
    size_t length;
    for (unsigned i = 0; host_ring_reader_next(&reader, &packet, &length) == 1; i++) {
        if (length < sizeof(struct vmbus_packet_header) || length > DATA_SIZE) {
            abort();
        }
        use_packet(packet, length, (words[3] & 2) != 0);
        host_ring_reader_publish(&reader);
        if (!host_ring_index_valid(&ring, ring.control->read_index)) {
            abort();
        }
    }
    host_ring_reader_free(&reader);
    return 0;
}
