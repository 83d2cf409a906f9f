/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's pointer: its shape, which may come in several messages, and where it is. */
#ifndef HOST_DEVICES_VIDEO_POINTER_H
#define HOST_DEVICES_VIDEO_POINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/synthvid.h"

struct video_pointer {
    uint32_t width, height;  /* 0: the guest has given no shape; else to SYNTHVID_POINTER_EDGE */
    uint32_t hot_x, hot_y;   /* inside of the shape */
    /* B, G, R, A; the top row first. */
    uint8_t pixels[SYNTHVID_POINTER_EDGE * SYNTHVID_POINTER_EDGE * 4];
    bool is_visible;
    int32_t x, y;            /* of the hot spot, pixels of the mode */
};

/* What each part of a shape says of the whole. */
struct video_pointer_head {
    bool is_argb;
    uint32_t width, height, hot_x, hot_y;
};

/* A shape whose parts are still coming. All zero at first. */
struct video_pointer_parts {
    struct video_pointer_head head;     /* of the first part */
    uint8_t next;                       /* number of the part that is due */
    size_t size;                        /* bytes so far */
    uint8_t bytes[SYNTHVID_POINTER_EDGE * SYNTHVID_POINTER_EDGE * 4];
};

/*
 * Takes one shape message. Returns 1: `pointer` has a new shape; 0: more parts are to come;
 * -EINVAL: the message breaks a rule, the parts so far are forgotten, and `pointer` is as it was.
 * Monochrome shapes are converted; a pixel that inverts what is below it becomes black.
 */
int video_pointer_take_shape(struct video_pointer *pointer, struct video_pointer_parts *parts,
                             const uint8_t *message, size_t size);

/* Nothing of the shape can be seen: guests that draw their own pointer hide the host's so. */
bool video_pointer_is_blank(const struct video_pointer *pointer);

#endif
