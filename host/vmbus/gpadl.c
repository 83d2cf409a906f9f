/* SPDX-License-Identifier: BSD-3-Clause */
/* GPADLs: guest memory described by page numbers, and access to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmbus/packet.h"
#include "host/vmbus/state.h"

struct host_gpadl *host_gpadl_allocate(uint32_t id, uint16_t range_count, size_t word_count)
{
    struct host_gpadl *gpadl = calloc(1, sizeof(*gpadl));
    if (gpadl == NULL) {
        return NULL;
    }
    gpadl->words = calloc(word_count, sizeof(uint64_t));
    if (gpadl->words == NULL) {
        free(gpadl);
        return NULL;
    }
    gpadl->id = id;
    gpadl->range_count = range_count;
    gpadl->word_count = word_count;
    return gpadl;
}

void host_gpadl_free(struct host_gpadl *gpadl)
{
    if (gpadl != NULL) {
        free(gpadl->words);
        free(gpadl->pages);
        free(gpadl->segments);
        free(gpadl);
    }
}

bool host_gpadl_collect(struct host_gpadl *gpadl, const uint8_t *data, size_t size)
{
    size_t words = size / sizeof(uint64_t);
    size_t missing = gpadl->word_count - gpadl->words_received;
    if (words > missing) {
        words = missing;
    }
    memcpy(gpadl->words + gpadl->words_received, data, words * sizeof(uint64_t));
    gpadl->words_received += words;
    return gpadl->words_received == gpadl->word_count;
}

/* Adds bytes of one page to the segments, merged with the one before if they touch. */
static void add_bytes(struct host_gpadl *gpadl, uint8_t *host, size_t size)
{
    struct host_gpadl_segment *last =
        gpadl->segment_count > 0 ? &gpadl->segments[gpadl->segment_count - 1] : NULL;
    if (last != NULL && last->host + last->size == host) {
        last->size += size;
    } else {
        gpadl->segments[gpadl->segment_count++] =
            (struct host_gpadl_segment){gpadl->size, size, host};
    }
    gpadl->size += size;
}

/* Parses the range at word *position. */
static int parse_range(struct host_gpadl *gpadl, const struct guest_memory *memory,
                       size_t *position)
{
    struct vmbus_gpa_range range;
    if (gpadl->word_count - *position < 1) {
        return -EINVAL;
    }
    memcpy(&range, &gpadl->words[*position], sizeof(range));
    *position += 1;
    uint64_t pages =
        ((uint64_t)range.byte_offset + range.byte_count + HV_PAGE_SIZE - 1) / HV_PAGE_SIZE;
    if (range.byte_count == 0 || range.byte_offset >= HV_PAGE_SIZE ||
        pages > gpadl->word_count - *position) {
        return -EINVAL;
    }
    uint32_t offset = range.byte_offset;
    uint32_t left = range.byte_count;
    for (uint64_t i = 0; i < pages; i++) {
        uint8_t *page = guest_memory_page(memory, gpadl->words[*position + i]);
        if (page == NULL) {
            return -EFAULT;
        }
        uint32_t here = HV_PAGE_SIZE - offset < left ? HV_PAGE_SIZE - offset : left;
        gpadl->pages[gpadl->page_count++] = page;
        add_bytes(gpadl, page + offset, here);
        left -= here;
        offset = 0;
    }
    *position += pages;
    gpadl->whole_pages = gpadl->range_count == 1 && range.byte_offset == 0 &&
                         range.byte_count % HV_PAGE_SIZE == 0;
    return 0;
}

int host_gpadl_finish(struct host_gpadl *gpadl, const struct guest_memory *memory)
{
    gpadl->pages = calloc(gpadl->word_count, sizeof(*gpadl->pages));
    gpadl->segments = calloc(gpadl->word_count, sizeof(*gpadl->segments));
    if (gpadl->pages == NULL || gpadl->segments == NULL) {
        return -ENOMEM;
    }
    size_t position = 0;
    for (uint16_t i = 0; i < gpadl->range_count; i++) {
        int result = parse_range(gpadl, memory, &position);
        if (result < 0) {
            return result;
        }
    }
    free(gpadl->words);
    gpadl->words = NULL;
    gpadl->state = HOST_GPADL_CREATED;
    return 0;
}

/* ---- Access ---- */

uint32_t host_gpadl_id(const struct host_gpadl *gpadl)
{
    return gpadl->id;
}

size_t host_gpadl_size(const struct host_gpadl *gpadl)
{
    return gpadl->size;
}

/* The segment that holds the byte at `offset`, which lies inside the buffer. */
static const struct host_gpadl_segment *segment_at(const struct host_gpadl *gpadl, size_t offset)
{
    size_t low = 0;
    size_t high = gpadl->segment_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (gpadl->segments[middle].start <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &gpadl->segments[low];
}

static bool inside(const struct host_gpadl *gpadl, size_t offset, size_t size)
{
    return offset <= gpadl->size && size <= gpadl->size - offset;
}

static int copy(const struct host_gpadl *gpadl, size_t offset, uint8_t *host, size_t size,
                bool to_guest)
{
    if (!inside(gpadl, offset, size)) {
        return -EINVAL;
    }
    while (size > 0) {
        const struct host_gpadl_segment *segment = segment_at(gpadl, offset);
        size_t skip = offset - segment->start;
        size_t here = segment->size - skip < size ? segment->size - skip : size;
        if (to_guest) {
            memcpy(segment->host + skip, host, here);
        } else {
            memcpy(host, segment->host + skip, here);
        }
        host += here;
        offset += here;
        size -= here;
    }
    return 0;
}

int host_gpadl_read(const struct host_gpadl *gpadl, size_t offset, void *to, size_t size)
{
    return copy(gpadl, offset, to, size, false);
}

int host_gpadl_write(struct host_gpadl *gpadl, size_t offset, const void *from, size_t size)
{
    return copy(gpadl, offset, (uint8_t *)(uintptr_t)from, size, true);
}

int host_gpadl_map(const struct host_gpadl *gpadl, size_t offset, size_t size,
                   struct iovec *vector, unsigned capacity)
{
    if (!inside(gpadl, offset, size)) {
        return -EINVAL;
    }
    unsigned count = 0;
    while (size > 0) {
        const struct host_gpadl_segment *segment = segment_at(gpadl, offset);
        size_t skip = offset - segment->start;
        size_t here = segment->size - skip < size ? segment->size - skip : size;
        int result = host_scatter_append(vector, capacity, &count, segment->host + skip, here);
        if (result < 0) {
            return result;
        }
        offset += here;
        size -= here;
    }
    return (int)count;
}
