/* SPDX-License-Identifier: BSD-3-Clause */
/* Every kind of fault, seen to fire, and the rules in words. */
#include <errno.h>
#include <string.h>

#include "tests/unit/host-vmbus/machine_bench.h"

enum { ONE_MS = 10000 };

/* ---- Rules in words ---- */

static void rules_in_words_are_understood(void **state)
{
    static const char *const good[] = {
        "message,drop", "message,delay=10000,type=6,nth=2", "post,refuse=0x13,percent=10",
        "completion,duplicate,nth=5,times=1", "packet,corrupt,percent=1", "packet,corrupt=20",
        "request,truncate=16", "post,rescind,type=5", "message,reorder,channel=3",
    };
    struct fault_plan plan;
    const char *problem;
    fault_plan_initialise(&plan, 1);
    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(fault_plan_add(&plan, good[i], &problem), 0);
    }
    assert_int_equal(plan.rules[1].argument, 10000);
    assert_int_equal(plan.rules[1].nth, 2);
    assert_int_equal(plan.rules[2].argument, 0x13);
    for (unsigned i = plan.count; i < FAULT_RULES_MAX; i++) {
        assert_int_equal(fault_plan_add(&plan, "post,drop", &problem), 0);
    }
    assert_int_equal(fault_plan_add(&plan, "post,drop", &problem), -ENOSPC);
}

static void wrong_words_are_named(void **state)
{
    static const struct {
        const char *rule, *problem;
    } bad[] = {
        {"", ""}, {"mail,drop", "mail,drop"}, {"message", ""}, {"message=1,drop", "message=1,drop"},
        {"message,explode", "explode"}, {"message,delay", "delay"}, {"message,drop=3", "drop=3"},
        {"message,refuse=19", "refuse=19"}, {"message,fail", "fail"},
        {"post,refuse", "refuse"}, {"post,refuse=0", "refuse=0"},
        {"post,delay=1", "delay=1"}, {"request,duplicate", "duplicate"},
        {"message,drop,type", "type"}, {"message,drop,type=x", "type=x"},
        {"message,drop,type=", "type="}, {"message,drop,type=-1", "type=-1"},
        {"message,drop,percent=0", "percent=0"}, {"message,drop,percent=101", "percent=101"},
        {"message,drop,channel=4294967296", "channel=4294967296"}, {"message,drop,,", ","},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fault_plan plan;
        const char *problem = NULL;
        fault_plan_initialise(&plan, 1);
        assert_int_equal(fault_plan_add(&plan, bad[i].rule, &problem), -EINVAL);
        assert_string_equal(problem, bad[i].problem);
        assert_int_equal(plan.count, 0);
    }
}

static void a_seed_repeats_a_run_and_another_one_does_not(void **state)
{
    unsigned fired[3] = {0};
    uint64_t pattern[3] = {0};
    for (unsigned run = 0; run < 3; run++) {
        struct fault_plan plan;
        const char *problem;
        fault_plan_initialise(&plan, run == 2 ? 8 : 7);
        assert_int_equal(fault_plan_add(&plan, "message,drop,percent=30", &problem), 0);
        for (unsigned i = 0; i < 64; i++) {
            uint8_t byte = 0;
            size_t length = 1;
            if (fault_plan_apply(&plan, FAULT_MESSAGE, 1, 1, &byte, &length, 0, 1).drop) {
                pattern[run] |= UINT64_C(1) << i;
                fired[run]++;
            }
        }
        assert_int_equal(fault_plan_fired(&plan, 0), fired[run]);
        assert_in_range(fired[run], 8, 32);
    }
    assert_true(pattern[0] == pattern[1]);
    assert_true(pattern[0] != pattern[2]);
}

/* ---- Control messages to the guest ---- */

static void a_message_is_lost(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_fault(bench, "message,drop,type=1");
    machine_contact(bench);
    machine_request_offers(bench);
    machine_expect(bench, VMBUS_MESSAGE_VERSION_RESPONSE, VMBUS_MESSAGE_ALL_OFFERS_DELIVERED, 0);
    assert_int_equal(fault_plan_fired(&bench->plan, 0), 1);
    machine_free(bench);
}

static void a_message_comes_late(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_fault(bench, "message,delay=10000,type=15");
    machine_contact(bench);
    machine_expect(bench, 0);
    assert_int_equal(message_faults_deadline(&bench->message_faults), ONE_MS);
    machine_step(bench, ONE_MS - 1);
    machine_expect(bench, 0);
    machine_step(bench, 1);
    machine_expect(bench, VMBUS_MESSAGE_VERSION_RESPONSE, 0);
    assert_int_equal(message_faults_deadline(&bench->message_faults), UINT64_MAX);
    machine_free(bench);
}

static void a_message_comes_twice(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_fault(bench, "message,duplicate,type=1,times=1");
    machine_contact(bench);
    machine_request_offers(bench);
    machine_expect(bench, VMBUS_MESSAGE_VERSION_RESPONSE, VMBUS_MESSAGE_OFFER_CHANNEL,
                   VMBUS_MESSAGE_OFFER_CHANNEL, VMBUS_MESSAGE_ALL_OFFERS_DELIVERED, 0);
    machine_free(bench);
}

static void two_messages_change_places(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_fault(bench, "message,reorder,type=1,times=1");
    machine_contact(bench);
    machine_request_offers(bench);
    machine_expect(bench, VMBUS_MESSAGE_VERSION_RESPONSE, VMBUS_MESSAGE_ALL_OFFERS_DELIVERED,
                   VMBUS_MESSAGE_OFFER_CHANNEL, 0);
    machine_free(bench);
}

static void a_reordered_message_without_a_follower_comes_after_a_while(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_fault(bench, "message,reorder,type=15");
    machine_contact(bench);
    machine_expect(bench, 0);
    machine_step(bench, HELD_REORDER_LIMIT);
    machine_expect(bench, VMBUS_MESSAGE_VERSION_RESPONSE, 0);
    machine_free(bench);
}

static void a_message_is_cut_short_and_a_byte_is_wrong(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_fault(bench, "message,truncate=10,type=15,times=1");
    machine_fault(bench, "message,corrupt=12,type=15,nth=2");
    machine_contact(bench);
    struct vmbus_message_version_response response = {0};
    size_t size;
    assert_int_equal(machine_take(bench, &response, &size), VMBUS_MESSAGE_VERSION_RESPONSE);
    assert_int_equal(size, 10);
    machine_contact(bench);
    assert_int_equal(machine_take(bench, &response, &size), VMBUS_MESSAGE_VERSION_RESPONSE);
    assert_int_equal(size, sizeof(response));
    assert_int_not_equal(response.selected_version, VMBUS_VERSION_3_0);
    assert_int_equal(response.selected_version & 0xFFFFFF00u, VMBUS_VERSION_3_0 & 0xFFFFFF00u);
    machine_free(bench);
}

static void a_message_held_for_a_full_port_is_not_lost(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_fault(bench, "message,delay=1,type=10");
    machine_contact(bench);
    machine_request_offers(bench);
    machine_expect(bench, VMBUS_MESSAGE_VERSION_RESPONSE, VMBUS_MESSAGE_OFFER_CHANNEL,
                   VMBUS_MESSAGE_ALL_OFFERS_DELIVERED, 0);
    for (uint32_t id = 1; id <= 40; id++) {
        const uint32_t header[] = {VMBUS_MESSAGE_GPADL_HEADER, 0, 1, id, 16 | 1 << 16,
                                   4096, 0, 100, 0};
        assert_int_equal(machine_post(bench, header, sizeof(header)), HV_STATUS_SUCCESS);
    }
    unsigned taken = 0;
    for (unsigned step = 0; step < 40; step++) {
        uint8_t message[VMBUS_MESSAGE_SIZE_MAXIMUM];
        size_t size;
        machine_step(bench, ONE_MS);
        while (machine_take(bench, message, &size) == VMBUS_MESSAGE_GPADL_CREATED) {
            taken++;
        }
    }
    assert_int_equal(taken, 40);
    machine_free(bench);
}

/* ---- Rescind at the nth message ---- */

static void a_device_is_rescinded_between_open_and_its_result(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_fault(bench, "message,delay=20000,type=6");
    machine_fault(bench, "message,rescind,type=6");
    machine_contact(bench);
    machine_request_offers(bench);
    machine_gpadl(bench);
    machine_open(bench);
    machine_expect(bench, VMBUS_MESSAGE_VERSION_RESPONSE, VMBUS_MESSAGE_OFFER_CHANNEL,
                   VMBUS_MESSAGE_ALL_OFFERS_DELIVERED, VMBUS_MESSAGE_GPADL_CREATED, 0);
    assert_int_equal(message_faults_deadline(&bench->message_faults), 0);
    machine_step(bench, 0);
    machine_expect(bench, VMBUS_MESSAGE_RESCIND_CHANNEL, 0);
    assert_false(bench->device_open);
    machine_step(bench, 2 * ONE_MS);
    machine_expect(bench, VMBUS_MESSAGE_OPEN_RESULT, 0);
    const uint32_t released[] = {VMBUS_MESSAGE_RELID_RELEASED, 0, 1};
    assert_int_equal(machine_post(bench, released, sizeof(released)), HV_STATUS_SUCCESS);
    assert_true(bench->device_removed);
    machine_free(bench);
}

static void a_device_is_rescinded_before_all_offers_are_delivered(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_fault(bench, "message,rescind,type=1");
    machine_fault(bench, "message,delay=10000,type=4");
    machine_contact(bench);
    machine_request_offers(bench);
    machine_step(bench, 0);
    machine_step(bench, ONE_MS);
    machine_expect(bench, VMBUS_MESSAGE_VERSION_RESPONSE, VMBUS_MESSAGE_OFFER_CHANNEL,
                   VMBUS_MESSAGE_RESCIND_CHANNEL, VMBUS_MESSAGE_ALL_OFFERS_DELIVERED, 0);
    machine_free(bench);
}

static void a_device_is_rescinded_at_the_nth_request(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_fault(bench, "request,rescind,nth=3,times=1");
    machine_connect(bench);
    for (uint64_t id = 1; id <= 3; id++) {
        machine_expect(bench, 0);
        machine_request(bench, id);
        machine_step(bench, 0);
    }
    machine_expect(bench, VMBUS_MESSAGE_RESCIND_CHANNEL, 0);
    machine_free(bench);
}

/* ---- The guest's posts ---- */

static void a_post_is_refused_with_the_status_wanted(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_fault(bench, "post,refuse=0x13,times=1");
    machine_fault(bench, "post,refuse=0x12,nth=2,times=1");
    const struct vmbus_message_initiate_contact contact = {
        .header.type = VMBUS_MESSAGE_INITIATE_CONTACT, .version = VMBUS_VERSION_3_0};
    assert_int_equal(machine_post(bench, &contact, sizeof(contact)),
                     HV_STATUS_INSUFFICIENT_BUFFERS);
    assert_int_equal(machine_post(bench, &contact, sizeof(contact)),
                     HV_STATUS_INVALID_CONNECTION_ID);
    machine_expect(bench, 0);
    machine_connect(bench);
    machine_free(bench);
}

static void a_post_is_lost(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_fault(bench, "post,drop,type=14,times=1");
    machine_contact(bench);
    machine_expect(bench, 0);
    machine_connect(bench);
    machine_free(bench);
}

static void a_request_is_answered_with_failure_and_the_next_one_works(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_fault(bench, "post,fail,type=14,times=1");
    machine_fault(bench, "post,fail,type=8,times=1");
    machine_fault(bench, "post,fail,type=5,times=1");
    machine_fault(bench, "post,fail,type=3,times=1"); /* has no negative answer: passes */
    uint8_t message[VMBUS_MESSAGE_SIZE_MAXIMUM];
    size_t size;
    machine_contact(bench);
    assert_int_equal(machine_take(bench, message, &size), VMBUS_MESSAGE_VERSION_RESPONSE);
    assert_int_equal(message[8], 0);
    machine_contact(bench);
    machine_request_offers(bench);
    machine_gpadl(bench);
    const uint32_t body[] = {VMBUS_MESSAGE_GPADL_BODY, 0, 0, MACHINE_GPADL, 1, 0};
    assert_int_equal(machine_post(bench, body, sizeof(body)), HV_STATUS_SUCCESS);
    machine_gpadl(bench);
    machine_expect(bench, VMBUS_MESSAGE_VERSION_RESPONSE, VMBUS_MESSAGE_OFFER_CHANNEL,
                   VMBUS_MESSAGE_ALL_OFFERS_DELIVERED, VMBUS_MESSAGE_GPADL_CREATED,
                   VMBUS_MESSAGE_GPADL_CREATED, 0);
    machine_open(bench);
    struct vmbus_message_open_result result;
    assert_int_equal(machine_take(bench, &result, &size), VMBUS_MESSAGE_OPEN_RESULT);
    assert_int_equal(result.status, VMBUS_STATUS_UNEXPECTED);
    assert_false(bench->device_open);
    machine_open(bench);
    assert_int_equal(machine_take(bench, &result, &size), VMBUS_MESSAGE_OPEN_RESULT);
    assert_int_equal(result.status, VMBUS_STATUS_SUCCESS);
    assert_true(bench->device_open);
    assert_int_equal(bench->violations, 0);
    machine_free(bench);
}

/* ---- Packets ---- */

/* Sends requests 1 to 3, one after the other, with this rule in force. */
static struct machine_bench *three_requests(const char *rule)
{
    struct machine_bench *bench = machine_create("2019");
    machine_connect(bench);
    machine_fault(bench, rule);
    for (uint64_t id = 1; id <= 3; id++) {
        machine_request(bench, id);
        machine_step(bench, 0);
    }
    return bench;
}

static void expect_completions(struct machine_bench *bench, const uint64_t *ids)
{
    uint32_t length;
    for (; *ids != 0; ids++) {
        assert_int_equal(machine_completion(bench, &length), *ids);
    }
    assert_int_equal(machine_completion(bench, &length), 0);
}

static void a_completion_is_lost(void **state)
{
    struct machine_bench *bench = three_requests("completion,drop,nth=2,times=1");
    expect_completions(bench, (const uint64_t[]){1, 3, 0});
    machine_free(bench);
}

static void a_completion_comes_twice(void **state)
{
    struct machine_bench *bench = three_requests("completion,duplicate,nth=2,times=1");
    expect_completions(bench, (const uint64_t[]){1, 2, 2, 3, 0});
    machine_free(bench);
}

static void a_completion_comes_late(void **state)
{
    struct machine_bench *bench = three_requests("completion,delay=10000,nth=2,times=1");
    expect_completions(bench, (const uint64_t[]){1, 3, 0});
    bench->vectors = 0;
    memset(bench->ram + 11 * HV_PAGE_SIZE, 0, HV_PAGE_SIZE); /* the event flags are looked at */
    machine_step(bench, ONE_MS);
    expect_completions(bench, (const uint64_t[]){2, 0});
    assert_int_equal(bench->vectors, 1);
    machine_free(bench);
}

static void two_completions_change_places(void **state)
{
    struct machine_bench *bench = three_requests("completion,reorder,nth=1,times=1");
    expect_completions(bench, (const uint64_t[]){2, 1, 3, 0});
    machine_free(bench);
}

static void a_completion_is_cut_short(void **state)
{
    struct machine_bench *bench = three_requests("completion,truncate=0,times=1");
    uint32_t length;
    assert_int_equal(machine_completion(bench, &length), 1);
    assert_int_equal(length, sizeof(struct vmbus_packet_header));
    expect_completions(bench, (const uint64_t[]){2, 3, 0});
    machine_free(bench);
}

static void a_completion_has_the_wrong_id(void **state)
{
    struct machine_bench *bench = three_requests("completion,corrupt=15,times=1");
    uint32_t length;
    assert_true(machine_completion(bench, &length) > UINT64_C(0xFFFFFFFFFFFFFF));
    expect_completions(bench, (const uint64_t[]){2, 3, 0});
    machine_free(bench);
}

static void a_request_is_lost_or_cut_before_the_device_sees_it(void **state)
{
    struct machine_bench *bench = three_requests("request,drop,nth=2,times=1");
    expect_completions(bench, (const uint64_t[]){1, 3, 0});
    machine_free(bench);
    bench = three_requests("request,truncate=24,nth=2,times=1");
    uint32_t length;
    assert_int_equal(machine_completion(bench, &length), 1);
    assert_int_equal(length, 48);
    assert_int_equal(machine_completion(bench, &length), 2);
    assert_int_equal(length, 24);
    machine_free(bench);
}

static void packets_held_for_a_closed_channel_are_forgotten(void **state)
{
    struct machine_bench *bench = three_requests("completion,delay=10000");
    host_device_unplug(bench->device_channel);
    machine_step(bench, ONE_MS);
    uint32_t length;
    assert_int_equal(machine_completion(bench, &length), 0);
    machine_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_in_words_are_understood),
        cmocka_unit_test(wrong_words_are_named),
        cmocka_unit_test(a_seed_repeats_a_run_and_another_one_does_not),
        cmocka_unit_test(a_message_is_lost),
        cmocka_unit_test(a_message_comes_late),
        cmocka_unit_test(a_message_comes_twice),
        cmocka_unit_test(two_messages_change_places),
        cmocka_unit_test(a_reordered_message_without_a_follower_comes_after_a_while),
        cmocka_unit_test(a_message_is_cut_short_and_a_byte_is_wrong),
        cmocka_unit_test(a_message_held_for_a_full_port_is_not_lost),
        cmocka_unit_test(a_device_is_rescinded_between_open_and_its_result),
        cmocka_unit_test(a_device_is_rescinded_before_all_offers_are_delivered),
        cmocka_unit_test(a_device_is_rescinded_at_the_nth_request),
        cmocka_unit_test(a_post_is_refused_with_the_status_wanted),
        cmocka_unit_test(a_post_is_lost),
        cmocka_unit_test(a_request_is_answered_with_failure_and_the_next_one_works),
        cmocka_unit_test(a_completion_is_lost),
        cmocka_unit_test(a_completion_comes_twice),
        cmocka_unit_test(a_completion_comes_late),
        cmocka_unit_test(two_completions_change_places),
        cmocka_unit_test(a_completion_is_cut_short),
        cmocka_unit_test(a_completion_has_the_wrong_id),
        cmocka_unit_test(a_request_is_lost_or_cut_before_the_device_sees_it),
        cmocka_unit_test(packets_held_for_a_closed_channel_are_forgotten),
    };
    return cmocka_run_group_tests_name("host faults", tests, NULL, NULL);
}
