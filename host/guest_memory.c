/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest RAM: checked translation and copies. */
#include "host/guest_memory.h"

#include <errno.h>
#include <string.h>

void guest_memory_initialise(struct guest_memory *memory)
{
    memset(memory, 0, sizeof(*memory));
}

int guest_memory_add(struct guest_memory *memory, uint64_t gpa, uint64_t size, void *host)
{
    const uint64_t page_mask = GUEST_PAGE_SIZE - 1;
    if (size == 0 || host == NULL || ((gpa | size) & page_mask) != 0 || gpa + size < gpa) {
        return -EINVAL;
    }
    unsigned position = 0;
    while (position < memory->range_count && memory->ranges[position].gpa < gpa) {
        position++;
    }
    if (position > 0) {
        const struct guest_memory_range *before = &memory->ranges[position - 1];
        if (before->gpa + before->size > gpa) {
            return -EEXIST;
        }
    }
    if (position < memory->range_count && memory->ranges[position].gpa < gpa + size) {
        return -EEXIST;
    }
    if (memory->range_count == GUEST_MEMORY_RANGES_MAX) {
        return -ENOSPC;
    }
    memmove(&memory->ranges[position + 1], &memory->ranges[position],
            (memory->range_count - position) * sizeof(memory->ranges[0]));
    memory->ranges[position] = (struct guest_memory_range){gpa, size, host};
    memory->range_count++;
    return 0;
}

static const struct guest_memory_range *range_of(const struct guest_memory *memory, uint64_t gpa)
{
    for (unsigned i = 0; i < memory->range_count; i++) {
        const struct guest_memory_range *range = &memory->ranges[i];
        if (gpa >= range->gpa && gpa - range->gpa < range->size) {
            return range;
        }
    }
    return NULL;
}

void *guest_memory_translate(const struct guest_memory *memory, uint64_t gpa, uint64_t size)
{
    const struct guest_memory_range *range = range_of(memory, gpa);
    if (range == NULL || size > range->size - (gpa - range->gpa)) {
        return NULL;
    }
    return range->host + (gpa - range->gpa);
}

void *guest_memory_page(const struct guest_memory *memory, uint64_t page_number)
{
    if (page_number > UINT64_MAX >> GUEST_PAGE_SHIFT) {
        return NULL;
    }
    return guest_memory_translate(memory, page_number << GUEST_PAGE_SHIFT, GUEST_PAGE_SIZE);
}

static bool all_ram(const struct guest_memory *memory, uint64_t gpa, uint64_t size)
{
    while (size > 0) {
        const struct guest_memory_range *range = range_of(memory, gpa);
        if (range == NULL) {
            return false;
        }
        uint64_t here = range->size - (gpa - range->gpa);
        if (here >= size) {
            return true;
        }
        gpa += here;
        size -= here;
    }
    return true;
}

/* Copies one way or the other; `all_ram` has said that each byte is there. */
static int copy(const struct guest_memory *memory, uint64_t gpa, void *host, size_t size,
                bool to_guest)
{
    if (!all_ram(memory, gpa, size)) {
        return -EFAULT;
    }
    uint8_t *other = host;
    while (size > 0) {
        const struct guest_memory_range *range = range_of(memory, gpa);
        uint64_t offset = gpa - range->gpa;
        size_t here = range->size - offset < size ? (size_t)(range->size - offset) : size;
        if (to_guest) {
            memcpy(range->host + offset, other, here);
        } else {
            memcpy(other, range->host + offset, here);
        }
        gpa += here;
        other += here;
        size -= here;
    }
    return 0;
}

int guest_memory_read(const struct guest_memory *memory, uint64_t gpa, void *to, size_t size)
{
    return copy(memory, gpa, to, size, false);
}

int guest_memory_write(const struct guest_memory *memory, uint64_t gpa, const void *from,
                       size_t size)
{
    return copy(memory, gpa, (void *)(uintptr_t)from, size, true);
}

uint64_t guest_memory_size(const struct guest_memory *memory)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < memory->range_count; i++) {
        sum += memory->ranges[i].size;
    }
    return sum;
}
