/* SPDX-License-Identifier: BSD-3-Clause */
/* When to ask for what was written. */
#include "host/devices/video_watch.h"

#include "protocol/partition.h"

uint64_t video_watch_deadline(const struct video_watch *watch)
{
    switch (watch->state) {
    case VIDEO_WATCH_OFF:
        return watch->refused ? UINT64_MAX : 0;
    case VIDEO_WATCH_DUE:
        return watch->asked_ns + VIDEO_WATCH_PERIOD_NS;
    default:
        return UINT64_MAX;
    }
}

void video_watch_asked(struct video_watch *watch, uint64_t now_ns)
{
    watch->state = VIDEO_WATCH_ASKED;
    watch->asked_ns = now_ns;
}

void video_watch_answered(struct video_watch *watch, int status)
{
    if (watch->state != VIDEO_WATCH_ASKED) {
        return; /* the memory has gone meanwhile */
    }
    watch->state = status == 0 ? VIDEO_WATCH_QUIET : VIDEO_WATCH_OFF;
    watch->refused |= status != 0;
}

/* What comes before an answer is in the answer. */
void video_watch_written(struct video_watch *watch)
{
    if (watch->state == VIDEO_WATCH_QUIET) {
        watch->state = VIDEO_WATCH_DUE;
    }
}

void video_watch_stop(struct video_watch *watch)
{
    watch->state = VIDEO_WATCH_OFF;
}

static bool is_written(const uint64_t *written, size_t blocks, uint64_t block)
{
    return block < blocks && (written[block / 64] >> (block % 64) & 1) != 0;
}

static bool row_is_written(const uint64_t *written, size_t blocks, uint64_t first, uint64_t last)
{
    for (uint64_t block = first / PARTITION_WATCH_BLOCK; block <= last / PARTITION_WATCH_BLOCK;
         block++) {
        if (is_written(written, blocks, block)) {
            return true;
        }
    }
    return false;
}

bool video_watch_rows(const uint64_t *written, size_t blocks, uint32_t offset, uint32_t pitch,
                      uint32_t height, uint32_t *row, uint32_t *end)
{
    uint32_t at = *row;
    bool any = false;
    for (; at < height; at++) {
        const uint64_t first = offset + (uint64_t)at * pitch;
        if (row_is_written(written, blocks, first, first + pitch - 1) == any) {
            continue;
        }
        if (any) {
            break;
        }
        any = true;
        *row = at;
    }
    *end = at;
    return any;
}
