/* SPDX-License-Identifier: BSD-3-Clause */
/* Version negotiation, for every version that exists. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/host-vmbus/bench.h"

static const uint32_t versions[] = {
    VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4, VMBUS_VERSION_3_0,
    VMBUS_VERSION_4_0,  VMBUS_VERSION_4_1, VMBUS_VERSION_5_0, VMBUS_VERSION_5_1,
    VMBUS_VERSION_5_2,  VMBUS_VERSION_5_3, VMBUS_VERSION_6_0,
};
enum { VERSION_COUNT = sizeof(versions) / sizeof(versions[0]) };

static struct vmbus_message_initiate_contact contact_for(uint32_t version)
{
    struct vmbus_message_initiate_contact contact = {
        .header.type = VMBUS_MESSAGE_INITIATE_CONTACT,
        .version = version,
    };
    if (version < VMBUS_VERSION_5_0) {
        contact.interrupt_page = INTERRUPT_PAGE * HV_PAGE_SIZE;
    } else {
        contact.target_sint = HV_SINT_VMBUS;
    }
    return contact;
}

static void each_version_is_accepted_by_hosts_that_have_it_and_refused_by_older_ones(void **state)
{
    for (unsigned host = 0; host < VERSION_COUNT; host++) {
        for (unsigned guest = 0; guest < VERSION_COUNT; guest++) {
            struct bench *bench = bench_create(versions[host]);
            bench_contact(bench, versions[guest]);
            uint32_t version = versions[guest];
            if (guest > host) {
                bench_expect(bench, "version_response 0 0\n");
                assert_false(vmbus_server_connected(bench->server));
            } else if (version >= VMBUS_VERSION_6_0) {
                bench_expect(bench, "version_response 1 1 0\n");
            } else if (version >= VMBUS_VERSION_5_0) {
                bench_expect(bench, "version_response 1 1\n");
            } else {
                char expected[64];
                snprintf(expected, sizeof(expected), "version_response 1 %x\n", version);
                bench_expect(bench, expected);
            }
            assert_int_equal(vmbus_server_version(bench->server), guest > host ? 0 : version);
            assert_int_equal(bench->violations, 0);
            bench_free(bench);
        }
    }
}

static void a_ladder_of_refusals_ends_in_a_connection(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_3_0);
    for (int i = VERSION_COUNT - 1; versions[i] > VMBUS_VERSION_3_0; i--) {
        bench_contact(bench, versions[i]);
        bench_expect(bench, "version_response 0 0\n");
    }
    bench_contact(bench, VMBUS_VERSION_3_0);
    bench_expect(bench, "version_response 1 30000\n");
    bench_free(bench);
}

static void a_version_that_does_not_exist_is_refused(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_6_0);
    bench_contact(bench, VMBUS_VERSION(2, 0));
    bench_expect(bench, "version_response 0 0\n");
    bench_contact(bench, VMBUS_VERSION(7, 0));
    bench_expect(bench, "version_response 0 0\n");
    bench_contact(bench, VMBUS_VERSION_5_2);
    bench_expect(bench, "version_response 1 1\n");
    bench_free(bench);
}

static void the_target_processor_counts_from_3_0_on(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_6_0);
    for (unsigned i = 0; i < VERSION_COUNT; i++) {
        struct vmbus_message_initiate_contact contact = contact_for(versions[i]);
        contact.target_vp = 3;
        bench_post(bench, &contact, sizeof(contact));
        assert_true((strstr(bench->text, " vp 3\n") != NULL) ==
                    (versions[i] >= VMBUS_VERSION_3_0));
        bench->text[0] = '\0';
    }
    bench_free(bench);
}

static void a_target_processor_that_does_not_exist_is_reported_and_replaced_by_0(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_3_0);
    struct vmbus_message_initiate_contact contact = contact_for(VMBUS_VERSION_3_0);
    contact.target_vp = BENCH_PROCESSORS;
    bench_post(bench, &contact, sizeof(contact));
    bench_expect(bench, "version_response 1 30000\n");
    bench_expect_violation(bench, "target processor");
    bench_free(bench);
}

static void old_versions_need_an_interrupt_page_in_ram(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_2_4);
    struct vmbus_message_initiate_contact contact = contact_for(VMBUS_VERSION_1_1);
    contact.interrupt_page = (uint64_t)BENCH_RAM_PAGES * HV_PAGE_SIZE;
    bench_post(bench, &contact, sizeof(contact));
    bench_expect(bench, "version_response 0 0\n");
    bench_expect_violation(bench, "interrupt page");
    contact.version = VMBUS_VERSION_2_4; /* ignored from here on */
    bench_post(bench, &contact, sizeof(contact));
    bench_expect(bench, "version_response 1 20004\n");
    bench_contact(bench, VMBUS_VERSION_1_1);
    bench_expect(bench, "version_response 1 10001\n");
    bench_free(bench);
}

static void one_monitor_page_alone_fails_the_connection(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_3_0);
    struct vmbus_message_initiate_contact contact = contact_for(VMBUS_VERSION_3_0);
    contact.monitor_page_guest_to_host = MONITOR_PAGE_2 * HV_PAGE_SIZE;
    bench_post(bench, &contact, sizeof(contact));
    bench_expect(bench, "version_response 201 30000\n"); /* supported 1, state 2 */
    bench_expect_violation(bench, "monitor pages");
    assert_false(vmbus_server_connected(bench->server));
    contact.version = VMBUS_VERSION_1_1; /* no state byte: "unsupported" */
    bench_post(bench, &contact, sizeof(contact));
    bench_expect(bench, "version_response 0 0\n");
    contact.monitor_page_host_to_guest = MONITOR_PAGE_1 * HV_PAGE_SIZE;
    bench_post(bench, &contact, sizeof(contact));
    bench_expect(bench, "version_response 1 10001\n");
    bench_free(bench);
}

static void the_multi_client_port_looks_at_the_target_sint_and_vtl(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_6_0);
    struct vmbus_message_initiate_contact contact = contact_for(VMBUS_VERSION_5_1);
    contact.target_sint = 5;
    vmbus_server_post_message(bench->server, VMBUS_CONNECTION_MULTI_CLIENT, &contact,
                              sizeof(contact));
    bench_expect(bench, "version_response 0 0 sint 5\n");
    bench_expect_violation(bench, "SINT");
    contact.target_sint = HV_SINT_VMBUS;
    contact.target_vtl = 2;
    vmbus_server_post_message(bench->server, VMBUS_CONNECTION_MULTI_CLIENT, &contact,
                              sizeof(contact));
    bench_expect(bench, "");
    bench_expect_violation(bench, "trust level");
    contact.target_sint = 5;
    bench_post(bench, &contact, sizeof(contact)); /* the classic port ignores both */
    bench_expect(bench, "version_response 1 1\n");
    bench_free(bench);
}

static void the_multi_client_port_exists_from_5_0_on(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_4_1);
    struct vmbus_message_initiate_contact contact = contact_for(VMBUS_VERSION_4_1);
    assert_int_equal(vmbus_server_post_message(bench->server, VMBUS_CONNECTION_MULTI_CLIENT,
                                               &contact, sizeof(contact)),
                     HV_STATUS_INVALID_CONNECTION_ID);
    bench_expect(bench, "");
    bench_free(bench);
}

static void features_in_force_are_asked_for_and_had(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_6_0);
    struct vmbus_message_initiate_contact_client contact = {
        .base = contact_for(VMBUS_VERSION_6_0),
    };
    contact.base.feature_flags = 0xFF;
    bench_post(bench, &contact, sizeof(contact));
    bench_expect(bench, "version_response 1 1 2d\n");
    assert_int_equal(vmbus_server_features(bench->server), VMBUS_SERVER_FEATURES);
    bench_post(bench, &contact.base, sizeof(contact.base)); /* the client id is missing */
    bench_expect(bench, "");
    bench_expect_violation(bench, "56 bytes");
    contact.base.version = VMBUS_VERSION_5_3; /* no features before 6.0 */
    bench_post(bench, &contact.base, sizeof(contact.base));
    bench_expect(bench, "version_response 1 1\n");
    assert_int_equal(vmbus_server_features(bench->server), 0);
    bench_free(bench);
}

static void nothing_but_contact_is_taken_while_disconnected(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_6_0);
    bench_header_message(bench, VMBUS_MESSAGE_REQUEST_OFFERS);
    bench_expect_violation(bench, "INITIATE_CONTACT");
    bench_header_message(bench, VMBUS_MESSAGE_UNLOAD);
    bench_expect_violation(bench, "INITIATE_CONTACT");
    bench_expect(bench, "");
    bench_contact(bench, VMBUS_VERSION_4_0);
    bench_expect(bench, "version_response 1 40000\n");
    bench_free(bench);
}

static void malformed_messages_are_dropped_and_the_next_good_one_works(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_6_0);
    const uint32_t types[] = {0, VMBUS_MESSAGE_OFFER_CHANNEL, VMBUS_MESSAGE_TYPE_COUNT, 0xFFFFFFFF};
    const uint8_t zero[VMBUS_MESSAGE_SIZE_MAXIMUM + 1] = {0};
    bench_contact(bench, VMBUS_VERSION_6_0);
    bench->text[0] = '\0';
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        bench_header_message(bench, types[i]);
        bench_expect_violation(bench, "type");
    }
    bench_post(bench, zero, 7);
    bench_expect_violation(bench, "header");
    assert_int_equal(bench_post(bench, zero, sizeof(zero)), HV_STATUS_INVALID_PARAMETER);
    struct vmbus_message_initiate_contact contact = contact_for(VMBUS_VERSION_6_0);
    bench_post(bench, &contact, sizeof(contact) - 1);
    bench_expect_violation(bench, "40 bytes");
    bench_expect(bench, "");
    bench_header_message(bench, VMBUS_MESSAGE_REQUEST_OFFERS);
    bench_expect(bench, "all_offers\n");
    bench_free(bench);
}

static void messages_newer_than_the_version_are_dropped(void **state)
{
    static const struct {
        uint32_t type, since;
    } newer[] = {
        {VMBUS_MESSAGE_OPEN_RESERVED_CHANNEL, VMBUS_VERSION_4_0},
        {VMBUS_MESSAGE_TL_CONNECT, VMBUS_VERSION_4_0},
        {VMBUS_MESSAGE_MODIFY_CHANNEL, VMBUS_VERSION_4_1},
        {VMBUS_MESSAGE_MODIFY_CONNECTION, VMBUS_VERSION_6_0},
        {VMBUS_MESSAGE_PAUSE, VMBUS_VERSION_6_0},
        {VMBUS_MESSAGE_RESUME, VMBUS_VERSION_6_0},
    };
    for (unsigned v = 0; v < VERSION_COUNT; v++) {
        struct bench *bench = bench_create(VMBUS_VERSION_6_0);
        bench_connect(bench, versions[v]);
        for (unsigned i = 0; i < sizeof(newer) / sizeof(newer[0]); i++) {
            uint32_t message[60] = {newer[i].type};
            bench_post(bench, message, sizeof(message));
            if (versions[v] < newer[i].since) {
                bench_expect(bench, "");
                bench_expect_violation(bench, "exists in the version");
            } else if (newer[i].since == VMBUS_VERSION_6_0) {
                bench_expect_violation(bench, "feature");
            }
            bench->violations = 0;
            bench->text[0] = '\0';
        }
        bench_free(bench);
    }
}

static void a_new_contact_closes_the_old_connection(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_5_3);
    bench_plug(bench);
    bench_connect(bench, VMBUS_VERSION_5_3);
    bench_open_channel(bench, 1);
    assert_int_equal(vmbus_server_gpadl_count(bench->server), 1);
    bench_contact(bench, VMBUS_VERSION_4_0);
    bench_expect(bench, "closed 1\nversion_response 1 40000\n");
    assert_int_equal(vmbus_server_gpadl_count(bench->server), 0);
    bench_header_message(bench, VMBUS_MESSAGE_REQUEST_OFFERS);
    bench_expect(bench, "offer 1 instance d1 sub 0 connection 2001 size 196\nall_offers\n");
    bench_open_channel(bench, 1);
    bench_free(bench);
}

static void contact_waits_for_a_device_that_is_slow_to_close(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_5_3);
    bench_plug(bench);
    bench->device.keep_channels = true;
    bench_connect(bench, VMBUS_VERSION_5_3);
    bench_open_channel(bench, 1);
    bench_contact(bench, VMBUS_VERSION_5_3);
    bench_expect(bench, "closed 1\n");
    bench_contact(bench, VMBUS_VERSION_5_2); /* the guest asks again: the last one counts */
    bench_expect(bench, "");
    host_channel_released(bench->device.last_closed);
    bench_expect(bench, "version_response 1 1\n");
    assert_int_equal(vmbus_server_version(bench->server), VMBUS_VERSION_5_2);
    bench_free(bench);
}

static void unload_closes_everything_and_then_answers(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_5_3);
    bench_plug(bench);
    bench->device.keep_channels = true;
    bench_connect(bench, VMBUS_VERSION_5_3);
    bench_open_channel(bench, 1);
    bench_header_message(bench, VMBUS_MESSAGE_UNLOAD);
    bench_expect(bench, "closed 1\n");
    host_channel_released(bench->device.last_closed);
    bench_expect(bench, "unload_response\n");
    assert_int_equal(vmbus_server_gpadl_count(bench->server), 0);
    bench_header_message(bench, VMBUS_MESSAGE_UNLOAD);
    bench_expect_violation(bench, "INITIATE_CONTACT");
    bench_connect(bench, VMBUS_VERSION_5_3);
    bench_free(bench);
}

static void reset_closes_everything_and_says_nothing(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_5_3);
    bench_plug(bench);
    bench_connect(bench, VMBUS_VERSION_5_3);
    bench_open_channel(bench, 1);
    bench->room = 0;
    bench_gpadl(bench, 1, 7, 100, 1); /* leaves an answer in the queue */
    vmbus_server_reset(bench->server);
    bench->room = 100;
    vmbus_server_port_ready(bench->server);
    bench_expect(bench, "device gpadl 7\nclosed 1\n");
    bench_connect(bench, VMBUS_VERSION_5_3);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_version_is_accepted_by_hosts_that_have_it_and_refused_by_older_ones),
        cmocka_unit_test(a_ladder_of_refusals_ends_in_a_connection),
        cmocka_unit_test(a_version_that_does_not_exist_is_refused),
        cmocka_unit_test(the_target_processor_counts_from_3_0_on),
        cmocka_unit_test(a_target_processor_that_does_not_exist_is_reported_and_replaced_by_0),
        cmocka_unit_test(old_versions_need_an_interrupt_page_in_ram),
        cmocka_unit_test(one_monitor_page_alone_fails_the_connection),
        cmocka_unit_test(the_multi_client_port_looks_at_the_target_sint_and_vtl),
        cmocka_unit_test(the_multi_client_port_exists_from_5_0_on),
        cmocka_unit_test(features_in_force_are_asked_for_and_had),
        cmocka_unit_test(nothing_but_contact_is_taken_while_disconnected),
        cmocka_unit_test(malformed_messages_are_dropped_and_the_next_good_one_works),
        cmocka_unit_test(messages_newer_than_the_version_are_dropped),
        cmocka_unit_test(a_new_contact_closes_the_old_connection),
        cmocka_unit_test(contact_waits_for_a_device_that_is_slow_to_close),
        cmocka_unit_test(unload_closes_everything_and_then_answers),
        cmocka_unit_test(reset_closes_everything_and_says_nothing),
    };
    return cmocka_run_group_tests_name("vmbus versions", tests, NULL, NULL);
}
