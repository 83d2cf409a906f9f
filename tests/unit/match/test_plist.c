/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's XML dialect, what lenient reading adds, binary property lists, and hostile ones. */
#include "tests/unit/match/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "match/plist_libplist.h"
#include "match/plist_write.h"

static void count_warning(void *context, const struct plist_diagnostic *warning)
{
    (void)warning;
    (*(unsigned *)context)++;
}

static struct plist *parse(const char *text, bool lenient, unsigned *warnings,
                           struct plist_diagnostic *error)
{
    const struct plist_reader reader = { lenient, count_warning, warnings };

    *warnings = 0;
    return plist_parse_xml(text, strlen(text), &reader, error);
}

struct row {
    const char *text;
    bool strict;  /* does the kernel take it? */
    bool lenient; /* do we, with a warning? */
};

static void strict_takes_the_dialect_and_lenient_says_where_it_is_left(void **state)
{
    static const struct row rows[] = {
        { "<plist version=\"1.0\"><dict><key>a</key><string>b</string></dict></plist>", true,
          true },
        { "<?xml version=\"1.0\"?><!DOCTYPE plist SYSTEM \"x\"><plist><array/></plist>", true,
          true },
        { "<array><string>a&amp;b&lt;&gt;</string></array>", true, true },
        { "<array><string>&quot;</string></array>", false, true },
        { "<array><string>&#65;</string></array>", false, true },
        { "<array><string>&bomb;</string></array>", false, false },
        { "<array><true></true></array>", false, true },
        { "<array><real>1.5</real></array>", false, true },
        { "<array><date>2020-01-01T00:00:00Z</date></array>", false, true },
        { "<array>\r\n<true/>\r\n</array>", false, true },
        { "\xEF\xBB\xBF<array/>", false, true },
        { "<array><string>a<!-- b -->c</string></array>", false, true },
        { "<dict><key>a</key><true/><key>a</key><false/></dict>", false, true },
        { "<dict><key>a</key></dict>", false, false },
        { "<dict><string>a</string></dict>", false, false },
        { "<array><integer>0x1f</integer><integer>-3</integer></array>", true, true },
        { "<array><integer>1x</integer></array>", false, false },
        { "<array><integer/></array>", false, false },
        { "<array><data>AAE=</data><data format=\"hex\">00ff</data></array>", true, true },
        { "<array><data>!</data></array>", false, false },
        { "<array><true/>", false, false },
        { "<array></dict>", false, false },
        { "<array><string>x", false, false },
        { "<array><unknown/></array>", false, false },
        { "bplist00", false, false },
        { "", false, false },
        { "<dict><key>a</key><array ID=\"1\"/><key>b</key><array IDREF=\"1\"/></dict>", true,
          true },
        { "<dict><key>b</key><array IDREF=\"1\"/></dict>", false, false },
        { "<array ID=\"1\"><array IDREF=\"1\"/></array>", false, false }, /* a cycle */
    };
    struct plist_diagnostic error;
    unsigned warnings;
    size_t index;

    (void)state;
    for (index = 0; index < sizeof rows / sizeof *rows; index++) {
        struct plist *strict = parse(rows[index].text, false, &warnings, &error);
        struct plist *lenient = parse(rows[index].text, true, &warnings, &error);

        if ((strict != NULL) != rows[index].strict || (lenient != NULL) != rows[index].lenient)
            fail_msg("%s: strict %d, lenient %d", rows[index].text, strict != NULL,
                     lenient != NULL);
        if (rows[index].lenient && (warnings == 0) != rows[index].strict)
            fail_msg("%s: %u warnings", rows[index].text, warnings);
        if (!rows[index].strict && !rows[index].lenient)
            assert_true(error.line >= 1 && *error.text != '\0');
        plist_release(strict);
        plist_release(lenient);
    }
}

static void errors_tell_line_and_column(void **state)
{
    struct plist_diagnostic error;
    unsigned warnings;

    (void)state;
    assert_null(parse("<dict>\n  <key>a</key>\n  <oops/>\n</dict>", false, &warnings, &error));
    assert_int_equal(error.line, 3);
    assert_true(error.column > 3);
}

static void strings_with_comments_are_joined(void **state)
{
    unsigned warnings;
    struct plist *value = parse("<string>0x1 <!-- one --> 0x2</string>", true, &warnings, NULL);

    (void)state;
    assert_string_equal(plist_string(value), "0x1  0x2");
    plist_release(value);
}

/* Time for `count` of something must not grow with its square: all of it within a second or two. */
static void big_dictionaries_sets_and_ids_are_read_in_linear_time(void **state)
{
    enum { COUNT = 40000 };
    static const char *const forms[][3] = {
        { "<dict>", "<key>k%d</key><true/>", "</dict>" },
        { "<set>", "<integer>%d</integer>", "</set>" },
        { "<array>", "<string ID=\"%d\">x</string>", "</array>" },
    };
    size_t form;
    int index;

    (void)state;
    for (form = 0; form < 3; form++) {
        char *text = malloc(COUNT * 40 + 100);
        size_t length = (size_t)sprintf(text, "%s", forms[form][0]);
        clock_t start;
        struct plist *value;

        for (index = 0; index < COUNT; index++) {
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-nonliteral"
            length += (size_t)sprintf(text + length, forms[form][1], index);
#pragma clang diagnostic pop
        }
        length += (size_t)sprintf(text + length, "%s", forms[form][2]);
        start = clock();
        value = plist_parse_xml(text, length, NULL, NULL);
        assert_non_null(value);
        assert_int_equal(plist_count(value), COUNT);
        assert_true((clock() - start) / CLOCKS_PER_SEC < 3);
        if (form == 0)
            assert_non_null(plist_get(value, "k39999"));
        plist_release(value);
        free(text);
    }
}

static void nesting_references_and_size_have_bounds(void **state)
{
    char text[8192] = "";
    struct plist_diagnostic error;
    unsigned warnings;
    size_t length = 0;
    int index;

    (void)state;
    for (index = 0; index < PLIST_DEPTH_MAX + 10; index++)
        length += (size_t)sprintf(text + length, "<array>");
    assert_null(parse(text, true, &warnings, &error));
    assert_non_null(strstr(error.text, "nested"));
    length = (size_t)sprintf(text, "<array><array ID=\"0\"><true/><true/></array>");
    for (index = 1; index < 40; index++) /* 2^40 values in 40 lines */
        length += (size_t)sprintf(
            text + length, "<array ID=\"%d\"><array IDREF=\"%d\"/><array IDREF=\"%d\"/></array>",
            index, index - 1, index - 1);
    sprintf(text + length, "</array>");
    assert_null(parse(text, true, &warnings, &error));
    assert_non_null(strstr(error.text, "stand for more"));
}

/* The same document through libplist: it must be the same value. */
static void libplist_agrees(void **state)
{
    static const char text[] =
        "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict><key>name</key><string>a &amp; "
        "b</string><key>n</key>"
        "<integer>-5</integer><key>big</key><integer>4294967296</integer><key>list</"
        "key><array><true/><false/>"
        "<data>AQIDBA==</data><dict><key>deep</key><string></string></dict></array></dict></plist>";
    struct plist *ours = plist_parse_xml(text, sizeof text - 1, NULL, NULL);
    struct plist_diagnostic error;
    struct plist *binary;
    size_t size;
    char *bytes = libplist_xml_to_binary(text, sizeof text - 1, &size);

    (void)state;
    assert_non_null(ours);
    assert_non_null(bytes);
    binary = plist_parse_binary(bytes, size, &error);
    assert_non_null(binary);
    assert_true(plist_equal(ours, binary));
    assert_true(plist_hash(ours) == plist_hash(binary));
    plist_release(ours);
    plist_release(binary);
    free(bytes);
}

static void cut_binary_files_are_refused_at_every_length(void **state)
{
    static const char text[] =
        "<plist><dict><key>a</key><array><string>b</string><integer>3</integer></array>"
        "</dict></plist>";
    struct plist_diagnostic error;
    size_t size;
    size_t length;
    char *bytes = libplist_xml_to_binary(text, sizeof text - 1, &size);

    (void)state;
    assert_non_null(bytes);
    for (length = 0; length < size; length++) {
        char *cut = malloc(length + 1);

        memcpy(cut, bytes, length);
        assert_null(plist_parse_binary(cut, length, &error));
        assert_true(*error.text != '\0');
        free(cut);
    }
    free(bytes);
}

static void binary_bombs_and_cycles_are_refused(void **state)
{
    /* 40 arrays, each of twice the one before it; and an array that holds itself. */
    unsigned char bomb[512] = "bplist00";
    unsigned char cycle[64] = "bplist00";
    struct plist_diagnostic error;
    size_t length = 8;
    size_t table;
    unsigned index;

    (void)state;
    for (index = 0; index < 40; index++) {
        bomb[length++] = index == 0 ? 0xA0 : 0xA2;
        if (index > 0) {
            bomb[length++] = (unsigned char)(index - 1);
            bomb[length++] = (unsigned char)(index - 1);
        }
    }
    table = length;
    for (index = 0; index < 40; index++)
        bomb[length++] = (unsigned char)(index == 0 ? 8 : 9 + (index - 1) * 3);
    bomb[length + 6] = bomb[length + 7] = 1;
    bomb[length + 15] = 40;
    bomb[length + 23] = 39;
    bomb[length + 31] = (unsigned char)table;
    assert_null(plist_parse_binary(bomb, length + 32, &error));
    assert_non_null(strstr(error.text, "stand for more"));

    cycle[8] = 0xA1;
    cycle[9] = 0;
    cycle[10] = 8;
    cycle[11 + 6] = cycle[11 + 7] = 1;
    cycle[11 + 15] = 1;
    cycle[11 + 31] = 10;
    assert_null(plist_parse_binary(cycle, 11 + 32, &error));
    assert_non_null(strstr(error.text, "contains itself"));
}

static void what_is_written_reads_back_equal(void **state)
{
    static const char text[] =
        "<dict><key>a&lt;</key><array><integer>-1</integer><data>AQI=</data><set><true/></set>"
        "<string>x &amp; y</string><dict/></array></dict>";
    struct plist *value = plist_parse_xml(text, sizeof text - 1, NULL, NULL);
    char *written = NULL;
    size_t size;
    FILE *file = open_memstream(&written, &size);
    struct plist *again;

    (void)state;
    plist_write_head(file);
    plist_write_comment(file, "a -- b ->", 0);
    plist_write_value(file, value, 0);
    plist_write_tail(file);
    fclose(file);
    again = plist_parse_xml(written, size, NULL, NULL);
    assert_non_null(again);
    assert_true(plist_equal(value, again));
    plist_release(value);
    plist_release(again);
    free(written);
}

static void garbage_is_refused_quickly(void **state)
{
    enum { SIZE = 4 << 20 };
    struct plist_diagnostic error;
    unsigned char *garbage = malloc(SIZE);
    uint32_t random = 1;
    size_t index;

    (void)state;
    for (index = 0; index < SIZE; index++) {
        random = random * 1664525 + 1013904223;
        garbage[index] = (unsigned char)(random >> 24);
    }
    assert_null(plist_parse_xml(garbage, SIZE, NULL, &error));
    memset(garbage, '<', SIZE);
    assert_null(plist_parse_xml(garbage, SIZE, NULL, &error));
    memcpy(garbage, "bplist00", 8);
    assert_null(plist_parse_binary(garbage, SIZE, &error));
    free(garbage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_takes_the_dialect_and_lenient_says_where_it_is_left),
        cmocka_unit_test(errors_tell_line_and_column),
        cmocka_unit_test(strings_with_comments_are_joined),
        cmocka_unit_test(big_dictionaries_sets_and_ids_are_read_in_linear_time),
        cmocka_unit_test(nesting_references_and_size_have_bounds),
        cmocka_unit_test(libplist_agrees),
        cmocka_unit_test(cut_binary_files_are_refused_at_every_length),
        cmocka_unit_test(binary_bombs_and_cycles_are_refused),
        cmocka_unit_test(what_is_written_reads_back_equal),
        cmocka_unit_test(garbage_is_refused_quickly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
