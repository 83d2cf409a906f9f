/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's storage protocol engine: the ladder of versions, requests, completions,
 * broken hosts. */
#include "kext/storage/storvsc_engine.h"
#include "protocol/scsi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct storvsc_packet reply_of(uint32_t status)
{
    return (struct storvsc_packet){ .operation = STORVSC_COMPLETE_IO, .status = status };
}

static enum storvsc_progress answer(struct storvsc_engine *engine,
                                    const struct storvsc_packet *reply, struct storvsc_packet *next)
{
    size_t length = 0;
    enum storvsc_progress progress =
        storvsc_initialization_reply(engine, reply, sizeof *reply, next, &length);

    if (progress == STORVSC_PROGRESS_SEND)
        assert_int_equal(length, storvsc_packet_size(engine->version));
    return progress;
}

/* Plays a host that accepts `highest` and below and reports `transfer` bytes and `sub_channels`. */
static enum storvsc_progress play(struct storvsc_engine *engine, uint16_t highest,
                                  uint32_t transfer, uint16_t sub_channels)
{
    struct storvsc_packet packet;
    struct storvsc_packet reply;
    enum storvsc_progress progress = STORVSC_PROGRESS_SEND;

    assert_int_equal(storvsc_begin(engine, &packet), STORVSC_PACKET_SIZE_BEFORE_5_1);
    assert_int_equal(packet.operation, STORVSC_BEGIN_INITIALIZATION);
    while (progress == STORVSC_PROGRESS_SEND) {
        assert_int_equal(packet.flags, STORVSC_FLAG_COMPLETION_REQUESTED);
        reply = reply_of(STORVSC_STATUS_SUCCESS);
        if (packet.operation == STORVSC_QUERY_PROTOCOL_VERSION && packet.version.version > highest)
            reply.status = STORVSC_STATUS_REVISION_MISMATCH;
        if (packet.operation == STORVSC_QUERY_PROPERTIES) {
            reply.properties.transfer_bytes_max = transfer;
            reply.properties.flags = STORVSC_PROPERTIES_MULTI_CHANNEL;
            reply.properties.sub_channels_max = sub_channels;
        }
        progress = answer(engine, &reply, &packet);
    }
    return progress;
}

static void every_version_is_reached_from_the_newest_down(void **state)
{
    static const uint16_t versions[] = { STORVSC_VERSION_6_2, STORVSC_VERSION_6_0,
                                         STORVSC_VERSION_5_1, STORVSC_VERSION_4_2,
                                         STORVSC_VERSION_2_0 };
    struct storvsc_engine engine;
    size_t index;

    (void)state;
    for (index = 0; index < sizeof versions / sizeof *versions; index++) {
        assert_int_equal(play(&engine, versions[index], 0x40000, 3), STORVSC_PROGRESS_READY);
        assert_int_equal(engine.version, versions[index]);
        assert_int_equal(engine.counters.versions_refused, index);
        assert_int_equal(engine.transfer_bytes_max, 0x40000);
        assert_int_equal(engine.sub_channels_max, versions[index] >= STORVSC_VERSION_5_1 ? 3 : 0);
    }
}

static void a_host_that_refuses_all_versions_fails(void **state)
{
    struct storvsc_engine engine;

    (void)state;
    assert_int_equal(play(&engine, 0x0100, 0x40000, 0), STORVSC_PROGRESS_FAILED);
    assert_int_equal(engine.state, STORVSC_STATE_FAILED);
    assert_int_equal(engine.counters.versions_refused, 5);
}

static void the_attempt_after_one_that_failed_begins_anew(void **state)
{
    static struct storvsc_engine engine;

    (void)state;
    assert_int_equal(play(&engine, 0x0100, 0x40000, 3), STORVSC_PROGRESS_FAILED);
    assert_int_equal(engine.version, 0);
    assert_int_equal(play(&engine, STORVSC_VERSION_6_2, 0x40000, 3), STORVSC_PROGRESS_READY);
    assert_int_equal(engine.version, STORVSC_VERSION_6_2);
    assert_int_equal(engine.counters.versions_refused, 0);
    assert_int_equal(play(&engine, STORVSC_VERSION_2_0, 0x40000, 3), STORVSC_PROGRESS_READY);
    assert_int_equal(engine.sub_channels_max, 0);
    assert_int_equal(play(&engine, 0x0100, 0x40000, 3), STORVSC_PROGRESS_FAILED);
    assert_int_equal(engine.version, 0);        /* nor is the last one's left */
}

static void the_transfer_limit_is_rounded_down_capped_and_refused_when_tiny(void **state)
{
    struct storvsc_engine engine;

    (void)state;
    assert_int_equal(play(&engine, STORVSC_VERSION_6_2, 0x40fff, 0), STORVSC_PROGRESS_READY);
    assert_int_equal(engine.transfer_bytes_max, 0x40000);
    assert_int_equal(play(&engine, STORVSC_VERSION_6_2, UINT32_MAX, 0), STORVSC_PROGRESS_READY);
    assert_int_equal(engine.transfer_bytes_max, STORVSC_TRANSFER_LIMIT);
    assert_int_equal(play(&engine, STORVSC_VERSION_6_2, 4095, 0), STORVSC_PROGRESS_FAILED);
    assert_int_equal(play(&engine, STORVSC_VERSION_6_2, 4096, 0), STORVSC_PROGRESS_READY);
}

static void a_short_reply_fails_and_a_fresh_start_works(void **state)
{
    struct storvsc_engine engine;
    struct storvsc_packet packet;
    struct storvsc_packet reply = reply_of(STORVSC_STATUS_SUCCESS);
    size_t length;

    (void)state;
    storvsc_begin(&engine, &packet);
    assert_int_equal(storvsc_initialization_reply(&engine, &reply, STORVSC_PACKET_HEADER_SIZE - 1,
                                                  &packet, &length),
                     STORVSC_PROGRESS_FAILED);
    assert_int_equal(engine.counters.short_packets, 1);
    assert_int_equal(play(&engine, STORVSC_VERSION_6_2, 0x40000, 0), STORVSC_PROGRESS_READY);
}

static void properties_cut_short_fail(void **state)
{
    struct storvsc_engine engine;
    struct storvsc_packet packet;
    struct storvsc_packet reply = reply_of(STORVSC_STATUS_SUCCESS);
    size_t length;

    (void)state;
    storvsc_begin(&engine, &packet);
    answer(&engine, &reply, &packet);
    answer(&engine, &reply, &packet);
    assert_int_equal(packet.operation, STORVSC_QUERY_PROPERTIES);
    assert_int_equal(storvsc_initialization_reply(&engine, &reply, STORVSC_PACKET_HEADER_SIZE + 23,
                                                  &packet, &length),
                     STORVSC_PROGRESS_FAILED);
}

static void an_event_between_replies_is_ignored_and_the_next_reply_works(void **state)
{
    struct storvsc_engine engine;
    struct storvsc_packet packet;
    struct storvsc_packet reply = reply_of(STORVSC_STATUS_SUCCESS);

    (void)state;
    storvsc_begin(&engine, &packet);
    reply.operation = STORVSC_ENUMERATE_BUS;
    assert_int_equal(answer(&engine, &reply, &packet), STORVSC_PROGRESS_IGNORED);
    assert_int_equal(engine.counters.unexpected_packets, 1);
    reply.operation = STORVSC_COMPLETE_IO;
    assert_int_equal(answer(&engine, &reply, &packet), STORVSC_PROGRESS_SEND);
    assert_int_equal(packet.operation, STORVSC_QUERY_PROTOCOL_VERSION);
}

static struct storvsc_engine ready(uint16_t version)
{
    struct storvsc_engine engine;

    assert_int_equal(play(&engine, version, 0x40000, 2), STORVSC_PROGRESS_READY);
    return engine;
}

static void a_request_carries_address_direction_and_cdb(void **state)
{
    static const uint8_t cdb[10] = { SCSI_READ_10, 0, 1, 2, 3, 4, 0, 0, 8 };
    struct storvsc_engine engine = ready(STORVSC_VERSION_6_2);
    struct storvsc_command command = {
        .address = { 0, 0, 5 }, .direction = STORVSC_FROM_DEVICE, .transfer_bytes = 4096,
        .cdb = cdb, .cdb_length = sizeof cdb, .tagged = true,
    };
    struct storvsc_packet packet;

    (void)state;
    assert_int_equal(storvsc_request(&engine, &command, &packet), STORVSC_PACKET_SIZE);
    assert_int_equal(packet.operation, STORVSC_EXECUTE_SRB);
    assert_int_equal(packet.srb.length, STORVSC_SRB_SIZE);
    assert_int_equal(packet.srb.lun, 5);
    assert_int_equal(packet.srb.data_direction, STORVSC_DATA_IN);
    assert_int_equal(packet.srb.data_transfer_length, 4096);
    assert_int_equal(packet.srb.sense_length, STORVSC_SENSE_SIZE);
    assert_memory_equal(packet.srb.cdb, cdb, sizeof cdb);
    assert_int_equal(packet.srb.cdb[10], 0);
    assert_true(packet.srb.srb_flags & STORVSC_SRB_DATA_IN);
    assert_true(packet.srb.srb_flags & STORVSC_SRB_QUEUE_ACTION_ENABLE);
}

static void an_old_host_gets_the_short_request(void **state)
{
    static const uint8_t cdb[6] = { SCSI_TEST_UNIT_READY };
    struct storvsc_engine engine = ready(STORVSC_VERSION_4_2);
    struct storvsc_command command = { .direction = STORVSC_NO_DATA, .cdb = cdb,
                                       .cdb_length = sizeof cdb };
    struct storvsc_packet packet;

    (void)state;
    assert_int_equal(storvsc_request(&engine, &command, &packet), STORVSC_PACKET_SIZE_BEFORE_5_1);
    assert_int_equal(packet.srb.length, STORVSC_SRB_SIZE_BEFORE_5_1);
    assert_int_equal(packet.srb.sense_length, STORVSC_SENSE_SIZE_BEFORE_5_1);
    assert_int_equal(packet.srb.srb_flags, 0);
}

static void impossible_requests_are_refused(void **state)
{
    static const uint8_t cdb[16] = { SCSI_READ_10 };
    struct storvsc_engine engine = ready(STORVSC_VERSION_6_2);
    struct storvsc_command command = { .direction = STORVSC_FROM_DEVICE, .transfer_bytes = 0x40001,
                                       .cdb = cdb, .cdb_length = 10 };
    struct storvsc_packet packet;

    (void)state;
    assert_int_equal(storvsc_request(&engine, &command, &packet), 0);
    command.transfer_bytes = 0x40000;
    command.cdb_length = 17;
    assert_int_equal(storvsc_request(&engine, &command, &packet), 0);
    command.cdb_length = 0;
    assert_int_equal(storvsc_request(&engine, &command, &packet), 0);
    command.cdb_length = 16;
    assert_int_equal(storvsc_request(&engine, &command, &packet), STORVSC_PACKET_SIZE);
    engine.state = STORVSC_STATE_FAILED;
    assert_int_equal(storvsc_request(&engine, &command, &packet), 0);
    assert_int_equal(storvsc_reset_request(&engine, STORVSC_RESET_OF_BUS, command.address, &packet),
                     0);
}

static void sub_channels_are_asked_for_within_the_offer(void **state)
{
    struct storvsc_engine engine = ready(STORVSC_VERSION_6_0);
    struct storvsc_packet packet;

    (void)state;
    assert_int_equal(storvsc_sub_channel_request(&engine, 3, &packet), 0);
    assert_int_equal(storvsc_sub_channel_request(&engine, 0, &packet), 0);
    assert_int_equal(storvsc_sub_channel_request(&engine, 2, &packet), STORVSC_PACKET_SIZE);
    assert_int_equal(packet.operation, STORVSC_CREATE_SUB_CHANNELS);
    assert_int_equal(packet.sub_channel_count, 2);
}

static void the_answer_about_sub_channels_is_taken_only_when_it_is_one(void **state)
{
    struct storvsc_engine engine;
    struct storvsc_packet reply = reply_of(STORVSC_STATUS_INVALID_PARAMETER);
    size_t size;

    (void)state;
    play(&engine, STORVSC_VERSION_6_2, 0x40000, 2);
    assert_false(storvsc_sub_channel_reply(&engine, &reply, sizeof reply));
    reply = reply_of(STORVSC_STATUS_SUCCESS);
    for (size = 0; size < STORVSC_PACKET_HEADER_SIZE; size++)
        assert_false(storvsc_sub_channel_reply(&engine, &reply, size));
    assert_int_equal(engine.counters.short_packets, STORVSC_PACKET_HEADER_SIZE);
    reply.operation = STORVSC_ENUMERATE_BUS;
    assert_false(storvsc_sub_channel_reply(&engine, &reply, sizeof reply));
    assert_int_equal(engine.counters.unexpected_packets, 1);
    reply.operation = STORVSC_COMPLETE_IO;
    assert_true(storvsc_sub_channel_reply(&engine, &reply, STORVSC_PACKET_HEADER_SIZE));
    assert_true(storvsc_sub_channel_reply(&engine, &reply, sizeof reply));
}

static void whatever_byte_of_the_answer_to_a_reset_is_wrong_the_next_one_is_taken(void **state)
{
    static const uint8_t values[] = { 0x00, 0x01, 0x02, 0x7f, 0x80, 0xff };
    const struct storvsc_packet good = reply_of(STORVSC_STATUS_SUCCESS);
    struct storvsc_engine engine;
    size_t offset, value;

    (void)state;
    play(&engine, STORVSC_VERSION_6_2, 0x40000, 2);
    for (offset = 0; offset < sizeof good; offset++) {
        for (value = 0; value < sizeof values; value++) {
            struct storvsc_packet bad = good;
            bool same;

            ((uint8_t *)&bad)[offset] = values[value];
            same = bad.operation == good.operation && bad.status == good.status;
            assert_int_equal(storvsc_reset_reply(&engine, &bad, sizeof bad), same);
            assert_int_equal(storvsc_sub_channel_reply(&engine, &bad, sizeof bad), same);
            assert_true(storvsc_reset_reply(&engine, &good, sizeof good));
            assert_true(storvsc_sub_channel_reply(&engine, &good, sizeof good));
        }
    }
    for (offset = 0; offset < STORVSC_PACKET_HEADER_SIZE; offset++)
        assert_false(storvsc_reset_reply(&engine, &good, offset));
}

struct completion_case {
    const char *name;
    uint8_t operation_code;
    uint8_t srb_status;
    uint8_t scsi_status;
    uint32_t moved;
    uint8_t sense_key, asc, ascq; /* sense is sent when the autosense bit is set */
    enum storvsc_outcome outcome;
    uint32_t transferred;
};

static const struct completion_case completion_cases[] = {
    { "good", SCSI_READ_10, 0x01, 0x00, 4096, 0, 0, 0, STORVSC_OUTCOME_GOOD, 4096 },
    { "short", SCSI_READ_10, 0x12, 0x00, 512, 0, 0, 0, STORVSC_OUTCOME_GOOD, 512 },
    { "unknown command", 0xa3, 0x12, 0x00, 0, 0, 0, 0, STORVSC_OUTCOME_GOOD, 0 },
    { "sense", SCSI_READ_10, 0x84, 0x02, 0, 3, 0x11, 0, STORVSC_OUTCOME_STATUS, 0 },
    { "illegal", SCSI_READ_10, 0x86, 0x02, 0, 5, 0x24, 0, STORVSC_OUTCOME_STATUS, 0 },
    { "no autosense bit", SCSI_READ_10, 0x04, 0x02, 0, 3, 0x11, 0, STORVSC_OUTCOME_STATUS, 0 },
    { "resized", SCSI_READ_10, 0x84, 0x02, 0, 6, 0x2a, 0x09, STORVSC_OUTCOME_CAPACITY_CHANGED, 0 },
    { "other unit attention", SCSI_READ_10, 0x84, 0x02, 0, 6, 0x29, 0, STORVSC_OUTCOME_STATUS, 0 },
    { "absent", SCSI_READ_10, 0x20, 0x02, 0, 0, 0, 0, STORVSC_OUTCOME_ABSENT, 0 },
    { "busy", SCSI_READ_10, 0x05, 0x00, 0, 0, 0, 0, STORVSC_OUTCOME_BUSY, 0 },
    { "internal", SCSI_READ_10, 0x30, 0x00, 0, 0, 0, 0, STORVSC_OUTCOME_FAILED, 0 },
    { "error without status", SCSI_READ_10, 0x04, 0x00, 4096, 0, 0, 0, STORVSC_OUTCOME_FAILED, 0 },
    { "aborted", SCSI_WRITE_10, 0x02, 0x00, 0, 0, 0, 0, STORVSC_OUTCOME_FAILED, 0 },
    { "bad function", SCSI_READ_10, 0x22, 0x00, 0, 0, 0, 0, STORVSC_OUTCOME_REFUSED, 0 },
    { "old host, inquiry", SCSI_INQUIRY, 0x04, 0x02, 0, 0, 0, 0, STORVSC_OUTCOME_GOOD, 0 },
    { "old host, mode sense", SCSI_MODE_SENSE_6, 0x06, 0x00, 0, 0, 0, 0, STORVSC_OUTCOME_GOOD, 0 },
    { "inquiry with sense", SCSI_INQUIRY, 0x84, 0x02, 0, 5, 0x24, 0, STORVSC_OUTCOME_STATUS, 0 },
    { "more than asked", SCSI_READ_10, 0x01, 0x00, 4097, 0, 0, 0, STORVSC_OUTCOME_FAILED, 0 },
    { "write same counts blocks", SCSI_WRITE_SAME_16, 0x01, 0x00, 65536, 0, 0, 0,
      STORVSC_OUTCOME_GOOD, 4096 },
    { "reservation", SCSI_READ_10, 0x04, 0x18, 0, 0, 0, 0, STORVSC_OUTCOME_STATUS, 0 },
};

static void completions_become_outcomes(void **state)
{
    struct storvsc_engine engine = ready(STORVSC_VERSION_6_2);
    size_t index;

    (void)state;
    for (index = 0; index < sizeof completion_cases / sizeof *completion_cases; index++) {
        const struct completion_case *one = &completion_cases[index];
        struct storvsc_packet reply = reply_of(0);
        struct storvsc_result result;

        reply.srb.srb_status = one->srb_status;
        reply.srb.scsi_status = one->scsi_status;
        reply.srb.data_transfer_length = one->moved;
        reply.srb.sense_length = 18;
        reply.srb.sense[0] = SCSI_SENSE_RESPONSE_FIXED;
        reply.srb.sense[2] = one->sense_key;
        reply.srb.sense[12] = one->asc;
        reply.srb.sense[13] = one->ascq;
        result = storvsc_completion(&engine, one->operation_code, 4096, &reply, sizeof reply);
        if (result.outcome != one->outcome || result.transferred != one->transferred)
            fail_msg("%s: outcome %d, %u bytes", one->name, (int)result.outcome,
                     result.transferred);
        assert_int_equal(result.sense_length, one->srb_status & 0x80 ? 18 : 0);
    }
    assert_int_equal(engine.counters.transfers_too_long, 1);
}

static void sense_is_cut_to_what_arrived(void **state)
{
    struct storvsc_engine engine = ready(STORVSC_VERSION_6_2);
    struct storvsc_packet reply = reply_of(0);
    struct storvsc_result result;
    size_t size;

    (void)state;
    reply.srb.srb_status = 0x84;
    reply.srb.scsi_status = SCSI_STATUS_CHECK_CONDITION;
    reply.srb.sense_length = 255;
    for (size = 0; size <= sizeof reply; size++) {
        result = storvsc_completion(&engine, SCSI_READ_10, 4096, &reply, size);
        if (size < 28) {
            assert_int_equal(result.outcome, STORVSC_OUTCOME_BROKEN);
            continue;
        }
        assert_int_equal(result.outcome, STORVSC_OUTCOME_STATUS);
        assert_int_equal(result.sense_length, size - 28 > 20 ? 20 : size - 28);
    }
    assert_int_equal(engine.counters.short_packets, 28);
}

static const uint8_t byte_values[] = { 0x00, 0x01, 0x12, 0x7f, 0x80, 0xff };

/* What holds for the result of any completion at all. */
static void check_result(const struct storvsc_result *result, uint32_t requested)
{
    assert_true(result->transferred <= requested);
    assert_true(result->sense_length <= STORVSC_SENSE_SIZE);
    assert_true(result->outcome == STORVSC_OUTCOME_GOOD ||
                result->outcome == STORVSC_OUTCOME_STATUS || result->transferred == 0);
    assert_true(result->outcome != STORVSC_OUTCOME_GOOD ||
                result->scsi_status == SCSI_STATUS_GOOD);
}

static void whatever_byte_of_a_completion_is_wrong_the_next_one_is_taken(void **state)
{
    struct storvsc_engine engine = ready(STORVSC_VERSION_6_2);
    struct storvsc_packet good = reply_of(0);
    size_t offset, value, size;

    (void)state;
    good.srb.srb_status = STORVSC_SRB_STATUS_SUCCESS;
    good.srb.data_transfer_length = 4096;
    for (offset = 0; offset < sizeof good; offset++) {
        for (value = 0; value < sizeof byte_values; value++) {
            for (size = 0; size <= sizeof good; size += 4) {
                struct storvsc_packet bad = good;
                struct storvsc_result result;

                ((uint8_t *)&bad)[offset] = byte_values[value];
                result = storvsc_completion(&engine, SCSI_READ_10, 4096, &bad, size);
                check_result(&result, 4096);
                result = storvsc_completion(&engine, SCSI_READ_10, 4096, &good, sizeof good);
                assert_int_equal(result.outcome, STORVSC_OUTCOME_GOOD);
                assert_int_equal(result.transferred, 4096);
            }
        }
    }
}

/* Each answer of the initialisation with each byte wrong: it comes to an end, within limits. */
static void whatever_byte_of_an_initialisation_reply_is_wrong_a_fresh_start_works(void **state)
{
    struct storvsc_packet packet;
    size_t offset, value, message;

    (void)state;
    for (message = 0; message < 4; message++) {
        for (offset = 0; offset < sizeof packet; offset++) {
            for (value = 0; value < sizeof byte_values; value++) {
                enum storvsc_progress progress = STORVSC_PROGRESS_SEND;
                struct storvsc_engine engine;
                size_t sent;

                storvsc_begin(&engine, &packet);
                for (sent = 0; progress == STORVSC_PROGRESS_SEND; sent++) {
                    struct storvsc_packet reply = reply_of(STORVSC_STATUS_SUCCESS);

                    assert_true(sent < 16);
                    reply.properties.transfer_bytes_max = 0x40000;
                    if (sent == message)
                        ((uint8_t *)&reply)[offset] = byte_values[value];
                    progress = answer(&engine, &reply, &packet);
                }
                if (progress == STORVSC_PROGRESS_READY) {
                    assert_true(engine.transfer_bytes_max >= STORVSC_TRANSFER_MIN);
                    assert_true(engine.transfer_bytes_max <= STORVSC_TRANSFER_LIMIT);
                    assert_int_equal(engine.transfer_bytes_max % STORVSC_TRANSFER_MIN, 0);
                }
                assert_int_equal(play(&engine, STORVSC_VERSION_6_2, 0x40000, 1),
                                 STORVSC_PROGRESS_READY);
            }
        }
    }
}

static void only_bus_events_ask_for_a_scan(void **state)
{
    struct storvsc_engine engine = ready(STORVSC_VERSION_6_2);
    struct storvsc_packet event = { .operation = STORVSC_ENUMERATE_BUS };

    (void)state;
    assert_true(storvsc_event_asks_for_scan(&engine, &event, sizeof event));
    assert_false(storvsc_event_asks_for_scan(&engine, &event, 11));
    event.operation = STORVSC_REMOVE_DEVICE;
    assert_true(storvsc_event_asks_for_scan(&engine, &event, 12));
    event.operation = 0xffffffff;
    assert_false(storvsc_event_asks_for_scan(&engine, &event, sizeof event));
    assert_int_equal(engine.counters.unexpected_packets, 1);
    assert_int_equal(engine.counters.short_packets, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_is_reached_from_the_newest_down),
        cmocka_unit_test(a_host_that_refuses_all_versions_fails),
        cmocka_unit_test(the_attempt_after_one_that_failed_begins_anew),
        cmocka_unit_test(the_transfer_limit_is_rounded_down_capped_and_refused_when_tiny),
        cmocka_unit_test(a_short_reply_fails_and_a_fresh_start_works),
        cmocka_unit_test(properties_cut_short_fail),
        cmocka_unit_test(an_event_between_replies_is_ignored_and_the_next_reply_works),
        cmocka_unit_test(a_request_carries_address_direction_and_cdb),
        cmocka_unit_test(an_old_host_gets_the_short_request),
        cmocka_unit_test(impossible_requests_are_refused),
        cmocka_unit_test(sub_channels_are_asked_for_within_the_offer),
        cmocka_unit_test(the_answer_about_sub_channels_is_taken_only_when_it_is_one),
        cmocka_unit_test(completions_become_outcomes),
        cmocka_unit_test(sense_is_cut_to_what_arrived),
        cmocka_unit_test(whatever_byte_of_the_answer_to_a_reset_is_wrong_the_next_one_is_taken),
        cmocka_unit_test(whatever_byte_of_a_completion_is_wrong_the_next_one_is_taken),
        cmocka_unit_test(whatever_byte_of_an_initialisation_reply_is_wrong_a_fresh_start_works),
        cmocka_unit_test(only_bus_events_ask_for_a_scan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
