/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys and pointer of a real VNC client (libvncclient) on their way to the guest. */
#include "tests/unit/host-display/vnc_rig.h"

#include <string.h>

#include "host/display/keys.h"

enum { SHIFT = 0xffe1, CONTROL = 0xffe3, CAPS_LOCK = 0xffe5, ALT_GR = 0xfe03,
       BREAK = KEYBOARD_EVENT_BREAK, UNICODE = KEYBOARD_EVENT_UNICODE };

static struct rig *connected_rig(void)
{
    struct rig *rig = rig_create(NULL, NULL);
    assert_true(try_connect(rig, ""));
    return rig;
}

static void finish(struct rig *rig)
{
    leave(rig->client);
    rig_free(rig);
}

static void stroke(struct rig *rig, uint32_t symbol)
{
    SendKeyEvent(rig->client, symbol, TRUE);
    SendKeyEvent(rig->client, symbol, FALSE);
}

static void expect_stroke(struct rig *rig, uint16_t code, uint32_t prefix)
{
    expect_event(rig, code, prefix);
    expect_event(rig, code, prefix | BREAK);
}

static void expect_character(struct rig *rig, uint16_t unit)
{
    expect_stroke(rig, unit, UNICODE);
}

/* ---- Symbols ---- */

static void keys_of_a_viewer_reach_the_guest(void **state)
{
    struct rig *rig = rig_create(NULL, NULL);
    assert_true(try_connect(rig, ""));
    assert_int_equal(vnc_viewers(rig->vnc), 1);
    SendKeyEvent(rig->client, 'a', TRUE);
    SendKeyEvent(rig->client, 'a', FALSE);
    SendKeyEvent(rig->client, 0xff51, TRUE); /* left */
    SendKeyEvent(rig->client, 0xe9, TRUE);   /* e with acute: no key of a US keyboard */
    expect_event(rig, 0x1e, 0);
    expect_event(rig, 0x1e, KEYBOARD_EVENT_BREAK);
    expect_event(rig, 0x4b, KEYBOARD_EVENT_E0);
    expect_event(rig, 0xe9, KEYBOARD_EVENT_UNICODE);
    expect_event(rig, 0xe9, KEYBOARD_EVENT_UNICODE | KEYBOARD_EVENT_BREAK);
    leave(rig->client); /* vanishes with a key down */
    expect_event(rig, 0x4b, KEYBOARD_EVENT_E0 | KEYBOARD_EVENT_BREAK);
    assert_int_equal(vnc_viewers(rig->vnc), 0);
    rig_free(rig);
}

/* Every symbol that a key has arrives as that key, down and up. */
static void every_symbol_with_a_key_round_trips(void **state)
{
    static const struct { uint32_t first, last; } ranges[] = {
        {0x20, 0x7e}, {0xfe03, 0xfe20}, {0xff08, 0xffff}, {0x1008ff00, 0x1008ffff}};
    struct rig *rig = connected_rig();
    unsigned count = 0;
    for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        for (uint32_t symbol = ranges[i].first; symbol <= ranges[i].last; symbol++) {
            struct keyboard_key key;
            if (!key_of_symbol(symbol, &key)) {
                continue;
            }
            const bool shifted = shift_of_symbol(symbol) == SYMBOL_SHIFT_WANTED;
            if (shifted) {
                SendKeyEvent(rig->client, SHIFT, TRUE);
                expect_event(rig, 0x2a, 0);
            }
            stroke(rig, symbol);
            expect_stroke(rig, key.code, key.prefix);
            if (shifted) {
                SendKeyEvent(rig->client, SHIFT, FALSE);
                expect_event(rig, 0x2a, BREAK);
            }
            count++;
        }
    }
    assert_in_range(count, 180, 300);
    finish(rig);
}

/* German keyboards have the slash above the seven: its symbol comes with Shift held. */
static void a_symbol_that_its_key_would_not_give_is_typed(void **state)
{
    struct rig *rig = connected_rig();
    SendKeyEvent(rig->client, SHIFT, TRUE);
    expect_event(rig, 0x2a, 0);
    stroke(rig, '/');
    expect_character(rig, '/');
    stroke(rig, '?'); /* with Shift, as on a US keyboard */
    expect_stroke(rig, 0x35, 0);
    SendKeyEvent(rig->client, SHIFT, FALSE);
    expect_event(rig, 0x2a, BREAK);
    stroke(rig, '!'); /* some have it without Shift */
    expect_character(rig, '!');
    SendKeyEvent(rig->client, ALT_GR, TRUE);
    expect_event(rig, 0x38, KEYBOARD_EVENT_E0);
    stroke(rig, '@');
    expect_character(rig, '@');
    finish(rig);
}

static void with_control_the_key_is_meant(void **state)
{
    struct rig *rig = connected_rig();
    SendKeyEvent(rig->client, CONTROL, TRUE);
    expect_event(rig, 0x1d, 0);
    stroke(rig, 'C'); /* caps lock at the viewer */
    expect_stroke(rig, 0x2e, 0);
    finish(rig);
}

static void guest_lights(struct rig *rig, uint16_t indicators)
{
    const struct keyboard_set_indicators message = {KEYBOARD_SET_INDICATORS, indicators, 0};
    uint8_t packet[24] = {0};
    const struct vmbus_packet_header header = {VMBUS_PACKET_IN_BAND, 2, 3, 0, 0};
    struct guest_ring ring =
        guest_ring_at(bench_page(rig->bench, bench_ring_page(KEYBOARD_CHANNEL)), 1);
    memcpy(packet, &header, 16);
    memcpy(packet + 16, &message, 8);
    guest_ring_put(&ring, packet, sizeof(packet));
    pump(rig);
}

static void caps_lock_counts_for_letters_alone(void **state)
{
    struct rig *rig = connected_rig();
    stroke(rig, 'A'); /* the viewer has it on, the guest not */
    expect_character(rig, 'A');
    guest_lights(rig, KEYBOARD_INDICATOR_CAPS_LOCK);
    stroke(rig, 'A');
    expect_stroke(rig, 0x1e, 0);
    stroke(rig, 'a');
    expect_character(rig, 'a');
    stroke(rig, '1');
    expect_stroke(rig, 0x02, 0);
    finish(rig);
}

static void dead_keys_join_their_letters(void **state)
{
    struct rig *rig = connected_rig();
    stroke(rig, 0xfe51); /* acute */
    stroke(rig, 'e');
    expect_character(rig, 0xe9);
    stroke(rig, 0xfe57); /* diaeresis; Shift does not end the wait */
    SendKeyEvent(rig->client, SHIFT, TRUE);
    expect_event(rig, 0x2a, 0);
    stroke(rig, 'U');
    expect_character(rig, 0xdc);
    SendKeyEvent(rig->client, SHIFT, FALSE);
    expect_event(rig, 0x2a, BREAK);
    stroke(rig, 0xfe52); /* circumflex, and a space: the accent itself */
    stroke(rig, ' ');
    expect_character(rig, '^');
    stroke(rig, 0xfe50); /* no letter for it: both come */
    stroke(rig, 'x');
    expect_character(rig, '`');
    expect_stroke(rig, 0x2d, 0);
    stroke(rig, 'a');
    expect_stroke(rig, 0x1e, 0);
    finish(rig);
}

static void a_key_that_is_held_repeats_and_goes_up_once(void **state)
{
    struct rig *rig = connected_rig();
    for (unsigned i = 0; i < 3; i++) {
        SendKeyEvent(rig->client, 'a', TRUE);
    }
    SendKeyEvent(rig->client, 'a', FALSE);
    SendKeyEvent(rig->client, 'a', FALSE);
    for (unsigned i = 0; i < 3; i++) {
        expect_event(rig, 0x1e, 0);
    }
    expect_event(rig, 0x1e, BREAK);
    assert_int_equal(drain_events(rig), 0);
    finish(rig);
}

/* ---- Scan codes ---- */

static bool speaks_scan_codes(rfbClient *client, void *context)
{
    return SupportsClient2Server(client, rfbQemuEvent);
}

static bool has_update(rfbClient *client, void *context)
{
    uint32_t pixel;
    memcpy(&pixel, client->frameBuffer, 4);
    return (pixel & 0xffffff) == 0xffffff;
}

static void every_scan_code_round_trips(void **state)
{
    struct rig *rig = connected_rig();
    assert_true(talk_until(rig, speaks_scan_codes, NULL));
    guest_sets_mode(rig, 320, 200, 32);
    guest_draws(rig, 0x00ffffff, 320, 200, 4);
    assert_true(talk_until(rig, has_update, NULL));
    assert_true(speaks_scan_codes(rig->client, NULL)); /* and nothing said otherwise */
    for (uint32_t scan = 1; scan < 0xf1; scan++) {
        if (scan == 0x80 || scan == 0x71 || scan == 0x72) {
            continue; /* no code; Korean, below */
        }
        SendExtendedKeyEvent(rig->client, 0, scan, TRUE);
        SendExtendedKeyEvent(rig->client, 0, scan, FALSE);
        expect_stroke(rig, scan & 0x7f, scan & 0x80 ? KEYBOARD_EVENT_E0 : 0);
    }
    finish(rig);
}

static void scan_codes_in_their_other_forms(void **state)
{
    struct rig *rig = connected_rig();
    assert_true(talk_until(rig, speaks_scan_codes, NULL));
    SendExtendedKeyEvent(rig->client, 0, 0xe04b, TRUE);
    expect_event(rig, 0x4b, KEYBOARD_EVENT_E0);
    SendExtendedKeyEvent(rig->client, 0, 0x72, TRUE);
    expect_event(rig, 0xf2, 0);
    SendExtendedKeyEvent(rig->client, 0, 0xf1, TRUE);
    expect_event(rig, 0xf1, 0);
    SendExtendedKeyEvent(rig->client, 'b', 0, TRUE); /* the viewer knows no code: the symbol */
    expect_event(rig, 0x30, 0);
    finish(rig);
}

/* ---- Floods, and ends ---- */

static void a_flood_of_keys_leaves_none_down(void **state)
{
    struct keyboard_report report;
    struct rig *rig = connected_rig();
    for (unsigned i = 0; i < 3 * KEYBOARD_QUEUE / 26; i++) {
        for (char letter = 'a'; letter <= 'z'; letter++) {
            SendKeyEvent(rig->client, (uint32_t)letter, i % 5 != 4);
        }
        if (i % 16 == 0) {
            pump(rig); /* the guest takes nothing */
        }
    }
    leave(rig->client);
    for (time_t start = time(NULL); vnc_viewers(rig->vnc) > 0 && in_time(start);) {
        pump(rig);
    }
    keyboard_report(rig->keyboard, &report);
    assert_int_equal(report.held, 0);
    assert_true(report.refused > 0);
    for (time_t start = time(NULL); report.waiting > 0 && in_time(start);) {
        drain_events(rig);
        keyboard_report(rig->keyboard, &report);
    }
    drain_events(rig);
    assert_true(try_connect(rig, ""));
    stroke(rig, 'a');
    expect_stroke(rig, 0x1e, 0);
    finish(rig);
}

static void buttons_go_up_with_their_viewer(void **state)
{
    struct rig *rig = connected_rig();
    SendPointerEvent(rig->client, 5, 5, rfbButton1Mask | rfbButton3Mask);
    next_report(rig);
    next_report(rig);
    assert_int_equal(next_report(rig).report.buttons, 3);
    leave(rig->client);
    assert_int_equal(next_report(rig).report.buttons, 2);
    assert_int_equal(next_report(rig).report.buttons, 0);
    rig_free(rig);
}

/* ---- The pointer ---- */

/* The pixel that a guest makes of a coordinate: macOS divides by the range, Linux by one more. */
static void every_pixel_arrives_exactly(void **state)
{
    static const int widths[] = {640, 1024, 1366, 1920, 2560, 3840};
    struct rig *rig = connected_rig();
    for (unsigned i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        const int width = widths[i];
        guest_sets_mode(rig, (uint32_t)width, 480, 32);
        pump(rig);
        for (int x = width - 1; x >= 0; x -= x > 100 && x < width - 100 ? 37 : 1) {
            SendPointerEvent(rig->client, x, x % 480, 0);
            const struct mouse_report report = next_report(rig).report;
            const int by_range = report.x * width / 32767, by_size = report.x * width / 32768;
            assert_int_equal(by_range < width ? by_range : width - 1, x);
            assert_int_equal(by_size, x);
            assert_int_equal(report.y * 480 / 32768, x % 480);
        }
        SendPointerEvent(rig->client, 1, 1, 0); /* so that the first of the next moves */
        next_report(rig);
    }
    finish(rig);
}

static void corners_are_the_ends_of_the_range(void **state)
{
    struct rig *rig = connected_rig();
    SendPointerEvent(rig->client, 639, 479, 0);
    struct mouse_report report = next_report(rig).report;
    assert_int_equal(report.x, MOUSE_COORDINATE_MAXIMUM);
    assert_int_equal(report.y, MOUSE_COORDINATE_MAXIMUM);
    SendPointerEvent(rig->client, 0, 0, 0);
    report = next_report(rig).report;
    assert_int_equal(report.x, 0);
    assert_int_equal(report.y, 0);
    SendPointerEvent(rig->client, 5000, 5000, 0); /* beyond: the corner */
    assert_int_equal(next_report(rig).report.x, MOUSE_COORDINATE_MAXIMUM);
    finish(rig);
}

static void buttons_and_both_wheels(void **state)
{
    static const struct { int mask; uint8_t buttons; int16_t wheel, pan; } steps[] = {
        {1, 1, 0, 0}, {3, 5, 0, 0}, {7, 7, 0, 0}, {7 | 128, 15, 0, 0}, {0, 0, 0, 0},
        {8, 0, 1, 0}, {16, 0, -1, 0}, {32, 0, 0, -1}, {64, 0, 0, 1}};
    struct rig *rig = connected_rig();
    SendPointerEvent(rig->client, 10, 10, 0);
    next_report(rig);
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct mouse_report_with_pan report;
        SendPointerEvent(rig->client, 10, 10, steps[i].mask);
        do {
            report = next_report(rig);
        } while (report.report.buttons != steps[i].buttons); /* one report a button */
        assert_int_equal(report.report.wheel, steps[i].wheel);
        assert_int_equal(report.pan, steps[i].pan);
        SendPointerEvent(rig->client, 10, 10, steps[i].mask & 7); /* a wheel's button goes up */
    }
    finish(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_a_viewer_reach_the_guest),
        cmocka_unit_test(every_symbol_with_a_key_round_trips),
        cmocka_unit_test(a_symbol_that_its_key_would_not_give_is_typed),
        cmocka_unit_test(with_control_the_key_is_meant),
        cmocka_unit_test(caps_lock_counts_for_letters_alone),
        cmocka_unit_test(dead_keys_join_their_letters),
        cmocka_unit_test(a_key_that_is_held_repeats_and_goes_up_once),
        cmocka_unit_test(every_scan_code_round_trips),
        cmocka_unit_test(scan_codes_in_their_other_forms),
        cmocka_unit_test(a_flood_of_keys_leaves_none_down),
        cmocka_unit_test(buttons_go_up_with_their_viewer),
        cmocka_unit_test(every_pixel_arrives_exactly),
        cmocka_unit_test(corners_are_the_ends_of_the_range),
        cmocka_unit_test(buttons_and_both_wheels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
