/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's end of the rings, for tests: plain and trusting, written from the description of the
 * ring and not from either of the real ones.
 */
#ifndef TESTS_HOST_VMBUS_GUEST_RING_H
#define TESTS_HOST_VMBUS_GUEST_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/vmbus.h"

/* A ring in contiguous memory: control page, then `size` bytes. */
struct guest_ring {
    struct vmbus_ring_control *control;
    uint8_t *data;
    uint32_t size;
};

static inline struct guest_ring guest_ring_at(uint8_t *pages, uint32_t data_pages)
{
    return (struct guest_ring){(struct vmbus_ring_control *)(void *)pages, pages + HV_PAGE_SIZE,
                               data_pages * HV_PAGE_SIZE};
}

static inline uint32_t guest_ring_used(const struct guest_ring *ring)
{
    return (ring->control->write_index + ring->size - ring->control->read_index) % ring->size;
}

static inline void guest_ring_bytes(struct guest_ring *ring, uint32_t at, void *bytes,
                                    uint32_t count, bool write)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *in_ring = &ring->data[(at + i) % ring->size];
        uint8_t *outside = (uint8_t *)bytes + i;
        if (write) {
            *in_ring = *outside;
        } else {
            *outside = *in_ring;
        }
    }
}

/* Writes raw packet bytes (a multiple of 8, header included) and a trailer; no room check. */
static inline void guest_ring_put(struct guest_ring *ring, const void *packet, uint32_t length)
{
    uint32_t start = ring->control->write_index;
    uint64_t trailer = (uint64_t)start << 32;
    guest_ring_bytes(ring, start, (void *)(uintptr_t)packet, length, true);
    guest_ring_bytes(ring, start + length, &trailer, sizeof(trailer), true);
    __atomic_store_n(&ring->control->write_index,
                     (start + length + (uint32_t)sizeof(trailer)) % ring->size, __ATOMIC_RELEASE);
}

/* Builds and writes an in-band packet of `words` 64-bit words of data, each `fill`. */
static inline void guest_ring_put_words(struct guest_ring *ring, uint16_t type, uint16_t flags,
                                        uint64_t id, unsigned words, uint64_t fill)
{
    uint64_t packet[1026];
    struct vmbus_packet_header header = {type, 2, (uint16_t)(2 + words), flags, id};
    for (unsigned i = 0; i < words; i++) {
        packet[2 + i] = fill;
    }
    __builtin_memcpy(packet, &header, sizeof(header));
    guest_ring_put(ring, packet, 16 + 8 * words);
}

/* Takes a packet out of a host -> guest ring. Returns its length without trailer, 0 if empty. */
static inline uint32_t guest_ring_take(struct guest_ring *ring, void *packet, uint32_t capacity)
{
    struct vmbus_packet_header header;
    uint32_t start = ring->control->read_index;
    if (__atomic_load_n(&ring->control->write_index, __ATOMIC_ACQUIRE) == start) {
        return 0;
    }
    guest_ring_bytes(ring, start, &header, sizeof(header), false);
    uint32_t length = header.length8 * 8u;
    guest_ring_bytes(ring, start, packet, length < capacity ? length : capacity, false);
    __atomic_store_n(&ring->control->read_index, (start + length + 8) % ring->size,
                     __ATOMIC_RELEASE);
    return length;
}

#endif
