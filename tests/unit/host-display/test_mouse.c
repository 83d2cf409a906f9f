/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic mouse's host side, with a guest written by hand. */
#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/mouse.h"

enum { CHANNEL = 1 };

struct rig {
    struct bench *bench;
    struct virtual_device *mouse;
};

static void pump(struct rig *rig)
{
    host_channel_run(vmbus_server_channel(rig->bench->server, CHANNEL));
    rig->mouse->operations->run(rig->mouse, 0);
}

static struct rig *rig_create(void)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    rig->bench = bench_create(VMBUS_VERSION_5_3);
    rig->mouse = mouse_new(NULL);
    assert_int_equal(rig->mouse->operations->plug(rig->mouse, rig->bench->server), 0);
    bench_connect(rig->bench, VMBUS_VERSION_5_3);
    bench_open_channel(rig->bench, CHANNEL);
    pump(rig);
    return rig;
}

static void rig_free(struct rig *rig)
{
    vmbus_server_reset(rig->bench->server);
    bench_free(rig->bench);
    rig->mouse->operations->free(rig->mouse);
    free(rig);
}

static void put(struct rig *rig, uint32_t type, const void *body, uint32_t size)
{
    uint8_t packet[128] = {0};
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL)), 1);
    const uint32_t length = (16 + 16 + size + 7) & ~7u;
    const struct vmbus_packet_header header = {VMBUS_PACKET_IN_BAND, 2, (uint16_t)(length / 8), 0,
                                               0};
    const uint32_t words[4] = {VMBUS_PIPE_DATA, 8 + size, type, size};
    memcpy(packet, &header, sizeof(header));
    memcpy(packet + 16, words, sizeof(words));
    memcpy(packet + 32, body, size);
    guest_ring_put(&ring, packet, length);
    pump(rig);
}

/* Takes the next message behind its pipe header; returns its length, 0 if there is none. */
static uint32_t take(struct rig *rig, uint8_t message[300])
{
    uint8_t packet[512];
    struct vmbus_pipe_header pipe;
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL) + 2), 1);
    if (guest_ring_take(&ring, packet, sizeof(packet)) == 0) {
        return 0;
    }
    memcpy(&pipe, packet + 16, sizeof(pipe));
    assert_in_range(pipe.length, 8, 300);
    memcpy(message, packet + 24, pipe.length);
    return pipe.length;
}

static void expect_type(struct rig *rig, uint32_t type, uint32_t length, uint8_t message[300])
{
    uint32_t found;
    assert_int_equal(take(rig, message), length);
    memcpy(&found, message, sizeof(found));
    assert_int_equal(found, type);
}

static void agree(struct rig *rig)
{
    const uint32_t version = MOUSE_VERSION_2_0;
    uint8_t message[300];
    put(rig, MOUSE_PROTOCOL_REQUEST, &version, 4);
    expect_type(rig, MOUSE_PROTOCOL_RESPONSE, 13, message);
    assert_int_equal(message[12], 1);
    expect_type(rig, MOUSE_INITIAL_DEVICE_INFO, 8 + 169, message);
    assert_int_equal(message[8 + 39], 67);
    assert_int_equal(message[8 + 41 + 14], 0x29); /* usage maximum of the buttons */
    put(rig, MOUSE_DEVICE_INFO_ACK, "", 1);
}

static void expect_report(struct rig *rig, uint8_t buttons, uint16_t x, uint16_t y, int16_t wheel)
{
    const struct mouse_report expected = {buttons, x, y, wheel};
    uint8_t message[300];
    expect_type(rig, MOUSE_INPUT_REPORT, 15, message);
    assert_memory_equal(message + 8, &expected, sizeof(expected));
}

static void a_version_never_seen_is_not_approved(void **state)
{
    const uint32_t version = 0x00030000;
    uint8_t message[300];
    struct rig *rig = rig_create();
    put(rig, MOUSE_PROTOCOL_REQUEST, &version, 4);
    expect_type(rig, MOUSE_PROTOCOL_RESPONSE, 13, message);
    assert_int_equal(message[12], 0);
    assert_int_equal(take(rig, message), 0);
    assert_int_equal(mouse_move(rig->mouse, 1, 1), -ENOTCONN);
    agree(rig);
    assert_int_equal(mouse_move(rig->mouse, 1, 1), 0);
    rig_free(rig);
}

static void reports_carry_position_buttons_and_wheel(void **state)
{
    struct rig *rig = rig_create();
    agree(rig);
    assert_int_equal(mouse_move(rig->mouse, 32767, 1), 0);
    assert_int_equal(mouse_button(rig->mouse, 4, true), 0);
    assert_int_equal(mouse_wheel(rig->mouse, -2), 0);
    assert_int_equal(mouse_button(rig->mouse, 4, true), 0); /* is down: nothing */
    mouse_release_all(rig->mouse);
    pump(rig);
    expect_report(rig, 0, 32767, 1, 0);
    expect_report(rig, 0x10, 32767, 1, 0);
    expect_report(rig, 0x10, 32767, 1, -2);
    expect_report(rig, 0, 32767, 1, 0);
    rig_free(rig);
}

static void what_is_out_of_range_is_refused(void **state)
{
    struct rig *rig = rig_create();
    agree(rig);
    assert_int_equal(mouse_move(rig->mouse, 32768, 0), -EINVAL);
    assert_int_equal(mouse_move(rig->mouse, 0, 0xffffffff), -EINVAL);
    assert_int_equal(mouse_button(rig->mouse, 5, true), -EINVAL);
    assert_int_equal(mouse_wheel(rig->mouse, 32768), -EINVAL);
    rig_free(rig);
}

static void positions_nobody_has_seen_are_merged_but_no_button_is(void **state)
{
    struct mouse_report_state state_now;
    struct rig *rig = rig_create();
    agree(rig);
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(mouse_move(rig->mouse, i, i), 0);
    }
    mouse_button(rig->mouse, 0, true);
    mouse_move(rig->mouse, 5, 6);
    mouse_button(rig->mouse, 0, false);
    pump(rig);
    mouse_report_state(rig->mouse, &state_now);
    assert_int_equal(state_now.waiting, 0);
    expect_report(rig, 0, 0, 0, 0);
    expect_report(rig, 0, 9999, 9999, 0);
    expect_report(rig, 1, 9999, 9999, 0);
    expect_report(rig, 1, 5, 6, 0);
    expect_report(rig, 0, 5, 6, 0);
    rig_free(rig);
}

static void a_flood_of_clicks_leaves_no_button_down(void **state)
{
    struct mouse_report_state state_now;
    uint8_t message[300], last = 0xff;
    struct rig *rig = rig_create();
    agree(rig);
    for (unsigned i = 0; i < 2 * MOUSE_QUEUE; i++) {
        mouse_button(rig->mouse, i % 5, true);
        mouse_wheel(rig->mouse, 1);
    }
    assert_int_equal(mouse_wheel(rig->mouse, 1), -EAGAIN);
    mouse_release_all(rig->mouse);
    mouse_report_state(rig->mouse, &state_now);
    assert_int_equal(state_now.last.buttons, 0);
    for (unsigned i = 0; i < 2 * MOUSE_QUEUE; i++) {
        pump(rig);
        if (take(rig, message) == 0) {
            break;
        }
        last = message[8];
    }
    assert_int_equal(last, 0);
    rig_free(rig);
}

static void broken_messages_are_told_and_the_next_good_one_works(void **state)
{
    struct rig *rig = rig_create();
    put(rig, MOUSE_DEVICE_INFO_ACK, "", 1);
    bench_expect_violation(rig->bench, "acknowledged once it was described");
    put(rig, MOUSE_PROTOCOL_REQUEST, "", 1);
    bench_expect_violation(rig->bench, "request has a version");
    put(rig, 99, "", 1);
    bench_expect_violation(rig->bench, "a mouse message is");
    agree(rig);
    assert_int_equal(mouse_button(rig->mouse, 0, true), 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_never_seen_is_not_approved),
        cmocka_unit_test(reports_carry_position_buttons_and_wheel),
        cmocka_unit_test(what_is_out_of_range_is_refused),
        cmocka_unit_test(positions_nobody_has_seen_are_merged_but_no_button_is),
        cmocka_unit_test(a_flood_of_clicks_leaves_no_button_down),
        cmocka_unit_test(broken_messages_are_told_and_the_next_good_one_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
