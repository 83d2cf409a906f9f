/* SPDX-License-Identifier: BSD-3-Clause */
/* A device that takes what the guest writes and answers what asks for an answer, for tests of a
 * channel by itself. Host side; freestanding types only. */
#ifndef TESTS_PAIR_PAIR_SINK_H
#define TESTS_PAIR_PAIR_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SINK_WRITERS = 8 };

/* What a packet to it begins with; after it come bytes that each are sink_fill(). */
struct sink_packet {
    uint32_t writer;   /* below SINK_WRITERS */
    uint32_t sequence; /* of this writer: 0, 1, 2, ... */
    uint32_t fill;     /* bytes that follow */
};

static inline uint8_t sink_fill(uint32_t writer, uint32_t sequence)
{
    return (uint8_t)(writer * 31 + sequence);
}

struct virtual_device;

struct virtual_device *pair_sink_new(void);
/* Takes it away from the guest. */
void pair_sink_unplug(struct virtual_device *device);
/* While it sleeps it takes nothing out of the ring. */
void pair_sink_sleep(struct virtual_device *device, bool asleep);
/* Packets of a writer that came in their order and unhurt, */
uint32_t pair_sink_taken(const struct virtual_device *device, uint32_t writer);
/* and all others. */
uint32_t pair_sink_wrong(const struct virtual_device *device);
/* Writes an impossible read index into the ring's control page, and signals the guest. */
void pair_sink_break(struct virtual_device *device);

#endif
