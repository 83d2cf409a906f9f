/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic keyboard's host side, with a guest written by hand. */
#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/keyboard.h"
#include "protocol/keyboard.h"

enum { CHANNEL = 1, REQUEST_COMPLETION = 1 };

struct rig {
    struct bench *bench;
    struct virtual_device *keyboard;
};

static void pump(struct rig *rig)
{
    host_channel_run(vmbus_server_channel(rig->bench->server, CHANNEL));
    rig->keyboard->operations->run(rig->keyboard, 0);
}

static struct rig *rig_create(void)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    rig->bench = bench_create(VMBUS_VERSION_5_3);
    rig->keyboard = keyboard_new();
    assert_int_equal(rig->keyboard->operations->plug(rig->keyboard, rig->bench->server), 0);
    bench_connect(rig->bench, VMBUS_VERSION_5_3);
    bench_open_channel(rig->bench, CHANNEL);
    pump(rig);
    return rig;
}

static void rig_free(struct rig *rig)
{
    vmbus_server_reset(rig->bench->server);
    bench_free(rig->bench);
    rig->keyboard->operations->free(rig->keyboard);
    free(rig);
}

static void put_packet(struct rig *rig, uint16_t type, const void *payload, uint32_t size,
                       uint16_t flags)
{
    uint8_t packet[300] = {0};
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL)), 1);
    const uint32_t length = (16 + size + 7) & ~7u;
    const struct vmbus_packet_header header = {type, 2, (uint16_t)(length / 8), flags, 9};
    memcpy(packet, &header, sizeof(header));
    memcpy(packet + 16, payload, size);
    guest_ring_put(&ring, packet, length);
    pump(rig);
}

static void put(struct rig *rig, const void *payload, uint32_t size, uint16_t flags)
{
    put_packet(rig, VMBUS_PACKET_IN_BAND, payload, size, flags);
}

/* Takes the next packet's payload; 0: there is none. Completions have type in *type. */
static uint32_t take(struct rig *rig, void *payload, uint32_t capacity, uint16_t *type)
{
    uint8_t packet[300];
    struct vmbus_packet_header header;
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL) + 2), 1);
    uint32_t length = guest_ring_take(&ring, packet, sizeof(packet));
    if (length == 0) {
        return 0;
    }
    memcpy(&header, packet, sizeof(header));
    if (type != NULL) {
        *type = header.type;
    }
    memcpy(payload, packet + 16, length - 16 < capacity ? length - 16 : capacity);
    return length;
}

static uint32_t ask(struct rig *rig, uint32_t version)
{
    const struct keyboard_protocol_request request = {KEYBOARD_PROTOCOL_REQUEST, version};
    struct keyboard_protocol_response response = {0};
    put(rig, &request, sizeof(request), 0);
    assert_int_not_equal(take(rig, &response, sizeof(response), NULL), 0);
    assert_int_equal(response.type, KEYBOARD_PROTOCOL_RESPONSE);
    return response.status;
}

static struct rig *agreed_rig(void)
{
    struct rig *rig = rig_create();
    assert_int_equal(ask(rig, KEYBOARD_VERSION_1_0), KEYBOARD_ACCEPTED);
    return rig;
}

static void expect_event(struct rig *rig, uint16_t code, uint32_t flags)
{
    struct keyboard_event event;
    assert_int_not_equal(take(rig, &event, sizeof(event), NULL), 0);
    assert_int_equal(event.type, KEYBOARD_EVENT);
    assert_int_equal(event.make_code, code);
    assert_int_equal(event.flags, flags);
}

static void expect_nothing(struct rig *rig)
{
    uint8_t payload[64];
    assert_int_equal(take(rig, payload, sizeof(payload), NULL), 0);
}

static const struct keyboard_key key_a = {0x1e, 0}, key_left = {0x4b, KEYBOARD_EVENT_E0};

static void a_version_never_seen_is_refused_and_the_next_is_taken(void **state)
{
    struct rig *rig = rig_create();
    assert_int_equal(ask(rig, 0x00020000), 0);
    assert_int_equal(keyboard_press(rig->keyboard, key_a, true), -ENOTCONN);
    assert_int_equal(ask(rig, KEYBOARD_VERSION_1_0), KEYBOARD_ACCEPTED);
    assert_int_equal(keyboard_press(rig->keyboard, key_a, true), 0);
    rig_free(rig);
}

static void keys_go_down_and_up_with_their_prefix(void **state)
{
    struct rig *rig = agreed_rig();
    assert_int_equal(keyboard_press(rig->keyboard, key_a, true), 0);
    assert_int_equal(keyboard_press(rig->keyboard, key_left, true), 0);
    assert_int_equal(keyboard_press(rig->keyboard, key_a, false), 0);
    assert_int_equal(keyboard_press(rig->keyboard, key_a, false), 0); /* is up: nothing */
    keyboard_release_all(rig->keyboard);
    pump(rig);
    expect_event(rig, 0x1e, 0);
    expect_event(rig, 0x4b, KEYBOARD_EVENT_E0);
    expect_event(rig, 0x1e, KEYBOARD_EVENT_BREAK);
    expect_event(rig, 0x4b, KEYBOARD_EVENT_E0 | KEYBOARD_EVENT_BREAK);
    expect_nothing(rig);
    rig_free(rig);
}

static void text_comes_as_units_of_utf_16(void **state)
{
    static const uint16_t units[] = {'A', 0xe9, '\r', 0xd83d, 0xde00};
    struct rig *rig = agreed_rig();
    assert_int_equal(keyboard_type(rig->keyboard, "A\xc3\xa9\n\xf0\x9f\x98\x80"), 0);
    pump(rig);
    for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        expect_event(rig, units[i], KEYBOARD_EVENT_UNICODE);
        expect_event(rig, units[i], KEYBOARD_EVENT_UNICODE | KEYBOARD_EVENT_BREAK);
    }
    expect_nothing(rig);
    rig_free(rig);
}

static void a_flood_is_refused_and_leaves_no_key_down(void **state)
{
    struct rig *rig = agreed_rig();
    struct keyboard_report report;
    struct keyboard_event event;
    int result = 0;
    unsigned presses = 0;
    bool down = false;
    while (result == 0 && presses < 3 * KEYBOARD_QUEUE) {
        result = keyboard_press(rig->keyboard, key_a, true);
        presses += result == 0;
    }
    assert_int_equal(result, -EAGAIN);
    assert_int_equal(keyboard_type(rig->keyboard, "x"), -EAGAIN);
    keyboard_release_all(rig->keyboard);
    keyboard_report(rig->keyboard, &report);
    assert_int_equal(report.waiting, KEYBOARD_QUEUE);
    assert_int_equal(report.held, 0);
    for (unsigned i = 0; i < presses + 1; i++) { /* the ring is shorter than the queue */
        pump(rig);
        assert_int_not_equal(take(rig, &event, sizeof(event), NULL), 0);
        down = (event.flags & KEYBOARD_EVENT_BREAK) == 0;
    }
    assert_false(down);
    expect_nothing(rig);
    assert_int_equal(keyboard_press(rig->keyboard, key_left, true), 0);
    rig_free(rig);
}

static void keys_that_do_not_exist_are_refused(void **state)
{
    struct rig *rig = agreed_rig();
    assert_int_equal(keyboard_press(rig->keyboard, (struct keyboard_key){0, 0}, true), -EINVAL);
    assert_int_equal(keyboard_press(rig->keyboard, (struct keyboard_key){0x80, 0}, true), -EINVAL);
    assert_int_equal(keyboard_press(rig->keyboard, (struct keyboard_key){0x11e, 0}, false),
                     -EINVAL);
    assert_int_equal(keyboard_press(rig->keyboard, (struct keyboard_key){0x1e, 1}, true), -EINVAL);
    rig_free(rig);
}

static void a_request_for_completion_is_answered(void **state)
{
    const struct keyboard_protocol_request request = {KEYBOARD_PROTOCOL_REQUEST,
                                                      KEYBOARD_VERSION_1_0};
    struct rig *rig = rig_create();
    uint8_t payload[64];
    uint16_t type = 0;
    put(rig, &request, sizeof(request), REQUEST_COMPLETION);
    assert_int_not_equal(take(rig, payload, sizeof(payload), &type), 0);
    assert_int_equal(type, VMBUS_PACKET_COMPLETION);
    assert_int_not_equal(take(rig, payload, sizeof(payload), &type), 0);
    assert_int_equal(type, VMBUS_PACKET_IN_BAND);
    rig_free(rig);
}

static void indicators_are_noted(void **state)
{
    const struct keyboard_set_indicators message = {KEYBOARD_SET_INDICATORS,
                                                    KEYBOARD_INDICATOR_CAPS_LOCK, 0};
    struct keyboard_report report;
    struct rig *rig = agreed_rig();
    keyboard_report(rig->keyboard, &report);
    assert_false(report.indicators_said);
    put(rig, &message, sizeof(message), 0);
    keyboard_report(rig->keyboard, &report);
    assert_true(report.indicators_said);
    assert_int_equal(report.indicators, KEYBOARD_INDICATOR_CAPS_LOCK);
    rig_free(rig);
}

static void broken_messages_are_told_and_the_next_good_one_works(void **state)
{
    const uint32_t request_without_version = KEYBOARD_PROTOCOL_REQUEST, unknown[2] = {77, 0};
    struct rig *rig = rig_create();
    /* An in-band packet is a multiple of 8 bytes long, so that no message is really short of its 8.
     */
    put(rig, &request_without_version, sizeof(request_without_version), 0);
    struct keyboard_protocol_response response;
    assert_int_not_equal(take(rig, &response, sizeof(response), NULL), 0);
    assert_int_equal(response.status, 0); /* version 0 */
    put(rig, unknown, sizeof(unknown), 0);
    bench_expect_violation(rig->bench, "a keyboard message is");
    put(rig, unknown, 0, 0);
    bench_expect_violation(rig->bench, "a keyboard message has a type");
    assert_int_equal(ask(rig, KEYBOARD_VERSION_1_0), KEYBOARD_ACCEPTED);
    rig_free(rig);
}

static void a_packet_that_is_not_in_band_is_told_and_the_next_good_one_works(void **state)
{
    const struct keyboard_protocol_request request = {KEYBOARD_PROTOCOL_REQUEST,
                                                      KEYBOARD_VERSION_1_0};
    struct rig *rig = rig_create();
    (void)state;

    put_packet(rig, VMBUS_PACKET_COMPLETION, &request, sizeof(request), 0);
    bench_expect_violation(rig->bench, "in-band packets");
    expect_nothing(rig);
    assert_int_equal(ask(rig, KEYBOARD_VERSION_1_0), KEYBOARD_ACCEPTED);
    rig_free(rig);
}

static void closing_forgets_keys_that_are_down(void **state)
{
    struct rig *rig = agreed_rig();
    struct keyboard_report report;
    keyboard_press(rig->keyboard, key_a, true);
    bench_channel_message(rig->bench, VMBUS_MESSAGE_CLOSE_CHANNEL, CHANNEL);
    keyboard_report(rig->keyboard, &report);
    assert_int_equal(report.held + report.waiting, 0);
    assert_int_equal(keyboard_press(rig->keyboard, key_a, false), -ENOTCONN);
    bench_teardown(rig->bench, CHANNEL, 100 + CHANNEL);
    bench_open_channel(rig->bench, CHANNEL);
    assert_int_equal(ask(rig, KEYBOARD_VERSION_1_0), KEYBOARD_ACCEPTED);
    expect_nothing(rig);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_never_seen_is_refused_and_the_next_is_taken),
        cmocka_unit_test(keys_go_down_and_up_with_their_prefix),
        cmocka_unit_test(text_comes_as_units_of_utf_16),
        cmocka_unit_test(a_flood_is_refused_and_leaves_no_key_down),
        cmocka_unit_test(keys_that_do_not_exist_are_refused),
        cmocka_unit_test(a_request_for_completion_is_answered),
        cmocka_unit_test(indicators_are_noted),
        cmocka_unit_test(broken_messages_are_told_and_the_next_good_one_works),
        cmocka_unit_test(a_packet_that_is_not_in_band_is_told_and_the_next_good_one_works),
        cmocka_unit_test(closing_forgets_keys_that_are_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
