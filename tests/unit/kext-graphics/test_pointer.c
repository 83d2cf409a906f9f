/* SPDX-License-Identifier: BSD-3-Clause */
/* The pointer: order of rows and bytes, limits, parts, and how it is hidden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kext/graphics/pointer.h"

static struct pointer pointer;
static uint32_t picture[97 * 97];

static void begin(void)
{
    memset(&pointer, 0, sizeof pointer);
    for (uint32_t i = 0; i < sizeof picture / sizeof *picture; i++)
        picture[i] = i * 0x01020305u;
}

static void rows_are_turned_over_and_bytes_kept(void **state)
{
    static const uint32_t pixels[6] = { 0x80FF0102, 0x11223344, 0, 1, 2, 3 };
    static const uint8_t last_row[8] = { 0x02, 0x01, 0xFF, 0x80, 0x44, 0x33, 0x22, 0x11 };
    const struct pointer_shape *shape;

    (void)state;
    begin();
    assert_int_equal(pointer_set_shape(&pointer, pixels, 2, 3, 1, 2), 0);
    pointer_move(&pointer, 5, 6, true);
    shape = pointer_shape(&pointer);
    assert_int_equal(shape->width, 2);
    assert_int_equal(shape->height, 3);
    assert_int_equal(shape->hot_x, 1);
    assert_int_equal(shape->hot_y, 2);
    assert_memory_equal(shape->pixels + 16, last_row, 8);       /* B, G, R, A */
    assert_memory_equal(shape->pixels, &pixels[4], 8);
}

static void limits_are_those_of_hosts(void **state)
{
    (void)state;
    begin();
    assert_int_equal(pointer_set_shape(&pointer, picture, 96, 96, 0, 0), 0);
    assert_int_equal(pointer_set_shape(&pointer, picture, 97, 96, 0, 0), HV_ERROR_TOO_LARGE);
    assert_int_equal(pointer_set_shape(&pointer, picture, 96, 97, 0, 0), HV_ERROR_TOO_LARGE);
    assert_int_equal(pointer_set_shape(&pointer, picture, 0, 1, 0, 0), HV_ERROR_INVALID);
    assert_int_equal(pointer_set_shape(&pointer, picture, 1, 0, 0, 0), HV_ERROR_INVALID);
    assert_int_equal(pointer.shape.width, 96);  /* the good one stays */
    assert_int_equal(pointer_set_shape(&pointer, picture, 16, 8, 400, 8), 0);
    assert_int_equal(pointer.shape.hot_x, 15);
    assert_int_equal(pointer.shape.hot_y, 7);
}

static void every_size_goes_out_whole_in_parts(void **state)
{
    (void)state;
    begin();
    for (uint32_t edge = 1; edge <= 96; edge++) {
        uint32_t index = 0, total = 0, length;
        const uint8_t *bytes;
        uint8_t number = 0;

        assert_int_equal(pointer_set_shape(&pointer, picture, edge, edge, 0, 0), 0);
        while (pointer_part(&pointer.shape, index, &number, &bytes, &length)) {
            assert_ptr_equal(bytes, pointer.shape.pixels + total);
            assert_in_range(length, 1, SYNTHVID_POINTER_BYTES);
            total += length;
            assert_int_equal(number, total == edge * edge * 4 ? 0xFF : index);
            index++;
        }
        assert_int_equal(total, edge * edge * 4);
        assert_int_equal(number, 0xFF);
        assert_int_equal(index, (edge * edge * 4 + 8191) / 8192);
    }
}

static void a_hidden_pointer_has_a_shape_that_nobody_sees(void **state)
{
    const struct pointer_shape *shape;

    (void)state;
    begin();
    shape = pointer_shape(&pointer);    /* none was set yet */
    assert_int_equal(shape->width, 1);
    assert_int_equal(shape->height, 1);
    assert_int_equal(shape->pixels[3], 0);
    pointer_set_shape(&pointer, picture, 32, 32, 3, 4);
    assert_true(pointer_move(&pointer, 1, 1, true));
    assert_int_equal(pointer_shape(&pointer)->width, 32);
    assert_false(pointer_move(&pointer, 2, 1, true));   /* only elsewhere */
    assert_true(pointer_move(&pointer, 2, 1, false));
    assert_int_equal(pointer_shape(&pointer)->width, 1);
    assert_true(pointer_move(&pointer, 2, 1, true));
    assert_int_equal(pointer_shape(&pointer)->width, 32);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_turned_over_and_bytes_kept),
        cmocka_unit_test(limits_are_those_of_hosts),
        cmocka_unit_test(every_size_goes_out_whole_in_parts),
        cmocka_unit_test(a_hidden_pointer_has_a_shape_that_nobody_sees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
