/* SPDX-License-Identifier: BSD-3-Clause */
/* The PS/2 keyboard as a virtual device: ports, lines, keys, text; and which keyboard is used. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/display/key_input.h"
#include "host/platform/i8042.h"
#include "host/platform/ps2.h"
#include "host/platform/us_keys.h"
#include "protocol/keyboard.h"

struct rig {
    struct virtual_device *ps2;
    struct device_machine machine;
    unsigned traps, resets, rises;
    uint64_t trapped[4];
    bool line;
};

static struct rig rig;

static int trap(void *context, struct virtual_device *device, enum device_space space,
                uint64_t start, uint64_t size, bool on)
{
    assert_int_equal(space, DEVICE_SPACE_PORT);
    assert_int_equal(size, 1);
    assert_true(on);
    rig.trapped[rig.traps++] = start;
    return 0;
}

static void line(void *context, unsigned number, bool level)
{
    assert_int_equal(number, I8042_KEYBOARD_LINE);
    assert_true(level != rig.line); /* only changes are told */
    rig.line = level;
    rig.rises += level;
}

static void reset(void *context)
{
    rig.resets++;
}

static uint8_t read_port(uint16_t port)
{
    return (uint8_t)rig.ps2->operations->read(rig.ps2, DEVICE_SPACE_PORT, port, 1);
}

static void write_port(uint16_t port, uint8_t value)
{
    rig.ps2->operations->write(rig.ps2, DEVICE_SPACE_PORT, port, 1, value);
}

static int set_up(void **state)
{
    memset(&rig, 0, sizeof(rig));
    rig.machine = (struct device_machine){.trap = trap, .line = line, .reset = reset};
    rig.ps2 = ps2_new();
    rig.ps2->operations->attach(rig.ps2, &rig.machine);
    assert_int_equal(rig.ps2->operations->power_on(rig.ps2), 0);
    return 0;
}

static int tear_down(void **state)
{
    rig.ps2->operations->free(rig.ps2);
    return 0;
}

/* As a guest's driver does. */
static void enable(void)
{
    write_port(I8042_DATA_PORT, 0xf4);
    assert_int_equal(read_port(I8042_DATA_PORT), 0xfa);
}

static unsigned read_all(uint8_t *bytes, unsigned room)
{
    unsigned count = 0;
    while ((read_port(I8042_COMMAND_PORT) & 1) != 0) {
        assert_true(count < room);
        bytes[count++] = read_port(I8042_DATA_PORT);
    }
    assert_false(rig.line);
    return count;
}

static void expect_bytes(const uint8_t *expected, unsigned count)
{
    uint8_t bytes[256];
    assert_int_equal(read_all(bytes, sizeof(bytes)), count);
    assert_memory_equal(bytes, expected, count);
}
#define EXPECT(...) \
    expect_bytes((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static const struct keyboard_key key_a = {0x1e, 0}, left = {0x4b, KEYBOARD_EVENT_E0};

static void both_ports_are_trapped(void **state)
{
    assert_int_equal(rig.traps, 2);
    assert_int_equal(rig.trapped[0], 0x60);
    assert_int_equal(rig.trapped[1], 0x64);
}

static void keys_go_down_and_up(void **state)
{
    enable();
    assert_int_equal(ps2_press(rig.ps2, key_a, true), 0);
    assert_true(rig.line);
    assert_int_equal(ps2_press(rig.ps2, left, true), 0);
    assert_int_equal(ps2_press(rig.ps2, left, false), 0);
    assert_int_equal(ps2_press(rig.ps2, left, false), 0); /* it is up already */
    rig.rises = 0;
    EXPECT(0x1e, 0xe0, 0x4b, 0xe0, 0xcb);
    assert_int_equal(rig.rises, 4); /* one a byte, that of the first has been */
    ps2_release_all(rig.ps2);
    EXPECT(0x9e);
}

static void nobody_listens_before_the_driver_has_enabled_it(void **state)
{
    assert_false(ps2_is_ready(rig.ps2));
    assert_int_equal(ps2_press(rig.ps2, key_a, true), -ENOTCONN);
    assert_int_equal(ps2_press(rig.ps2, key_a, false), -ENOTCONN);
    assert_int_equal(ps2_type(rig.ps2, "a"), -ENOTCONN);
    assert_false(rig.line);
    enable();
    assert_int_equal(ps2_press(rig.ps2, key_a, true), 0);
    rig.ps2->operations->reset(rig.ps2);
    assert_false(rig.line);
    assert_int_equal(ps2_press(rig.ps2, key_a, true), -ENOTCONN);
}

static void what_is_no_key_is_refused(void **state)
{
    static const struct keyboard_key bad[] = {
        {0, 0}, {0x80, 0}, {0x1e, 0x40}, {0xf1, KEYBOARD_EVENT_E0},
        {0x1e, KEYBOARD_EVENT_E0 | KEYBOARD_EVENT_E1}, {0xffff, 0},
        /* Their break codes mean something else. */
        {0x60, 0}, {0x61, 0}, {0x71, 0}, {0x72, KEYBOARD_EVENT_E0}, {0x7a, 0}, {0x7e, 0}, {0x7f, 0},
    };
    enable();
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ps2_press(rig.ps2, bad[i], true), -EINVAL);
    }
    assert_int_equal(ps2_press(rig.ps2, (struct keyboard_key){0xf1, 0}, true), 0);
    assert_int_equal(ps2_press(rig.ps2, (struct keyboard_key){0xf1, 0}, false), 0);
    EXPECT(0xf1); /* once: it has no break code */
    assert_int_equal(ps2_press(rig.ps2, (struct keyboard_key){0xf2, 0}, true), 0);
    assert_false(ps2_is_held(rig.ps2, (struct keyboard_key){0xf2, 0}));
    ps2_release_all(rig.ps2);
    EXPECT(0xf2);
}

static void text_is_typed_on_a_us_keyboard(void **state)
{
    enable();
    assert_int_equal(ps2_type(rig.ps2, "aA\n"), 0);
    EXPECT(0x1e, 0x9e, 0x2a, 0x1e, 0x9e, 0xaa, 0x1c, 0x9c);
    assert_int_equal(ps2_type(rig.ps2, "a\xc3\xbc"), -EILSEQ); /* all or nothing */
    assert_int_equal(read_port(I8042_COMMAND_PORT) & 1, 0);
}

static void every_character_of_the_keyboard_has_one_key(void **state)
{
    bool used[2][128] = {{false}};
    unsigned count = 0;
    for (uint32_t character = 0; character < 0x400; character++) {
        uint8_t code;
        bool shift;
        if (!us_key_of_character(character, &code, &shift)) {
            continue;
        }
        assert_true(code < 128);
        assert_true(!used[shift][code] || character == '\r');
        used[shift][code] = true;
        count++;
    }
    assert_int_equal(count, 95 + 3); /* what is printed, tab, line feed, return */
}

static void a_guest_that_does_not_keep_up_holds_no_key(void **state)
{
    int result = 0;
    enable();
    for (unsigned i = 0; i < 20000 && result == 0; i++) {
        result = ps2_press(rig.ps2, i % 2 ? left : key_a, true);
    }
    assert_int_equal(result, -EAGAIN);
    assert_int_equal(ps2_press(rig.ps2, left, false), 0);
    assert_int_equal(ps2_press(rig.ps2, key_a, false), 0);
    uint8_t bytes[I8042_KEYS + 8];
    unsigned read = read_all(bytes, sizeof(bytes));
    assert_int_equal(bytes[read - 1], 0x9e);
    assert_int_equal(bytes[read - 2], 0xcb);
    assert_int_equal(ps2_press(rig.ps2, key_a, true), 0); /* and the next key works */
}

static void the_guest_resets_the_machine(void **state)
{
    write_port(I8042_COMMAND_PORT, 0xfe);
    assert_int_equal(rig.resets, 1);
    write_port(I8042_COMMAND_PORT, 0xae);
    assert_int_equal(rig.resets, 1);
}

static void keys_go_to_the_keyboard_that_is_used(void **state)
{
    struct virtual_device *synthetic = keyboard_new();
    const struct key_input both = {synthetic, rig.ps2}, one = {synthetic, NULL}, none = {0};
    assert_int_equal(key_input_press(&none, key_a, true), -ENOTCONN);
    assert_int_equal(key_input_press(&one, key_a, true), -ENOTCONN);
    assert_int_equal(key_input_press(&both, key_a, true), -ENOTCONN);
    enable(); /* no driver has opened the synthetic one */
    assert_int_equal(key_input_press(&both, key_a, true), 0);
    assert_int_equal(key_input_type(&both, "b"), 0);
    assert_int_equal(key_input_type(&one, "b"), -ENOTCONN);
    assert_int_equal(key_input_press(&both, key_a, false), 0);
    assert_int_equal(key_input_press(&both, left, true), 0);
    key_input_release_all(&both);
    EXPECT(0x1e, 0x30, 0xb0, 0x9e, 0xe0, 0x4b, 0xe0, 0xcb);
    synthetic->operations->free(synthetic);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_ports_are_trapped),
        TEST(keys_go_down_and_up),
        TEST(nobody_listens_before_the_driver_has_enabled_it),
        TEST(what_is_no_key_is_refused),
        TEST(text_is_typed_on_a_us_keyboard),
        TEST(every_character_of_the_keyboard_has_one_key),
        TEST(a_guest_that_does_not_keep_up_holds_no_key),
        TEST(the_guest_resets_the_machine),
        TEST(keys_go_to_the_keyboard_that_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
