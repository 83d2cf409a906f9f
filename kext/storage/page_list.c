/* SPDX-License-Identifier: BSD-3-Clause */
#include "kext/storage/page_list.h"

#include "kext/core/errors.h"

enum { OFFSET_MASK = PAGE_LIST_PAGE_SIZE - 1 };

void page_list_begin(struct page_list *list, uint64_t *pages, uint32_t capacity)
{
    *list = (struct page_list){ .pages = pages, .capacity = capacity };
}

/* Whether a segment that begins at `address` may follow what the list holds. */
static int may_follow(const struct page_list *list, uint64_t address)
{
    if (list->count == 0)
        return 1;
    return (address & OFFSET_MASK) == 0 && ((list->offset + list->length) & OFFSET_MASK) == 0;
}

int page_list_add(struct page_list *list, uint64_t address, uint64_t length)
{
    uint32_t first_offset = (uint32_t)(address & OFFSET_MASK);
    uint64_t pages = (first_offset + length + OFFSET_MASK) / PAGE_LIST_PAGE_SIZE;
    uint64_t index;

    if (length == 0 || length > UINT32_MAX - list->length || address > UINT64_MAX - length ||
        !may_follow(list, address))
        return HV_ERROR_INVALID;
    if (pages > list->capacity - list->count)
        return HV_ERROR_TOO_LARGE;
    if (list->count == 0)
        list->offset = first_offset;
    for (index = 0; index < pages; index++)
        list->pages[list->count++] = address / PAGE_LIST_PAGE_SIZE + index;
    list->length += (uint32_t)length;
    return 0;
}
