/* SPDX-License-Identifier: BSD-3-Clause */
/* text_screen.c - cells, and glyphs as pixels. */
#include "xnu/console/text_screen.h"

#include <string.h>

#include "xnu/console/font.h"

enum { EDGE_MAX = 16384, NOT_DRAWN = 0xffff };

static const struct { uint32_t ink, paper; } colours[TEXT_STYLES] = {
    [TEXT_NORMAL] = { 0xc8ccd0, 0x14181c },
    [TEXT_NAME] = { 0x7fb4e6, 0x14181c },
    [TEXT_TITLE] = { 0xf4f6f8, 0x2c4a66 },
    [TEXT_INPUT] = { 0xe8d9a0, 0x20262c },
};

static uint32_t component(uint32_t colour, unsigned shift, uint32_t mask)
{
    uint32_t value = colour >> shift & 0xff;
    int bits = __builtin_popcount(mask);

    return mask == 0 ? 0 : value >> (bits < 8 ? 8 - bits : 0) << __builtin_ctz(mask);
}

uint32_t picture_pixel(const struct framebuffer_picture *picture, uint32_t colour)
{
    return component(colour, 16, picture->red) | component(colour, 8, picture->green) |
           component(colour, 0, picture->blue);
}

size_t text_screen_bytes(uint32_t width, uint32_t height)
{
    size_t cells = (size_t)(width / FONT_WIDTH) * (height / FONT_HEIGHT);

    return width > EDGE_MAX || height > EDGE_MAX ? 0 : cells * 2 * sizeof(struct text_cell);
}

void text_screen_open(struct text_screen *screen, const struct framebuffer_picture *picture,
                      void *memory)
{
    size_t count;

    screen->picture = *picture;
    screen->has_margins = false;
    screen->columns = picture->width / FONT_WIDTH;
    screen->rows = picture->height / FONT_HEIGHT;
    count = (size_t)screen->columns * screen->rows;
    screen->cells = memory;
    screen->drawn = screen->cells + count;
    for (size_t i = 0; i < count; i++) {
        screen->cells[i] = (struct text_cell){ ' ', TEXT_NORMAL };
        screen->drawn[i] = (struct text_cell){ NOT_DRAWN, NOT_DRAWN };
    }
    for (unsigned style = 0; style < TEXT_STYLES; style++) {
        screen->ink[style] = picture_pixel(picture, colours[style].ink);
        screen->paper[style] = picture_pixel(picture, colours[style].paper);
    }
}

void text_screen_put(struct text_screen *screen, uint32_t row, uint32_t column, uint16_t character,
                     enum text_style style)
{
    if (row < screen->rows && column < screen->columns)
        screen->cells[row * screen->columns + column] =
            (struct text_cell){ character, (uint16_t)style };
}

void text_screen_clear(struct text_screen *screen, uint32_t row, uint32_t column,
                       enum text_style style)
{
    for (; column < screen->columns; column++)
        text_screen_put(screen, row, column, ' ', style);
}

void text_screen_scroll(struct text_screen *screen, uint32_t first, uint32_t last)
{
    size_t row = screen->columns;

    if (first >= last || last > screen->rows)
        return;
    memmove(screen->cells + first * row, screen->cells + (first + 1) * row,
            (last - first - 1) * row * sizeof(struct text_cell));
    text_screen_clear(screen, last - 1, 0, TEXT_NORMAL);
}

static void put_pixel(uint8_t *at, uint32_t pixel, uint32_t bytes)
{
    memcpy(at, &pixel, bytes); /* little-endian */
}

static void draw_cell(const struct text_screen *screen, uint32_t row, uint32_t column,
                      struct text_cell cell)
{
    const struct framebuffer_picture *picture = &screen->picture;
    const uint8_t *glyph = font_rows(cell.character);
    uint32_t bytes = picture_pixel_bytes(picture);
    uint8_t *line = picture->pixels + (size_t)row * FONT_HEIGHT * picture->pitch +
                    (size_t)column * FONT_WIDTH * bytes;

    for (unsigned y = 0; y < FONT_HEIGHT; y++, line += picture->pitch)
        for (unsigned x = 0; x < FONT_WIDTH; x++)
            put_pixel(line + x * bytes,
                      glyph[y] & 0x80 >> x ? screen->ink[cell.style] : screen->paper[cell.style],
                      bytes);
}

static void fill(const struct text_screen *screen, uint32_t left, uint32_t top)
{
    const struct framebuffer_picture *picture = &screen->picture;
    uint32_t bytes = picture_pixel_bytes(picture);

    for (uint32_t y = top; y < picture->height; y++)
        for (uint32_t x = left; x < picture->width; x++)
            put_pixel(picture->pixels + (size_t)y * picture->pitch + (size_t)x * bytes,
                      screen->paper[TEXT_NORMAL], bytes);
}

uint32_t text_screen_paint(struct text_screen *screen)
{
    uint32_t painted = 0;

    if (!screen->has_margins) {
        fill(screen, screen->columns * FONT_WIDTH, 0);
        fill(screen, 0, screen->rows * FONT_HEIGHT);
        screen->has_margins = true;
    }
    for (uint32_t row = 0; row < screen->rows; row++)
        for (uint32_t column = 0; column < screen->columns; column++) {
            size_t i = (size_t)row * screen->columns + column;

            if (screen->cells[i].character == screen->drawn[i].character &&
                screen->cells[i].style == screen->drawn[i].style)
                continue;
            draw_cell(screen, row, column, screen->cells[i]);
            screen->drawn[i] = screen->cells[i];
            painted++;
        }
    return painted;
}
