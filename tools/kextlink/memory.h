/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.h: memory that lives exactly as long as one link, and growing arrays in it. */
#ifndef TOOLS_KEXTLINK_MEMORY_H
#define TOOLS_KEXTLINK_MEMORY_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
};

/* Zeroed memory, aligned for any type, owned by the arena. Ends the process when there is none
 * left: nothing sensible can be done about that in a build tool. */
void *arena_allocate(struct arena *arena, size_t size);
char *arena_copy_string(struct arena *arena, const char *bytes, size_t length);
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *arena);

/* Returns `items` (of `item_size` bytes each, owned by the arena), moved if need be so that one
 * more fits after the first `count`; the capacity doubles when `count` reaches a power of two. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t item_size);

/* Appends `value` to the array `items` with `count` items. */
#define ARENA_APPEND(arena, items, count, value)                                                   \
    do {                                                                                           \
        (items) = arena_grow((arena), (items), (count), sizeof *(items));                          \
        (items)[(count)++] = (value);                                                              \
    } while (0)

#endif
