/* SPDX-License-Identifier: BSD-3-Clause */
/* Boot arguments: what each form of a word stores. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "xnu/bsd/boot_args.h"

static void numbers_are_read_in_every_notation(void **state)
{
    static const struct { const char *line, *name; int64_t value; } rows[] = {
        { "debug=0x144", "debug", 0x144 },
        { "debug=0X144", "debug", 0x144 },
        { "cpus=4", "cpus", 4 },
        { "mode=0b101", "mode", 5 },
        { "mode=0755", "mode", 0755 },
        { "mode=0", "mode", 0 },
        { "size=4k", "size", 4096 },
        { "size=2M", "size", 2 << 20 },
        { "size=1G", "size", 1 << 30 },
        { "size=0x10K", "size", 0x4000 },
        { "off=-7", "off", -7 },
        { "off=-0x10", "off", -16 },
        { "a=1 b=2", "b", 2 },
        { "a=1\tb=3\n", "b", 3 },
        { "  a=9  ", "a", 9 },
        { "-v", "-v", 1 },
        { "x -hvnetoff y", "-hvnetoff", 1 },
        { "-v=5", "-v", 1 },
        { "bare", "bare", 1 },
        { "a=1 a=2", "a", 1 },
        { "big=0x123456789abcdef0", "big", 0x123456789abcdef0 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t value = -99;
        assert_true(boot_args_find(rows[i].line, rows[i].name, &value, sizeof value));
        assert_int_equal(value, rows[i].value);
    }
}

static void whole_words_alone_match_and_a_miss_leaves_the_buffer(void **state)
{
    static const struct { const char *line, *name; } rows[] = {
        { "debug=1", "debu" },   { "debug=1", "debugx" }, { "xdebug=1", "debug" },
        { "-verbose", "-v" },    { "-v", "v" },           { "", "a" },
        { "a=-v", "-v" },        { "a=b=c", "b" },        { "   ", "a" },
        { "a=1", "" },           { "=1", "" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t value = 0xA5A5A5A5;
        assert_false(boot_args_find(rows[i].line, rows[i].name, &value, sizeof value));
        assert_int_equal(value, 0xA5A5A5A5);
    }
}

static void anything_but_a_number_is_a_string(void **state)
{
    static const struct { const char *line, *name, *value; } rows[] = {
        { "kext=abc", "kext", "abc" },     { "kext=12ab", "kext", "12ab" },
        { "kext=0x", "kext", "0x" },       { "kext=4kb", "kext", "4kb" },
        { "kext=-", "kext", "-" },         { "kext=", "kext", "" },
        { "kext=a=b", "kext", "a=b" },     { "kext=08", "kext", "08" },
        { "_text=123", "_text", "123" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char value[16] = "unset";
        assert_true(boot_args_find(rows[i].line, rows[i].name, value, sizeof value));
        assert_string_equal(value, rows[i].value);
    }
}

static void values_are_cut_to_the_buffer(void **state)
{
    char text[5] = "....";
    uint8_t number[4] = { 0xEE, 0xEE, 0xEE, 0xEE };
    uint8_t wide[12];

    assert_true(boot_args_find("name=abcdefgh", "name", text, sizeof text));
    assert_string_equal(text, "abcd");
    assert_true(boot_args_find("n=0x11223344", "n", number, 2));
    assert_memory_equal(number, ((uint8_t[]){ 0x44, 0x33, 0xEE, 0xEE }), 4);
    memset(wide, 0xEE, sizeof wide);
    assert_true(boot_args_find("n=-1", "n", wide, sizeof wide));
    assert_int_equal(wide[7], 0xFF);
    assert_int_equal(wide[8], 0xEE);
    assert_true(boot_args_find("name=abc", "name", text, 0));
    assert_string_equal(text, "abcd");
}

static void the_line_is_copied_and_bounded(void **state)
{
    char line[2 * BOOT_ARGS_MAX];

    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    boot_args_set(line);
    assert_int_equal(strlen(boot_args_line()), BOOT_ARGS_MAX - 1);
    boot_args_set("a=1");
    assert_string_equal(boot_args_line(), "a=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_in_every_notation),
        cmocka_unit_test(whole_words_alone_match_and_a_miss_leaves_the_buffer),
        cmocka_unit_test(anything_but_a_number_is_a_string),
        cmocka_unit_test(values_are_cut_to_the_buffer),
        cmocka_unit_test(the_line_is_copied_and_bounded),
    };
    return cmocka_run_group_tests_name("boot arguments", tests, NULL, NULL);
}
