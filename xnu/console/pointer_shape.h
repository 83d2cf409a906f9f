/* SPDX-License-Identifier: BSD-3-Clause */
/* pointer_shape.h - the console's pointer: for hardware that draws it, and drawn by us, with what
 * was below it put back when it moves. */
#ifndef XNU_CONSOLE_POINTER_SHAPE_H
#define XNU_CONSOLE_POINTER_SHAPE_H

#include <stdbool.h>

#include "xnu/families/graphics/framebuffer.h"

enum { POINTER_WIDTH = 12, POINTER_HEIGHT = 19 };

/* The arrow as 0xAARRGGBB, hot spot 0, 0. */
void pointer_shape_pixels(uint32_t pixels[POINTER_WIDTH * POINTER_HEIGHT]);

/* A pointer that we have drawn ourselves. All zero at first. */
struct drawn_pointer {
    bool is_drawn;
    int32_t x, y;
    uint32_t below[POINTER_WIDTH * POINTER_HEIGHT];
};

/* Parts outside of the picture are left out. */
void pointer_draw(struct drawn_pointer *pointer, const struct framebuffer_picture *picture,
                  int32_t x, int32_t y);
void pointer_erase(struct drawn_pointer *pointer, const struct framebuffer_picture *picture);

#endif
