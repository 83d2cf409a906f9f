/* SPDX-License-Identifier: BSD-3-Clause */
/* The console's thread on a picture in guest RAM: log, keys, pointer, and being told to stop. */
#include "tests/unit/xnu-families/family_test.h"

#include "abi/IOHIKeyboard.h"

#include "xnu/console/console.h"
#include "xnu/console/font.h"
#include "xnu/families/hid/input_events.h"
#include "xnu/libkern/class.h"
#include "xnu/machine/memory.h"

enum { WIDTH = 320, HEIGHT = 160, PITCH = WIDTH * 4, BYTES = PITCH * HEIGHT, ROWS = HEIGHT / 16,
       LAST = ROWS - 1, KEY_A = 0, KEY_RETURN = 1, KEY_DELETE = 2 };

/* ---- a keyboard that types an "a", return and backspace ------------------------------------- */

static const uint8_t keymap[] = { 0, 0, 0, 3, 0, 0, 'a', 0, 0, '\r', 0, 0, 0x7f, 0, 0 };

struct TestKeyboard {
    IOHIKeyboard super;
};
typedef struct TestKeyboard TestKeyboard;

static const uint8_t *test_keymap(IOHIKeyboard *me, uint32_t *length)
{
    *length = sizeof keymap;
    return keymap;
}

KERNEL_CLASS(12, TestKeyboard, IOHIKeyboard, .defaultKeymapOfLength = test_keymap)

static TestKeyboard *start_keyboard(void)
{
    TestKeyboard *keyboard = object_new(&TestKeyboard_gMetaClass);
    IOService *provider = object_new(&IOService_gMetaClass);

    CHECK(IORegistryEntry_init_dictionary((IORegistryEntry *)provider, NULL));
    CHECK(IORegistryEntry_init_dictionary((IORegistryEntry *)keyboard, NULL));
    CHECK(IOService_attach((IOService *)keyboard, provider));
    CHECK(IOService_start((IOService *)keyboard, provider));
    return keyboard;
}

static void press(TestKeyboard *keyboard, uint32_t code)
{
    IOHIKeyboard_dispatchKeyboardEvent(&keyboard->super, code, true, machine_uptime());
    IOHIKeyboard_dispatchKeyboardEvent(&keyboard->super, code, false, machine_uptime());
}

/* ---- the picture ---------------------------------------------------------------------------- */

static uint8_t *pixels;

static void start_on(uint64_t address)
{
    const struct console_options options = {
        .title = "Title",
        .boot = { .pixels = machine_virtual_address(address), .address = address, .width = WIDTH,
                  .height = HEIGHT, .pitch = PITCH, .bits = 32, .red = 0xff0000, .green = 0xff00,
                  .blue = 0xff },
    };

    CHECK(console_start(&options) == 0);
}

static void start(void)
{
    pixels = machine_pages_allocate(BYTES, 0, MACHINE_NO_LIMIT);
    CHECK(pixels != NULL);
    start_on(machine_physical_address(pixels));
}

static void stop(void)
{
    console_stop();
    machine_pages_release(pixels, BYTES);
}

/* Lets the console draw: the virtual second is over when all threads have nothing to do. */
static void settle(void)
{
    static const char never;

    machine_sleep(NULL, &never, machine_uptime() + 1000000000, false);
}

static uint32_t pixel_at(uint32_t x, uint32_t y)
{
    uint32_t pixel;

    memcpy(&pixel, pixels + y * PITCH + x * 4, 4);
    return pixel;
}

/* The cell shows the character: pixels of its glyph have one colour, the others another. */
static bool shows(uint32_t row, uint32_t column, uint16_t character)
{
    const uint8_t *glyph = font_rows(character);
    uint32_t paper = pixel_at(column * 8, row * 16 + 15);

    for (uint32_t y = 0; y < 16; y++)
        for (uint32_t x = 0; x < 8; x++)
            if ((pixel_at(column * 8 + x, row * 16 + y) != paper) != !!(glyph[y] & 0x80 >> x))
                return false;
    return true;
}

static bool shows_text(uint32_t row, uint32_t column, const char *text)
{
    for (; *text; text++)
        if (!shows(row, column++, (uint8_t)*text))
            return false;
    return true;
}

/* The row that shows the text, 0: none. */
static uint32_t row_of(const char *text)
{
    for (uint32_t row = 1; row < LAST; row++)
        if (shows_text(row, 0, text))
            return row;
    return 0;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void the_log_is_shown_below_the_title_body(void *argument)
{
    machine_log("before");
    start();
    settle();
    CHECK(shows_text(0, 1, "Title"));
    CHECK(row_of("before") != 0);
    for (unsigned i = 0; i < 2 * ROWS; i++)
        machine_log("line %u", i);
    settle();
    CHECK(shows_text(LAST - 1, 0, "line 19"));
    CHECK(shows_text(1, 0, "line 12"));
    stop();
}

static void the_log_is_shown_below_the_title(void **state)
{
    run_family(the_log_is_shown_below_the_title_body);
}

static void what_is_typed_is_echoed_body(void *argument)
{
    TestKeyboard *keyboard = start_keyboard();

    start();
    settle();
    CHECK(shows_text(LAST, 0, "> _"));
    press(keyboard, KEY_A);
    press(keyboard, KEY_A);
    settle();
    CHECK(shows_text(LAST, 0, "> aa_"));
    press(keyboard, KEY_DELETE);
    settle();
    CHECK(shows_text(LAST, 0, "> a_ "));
    press(keyboard, KEY_RETURN);
    settle();
    CHECK(shows_text(LAST, 0, "> _ "));
    CHECK(row_of("a ") != 0);
    for (unsigned i = 0; i < 1000; i++) /* a flood: the line is full at some point */
        press(keyboard, KEY_A);
    settle();
    CHECK(shows_text(LAST, 2, "aaaaaaaa"));
    press(keyboard, KEY_RETURN);
    settle();
    CHECK(shows_text(LAST, 0, "> _ "));
    stop();
}

static void what_is_typed_is_echoed(void **state)
{
    run_family(what_is_typed_is_echoed_body);
}

/* One report of a pointer with absolute X and Y, 0 to 32767, 16 bits each. */
static void point(uint32_t x, uint32_t y)
{
    static const struct report_fields fields = {
        .count = 2,
        .fields = { { .page = 1, .usage = 0x30, .bit = 0, .bits = 16, .maximum = 32767 },
                    { .page = 1, .usage = 0x31, .bit = 16, .bits = 16, .maximum = 32767 } },
    };
    static struct pointer_state pointer;
    const uint8_t report[4] = { (uint8_t)x, (uint8_t)(x >> 8), (uint8_t)y, (uint8_t)(y >> 8) };

    input_events_pointer(&pointer, &fields, report, sizeof report);
}

static void the_pointer_is_drawn_and_moves_body(void *argument)
{
    start();
    point(16384, 16384);
    settle();
    CHECK(pixel_at(WIDTH / 2, HEIGHT / 2) == 0);
    CHECK(pixel_at(WIDTH / 2 + 1, HEIGHT / 2 + 2) == 0xffffff);
    point(0, 32767);
    settle();
    CHECK(pixel_at(WIDTH / 2 + 1, HEIGHT / 2 + 2) != 0xffffff);
    CHECK(pixel_at(0, HEIGHT - 1) == 0);
    stop();
}

static void the_pointer_is_drawn_and_moves(void **state)
{
    run_family(the_pointer_is_drawn_and_moves_body);
}

static void nothing_is_drawn_while_nothing_happens_or_it_is_paused_body(void *argument)
{
    uint32_t mark = 0x123456;

    start();
    settle();
    memcpy(pixels, &mark, 4);
    settle();
    CHECK(pixel_at(0, 0) == mark);
    console_pause(true);
    memset(pixels, 0, BYTES);
    machine_log("unseen");
    point(16384, 16384);
    settle();
    for (unsigned i = 0; i < BYTES; i++)
        CHECK(pixels[i] == 0);
    console_pause(false);
    settle();
    CHECK(shows_text(0, 1, "Title"));
    CHECK(row_of("unseen") != 0);
    stop();
}

static void nothing_is_drawn_while_nothing_happens_or_it_is_paused(void **state)
{
    run_family(nothing_is_drawn_while_nothing_happens_or_it_is_paused_body);
}

/* Memory that the host has taken back, or never gave: a fault would end the test. */
static void a_picture_that_is_not_there_is_left_alone_body(void *argument)
{
    start_on(0xf8000000);
    machine_log("for nobody");
    settle();
    console_stop();
}

static void a_picture_that_is_not_there_is_left_alone(void **state)
{
    run_family(a_picture_that_is_not_there_is_left_alone_body);
}

static void no_memory_is_said_body(void *argument)
{
    const struct console_options options = { .title = "" };

    machine_allocation_fail_at(1, true);
    int result = console_start(&options);
    machine_allocation_fail_at(0, false);
    CHECK(result != 0);
    console_stop(); /* it does not run: nothing happens */
    start();
    settle();
    stop();
}

static void no_memory_is_said(void **state)
{
    run_family(no_memory_is_said_body);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_log_is_shown_below_the_title),
        cmocka_unit_test(what_is_typed_is_echoed),
        cmocka_unit_test(the_pointer_is_drawn_and_moves),
        cmocka_unit_test(nothing_is_drawn_while_nothing_happens_or_it_is_paused),
        cmocka_unit_test(a_picture_that_is_not_there_is_left_alone),
        cmocka_unit_test(no_memory_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
