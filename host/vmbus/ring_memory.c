/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory of one ring: guest pages used as a circular byte array. */
#include <errno.h>
#include <string.h>

#include "host/vmbus/ring.h"

int host_ring_memory_set(struct host_ring_memory *memory, uint8_t *const *pages,
                         size_t page_count)
{
    if (page_count < 2 || page_count - 1 > UINT32_MAX / HV_PAGE_SIZE) {
        return -EINVAL;
    }
    memory->control = (struct vmbus_ring_control *)(void *)pages[0];
    memory->pages = pages + 1;
    memory->size = (uint32_t)(page_count - 1) * HV_PAGE_SIZE;
    memory->flat = pages[1];
    for (size_t i = 2; i < page_count; i++) {
        if (pages[i] != pages[i - 1] + HV_PAGE_SIZE) {
            memory->flat = NULL;
            break;
        }
    }
    return 0;
}

/* Bytes from `offset` on that lie in one piece, and where. */
static uint32_t piece_at(const struct host_ring_memory *memory, uint32_t offset, uint8_t **piece)
{
    if (memory->flat != NULL) {
        *piece = memory->flat + offset;
        return memory->size - offset;
    }
    *piece = memory->pages[offset / HV_PAGE_SIZE] + offset % HV_PAGE_SIZE;
    return HV_PAGE_SIZE - offset % HV_PAGE_SIZE;
}

void host_ring_copy_out(const struct host_ring_memory *memory, uint32_t offset, void *to,
                        uint32_t count)
{
    uint8_t *target = to;
    while (count > 0) {
        uint8_t *piece;
        uint32_t here = piece_at(memory, offset, &piece);
        if (here > count) {
            here = count;
        }
        memcpy(target, piece, here);
        target += here;
        count -= here;
        offset += here;
        if (offset == memory->size) {
            offset = 0;
        }
    }
}

void host_ring_copy_in(const struct host_ring_memory *memory, uint32_t offset, const void *from,
                       uint32_t count)
{
    const uint8_t *source = from;
    while (count > 0) {
        uint8_t *piece;
        uint32_t here = piece_at(memory, offset, &piece);
        if (here > count) {
            here = count;
        }
        memcpy(piece, source, here);
        source += here;
        count -= here;
        offset += here;
        if (offset == memory->size) {
            offset = 0;
        }
    }
}
