/* SPDX-License-Identifier: BSD-3-Clause */
/* framebuffer.h - the place of the window server above IOFramebuffer: opens the framebuffer, lists
 * and switches its modes, shows a cursor, and tells whoever observes where the pixels are (a
 * console, a control verb, a test). One framebuffer at a time: the first that comes.
 *
 * Freestanding types only. All functions are for kernel threads and may block. */
#ifndef XNU_FAMILIES_GRAPHICS_FRAMEBUFFER_H
#define XNU_FAMILIES_GRAPHICS_FRAMEBUFFER_H

#include <stdbool.h>
#include <stdint.h>

struct framebuffer_picture {
    uint8_t *pixels;            /* row 0 at the top; whoever draws writes here */
    uint64_t address;           /* the same, guest-physical */
    uint32_t width, height;     /* pixels */
    uint32_t pitch;             /* bytes from a row to the next */
    uint32_t bits;              /* a pixel: 32 or 16, little-endian */
    uint32_t red, green, blue;  /* masks within a pixel */
};

/* Who draws. Calls come on kernel threads, one at a time. */
struct framebuffer_observer {
    /* There is a picture, or one of another size. It is the caller's: copy it. */
    void (*shown)(const struct framebuffer_picture *picture);
    /* No pixel is written after this has returned, until `shown`. */
    void (*hidden)(void);
};

/* NULL: nobody draws (any more). A picture that is there is shown to the new observer at once. */
void framebuffer_observe(const struct framebuffer_observer *observer);

/* Begins to look for framebuffers. */
void framebuffer_start(void);

/* False: there is none. */
bool framebuffer_picture(struct framebuffer_picture *picture);

struct framebuffer_mode {
    int32_t id;                 /* the driver's number of it */
    uint32_t width, height;     /* pixels */
    bool is_current;
    bool is_default;            /* the driver would have this one */
};

/* Writes at most `room` modes and returns how many there are. 0: no framebuffer. */
unsigned framebuffer_modes(struct framebuffer_mode *modes, unsigned room);

/* 0, or a negative errno: -ENODEV no framebuffer, -ENOENT no such mode, -EIO the driver refused;
 * the old mode stays then. */
int framebuffer_set_mode(uint32_t width, uint32_t height);

/* What the pointer looks like. */
struct framebuffer_cursor {
    const uint32_t *pixels;     /* 0xAARRGGBB, not premultiplied, rows from the top */
    uint32_t width, height;
    uint32_t hot_x, hot_y;      /* the pixel that points */
};

/* Gives the cursor to the hardware. 0 or a negative errno: -ENODEV, -ENOTSUP (no hardware cursor,
 * or too large for it: draw it yourself). The pixels are copied. */
int framebuffer_set_cursor(const struct framebuffer_cursor *cursor);
/* Position of the hot spot, in pixels. 0, -ENODEV, -ENOTSUP. */
int framebuffer_move_cursor(int32_t x, int32_t y, bool visible);

#endif
