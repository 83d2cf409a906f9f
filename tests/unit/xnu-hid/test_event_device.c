/* SPDX-License-Identifier: BSD-3-Clause */
/* IOHIDKeyboardEventDevice, which macOS from 10.12 on puts on top of a keyboard of the older kind:
 * what of its keys, modifiers and caps lock comes through, and its lights. */
#include "tests/unit/xnu-hid/keyboard_test.h"

#include "xnu/families/hid/keyboard_usages.h"

#define SECOND UINT64_C(1000000000)

/* Eight keys that type a to h. */
static const uint8_t eight_keys[] = {
    0, 0, 0, 8, 0, 0, 'a', 0, 0, 'b', 0, 0, 'c', 0, 0, 'd', 0, 0, 'e', 0, 0, 'f', 0, 0, 'g', 0, 0,
    'h', 0, 0,
};

static TestKeyboard *begin(const uint8_t *mapping, uint32_t length)
{
    given.keymap = mapping;
    given.keymap_length = length;
    log_open();
    TestKeyboard *keyboard = start_keyboard();
    log_expect("keyboard opened TestKeyboard\n");
    return keyboard;
}

static IOService *event_device(TestKeyboard *keyboard)
{
    IOService *client = IOService_getClient((IOService *)keyboard);

    CHECK(client && strcmp(object_class_name(client), "IOHIDKeyboardEventDevice") == 0);
    return client;
}

static uint32_t property(IOService *service, const char *key)
{
    OSNumber *number =
        as_number(IORegistryEntry_getProperty_cstring((IORegistryEntry *)service, key));

    return number ? OSNumber_unsigned32BitValue(number) : 0;
}

/* The event system sets lights on a thread of its own. */
static bool light_becomes(bool on)
{
    uint64_t deadline = machine_uptime() + SECOND;
    char nobody;

    while (given.caps_lock != on && machine_uptime() < deadline)
        machine_sleep(NULL, &nobody, machine_uptime() + SECOND / 100, false);
    return given.caps_lock == on;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static void keys_come_through_body(void *argument)
{
    TestKeyboard *keyboard = begin(keymap, sizeof keymap);
    IOService *device = event_device(keyboard);

    CHECK(property(device, "VendorID") == 0x5ac && property(device, "PrimaryUsagePage") == 1 &&
          property(device, "PrimaryUsage") == 6);
    CHECK(IOService_isOpen((IOService *)keyboard, device));
    key(keyboard, KEY_A, true);
    key(keyboard, KEY_A, false);
    key(keyboard, KEY_SHIFT, true);
    key(keyboard, KEY_TWO, true);
    key(keyboard, KEY_SHIFT, false);
    key(keyboard, KEY_TWO, false);
    log_expect("key down 0x00 flags 0x0 char U+0061\nkey up 0x00 flags 0x0\nflags 0x20002\n"
               "key down 0x01 flags 0x20002 char U+0040\nflags 0x0\nkey up 0x01 flags 0x0\n");
    log_close();
}

static void keys_come_through(void **state)
{
    run_family(keys_come_through_body);
}

static void six_keys_at_a_time_body(void *argument)
{
    TestKeyboard *keyboard = begin(eight_keys, sizeof eight_keys);

    for (uint32_t code = 0; code < 7; code++)
        key(keyboard, code, true);
    log_expect("key down 0x00 flags 0x0 char U+0061\nkey down 0x01 flags 0x0 char U+0062\n"
               "key down 0x02 flags 0x0 char U+0063\nkey down 0x03 flags 0x0 char U+0064\n"
               "key down 0x04 flags 0x0 char U+0065\nkey down 0x05 flags 0x0 char U+0066\n");
    key(keyboard, 6, false); /* was never down for the system */
    key(keyboard, 2, false);
    key(keyboard, 7, true);
    log_expect("key up 0x02 flags 0x0\nkey down 0x07 flags 0x0 char U+0068\n");
    log_close();
}

static void six_keys_at_a_time(void **state)
{
    run_family(six_keys_at_a_time_body);
}

static void special_keys_are_of_the_consumer_page_body(void *argument)
{
    TestKeyboard *keyboard = begin(keymap, sizeof keymap);

    IOHIKeyboard_keyboardSpecialEvent(&keyboard->super, 10, 0, 0x48, 0); /* volume up */
    IOHIKeyboard_keyboardSpecialEvent(&keyboard->super, 10, 0, 0x4a, 7); /* mute */
    IOHIKeyboard_keyboardSpecialEvent(&keyboard->super, 11, 0, 0x48, 0);
    IOHIKeyboard_keyboardSpecialEvent(&keyboard->super, 10, 0, 0, 5); /* help: no such usage */
    IOHIKeyboard_keyboardSpecialEvent(&keyboard->super, 11, 0, 0x4a, 7);
    log_expect("special 0 down\nspecial 7 down\nspecial 0 up\nspecial 7 up\n");
    log_close();
}

static void special_keys_are_of_the_consumer_page(void **state)
{
    run_family(special_keys_are_of_the_consumer_page_body);
}

static void usages_and_codes_are_each_others_inverse(void **state)
{
    unsigned lost = 0;

    (void)state;
    for (uint32_t code = 0; code < 128; code++) {
        uint8_t usage = keyboard_usage_of_code(code), back = keyboard_code_of_usage(usage);

        lost += usage == USAGE_NONE;
        assert_true(usage == USAGE_NONE ? back == ADB_CODE_NONE
                                        : keyboard_usage_of_code(back) == usage);
    }
    assert_int_equal(lost, 9);
    assert_int_equal(keyboard_usage_of_code(128), USAGE_NONE);
    assert_int_equal(keyboard_code_of_usage(0xff), ADB_CODE_NONE);
    for (uint32_t special = 0; special < 32; special++) {
        uint8_t usage = consumer_usage_of_special(special);

        assert_true(usage == USAGE_NONE || special_of_consumer_usage(usage) == special);
    }
    assert_int_equal(special_of_consumer_usage(1), SPECIAL_KEY_NONE);
}

/* ---- caps lock ------------------------------------------------------------------------------ */

/* What a driver does that passes its key on as it is: every other press is lost. */
static void a_plain_key_switches_caps_lock_every_other_time_body(void *argument)
{
    TestKeyboard *keyboard = begin(keymap, sizeof keymap);

    key(keyboard, KEY_CAPS, true);
    key(keyboard, KEY_CAPS, false);
    log_expect("flags 0x10000\n");
    key(keyboard, KEY_CAPS, true);
    key(keyboard, KEY_CAPS, false);
    log_expect("");
    key(keyboard, KEY_A, true);
    log_expect("key down 0x00 flags 0x10000 char U+0041\n");
    log_close();
}

static void a_plain_key_switches_caps_lock_every_other_time(void **state)
{
    run_family(a_plain_key_switches_caps_lock_every_other_time_body);
}

/* The superclass asks for lights meanwhile, which are not the system's. */
static void stroke_caps_lock(TestKeyboard *keyboard)
{
    given.stroking = machine_thread_self();
    key(keyboard, KEY_CAPS, true);
    key(keyboard, KEY_CAPS, false);
    given.stroking = NULL;
}

static void a_stroke_at_press_and_release_switches_it_always_body(void *argument)
{
    TestKeyboard *keyboard = begin(keymap, sizeof keymap);

    stroke_caps_lock(keyboard); /* pressed */
    log_expect("flags 0x10000\n");
    stroke_caps_lock(keyboard); /* released */
    log_expect("");
    stroke_caps_lock(keyboard);
    log_expect("flags 0x0\n");
    stroke_caps_lock(keyboard);
    log_expect("");
    log_close();
}

static void a_stroke_at_press_and_release_switches_it_always(void **state)
{
    run_family(a_stroke_at_press_and_release_switches_it_always_body);
}

static void the_event_system_sets_the_light_body(void *argument)
{
    TestKeyboard *keyboard = begin(keymap, sizeof keymap);

    stroke_caps_lock(keyboard);
    stroke_caps_lock(keyboard);
    CHECK(light_becomes(true));
    stroke_caps_lock(keyboard);
    stroke_caps_lock(keyboard);
    CHECK(light_becomes(false));
    log_close();
}

static void the_event_system_sets_the_light(void **state)
{
    run_family(the_event_system_sets_the_light_body);
}

/* ---- the end -------------------------------------------------------------------------------- */

static void held_keys_go_up_when_it_is_terminated_body(void *argument)
{
    TestKeyboard *keyboard = begin(keymap, sizeof keymap);

    key(keyboard, KEY_A, true);
    key(keyboard, KEY_SHIFT, true);
    log_expect("key down 0x00 flags 0x0 char U+0061\nflags 0x20002\n");
    CHECK(IOService_terminate((IOService *)keyboard, kIOServiceSynchronous));
    log_expect("key up 0x00 flags 0x20002\nflags 0x0\nkeyboard closed TestKeyboard\n");
    log_close();
}

static void held_keys_go_up_when_it_is_terminated(void **state)
{
    run_family(held_keys_go_up_when_it_is_terminated_body);
}

static void a_bad_mapping_leaves_the_keyboard_closed_body(void *argument)
{
    given.keymap = keymap;
    given.keymap_length = sizeof keymap - 1;
    log_open();
    TestKeyboard *keyboard = start_keyboard();
    CHECK(!IOService_isOpen((IOService *)keyboard, NULL));
    CHECK(!IOService_getClient((IOService *)keyboard));
    key(keyboard, KEY_A, true);
    log_expect("");
    log_close();
}

static void a_bad_mapping_leaves_the_keyboard_closed(void **state)
{
    run_family(a_bad_mapping_leaves_the_keyboard_closed_body);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_through),
        cmocka_unit_test(six_keys_at_a_time),
        cmocka_unit_test(special_keys_are_of_the_consumer_page),
        cmocka_unit_test(usages_and_codes_are_each_others_inverse),
        cmocka_unit_test(a_plain_key_switches_caps_lock_every_other_time),
        cmocka_unit_test(a_stroke_at_press_and_release_switches_it_always),
        cmocka_unit_test(the_event_system_sets_the_light),
        cmocka_unit_test(held_keys_go_up_when_it_is_terminated),
        cmocka_unit_test(a_bad_mapping_leaves_the_keyboard_closed),
    };

    release_select("10.12.6");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
