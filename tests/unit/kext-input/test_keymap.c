/* SPDX-License-Identifier: BSD-3-Clause */
/* The key mapping that the kext builds, read by the user-space kernel's reader; and text typed by
 * one, composed by the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kext/input/key_layout.h"
#include "kext/input/keymap.h"
#include "xnu/families/hid/key_mapping.h"
#include "xnu/families/hid/typed_text.h"

static uint8_t bytes[KEYMAP_BYTES_MAXIMUM];
static struct key_mapping mapping;

static void read_own(void)
{
    uint32_t length = keymap_build(bytes);

    assert_in_range(length, 100, KEYMAP_BYTES_MAXIMUM - 1);
    assert_true(key_mapping_read(&mapping, bytes, length));
}

static uint32_t character(uint32_t key, uint32_t modifiers)
{
    uint32_t set, code;

    return key_mapping_character(&mapping, key, modifiers, &set, &code) ? set << 8 | code : 0xFFFF;
}

static void the_mapping_is_in_order_and_complete(void **state)
{
    (void)state;
    read_own();
    assert_int_equal(mapping.modifier[0x38], KEY_MODIFIER_SHIFT);
    assert_int_equal(mapping.modifier[0x36], KEY_MODIFIER_RIGHT_COMMAND);
    assert_int_equal(mapping.modifier[0x00], KEY_MAPPING_NO_MODIFIER);
    assert_int_equal(character(0x00, 0), 'a');
    assert_int_equal(character(0x00, 1 << KEY_MODIFIER_SHIFT), 'A');
    assert_int_equal(character(0x00, 1 << KEY_MODIFIER_CAPS_LOCK), 'A');
    assert_int_equal(character(0x13, 1 << KEY_MODIFIER_SHIFT), '@');
    assert_int_equal(character(0x13, 1 << KEY_MODIFIER_CAPS_LOCK), '2');
    assert_int_equal(character(0x24, 0), '\r');
    assert_int_equal(character(0x38, 0), 0xFFFF);
    for (uint32_t key = 0; key < 0x80; key++)
        assert_true(mapping.modifier[key] != KEY_MAPPING_NO_MODIFIER ||
                    character(key, 0) != 0xFFFF);
}

static void a_mapping_cut_short_anywhere_is_refused(void **state)
{
    uint32_t length = keymap_build(bytes), cut;
    struct key_mapping short_mapping;

    (void)state;
    for (cut = 0; cut < length; cut++)
        assert_false(key_mapping_read(&short_mapping, bytes, cut));
    bytes[1] = 2;                       /* neither bytes nor words */
    assert_false(key_mapping_read(&short_mapping, bytes, length));
    read_own();
}

static uint32_t typed(uint32_t wanted)
{
    struct key_stroke strokes[KEY_STROKES_MAXIMUM];
    uint32_t count = key_layout_strokes(key_layout_default(), wanted, strokes), result = 0;
    struct typed_text text = { 0 };

    for (uint32_t i = 0; i < count; i++) {
        uint32_t shift = strokes[i].modifiers & KEY_LAYOUT_SHIFT;
        uint32_t plain = character(strokes[i].key, shift ? 1 << KEY_MODIFIER_SHIFT : 0);

        result = typed_text_key(&text, strokes[i].key, plain, shift != 0,
                                strokes[i].modifiers & KEY_LAYOUT_OPTION);
        if (i + 1 < count)
            assert_int_equal(result, 0);
    }
    return result;
}

static void what_the_kext_types_is_what_a_program_reads(void **state)
{
    unsigned known = 0;

    (void)state;
    read_own();
    for (uint32_t wanted = 0x20; wanted < 0x3000; wanted++) {
        struct key_stroke strokes[KEY_STROKES_MAXIMUM];

        if (key_layout_strokes(key_layout_default(), wanted, strokes) == 0)
            continue;
        assert_int_equal(typed(wanted), wanted);
        known++;
    }
    assert_in_range(known, 95 + 90, 300);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mapping_is_in_order_and_complete),
        cmocka_unit_test(a_mapping_cut_short_anywhere_is_refused),
        cmocka_unit_test(what_the_kext_types_is_what_a_program_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
