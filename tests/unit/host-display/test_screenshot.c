/* SPDX-License-Identifier: BSD-3-Clause */
/* Pictures as files: read back with libpng, or as the plain PPM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/display/screenshot.h"

enum { WIDTH = 3, HEIGHT = 2, BYTES = WIDTH * HEIGHT * 3 };

static const uint8_t screen_pixels[] = { /* B, G, R, unused; four bytes between the rows */
    1, 2, 3, 9, 4, 5, 6, 9, 7, 8, 9, 9, 0xee, 0xee, 0xee, 0xee,
    11, 12, 13, 9, 14, 15, 16, 9, 17, 18, 19, 9, 0xee, 0xee, 0xee, 0xee};
static const struct video_screen screen = {screen_pixels, WIDTH, HEIGHT, WIDTH * 4 + 4, 32};
static const uint8_t expected[BYTES] = {3, 2, 1, 6, 5, 4, 9, 8, 7,
                                        13, 12, 11, 16, 15, 14, 19, 18, 17};

static void path_of(char path[64], const char *ending)
{
    snprintf(path, 64, "/tmp/test-screenshot-%d.%s", (int)getpid(), ending);
}

static void read_ppm(const char *path, uint8_t pixels[BYTES])
{
    FILE *file = fopen(path, "rb");
    unsigned width, height, maximum;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "P6 %u %u %u", &width, &height, &maximum), 3);
    assert_int_equal(width, WIDTH);
    assert_int_equal(height, HEIGHT);
    assert_int_equal(fgetc(file), '\n');
    assert_int_equal(fread(pixels, 1, BYTES, file), BYTES);
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
    unlink(path);
}

static void shoot(const struct video_screen *from, const struct video_pointer *pointer,
                  uint8_t pixels[BYTES])
{
    char path[64];
    path_of(path, "ppm");
    assert_int_equal(screenshot_write(from, pointer, path), 0);
    read_ppm(path, pixels);
}

static void a_png_file_has_the_pixels(void **state)
{
    char path[64];
    uint8_t pixels[BYTES];
    png_image image = {.version = PNG_IMAGE_VERSION};
    path_of(path, "png");
    assert_int_equal(screenshot_write(&screen, NULL, path), 0);
    assert_int_equal(png_image_begin_read_from_file(&image, path), 1);
    assert_int_equal(image.width, WIDTH);
    assert_int_equal(image.height, HEIGHT);
    image.format = PNG_FORMAT_RGB;
    assert_int_equal(png_image_finish_read(&image, NULL, pixels, 0, NULL), 1);
    assert_memory_equal(pixels, expected, BYTES);
    unlink(path);
}

static void a_ppm_file_has_them_too(void **state)
{
    uint8_t pixels[BYTES];
    shoot(&screen, NULL, pixels);
    assert_memory_equal(pixels, expected, BYTES);
}

static void sixteen_bits_are_stretched_to_the_ends_of_the_range(void **state)
{
    static const uint16_t words[] = {0xf800, 0x07e0, 0x001f, 0xffff, 0x0000, 0x8410};
    static const uint8_t wanted[BYTES] = {255, 0, 0, 0, 255, 0, 0, 0, 255,
                                          255, 255, 255, 0, 0, 0, 132, 130, 132};
    const struct video_screen thin = {(const uint8_t *)words, WIDTH, HEIGHT, WIDTH * 2, 16};
    uint8_t pixels[BYTES];
    shoot(&thin, NULL, pixels);
    assert_memory_equal(pixels, wanted, BYTES);
}

static void a_pointer_lies_on_it_blended_and_cut_at_the_edges(void **state)
{
    static struct video_pointer pointer = {
        .width = 2, .height = 2, .hot_x = 1, .hot_y = 1, .is_visible = true,
        .pixels = {0, 0, 200, 255, 0, 200, 0, 255, 200, 0, 0, 0, 255, 255, 255, 128}};
    uint8_t pixels[BYTES], wanted[BYTES];
    memcpy(wanted, expected, BYTES);
    pointer.x = 1; /* its corner is on the first pixel of all */
    pointer.y = 1;
    memcpy(wanted, (const uint8_t[]){200, 0, 0, 0, 200, 0}, 6);
    memcpy(wanted + 12, (const uint8_t[]){136, 135, 135}, 3); /* half of white */
    shoot(&screen, &pointer, pixels);
    assert_memory_equal(pixels, wanted, BYTES);
    pointer.x = 0; /* only its right half */
    memcpy(wanted, expected, BYTES);
    memcpy(wanted, (const uint8_t[]){0, 200, 0}, 3);
    memcpy(wanted + 9, (const uint8_t[]){134, 134, 133}, 3);
    shoot(&screen, &pointer, pixels);
    assert_memory_equal(pixels, wanted, BYTES);
    pointer.x = INT32_MIN; /* nowhere near, and hidden */
    shoot(&screen, &pointer, pixels);
    assert_memory_equal(pixels, expected, BYTES);
    pointer.x = 1;
    pointer.is_visible = false;
    shoot(&screen, &pointer, pixels);
    assert_memory_equal(pixels, expected, BYTES);
}

static void what_cannot_be_written_is_said(void **state)
{
    assert_int_equal(screenshot_write(&screen, NULL, "/nonexistent/picture.png"), -ENOENT);
    if (access("/dev/full", W_OK) == 0) {
        assert_int_equal(screenshot_write(&screen, NULL, "/dev/full"), -EIO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_png_file_has_the_pixels),
        cmocka_unit_test(a_ppm_file_has_them_too),
        cmocka_unit_test(sixteen_bits_are_stretched_to_the_ends_of_the_range),
        cmocka_unit_test(a_pointer_lies_on_it_blended_and_cut_at_the_edges),
        cmocka_unit_test(what_cannot_be_written_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
