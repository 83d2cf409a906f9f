/* SPDX-License-Identifier: BSD-3-Clause */
/* The address space that Hyper-V leaves for devices. */
#include "kext/core/mmio.h"

#include <stdbool.h>

#include "kext/core/shared_memory.h"

#define RECORD_SIZE  0x50u
#define RECORD_FIRST 0x18u
#define RECORD_LAST  0x20u
#define RECORD_MEMORY 0u
#define FIRST_MEGABYTE UINT64_C(0x100000)

static bool overlap(const struct mmio_range *one, const struct mmio_range *other)
{
    return one->first <= other->last && other->first <= one->last;
}

/* The range in `ranges` that overlaps, or NULL. */
static const struct mmio_range *find_overlap(const struct mmio_range *ranges, uint32_t count,
                                             const struct mmio_range *range)
{
    for (uint32_t i = 0; i < count; i++)
        if (overlap(&ranges[i], range))
            return &ranges[i];
    return NULL;
}

int mmio_add_window(struct mmio_space *space, uint64_t first, uint64_t last)
{
    const struct mmio_range window = { first, last };

    if (first > last || find_overlap(space->windows, space->window_count, &window) != NULL)
        return HV_ERROR_INVALID;
    if (space->window_count == MMIO_WINDOWS_MAXIMUM)
        return HV_ERROR_NO_RESOURCES;
    space->windows[space->window_count++] = window;
    return 0;
}

uint32_t mmio_add_address_spaces(struct mmio_space *space, const uint8_t *records, size_t size)
{
    uint32_t added = 0;

    for (; size >= RECORD_SIZE; size -= RECORD_SIZE, records += RECORD_SIZE) {
        uint32_t type;
        uint64_t first, last;

        memcpy(&type, records, sizeof type);
        memcpy(&first, records + RECORD_FIRST, sizeof first);
        memcpy(&last, records + RECORD_LAST, sizeof last);
        if (type == RECORD_MEMORY && first >= FIRST_MEGABYTE &&
            mmio_add_window(space, first, last) == 0)
            added++;
    }
    return added;
}

static bool within_a_window(const struct mmio_space *space, const struct mmio_range *range)
{
    for (uint32_t i = 0; i < space->window_count; i++)
        if (range->first >= space->windows[i].first && range->last <= space->windows[i].last)
            return true;
    return false;
}

static int take(struct mmio_space *space, const struct mmio_range *range)
{
    if (space->taken_count == MMIO_RANGES_MAXIMUM)
        return HV_ERROR_NO_RESOURCES;
    space->taken[space->taken_count++] = *range;
    return 0;
}

int mmio_reserve(struct mmio_space *space, uint64_t address, uint64_t size)
{
    const struct mmio_range range = { address, address + size - 1 };

    if (size == 0 || range.last < address)
        return HV_ERROR_INVALID;
    if (!within_a_window(space, &range))
        return HV_ERROR_NOT_FOUND;
    if (find_overlap(space->taken, space->taken_count, &range) != NULL)
        return HV_ERROR_REFUSED;
    return take(space, &range);
}

void mmio_keep(struct mmio_space *space, uint64_t address, uint64_t size)
{
    space->kept = (struct mmio_range){ 0, 0 };
    if (size != 0 && address <= UINT64_MAX - (size - 1))
        space->kept = (struct mmio_range){ address, address + size - 1 };
}

/* What a range would lie over, or NULL. */
static const struct mmio_range *find_obstacle(const struct mmio_space *space, bool spare_kept,
                                              const struct mmio_range *range)
{
    if (spare_kept && space->kept.last != 0 && overlap(&space->kept, range))
        return &space->kept;
    return find_overlap(space->taken, space->taken_count, range);
}

/* The lowest free place in a window. */
static bool find_room(const struct mmio_space *space, const struct mmio_range *window,
                      uint64_t size, uint64_t alignment, bool spare_kept, struct mmio_range *room)
{
    const struct mmio_range *obstacle;
    uint64_t first = window->first;

    do {
        if (first > UINT64_MAX - (alignment - 1))
            return false;
        first = (first + alignment - 1) & ~(alignment - 1);
        if (first > window->last || size - 1 > window->last - first)
            return false;
        *room = (struct mmio_range){ first, first + size - 1 };
        obstacle = find_obstacle(space, spare_kept, room);
        if (obstacle != NULL && obstacle->last == UINT64_MAX)
            return false;
        first = obstacle != NULL ? obstacle->last + 1 : first;
    } while (obstacle != NULL);
    return true;
}

/* The lowest free place in all windows. */
static bool find_lowest(const struct mmio_space *space, uint64_t size, uint64_t alignment,
                        uint64_t highest, bool spare_kept, struct mmio_range *best)
{
    struct mmio_range room;
    bool found = false;

    for (uint32_t i = 0; i < space->window_count; i++)
        if (find_room(space, &space->windows[i], size, alignment, spare_kept, &room) &&
            room.last <= highest && (!found || room.first < best->first)) {
            *best = room;
            found = true;
        }
    return found;
}

int mmio_allocate(struct mmio_space *space, uint64_t size, uint64_t alignment, uint64_t highest,
                  uint64_t *address)
{
    struct mmio_range best;
    int error;

    if (size == 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
        return HV_ERROR_INVALID;
    if (!find_lowest(space, size, alignment, highest, true, &best) &&
        !find_lowest(space, size, alignment, highest, false, &best))
        return HV_ERROR_NOT_FOUND;
    error = take(space, &best);
    if (error == 0)
        *address = best.first;
    return error;
}

int mmio_release(struct mmio_space *space, uint64_t address)
{
    for (uint32_t i = 0; i < space->taken_count; i++)
        if (space->taken[i].first == address) {
            space->taken[i] = space->taken[--space->taken_count];
            return 0;
        }
    return HV_ERROR_NOT_FOUND;
}
