/* SPDX-License-Identifier: BSD-3-Clause */
/* The keyboard's engine: messages in, keys out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kext/input/keyboard.h"

static struct keyboard_change changes[KEYBOARD_CHANGES_MAXIMUM];

static int respond(struct keyboard *keyboard, uint32_t status)
{
    const struct keyboard_protocol_response response = { KEYBOARD_PROTOCOL_RESPONSE, status };

    return keyboard_receive(keyboard, &response, sizeof response, changes);
}

static void begin(struct keyboard *keyboard, struct keyboard_options options)
{
    struct keyboard_protocol_request request;

    keyboard_begin(keyboard, &options, &request);
    assert_int_equal(request.type, KEYBOARD_PROTOCOL_REQUEST);
    assert_int_equal(request.version, KEYBOARD_VERSION_1_0);
    assert_int_equal(respond(keyboard, KEYBOARD_ACCEPTED), 0);
}

static int event(struct keyboard *keyboard, uint16_t code, uint32_t flags)
{
    const struct keyboard_event message = { KEYBOARD_EVENT, code, 0, flags };

    return keyboard_receive(keyboard, &message, sizeof message, changes);
}

/* Checks that the last message caused exactly these; ~key is the key going up. */
static void expect(int count, const int *keys, int expected)
{
    assert_int_equal(count, expected);
    for (int i = 0; i < expected; i++) {
        assert_int_equal(changes[i].key, keys[i] < 0 ? ~keys[i] : keys[i]);
        assert_int_equal(changes[i].is_down, keys[i] >= 0);
    }
}
#define EXPECT(count, ...) \
    expect(count, (const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

static void every_key_goes_down_once_and_up_once(void **state)
{
    static const uint32_t prefixes[] = { 0, KEYBOARD_EVENT_E0 };
    struct keyboard keyboard;
    unsigned keys = 0;

    (void)state;
    begin(&keyboard, (struct keyboard_options){ false });
    for (unsigned prefix = 0; prefix < 2; prefix++) {
        for (unsigned code = 0; code < 0x10000; code++) {
            uint8_t key = scan_code_to_adb(code, prefix == 1);

            if (key == ADB_NONE) {
                assert_int_equal(event(&keyboard, (uint16_t)code, prefixes[prefix]),
                                 HV_ERROR_NOT_SUPPORTED);
                continue;
            }
            keys++;
            EXPECT(event(&keyboard, (uint16_t)code, prefixes[prefix]), key);
            assert_int_equal(event(&keyboard, (uint16_t)code, prefixes[prefix]), 0); /* typematic */
            EXPECT(event(&keyboard, (uint16_t)code, prefixes[prefix] | KEYBOARD_EVENT_BREAK), ~key);
            assert_int_equal(
                event(&keyboard, (uint16_t)code, prefixes[prefix] | KEYBOARD_EVENT_BREAK), 0);
        }
    }
    assert_int_equal(keys, 129);
    assert_int_equal(keyboard.counters.repeats, keys);
}

static void keys_are_where_a_mac_has_them(void **state)
{
    (void)state;
    assert_int_equal(scan_code_to_adb(0x1E, false), 0x00);      /* A */
    assert_int_equal(scan_code_to_adb(0x1C, false), ADB_RETURN);
    assert_int_equal(scan_code_to_adb(0x1C, true), 0x4C);       /* Enter on the keypad */
    assert_int_equal(scan_code_to_adb(0x45, false), 0x47);      /* Clear */
    assert_int_equal(scan_code_to_adb(0x52, true), 0x72);       /* Help */
    assert_int_equal(scan_code_to_adb(0x5B, true), ADB_LEFT_COMMAND);
    assert_int_equal(scan_code_to_adb(0x38, false), ADB_LEFT_OPTION);
    assert_int_equal(scan_code_to_adb(0xF2, false), 0x68);      /* Hangul */
}

static void pause_is_one_key_and_no_num_lock(void **state)
{
    struct keyboard keyboard;

    (void)state;
    begin(&keyboard, (struct keyboard_options){ false });
    assert_int_equal(event(&keyboard, 0x1D, KEYBOARD_EVENT_E1), 0);
    EXPECT(event(&keyboard, 0x45, 0), ADB_PAUSE);
    assert_int_equal(event(&keyboard, 0x1D, KEYBOARD_EVENT_E1 | KEYBOARD_EVENT_BREAK), 0);
    EXPECT(event(&keyboard, 0x45, KEYBOARD_EVENT_E1 | KEYBOARD_EVENT_BREAK), ~(int)ADB_PAUSE);
    EXPECT(event(&keyboard, 0x45, 0), 0x47);
    event(&keyboard, 0x1D, KEYBOARD_EVENT_E1);
    EXPECT(event(&keyboard, 0x1E, 0), 0x00);    /* the half that does not fit is forgotten */
}

static void text_is_typed_on_the_us_layout(void **state)
{
    struct keyboard keyboard;

    (void)state;
    begin(&keyboard, (struct keyboard_options){ false });
    EXPECT(event(&keyboard, 'a', KEYBOARD_EVENT_UNICODE), 0x00, ~0x00);
    assert_int_equal(event(&keyboard, 'a', KEYBOARD_EVENT_UNICODE | KEYBOARD_EVENT_BREAK), 0);
    EXPECT(event(&keyboard, '@', KEYBOARD_EVENT_UNICODE), 0x38, 0x13, ~0x13, ~0x38);
    EXPECT(event(&keyboard, 0xE9, KEYBOARD_EVENT_UNICODE), 0x3A, 0x0E, ~0x0E, ~0x3A, 0x0E, ~0x0E);
    EXPECT(event(&keyboard, 0x20AC, KEYBOARD_EVENT_UNICODE), 0x38, 0x3A, 0x13, ~0x13, ~0x3A, ~0x38);
    EXPECT(event(&keyboard, '\r', KEYBOARD_EVENT_UNICODE), 0x24, ~0x24);
    assert_int_equal(event(&keyboard, '\n', KEYBOARD_EVENT_UNICODE), 0);
}

static void text_is_typed_on_the_layout_in_use(void **state)
{
    struct keyboard keyboard;

    (void)state;
    begin(&keyboard, (struct keyboard_options){ false });
    keyboard_use_layout(&keyboard, key_layout_named("german", 6));
    EXPECT(event(&keyboard, 'z', KEYBOARD_EVENT_UNICODE), 0x10, ~0x10);
    EXPECT(event(&keyboard, '@', KEYBOARD_EVENT_UNICODE), 0x3A, 0x25, ~0x25, ~0x3A);
    EXPECT(event(&keyboard, 0xC9, KEYBOARD_EVENT_UNICODE), 0x18, ~0x18, 0x38, 0x0E, ~0x0E, ~0x38);
    EXPECT(event(&keyboard, 0x15, 0), 0x10);    /* keys are keys, whatever the layout */
    keyboard_use_layout(&keyboard, key_layout_default());
    EXPECT(event(&keyboard, 'z', KEYBOARD_EVENT_UNICODE), 0x06, ~0x06);
}

/* The longest: everything is held, and the digits of a pair come. */
static void hexadecimal_digits_are_typed_while_option_is_down(void **state)
{
    static const uint16_t held[] = { 0x2A, 0x36, 0x38, 0x1D, 0x20, 0x0B, 0x04, 0x12 };
    struct keyboard keyboard;
    int count, options = 0;

    (void)state;
    begin(&keyboard, (struct keyboard_options){ false });
    keyboard_use_layout(&keyboard, key_layout_named("unicode-hex-input", 17));
    EXPECT(event(&keyboard, 0xE9, KEYBOARD_EVENT_UNICODE), 0x3A, 0x1D, ~0x1D, 0x1D, ~0x1D, 0x0E,
           ~0x0E, 0x19, ~0x19, ~0x3A);
    for (unsigned i = 0; i < sizeof held / sizeof held[0]; i++)
        event(&keyboard, held[i], 0);
    event(&keyboard, 0x38, KEYBOARD_EVENT_E0);
    event(&keyboard, 0x5B, KEYBOARD_EVENT_E0);
    event(&keyboard, 0x5C, KEYBOARD_EVENT_E0);
    event(&keyboard, 0x1D, KEYBOARD_EVENT_E0);
    assert_int_equal(event(&keyboard, 0xD83D, KEYBOARD_EVENT_UNICODE), 0);
    count = event(&keyboard, 0xDE00, KEYBOARD_EVENT_UNICODE);
    assert_in_range(count, 8 + 2 + 16 + 8, KEYBOARD_CHANGES_MAXIMUM - 1);
    for (int i = 8; i < count - 8; i++)
        options += changes[i].key == ADB_LEFT_OPTION;
    assert_int_equal(options, 2);               /* down once, up once */
    assert_int_equal(keyboard.counters.unknown_characters, 0);
}

static void text_does_not_mix_with_what_is_held(void **state)
{
    struct keyboard keyboard;

    (void)state;
    begin(&keyboard, (struct keyboard_options){ false });
    event(&keyboard, 0x1D, 0);          /* control */
    event(&keyboard, 0x1E, 0);          /* a */
    EXPECT(event(&keyboard, 'a', KEYBOARD_EVENT_UNICODE), ~0x3B, ~0x00, 0x00, ~0x00, 0x3B);
    assert_int_equal(event(&keyboard, 0x1E, KEYBOARD_EVENT_BREAK), 0);  /* it went up already */
    EXPECT(event(&keyboard, 0x1D, KEYBOARD_EVENT_BREAK), ~0x3B);
}

static void pairs_and_strangers_among_characters_are_counted(void **state)
{
    struct keyboard keyboard;

    (void)state;
    begin(&keyboard, (struct keyboard_options){ false });
    assert_int_equal(event(&keyboard, 0xD83D, KEYBOARD_EVENT_UNICODE), 0);
    assert_int_equal(event(&keyboard, 0xDE00, KEYBOARD_EVENT_UNICODE), HV_ERROR_NOT_SUPPORTED);
    assert_int_equal(event(&keyboard, 0xDE00, KEYBOARD_EVENT_UNICODE), HV_ERROR_NOT_SUPPORTED);
    assert_int_equal(event(&keyboard, 0x416, KEYBOARD_EVENT_UNICODE), HV_ERROR_NOT_SUPPORTED);
    assert_int_equal(keyboard.counters.unknown_characters, 3);
    EXPECT(event(&keyboard, 'b', KEYBOARD_EVENT_UNICODE), 0x0B, ~0x0B);
}

static void keys_change_places_when_asked(void **state)
{
    struct keyboard keyboard;

    (void)state;
    begin(&keyboard,
          (struct keyboard_options){ .swap_option_command = true, .swap_iso_keys = true });
    EXPECT(event(&keyboard, 0x38, 0), ADB_LEFT_COMMAND);
    EXPECT(event(&keyboard, 0x5B, KEYBOARD_EVENT_E0), ADB_LEFT_OPTION);
    EXPECT(event(&keyboard, 0x38, KEYBOARD_EVENT_E0), ADB_RIGHT_COMMAND);
    EXPECT(event(&keyboard, 0x29, 0), ADB_SECTION);
    EXPECT(event(&keyboard, 0x56, 0), ADB_GRAVE);
}

static void bad_messages_are_counted_and_the_next_good_one_works(void **state)
{
    const struct keyboard_event good = { KEYBOARD_EVENT, 0x1E, 0, 0 };
    const uint32_t unknown[3] = { 99, 0, 0 };
    struct keyboard keyboard;
    uint32_t bad = 0;

    (void)state;
    begin(&keyboard, (struct keyboard_options){ false });
    for (uint32_t length = 0; length < sizeof good; length++, bad++)
        assert_int_equal(keyboard_receive(&keyboard, &good, length, changes), HV_ERROR_MALFORMED);
    assert_int_equal(keyboard_receive(&keyboard, unknown, sizeof unknown, changes),
                     HV_ERROR_MALFORMED);
    assert_int_equal(respond(&keyboard, 0), HV_ERROR_MALFORMED);        /* nothing was asked */
    assert_int_equal(event(&keyboard, 0x1E, KEYBOARD_EVENT_E1), HV_ERROR_NOT_SUPPORTED);
    assert_int_equal(keyboard.counters.malformed, bad + 2);
    EXPECT(event(&keyboard, 0x1E, 0), 0x00);
}

static void nothing_counts_before_the_host_agrees(void **state)
{
    const struct keyboard_options options = { false };
    struct keyboard_protocol_request request;
    struct keyboard keyboard;

    (void)state;
    keyboard_begin(&keyboard, &options, &request);
    assert_int_equal(event(&keyboard, 0x1E, 0), HV_ERROR_MALFORMED);
    assert_int_equal(respond(&keyboard, 0), HV_ERROR_REFUSED);
    assert_int_equal(event(&keyboard, 0x1E, 0), HV_ERROR_MALFORMED);
    begin(&keyboard, options);
    EXPECT(event(&keyboard, 0x1E, 0), 0x00);
}

static void what_is_held_at_the_end_goes_up(void **state)
{
    struct keyboard_change change;
    struct keyboard keyboard;

    (void)state;
    begin(&keyboard, (struct keyboard_options){ false });
    event(&keyboard, 0x1E, 0);
    event(&keyboard, 0x2A, 0);
    assert_true(keyboard_release_next(&keyboard, &change));
    assert_int_equal(change.key, 0x00);
    assert_true(keyboard_release_next(&keyboard, &change));
    assert_int_equal(change.key, ADB_LEFT_SHIFT);
    assert_false(change.is_down);
    assert_false(keyboard_release_next(&keyboard, &change));
}

static void indicators_are_windows_bits(void **state)
{
    struct keyboard_set_indicators message;

    (void)state;
    keyboard_indicators(true, false, &message);
    assert_int_equal(message.indicators, KEYBOARD_INDICATOR_CAPS_LOCK);
    keyboard_indicators(false, true, &message);
    assert_int_equal(message.indicators, KEYBOARD_INDICATOR_NUM_LOCK);
    assert_int_equal(message.type, KEYBOARD_SET_INDICATORS);
}

/* A keyboard without a protocol: PS/2. */
static void keys_are_handled_without_an_agreement(void **state)
{
    const struct keyboard_options options = { .swap_option_command = true };
    const struct keyboard_event down = { KEYBOARD_EVENT, 0x38, 0, 0 };
    const struct keyboard_event unknown = { KEYBOARD_EVENT, 0x5A, 0, 0 };
    struct keyboard_protocol_request request;
    struct keyboard_change change;
    struct keyboard keyboard;

    (void)state;
    keyboard_begin(&keyboard, &options, &request);
    EXPECT(keyboard_key(&keyboard, &down, changes), ADB_LEFT_COMMAND);
    assert_int_equal(keyboard_key(&keyboard, &down, changes), 0);
    assert_int_equal(keyboard_key(&keyboard, &unknown, changes), HV_ERROR_NOT_SUPPORTED);
    assert_true(keyboard_release_next(&keyboard, &change));
    assert_int_equal(change.key, ADB_LEFT_COMMAND);
    assert_int_equal(keyboard.counters.events, 3);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_goes_down_once_and_up_once),
        cmocka_unit_test(keys_are_where_a_mac_has_them),
        cmocka_unit_test(pause_is_one_key_and_no_num_lock),
        cmocka_unit_test(text_is_typed_on_the_us_layout),
        cmocka_unit_test(text_is_typed_on_the_layout_in_use),
        cmocka_unit_test(hexadecimal_digits_are_typed_while_option_is_down),
        cmocka_unit_test(text_does_not_mix_with_what_is_held),
        cmocka_unit_test(pairs_and_strangers_among_characters_are_counted),
        cmocka_unit_test(keys_change_places_when_asked),
        cmocka_unit_test(bad_messages_are_counted_and_the_next_good_one_works),
        cmocka_unit_test(nothing_counts_before_the_host_agrees),
        cmocka_unit_test(what_is_held_at_the_end_goes_up),
        cmocka_unit_test(indicators_are_windows_bits),
        cmocka_unit_test(keys_are_handled_without_an_agreement),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
