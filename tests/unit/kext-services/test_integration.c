/* SPDX-License-Identifier: BSD-3-Clause */
/* The framework of the integration services: checks, negotiation, replies. */
#include "tests/unit/kext-services/messages.h"

static struct integration_engine engine;
static struct ic_buffer buffer;
static unsigned handled, resets;
static enum integration_answer answer;

static enum integration_answer handle(struct integration_engine *me, void *body,
                                      uint32_t *body_size, uint32_t capacity, uint32_t *status)
{
    handled++;
    assert_true(*body_size >= 4);
    assert_true(*body_size <= capacity);
    memcpy(body, "ok!!", 4);
    *body_size = 4;
    *status = IC_STATUS_NOT_READY;
    return answer;
}

static void reset(struct integration_engine *me)
{
    resets++;
}

static const struct integration_service service = {
    .name = "test",
    .message_type = IC_MESSAGE_SHUTDOWN,
    .body_minimum = 4,
    .framework_versions = { IC_FRAMEWORK_3_0, IC_FRAMEWORK_1_0 },
    .message_versions = { IC_SHUTDOWN_3_2, IC_SHUTDOWN_3_0, IC_SHUTDOWN_1_0 },
    .handle = handle,
    .reset = reset,
};

static int setup(void **state)
{
    handled = resets = 0;
    answer = INTEGRATION_REPLY;
    integration_init(&engine, &service, NULL);
    return 0;
}

static void assert_chosen(const uint32_t *framework, const uint32_t *message,
                          uint32_t framework_chosen, uint32_t message_chosen)
{
    struct ic_negotiate_reply reply;

    make_negotiation(&buffer, framework, message);
    assert_int_equal(receive_message(&engine, &buffer), IC_HEADER + 16);
    assert_int_equal(buffer.header.body_size, 16);
    assert_int_equal(buffer.header.pipe.length, 20 + 16);
    assert_int_equal(buffer.header.flags, IC_FLAGS_RESPONSE);
    assert_int_equal(buffer.header.transaction_id, 0x5E);
    assert_int_equal(buffer.header.status, framework_chosen != 0 ? IC_STATUS_OK : IC_STATUS_FAIL);
    memcpy(&reply, buffer.bytes + IC_HEADER, sizeof reply);
    assert_int_equal(reply.framework_version_count, framework_chosen != 0);
    assert_int_equal(reply.message_version_count, framework_chosen != 0);
    assert_int_equal(IC_VERSION(reply.framework_version.major, reply.framework_version.minor),
                     framework_chosen);
    assert_int_equal(IC_VERSION(reply.message_version.major, reply.message_version.minor),
                     message_chosen);
}

static void the_best_version_that_both_know_is_chosen(void **state)
{
    const uint32_t old[] = { IC_FRAMEWORK_1_0, 0 };
    const uint32_t both[] = { IC_FRAMEWORK_1_0, IC_FRAMEWORK_3_0, 0 };
    const uint32_t all[] = { IC_SHUTDOWN_1_0, IC_SHUTDOWN_3_0, IC_SHUTDOWN_3_1, IC_SHUTDOWN_3_2,
                             0 };
    const uint32_t some[] = { IC_SHUTDOWN_3_1, IC_SHUTDOWN_3_0, 0 };
    const uint32_t strange[] = { IC_VERSION(9, 9), 0 };

    assert_chosen(both, all, IC_FRAMEWORK_3_0, IC_SHUTDOWN_3_2);
    assert_chosen(old, some, IC_FRAMEWORK_1_0, IC_SHUTDOWN_3_0);
    assert_chosen(both, strange, 0, 0);
    assert_false(engine.negotiated);
    assert_chosen(strange, all, 0, 0);
    assert_chosen(both, all, IC_FRAMEWORK_3_0, IC_SHUTDOWN_3_2);
    assert_true(engine.negotiated);
    assert_int_equal(resets, 5);
}

/* D10: counts that say more than the message has. */
static void version_counts_beyond_the_message_are_dropped(void **state)
{
    static const struct { uint16_t framework, message; } bad[] = {
        { 3, 0 }, { 0, 3 }, { 0xFFFF, 0xFFFF }, { 0xFFFF, 0 }, { 2, 1 },
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct { uint16_t f, m; uint32_t reserved, versions[2]; } body = {
            bad[i].framework, bad[i].message, 0, { 3, 3 } };

        make_message(&buffer, IC_MESSAGE_NEGOTIATE, &body, sizeof body);
        assert_int_equal(receive_message(&engine, &buffer), HV_ERROR_MALFORMED);
    }
    make_message(&buffer, IC_MESSAGE_NEGOTIATE, "1234567", 7);
    assert_int_equal(receive_message(&engine, &buffer), HV_ERROR_MALFORMED);
    assert_int_equal(engine.counters.dropped, COUNT_OF(bad) + 1);
    assert_int_equal(resets, 0);
    negotiate_with(&engine, IC_SHUTDOWN_3_2);
}

static void a_request_is_answered_in_its_own_memory(void **state)
{
    negotiate_with(&engine, IC_SHUTDOWN_3_2);
    make_message(&buffer, IC_MESSAGE_SHUTDOWN, "request body", 12);
    buffer.header.message_version = (struct ic_version){ 3, 2 };
    assert_int_equal(receive_message(&engine, &buffer), IC_HEADER + 4);
    assert_int_equal(handled, 1);
    assert_int_equal(buffer.header.flags, IC_FLAGS_RESPONSE);
    assert_int_equal(buffer.header.transaction_id, 0x5E);
    assert_int_equal(buffer.header.status, IC_STATUS_NOT_READY);
    assert_int_equal(buffer.header.body_size, 4);
    assert_int_equal(buffer.header.pipe.length, 24);
    assert_int_equal(buffer.header.message_type, IC_MESSAGE_SHUTDOWN);
    assert_int_equal(buffer.header.message_version.minor, 2);
    assert_memory_equal(buffer.bytes + IC_HEADER, "ok!!", 4);
}

/* D4, D21: each length that contradicts another; the next good message is answered. */
static void lengths_that_contradict_the_packet_are_dropped(void **state)
{
    negotiate_with(&engine, IC_SHUTDOWN_3_2);
    for (unsigned i = 0; i < 7; i++) {
        make_message(&buffer, IC_MESSAGE_SHUTDOWN, "request body", 12);
        switch (i) {
        case 0: buffer.length = IC_HEADER - 1; break;
        case 1: buffer.length = 0; break;
        case 2: buffer.header.pipe.length = buffer.length - 8 + 1; break;
        case 3: buffer.header.pipe.length = 0xFFFFFFFF; break;
        case 4: buffer.header.pipe.length = 19; break;
        case 5: buffer.header.body_size = 13; break;
        case 6: buffer.header.body_size = 0xFFFF; break;
        }
        assert_int_equal(receive_message(&engine, &buffer), HV_ERROR_MALFORMED);
        assert_int_equal(engine.counters.dropped, i + 1);
    }
    assert_int_equal(handled, 0);
    make_message(&buffer, IC_MESSAGE_SHUTDOWN, "request body", 12);
    assert_true(receive_message(&engine, &buffer) > 0);
}

static void what_is_no_request_is_dropped(void **state)
{
    negotiate_with(&engine, IC_SHUTDOWN_3_2);
    make_message(&buffer, IC_MESSAGE_SHUTDOWN, "body", 4);
    buffer.header.flags = IC_FLAGS_RESPONSE;
    assert_int_equal(receive_message(&engine, &buffer), HV_ERROR_MALFORMED);
    make_message(&buffer, IC_MESSAGE_SHUTDOWN, "body", 4);
    buffer.header.pipe.type = VMBUS_PIPE_PARTIAL_DATA;
    assert_int_equal(receive_message(&engine, &buffer), HV_ERROR_MALFORMED);
    assert_int_equal(handled, 0);
}

static void assert_refused(uint32_t status)
{
    assert_true(receive_message(&engine, &buffer) > 0);
    assert_int_equal(buffer.header.status, status);
    assert_int_equal(buffer.header.flags, IC_FLAGS_RESPONSE);
    assert_int_equal(handled, 0);
}

static void requests_that_cannot_be_handled_are_answered_with_an_error(void **state)
{
    make_message(&buffer, IC_MESSAGE_SHUTDOWN, "body", 4);
    assert_refused(IC_STATUS_FAIL);                     /* before any negotiation */
    negotiate_with(&engine, IC_SHUTDOWN_3_2);
    make_message(&buffer, IC_MESSAGE_KVP, "body", 4);
    assert_refused(IC_STATUS_NOT_SUPPORTED);
    make_message(&buffer, IC_MESSAGE_SHUTDOWN, "bod", 3);
    assert_refused(IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(engine.counters.refused, 3);
    make_message(&buffer, IC_MESSAGE_SHUTDOWN, "body", 4);
    assert_true(receive_message(&engine, &buffer) > 0);
    assert_int_equal(handled, 1);
}

static void an_answer_may_come_later(void **state)
{
    uint32_t generation;

    negotiate_with(&engine, IC_SHUTDOWN_3_2);
    answer = INTEGRATION_LATER;
    generation = engine.generation;
    make_message(&buffer, IC_MESSAGE_SHUTDOWN, "body", 4);
    assert_int_equal(receive_message(&engine, &buffer), 0);
    assert_int_equal(integration_finish(&engine, buffer.bytes, generation, IC_STATUS_TIMEOUT, 2),
                     IC_HEADER + 2);
    assert_int_equal(buffer.header.status, IC_STATUS_TIMEOUT);
    assert_int_equal(buffer.header.transaction_id, 0x5E);
}

static void a_new_negotiation_voids_what_was_put_off(void **state)
{
    static struct ic_buffer kept;
    uint32_t generation;

    negotiate_with(&engine, IC_SHUTDOWN_3_2);
    answer = INTEGRATION_LATER;
    generation = engine.generation;
    make_message(&kept, IC_MESSAGE_SHUTDOWN, "body", 4);
    assert_int_equal(receive_message(&engine, &kept), 0);
    negotiate_with(&engine, IC_SHUTDOWN_3_0);
    assert_int_equal(integration_finish(&engine, kept.bytes, generation, IC_STATUS_OK, 4),
                     HV_ERROR_GONE);
    assert_int_equal(engine.counters.stale, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_best_version_that_both_know_is_chosen, setup),
        cmocka_unit_test_setup(version_counts_beyond_the_message_are_dropped, setup),
        cmocka_unit_test_setup(a_request_is_answered_in_its_own_memory, setup),
        cmocka_unit_test_setup(lengths_that_contradict_the_packet_are_dropped, setup),
        cmocka_unit_test_setup(what_is_no_request_is_dropped, setup),
        cmocka_unit_test_setup(requests_that_cannot_be_handled_are_answered_with_an_error, setup),
        cmocka_unit_test_setup(an_answer_may_come_later, setup),
        cmocka_unit_test_setup(a_new_negotiation_voids_what_was_put_off, setup),
    };

    return cmocka_run_group_tests_name("integration", tests, NULL, NULL);
}
