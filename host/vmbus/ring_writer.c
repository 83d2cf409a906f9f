/* SPDX-License-Identifier: BSD-3-Clause */
/* The host -> guest ring: putting packets in. */
#include <errno.h>
#include <string.h>

#include "host/vmbus/ring.h"

int host_ring_writer_initialise(struct host_ring_writer *writer,
                                const struct host_ring_memory *memory)
{
    memset(writer, 0, sizeof(*writer));
    uint32_t read = __atomic_load_n(&memory->control->read_index, __ATOMIC_RELAXED);
    uint32_t write = __atomic_load_n(&memory->control->write_index, __ATOMIC_RELAXED);
    if (!host_ring_index_valid(memory, read) || !host_ring_index_valid(memory, write)) {
        return -EINVAL;
    }
    writer->memory = *memory;
    writer->write_index = write;
    writer->published_index = write;
    writer->read_index = read;
    __atomic_store_n(&memory->control->feature_bits, VMBUS_RING_FEATURE_PENDING_SEND_SIZE,
                     __ATOMIC_RELAXED);
    return 0;
}

/* Reads the guest's read index. Acquire: the guest is done with the bytes before it. */
static int refresh(struct host_ring_writer *writer)
{
    uint32_t read = __atomic_load_n(&writer->memory.control->read_index, __ATOMIC_ACQUIRE);
    if (!host_ring_index_valid(&writer->memory, read)) {
        writer->broken = "read index is a multiple of 8 inside the ring";
        return -EPIPE;
    }
    writer->read_index = read;
    return 0;
}

/* A ring filled to the last byte would look empty: so room must be more than what is needed. */
static bool fits(const struct host_ring_writer *writer, uint32_t need)
{
    uint32_t used = host_ring_distance(&writer->memory, writer->read_index, writer->write_index);
    return writer->memory.size - used > need;
}

static void publish_quietly(struct host_ring_writer *writer)
{
    struct vmbus_ring_control *control = writer->memory.control;
    if (writer->published_index == writer->write_index) {
        return;
    }
    uint32_t before = writer->published_index;
    __atomic_store_n(&control->write_index, writer->write_index, __ATOMIC_RELEASE);
    writer->published_index = writer->write_index;
    /* The guest unmasks or empties the ring and then looks at our index; we store our index and
     * then look at its mask and index. Without the full fence both could miss the other. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint32_t mask = __atomic_load_n(&control->interrupt_mask, __ATOMIC_RELAXED);
    if (refresh(writer) < 0) {
        return;
    }
    if (mask == 0 && writer->read_index == before) {
        writer->signal_needed = true;
    }
}

int host_ring_writer_begin(struct host_ring_writer *writer, uint32_t length)
{
    if (writer->broken != NULL) {
        return -EPIPE;
    }
    uint32_t need = length + VMBUS_PACKET_TRAILER_SIZE;
    if (length > VMBUS_PACKET_LENGTH_MAXIMUM || need > writer->memory.size - 8) {
        return -EMSGSIZE;
    }
    if (!fits(writer, need)) {
        if (refresh(writer) < 0) {
            return -EPIPE;
        }
        if (!fits(writer, need)) {
            publish_quietly(writer);
            __atomic_store_n(&writer->memory.control->pending_send_size, need, __ATOMIC_RELEASE);
            writer->pending_set = true;
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
            if (writer->broken != NULL || refresh(writer) < 0) {
                return -EPIPE;
            }
            if (!fits(writer, need)) {
                writer->full++;
                return -EAGAIN;
            }
        }
    }
    writer->packet_start = writer->write_index;
    writer->packet_end = (uint32_t)(((uint64_t)writer->write_index + length) %
                                    writer->memory.size);
    return 0;
}

void host_ring_writer_append(struct host_ring_writer *writer, const void *data, uint32_t size)
{
    uint32_t room = host_ring_distance(&writer->memory, writer->write_index, writer->packet_end);
    if (size > room) {
        size = room;
    }
    host_ring_copy_in(&writer->memory, writer->write_index, data, size);
    writer->write_index =
        (uint32_t)(((uint64_t)writer->write_index + size) % writer->memory.size);
}

void host_ring_writer_finish(struct host_ring_writer *writer)
{
    static const uint8_t zeros[64];
    while (writer->write_index != writer->packet_end) {
        host_ring_writer_append(writer, zeros, sizeof(zeros));
    }
    uint64_t trailer = (uint64_t)writer->packet_start << 32;
    host_ring_copy_in(&writer->memory, writer->write_index, &trailer, sizeof(trailer));
    writer->write_index = (uint32_t)(((uint64_t)writer->write_index + sizeof(trailer)) %
                                     writer->memory.size);
    writer->packets++;
    if (writer->pending_set) {
        __atomic_store_n(&writer->memory.control->pending_send_size, 0, __ATOMIC_RELEASE);
        writer->pending_set = false;
    }
}

bool host_ring_writer_publish(struct host_ring_writer *writer)
{
    if (writer->broken == NULL) {
        publish_quietly(writer);
    }
    bool signal = writer->signal_needed;
    writer->signal_needed = false;
    if (signal) {
        writer->signals++;
    }
    return signal;
}

bool host_ring_writer_drained(const struct host_ring_writer *writer)
{
    return __atomic_load_n(&writer->memory.control->read_index, __ATOMIC_ACQUIRE) ==
           writer->published_index;
}
