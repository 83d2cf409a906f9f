/* SPDX-License-Identifier: BSD-3-Clause */
/* Formatting of kernel messages, compared with the C library's where both know the conversion. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "xnu/bsd/format.h"

#pragma clang diagnostic ignored "-Wformat"
#pragma clang diagnostic ignored "-Wformat-invalid-specifier"

#define SAME(...) \
    do { \
        char ours[256], theirs[256]; \
        int our_length = format_text(ours, sizeof ours, __VA_ARGS__); \
        int their_length = snprintf(theirs, sizeof theirs, __VA_ARGS__); \
        assert_string_equal(ours, theirs); \
        assert_int_equal(our_length, their_length); \
    } while (0)

static void integers_are_written_as_the_c_library_does(void **state)
{
    static const int values[] = { 0, 1, -1, 42, -1234567, INT32_MAX, INT32_MIN };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        int v = values[i];
        SAME("%d|%i|%u|%x|%X|%o", v, v, v, v, v, v);
        SAME("%8d|%-8d|%08d|%+d|% d", v, v, v, v, v);
        SAME("%#x|%#o|%#10x|%-#10x|%#010x", v, v, v, v, v);
        SAME("%.5d|%10.5d|%-10.5d|%.0d", v, v, v, v);
        SAME("%hd|%hhd|%hu|%hhu", v, v, v, v);
        SAME("%ld|%lld|%lx|%zx|%jd", (long)v, (long long)v, (long)v, (size_t)v, (intmax_t)v);
    }
    SAME("%lld %llu %llx", INT64_MIN, UINT64_MAX, UINT64_MAX);
    SAME("%*d|%-*d|%.*d", 7, 5, 7, 5, 3, 5);
}

static void strings_obey_width_and_precision(void **state)
{
    SAME("%s|%10s|%-10s|%.2s|%.0s|%10.2s", "text", "text", "text", "text", "text", "text");
    SAME("%c%c%3c|%-3c|", 'a', 'b', 'c', 'd');
    SAME("100%% %s", "sure");
    char unterminated[3] = { 'a', 'b', 'c' };
    SAME("%.3s", unterminated);
    char ours[16];
    format_text(ours, sizeof ours, "%s", (char *)NULL);
    assert_string_equal(ours, "(null)");
}

static void bit_fields_name_their_bits(void **state)
{
    char text[64];

    format_text(text, sizeof text, "%b", 5, "\20\1ONE\2TWO\3THREE");
    assert_string_equal(text, "5<ONE,THREE>");
    format_text(text, sizeof text, "%b", 0, "\10\1ONE");
    assert_string_equal(text, "0");
}

static void output_is_cut_at_the_size_and_the_length_is_the_whole(void **state)
{
    char text[8] = "#######";

    assert_int_equal(format_text(text, 5, "%s", "abcdefgh"), 8);
    assert_string_equal(text, "abcd");
    assert_int_equal(text[5], '#');
    assert_int_equal(format_text(NULL, 0, "%d", 12345), 5);
    assert_int_equal(format_text(text, 1, "%d", 12345), 5);
    assert_string_equal(text, "");
}

static void huge_widths_are_bounded(void **state)
{
    char text[16];

    assert_int_equal(format_text(text, sizeof text, "%999999999d", 1), 4096);
    assert_int_equal(format_text(text, sizeof text, "%*d", INT32_MIN, 1), 4096);
}

static void unknown_conversions_are_copied(void **state)
{
    char text[32];

    format_text(text, sizeof text, "a%kb%d", 3);
    assert_string_equal(text, "a%kb3");
    format_text(text, sizeof text, "end%");
    assert_string_equal(text, "end%");
    format_text(text, sizeof text, "end%-08l");
    assert_string_equal(text, "end%-08l");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_written_as_the_c_library_does),
        cmocka_unit_test(strings_obey_width_and_precision),
        cmocka_unit_test(bit_fields_name_their_bits),
        cmocka_unit_test(output_is_cut_at_the_size_and_the_length_is_the_whole),
        cmocka_unit_test(huge_widths_are_bounded),
        cmocka_unit_test(unknown_conversions_are_copied),
    };
    return cmocka_run_group_tests_name("kernel formatting", tests, NULL, NULL);
}
