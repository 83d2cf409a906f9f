/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzz target: the console of the user-space kernel, on a picture whose size and depth the first
 * bytes choose: text of any bytes, typed lines, scrolling, pointers anywhere. Pixels outside of the
 * picture stay, and what was painted last needs no painting again. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/input.h"
#include "xnu/console/font.h"
#include "xnu/console/log_view.h"
#include "xnu/console/pointer_shape.h"
#include "xnu/console/text_screen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 4, GUARD = 64, UNTOUCHED = 0xa5 };

static void write_text(struct log_view *view, struct fuzz_input *input)
{
    size_t length = next_byte(input);

    if (length > input->size)
        length = input->size;
    log_view_write(view, (const char *)input->data, length);
    input->data += length;
    input->size -= length;
}

static void add_line(struct log_view *view, struct fuzz_input *input)
{
    uint16_t line[16];
    uint32_t count = next_byte(input) % 17;

    for (uint32_t i = 0; i < count; i++)
        line[i] = (uint16_t)(next_byte(input) << 8 | next_byte(input));
    log_view_add_line(view, line, count, TEXT_INPUT);
}

static void point(struct drawn_pointer *pointer, const struct framebuffer_picture *picture,
                  struct fuzz_input *input)
{
    int32_t x = (int8_t)next_byte(input) * 8, y = (int8_t)next_byte(input) * 8;

    pointer_erase(pointer, picture);
    pointer_draw(pointer, picture, x, y);
    pointer_erase(pointer, picture);
}

static void act(struct text_screen *screen, struct log_view *view, struct drawn_pointer *pointer,
                struct fuzz_input *input)
{
    switch (next_byte(input) % 4) {
    case 0: write_text(view, input); break;
    case 1: add_line(view, input); break;
    case 2: point(pointer, &screen->picture, input); break;
    default:
        text_screen_paint(screen);
        if (text_screen_paint(screen) != 0)
            abort();
        break;
    }
}

/* Bytes between the rows and behind the last one. */
static void expect_outside_untouched(const struct framebuffer_picture *picture)
{
    const uint8_t *row = picture->pixels;
    uint32_t used = picture->width * picture_pixel_bytes(picture);

    for (uint32_t y = 0; y < picture->height; y++, row += picture->pitch)
        for (uint32_t i = used; i < picture->pitch; i++)
            if (row[i] != UNTOUCHED)
                abort();
    for (unsigned i = 0; i < GUARD; i++)
        if (row[i] != UNTOUCHED)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    uint32_t bits = data[2] & 1 ? 16 : 32;
    struct framebuffer_picture picture = {
        .width = data[0] + 1u, .height = data[1] + 1u, .bits = bits,
        .pitch = (data[0] + 1u) * bits / 8 + data[3],
        .red = bits == 16 ? 0xf800 : 0xff0000, .green = bits == 16 ? 0x7e0 : 0xff00,
        .blue = bits == 16 ? 0x1f : 0xff,
    };
    struct fuzz_input input = { data + HEAD, size - HEAD };
    size_t cells_bytes = text_screen_bytes(picture.width, picture.height);
    size_t bytes = (size_t)picture.pitch * picture.height + GUARD;
    void *cells = malloc(cells_bytes ? cells_bytes : 1);
    struct drawn_pointer pointer = { 0 };
    struct text_screen screen;
    struct log_view view;

    picture.pixels = malloc(bytes);
    memset(picture.pixels, UNTOUCHED, bytes);
    text_screen_open(&screen, &picture, cells);
    log_view_open(&view, &screen, 1, screen.rows > 1 ? screen.rows - 1 : 1);
    while (input.size > 0)
        act(&screen, &view, &pointer, &input);
    expect_outside_untouched(&picture);
    free(picture.pixels);
    free(cells);
    return 0;
}
