/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of display modes: the host's, the user's, and usual ones within the host's maximum; only
 * what fits into the VRAM. No I/O Kit in here. */
#ifndef KEXT_GRAPHICS_DISPLAY_MODES_H
#define KEXT_GRAPHICS_DISPLAY_MODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/synthvid.h"

#define DISPLAY_MODES_MAXIMUM 128u
#define DISPLAY_MODES_USER    16u       /* the most that a user may name */

/* Edges of a mode in pixels. */
#define DISPLAY_WIDTH_MINIMUM  640u
#define DISPLAY_HEIGHT_MINIMUM 480u
#define DISPLAY_EDGE_MAXIMUM   16383u

struct display_size {
    uint32_t width, height;             /* pixels */
};

struct display_limits {
    uint64_t vram_bytes;
    uint32_t bytes_per_pixel;
    struct display_size maximum;        /* what the protocol's version allows */
};

struct display_modes {
    struct display_limits limits;
    uint32_t count;
    uint32_t preferred;                 /* index, when there are any */
    struct display_size sizes[DISPLAY_MODES_MAXIMUM];   /* smallest area first */
};

/* What the list is made of. */
struct display_sources {
    const struct synthvid_resolution *host;     /* the host's list */
    uint32_t host_count;                        /* 0: it has none */
    uint32_t host_default;                      /* index */
    struct display_size host_wish;              /* from its EDID; width 0: none */
    const struct display_size *user;            /* the first one is what the user would have */
    uint32_t user_count;
};

/* Does a mode of this size fit? */
bool display_size_fits(const struct display_limits *limits, const struct display_size *size);

/* Makes the list anew. `preferred` is the user's first that fits, else the host's wish, its
 * default, 1024 x 768, or what there is. An empty list: the VRAM holds not even the smallest. */
void display_modes_make(struct display_modes *modes, const struct display_limits *limits,
                        const struct display_sources *sources);

/* Index of a size in the list, or -1. */
int display_modes_find(const struct display_modes *modes, const struct display_size *size);

/* A number for a mode that is the same in every list: positive, and small enough for
 * IODisplayModeID (which keeps its two upper bits for itself). */
static inline int32_t display_mode_number(const struct display_size *size)
{
    return (int32_t)(size->width << 14 | size->height);
}

static inline struct display_size display_mode_size(int32_t number)
{
    return (struct display_size){ (uint32_t)number >> 14, (uint32_t)number & 0x3FFF };
}

/* Reads "1920x1080,2560x1440": sizes separated by commas, in `length` characters or up to a NUL.
 * Returns how many were written to `sizes` (DISPLAY_MODES_USER at most); a piece that is no size
 * ends the list. */
uint32_t display_sizes_read(const char *text, size_t length,
                            struct display_size sizes[DISPLAY_MODES_USER]);

#endif
