/* SPDX-License-Identifier: BSD-3-Clause */
/* The keyboard controller, register by register. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/platform/i8042.h"

enum { FULL = 0x01, SYSTEM = 0x04, COMMAND = 0x08, UNLOCKED = 0x10, FROM_MOUSE = 0x20 };

static struct i8042 i8042;

static int set_up(void **state)
{
    i8042_reset(&i8042);
    return 0;
}

static uint8_t status(void)
{
    return i8042_read(&i8042, I8042_COMMAND_PORT);
}

static void command(uint8_t value)
{
    i8042_write(&i8042, I8042_COMMAND_PORT, value);
}

static void data(uint8_t value)
{
    i8042_write(&i8042, I8042_DATA_PORT, value);
}

/* The next bytes at the data port are these, and then it is empty. */
static void expect_bytes(const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_true(status() & FULL);
        assert_int_equal(i8042_read(&i8042, I8042_DATA_PORT), bytes[i]);
    }
    assert_false(status() & FULL);
}
#define EXPECT(...) \
    expect_bytes((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void put(uint8_t byte)
{
    i8042_put_keys(&i8042, &byte, 1);
}

static void the_status_says_what_was_last(void **state)
{
    assert_int_equal(status(), SYSTEM | UNLOCKED);
    command(0xae);
    assert_int_equal(status(), SYSTEM | COMMAND | UNLOCKED);
    data(0xee);
    assert_int_equal(status(), FULL | SYSTEM | UNLOCKED);
    EXPECT(0xee);
    assert_int_equal(i8042_read(&i8042, I8042_DATA_PORT), 0xee); /* what was there stays */
}

static void the_controller_answers_its_commands(void **state)
{
    static const uint8_t table[][2] = {
        {0x20, 0x47}, {0xa1, 0x00}, {0xa4, 0xf1}, {0xa9, 0x00}, {0xaa, 0x55}, {0xab, 0x00},
        {0xc0, 0x80}, {0xd0, 0x03}, {0x3f, 0x00},
    };
    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        command(table[i][0]);
        assert_false(i8042_line(&i8042, I8042_KEYBOARD_LINE)); /* its answers interrupt nobody */
        EXPECT(table[i][1]);
    }
}

static void commands_without_an_answer_say_nothing(void **state)
{
    static const uint8_t silent[] = {0xa7, 0xa8, 0xad, 0xae, 0xc1, 0xc2, 0x00, 0x5f, 0xf1, 0xff};
    for (unsigned i = 0; i < sizeof(silent); i++) {
        command(silent[i]);
        assert_false(status() & FULL);
        assert_false(i8042.reset_wanted);
    }
}

static void its_memory_is_read_and_written(void **state)
{
    command(0x60);
    data(0x65);
    command(0x20);
    EXPECT(0x65);
    command(0x7f);
    data(0xab);
    command(0x3f);
    EXPECT(0xab);
    command(0xad);
    command(0x20);
    EXPECT(0x75);
    command(0xae);
    command(0x20);
    EXPECT(0x65);
}

static void keys_interrupt_one_byte_at_a_time(void **state)
{
    put(0x1e);
    put(0x9e);
    assert_true(i8042_line(&i8042, I8042_KEYBOARD_LINE));
    assert_false(i8042_line(&i8042, I8042_MOUSE_LINE));
    assert_int_equal(i8042_read(&i8042, I8042_DATA_PORT), 0x1e);
    assert_true(i8042_line(&i8042, I8042_KEYBOARD_LINE));
    assert_int_equal(i8042_read(&i8042, I8042_DATA_PORT), 0x9e);
    assert_false(i8042_line(&i8042, I8042_KEYBOARD_LINE));
}

static void no_line_rises_that_is_off(void **state)
{
    command(0x60);
    data(0x44);
    put(0x1e);
    assert_true(status() & FULL);
    assert_false(i8042_line(&i8042, I8042_KEYBOARD_LINE));
    command(0x60);
    data(0x45);
    assert_true(i8042_line(&i8042, I8042_KEYBOARD_LINE));
}

static void a_keyboard_that_is_off_keeps_its_keys(void **state)
{
    command(0xad);
    put(0x1e);
    assert_false(status() & FULL);
    command(0xae);
    EXPECT(0x1e);
}

static void the_keyboard_answers_its_commands(void **state)
{
    data(0xf2);
    EXPECT(0xfa, 0xab, 0x41);
    data(0xfe);
    EXPECT(0x41); /* again */
    data(0xff);
    EXPECT(0xfa, 0xaa);
    data(0xf4);
    EXPECT(0xfa);
    assert_true(i8042.is_scanning);
    data(0xf5);
    EXPECT(0xfa);
    assert_false(i8042.is_scanning);
    data(0xf0);
    EXPECT(0xfa);
    data(0x02);
    EXPECT(0xfa);
    data(0xf7);
    EXPECT(0xfa);
    data(0x12); /* no command */
    EXPECT(0xfe);
}

static void lights_are_set(void **state)
{
    data(0xed);
    EXPECT(0xfa);
    assert_false(i8042.lights_said);
    data(0x04);
    EXPECT(0xfa);
    assert_true(i8042.lights_said);
    assert_int_equal(i8042.lights, 4);
    data(0xed);
    EXPECT(0xfa);
    data(0xf4); /* another command instead */
    EXPECT(0xfa);
    assert_int_equal(i8042.lights, 4);
}

static void answers_do_not_break_keys_apart(void **state)
{
    put(0xe0);
    put(0x48);
    assert_int_equal(i8042_read(&i8042, I8042_DATA_PORT), 0xe0);
    data(0xed);
    EXPECT(0x48, 0xfa);
}

static void enabling_forgets_keys(void **state)
{
    put(0x1e); /* this one is in the controller already */
    put(0x9e);
    data(0xf4);
    EXPECT(0x1e, 0xfa);
}

static void the_mouse_is_there_and_rests(void **state)
{
    command(0xd4);
    data(0xff);
    assert_true(status() & FROM_MOUSE);
    assert_true(i8042_line(&i8042, I8042_MOUSE_LINE));
    assert_false(i8042_line(&i8042, I8042_KEYBOARD_LINE));
    EXPECT(0xfa, 0xaa, 0x00);
    command(0xd4);
    data(0xf4);
    EXPECT(0xfa);
}

static void mouse(uint8_t value)
{
    command(0xd4);
    data(value);
}

static void the_mouse_answers_as_a_mouse(void **state)
{
    mouse(0xf2);
    EXPECT(0xfa, 0x00);
    mouse(0xe9);
    EXPECT(0xfa, 0x00, 2, 100);
    mouse(0xeb);
    EXPECT(0xfa, 0x08, 0, 0);
    mouse(0xf4);
    EXPECT(0xfa);
    mouse(0xe7);
    EXPECT(0xfa);
    mouse(0xf0);
    EXPECT(0xfa);
    mouse(0xe9);
    EXPECT(0xfa, 0x70, 2, 100);
    mouse(0xf5);
    EXPECT(0xfa);
    mouse(0xe6);
    EXPECT(0xfa);
    mouse(0xea);
    EXPECT(0xfa);
    mouse(0xe9);
    EXPECT(0xfa, 0x00, 2, 100);
}

static void the_mouse_takes_rate_and_resolution(void **state)
{
    mouse(0xf3);
    EXPECT(0xfa);
    mouse(200);
    EXPECT(0xfa);
    mouse(0xe8);
    EXPECT(0xfa);
    mouse(3);
    EXPECT(0xfa);
    mouse(0xe9);
    EXPECT(0xfa, 0x00, 3, 200);
    mouse(0xe8); /* no such resolution, no such rate: it waits for another */
    EXPECT(0xfa);
    mouse(4);
    EXPECT(0xfe);
    mouse(1);
    EXPECT(0xfa);
    mouse(0xf3);
    EXPECT(0xfa);
    mouse(201);
    EXPECT(0xfe);
    mouse(0xe9); /* a command instead */
    EXPECT(0xfa, 0x00, 1, 200);
    mouse(0xf6);
    EXPECT(0xfa);
    mouse(0xe9);
    EXPECT(0xfa, 0x00, 2, 100);
}

static void the_mouse_echoes_until_it_is_told_not_to(void **state)
{
    mouse(0xee);
    EXPECT(0xfa);
    mouse(0xf2);
    EXPECT(0xf2);
    mouse(0x12);
    EXPECT(0x12);
    mouse(0xec);
    EXPECT(0xfa);
    mouse(0xf2);
    EXPECT(0xfa, 0x00);
    mouse(0xee);
    EXPECT(0xfa);
    mouse(0xff);
    EXPECT(0xfa, 0xaa, 0x00);
    mouse(0xf2);
    EXPECT(0xfa, 0x00);
}

/* Linux takes whatever has lights for a keyboard. */
static void the_mouse_has_no_lights(void **state)
{
    mouse(0xed);
    EXPECT(0xfe);
    mouse(0x00);
    EXPECT(0xfe);
    mouse(0xf4); /* and goes on */
    EXPECT(0xfa);
}

static void bytes_can_be_put_into_the_buffer(void **state)
{
    command(0xd2);
    data(0x77);
    assert_true(i8042_line(&i8042, I8042_KEYBOARD_LINE));
    EXPECT(0x77);
    command(0xd3);
    data(0x66);
    assert_true(i8042_line(&i8042, I8042_MOUSE_LINE));
    EXPECT(0x66);
}

static void the_reset_line_resets(void **state)
{
    command(0xfe);
    assert_true(i8042.reset_wanted);
    i8042.reset_wanted = false;
    command(0xd1);
    data(0xfe);
    assert_true(i8042.reset_wanted);
    i8042.reset_wanted = false;
    command(0xd1);
    data(0xdf);
    assert_false(i8042.reset_wanted);
}

static void a_keyboard_that_nobody_reads_stays_in_bounds(void **state)
{
    const unsigned room = i8042_room(&i8042);
    command(0xad);
    for (unsigned i = 0; i < room + 100; i++) {
        put(0x1e);
    }
    assert_int_equal(i8042_room(&i8042), 0);
    for (unsigned i = 0; i < 100; i++) {
        data(0xf2); /* nobody reads the answers either */
    }
    command(0xae);
    while (status() & FULL) {
        i8042_read(&i8042, I8042_DATA_PORT);
    }
    assert_int_equal(i8042_room(&i8042), I8042_KEYS);
    data(0xee);
    EXPECT(0xee); /* and the next one works */
}

#define TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_status_says_what_was_last),
        TEST(the_controller_answers_its_commands),
        TEST(commands_without_an_answer_say_nothing),
        TEST(its_memory_is_read_and_written),
        TEST(keys_interrupt_one_byte_at_a_time),
        TEST(no_line_rises_that_is_off),
        TEST(a_keyboard_that_is_off_keeps_its_keys),
        TEST(the_keyboard_answers_its_commands),
        TEST(lights_are_set),
        TEST(answers_do_not_break_keys_apart),
        TEST(enabling_forgets_keys),
        TEST(the_mouse_is_there_and_rests),
        TEST(the_mouse_answers_as_a_mouse),
        TEST(the_mouse_takes_rate_and_resolution),
        TEST(the_mouse_echoes_until_it_is_told_not_to),
        TEST(the_mouse_has_no_lights),
        TEST(bytes_can_be_put_into_the_buffer),
        TEST(the_reset_line_resets),
        TEST(a_keyboard_that_nobody_reads_stays_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
