/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest-to-host ring of a VMBus channel. */
#include "kext/core/ring_transmit.h"

#include "kext/core/errors.h"
#include "kext/core/shared_memory.h"

#define PACKET_HEADER_SIZE ((uint32_t)sizeof(struct vmbus_packet_header))
#define STREAM_MINIMUM     512u     /* less than this is copied as usual */

int ring_transmit_init(struct ring_transmit *ring, void *memory, uint32_t pages)
{
    if (memory == NULL || pages < 2 || pages - 1 > UINT32_MAX / VMBUS_RING_CONTROL_SIZE / 2)
        return HV_ERROR_INVALID;
    memset(ring, 0, sizeof *ring);
    memset(memory, 0, VMBUS_RING_CONTROL_SIZE);
    ring->control = memory;
    ring->data = (uint8_t *)memory + VMBUS_RING_CONTROL_SIZE;
    ring->size = (pages - 1) * VMBUS_RING_CONTROL_SIZE;
    ring->control->feature_bits = VMBUS_RING_FEATURE_PENDING_SEND_SIZE;
    return 0;
}

/* Bytes from index `from` forward to index `to`. */
static inline uint32_t distance(const struct ring_transmit *ring, uint32_t from, uint32_t to)
{
    return to >= from ? to - from : ring->size - from + to;
}

static inline uint32_t free_bytes(const struct ring_transmit *ring)
{
    return ring->size - distance(ring, ring->read, ring->write);
}

/* Looks at the host's read index again. It may only have moved towards what has been published. */
static bool refresh_read_index(struct ring_transmit *ring)
{
    uint32_t read = shared_load_ordered(&ring->control->read_index);

    if (read >= ring->size || read % 8 != 0 ||
        distance(ring, ring->read, read) > distance(ring, ring->read, ring->published)) {
        ring->counters.corrupt++;
        ring->corrupt = true;
        return false;
    }
    ring->read = read;
    return true;
}

static bool fits(const struct ring_transmit *ring, uint32_t total)
{
    return free_bytes(ring) > total;
}

/* Finds room for `total` bytes, or asks the host to say when there is. */
static int make_room(struct ring_transmit *ring, uint32_t total)
{
    uint32_t wanted;

    if (!refresh_read_index(ring))
        return HV_ERROR_CORRUPT;
    if (fits(ring, total))
        return 0;
    /* The host does not count what is not published yet, so that comes on top; but more than the
     * empty ring can never be waited for. */
    wanted = total + distance(ring, ring->published, ring->write);
    if (wanted > ring->size - 8)
        wanted = ring->size - 8;
    if (wanted > ring->wanted) {
        ring->wanted = wanted;
        shared_publish(&ring->control->pending_send_size, wanted);
        if (!refresh_read_index(ring))
            return HV_ERROR_CORRUPT;
        if (fits(ring, total))      /* the host read on before it could see the request */
            return 0;
    }
    ring->counters.full++;
    return HV_ERROR_FULL;
}

/* Copies to the ring at `at`, around its end if need be, and returns where to go on. */
static inline uint32_t copy_in(struct ring_transmit *ring, uint32_t at, const void *from,
                               uint32_t length)
{
    uint32_t first = ring->size - at;

    if (length < first) {
        shared_copy(ring->data + at, from, length);
        return at + length;
    }
    shared_copy(ring->data + at, from, first);
    shared_copy(ring->data, (const uint8_t *)from + first, length - first);
    return length - first;
}

/* Adds up the pieces; UINT32_MAX if they exceed any packet. */
static inline uint32_t payload_length(const struct ring_piece *pieces, uint32_t count)
{
    uint32_t length = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (pieces[i].length > VMBUS_PACKET_LENGTH_MAXIMUM - length)
            return UINT32_MAX;
        length += pieces[i].length;
    }
    return length;
}

static inline uint64_t header_word(const struct ring_packet *packet, uint32_t header,
                                   uint32_t length)
{
    return packet->type | (uint64_t)(header / 8) << 16 | (uint64_t)(length / 8) << 32 |
           (uint64_t)packet->flags << 48;
}

/* Index of the word after the one at `at`; words never straddle the end. */
static inline uint32_t next_word(const struct ring_transmit *ring, uint32_t at)
{
    return at + 8 == ring->size ? 0 : at + 8;
}

/* Writes the packet to the ring at ring->write, where there is room for it. */
static void write_to_ring(struct ring_transmit *ring, const struct ring_packet *packet,
                          const struct ring_piece *pieces, uint32_t count, uint32_t length)
{
    const uint32_t start = ring->write, header = packet->extra_header + PACKET_HEADER_SIZE;
    uint32_t at = start, last = start + length - 8;

    /* The padding at the end must not show old contents; data will cover the rest of the word. */
    shared_store_word(ring->data + (last >= ring->size ? last - ring->size : last), 0);
    shared_store_word(ring->data + at, header_word(packet, header, length));
    at = next_word(ring, at);
    shared_store_word(ring->data + at, packet->transaction_id);
    at = next_word(ring, at);
    for (uint32_t i = 0; i < count; i++)
        at = copy_in(ring, at, pieces[i].bytes, pieces[i].length);
    at = (at + 7) & ~7u;
    if (at == ring->size)
        at = 0;
    shared_store_word(ring->data + at, (uint64_t)start << 32);
    ring->write = next_word(ring, at);
}

/* Writes the packet behind the staged ones, where there is room for it. */
static inline void stage(struct ring_transmit *ring, const struct ring_packet *packet,
                         const struct ring_piece *pieces, uint32_t count, uint32_t length)
{
    const uint32_t start = ring->write, header = packet->extra_header + PACKET_HEADER_SIZE;
    uint8_t *at = ring->staging + ring->staged, *end = at + length;

    shared_store_word(end - 8, 0);
    shared_store_word(at, header_word(packet, header, length));
    shared_store_word(at + 8, packet->transaction_id);
    at += PACKET_HEADER_SIZE;
    for (uint32_t i = 0; i < count; i++) {
        shared_copy(at, pieces[i].bytes, pieces[i].length);
        at += pieces[i].length;
    }
    shared_store_word(end, (uint64_t)start << 32);
    ring->staged += length + VMBUS_PACKET_TRAILER_SIZE;
    ring->write = start + length + VMBUS_PACKET_TRAILER_SIZE;
    if (ring->write >= ring->size)
        ring->write -= ring->size;
}

/* Copies the staged packets to their place in the ring. */
static void unstage(struct ring_transmit *ring)
{
    uint32_t start = ring->write >= ring->staged ? ring->write - ring->staged
                                                 : ring->write + ring->size - ring->staged;
    uint32_t first = ring->size - start;

    if (first > ring->staged)
        first = ring->staged;
    if (ring->staged < STREAM_MINIMUM) {
        copy_in(ring, start, ring->staging, ring->staged);
    } else {
        shared_stream(ring->data + start, ring->staging, first);
        shared_stream(ring->data, ring->staging + first, ring->staged - first);
    }
    ring->staged = 0;
}

static inline void write_packet(struct ring_transmit *ring, const struct ring_packet *packet,
                                const struct ring_piece *pieces, uint32_t count, uint32_t length)
{
    const uint32_t total = length + VMBUS_PACKET_TRAILER_SIZE;

    if (ring->staged != 0 && (ring->staged + total > RING_STAGING_SIZE ||
                              total > RING_STAGED_PACKET_MAXIMUM))
        unstage(ring);
    if (total > RING_STAGED_PACKET_MAXIMUM)
        write_to_ring(ring, packet, pieces, count, length);
    else
        stage(ring, packet, pieces, count, length);
}

int ring_transmit_append(struct ring_transmit *ring, const struct ring_packet *packet,
                         const struct ring_piece *pieces, uint32_t count)
{
    uint32_t payload = payload_length(pieces, count), length, total;
    int error;

    if (ring->corrupt)
        return HV_ERROR_CORRUPT;
    if (packet->extra_header % 8 != 0 || packet->extra_header > payload)
        return HV_ERROR_INVALID;
    if (payload > VMBUS_PACKET_LENGTH_MAXIMUM - PACKET_HEADER_SIZE)
        return HV_ERROR_TOO_LARGE;
    total = ring_transmit_packet_size(payload);
    length = total - VMBUS_PACKET_TRAILER_SIZE;
    if (total > ring->size - 8)
        return HV_ERROR_TOO_LARGE;
    if (!fits(ring, total) && (error = make_room(ring, total)) != 0)
        return error;
    write_packet(ring, packet, pieces, count, length);
    ring->counters.packets++;
    ring->counters.bytes += total;
    return 0;
}

bool ring_transmit_publish(struct ring_transmit *ring)
{
    uint32_t before = ring->published;

    if (ring->write == before || ring->corrupt)
        return false;
    if (ring->staged != 0)
        unstage(ring);
    ring->published = ring->write;
    ring->counters.bursts++;
    shared_publish(&ring->control->write_index, ring->write);
    /* Had the host not read all of the previous burst, it is awake and will find this one. */
    if (shared_load_ordered(&ring->control->interrupt_mask) != 0 ||
        shared_load_ordered(&ring->control->read_index) != before)
        return false;
    ring->counters.signals++;
    return true;
}

bool ring_transmit_room_returned(struct ring_transmit *ring)
{
    if (ring->wanted == 0 || ring->corrupt || !refresh_read_index(ring) ||
        !fits(ring, ring->wanted))
        return false;
    ring->wanted = 0;
    shared_store(&ring->control->pending_send_size, 0);
    return true;
}

uint32_t ring_transmit_free(struct ring_transmit *ring)
{
    if (ring->corrupt || !refresh_read_index(ring))
        return 0;
    return free_bytes(ring);
}
