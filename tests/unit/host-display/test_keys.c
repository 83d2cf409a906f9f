/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and X11 symbols of keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/display/keys.h"
#include "protocol/keyboard.h"

static void expect_name(const char *name, uint16_t code, uint32_t prefix)
{
    struct keyboard_key key = {0, 0};
    assert_true(key_of_name(name, &key));
    assert_int_equal(key.code, code);
    assert_int_equal(key.prefix, prefix);
}

static void keys_are_found_by_name(void **state)
{
    struct keyboard_key key;
    expect_name("a", 0x1e, 0);
    expect_name("A", 0x1e, 0);
    expect_name("?", 0x35, 0);
    expect_name("Enter", 0x1c, 0);
    expect_name("left", 0x4b, KEYBOARD_EVENT_E0);
    expect_name("0x1E", 0x1e, 0);
    expect_name("e0-4b", 0x4b, KEYBOARD_EVENT_E0);
    expect_name("e1-1d", 0x1d, KEYBOARD_EVENT_E1);
    assert_false(key_of_name("", &key));
    assert_false(key_of_name("nonsense", &key));
    assert_false(key_of_name("0x", &key));
    assert_false(key_of_name("0x1e7", &key));
    assert_false(key_of_name("e0-1eg", &key));
    assert_false(key_of_name("\xe9", &key));
}

static void every_printable_ascii_symbol_is_a_key(void **state)
{
    struct keyboard_key key;
    for (uint32_t symbol = 0x20; symbol < 0x7f; symbol++) {
        assert_true(key_of_symbol(symbol, &key));
        assert_in_range(key.code, 2, 0x39);
        assert_int_equal(character_of_symbol(symbol), symbol);
    }
}

static void symbols_without_a_key_are_characters(void **state)
{
    struct keyboard_key key;
    assert_false(key_of_symbol(0xe9, &key));
    assert_int_equal(character_of_symbol(0xe9), 0xe9);
    assert_int_equal(character_of_symbol(0x20ac), 0x20ac);
    assert_int_equal(character_of_symbol(0x1000416), 0x416);
    assert_int_equal(character_of_symbol(0x1110000), 0);
    assert_int_equal(character_of_symbol(0xff51), 0);
    assert_false(key_of_symbol(0, &key));
    assert_true(key_of_symbol(0xff51, &key));
    assert_int_equal(key.code, 0x4b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_found_by_name),
        cmocka_unit_test(every_printable_ascii_symbol_is_a_key),
        cmocka_unit_test(symbols_without_a_key_are_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
