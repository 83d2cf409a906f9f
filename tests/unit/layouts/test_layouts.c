/* SPDX-License-Identifier: BSD-3-Clause */
/* Layouts: their text form, the table made of it, and text that the kext's strokes give on
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kext/core/errors.h"
#include "kext/input/key_layout.h"
#include "layouts/layout.h"
#include "protocol/utf16.h"
#include "tests/unit/layouts/shipped_layout.h"
#include "xnu/families/hid/typed_text.h"

#define ROWS "`1234567890-=\nqwertyuiop[]\\\nasdfghjkl;'\n\xC2\xA7zxcvbnm,./\n"

static const char *const names[] = { "british", "french",   "german",  "italian",
                                     "portuguese", "russian", "spanish", "swedish",
                                     "swiss-german", "us" };
#define NAMES (sizeof names / sizeof names[0])

static struct layout layout;
static uint8_t table[KEY_LAYOUT_BYTES_MAXIMUM];

static uint32_t line_wrong(const char *text)
{
    return layout_read(&layout, text, strlen(text));
}

/* What a program reads when the strokes are pressed on the loaded layout. */
static uint32_t pressed(const struct key_stroke *strokes, uint32_t count)
{
    struct typed_text text = { 0 };
    uint32_t result = 0;

    for (uint32_t i = 0; i < count; i++) {
        result = typed_text_layout_key(&text, &layout, strokes[i].key, 0,
                                       strokes[i].modifiers & KEY_LAYOUT_SHIFT,
                                       strokes[i].modifiers & KEY_LAYOUT_OPTION, false);
        assert_true(i + 1 == count || result == 0);
    }
    return result;
}

static const struct key_layout *built_in(const char *name)
{
    const struct key_layout *found = key_layout_named(name, (uint32_t)strlen(name));

    assert_non_null(found);
    return found;
}

/* ---- built in ---- */

static void each_layout_types_what_it_has(void **state)
{
    (void)state;
    for (unsigned i = 0; i < NAMES; i++) {
        const struct key_layout *keys = built_in(names[i]);
        unsigned known = 0;

        shipped_layout(&layout, names[i]);
        for (uint32_t character = 0x20; character < 0x10000; character++) {
            struct key_stroke strokes[KEY_STROKES_MAXIMUM];
            uint32_t count = key_layout_strokes(keys, character, strokes);

            if (count == 0)
                continue;
            assert_in_range(count, 1, 2);
            assert_int_equal(pressed(strokes, count), character);
            known++;
        }
        assert_int_equal(known, keys->count);
        assert_in_range(known, 150, 400);
    }
}

static void every_layout_has_all_of_ascii_but_the_russian_one(void **state)
{
    (void)state;
    for (unsigned i = 0; i < NAMES; i++)
        for (uint32_t character = 0x20; character < 0x7F; character++) {
            struct key_stroke strokes[KEY_STROKES_MAXIMUM];
            uint32_t count = key_layout_strokes(built_in(names[i]), character, strokes);

            if (strcmp(names[i], "russian") != 0 || character < 'A')
                assert_int_not_equal(count, 0);
        }
}

static void expect_strokes(const char *name, uint32_t character, uint32_t count,
                           struct key_stroke first, struct key_stroke second)
{
    struct key_stroke strokes[KEY_STROKES_MAXIMUM];

    assert_int_equal(key_layout_strokes(built_in(name), character, strokes), count);
    assert_int_equal(strokes[0].key, first.key);
    assert_int_equal(strokes[0].modifiers, first.modifiers);
    if (count == 2) {
        assert_int_equal(strokes[1].key, second.key);
        assert_int_equal(strokes[1].modifiers, second.modifiers);
    }
}

/* Facts that are on the key caps. */
static void keys_are_where_each_country_has_them(void **state)
{
    const struct key_stroke none = { 0, 0 };

    (void)state;
    expect_strokes("german", 'z', 1, (struct key_stroke){ 0x10, 0 }, none);
    expect_strokes("german", 0xFC, 1, (struct key_stroke){ 0x21, 0 }, none);
    expect_strokes("german", '@', 1, (struct key_stroke){ 0x25, KEY_LAYOUT_OPTION }, none);
    expect_strokes("german", 0xE9, 2, (struct key_stroke){ 0x18, 0 },
                   (struct key_stroke){ 0x0E, 0 });
    expect_strokes("french", 'a', 1, (struct key_stroke){ 0x0C, 0 }, none);
    expect_strokes("french", '1', 1, (struct key_stroke){ 0x12, KEY_LAYOUT_SHIFT }, none);
    expect_strokes("french", 0xE9, 1, (struct key_stroke){ 0x13, 0 }, none);
    expect_strokes("spanish", 0xF1, 1, (struct key_stroke){ 0x29, 0 }, none);
    expect_strokes("british", 0xA3, 1, (struct key_stroke){ 0x14, KEY_LAYOUT_SHIFT }, none);
    expect_strokes("swedish", 0xE5, 1, (struct key_stroke){ 0x21, 0 }, none);
    expect_strokes("russian", 0x416, 1, (struct key_stroke){ 0x29, KEY_LAYOUT_SHIFT }, none);
    expect_strokes("us", 0xA7, 1, (struct key_stroke){ 0x16, KEY_LAYOUT_OPTION }, none);
}

static void a_dead_key_and_the_space_bar_give_the_accent(void **state)
{
    (void)state;
    expect_strokes("german", '^', 2,
                   (struct key_stroke){ 0x16, KEY_LAYOUT_SHIFT | KEY_LAYOUT_OPTION },
                   (struct key_stroke){ 0x31, 0 });
    expect_strokes("german", '`', 2, (struct key_stroke){ 0x18, KEY_LAYOUT_SHIFT },
                   (struct key_stroke){ 0x31, 0 });
}

static void what_no_layout_moves_is_known_on_each(void **state)
{
    struct key_stroke strokes[KEY_STROKES_MAXIMUM];

    (void)state;
    for (unsigned i = 0; i < NAMES; i++) {
        assert_int_equal(key_layout_strokes(built_in(names[i]), '\r', strokes), 1);
        assert_int_equal(strokes[0].key, 0x24);
        assert_int_equal(key_layout_strokes(built_in(names[i]), '\t', strokes), 1);
        assert_int_equal(strokes[0].key, 0x30);
        assert_int_equal(key_layout_strokes(built_in(names[i]), 0x01, strokes), 0);
        assert_int_equal(key_layout_strokes(built_in(names[i]), 0x4E2D, strokes), 0);
    }
}

static void hexadecimal_input_types_every_character(void **state)
{
    const struct key_layout *hexadecimal = built_in("unicode-hex-input");
    struct key_stroke strokes[KEY_STROKES_MAXIMUM];

    (void)state;
    assert_int_equal(key_layout_strokes(hexadecimal, 'A', strokes), 1);
    assert_int_equal(strokes[0].modifiers, KEY_LAYOUT_SHIFT);
    assert_int_equal(key_layout_strokes(hexadecimal, 0x4E2D, strokes), 4);
    for (unsigned i = 0; i < 4; i++) {
        static const uint8_t keys[] = { 0x15, 0x0E, 0x13, 0x02 };       /* 4 e 2 d */

        assert_int_equal(strokes[i].key, keys[i]);
        assert_int_equal(strokes[i].modifiers, KEY_LAYOUT_OPTION);
    }
    assert_int_equal(key_layout_strokes(hexadecimal, 0x1F600, strokes), 8);
    assert_int_equal(strokes[0].key, 0x02);     /* d83d de00 */
    assert_int_equal(strokes[1].key, 0x1C);
    assert_int_equal(strokes[4].key, 0x02);
    assert_int_equal(strokes[7].key, 0x1D);
}

static void names_are_whole(void **state)
{
    (void)state;
    assert_null(key_layout_named("german", 5));
    assert_null(key_layout_named("germanic", 8));
    assert_null(key_layout_named("", 0));
    assert_ptr_equal(key_layout_named("us", 2), key_layout_default());
}

/* ---- text ---- */

static void text_is_refused_with_its_line(void **state)
{
    (void)state;
    assert_int_equal(line_wrong("name x\nlevel plain\n" ROWS), 0);
    assert_int_equal(line_wrong("# a comment\n\nname x\n"), 0);
    assert_int_equal(line_wrong(""), 1);                        /* without a name */
    assert_int_equal(line_wrong("name x\nlevel plain\n`12\n"), 3);
    assert_int_equal(line_wrong("name x\nlevel plain\n`1234567890-=x\n"), 3);
    assert_int_equal(line_wrong("name x\nlevel plain\n`1234567890-=\n"), 4);
    assert_int_equal(line_wrong("name x\nlevel control\n"), 2);
    assert_int_equal(line_wrong("name x\nlevel shift control\n"), 2);
    assert_int_equal(line_wrong("name a b\n"), 1);
    assert_int_equal(line_wrong("name \n"), 1);
    assert_int_equal(line_wrong("name 0123456789012345678901234567890123\n"), 1);
    assert_int_equal(line_wrong("name x\ndead ^ a\n"), 2);      /* half a pair */
    assert_int_equal(line_wrong("name x\ndead ^\n"), 2);
    assert_int_equal(line_wrong("name x\nnonsense\n"), 2);
    assert_int_equal(line_wrong("name x\ndead ^ a\xFF\n"), 2);  /* no UTF-8 */
    assert_int_equal(line_wrong("name x\ndead ^ a\xC3"), 2);
}

static void too_many_compositions_are_refused(void **state)
{
    char text[65536] = "name x\n";

    (void)state;
    for (unsigned i = 0; i < 1024; i++)
        strcat(text, "dead ^ \n");
    assert_int_equal(line_wrong(text), 0);
    strcat(text, "dead ^ \n");
    assert_int_equal(line_wrong(text), 1026);
}

/* ---- tables from outside ---- */

static uint32_t german_table(void)
{
    shipped_layout(&layout, "german");
    return (uint32_t)layout_make_table(&layout, table);
}

static void a_table_is_the_built_in_layout(void **state)
{
    uint32_t length = german_table();
    const struct key_layout *german = built_in("german");
    struct key_layout checked;

    (void)state;
    assert_int_equal(key_layout_check(table, length, &checked), 0);
    assert_string_equal(checked.name, "german");
    assert_int_equal(checked.count, german->count);
    assert_memory_equal(checked.entries, german->entries, checked.count * sizeof *checked.entries);
    assert_false(checked.is_hexadecimal);
}

static void refused(uint32_t length)
{
    struct key_layout checked = { "kept", NULL, 7, false };

    assert_int_equal(key_layout_check(table, length, &checked), HV_ERROR_MALFORMED);
    assert_int_equal(checked.count, 7);
}

/* Each changes one thing; then the good one works. */
static void bad_tables_are_refused_and_the_next_good_one_is_not(void **state)
{
    static const struct {
        uint32_t at;
        uint8_t value;
    } changes[] = {
        { 0, 'X' },                     /* magic */
        { 4, 2 },                       /* version */
        { 6, 1 },                       /* count */
        { 7, 0xFF },
        { 8, ' ' },                     /* name: no letter, none at all, no end, something behind */
        { 8, 0 },
        { 39, 'x' },
        { 40, 0x1F },                   /* a control character */
        { 42, 0x11 },                   /* beyond Unicode, and not in order any more */
        { 44, 0x80 },                   /* the dead key */
        { 45, 1 },                      /* modifiers without a dead key */
        { 46, 0x80 },                   /* the key */
        { 46, 0x38 },                   /* Shift is no key to press */
        { 47, 4 },                      /* modifiers */
        { 48, 0x20 },                   /* a character twice */
        { 48 + 1, 0xD8 },               /* out of order */
    };
    const uint32_t length = german_table();
    struct key_layout checked;

    (void)state;
    for (unsigned i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t before = table[changes[i].at];

        table[changes[i].at] = changes[i].value;
        refused(length);
        table[changes[i].at] = before;
    }
    for (uint32_t shorter = 0; shorter < length; shorter++)
        refused(shorter);
    refused(length + 8);
    assert_int_equal(key_layout_check(table, length, &checked), 0);
}

static void surrogates_and_delete_are_no_characters(void **state)
{
    static const uint32_t bad[] = { 0x7F, 0xD800, 0xDFFF, 0x110000, 0xFFFFFFFF };
    struct key_layout_header header = { KEY_LAYOUT_MAGIC, KEY_LAYOUT_VERSION, 1, "x" };
    struct key_layout_entry entry = { 0x10FFFF, KEY_LAYOUT_NO_KEY, 0, 0, 0 };
    struct key_layout checked;

    (void)state;
    memcpy(table, &header, sizeof header);
    memcpy(table + sizeof header, &entry, sizeof entry);
    assert_int_equal(key_layout_check(table, 48, &checked), 0);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        entry.character = bad[i];
        memcpy(table + sizeof header, &entry, sizeof entry);
        refused(48);
    }
}

static void of_two_ways_the_shorter_is_taken(void **state)
{
    const char *text = "name x\nlevel plain\n" ROWS "level shift\n`1234567890-=\n"
                       "QWERTYUIOP[]\\\nASDFGHJKL;'\n\xC2\xA7ZXCVBNM,./\n";
    struct key_layout checked;
    struct key_stroke strokes[KEY_STROKES_MAXIMUM];

    (void)state;
    assert_int_equal(layout_read(&layout, text, strlen(text)), 0);
    assert_int_equal(
        key_layout_check(table, (uint32_t)layout_make_table(&layout, table), &checked), 0);
    assert_int_equal(key_layout_strokes(&checked, '1', strokes), 1);
    assert_int_equal(strokes[0].modifiers, 0);
    assert_int_equal(key_layout_strokes(&checked, 'Q', strokes), 1);
    assert_int_equal(strokes[0].modifiers, KEY_LAYOUT_SHIFT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_layout_types_what_it_has),
        cmocka_unit_test(every_layout_has_all_of_ascii_but_the_russian_one),
        cmocka_unit_test(keys_are_where_each_country_has_them),
        cmocka_unit_test(a_dead_key_and_the_space_bar_give_the_accent),
        cmocka_unit_test(what_no_layout_moves_is_known_on_each),
        cmocka_unit_test(hexadecimal_input_types_every_character),
        cmocka_unit_test(names_are_whole),
        cmocka_unit_test(text_is_refused_with_its_line),
        cmocka_unit_test(too_many_compositions_are_refused),
        cmocka_unit_test(a_table_is_the_built_in_layout),
        cmocka_unit_test(bad_tables_are_refused_and_the_next_good_one_is_not),
        cmocka_unit_test(surrogates_and_delete_are_no_characters),
        cmocka_unit_test(of_two_ways_the_shorter_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
