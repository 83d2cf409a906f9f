/* SPDX-License-Identifier: BSD-3-Clause */
/* The heartbeat: sequence + 1, whatever else the host's version has in the message. */
#include "kext/services/heartbeat.h"
#include "tests/unit/kext-services/messages.h"

static struct integration_engine engine;
static struct heartbeat heartbeat;
static struct ic_buffer buffer;

static int setup(void **state)
{
    memset(&heartbeat, 0, sizeof heartbeat);
    integration_init(&engine, &heartbeat_service, &heartbeat);
    negotiate_with(&engine, IC_HEARTBEAT_3_0);
    return 0;
}

static void each_beat_comes_back_with_the_next_number(void **state)
{
    static const uint64_t sequences[] = { 0, 2, 0xFFFFFFFF, UINT64_MAX };

    for (size_t i = 0; i < COUNT_OF(sequences); i++) {
        struct ic_heartbeat beat = { .sequence = sequences[i], .application_state = 0 };

        make_message(&buffer, IC_MESSAGE_HEARTBEAT, &beat, sizeof beat);
        assert_int_equal(receive_message(&engine, &buffer), IC_HEADER + sizeof beat);
        memcpy(&beat, buffer.bytes + IC_HEADER, sizeof beat);
        assert_int_equal(beat.sequence, sequences[i] + 1);
        assert_int_equal(buffer.header.status, IC_STATUS_OK);
        assert_int_equal(heartbeat.last_sequence, sequences[i]);
    }
    assert_int_equal(heartbeat.beats, COUNT_OF(sequences));
}

static void a_beat_may_have_no_more_than_its_number_or_much_more(void **state)
{
    static const uint8_t body[40] = { 41 };

    make_message(&buffer, IC_MESSAGE_HEARTBEAT, body, IC_HEARTBEAT_SIZE_MINIMUM);
    assert_int_equal(receive_message(&engine, &buffer), IC_HEADER + 8);
    assert_int_equal(buffer.bytes[IC_HEADER], 42);
    make_message(&buffer, IC_MESSAGE_HEARTBEAT, body, sizeof body);
    assert_int_equal(receive_message(&engine, &buffer), IC_HEADER + sizeof body);
    assert_int_equal(buffer.bytes[IC_HEADER], 42);
    assert_memory_equal(buffer.bytes + IC_HEADER + 1, body + 1, sizeof body - 1);
}

static void a_beat_that_is_too_short_is_refused_and_the_next_one_answered(void **state)
{
    static const uint8_t body[8] = { 6 };

    make_message(&buffer, IC_MESSAGE_HEARTBEAT, body, 7);
    assert_true(receive_message(&engine, &buffer) > 0);
    assert_int_equal(buffer.header.status, IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(heartbeat.beats, 0);
    make_message(&buffer, IC_MESSAGE_HEARTBEAT, body, 8);
    assert_true(receive_message(&engine, &buffer) > 0);
    assert_int_equal(buffer.bytes[IC_HEADER], 7);
}

static void every_heartbeat_version_of_a_host_is_agreed_on(void **state)
{
    negotiate_with(&engine, IC_HEARTBEAT_1_0);
    assert_int_equal(engine.message_version, IC_HEARTBEAT_1_0);
    negotiate_with(&engine, IC_HEARTBEAT_3_0);
    assert_int_equal(engine.message_version, IC_HEARTBEAT_3_0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_beat_comes_back_with_the_next_number, setup),
        cmocka_unit_test_setup(a_beat_may_have_no_more_than_its_number_or_much_more, setup),
        cmocka_unit_test_setup(a_beat_that_is_too_short_is_refused_and_the_next_one_answered,
                               setup),
        cmocka_unit_test_setup(every_heartbeat_version_of_a_host_is_agreed_on, setup),
    };

    return cmocka_run_group_tests_name("heartbeat", tests, NULL, NULL);
}
