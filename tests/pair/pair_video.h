/* SPDX-License-Identifier: BSD-3-Clause */
/* The display of a pair's host. Freestanding types only, so that kernel-side test files can include
 * it. */
#ifndef TESTS_PAIR_PAIR_VIDEO_H
#define TESTS_PAIR_PAIR_VIDEO_H

#include <stdbool.h>
#include <stdint.h>

struct pair_host;
struct virtual_device;

/* What the host shows, and what it was told. */
struct pair_screen {
    const uint8_t *pixels;              /* NULL: nothing; the guest's own memory */
    uint32_t width, height, pitch, depth;
    uint32_t version_major, version_minor; /* of synthvid; 0.0: none agreed on */
    uint64_t vram_address;
    uint64_t dirt_messages;
    uint64_t pointer_shapes;
};

/* The box around all changes since the last call, and how many rectangles they were. */
struct pair_changes {
    int32_t left, top, right, bottom;
    unsigned rectangles;
};

struct pair_pointer {
    bool is_visible;
    int32_t x, y;
    uint32_t width, height, hot_x, hot_y;
    const uint8_t *pixels;              /* B, G, R, A; rows from the top */
};

/* A display that speaks synthvid up to `version` and has this much memory (0: as much as the
 * version has); NULL without memory. */
struct virtual_device *pair_video_new(uint32_t version, unsigned megabytes);

void pair_video_screen(struct pair_host *host, struct pair_screen *screen);
void pair_video_take_changes(struct pair_host *host, struct pair_changes *changes);
void pair_video_pointer(struct pair_host *host, struct pair_pointer *pointer);
/* A viewer comes or goes. */
void pair_video_watch(struct pair_host *host, bool watched);
/* The display gets another size; 0 or a negative errno. */
int pair_video_resize(struct pair_host *host, uint32_t width, uint32_t height);
/* Takes the display away, and offers it again. */
void pair_video_remove(struct pair_host *host);
bool pair_video_add(struct pair_host *host);

#endif
