/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds the control messages that describe guest memory to the host. */
#include "kext/core/gpadl.h"

#include "kext/core/errors.h"
#include "kext/core/shared_memory.h"

static uint32_t range_pages(const struct gpadl_range *range)
{
    return (uint32_t)(((uint64_t)range->offset + range->length + HV_PAGE_SIZE - 1) >>
                      HV_PAGE_SHIFT);
}

int gpadl_begin(struct gpadl_builder *builder, uint32_t channel_id, uint32_t gpadl_id,
                const struct gpadl_range *ranges, uint32_t range_count,
                gpadl_page_source source, void *context)
{
    uint32_t words = 0;

    if (range_count == 0 || source == NULL)
        return HV_ERROR_INVALID;
    if (range_count > GPADL_RANGES_MAXIMUM)
        return HV_ERROR_TOO_LARGE;
    for (uint32_t i = 0; i < range_count; i++) {
        if (ranges[i].length == 0 || ranges[i].offset >= HV_PAGE_SIZE)
            return HV_ERROR_INVALID;
        words += 1 + range_pages(&ranges[i]);
        if (words * 8 > VMBUS_GPADL_LENGTH_MAXIMUM)
            return HV_ERROR_TOO_LARGE;
    }
    memset(builder, 0, sizeof *builder);
    memcpy(builder->ranges, ranges, range_count * sizeof *ranges);
    builder->range_count = range_count;
    builder->source = source;
    builder->context = context;
    builder->channel_id = channel_id;
    builder->gpadl_id = gpadl_id;
    builder->words = words;
    return 0;
}

uint32_t gpadl_messages_left(const struct gpadl_builder *builder)
{
    uint32_t left = builder->words - builder->words_done;

    if (builder->words_done == 0) {
        if (left <= VMBUS_GPADL_HEADER_WORDS)
            return left != 0;
        return 1 + (left - VMBUS_GPADL_HEADER_WORDS + VMBUS_GPADL_BODY_WORDS - 1) /
                       VMBUS_GPADL_BODY_WORDS;
    }
    return (left + VMBUS_GPADL_BODY_WORDS - 1) / VMBUS_GPADL_BODY_WORDS;
}

static uint64_t next_word(struct gpadl_builder *builder)
{
    const struct gpadl_range *range = &builder->ranges[builder->range];
    uint64_t word;

    if (!builder->range_started) {
        builder->range_started = true;
        builder->page = 0;
        return range->length | (uint64_t)range->offset << 32;
    }
    word = builder->source(builder->context, builder->range, builder->page);
    if (++builder->page == range_pages(range)) {
        builder->range++;
        builder->range_started = false;
    }
    return word;
}

uint32_t gpadl_next(struct gpadl_builder *builder, uint8_t message[VMBUS_MESSAGE_SIZE_MAXIMUM])
{
    uint32_t left = builder->words - builder->words_done, size, limit;

    if (left == 0)
        return 0;
    if (builder->words_done == 0) {
        struct vmbus_message_gpadl_header header = {
            .header.type = VMBUS_MESSAGE_GPADL_HEADER,
            .channel_id = builder->channel_id,
            .gpadl_id = builder->gpadl_id,
            .range_buffer_length = (uint16_t)(builder->words * 8),
            .range_count = (uint16_t)builder->range_count,
        };

        memcpy(message, &header, size = sizeof header);
        limit = VMBUS_GPADL_HEADER_WORDS;
    } else {
        struct vmbus_message_gpadl_body body = {
            .header.type = VMBUS_MESSAGE_GPADL_BODY,
            .gpadl_id = builder->gpadl_id,
        };

        memcpy(message, &body, size = sizeof body);
        limit = VMBUS_GPADL_BODY_WORDS;
    }
    for (uint32_t i = 0; i < limit && i < left; i++) {
        uint64_t word = next_word(builder);

        memcpy(message + size, &word, sizeof word);
        size += sizeof word;
        builder->words_done++;
    }
    return size;
}
