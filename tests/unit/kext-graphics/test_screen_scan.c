/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding changes: nothing is missed, nothing is reported that is not there, quiet screens cost a
 * sixteenth, and the rate is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kext/graphics/refresh.h"
#include "kext/graphics/screen_scan.h"

enum { WIDTH = 1920, HEIGHT = 1080, RECTANGLES = 16 };

static const struct screen_geometry geometry = { WIDTH, HEIGHT, WIDTH * 4, 4 };
static struct screen_scan scan;
static struct synthvid_rectangle found[RECTANGLES];
static uint8_t *pixels;
static uint64_t *marks;

static void begin_with(const struct screen_geometry *with)
{
    free(pixels);
    free(marks);
    memset(&scan, 0, sizeof scan);
    pixels = calloc(with->height, with->pitch);
    marks = calloc(screen_scan_mark_count(with), sizeof *marks);
    screen_scan_begin(&scan, with, marks);
}

static void begin(void)
{
    begin_with(&geometry);
    assert_int_equal(screen_scan_look(&scan, pixels, found, RECTANGLES), 1);
}

static uint32_t look(void)
{
    return screen_scan_look(&scan, pixels, found, RECTANGLES);
}

static void touch(uint32_t x, uint32_t y)
{
    pixels[(size_t)y * geometry.pitch + x * 4]++;
}

static bool is_covered(uint32_t count, int32_t x, int32_t y)
{
    for (uint32_t i = 0; i < count; i++)
        if (x >= found[i].left && x < found[i].right && y >= found[i].top && y < found[i].bottom)
            return true;
    return false;
}

static void expect_sound(uint32_t count, uint32_t width, uint32_t height)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(found[i].left >= 0 && found[i].left < found[i].right);
        assert_true(found[i].top >= 0 && found[i].top < found[i].bottom);
        assert_true((uint32_t)found[i].right <= width && (uint32_t)found[i].bottom <= height);
    }
}

static int end(void **state)
{
    (void)state;
    free(pixels);
    free(marks);
    pixels = NULL;
    marks = NULL;
    return 0;
}

/* ---- looks ----------------------------------------------------------------------------------- */

static void the_first_look_reports_the_whole_screen(void **state)
{
    (void)state;
    begin();
    assert_int_equal(found[0].left, 0);
    assert_int_equal(found[0].top, 0);
    assert_int_equal(found[0].right, WIDTH);
    assert_int_equal(found[0].bottom, HEIGHT);
    assert_int_equal(look(), 0);
}

static void every_single_pixel_is_found(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t x = i * 7919 % WIDTH, y = i * 104729 % HEIGHT, count;

        touch(x, y);
        count = look();
        assert_int_equal(count, 1);
        assert_true(is_covered(count, (int32_t)x, (int32_t)y));
        assert_true(found[0].right - found[0].left <= 256 && found[0].bottom - found[0].top <= 16);
        expect_sound(count, WIDTH, HEIGHT);
        assert_int_equal(look(), 0);
    }
}

static void every_bit_of_a_pixel_counts(void **state)
{
    (void)state;
    begin();
    for (uint32_t bit = 0; bit < 64; bit++) {
        pixels[4096 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(look(), 1);
        pixels[4096 + 32 + bit / 8] ^= (uint8_t)(1 << bit % 8); /* the same lane, the same bit */
        pixels[4096 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(look(), 1);
        pixels[4096 + 32 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(look(), 1);
    }
}

static void two_pixels_that_change_places_are_found(void **state)
{
    (void)state;
    begin();
    memset(pixels, 1, 8);
    assert_int_equal(look(), 1);
    memset(pixels, 0, 8);
    memset(pixels + 64, 1, 8);          /* two words on, in the same lane */
    assert_int_equal(look(), 1);
}

static void changes_far_apart_are_apart(void **state)
{
    uint32_t count;

    (void)state;
    begin();
    touch(0, 0);
    touch(WIDTH - 1, 0);
    touch(1000, 500);
    count = look();
    assert_int_equal(count, 3);
    assert_true(is_covered(count, 0, 0) && is_covered(count, WIDTH - 1, 0) &&
                is_covered(count, 1000, 500));
    assert_false(is_covered(count, 600, 0) || is_covered(count, 0, 500));
}

static void a_window_is_one_rectangle(void **state)
{
    (void)state;
    begin();
    for (uint32_t y = 100; y < 400; y++)
        for (uint32_t x = 300; x < 900; x++)
            touch(x, y);
    assert_int_equal(look(), 1);
    assert_int_equal(found[0].left, 256);
    assert_int_equal(found[0].right, 1024);
    assert_int_equal(found[0].top, 96);
    assert_int_equal(found[0].bottom, 400);
}

static void more_changes_than_rectangles_are_all_covered(void **state)
{
    uint32_t count;

    (void)state;
    begin();
    for (uint32_t y = 0; y < HEIGHT; y += 40)
        for (uint32_t x = (y / 40 % 2) * 256; x < WIDTH; x += 512)
            touch(x, y);
    count = look();
    assert_in_range(count, 1, RECTANGLES);
    expect_sound(count, WIDTH, HEIGHT);
    for (uint32_t y = 0; y < HEIGHT; y += 40)
        for (uint32_t x = (y / 40 % 2) * 256; x < WIDTH; x += 512)
            assert_true(is_covered(count, (int32_t)x, (int32_t)y));
    touch(7, 7);
    touch(7, 700);
    assert_int_equal(screen_scan_look(&scan, pixels, found, 1), 1);     /* room for one */
    assert_true(is_covered(1, 7, 7) && is_covered(1, 7, 700));
}

static void what_got_lost_is_reported_again(void **state)
{
    (void)state;
    begin();
    touch(5, 5);
    assert_int_equal(look(), 1);
    screen_scan_forget(&scan);
    assert_int_equal(look(), 1);
    assert_int_equal(found[0].bottom, HEIGHT);
    assert_int_equal(look(), 0);
}

static void odd_screens_are_read_to_their_last_pixel_and_not_beyond(void **state)
{
    static const struct screen_geometry odd[] = {
        { 641, 481, 641 * 4, 4 },       /* neither width nor height divide */
        { 800, 600, 4096, 4 },          /* lines with a gap */
        { 801, 599, 801 * 2, 2 },       /* 16 bits */
        { 16383, 17, 16383 * 4, 4 },    /* as wide as can be */
    };

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        const struct screen_geometry *of = &odd[i];
        uint32_t count;

        begin_with(of);
        count = look();
        expect_sound(count, of->width, of->height);
        assert_int_equal(found[0].right, of->width);
        assert_int_equal(found[0].bottom, of->height);
        pixels[(size_t)(of->height - 1) * of->pitch + of->width * of->bytes_per_pixel - 1]++;
        assert_int_equal(look(), 1);
        assert_true(is_covered(1, (int32_t)of->width - 1, (int32_t)of->height - 1));
        if (of->pitch > of->width * of->bytes_per_pixel) {
            pixels[of->width * of->bytes_per_pixel]++;  /* the gap is no screen */
            assert_int_equal(look(), 0);
        }
    }
}

static void screens_that_are_too_wide_are_refused(void **state)
{
    static const struct screen_geometry wide = { 16385, 10, 16385 * 4, 4 };
    static const struct screen_geometry empty = { 0, 10, 0, 4 };

    (void)state;
    assert_int_equal(screen_scan_mark_count(&wide), 0);
    assert_int_equal(screen_scan_mark_count(&empty), 0);
    assert_int_equal(screen_scan_mark_count(&geometry), 8 * HEIGHT);
}

/* ---- glances --------------------------------------------------------------------------------- */

static void a_glance_reads_a_sixteenth(void **state)
{
    uint64_t before, whole = (uint64_t)WIDTH * HEIGHT * 4;

    (void)state;
    begin();
    before = scan.bytes_read;
    for (unsigned i = 0; i < 16; i++)
        assert_false(screen_scan_glance(&scan, pixels));
    assert_int_equal(scan.bytes_read - before, whole);  /* sixteen of them, each line once */
}

static void a_line_shows_within_sixteen_glances(void **state)
{
    (void)state;
    begin();
    for (uint32_t y = 0; y < 64; y++) {
        unsigned glances = 1;

        touch(100, y);
        while (!screen_scan_glance(&scan, pixels))
            glances++;
        assert_in_range(glances, 1, 16);
        assert_int_equal(look(), 1);
        assert_true(is_covered(1, 100, (int32_t)y));
    }
}

static void what_is_sixteen_lines_high_shows_at_once(void **state)
{
    (void)state;
    begin();
    for (uint32_t top = 0; top < 40; top++) {
        for (uint32_t y = top; y < top + 16; y++)
            touch(1500, y);
        assert_true(screen_scan_glance(&scan, pixels));
        assert_true(screen_scan_glance(&scan, pixels)); /* until somebody looks */
        assert_true(look() > 0);
        assert_false(screen_scan_glance(&scan, pixels));
    }
}

/* ---- the rate -------------------------------------------------------------------------------- */

static void nobody_who_wants_to_know_costs_nothing(void **state)
{
    struct refresh refresh = { 0 };

    (void)state;
    assert_int_equal(refresh_next(&refresh), REFRESH_NOTHING);
    assert_int_equal(refresh_done(&refresh, true), 0);
    refresh_want(&refresh, true);
    assert_int_equal(refresh_next(&refresh), REFRESH_LOOK);
    refresh_want(&refresh, false);
    assert_int_equal(refresh_next(&refresh), REFRESH_NOTHING);
    assert_int_equal(refresh_done(&refresh, false), 0);
}

static void a_screen_that_changes_is_looked_at_steadily(void **state)
{
    struct refresh refresh = { 0 };

    (void)state;
    refresh_want(&refresh, true);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(refresh_next(&refresh), REFRESH_LOOK);
        assert_int_equal(refresh_done(&refresh, i % 8 == 0), REFRESH_MILLISECONDS);
    }
}

static void a_quiet_screen_is_only_glanced_at(void **state)
{
    struct refresh refresh = { 0 };
    unsigned looks = 0;

    (void)state;
    refresh_want(&refresh, true);
    while (refresh_next(&refresh) == REFRESH_LOOK && ++looks < 100)
        refresh_done(&refresh, false);
    assert_int_equal(looks, REFRESH_LOOKS_TO_QUIET);
    assert_int_equal(refresh_next(&refresh), REFRESH_GLANCE);
    assert_int_equal(refresh_done(&refresh, false), REFRESH_QUIET_MILLISECONDS);
    assert_int_equal(refresh_done(&refresh, true), REFRESH_MILLISECONDS);       /* it is awake */
    assert_int_equal(refresh_next(&refresh), REFRESH_LOOK);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_look_reports_the_whole_screen),
        cmocka_unit_test(every_single_pixel_is_found),
        cmocka_unit_test(every_bit_of_a_pixel_counts),
        cmocka_unit_test(two_pixels_that_change_places_are_found),
        cmocka_unit_test(changes_far_apart_are_apart),
        cmocka_unit_test(a_window_is_one_rectangle),
        cmocka_unit_test(more_changes_than_rectangles_are_all_covered),
        cmocka_unit_test(what_got_lost_is_reported_again),
        cmocka_unit_test(odd_screens_are_read_to_their_last_pixel_and_not_beyond),
        cmocka_unit_test(screens_that_are_too_wide_are_refused),
        cmocka_unit_test(a_glance_reads_a_sixteenth),
        cmocka_unit_test(a_line_shows_within_sixteen_glances),
        cmocka_unit_test(what_is_sixteen_lines_high_shows_at_once),
        cmocka_unit_test(nobody_who_wants_to_know_costs_nothing),
        cmocka_unit_test(a_screen_that_changes_is_looked_at_steadily),
        cmocka_unit_test(a_quiet_screen_is_only_glanced_at),
    };

    return cmocka_run_group_tests(tests, NULL, end);
}
