/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest RAM as the host sees it: ranges of guest-physical addresses backed by host memory.
 *
 * Everything in guest RAM may change at any moment, for the guest's processors run meanwhile.
 * So the functions here copy, or hand out a pointer that the caller must read once and distrust.
 */
#ifndef HOST_GUEST_MEMORY_H
#define HOST_GUEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GUEST_PAGE_SHIFT = 12, GUEST_PAGE_SIZE = 4096, GUEST_MEMORY_RANGES_MAX = 32 };

/* One contiguous piece of guest RAM. */
struct guest_memory_range {
    uint64_t gpa;  /* bytes, page aligned */
    uint64_t size; /* bytes, page aligned, not zero */
    uint8_t *host; /* not owned: stays mapped as long as the guest_memory lives */
};

/* The ranges, sorted by address. They are added before the guest runs and do not change after. */
struct guest_memory {
    struct guest_memory_range ranges[GUEST_MEMORY_RANGES_MAX];
    unsigned range_count;
};

/* Sets `memory` to no RAM at all. */
void guest_memory_initialise(struct guest_memory *memory);

/*
 * Adds a range. Returns 0, -EINVAL (not page aligned, empty, wraps around, null pointer),
 * -EEXIST (overlaps another) or -ENOSPC (GUEST_MEMORY_RANGES_MAX reached).
 */
int guest_memory_add(struct guest_memory *memory, uint64_t gpa, uint64_t size, void *host);

/*
 * The host pointer to guest bytes [gpa, gpa + size), or NULL if they are not all RAM of one range.
 * A size of 0 asks for the address alone to be RAM.
 */
void *guest_memory_translate(const struct guest_memory *memory, uint64_t gpa, uint64_t size);

/* The host pointer to the whole page with this page number, or NULL if that is not RAM. */
void *guest_memory_page(const struct guest_memory *memory, uint64_t page_number);

/*
 * Copies between guest and host memory; the guest bytes may lie in several adjacent ranges.
 * Return 0 or -EFAULT (not all RAM: then nothing has been copied).
 */
int guest_memory_read(const struct guest_memory *memory, uint64_t gpa, void *to, size_t size);
int guest_memory_write(const struct guest_memory *memory, uint64_t gpa, const void *from,
                       size_t size);

/* Bytes of RAM altogether. */
uint64_t guest_memory_size(const struct guest_memory *memory);

#endif
