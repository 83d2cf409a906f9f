/* SPDX-License-Identifier: BSD-3-Clause */
/* Page numbers of one transfer, gathered from DMA segments.
 *
 * A storage request has one range: it may begin and end inside a page, but every boundary between
 * two segments must lie on a page boundary (OpenVMM storvsp and Windows hosts refuse anything
 * else). */
#ifndef KEXT_STORAGE_PAGE_LIST_H
#define KEXT_STORAGE_PAGE_LIST_H

#include <stdint.h>

enum { PAGE_LIST_PAGE_SIZE = 4096 };

struct page_list {
    uint64_t *pages;   /* the caller's memory */
    uint32_t capacity; /* entries of `pages` */
    uint32_t count;
    uint32_t offset;   /* of the first byte in the first page */
    uint32_t length;   /* bytes so far */
};

/* Entries that a transfer of `bytes` may need: one more when it begins inside a page. */
static inline uint32_t page_list_capacity(uint32_t bytes)
{
    return bytes / PAGE_LIST_PAGE_SIZE + 2;
}

void page_list_begin(struct page_list *list, uint64_t *pages, uint32_t capacity);

/* Adds a segment of `length` bytes at guest-physical `address`. Returns 0;
 * HV_ERROR_INVALID    it does not join the ones before at a page boundary, or is empty or absurd;
 *                     the transfer needs a copy;
 * HV_ERROR_TOO_LARGE  more pages than there is room for.
 * After an error the list is what it was before. */
int page_list_add(struct page_list *list, uint64_t address, uint64_t length);

#endif
