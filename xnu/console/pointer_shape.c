/* SPDX-License-Identifier: BSD-3-Clause */
/* pointer_shape.c - the arrow. */
#include "xnu/console/pointer_shape.h"

#include <string.h>

#include "xnu/console/text_screen.h"

/* '#' the edge, '.' inside. */
static const char *const arrow[POINTER_HEIGHT] = {
    "#",
    "##",
    "#.#",
    "#..#",
    "#...#",
    "#....#",
    "#.....#",
    "#......#",
    "#.......#",
    "#........#",
    "#.........#",
    "#......#####",
    "#...#..#",
    "#..##..#",
    "#.#  #..#",
    "##   #..#",
    "#     #..#",
    "      #..#",
    "       ##",
};

enum { EDGE = 0x000000, INSIDE = 0xffffff };
#define OPAQUE 0xff000000u

static char part_at(unsigned x, unsigned y)
{
    return x < strlen(arrow[y]) ? arrow[y][x] : ' ';
}

void pointer_shape_pixels(uint32_t pixels[POINTER_WIDTH * POINTER_HEIGHT])
{
    for (unsigned y = 0; y < POINTER_HEIGHT; y++)
        for (unsigned x = 0; x < POINTER_WIDTH; x++) {
            char part = part_at(x, y);

            pixels[y * POINTER_WIDTH + x] =
                part == ' ' ? 0 : OPAQUE | (part == '#' ? EDGE : INSIDE);
        }
}

/* The pixel of the picture below a pixel of the arrow; NULL: outside, or the arrow is not there. */
static uint8_t *pixel_below(const struct drawn_pointer *pointer,
                            const struct framebuffer_picture *picture, unsigned x, unsigned y)
{
    int64_t column = (int64_t)pointer->x + x, row = (int64_t)pointer->y + y;

    if (part_at(x, y) == ' ' || column < 0 || row < 0 || column >= picture->width ||
        row >= picture->height)
        return NULL;
    return picture->pixels + (size_t)row * picture->pitch +
           (size_t)column * picture_pixel_bytes(picture);
}

void pointer_draw(struct drawn_pointer *pointer, const struct framebuffer_picture *picture,
                  int32_t x, int32_t y)
{
    uint32_t edge = picture_pixel(picture, EDGE), inside = picture_pixel(picture, INSIDE);

    pointer->x = x;
    pointer->y = y;
    pointer->is_drawn = true;
    for (unsigned row = 0; row < POINTER_HEIGHT; row++)
        for (unsigned column = 0; column < POINTER_WIDTH; column++) {
            uint8_t *at = pixel_below(pointer, picture, column, row);

            if (!at)
                continue;
            memcpy(&pointer->below[row * POINTER_WIDTH + column], at,
                   picture_pixel_bytes(picture));
            memcpy(at, part_at(column, row) == '#' ? &edge : &inside,
                   picture_pixel_bytes(picture));
        }
}

void pointer_erase(struct drawn_pointer *pointer, const struct framebuffer_picture *picture)
{
    if (!pointer->is_drawn)
        return;
    for (unsigned row = 0; row < POINTER_HEIGHT; row++)
        for (unsigned column = 0; column < POINTER_WIDTH; column++) {
            uint8_t *at = pixel_below(pointer, picture, column, row);

            if (at)
                memcpy(at, &pointer->below[row * POINTER_WIDTH + column],
                       picture_pixel_bytes(picture));
        }
    pointer->is_drawn = false;
}
