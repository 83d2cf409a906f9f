/* SPDX-License-Identifier: BSD-3-Clause */
/* text_screen.h - a screen of characters on a picture. What is to be seen is written into cells;
 * painting draws those that differ from what was drawn last, and touches no other pixel. */
#ifndef XNU_CONSOLE_TEXT_SCREEN_H
#define XNU_CONSOLE_TEXT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xnu/families/graphics/framebuffer.h"

enum text_style { TEXT_NORMAL, TEXT_NAME, TEXT_TITLE, TEXT_INPUT, TEXT_STYLES };

struct text_cell {
    uint16_t character, style;          /* enum text_style */
};

struct text_screen {
    struct framebuffer_picture picture;
    uint32_t columns, rows;
    struct text_cell *cells;            /* wanted */
    struct text_cell *drawn;
    bool has_margins;                   /* they are drawn */
    uint32_t ink[TEXT_STYLES], paper[TEXT_STYLES]; /* pixels */
};

/* Bytes that the cells of a picture of this size take; 0: too small for a character, or larger
 * than any screen. */
size_t text_screen_bytes(uint32_t width, uint32_t height);

/* `memory`: text_screen_bytes() of it, the caller's. All is blank and nothing is drawn yet. */
void text_screen_open(struct text_screen *screen, const struct framebuffer_picture *picture,
                      void *memory);

/* Outside of the screen: nothing happens. */
void text_screen_put(struct text_screen *screen, uint32_t row, uint32_t column, uint16_t character,
                     enum text_style style);
/* Blanks from the column to the row's end. */
void text_screen_clear(struct text_screen *screen, uint32_t row, uint32_t column,
                       enum text_style style);
/* Rows first ... last - 1 move up by one; the last of them is blank. */
void text_screen_scroll(struct text_screen *screen, uint32_t first, uint32_t last);

/* Draws what differs, and at first the margins; returns how many cells that were. */
uint32_t text_screen_paint(struct text_screen *screen);

/* 0x00RRGGBB as a pixel of the picture. */
uint32_t picture_pixel(const struct framebuffer_picture *picture, uint32_t colour);
/* Bytes of a pixel: 2 or 4. */
static inline uint32_t picture_pixel_bytes(const struct framebuffer_picture *picture)
{
    return picture->bits / 8;
}

#endif
