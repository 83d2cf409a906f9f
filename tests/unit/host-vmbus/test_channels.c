/* SPDX-License-Identifier: BSD-3-Clause */
/* Offers and the life of channels: every event in every state (D9, D15). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/host-vmbus/bench.h"

static const uint32_t versions[] = {
    VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4, VMBUS_VERSION_3_0,
    VMBUS_VERSION_4_0,  VMBUS_VERSION_4_1, VMBUS_VERSION_5_0, VMBUS_VERSION_5_1,
    VMBUS_VERSION_5_2,  VMBUS_VERSION_5_3, VMBUS_VERSION_6_0,
};
enum { VERSION_COUNT = sizeof(versions) / sizeof(versions[0]) };

static struct bench *connected_bench(uint32_t version)
{
    struct bench *bench = bench_create(VMBUS_VERSION_6_0);
    bench_plug(bench);
    bench_connect(bench, version);
    return bench;
}

/* ---- Offers ---- */

static void an_offer_has_the_size_of_its_version(void **state)
{
    for (unsigned i = 0; i < VERSION_COUNT; i++) {
        struct bench *bench = bench_create(VMBUS_VERSION_6_0);
        bench_plug(bench);
        bench_contact(bench, versions[i]);
        bench->text[0] = '\0';
        bench_header_message(bench, VMBUS_MESSAGE_REQUEST_OFFERS);
        bench_expect(bench, versions[i] < VMBUS_VERSION_1_1
                                ? "offer 1 instance d1 sub 0 connection 0 size 190\nall_offers\n"
                                : "offer 1 instance d1 sub 0 connection 2001 size 196\n"
                                  "all_offers\n");
        bench_free(bench);
    }
}

static void offers_come_sorted_by_class_then_wish_then_instance(void **state)
{
    static const struct vmbus_device_operations operations;
    struct bench *bench = bench_create(VMBUS_VERSION_3_0);
    struct bench_device devices[4] = {0};
    assert_int_equal(bench_plug_device(bench, &devices[0], 0x30, 0, false), 0);
    assert_int_equal(bench_plug_device(bench, &devices[1], 0x10, 0, false), 0);
    assert_int_equal(bench_plug_device(bench, &devices[2], 0x20, 0, false), 0);
    assert_int_equal(bench_plug_device(bench, &devices[3], 0x20, 0, false), -EEXIST);
    struct vmbus_device_offer offer = {.class_id = VMBUS_CLASS_SCSI};
    struct host_channel *channel;
    assert_int_equal(host_device_plug(bench->server, &offer, &operations, NULL, &channel),
                     -EINVAL);
    bench_contact(bench, VMBUS_VERSION_3_0);
    bench->text[0] = '\0';
    bench_header_message(bench, VMBUS_MESSAGE_REQUEST_OFFERS);
    bench_expect(bench, "offer 1 instance 10 sub 0 connection 2001 size 196\n"
                        "offer 2 instance 20 sub 0 connection 2002 size 196\n"
                        "offer 3 instance 30 sub 0 connection 2003 size 196\n"
                        "all_offers\n");
    bench_free(bench);
}

static void a_second_request_for_offers_is_dropped(void **state)
{
    struct bench *bench = connected_bench(VMBUS_VERSION_3_0);
    bench_header_message(bench, VMBUS_MESSAGE_REQUEST_OFFERS);
    bench_expect(bench, "");
    bench_expect_violation(bench, "once a connection");
    bench_free(bench);
}

static void a_device_plugged_later_is_offered_at_once(void **state)
{
    struct bench *bench = connected_bench(VMBUS_VERSION_3_0);
    struct bench_device late = {0};
    assert_int_equal(bench_plug_device(bench, &late, 0x99, 0, false), 0);
    bench_expect(bench, "offer 2 instance 99 sub 0 connection 2002 size 196\n");
    bench_free(bench);
}

static void channel_ids_run_out_after_2047(void **state)
{
    enum { MANY = VMBUS_CHANNEL_MAXIMUM };
    static struct bench_device devices[MANY + 1];
    struct bench *bench = bench_create(VMBUS_VERSION_3_0);
    bench_connect(bench, VMBUS_VERSION_3_0);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(bench_plug_device(bench, &devices[i], i, 0, false), 0);
        bench->text[0] = '\0';
    }
    assert_int_equal(bench_plug_device(bench, &devices[MANY], MANY, 0, false), -ENOSPC);
    assert_non_null(vmbus_server_channel(bench->server, MANY));
    assert_null(vmbus_server_channel(bench->server, 0));
    assert_null(vmbus_server_channel(bench->server, MANY + 1));
    assert_null(vmbus_server_channel(bench->server, 0xFFFFFFFF));
    bench_free(bench);
}

static void an_id_is_not_used_again_before_the_guest_released_it(void **state)
{
    struct bench *bench = connected_bench(VMBUS_VERSION_3_0);
    struct bench_device second = {0};
    host_device_unplug(bench->device.primary);
    bench_expect(bench, "rescind 1\n");
    assert_int_equal(bench_plug_device(bench, &second, 0xd1, 0, false), -EEXIST);
    assert_int_equal(bench_plug_device(bench, &second, 0xd2, 0, false), 0);
    bench_expect(bench, "offer 2 instance d2 sub 0 connection 2002 size 196\n");
    bench_channel_message(bench, VMBUS_MESSAGE_RELID_RELEASED, 1);
    bench_expect(bench, "removed\n");
    assert_int_equal(bench_plug_device(bench, &bench->device, 0xd1, 0, false), 0);
    bench_expect(bench, "offer 1 instance d1 sub 0 connection 2001 size 196\n");
    bench_free(bench);
}

/* ---- Open and close, per version ---- */

static void a_channel_opens_and_closes_in_every_version(void **state)
{
    for (unsigned i = 0; i < VERSION_COUNT; i++) {
        struct bench *bench = connected_bench(versions[i]);
        bench_gpadl(bench, 1, 0xE1, 32, 5);
        bench_expect(bench, "gpadl_created 1 e1 0\n");
        bench_open(bench, 1, 0xE1, 2, 3);
        bench_expect(bench, versions[i] < VMBUS_VERSION_2_4
                                ? "opened 1 vp 0 rings 4096 8192\nopen_result 1 77 0\nwake 1\n"
                                : "opened 1 vp 3 rings 4096 8192\nopen_result 1 77 0\nwake 1\n");
        bench_channel_message(bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
        bench_expect(bench, "closed 1\n");
        bench_teardown(bench, 1, 0xE1);
        bench_expect(bench, "gpadl_torndown e1\n");
        bench_channel_message(bench, VMBUS_MESSAGE_RELID_RELEASED, 1);
        bench_expect(bench, "");
        assert_null(vmbus_server_channel(bench->server, 1));
        assert_int_equal(bench->violations, 0);
        bench_free(bench);
    }
}

static void an_open_that_cannot_be_is_refused_and_the_next_one_works(void **state)
{
    static const struct {
        unsigned pages, downstream;
        uint32_t gpadl, vp;
        const char *rule;
    } cases[] = {
        {4, 2, 0xE2, 0, "created on this channel"}, {4, 0, 0xE1, 0, "control page"},
        {4, 1, 0xE1, 0, "control page"},            {4, 3, 0xE1, 0, "control page"},
        {4, 4, 0xE1, 0, "control page"},            {4, 5, 0xE1, 0, "control page"},
        {4, 0xFFFFFFFF, 0xE1, 0, "control page"},   {3, 2, 0xE1, 0, "control page"},
        {4, 2, 0xE1, BENCH_PROCESSORS, "processor"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench *bench = connected_bench(VMBUS_VERSION_5_2);
        bench_gpadl(bench, 1, 0xE1, 32, cases[i].pages);
        bench->text[0] = '\0';
        bench_open(bench, 1, cases[i].gpadl, cases[i].downstream, cases[i].vp);
        bench_expect(bench, "open_result 1 77 8000ffff\n");
        bench_expect_violation(bench, cases[i].rule);
        bench_open_channel(bench, 1);
        bench_free(bench);
    }
}

static void the_guest_may_poll_instead_of_being_interrupted(void **state)
{
    struct bench *bench = connected_bench(VMBUS_VERSION_5_2);
    bench_gpadl(bench, 1, 0xE1, 32, 4);
    bench->text[0] = '\0';
    bench_open(bench, 1, 0xE1, 2, VMBUS_VP_NONE);
    bench_expect(bench, "opened 1 vp -1 rings 4096 4096\nopen_result 1 77 0\nwake 1\n");
    bench_free(bench);
}

static void rings_with_impossible_indices_are_refused(void **state)
{
    static const uint32_t bad[] = {4, 4096, 0xFFFFFFF8};
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned word = 0; word < 2; word++) {
            for (unsigned ring = 0; ring < 2; ring++) {
                struct bench *bench = connected_bench(VMBUS_VERSION_5_2);
                bench_gpadl(bench, 1, 0xE1, 32, 4);
                memcpy(bench_page(bench, 32 + 2 * ring) + 4 * word, &bad[i], 4);
                bench->text[0] = '\0';
                bench_open(bench, 1, 0xE1, 2, 0);
                bench_expect(bench, "open_result 1 77 8000ffff\n");
                bench_expect_violation(bench, "indices");
                bench_open_channel(bench, 1);
                bench_free(bench);
            }
        }
    }
}

static void a_device_may_refuse_to_be_opened(void **state)
{
    struct bench *bench = connected_bench(VMBUS_VERSION_5_2);
    bench->device.open_result = -EIO;
    bench_gpadl(bench, 1, 0xE1, 32, 4);
    bench->text[0] = '\0';
    bench_open(bench, 1, 0xE1, 2, 0);
    bench_expect(bench, "opened 1 vp 0 rings 4096 4096\nopen_result 1 77 8000ffff\n");
    bench_teardown(bench, 1, 0xE1);
    bench_expect(bench, "gpadl_torndown e1\n");
    bench->device.open_result = 0;
    bench_open_channel(bench, 1);
    assert_int_equal(bench->violations, 0);
    bench_free(bench);
}

static void an_open_while_closing_waits_for_the_device(void **state)
{
    struct bench *bench = connected_bench(VMBUS_VERSION_5_2);
    bench_open_channel(bench, 1);
    bench->device.keep_channels = true;
    bench_channel_message(bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
    bench_gpadl(bench, 1, 0xE1, 64, 4);
    bench_open(bench, 1, 0xE1, 2, 1);
    bench_expect(bench, "closed 1\ngpadl_created 1 e1 0\n");
    bench_open(bench, 1, 0xE1, 2, 1);
    bench_expect_violation(bench, "opened once");
    bench_teardown(bench, 1, 101); /* the old ring: still in the device's hands */
    bench_expect(bench, "");
    host_channel_released(bench->device.last_closed);
    bench_expect(bench, "gpadl_torndown 65\nopened 1 vp 1 rings 4096 4096\n"
                        "open_result 1 77 0\nwake 1\n");
    bench_free(bench);
}

static void guest_signal_parameters_come_with_the_open(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_6_0);
    bench_plug(bench);
    struct vmbus_message_initiate_contact contact = {
        .header.type = VMBUS_MESSAGE_INITIATE_CONTACT,
        .version = VMBUS_VERSION_6_0,
        .feature_flags = VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS,
    };
    bench_post(bench, &contact, sizeof(contact));
    bench_header_message(bench, VMBUS_MESSAGE_REQUEST_OFFERS);
    bench_gpadl(bench, 1, 0xE1, 32, 4);
    bench->text[0] = '\0';
    bench_open(bench, 1, 0xE1, 2, 0); /* 148 bytes */
    bench_expect(bench, "");
    bench_expect_violation(bench, "156 bytes");
    struct vmbus_message_open_channel_6_0 open = {
        .base = {.header.type = VMBUS_MESSAGE_OPEN_CHANNEL, .channel_id = 1, .open_id = 5,
                 .ring_gpadl_id = 0xE1, .downstream_page_offset = 2},
        .connection_id = 0x123456,
        .event_flag = HV_EVENT_FLAGS_PER_SINT,
    };
    bench_post(bench, &open, sizeof(open));
    bench_expect(bench, "open_result 1 5 8000ffff\n");
    bench_expect_violation(bench, "event flag");
    open.event_flag = 2000;
    bench_post(bench, &open, sizeof(open));
    bench_expect(bench, "opened 1 vp 0 rings 4096 4096\nopen_result 1 5 0\nwake 1\n");
    assert_int_equal(vmbus_server_signal_event(bench->server, 0x123456, 0), HV_STATUS_SUCCESS);
    bench_expect(bench, "wake 1\n");
    assert_int_equal(vmbus_server_signal_event(bench->server, 0x2001, 0),
                     HV_STATUS_INVALID_CONNECTION_ID);
    bench_free(bench);
}

/* ---- Removal ---- */

static void rescind_in_each_state_ends_at_release(void **state)
{
    static const char *const states[] = {"offered", "gpadl", "building", "open", "closing"};
    for (unsigned s = 0; s < 5; s++) {
        struct bench *bench = connected_bench(VMBUS_VERSION_5_2);
        struct vmbus_message_gpadl_header half = {
            .header.type = VMBUS_MESSAGE_GPADL_HEADER,
            .channel_id = 1,
            .gpadl_id = 9,
            .range_buffer_length = 80,
            .range_count = 1,
        };
        if (strcmp(states[s], "gpadl") == 0) {
            bench_gpadl(bench, 1, 9, 32, 4);
        } else if (strcmp(states[s], "building") == 0) {
            bench_post(bench, &half, sizeof(half));
        } else if (s >= 3) {
            bench_open_channel(bench, 1);
        }
        if (s == 4) {
            bench->device.keep_channels = true;
            bench_channel_message(bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
        }
        bench->text[0] = '\0';
        host_device_unplug(bench->device.primary);
        const char *const expected[] = {
            "rescind 1\n", "rescind 1\n", "gpadl_created 1 9 8000ffff\nrescind 1\n",
            "rescind 1\nclosed 1\n", "rescind 1\n",
        };
        bench_expect(bench, expected[s]);
        bench_open(bench, 1, 9, 2, 0); /* ignored: the guest cannot have known */
        bench_channel_message(bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
        bench_expect(bench, "");
        bench_gpadl(bench, 1, 10, 64, 2); /* "succeeds at once" */
        bench_expect(bench, "gpadl_created 1 a 0\n");
        bench_teardown(bench, 1, 10);
        bench_expect(bench, "gpadl_torndown a\n");
        assert_int_equal(bench->violations, 0);
        bench_channel_message(bench, VMBUS_MESSAGE_RELID_RELEASED, 1);
        if (s == 4) {
            bench_expect(bench, "");
            host_channel_released(bench->device.last_closed);
        }
        bench_expect(bench, "removed\n");
        assert_int_equal(vmbus_server_channel_count(bench->server), 0);
        assert_int_equal(vmbus_server_gpadl_count(bench->server), 0);
        bench_free(bench);
    }
}

static void a_signal_that_crosses_a_rescind_is_no_violation(void **state)
{
    struct bench *bench = connected_bench(VMBUS_VERSION_5_2);
    bench_open_channel(bench, 1);
    host_device_unplug(bench->device.primary);
    bench_expect(bench, "rescind 1\nclosed 1\n");
    assert_int_equal(vmbus_server_signal_event(bench->server, 0x2001, 0),
                     HV_STATUS_INVALID_CONNECTION_ID);
    assert_int_equal(bench->violations, 0);
    bench_free(bench);
}

static void a_guest_that_never_answers_a_rescind_is_tolerated(void **state)
{
    struct bench *bench = connected_bench(VMBUS_VERSION_5_2);
    bench_open_channel(bench, 1);
    host_device_unplug(bench->device.primary);
    bench_expect(bench, "rescind 1\nclosed 1\n");
    bench_contact(bench, VMBUS_VERSION_5_2);
    bench_expect(bench, "removed\nversion_response 1 1\n");
    bench_header_message(bench, VMBUS_MESSAGE_REQUEST_OFFERS);
    bench_expect(bench, "all_offers\n");
    bench_free(bench);
}

static void a_device_that_no_guest_knows_goes_without_a_word(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_5_2);
    bench_plug(bench);
    host_device_unplug(bench->device.primary);
    bench_expect(bench, "removed\n");
    assert_int_equal(vmbus_server_channel_count(bench->server), 0);
    bench_free(bench);
}

/* ---- Wrong messages in each state: no answer, and the right one works after ---- */

static void wrong_messages_get_no_answer_in_any_state(void **state)
{
    struct bench *bench = connected_bench(VMBUS_VERSION_5_2);
    /* unknown channel */
    bench_open(bench, 5, 0xE1, 2, 0);
    bench_expect_violation(bench, "offered");
    bench_channel_message(bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 5);
    bench_expect_violation(bench, "open channel is closed");
    bench_channel_message(bench, VMBUS_MESSAGE_RELID_RELEASED, 5);
    bench_expect_violation(bench, "was offered");
    /* offered */
    bench_channel_message(bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
    bench_expect_violation(bench, "open channel is closed");
    bench_expect(bench, "");
    /* open */
    bench_open_channel(bench, 1);
    bench_open(bench, 1, 101, 2, 0);
    bench_expect_violation(bench, "opened once");
    bench_channel_message(bench, VMBUS_MESSAGE_RELID_RELEASED, 1);
    bench_expect_violation(bench, "closed before");
    /* closing */
    bench->device.keep_channels = true;
    bench_channel_message(bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
    bench_expect(bench, "closed 1\n");
    bench_channel_message(bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
    bench_expect_violation(bench, "open channel is closed");
    bench_channel_message(bench, VMBUS_MESSAGE_RELID_RELEASED, 1);
    host_channel_released(bench->device.last_closed);
    bench_expect(bench, "");
    assert_null(vmbus_server_channel(bench->server, 1));
    bench_channel_message(bench, VMBUS_MESSAGE_RELID_RELEASED, 1);
    bench_expect_violation(bench, "was offered");
    bench_free(bench);
}

/* ---- Sub-channels ---- */

static void sub_channels_come_on_request_and_go_with_their_primary(void **state)
{
    struct bench *bench = connected_bench(VMBUS_VERSION_5_2);
    struct host_channel *primary = bench->device.primary;
    assert_int_equal(host_channel_add_sub_channels(primary, 1), -EINVAL); /* not open */
    bench_open_channel(bench, 1);
    assert_int_equal(host_channel_add_sub_channels(primary, 5), -ENOSPC);
    assert_int_equal(host_channel_add_sub_channels(primary, 2), 0);
    bench_expect(bench, "offer 2 instance d1 sub 1 connection 2002 size 196\n"
                        "offer 3 instance d1 sub 2 connection 2003 size 196\n");
    struct host_channel *sub = vmbus_server_channel(bench->server, 2);
    assert_ptr_equal(host_channel_primary(sub), primary);
    assert_int_equal(host_channel_sub_channel_index(sub), 1);
    assert_int_equal(host_channel_add_sub_channels(sub, 1), -EINVAL);
    bench_open_channel(bench, 2);
    bench_channel_message(bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
    bench_expect(bench, "closed 1\nrescind 2\nclosed 2\nrescind 3\n");
    bench_teardown(bench, 2, 102);
    bench_expect(bench, "gpadl_torndown 66\n");
    bench_channel_message(bench, VMBUS_MESSAGE_RELID_RELEASED, 2);
    bench_channel_message(bench, VMBUS_MESSAGE_RELID_RELEASED, 3);
    bench_expect(bench, "");
    assert_int_equal(vmbus_server_channel_count(bench->server), 1);
    bench_free(bench);
}

static void old_versions_have_no_sub_channels(void **state)
{
    struct bench *bench = connected_bench(VMBUS_VERSION_1_1);
    bench_open_channel(bench, 1);
    assert_int_equal(host_channel_add_sub_channels(bench->device.primary, 1), -EOPNOTSUPP);
    bench_free(bench);
}

static void removing_a_device_takes_its_sub_channels(void **state)
{
    struct bench *bench = connected_bench(VMBUS_VERSION_5_2);
    bench_open_channel(bench, 1);
    assert_int_equal(host_channel_add_sub_channels(bench->device.primary, 1), 0);
    bench_open_channel(bench, 2);
    host_device_unplug(bench->device.primary);
    bench_expect(bench, "rescind 2\nclosed 2\nrescind 1\nclosed 1\n");
    bench_channel_message(bench, VMBUS_MESSAGE_RELID_RELEASED, 1);
    bench_expect(bench, "");
    bench_channel_message(bench, VMBUS_MESSAGE_RELID_RELEASED, 2);
    bench_expect(bench, "removed\n");
    bench_free(bench);
}

static void a_new_connection_has_no_sub_channels(void **state)
{
    struct bench *bench = connected_bench(VMBUS_VERSION_5_2);
    bench_open_channel(bench, 1);
    assert_int_equal(host_channel_add_sub_channels(bench->device.primary, 3), 0);
    bench->text[0] = '\0';
    bench_contact(bench, VMBUS_VERSION_5_2);
    bench_expect(bench, "closed 1\nversion_response 1 1\n");
    bench_header_message(bench, VMBUS_MESSAGE_REQUEST_OFFERS);
    bench_expect(bench, "offer 1 instance d1 sub 0 connection 2001 size 196\nall_offers\n");
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_has_the_size_of_its_version),
        cmocka_unit_test(offers_come_sorted_by_class_then_wish_then_instance),
        cmocka_unit_test(a_second_request_for_offers_is_dropped),
        cmocka_unit_test(a_device_plugged_later_is_offered_at_once),
        cmocka_unit_test(channel_ids_run_out_after_2047),
        cmocka_unit_test(an_id_is_not_used_again_before_the_guest_released_it),
        cmocka_unit_test(a_channel_opens_and_closes_in_every_version),
        cmocka_unit_test(an_open_that_cannot_be_is_refused_and_the_next_one_works),
        cmocka_unit_test(the_guest_may_poll_instead_of_being_interrupted),
        cmocka_unit_test(rings_with_impossible_indices_are_refused),
        cmocka_unit_test(a_device_may_refuse_to_be_opened),
        cmocka_unit_test(an_open_while_closing_waits_for_the_device),
        cmocka_unit_test(guest_signal_parameters_come_with_the_open),
        cmocka_unit_test(rescind_in_each_state_ends_at_release),
        cmocka_unit_test(a_signal_that_crosses_a_rescind_is_no_violation),
        cmocka_unit_test(a_guest_that_never_answers_a_rescind_is_tolerated),
        cmocka_unit_test(a_device_that_no_guest_knows_goes_without_a_word),
        cmocka_unit_test(wrong_messages_get_no_answer_in_any_state),
        cmocka_unit_test(sub_channels_come_on_request_and_go_with_their_primary),
        cmocka_unit_test(old_versions_have_no_sub_channels),
        cmocka_unit_test(removing_a_device_takes_its_sub_channels),
        cmocka_unit_test(a_new_connection_has_no_sub_channels),
    };
    return cmocka_run_group_tests_name("vmbus channels", tests, NULL, NULL);
}
