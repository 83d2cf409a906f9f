/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration space of the display that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kext/graphics/display_config.h"

#define MEGABYTE (1u << 20)

static struct display_config config;

static void the_identity_is_that_of_generation_1(void **state)
{
    (void)state;
    assert_int_equal(display_config_make(&config, 0xF8000000, 8 * MEGABYTE), 8 * MEGABYTE);
    assert_int_equal(display_config_read(&config, 0x00, 4), 0x53531414);
    assert_int_equal(display_config_read(&config, 0x00, 2), 0x1414);
    assert_int_equal(display_config_read(&config, 0x02, 2), 0x5353);
    assert_int_equal(display_config_read(&config, 0x0B, 1), 0x03);      /* a display */
    assert_int_equal(display_config_read(&config, 0x0E, 1), 0x00);      /* one function */
    assert_int_equal(display_config_read(&config, 0x2C, 4), 0x53531414);
    assert_int_equal(display_config_read(&config, 0x34, 1), 0);         /* no capabilities */
    assert_int_equal(display_config_read(&config, 0x3D, 1), 0);         /* no interrupt */
}

static void the_base_address_says_its_size_and_does_not_move(void **state)
{
    (void)state;
    display_config_make(&config, 0xF8000000, 8 * MEGABYTE);
    assert_int_equal(display_config_read(&config, 0x10, 4), 0xF8000000);
    display_config_write(&config, 0x10, 4, 0xFFFFFFFF);
    assert_int_equal(display_config_read(&config, 0x10, 4), 0xFF800000);
    display_config_write(&config, 0x10, 4, 0xF8000000);
    assert_int_equal(display_config_read(&config, 0x10, 4), 0xF8000000);
    display_config_write(&config, 0x10, 4, 0xE0000000);
    assert_int_equal(display_config_read(&config, 0x10, 4), 0xF8000000);
    for (uint32_t offset = 0x14; offset < 0x28; offset += 4) {
        display_config_write(&config, offset, 4, 0xFFFFFFFF);
        assert_int_equal(display_config_read(&config, offset, 4), 0);
    }
    display_config_write(&config, 0x30, 4, 0xFFFFF800);                 /* no ROM */
    assert_int_equal(display_config_read(&config, 0x30, 4), 0);
}

static void command_and_line_are_kept_and_nothing_else(void **state)
{
    (void)state;
    display_config_make(&config, 0xF8000000, 8 * MEGABYTE);
    display_config_write(&config, 0x04, 2, 0xFFFF);
    assert_int_equal(display_config_read(&config, 0x04, 2), 7);
    assert_int_equal(display_config_read(&config, 0x06, 2), 0);
    display_config_write(&config, 0x3C, 1, 11);
    assert_int_equal(display_config_read(&config, 0x3C, 1), 11);
    display_config_write(&config, 0x00, 4, 0x12345678);
    display_config_write(&config, 0x2C, 4, 0x12345678);
    display_config_write(&config, 0x10, 2, 0xFFFF);
    assert_int_equal(display_config_read(&config, 0x00, 4), 0x53531414);
    assert_int_equal(display_config_read(&config, 0x2C, 4), 0x53531414);
    assert_int_equal(display_config_read(&config, 0x10, 4), 0xF8000000);
}

static void beyond_its_space_there_is_nothing(void **state)
{
    (void)state;
    display_config_make(&config, 0xF8000000, 8 * MEGABYTE);
    assert_int_equal(display_config_read(&config, 0x100, 4), 0xFFFFFFFF);
    assert_int_equal(display_config_read(&config, 0xFFF, 1), 0xFF);
    assert_int_equal(display_config_read(&config, 0x100, 2), 0xFFFF);
    display_config_write(&config, 0x104, 4, 7);
    assert_int_equal(display_config_read(&config, 0x04, 4), 0);
}

static void memory_that_no_base_address_can_have_is_cut_or_refused(void **state)
{
    (void)state;
    assert_int_equal(display_config_make(&config, 0xF8000000, 24 * MEGABYTE), 16 * MEGABYTE);
    assert_int_equal(display_config_make(&config, 0xF8100000, 8 * MEGABYTE), MEGABYTE);
    assert_int_equal(display_config_make(&config, 0xFE0000000, 8 * MEGABYTE), 0);
    assert_int_equal(display_config_make(&config, 0, 8 * MEGABYTE), 0);
    assert_int_equal(display_config_make(&config, 0xF8000000, 0), 0);
    assert_int_equal(display_config_make(&config, 0xF8000004, 64), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_identity_is_that_of_generation_1),
        cmocka_unit_test(the_base_address_says_its_size_and_does_not_move),
        cmocka_unit_test(command_and_line_are_kept_and_nothing_else),
        cmocka_unit_test(beyond_its_space_there_is_nothing),
        cmocka_unit_test(memory_that_no_base_address_can_have_is_cut_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
