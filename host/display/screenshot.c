/* SPDX-License-Identifier: BSD-3-Clause */
/* PNG files through libpng; PPM files by hand. */
#include "host/display/screenshot.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void row_of_32_bits(const uint8_t *from, uint8_t *to, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++, from += 4, to += 3) {
        to[0] = from[2];
        to[1] = from[1];
        to[2] = from[0];
    }
}

static void row_of_16_bits(const uint8_t *from, uint8_t *to, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++, from += 2, to += 3) {
        const unsigned pixel = from[0] | from[1] << 8;
        const unsigned red = pixel >> 11, green = pixel >> 5 & 63, blue = pixel & 31;
        to[0] = (uint8_t)(red << 3 | red >> 2);
        to[1] = (uint8_t)(green << 2 | green >> 4);
        to[2] = (uint8_t)(blue << 3 | blue >> 2);
    }
}

struct shot {
    const struct video_screen *screen;
    const struct video_pointer *pointer; /* or NULL */
    uint8_t *row;                        /* red, green, blue */
};

static uint8_t blend(uint8_t below, uint8_t above, uint8_t alpha)
{
    return (uint8_t)((above * alpha + below * (255 - alpha) + 127) / 255);
}

/* What of the pointer lies on row y. */
static void put_pointer(const struct shot *shot, uint32_t y)
{
    const struct video_pointer *pointer = shot->pointer;
    const int64_t top = (int64_t)pointer->y - pointer->hot_y;
    const int64_t left = (int64_t)pointer->x - pointer->hot_x, row = (int64_t)y - top;
    if (!pointer->is_visible || row < 0 || row >= pointer->height) {
        return;
    }
    const uint8_t *pixel = pointer->pixels + (size_t)row * pointer->width * 4;
    for (uint32_t x = 0; x < pointer->width; x++, pixel += 4) {
        if (left + x < 0 || left + x >= shot->screen->width) {
            continue;
        }
        uint8_t *to = shot->row + (left + x) * 3;
        for (unsigned i = 0; i < 3; i++) {
            to[i] = blend(to[i], pixel[2 - i], pixel[3]);
        }
    }
}

static void take_row(const struct shot *shot, uint32_t y)
{
    const struct video_screen *screen = shot->screen;
    const uint8_t *from = screen->pixels + (size_t)y * screen->pitch;
    uint8_t *row = shot->row;
    if (screen->depth == 16) {
        row_of_16_bits(from, row, screen->width);
    } else {
        row_of_32_bits(from, row, screen->width);
    }
    if (shot->pointer != NULL) {
        put_pointer(shot, y);
    }
}

static int write_ppm(FILE *file, const struct shot *shot)
{
    const struct video_screen *screen = shot->screen;
    fprintf(file, "P6\n%u %u\n255\n", screen->width, screen->height);
    for (uint32_t y = 0; y < screen->height; y++) {
        take_row(shot, y);
        fwrite(shot->row, 3, screen->width, file);
    }
    return ferror(file) ? -EIO : 0;
}

/* libpng reports errors by longjmp: this function owns nothing that would be lost. */
static int write_rows(png_structp png, png_infop info, FILE *file, const struct shot *shot)
{
    const struct video_screen *screen = shot->screen;
    if (setjmp(png_jmpbuf(png)) != 0) {
        return -EIO;
    }
    png_init_io(png, file);
    png_set_compression_level(png, 1);
    png_set_IHDR(png, info, screen->width, screen->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (uint32_t y = 0; y < screen->height; y++) {
        take_row(shot, y);
        png_write_row(png, shot->row);
    }
    png_write_end(png, info);
    return 0;
}

static int write_png(FILE *file, const struct shot *shot)
{
    int result = -ENOMEM;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    if (info != NULL) {
        result = write_rows(png, info, file, shot);
    }
    png_destroy_write_struct(&png, &info);
    return result;
}

int screenshot_write(const struct video_screen *screen, const struct video_pointer *pointer,
                     const char *path)
{
    const char *ending = strrchr(path, '.');
    const struct shot shot = {screen, pointer, malloc((size_t)screen->width * 3)};
    FILE *file = shot.row != NULL ? fopen(path, "wb") : NULL;
    if (file == NULL) {
        const int error = shot.row != NULL ? -errno : -ENOMEM;
        free(shot.row);
        return error;
    }
    int result = ending != NULL && strcmp(ending, ".ppm") == 0 ? write_ppm(file, &shot)
                                                               : write_png(file, &shot);
    free(shot.row);
    return fclose(file) != 0 && result == 0 ? -EIO : result;
}
