/* SPDX-License-Identifier: BSD-3-Clause */
/* The mouse's engine, fed by a host written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kext/input/mouse.h"
#include "xnu/families/hid/report_fields.h"

/* Two buttons, X and Y of 16 bits: 5 bytes. */
static const uint8_t small_descriptor[] = {
    0x05, 0x01, 0x09, 0x02, 0xA1, 0x01, 0x05, 0x09, 0x19, 0x01, 0x29, 0x02, 0x15, 0x00, 0x25,
    0x01, 0x75, 0x01, 0x95, 0x02, 0x81, 0x02, 0x75, 0x06, 0x95, 0x01, 0x81, 0x03, 0x05, 0x01,
    0x09, 0x30, 0x09, 0x31, 0x26, 0xFF, 0x7F, 0x75, 0x10, 0x95, 0x02, 0x81, 0x02, 0xC0,
};

/* As some hosts send it: the tag at 14 is wrong. */
static const uint8_t broken_descriptor[] = {
    0x05, 0x01, 0x09, 0x02, 0xA1, 0x01, 0x09, 0x01, 0xA1, 0x00, 0x05, 0x09, 0x19, 0x01, 0x25, 0x05,
    0x15, 0x00, 0x25, 0x01, 0x95, 0x05, 0x75, 0x01, 0x81, 0x02, 0x95, 0x03, 0x81, 0x03, 0xC0, 0xC0,
};

static struct mouse mouse;
static struct mouse_result result;

static int receive(uint32_t type, const void *body, uint32_t size)
{
    uint8_t packet[600] = { 0 };
    const uint32_t header[4] = { VMBUS_PIPE_DATA, 8 + size, type, size };

    memcpy(packet, header, sizeof header);
    memcpy(packet + sizeof header, body, size);
    return mouse_receive(&mouse, packet, (uint32_t)sizeof header + size, &result);
}

static int respond(uint8_t approved)
{
    const uint8_t body[5] = { 0, 0, 2, 0, approved };

    return receive(MOUSE_PROTOCOL_RESPONSE, body, sizeof body);
}

static int describe(const uint8_t *descriptor, uint32_t length, uint32_t said)
{
    uint8_t body[41 + 300] = { 0x20, 0, 0, 0, 0x5E, 0x04, 0x21, 0x06, 0x01, 0 };
    const uint8_t hid[9] = { 9, 0x21, 1, 1, 0, 1, 0x22, (uint8_t)said, (uint8_t)(said >> 8) };

    memcpy(body + 32, hid, sizeof hid);
    memcpy(body + 41, descriptor, length);
    return receive(MOUSE_INITIAL_DEVICE_INFO, body, 41 + length);
}

static void begin(void)
{
    struct mouse_request_packet packet;

    mouse_begin(&mouse, &packet);
    assert_int_equal(packet.pipe.length, sizeof packet.request);
    assert_int_equal(packet.request.version, MOUSE_VERSION_2_0);
}

static void begin_ready(void)
{
    begin();
    assert_int_equal(respond(1), 0);
    assert_int_equal(describe(small_descriptor, sizeof small_descriptor, sizeof small_descriptor),
                     0);
    assert_int_equal(result.action, MOUSE_DESCRIBED);
}

static void expect_report_works(void)
{
    static const uint8_t report[5] = { 1, 2, 3, 4, 5 };

    assert_int_equal(receive(MOUSE_INPUT_REPORT, report, sizeof report), 0);
    assert_int_equal(result.action, MOUSE_REPORT);
    assert_int_equal(result.report_length, 5);
    assert_memory_equal(result.report, report, 5);
}

static void a_mouse_is_described_then_reports(void **state)
{
    (void)state;
    begin_ready();
    assert_int_equal(mouse.vendor, 0x045E);
    assert_int_equal(mouse.product, 0x0621);
    assert_int_equal(mouse.shape.input_bytes, 5);
    assert_int_equal(mouse.descriptor_length, sizeof small_descriptor);
    expect_report_works();
    assert_int_equal(mouse.counters.reports, 1);
}

static void a_second_description_is_acknowledged_and_changes_nothing(void **state)
{
    (void)state;
    begin_ready();
    assert_int_equal(
        describe(broken_descriptor, sizeof broken_descriptor, sizeof broken_descriptor), 0);
    assert_int_equal(result.action, MOUSE_ACK);
    assert_int_equal(mouse.descriptor_length, sizeof small_descriptor);
    expect_report_works();
}

static void short_and_long_reports_are_dropped(void **state)
{
    static const uint8_t report[64];

    (void)state;
    begin_ready();
    for (uint32_t size = 0; size < 5; size++) {
        assert_int_equal(receive(MOUSE_INPUT_REPORT, report, size), 0);
        assert_int_equal(result.action, MOUSE_NOTHING);
    }
    assert_int_equal(receive(MOUSE_INPUT_REPORT, report, MOUSE_REPORT_MAXIMUM + 1), 0);
    assert_int_equal(result.action, MOUSE_NOTHING);
    assert_int_equal(mouse.counters.short_reports, 6);
    expect_report_works();
}

static void messages_at_the_wrong_time_are_dropped(void **state)
{
    static const uint8_t report[5];

    (void)state;
    begin();
    assert_int_equal(receive(MOUSE_INPUT_REPORT, report, sizeof report), HV_ERROR_MALFORMED);
    assert_int_equal(describe(small_descriptor, sizeof small_descriptor, 44), HV_ERROR_MALFORMED);
    assert_int_equal(respond(1), 0);
    assert_int_equal(respond(0), HV_ERROR_MALFORMED);
    assert_int_equal(describe(small_descriptor, sizeof small_descriptor, sizeof small_descriptor),
                     0);
    expect_report_works();
}

static void a_host_that_refuses_is_believed(void **state)
{
    (void)state;
    begin();
    assert_int_equal(respond(0), HV_ERROR_REFUSED);
    assert_int_equal(mouse.state, MOUSE_REFUSED);
}

static void a_descriptor_longer_than_its_message_is_refused(void **state)
{
    (void)state;
    begin();
    respond(1);
    assert_int_equal(
        describe(small_descriptor, sizeof small_descriptor, sizeof small_descriptor + 1),
        HV_ERROR_REFUSED);
    assert_int_equal(mouse.state, MOUSE_REFUSED);
    begin_ready();
}

static void a_descriptor_cut_anywhere_is_refused(void **state)
{
    struct report_shape shape;
    struct report_fields fields;

    (void)state;
    for (uint32_t length = 0; length < sizeof small_descriptor; length++) {
        assert_int_equal(report_descriptor_check(small_descriptor, length, &shape),
                         HV_ERROR_MALFORMED);
        assert_false(report_fields_read(&fields, small_descriptor, length));
    }
    assert_int_equal(report_descriptor_check(small_descriptor, sizeof small_descriptor, &shape), 0);
    assert_true(report_fields_read(&fields, small_descriptor, sizeof small_descriptor));
    assert_int_equal(fields.count, 4);
}

static void hostile_descriptors_are_refused(void **state)
{
    static const uint8_t huge_size[] = { 0xA1, 1,    0x77, 0xFF, 0xFF, 0xFF,
                                         0xFF, 0x95, 1,    0x81, 2,    0xC0 };
    static const uint8_t huge_count[] = { 0xA1, 1,    0x75, 32,   0x97, 0xFF,
                                          0xFF, 0xFF, 0x7F, 0x81, 2,    0xC0 };
    static const uint8_t unbalanced[] = { 0xC0, 0xA1, 1, 0x75, 8, 0x95, 1, 0x81, 2 };
    static const uint8_t outside[] = { 0x75, 8, 0x95, 1, 0x81, 2, 0xA1, 1, 0xC0 };
    static const uint8_t nothing[] = { 0xA1, 1, 0xC0 };
    static const uint8_t long_item[] = { 0xFE, 200, 0, 0xA1, 1, 0xC0 };
    static const struct {
        const uint8_t *bytes;
        uint32_t length;
    } all[] = {
        { huge_size, sizeof huge_size },   { huge_count, sizeof huge_count },
        { unbalanced, sizeof unbalanced }, { outside, sizeof outside },
        { nothing, sizeof nothing },       { long_item, sizeof long_item },
    };
    struct report_shape shape;

    (void)state;
    for (uint32_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_int_equal(report_descriptor_check(all[i].bytes, all[i].length, &shape),
                         HV_ERROR_MALFORMED);
}

static void the_known_broken_descriptor_is_mended(void **state)
{
    struct report_fields fields;

    (void)state;
    begin();
    respond(1);
    assert_int_equal(
        describe(broken_descriptor, sizeof broken_descriptor, sizeof broken_descriptor), 0);
    assert_int_equal(mouse.descriptor[14], 0x29);
    assert_true(report_fields_read(&fields, mouse.descriptor, mouse.descriptor_length));
    assert_int_equal(fields.count, 5);
    assert_int_equal(fields.fields[4].usage, 5);
}

static void packets_that_lie_about_their_length_are_dropped(void **state)
{
    uint32_t packet[8] = { VMBUS_PIPE_DATA, 1000, MOUSE_INPUT_REPORT, 5 };

    (void)state;
    begin_ready();
    assert_int_equal(mouse_receive(&mouse, packet, sizeof packet, &result), HV_ERROR_MALFORMED);
    packet[1] = 7;                      /* not even a header */
    assert_int_equal(mouse_receive(&mouse, packet, sizeof packet, &result), HV_ERROR_MALFORMED);
    packet[0] = VMBUS_PIPE_PARTIAL_DATA;
    packet[1] = 13;
    assert_int_equal(mouse_receive(&mouse, packet, sizeof packet, &result), HV_ERROR_MALFORMED);
    assert_int_equal(mouse_receive(&mouse, packet, 4, &result), HV_ERROR_MALFORMED);
    expect_report_works();
}

static void values_are_read_with_their_sign(void **state)
{
    /* one relative axis of 12 bits, signed, after 3 bits of padding */
    static const uint8_t descriptor[] = { 0x05, 1,  0x09, 2,    0xA1, 1,    0x75, 3,    0x95, 1,
                                          0x81, 3,  0x09, 0x38, 0x16, 0x01, 0xF8, 0x26, 0xFF, 0x07,
                                          0x75, 12, 0x81, 6,    0x75, 1,    0x81, 3,    0xC0 };
    static const uint8_t minus_two[] = { 0xF0, 0x7F };
    struct report_fields fields;
    int32_t value;

    (void)state;
    assert_true(report_fields_read(&fields, descriptor, sizeof descriptor));
    assert_int_equal(fields.count, 1);
    assert_true(fields.fields[0].is_relative);
    assert_true(report_field_value(&fields, &fields.fields[0], minus_two, 2, &value));
    assert_int_equal(value, -2);
    assert_false(report_field_value(&fields, &fields.fields[0], minus_two, 1, &value));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mouse_is_described_then_reports),
        cmocka_unit_test(a_second_description_is_acknowledged_and_changes_nothing),
        cmocka_unit_test(short_and_long_reports_are_dropped),
        cmocka_unit_test(messages_at_the_wrong_time_are_dropped),
        cmocka_unit_test(a_host_that_refuses_is_believed),
        cmocka_unit_test(a_descriptor_longer_than_its_message_is_refused),
        cmocka_unit_test(a_descriptor_cut_anywhere_is_refused),
        cmocka_unit_test(hostile_descriptors_are_refused),
        cmocka_unit_test(the_known_broken_descriptor_is_mended),
        cmocka_unit_test(packets_that_lie_about_their_length_are_dropped),
        cmocka_unit_test(values_are_read_with_their_sign),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
