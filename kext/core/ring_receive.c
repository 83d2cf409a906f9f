/* SPDX-License-Identifier: BSD-3-Clause */
/* The host-to-guest ring of a VMBus channel. */
#include "kext/core/ring_receive.h"

#include "kext/core/errors.h"
#include "kext/core/shared_memory.h"

#define HEADER_SIZE ((uint32_t)sizeof(struct vmbus_packet_header))
#define FETCH_AHEAD 1024u       /* bytes, several small packets; less than the smallest ring */

int ring_receive_init(struct ring_receive *ring, void *memory, uint32_t pages)
{
    if (memory == NULL || pages < 2 || pages - 1 > UINT32_MAX / VMBUS_RING_CONTROL_SIZE / 2)
        return HV_ERROR_INVALID;
    memset(ring, 0, sizeof *ring);
    memset(memory, 0, VMBUS_RING_CONTROL_SIZE);
    ring->control = memory;
    ring->data = (const uint8_t *)memory + VMBUS_RING_CONTROL_SIZE;
    ring->size = (pages - 1) * VMBUS_RING_CONTROL_SIZE;
    ring->control->feature_bits = VMBUS_RING_FEATURE_PENDING_SEND_SIZE;
    return 0;
}

/* Bytes from index `from` forward to index `to`. */
static inline uint32_t distance(const struct ring_receive *ring, uint32_t from, uint32_t to)
{
    return to >= from ? to - from : ring->size - from + to;
}

static int found_corrupt(struct ring_receive *ring)
{
    ring->counters.corrupt++;
    ring->corrupt = true;
    return HV_ERROR_CORRUPT;
}

/* Looks at the host's write index again. It may only have moved into the free part. */
static int refresh_write_index(struct ring_receive *ring)
{
    uint32_t write = shared_load(&ring->control->write_index);

    if (write >= ring->size || write % 8 != 0 ||
        distance(ring, ring->published, write) < distance(ring, ring->published, ring->write))
        return found_corrupt(ring);
    ring->write = write;
    return 0;
}

/* Copies out of the ring at `at`, around its end if need be. */
static inline void copy_out(const struct ring_receive *ring, uint32_t at, void *to, uint32_t length)
{
    uint32_t first = ring->size - at;

    if (length <= first) {
        shared_copy_out(to, ring->data + at, length);
        return;
    }
    shared_copy_out(to, ring->data + at, first);
    shared_copy_out((uint8_t *)to + first, ring->data, length - first);
}

static inline uint32_t advance(const struct ring_receive *ring, uint32_t at, uint32_t by)
{
    return at + by >= ring->size ? at + by - ring->size : at + by;
}

/* Copies the next packet's header to `header` and checks it against what the ring holds. */
static inline int take_header(struct ring_receive *ring, struct vmbus_packet_header *header)
{
    uint32_t available;
    int error;

    if (ring->corrupt)
        return HV_ERROR_CORRUPT;
    if (ring->read == ring->write) {
        if ((error = refresh_write_index(ring)) != 0)
            return error;
        if (ring->read == ring->write)
            return HV_ERROR_EMPTY;
    }
    available = distance(ring, ring->read, ring->write);
    if (available < HEADER_SIZE + VMBUS_PACKET_TRAILER_SIZE)
        return found_corrupt(ring);
    copy_out(ring, ring->read, header, HEADER_SIZE);
    if (header->data_offset8 < HEADER_SIZE / 8 || header->data_offset8 > header->length8 ||
        header->length8 * 8u > available - VMBUS_PACKET_TRAILER_SIZE)
        return found_corrupt(ring);
    return 0;
}

/* Starts fetching what comes after the next few packets. A packet's place is known only when the
 * length of the one before has arrived, so without this every packet waits for a cache line that
 * the other processor has just written. */
static inline void fetch_ahead(const struct ring_receive *ring)
{
    if (distance(ring, ring->read, ring->write) > FETCH_AHEAD)
        __builtin_prefetch(ring->data + advance(ring, ring->read, FETCH_AHEAD));
}

static inline void consume(struct ring_receive *ring, uint32_t length)
{
    ring->read = advance(ring, ring->read, length + VMBUS_PACKET_TRAILER_SIZE);
    fetch_ahead(ring);
    ring->counters.packets++;
    ring->counters.bytes += length + VMBUS_PACKET_TRAILER_SIZE;
}

int ring_receive_next(struct ring_receive *ring, void *buffer, uint32_t capacity,
                      uint32_t *length)
{
    struct vmbus_packet_header header;
    uint32_t size;
    int error = take_header(ring, &header);

    if (error != 0)
        return error;
    size = header.length8 * 8u;
    if (size > capacity) {
        ring->counters.too_large++;
        *length = size;
        return HV_ERROR_TOO_LARGE;
    }
    /* The checked header is the one handed out: it is not fetched a second time. */
    __builtin_memcpy(buffer, &header, HEADER_SIZE);
    copy_out(ring, advance(ring, ring->read, HEADER_SIZE), (uint8_t *)buffer + HEADER_SIZE,
             size - HEADER_SIZE);
    consume(ring, size);
    *length = size;
    return 0;
}

int ring_receive_skip(struct ring_receive *ring)
{
    struct vmbus_packet_header header;
    int error = take_header(ring, &header);

    if (error == 0)
        consume(ring, header.length8 * 8u);
    return error;
}

bool ring_receive_publish(struct ring_receive *ring)
{
    uint32_t freed = distance(ring, ring->published, ring->read), pending, free_now;

    if (freed == 0 || ring->corrupt)
        return false;
    ring->published = ring->read;
    ring->counters.batches++;
    shared_publish(&ring->control->read_index, ring->read);
    pending = shared_load_ordered(&ring->control->pending_send_size);
    if (pending == 0 || refresh_write_index(ring) != 0)
        return false;
    /* Only the batch that brings enough room wakes the host, and only once. */
    free_now = ring->size - distance(ring, ring->read, ring->write);
    if (free_now <= pending || (free_now > freed && free_now - freed > pending))
        return false;
    ring->counters.signals++;
    return true;
}

void ring_receive_mask(struct ring_receive *ring)
{
    shared_store(&ring->control->interrupt_mask, 1);
}

bool ring_receive_unmask(struct ring_receive *ring)
{
    shared_publish(&ring->control->interrupt_mask, 0);
    return !ring->corrupt && shared_load_ordered(&ring->control->write_index) != ring->read;
}
