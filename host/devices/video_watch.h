/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes of the screen without a word of the guest: the monitor notes which of the video memory
 * was written, as a hypervisor with its dirty log. When to ask it, and what its answer means. It
 * owns no clock; nothing is asked while nothing is written. */
#ifndef HOST_DEVICES_VIDEO_WATCH_H
#define HOST_DEVICES_VIDEO_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VIDEO_WATCH_PERIOD_NS = 16000000 }; /* between two questions */

struct video_watch {
    enum {
        VIDEO_WATCH_OFF,   /* nothing is watched */
        VIDEO_WATCH_ASKED, /* the answer is on its way */
        VIDEO_WATCH_QUIET, /* nothing was written since */
        VIDEO_WATCH_DUE,   /* something was */
    } state;
    bool refused;          /* the monitor failed to */
    uint64_t asked_ns;     /* the last question */
};

/* When the monitor is to be asked: 0 at once, UINT64_MAX not yet. */
uint64_t video_watch_deadline(const struct video_watch *watch);

void video_watch_asked(struct video_watch *watch, uint64_t now_ns);

/* The answer is there (0, or a negative errno: it is never asked again). */
void video_watch_answered(struct video_watch *watch, int status);

/* The monitor says that something is being written. */
void video_watch_written(struct video_watch *watch);

/* The video memory has gone. */
void video_watch_stop(struct video_watch *watch);

/*
 * The next run of rows of a picture (`height` rows of `pitch` bytes from byte `offset` of the
 * memory) that lies in written blocks, from row *row on. True with [*row, *end), which go on from
 * *end; false: there is none.
 */
bool video_watch_rows(const uint64_t *written, size_t blocks, uint32_t offset, uint32_t pitch,
                      uint32_t height, uint32_t *row, uint32_t *end);

#endif
