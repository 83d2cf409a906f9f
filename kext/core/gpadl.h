/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds the control messages that describe guest memory to the host (a GPADL).
 *
 * The first message carries 27 words of range data, each further one 28: a range is one word of
 * length and offset and one word a page. Sources: Linux channel.c, mu_msvm, FreeBSD. */
#ifndef KEXT_CORE_GPADL_H
#define KEXT_CORE_GPADL_H

#include "protocol/vmbus.h"

#define GPADL_RANGES_MAXIMUM 16u

/* A range of memory; rings must be one range of whole pages. */
struct gpadl_range {
    uint32_t length;                /* bytes, not 0 */
    uint32_t offset;                /* in the first page, below 4096 */
};

/* Returns the guest page number of page `page` of range `range`. */
typedef uint64_t (*gpadl_page_source)(void *context, uint32_t range, uint32_t page);

/* State of building; opaque to callers. */
struct gpadl_builder {
    struct gpadl_range ranges[GPADL_RANGES_MAXIMUM];
    uint32_t range_count;
    gpadl_page_source source;
    void *context;
    uint32_t channel_id;
    uint32_t gpadl_id;
    uint32_t words;                 /* range data in all */
    uint32_t words_done;
    uint32_t range;                 /* where the next word comes from */
    uint32_t page;
    bool range_started;
};

/* Prepares the messages of GPADL `gpadl_id` on channel `channel_id`. `ranges` is copied; `source`
 * is called by gpadl_next for each page in order.
 * Returns 0; HV_ERROR_INVALID for no range, an empty one or an offset beyond a page;
 * HV_ERROR_TOO_LARGE for more than GPADL_RANGES_MAXIMUM ranges or more range data than the
 * protocol's 16-bit length can say (8190 pages in one range). */
int gpadl_begin(struct gpadl_builder *builder, uint32_t channel_id, uint32_t gpadl_id,
                const struct gpadl_range *ranges, uint32_t range_count,
                gpadl_page_source source, void *context);

/* Messages that gpadl_next has still to give. */
uint32_t gpadl_messages_left(const struct gpadl_builder *builder);

/* Writes the next message to `message` and returns its size in bytes, or 0 if that was all. */
uint32_t gpadl_next(struct gpadl_builder *builder, uint8_t message[VMBUS_MESSAGE_SIZE_MAXIMUM]);

#endif
