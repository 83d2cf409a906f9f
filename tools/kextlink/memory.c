/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.c: the arena. Every block is one allocation, so that sanitizers see its exact bounds. */
#include "tools/kextlink/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    max_align_t payload[];
};

void *arena_allocate(struct arena *arena, size_t size)
{
    struct arena_block *block;

    if (size > SIZE_MAX - sizeof *block || !(block = calloc(1, sizeof *block + size))) {
        fprintf(stderr, "kextlink: out of memory (%zu bytes)\n", size);
        exit(2);
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return block->payload;
}

char *arena_copy_string(struct arena *arena, const char *bytes, size_t length)
{
    char *copy = arena_allocate(arena, length + 1);

    memcpy(copy, bytes, length);
    return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    int length;
    char *text;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    text = arena_allocate(arena, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t item_size)
{
    void *larger;

    if (count != 0 && (count & (count - 1)) != 0)
        return items;
    larger = arena_allocate(arena, (count ? count * 2 : 1) * item_size);
    if (count)
        memcpy(larger, items, count * item_size);
    return larger;
}

void arena_free(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;

        free(arena->blocks);
        arena->blocks = next;
    }
}
