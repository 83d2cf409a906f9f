/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest -> host ring: taking packets out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmbus/ring.h"

int host_ring_reader_initialise(struct host_ring_reader *reader,
                                const struct host_ring_memory *memory)
{
    memset(reader, 0, sizeof(*reader));
    uint32_t read = __atomic_load_n(&memory->control->read_index, __ATOMIC_RELAXED);
    uint32_t write = __atomic_load_n(&memory->control->write_index, __ATOMIC_RELAXED);
    if (!host_ring_index_valid(memory, read) || !host_ring_index_valid(memory, write)) {
        return -EINVAL;
    }
    reader->packet_capacity = memory->size < VMBUS_PACKET_LENGTH_MAXIMUM
                                  ? memory->size : VMBUS_PACKET_LENGTH_MAXIMUM;
    reader->packet = malloc(reader->packet_capacity);
    if (reader->packet == NULL) {
        return -ENOMEM;
    }
    reader->memory = *memory;
    reader->read_index = read;
    reader->published_index = read;
    reader->write_index = read;
    return 0;
}

void host_ring_reader_free(struct host_ring_reader *reader)
{
    free(reader->packet);
    memset(reader, 0, sizeof(*reader));
}

static int break_ring(struct host_ring_reader *reader, const char *rule)
{
    reader->broken = rule;
    return -EPIPE;
}

/* Reads the guest's write index. Acquire: the packets before it must be seen with it. */
static int refresh(struct host_ring_reader *reader)
{
    uint32_t write = __atomic_load_n(&reader->memory.control->write_index, __ATOMIC_ACQUIRE);
    if (!host_ring_index_valid(&reader->memory, write)) {
        return break_ring(reader, "write index is a multiple of 8 inside the ring");
    }
    reader->write_index = write;
    return 0;
}

int host_ring_reader_next(struct host_ring_reader *reader, const uint8_t **packet,
                          size_t *length)
{
    if (reader->broken != NULL) {
        return -EPIPE;
    }
    if (reader->read_index == reader->write_index) {
        if (refresh(reader) < 0) {
            return -EPIPE;
        }
        if (reader->read_index == reader->write_index) {
            return 0;
        }
    }
    const struct host_ring_memory *memory = &reader->memory;
    uint32_t available = host_ring_distance(memory, reader->read_index, reader->write_index);
    struct vmbus_packet_header header;
    if (available < sizeof(header) + VMBUS_PACKET_TRAILER_SIZE) {
        return break_ring(reader, "a packet has a header and a trailer");
    }
    host_ring_copy_out(memory, reader->read_index, &header, sizeof(header));
    uint32_t total = header.length8 * 8u;
    uint32_t offset = header.data_offset8 * 8u;
    if (total < sizeof(header)) {
        return break_ring(reader, "a packet is not shorter than its header");
    }
    if (total + VMBUS_PACKET_TRAILER_SIZE > available) {
        return break_ring(reader, "a packet is not longer than what was written");
    }
    if (offset < sizeof(header) || offset > total) {
        return break_ring(reader, "a packet's data lie behind its header and inside it");
    }
    memcpy(reader->packet, &header, sizeof(header));
    host_ring_copy_out(memory, (reader->read_index + (uint32_t)sizeof(header)) % memory->size,
                       reader->packet + sizeof(header), total - (uint32_t)sizeof(header));
    reader->read_index =
        (uint32_t)(((uint64_t)reader->read_index + total + VMBUS_PACKET_TRAILER_SIZE) %
                   memory->size);
    reader->packets++;
    *packet = reader->packet;
    *length = total;
    return 1;
}

bool host_ring_reader_publish(struct host_ring_reader *reader)
{
    struct vmbus_ring_control *control = reader->memory.control;
    if (reader->broken != NULL || reader->published_index == reader->read_index) {
        return false;
    }
    uint32_t before = reader->published_index;
    __atomic_store_n(&control->read_index, reader->read_index, __ATOMIC_RELEASE);
    reader->published_index = reader->read_index;
    /* The guest sets its pending size and then looks at our index; we store our index and then
     * look at its pending size. The full fence makes one of the two see the other. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint32_t pending = __atomic_load_n(&control->pending_send_size, __ATOMIC_RELAXED);
    uint32_t write = __atomic_load_n(&control->write_index, __ATOMIC_ACQUIRE);
    if (pending == 0 || !host_ring_index_valid(&reader->memory, write)) {
        return false;
    }
    uint32_t size = reader->memory.size;
    uint32_t free_before = size - host_ring_distance(&reader->memory, before, write);
    uint32_t free_after = size - host_ring_distance(&reader->memory, reader->read_index, write);
    if (free_before > pending || free_after <= pending) {
        return false;
    }
    reader->signals++;
    return true;
}

void host_ring_reader_mask(struct host_ring_reader *reader, bool masked)
{
    __atomic_store_n(&reader->memory.control->interrupt_mask, masked ? 1 : 0, __ATOMIC_RELEASE);
}

bool host_ring_reader_has_more(struct host_ring_reader *reader)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (reader->broken != NULL || refresh(reader) < 0) {
        return false;
    }
    return reader->read_index != reader->write_index;
}
