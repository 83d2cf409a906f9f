/* SPDX-License-Identifier: BSD-3-Clause */
/* The console's font, cells, log view and pointer, on a picture in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "xnu/console/font.h"
#include "xnu/console/log_view.h"
#include "xnu/console/pointer_shape.h"
#include "xnu/console/text_screen.h"

enum { COLUMNS = 10, ROWS = 5, WIDTH = COLUMNS * FONT_WIDTH + 3, HEIGHT = ROWS * FONT_HEIGHT + 5,
       PITCH_GAP = 8, UNTOUCHED = 0xee };

struct rig {
    struct framebuffer_picture picture;
    struct text_screen screen;
    struct log_view view;
    size_t bytes;
    void *cells;
};

static struct rig *rig_create(uint32_t bits)
{
    struct rig *rig = calloc(1, sizeof *rig);

    rig->picture = (struct framebuffer_picture){
        .width = WIDTH, .height = HEIGHT, .pitch = WIDTH * bits / 8 + PITCH_GAP, .bits = bits,
        .red = bits == 16 ? 0xf800 : 0xff0000, .green = bits == 16 ? 0x7e0 : 0xff00,
        .blue = bits == 16 ? 0x1f : 0xff,
    };
    rig->bytes = (size_t)rig->picture.pitch * HEIGHT;
    rig->picture.pixels = malloc(rig->bytes);
    memset(rig->picture.pixels, UNTOUCHED, rig->bytes);
    rig->cells = malloc(text_screen_bytes(WIDTH, HEIGHT));
    text_screen_open(&rig->screen, &rig->picture, rig->cells);
    log_view_open(&rig->view, &rig->screen, 1, ROWS);
    return rig;
}

static void rig_free(struct rig *rig)
{
    free(rig->picture.pixels);
    free(rig->cells);
    free(rig);
}

static uint32_t pixel_at(const struct rig *rig, uint32_t x, uint32_t y)
{
    uint32_t pixel = 0;

    memcpy(&pixel, rig->picture.pixels + (size_t)y * rig->picture.pitch + x * rig->picture.bits / 8,
           rig->picture.bits / 8);
    return pixel;
}

/* The pixels of a cell are the character's glyph in the style's colours. */
static void expect_drawn(const struct rig *rig, uint32_t row, uint32_t column, uint16_t character,
                         enum text_style style)
{
    const uint8_t *glyph = font_rows(character);

    for (uint32_t y = 0; y < FONT_HEIGHT; y++)
        for (uint32_t x = 0; x < FONT_WIDTH; x++)
            assert_int_equal(pixel_at(rig, column * FONT_WIDTH + x, row * FONT_HEIGHT + y),
                             glyph[y] & 0x80 >> x ? rig->screen.ink[style]
                                                  : rig->screen.paper[style]);
}

/* A row of cells, blanks at its end left out. */
static void expect_row(const struct rig *rig, uint32_t row, const char *text)
{
    for (uint32_t column = 0; column < COLUMNS; column++) {
        uint16_t expected = column < strlen(text) ? (uint8_t)text[column] : ' ';

        assert_int_equal(rig->screen.cells[row * COLUMNS + column].character, expected);
    }
}

static void write_text(struct rig *rig, const char *text)
{
    log_view_write(&rig->view, text, strlen(text));
}

/* ---- the font ------------------------------------------------------------------------------- */

static bool is_empty(const uint8_t *rows)
{
    for (unsigned y = 0; y < FONT_HEIGHT; y++)
        if (rows[y])
            return false;
    return true;
}

static void ascii_and_latin_1_have_glyphs_of_their_own(void **state)
{
    const uint8_t *unknown = font_rows(0x4e00);

    assert_ptr_equal(unknown, font_rows(FONT_UNKNOWN));
    for (uint16_t a = 0x21; a < 0x100; a++) {
        if (a > 0x7e && a < 0xa1)
            continue;
        assert_ptr_not_equal(font_rows(a), unknown);
        assert_false(is_empty(font_rows(a)));
        for (uint16_t b = 0x21; b < a; b++)
            if (b <= 0x7e || (b >= 0xa1 && a != 0xad && b != 0xad))
                assert_memory_not_equal(font_rows(a), font_rows(b), FONT_HEIGHT);
    }
    assert_true(is_empty(font_rows(' ')));
}

/* Neighbours do not run into each other. */
static void letters_leave_a_gap(void **state)
{
    for (uint16_t character = 'A'; character <= 'z'; character++)
        for (unsigned y = 0; y < FONT_HEIGHT; y++)
            assert_int_equal(font_rows(character)[y] & 0x80, 0);
}

/* ---- cells ---------------------------------------------------------------------------------- */

static void cells_become_glyphs_in_both_depths(void **state)
{
    for (uint32_t bits = 16; bits <= 32; bits += 16) {
        struct rig *rig = rig_create(bits);

        text_screen_put(&rig->screen, 2, 3, 'g', TEXT_NAME);
        assert_int_equal(text_screen_paint(&rig->screen), COLUMNS * ROWS);
        expect_drawn(rig, 2, 3, 'g', TEXT_NAME);
        expect_drawn(rig, 2, 4, ' ', TEXT_NORMAL);
        rig_free(rig);
    }
}

static void only_what_differs_is_painted_and_nothing_outside(void **state)
{
    struct rig *rig = rig_create(32);

    text_screen_paint(&rig->screen);
    assert_int_equal(text_screen_paint(&rig->screen), 0);
    text_screen_put(&rig->screen, ROWS, 0, 'x', TEXT_NORMAL);
    text_screen_put(&rig->screen, 0, COLUMNS, 'x', TEXT_NORMAL);
    assert_int_equal(text_screen_paint(&rig->screen), 0);
    text_screen_put(&rig->screen, 0, 0, 'x', TEXT_NORMAL);
    assert_int_equal(text_screen_paint(&rig->screen), 1);
    for (uint32_t y = 0; y < HEIGHT; y++) /* between the rows of the picture */
        for (unsigned i = 0; i < PITCH_GAP; i++)
            assert_int_equal(rig->picture.pixels[y * rig->picture.pitch + WIDTH * 4 + i],
                             UNTOUCHED);
    rig_free(rig);
}

/* What is left at the right and at the bottom has the colour of the paper. */
static void margins_are_filled(void **state)
{
    struct rig *rig = rig_create(32);

    text_screen_paint(&rig->screen);
    assert_int_equal(pixel_at(rig, WIDTH - 1, 0), rig->screen.paper[TEXT_NORMAL]);
    assert_int_equal(pixel_at(rig, 0, HEIGHT - 1), rig->screen.paper[TEXT_NORMAL]);
    assert_int_equal(pixel_at(rig, WIDTH - 1, HEIGHT - 1), rig->screen.paper[TEXT_NORMAL]);
    rig_free(rig);
}

static void sizes_without_a_cell_or_beyond_any_screen_are_refused(void **state)
{
    assert_int_equal(text_screen_bytes(7, 768), 0);
    assert_int_equal(text_screen_bytes(1024, 15), 0);
    assert_int_equal(text_screen_bytes(0x40000000, 0x40000000), 0);
    assert_int_equal(text_screen_bytes(8, 16), 2 * sizeof(struct text_cell));
}

/* ---- the log -------------------------------------------------------------------------------- */

static void lines_appear_when_they_end_and_scroll(void **state)
{
    struct rig *rig = rig_create(32);

    write_text(rig, "one\ntwo");
    expect_row(rig, 1, "one");
    expect_row(rig, 2, "");
    write_text(rig, "!\n\nfour\nfive\n");
    expect_row(rig, 0, ""); /* not the log's */
    expect_row(rig, 1, "two!");
    expect_row(rig, 2, "");
    expect_row(rig, 3, "four");
    expect_row(rig, 4, "five");
    rig_free(rig);
}

static void long_lines_are_broken_and_endless_ones_too(void **state)
{
    struct rig *rig = rig_create(32);

    write_text(rig, "0123456789abc\n");
    expect_row(rig, 1, "0123456789");
    expect_row(rig, 2, "abc");
    for (unsigned i = 0; i < LOG_VIEW_LINE_MAX + 1; i++)
        write_text(rig, "x");
    expect_row(rig, 3, "xxxxxxxxxx");
    rig_free(rig);
}

static void tabs_and_control_characters(void **state)
{
    struct rig *rig = rig_create(32);

    write_text(rig, "a\tb\a\r\x7f\x1b\n");
    expect_row(rig, 1, "a       b");
    rig_free(rig);
}

static void utf8_arrives_and_broken_bytes_are_boxes(void **state)
{
    struct rig *rig = rig_create(32);
    const struct text_cell *cells = rig->screen.cells + COLUMNS;

    write_text(rig, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\xc3z\n");
    assert_int_equal(cells[0].character, 0xe9);
    assert_int_equal(cells[1].character, 0x20ac);
    assert_int_equal(cells[2].character, FONT_UNKNOWN);
    assert_int_equal(cells[3].character, FONT_UNKNOWN);
    assert_int_equal(cells[4].character, FONT_UNKNOWN);
    assert_int_equal(cells[5].character, 'z');
    rig_free(rig);
}

static void the_name_before_a_line_stands_out(void **state)
{
    struct rig *rig = rig_create(32);
    const struct text_cell *cells = rig->screen.cells + COLUMNS;

    write_text(rig, "abc: d\nab c: d\n");
    assert_int_equal(cells[2].style, TEXT_NAME);
    assert_int_equal(cells[3].style, TEXT_NORMAL);
    assert_int_equal(cells[COLUMNS].style, TEXT_NORMAL); /* a name is one word */
    rig_free(rig);
}

static void a_line_of_another_style_ends_the_one_before(void **state)
{
    static const uint16_t typed[] = { 'h', 'i' };
    struct rig *rig = rig_create(32);

    write_text(rig, "half");
    log_view_add_line(&rig->view, typed, 2, TEXT_INPUT);
    expect_row(rig, 1, "half");
    expect_row(rig, 2, "hi");
    assert_int_equal(rig->screen.cells[2 * COLUMNS].style, TEXT_INPUT);
    rig_free(rig);
}

static void a_view_without_rows_takes_text(void **state)
{
    struct rig *rig = rig_create(32);

    log_view_open(&rig->view, &rig->screen, 1, 1);
    write_text(rig, "lost\n");
    expect_row(rig, 1, "");
    rig_free(rig);
}

/* ---- the pointer ---------------------------------------------------------------------------- */

static void a_pointer_leaves_no_trace_wherever_it_was(void **state)
{
    static const int32_t places[][2] = { { 0, 0 }, { -5, -9 }, { WIDTH - 1, HEIGHT - 1 },
                                         { WIDTH + 50, 3 }, { 20, HEIGHT - 4 },
                                         { INT32_MAX, INT32_MIN } };
    for (uint32_t bits = 16; bits <= 32; bits += 16) {
        struct rig *rig = rig_create(bits);
        struct drawn_pointer pointer = { 0 };
        uint8_t *before = malloc(rig->bytes);

        for (size_t i = 0; i < rig->bytes; i++)
            rig->picture.pixels[i] = (uint8_t)(i * 7);
        memcpy(before, rig->picture.pixels, rig->bytes);
        for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
            pointer_draw(&pointer, &rig->picture, places[i][0], places[i][1]);
            if (i == 0) {
                assert_int_equal(pixel_at(rig, 0, 0), 0);
                assert_int_equal(pixel_at(rig, 1, 2), picture_pixel(&rig->picture, 0xffffff));
            }
            pointer_erase(&pointer, &rig->picture);
            assert_memory_equal(rig->picture.pixels, before, rig->bytes);
        }
        free(before);
        rig_free(rig);
    }
}

static void the_shape_for_hardware_points_with_its_corner(void **state)
{
    uint32_t pixels[POINTER_WIDTH * POINTER_HEIGHT];

    pointer_shape_pixels(pixels);
    assert_int_equal(pixels[0], 0xff000000);
    assert_int_equal(pixels[1], 0);
    assert_int_equal(pixels[2 * POINTER_WIDTH + 1], 0xffffffff);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascii_and_latin_1_have_glyphs_of_their_own),
        cmocka_unit_test(letters_leave_a_gap),
        cmocka_unit_test(cells_become_glyphs_in_both_depths),
        cmocka_unit_test(only_what_differs_is_painted_and_nothing_outside),
        cmocka_unit_test(margins_are_filled),
        cmocka_unit_test(sizes_without_a_cell_or_beyond_any_screen_are_refused),
        cmocka_unit_test(lines_appear_when_they_end_and_scroll),
        cmocka_unit_test(long_lines_are_broken_and_endless_ones_too),
        cmocka_unit_test(tabs_and_control_characters),
        cmocka_unit_test(utf8_arrives_and_broken_bytes_are_boxes),
        cmocka_unit_test(the_name_before_a_line_stands_out),
        cmocka_unit_test(a_line_of_another_style_ends_the_one_before),
        cmocka_unit_test(a_view_without_rows_takes_text),
        cmocka_unit_test(a_pointer_leaves_no_trace_wherever_it_was),
        cmocka_unit_test(the_shape_for_hardware_points_with_its_corner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
