/* SPDX-License-Identifier: BSD-3-Clause */
#include "kext/network/batch.h"

#include "protocol/rndis.h"

void batch_limits(uint32_t max_packets, uint32_t max_transfer, uint32_t alignment_factor,
                  uint32_t section_size, struct batch_limits *limits)
{
    limits->packets = max_packets;
    limits->bytes = section_size;
    limits->alignment = 1;
    if (alignment_factor <= BATCH_ALIGNMENT_FACTOR_MAX)
        limits->alignment = UINT32_C(1) << alignment_factor;
    else
        limits->packets = 1;
    if (limits->packets == 0)
        limits->packets = 1;
    if (limits->packets > BATCH_PACKETS_MAX)
        limits->packets = BATCH_PACKETS_MAX;
    if (max_transfer < limits->bytes)
        limits->bytes = max_transfer;
}

static uint32_t next_offset(const struct batch *batch, const struct batch_limits *limits)
{
    return (batch->used + limits->alignment - 1) & ~(limits->alignment - 1);
}

bool batch_has_room(const struct batch *batch, const struct batch_limits *limits, uint32_t size)
{
    uint32_t offset = next_offset(batch, limits);

    if (batch->packets == 0)
        return true;
    return batch->packets < limits->packets && offset <= limits->bytes &&
           size <= limits->bytes - offset;
}

uint8_t *batch_add(struct batch *batch, const struct batch_limits *limits, uint32_t size)
{
    uint32_t offset = next_offset(batch, limits);

    if (batch->packets != 0) {
        uint8_t *length = batch->bytes + batch->last + sizeof(uint32_t); /* behind the type */
        const uint32_t padded = offset - batch->last;

        __builtin_memset(batch->bytes + batch->used, 0, offset - batch->used);
        __builtin_memcpy(length, &padded, sizeof padded);
    }
    batch->last = offset;
    batch->used = offset + size;
    batch->packets++;
    return batch->bytes + offset;
}
