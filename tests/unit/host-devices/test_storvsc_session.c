/* SPDX-License-Identifier: BSD-3-Clause */
/* The storage protocol's state machine: recorded exchanges per version, every state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/devices/storvsc_session.h"

static struct storvsc_session new_session(uint16_t version_max)
{
    struct storvsc_session session = {
        .version_max = version_max,
        .sub_channels_max = 4,
        .transfer_bytes_max = 0x40000,
    };
    storvsc_session_reset(&session);
    return session;
}

static struct storvsc_decision send(struct storvsc_session *session, uint32_t operation,
                                    uint16_t word, size_t size)
{
    struct storvsc_packet packet = {.operation = operation, .flags = 1};
    struct storvsc_decision decision;
    packet.version.version = word;
    storvsc_session_handle(session, &packet, size, true, true, &decision);
    return decision;
}

static void expect_answer(const struct storvsc_decision *decision, uint32_t status, uint32_t size)
{
    assert_true(decision->verdict != STORVSC_STOP && decision->verdict != STORVSC_EXECUTE);
    assert_int_equal(decision->completion.packet.operation, STORVSC_COMPLETE_IO);
    assert_int_equal(decision->completion.packet.flags, 0);
    assert_int_equal(decision->completion.packet.status, status);
    assert_int_equal(decision->completion.size, size);
}

/* ---- Recorded exchanges: what guests send, and what the host has to say ---- */

struct exchange {
    uint32_t operation;
    uint16_t word; /* version, or number of sub-channels */
    uint32_t size;
    enum storvsc_verdict verdict;
    uint32_t status;
};

struct recording {
    const char *name;
    uint16_t version_max, version;
    struct exchange exchanges[12];
};

static const struct recording recordings[] = {
    {"Linux 6.1 on 2022: 6.2 at once, sub-channels", STORVSC_VERSION_6_2, STORVSC_VERSION_6_2,
     {{7, 0, 64, STORVSC_ANSWER, 0},
      {9, STORVSC_VERSION_6_2, 64, STORVSC_ANSWER, 0},
      {10, 0, 64, STORVSC_ANSWER, 0},
      {8, 0, 64, STORVSC_ANSWER_READY, 0},
      {13, 3, 64, STORVSC_CREATE, 0},
      {13, 3, 64, STORVSC_ANSWER, STORVSC_STATUS_INVALID_DEVICE_STATE}}},
    {"Linux 4.x on 2012 R2: 6.2 refused, 6.0", STORVSC_VERSION_6_0, STORVSC_VERSION_6_0,
     {{7, 0, 48, STORVSC_ANSWER, 0},
      {9, STORVSC_VERSION_6_2, 48, STORVSC_ANSWER, STORVSC_STATUS_REVISION_MISMATCH},
      {9, STORVSC_VERSION_6_0, 48, STORVSC_ANSWER, 0},
      {10, 0, 64, STORVSC_ANSWER, 0},
      {8, 0, 64, STORVSC_ANSWER_READY, 0}}},
    {"FreeBSD on 2012: down to 5.1", STORVSC_VERSION_5_1, STORVSC_VERSION_5_1,
     {{7, 0, 64, STORVSC_ANSWER, 0},
      {9, STORVSC_VERSION_6_2, 64, STORVSC_ANSWER, STORVSC_STATUS_REVISION_MISMATCH},
      {9, STORVSC_VERSION_6_0, 64, STORVSC_ANSWER, STORVSC_STATUS_REVISION_MISMATCH},
      {9, STORVSC_VERSION_5_1, 64, STORVSC_ANSWER, 0},
      {10, 0, 64, STORVSC_ANSWER, 0},
      {13, 4, 64, STORVSC_CREATE, 0}, /* before the end: allowed too */
      {8, 0, 64, STORVSC_ANSWER_READY, 0}}},
    {"a guest on 2008 R2: 4.2, no sub-channels", STORVSC_VERSION_4_2, STORVSC_VERSION_4_2,
     {{7, 0, 48, STORVSC_ANSWER, 0},
      {9, STORVSC_VERSION_5_1, 48, STORVSC_ANSWER, STORVSC_STATUS_REVISION_MISMATCH},
      {9, STORVSC_VERSION_4_2, 48, STORVSC_ANSWER, 0},
      {10, 0, 48, STORVSC_ANSWER, 0},
      {8, 0, 48, STORVSC_ANSWER_READY, 0},
      {13, 1, 48, STORVSC_ANSWER, STORVSC_STATUS_INVALID_DEVICE_STATE}}},
    {"a guest on 2008: 2.0", STORVSC_VERSION_2_0, STORVSC_VERSION_2_0,
     {{7, 0, 48, STORVSC_ANSWER, 0},
      {9, STORVSC_VERSION_4_2, 48, STORVSC_ANSWER, STORVSC_STATUS_REVISION_MISMATCH},
      {9, STORVSC_VERSION_2_0, 48, STORVSC_ANSWER, 0},
      {10, 0, 48, STORVSC_ANSWER, 0},
      {8, 0, 48, STORVSC_ANSWER_READY, 0}}},
};

static void each_release_answers_as_recorded(void **state)
{
    for (unsigned i = 0; i < sizeof(recordings) / sizeof(recordings[0]); i++) {
        const struct recording *recording = &recordings[i];
        struct storvsc_session session = new_session(recording->version_max);
        print_message("# %s\n", recording->name);
        for (unsigned e = 0; recording->exchanges[e].operation != 0; e++) {
            const struct exchange *exchange = &recording->exchanges[e];
            struct storvsc_decision decision =
                send(&session, exchange->operation, exchange->word, exchange->size);
            assert_int_equal(decision.verdict, exchange->verdict);
            expect_answer(&decision, exchange->status, exchange->size);
        }
        assert_int_equal(session.version, recording->version);
        assert_int_equal(session.state, STORVSC_STATE_READY);
    }
}

static struct storvsc_session ready_session(uint16_t version)
{
    struct storvsc_session session = new_session(version);
    send(&session, 7, 0, 64);
    send(&session, 9, version, 64);
    send(&session, 10, 0, 64);
    send(&session, 8, 0, 64);
    assert_int_equal(session.state, STORVSC_STATE_READY);
    return session;
}

static void properties_announce_sub_channels_from_5_1_on(void **state)
{
    static const uint16_t versions[] = {STORVSC_VERSION_2_0, STORVSC_VERSION_4_2,
                                        STORVSC_VERSION_5_1, STORVSC_VERSION_6_2};
    for (unsigned i = 0; i < 4; i++) {
        struct storvsc_session session = new_session(STORVSC_VERSION_6_2);
        send(&session, 7, 0, 64);
        send(&session, 9, versions[i], 64);
        struct storvsc_decision decision = send(&session, 10, 0xffff, 64);
        const struct storvsc_properties *properties = &decision.completion.packet.properties;
        assert_int_equal(properties->sub_channels_max, i < 2 ? 0 : 4);
        assert_int_equal(properties->flags, i < 2 ? 0 : STORVSC_PROPERTIES_MULTI_CHANNEL);
        assert_int_equal(properties->transfer_bytes_max, 0x40000);
        assert_int_equal(properties->reserved, 0); /* nothing of the request is left */
    }
}

static void each_state_refuses_the_other_operations_and_stays(void **state)
{
    static const uint32_t steps[] = {7, 9, 10, 8};
    static const uint32_t operations[] = {3, 4, 5, 6, 7, 8, 9, 10, 12};
    for (unsigned s = 0; s < 4; s++) {
        for (unsigned o = 0; o < sizeof(operations) / sizeof(operations[0]); o++) {
            struct storvsc_session session = new_session(STORVSC_VERSION_6_2);
            for (unsigned i = 0; i < s; i++) {
                send(&session, steps[i], STORVSC_VERSION_6_2, 64);
            }
            if (operations[o] == steps[s]) {
                continue;
            }
            struct storvsc_decision decision = send(&session, operations[o], 1, 64);
            expect_answer(&decision, STORVSC_STATUS_INVALID_DEVICE_STATE, 64);
            assert_non_null(decision.complaint);
            decision = send(&session, steps[s], STORVSC_VERSION_6_2, 64);
            expect_answer(&decision, 0, 64); /* and the right one still works */
        }
    }
}

static void begin_is_accepted_once(void **state)
{
    struct storvsc_session session = ready_session(STORVSC_VERSION_6_2);
    struct storvsc_decision decision = send(&session, 7, 0, 64);
    expect_answer(&decision, STORVSC_STATUS_INVALID_DEVICE_STATE, 64);
    storvsc_session_reset(&session);
    decision = send(&session, 7, 0, 64);
    expect_answer(&decision, 0, 64);
}

static void unknown_versions_are_refused_and_echoed(void **state)
{
    static const uint16_t versions[] = {0, 0x0001, 0x0100, 0x0601, 0x0603, 0xffff};
    struct storvsc_session session = new_session(STORVSC_VERSION_6_2);
    send(&session, 7, 0, 64);
    for (unsigned i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct storvsc_decision decision = send(&session, 9, versions[i], 64);
        expect_answer(&decision, STORVSC_STATUS_REVISION_MISMATCH, 64);
        assert_int_equal(decision.completion.packet.version.version, versions[i]);
        assert_null(decision.complaint);
    }
}

static void sub_channels_are_bounded(void **state)
{
    struct storvsc_session session = ready_session(STORVSC_VERSION_6_2);
    struct storvsc_decision decision = send(&session, 13, 5, 64);
    expect_answer(&decision, STORVSC_STATUS_INVALID_PARAMETER, 64);
    decision = send(&session, 13, 0, 64);
    expect_answer(&decision, STORVSC_STATUS_INVALID_PARAMETER, 64);
    decision = send(&session, 13, 4, 64);
    assert_int_equal(decision.verdict, STORVSC_CREATE);
    assert_int_equal(decision.sub_channel_count, 4);
}

static void broken_packets_stop_the_channel(void **state)
{
    static const uint32_t unknown[] = {0, 1, 2, 11, 14, 0xffffffff};
    struct storvsc_session session = ready_session(STORVSC_VERSION_6_2);
    struct storvsc_packet packet = {.operation = 3, .flags = 1};
    struct storvsc_decision decision;
    for (unsigned i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        decision = send(&session, unknown[i], 0, 64);
        assert_int_equal(decision.verdict, STORVSC_STOP);
        assert_non_null(decision.rule);
    }
    storvsc_session_handle(&session, &packet, 64, false, true, &decision);
    assert_int_equal(decision.verdict, STORVSC_STOP); /* no completion wanted */
    storvsc_session_handle(&session, &packet, 11, true, true, &decision);
    assert_int_equal(decision.verdict, STORVSC_STOP);
    storvsc_session_handle(&session, &packet, 40, true, true, &decision);
    assert_int_equal(decision.verdict, STORVSC_STOP); /* too short for an SRB */
    storvsc_session_handle(&session, &packet, 48, true, true, &decision);
    assert_int_equal(decision.verdict, STORVSC_EXECUTE);
}

static void sub_channels_carry_srbs_and_resets_only(void **state)
{
    struct storvsc_session session = ready_session(STORVSC_VERSION_6_2);
    struct storvsc_packet packet = {.flags = 1};
    struct storvsc_decision decision;
    static const struct {
        uint32_t operation;
        enum storvsc_verdict verdict;
    } cases[] = {{3, STORVSC_EXECUTE}, {4, STORVSC_RESET_ONE}, {5, STORVSC_RESET},
                 {6, STORVSC_RESET}, {7, STORVSC_ANSWER}, {13, STORVSC_ANSWER}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        packet.operation = cases[i].operation;
        storvsc_session_handle(&session, &packet, 64, true, false, &decision);
        assert_int_equal(decision.verdict, cases[i].verdict);
    }
    assert_int_equal(session.state, STORVSC_STATE_READY);
}

/* ---- Completions of SRBs ---- */

static const struct storvsc_srb request = {
    .port = 1, .path = 2, .target = 3, .lun = 4, .data_direction = 1, .cdb = {0x28, 1, 2, 3},
};

static void completions_have_the_layout_of_their_size(void **state)
{
    const struct storvsc_srb_result result = {
        .srb_status = STORVSC_SRB_STATUS_ERROR,
        .scsi_status = 2,
        .has_sense = true,
        .sense = {0x70, 0, 3, [12] = 0x11},
        .transferred = 512,
    };
    struct storvsc_message message = {.size = 64};
    storvsc_complete_srb(&message, &request, &result, false);
    const struct storvsc_srb *srb = &message.packet.srb;
    assert_int_equal(srb->length, 0x34);
    assert_int_equal(srb->srb_status, 0x84);
    assert_int_equal(srb->scsi_status, 2);
    assert_int_equal(srb->port | srb->path | srb->target | srb->lun | srb->data_direction, 0);
    assert_int_equal(srb->cdb_length, 16);
    assert_int_equal(srb->sense_length, 0x14);
    assert_int_equal(srb->data_transfer_length, 512);
    assert_memory_equal(srb->sense, result.sense, 18);
    assert_int_equal(srb->sense[18] | srb->sense[19], 0);
    assert_int_equal(message.packet.status, STORVSC_STATUS_IO_DEVICE_ERROR);
    message.size = 48;
    storvsc_complete_srb(&message, &request, &result, true);
    assert_int_equal(srb->length, 0x24);
    assert_int_equal(srb->sense_length, 0x12);
    assert_int_equal(srb->lun, 4);
    assert_int_equal(srb->target, 3);
    assert_int_equal(srb->data_direction, 1);
}

static void no_cdb_comes_back_as_sense(void **state)
{
    const struct storvsc_srb_result result = {.srb_status = STORVSC_SRB_STATUS_SUCCESS};
    struct storvsc_message message = {.size = 64};
    memset(&message.packet, 0xff, sizeof(message.packet));
    storvsc_complete_srb(&message, &request, &result, false);
    for (unsigned i = 0; i < STORVSC_SENSE_SIZE; i++) {
        assert_int_equal(message.packet.srb.sense[i], 0);
    }
    assert_int_equal(message.packet.status, 0);
}

static void srb_status_decides_on_the_packet_status(void **state)
{
    static const struct {
        uint8_t srb;
        uint32_t status;
    } pairs[] = {{0x01, 0}, {0x05, 0x80000011}, {0x08, 0xc00000c0}, {0x11, 0xc00000c0},
                 {0x20, 0xc00000c0}, {0x21, 0xc00000c0}, {0x09, 0xc00000b5}, {0x0b, 0xc00000b5},
                 {0x0a, 0xc000009d}, {0x12, 0x80000005}, {0x15, 0xc0000010}, {0x22, 0xc0000010},
                 {0x16, 0xc0000001}, {0x02, 0xc0000120}, {0x04, 0xc0000185}, {0x06, 0xc0000185},
                 {0x30, 0xc0000185}, {0x84, 0xc0000185}, {0x92, 0x80000005}};
    for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_int_equal(storvsc_packet_status(pairs[i].srb), pairs[i].status);
    }
}

static void the_bus_event_goes_to_ready_guests_of_4_2_and_later(void **state)
{
    struct storvsc_message event;
    struct storvsc_session session = new_session(STORVSC_VERSION_6_2);
    assert_false(storvsc_enumerate_bus_event(&session, &event));
    session = ready_session(STORVSC_VERSION_2_0);
    assert_false(storvsc_enumerate_bus_event(&session, &event));
    session = ready_session(STORVSC_VERSION_4_2);
    assert_true(storvsc_enumerate_bus_event(&session, &event));
    assert_int_equal(event.size, 48);
    session = ready_session(STORVSC_VERSION_6_2);
    assert_true(storvsc_enumerate_bus_event(&session, &event));
    assert_int_equal(event.size, 64);
    assert_int_equal(event.packet.operation, STORVSC_ENUMERATE_BUS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_release_answers_as_recorded),
        cmocka_unit_test(properties_announce_sub_channels_from_5_1_on),
        cmocka_unit_test(each_state_refuses_the_other_operations_and_stays),
        cmocka_unit_test(begin_is_accepted_once),
        cmocka_unit_test(unknown_versions_are_refused_and_echoed),
        cmocka_unit_test(sub_channels_are_bounded),
        cmocka_unit_test(broken_packets_stop_the_channel),
        cmocka_unit_test(sub_channels_carry_srbs_and_resets_only),
        cmocka_unit_test(completions_have_the_layout_of_their_size),
        cmocka_unit_test(no_cdb_comes_back_as_sense),
        cmocka_unit_test(srb_status_decides_on_the_packet_status),
        cmocka_unit_test(the_bus_event_goes_to_ready_guests_of_4_2_and_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
