/* SPDX-License-Identifier: BSD-3-Clause */
/* hvkeyboardd's reading of a layout: every key of one is pressed, as on macOS, and what comes out
 * types the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemons/keyboard/layout_reader.h"
#include "tests/unit/layouts/shipped_layout.h"

static struct layout original, read_back;
static uint8_t wanted[KEY_LAYOUT_BYTES_MAXIMUM], made[KEY_LAYOUT_BYTES_MAXIMUM];

/* As UCKeyTranslate: a dead key types nothing and leaves a state (here the accent, plus one so
 * that it is no character); an accent that fits nothing comes before the next character. Return
 * types \r. */
static unsigned translate(void *context, uint8_t key, uint8_t level, uint32_t *dead,
                          uint16_t units[KEY_TRANSLATION_UNITS])
{
    const struct layout *layout = context;
    uint32_t character = key == 0x24 ? '\r' : layout->keys[level][key].character;
    uint32_t accent = *dead == 0 ? 0 : *dead - 1, composed;

    *dead = 0;
    if (character == 0)
        return 0;
    if (layout->keys[level][key].is_dead && accent == 0) {
        *dead = character + 1;
        return 0;
    }
    composed = accent != 0 ? layout_compose(layout, accent, character) : character;
    if (composed == 0) {
        units[0] = (uint16_t)accent;
        units[1] = (uint16_t)character;
        return 2;
    }
    if (composed < 0x10000) {
        units[0] = (uint16_t)composed;
        return 1;
    }
    units[0] = (uint16_t)(0xD800 + ((composed - 0x10000) >> 10));
    units[1] = (uint16_t)(0xDC00 + ((composed - 0x10000) & 0x3FF));
    return 2;
}

static const struct key_translator translator = { translate, &original };

static void a_layout_that_is_read_types_the_same(void **state)
{
    static const char *const names[] = { "german", "french", "swiss-german", "russian", "us" };

    (void)state;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t size;

        shipped_layout(&original, names[i]);
        layout_of_translator(&translator, &read_back);
        layout_set_name(&read_back, names[i]);
        size = layout_make_table(&original, wanted);
        assert_int_equal(layout_make_table(&read_back, made), size);
        assert_memory_equal(made, wanted, size);
    }
}

static void characters_of_two_units_and_strings_are_told_apart(void **state)
{
    (void)state;
    shipped_layout(&original, "us");
    original.keys[0][0x00].character = 0x1F600;
    layout_of_translator(&translator, &read_back);
    assert_int_equal(read_back.keys[0][0x00].character, 0x1F600);
    assert_int_equal(layout_compose(&read_back, 0xB4, 'q'), 0); /* ´q are two characters */
    assert_int_equal(read_back.keys[0][0x24].character, 0);     /* Return is on every layout */
}

/* Its compositions still can be typed. */
static void an_accent_without_a_character_of_its_own_is_kept(void **state)
{
    (void)state;
    shipped_layout(&original, "us");
    for (uint32_t i = 0; i < original.composition_count; i++)
        if (original.compositions[i].accent == 0xB4 && original.compositions[i].base == ' ')
            original.compositions[i].base = 0x1;
    layout_of_translator(&translator, &read_back);
    assert_true(read_back.keys[KEY_LAYOUT_OPTION][0x0E].is_dead);
    assert_in_range(read_back.keys[KEY_LAYOUT_OPTION][0x0E].character, 0x110000, 0x1101FF);
    assert_int_equal(
        layout_compose(&read_back, read_back.keys[KEY_LAYOUT_OPTION][0x0E].character, 'e'), 0xE9);
}

static void names_are_made_of_any_text(void **state)
{
    (void)state;
    layout_set_name(&read_back, "Swiss German\xC3\xBC");
    assert_string_equal(read_back.name, "SwissGerman");
    layout_set_name(&read_back, "");
    assert_string_equal(read_back.name, "unnamed");
    layout_set_name(&read_back, "0123456789012345678901234567890123456789");
    assert_int_equal(strlen(read_back.name), KEY_LAYOUT_NAME_SIZE - 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layout_that_is_read_types_the_same),
        cmocka_unit_test(characters_of_two_units_and_strings_are_told_apart),
        cmocka_unit_test(an_accent_without_a_character_of_its_own_is_kept),
        cmocka_unit_test(names_are_made_of_any_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
