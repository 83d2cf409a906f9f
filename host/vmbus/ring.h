/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's end of a channel's two rings. The reader takes packets from the guest -> host ring,
 * the writer puts packets into the host -> guest ring; they are different types so that one cannot
 * be used for the other.
 *
 * The guest owns the other index of each ring and can write anything anywhere at any time. So the
 * indices that are ours are kept in private memory and never read back, the guest's are read once
 * and checked, and a packet is copied out before anything looks at it. A guest that breaks the
 * ring's rules makes the ring broken: `broken` names the rule, and every later call fails.
 *
 * Nothing here rings a doorbell: the publish functions say whether the guest must be signalled.
 * Sources: Linux ring_buffer.c, OpenVMM vmbus_ring, mu_msvm EmclDxe.
 */
#ifndef HOST_VMBUS_RING_H
#define HOST_VMBUS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/vmbus.h"

/* One ring in guest memory. */
struct host_ring_memory {
    struct vmbus_ring_control *control; /* guest page */
    uint8_t *const *pages;              /* guest pages of the data area; array not owned */
    uint8_t *flat;                      /* the data area, when its pages follow one another */
    uint32_t size;                      /* bytes of the data area */
};

/*
 * Describes a ring of `page_count` guest pages, the first being the control page. The array must
 * outlive the ring. Returns 0 or -EINVAL: fewer than 2 pages, or 4 GB and more.
 */
int host_ring_memory_set(struct host_ring_memory *memory, uint8_t *const *pages,
                         size_t page_count);

/* Copies with wrap-around; offset < size, count <= size. */
void host_ring_copy_out(const struct host_ring_memory *memory, uint32_t offset, void *to,
                        uint32_t count);
void host_ring_copy_in(const struct host_ring_memory *memory, uint32_t offset, const void *from,
                       uint32_t count);

/* True for an index that the guest may set: below `size` and a multiple of 8. */
static inline bool host_ring_index_valid(const struct host_ring_memory *memory, uint32_t index)
{
    return index < memory->size && index % 8 == 0;
}

/* Bytes between two valid indices. */
static inline uint32_t host_ring_distance(const struct host_ring_memory *memory, uint32_t from,
                                          uint32_t to)
{
    return to >= from ? to - from : memory->size - from + to;
}

/* ---- guest -> host ---- */

struct host_ring_reader {
    struct host_ring_memory memory;
    uint32_t read_index;      /* ours: what has been taken */
    uint32_t published_index; /* what the guest has been told of it */
    uint32_t write_index;     /* the guest's as last read and found valid */
    uint8_t *packet;          /* owned: private copy of the packet last taken */
    size_t packet_capacity;
    const char *broken;       /* the rule that the guest broke, or NULL */
    uint64_t packets;         /* taken since the start */
    uint64_t signals;         /* times that the guest had to be told of free room */
};

/*
 * Starts at the indices found in the control page. Returns 0, -ENOMEM, or -EINVAL (the guest left
 * indices there that cannot be).
 */
int host_ring_reader_initialise(struct host_ring_reader *reader,
                                const struct host_ring_memory *memory);
void host_ring_reader_free(struct host_ring_reader *reader);

/*
 * Takes the next packet: *packet (until the next call) is a private copy of `*length` bytes,
 * header included; the header's length and data offset have been checked. Returns 1, 0 (none),
 * or -EPIPE (broken).
 */
int host_ring_reader_next(struct host_ring_reader *reader, const uint8_t **packet,
                          size_t *length);

/* Tells the guest what has been taken. True: the guest waits for this much room, signal it. */
bool host_ring_reader_publish(struct host_ring_reader *reader);

/* Tells the guest not to signal new packets (masked) or to do so. */
void host_ring_reader_mask(struct host_ring_reader *reader, bool masked);

/* Looks whether a packet has come, with the barrier that must follow unmasking. */
bool host_ring_reader_has_more(struct host_ring_reader *reader);

/* ---- host -> guest ---- */

struct host_ring_writer {
    struct host_ring_memory memory;
    uint32_t write_index;     /* ours: end of what has been written */
    uint32_t published_index; /* what the guest can see of it */
    uint32_t packet_start;    /* of the packet being written */
    uint32_t packet_end;      /* where its trailer goes */
    uint32_t read_index;      /* the guest's as last read and found valid */
    bool signal_needed;       /* gathered by publications within a burst */
    bool pending_set;         /* the guest was asked to say when there is room */
    const char *broken;       /* the rule that the guest broke, or NULL */
    uint64_t packets;         /* written since the start */
    uint64_t full;            /* times that a packet did not fit */
    uint64_t signals;         /* times that the guest had to be told of new packets */
};

/* As host_ring_reader_initialise(); announces that we use the pending send size. */
int host_ring_writer_initialise(struct host_ring_writer *writer,
                                const struct host_ring_memory *memory);

/*
 * Makes room for a packet of `length` bytes (a multiple of 8, trailer not counted). Returns 0:
 * append exactly that many bytes, then finish; -EAGAIN: full, everything so far was published, and
 * the guest will signal when there is room; -EMSGSIZE: never fits this ring; -EPIPE: broken.
 */
int host_ring_writer_begin(struct host_ring_writer *writer, uint32_t length);
void host_ring_writer_append(struct host_ring_writer *writer, const void *data, uint32_t size);
/* Fills what is missing with zeros and writes the trailer. */
void host_ring_writer_finish(struct host_ring_writer *writer);

/* Shows the guest everything finished. True: signal the guest. */
bool host_ring_writer_publish(struct host_ring_writer *writer);

/* True if the guest has taken everything that was published. */
bool host_ring_writer_drained(const struct host_ring_writer *writer);

#endif
