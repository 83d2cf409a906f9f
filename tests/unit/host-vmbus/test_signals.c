/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals of every kind; modify channel and connection; pause; sockets; reserved channels. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

static struct bench *open_bench(uint32_t version)
{
    struct bench *bench = bench_create(VMBUS_VERSION_6_0);
    bench_plug(bench);
    bench_connect(bench, version);
    bench_open_channel(bench, 1);
    return bench;
}

static struct bench *featured_bench(uint32_t features)
{
    struct bench *bench = bench_create(VMBUS_VERSION_6_0);
    bench_plug(bench);
    struct vmbus_message_initiate_contact contact = {
        .header.type = VMBUS_MESSAGE_INITIATE_CONTACT,
        .version = VMBUS_VERSION_6_0,
        .feature_flags = features,
    };
    bench_post(bench, &contact, sizeof(contact));
    bench_header_message(bench, VMBUS_MESSAGE_REQUEST_OFFERS);
    bench->text[0] = '\0';
    return bench;
}

static void send_to_guest(struct bench *bench)
{
    assert_int_equal(host_channel_send_bytes(bench->device.primary, "x", 1), 0);
    host_channel_flush(bench->device.primary);
}

static void a_signal_wakes_the_device_of_its_open_channel(void **state)
{
    struct bench *bench = open_bench(VMBUS_VERSION_5_2);
    assert_int_equal(vmbus_server_signal_event(bench->server, 0x2001, 0), HV_STATUS_SUCCESS);
    bench_expect(bench, "wake 1\n");
    assert_int_equal(vmbus_server_signal_event(bench->server, 0x2001, 1),
                     HV_STATUS_INVALID_PARAMETER);
    bench_expect_violation(bench, "flag number 0");
    assert_int_equal(vmbus_server_signal_event(bench->server, 0x2002, 0),
                     HV_STATUS_INVALID_CONNECTION_ID);
    bench_expect_violation(bench, "open channel");
    assert_int_equal(vmbus_server_signal_event(bench->server, 0xFFFFFF, 0),
                     HV_STATUS_INVALID_CONNECTION_ID);
    bench->violations = 0;
    bench_channel_message(bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
    assert_int_equal(vmbus_server_signal_event(bench->server, 0x2001, 0),
                     HV_STATUS_INVALID_CONNECTION_ID);
    bench_expect_violation(bench, "open channel");
    bench_free(bench);
}

static void before_2_4_the_guest_is_told_through_the_interrupt_page(void **state)
{
    const uint32_t versions[] = {VMBUS_VERSION_0_13, VMBUS_VERSION_1_1};
    for (unsigned i = 0; i < 2; i++) {
        struct bench *bench = open_bench(versions[i]);
        send_to_guest(bench);
        bench_expect(bench, "signal vp 0 sint 2 flag 0\n");
        assert_int_equal(bench_page(bench, INTERRUPT_PAGE)[0], 2); /* bit 1 = channel 1 */
        bench_free(bench);
    }
}

static void from_2_4_on_the_event_flag_is_the_channel(void **state)
{
    struct bench *bench = open_bench(VMBUS_VERSION_2_4);
    send_to_guest(bench);
    bench_expect(bench, "signal vp 0 sint 2 flag 1\n");
    assert_int_equal(bench_page(bench, INTERRUPT_PAGE)[0], 0);
    bench_free(bench);
}

static void in_0_13_the_host_is_told_through_the_interrupt_page(void **state)
{
    struct bench *bench = open_bench(VMBUS_VERSION_0_13);
    uint8_t *send = bench_page(bench, INTERRUPT_PAGE) + VMBUS_INTERRUPT_PAGE_SEND;
    send[0] = 2;
    assert_int_equal(vmbus_server_signal_event(bench->server, VMBUS_CONNECTION_EVENT, 0),
                     HV_STATUS_SUCCESS);
    bench_expect(bench, "wake 1\n");
    assert_int_equal(send[0], 0);
    send[2047] = 0x80; /* channel 16383 */
    assert_int_equal(vmbus_server_signal_event(bench->server, VMBUS_CONNECTION_EVENT, 0),
                     HV_STATUS_SUCCESS);
    send[100] = 1; /* channel 800, which does not exist */
    vmbus_server_signal_event(bench->server, VMBUS_CONNECTION_EVENT, 0);
    bench_expect(bench, "");
    bench_expect_violation(bench, "open channel");
    bench_free(bench);
}

static void the_shared_signal_does_not_exist_in_later_versions(void **state)
{
    struct bench *bench = open_bench(VMBUS_VERSION_2_4);
    assert_int_equal(vmbus_server_signal_event(bench->server, VMBUS_CONNECTION_EVENT, 0),
                     HV_STATUS_INVALID_CONNECTION_ID);
    bench_free(bench);
}

static void a_monitored_channel_is_triggered_by_a_bit(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_3_0);
    assert_int_equal(bench_plug_device(bench, &bench->device, 0xd1, 0, true), 0);
    struct vmbus_message_initiate_contact contact = {
        .header.type = VMBUS_MESSAGE_INITIATE_CONTACT,
        .version = VMBUS_VERSION_3_0,
        .monitor_page_host_to_guest = MONITOR_PAGE_1 * HV_PAGE_SIZE,
        .monitor_page_guest_to_host = MONITOR_PAGE_2 * HV_PAGE_SIZE,
    };
    bench_post(bench, &contact, sizeof(contact));
    bench->text[0] = '\0';
    bench_header_message(bench, VMBUS_MESSAGE_REQUEST_OFFERS);
    bench_expect(bench, "offer 1 instance d1 sub 0 connection 2001 size 196 monitor 0\n"
                        "all_offers\n");
    struct vmbus_monitor_page *page =
        (struct vmbus_monitor_page *)(void *)bench_page(bench, MONITOR_PAGE_2);
    assert_int_equal(page->trigger_state, 1);
    assert_int_equal(page->parameters[0][0].connection_id, 0x2001);
    page->groups[0].pending = 1;
    vmbus_server_poll_monitors(bench->server); /* not open: nobody to wake */
    assert_int_equal(page->groups[0].pending, 0);
    bench_open_channel(bench, 1);
    page->groups[0].pending = 1;
    vmbus_server_poll_monitors(bench->server);
    bench_expect(bench, "wake 1\n");
    page->groups[3].pending = 0x80000000;
    vmbus_server_poll_monitors(bench->server);
    bench_expect_violation(bench, "monitor that was offered");
    bench_connect(bench, VMBUS_VERSION_3_0); /* a connection without monitor pages */
    page->groups[0].pending = 1;
    vmbus_server_poll_monitors(bench->server);
    assert_int_equal(page->groups[0].pending, 1);
    bench_free(bench);
}

static void modify_channel_moves_the_interrupt_and_answers_from_5_3_on(void **state)
{
    const uint32_t versions[] = {VMBUS_VERSION_4_1, VMBUS_VERSION_5_2, VMBUS_VERSION_5_3,
                                 VMBUS_VERSION_6_0};
    for (unsigned i = 0; i < 4; i++) {
        struct bench *bench = open_bench(versions[i]);
        bool answered = versions[i] >= VMBUS_VERSION_5_3;
        struct vmbus_message_modify_channel modify = {
            .header.type = VMBUS_MESSAGE_MODIFY_CHANNEL, .channel_id = 1, .target_vp = 3};
        bench_post(bench, &modify, sizeof(modify));
        bench_expect(bench, answered ? "target 1 vp 3\nmodify_channel_response 1 0\n"
                                     : "target 1 vp 3\n");
        send_to_guest(bench);
        bench_expect(bench, "signal vp 3 sint 2 flag 1\n");
        modify.target_vp = VMBUS_VP_NONE;
        bench_post(bench, &modify, sizeof(modify));
        bench_expect_violation(bench, "processor");
        bench_expect(bench, answered ? "modify_channel_response 1 8000ffff\n" : "");
        bench_channel_message(bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
        bench->text[0] = '\0';
        modify.target_vp = 1;
        bench_post(bench, &modify, sizeof(modify));
        bench_expect_violation(bench, "open channel");
        bench_expect(bench, answered ? "modify_channel_response 1 8000ffff\n" : "");
        bench_free(bench);
    }
}

static void a_connection_gets_other_monitor_pages(void **state)
{
    struct bench *bench = featured_bench(VMBUS_FEATURE_MODIFY_CONNECTION);
    struct vmbus_message_modify_connection modify = {
        .header.type = VMBUS_MESSAGE_MODIFY_CONNECTION,
        .monitor_page_host_to_guest = MONITOR_PAGE_1 * HV_PAGE_SIZE,
        .monitor_page_guest_to_host = MONITOR_PAGE_2 * HV_PAGE_SIZE,
    };
    bench_post(bench, &modify, sizeof(modify));
    bench_expect(bench, "modify_connection_response byte 0\n");
    modify.monitor_page_guest_to_host = 0;
    bench_post(bench, &modify, sizeof(modify));
    bench_expect(bench, "modify_connection_response byte 2\n");
    bench_expect_violation(bench, "monitor pages");
    bench_free(bench);
}

static void a_paused_guest_gets_its_messages_when_it_resumes(void **state)
{
    struct bench *bench = featured_bench(VMBUS_FEATURE_PAUSE_RESUME);
    bench_header_message(bench, VMBUS_MESSAGE_PAUSE);
    bench_expect(bench, "pause_response\n");
    bench_gpadl(bench, 1, 5, 100, 1);
    bench_gpadl(bench, 1, 6, 100, 1);
    bench_expect(bench, "");
    bench_header_message(bench, VMBUS_MESSAGE_RESUME);
    bench_expect(bench, "gpadl_created 1 5 0\ngpadl_created 1 6 0\n");
    bench_free(bench);
}

static void messages_wait_for_room_and_keep_their_order(void **state)
{
    struct bench *bench = open_bench(VMBUS_VERSION_5_2);
    bench->room = 1;
    bench_gpadl(bench, 1, 5, 100, 1);
    bench_gpadl(bench, 1, 6, 100, 1);
    bench_gpadl(bench, 1, 7, 100, 1);
    bench->room = 1;
    bench_gpadl(bench, 1, 8, 100, 1); /* may not overtake */
    bench_expect(bench, "device gpadl 5\ngpadl_created 1 5 0\ndevice gpadl 6\ndevice gpadl 7\n"
                        "device gpadl 8\n");
    bench->room = 100;
    vmbus_server_port_ready(bench->server);
    bench_expect(bench, "gpadl_created 1 6 0\ngpadl_created 1 7 0\ngpadl_created 1 8 0\n");
    bench_free(bench);
}

static void a_guest_that_takes_no_replies_is_throttled(void **state)
{
    struct bench *bench = open_bench(VMBUS_VERSION_5_2);
    const uint32_t header[] = {VMBUS_MESSAGE_GPADL_HEADER, 0, 1, 0, 0};
    uint32_t status = HV_STATUS_SUCCESS;
    bench->room = 0;
    unsigned posts = 0;
    for (; status == HV_STATUS_SUCCESS; posts++) {
        assert_true(posts < 100000);
        status = bench_post(bench, header, sizeof(header)); /* each is answered with a failure */
    }
    assert_int_equal(status, HV_STATUS_INSUFFICIENT_BUFFERS);
    bench->room = 1000000;
    vmbus_server_port_ready(bench->server);
    assert_int_equal(bench_post(bench, header, sizeof(header)), HV_STATUS_SUCCESS);
    bench_free(bench);
}

static void sockets_are_refused(void **state)
{
    struct vmbus_message_tl_connect connect = {.header.type = VMBUS_MESSAGE_TL_CONNECT,
                                               .endpoint_id.data1 = 0xe, .service_id.data1 = 0x5};
    struct bench *bench = open_bench(VMBUS_VERSION_4_0);
    bench_post(bench, &connect, sizeof(connect));
    bench_expect(bench, "");
    bench_connect(bench, VMBUS_VERSION_4_1);
    bench_post(bench, &connect, sizeof(connect));
    bench_expect(bench, "tl_connect_result e 0 0 0 5 0 0 0 c0000236\n");
    bench_free(bench);
}

static void a_reserved_channel_survives_unload_and_answers_where_it_is_told(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_5_2);
    bench_plug(bench);
    bench_connect(bench, VMBUS_VERSION_5_2);
    bench_gpadl(bench, 1, 5, 100, 4);
    bench->text[0] = '\0';
    struct vmbus_message_open_reserved_channel open = {
        .header.type = VMBUS_MESSAGE_OPEN_RESERVED_CHANNEL, .channel_id = 1, .target_vp = 2,
        .target_sint = 9, .ring_gpadl_id = 5, .downstream_page_offset = 2};
    bench_post(bench, &open, sizeof(open));
    bench_expect(bench, "opened 1 vp 2 rings 4096 4096\nopen_result 1 0 0 vp 2 sint 9\nwake 1\n");
    bench_header_message(bench, VMBUS_MESSAGE_UNLOAD);
    bench_expect(bench, "unload_response\n");
    send_to_guest(bench);
    bench_expect(bench, "signal vp 2 sint 9 flag 1\n");
    struct vmbus_message_close_reserved_channel close = {
        .header.type = VMBUS_MESSAGE_CLOSE_RESERVED_CHANNEL, .channel_id = 1, .target_vp = 3,
        .target_sint = 16};
    bench_post(bench, &close, sizeof(close));
    bench_expect_violation(bench, "reserved open");
    close.target_sint = 8;
    bench_post(bench, &close, sizeof(close));
    bench_expect(bench, "closed 1\nclose_reserved_response 1 vp 3 sint 8\n");
    assert_int_equal(vmbus_server_gpadl_count(bench->server), 0);
    bench_connect(bench, VMBUS_VERSION_5_2);
    bench_open_channel(bench, 1);
    bench_post(bench, &open, sizeof(open));
    bench_expect_violation(bench, "opened once");
    bench_free(bench);
}

static void a_device_with_a_reserved_channel_and_no_guest_goes_at_once(void **state)
{
    struct bench *bench = bench_create(VMBUS_VERSION_5_2);
    bench_plug(bench);
    bench_connect(bench, VMBUS_VERSION_5_2);
    bench_gpadl(bench, 1, 5, 100, 4);
    struct vmbus_message_open_reserved_channel open = {
        .header.type = VMBUS_MESSAGE_OPEN_RESERVED_CHANNEL, .channel_id = 1,
        .target_sint = 2, .ring_gpadl_id = 5, .downstream_page_offset = 2};
    bench_post(bench, &open, sizeof(open));
    bench_header_message(bench, VMBUS_MESSAGE_UNLOAD);
    bench->text[0] = '\0';
    host_device_unplug(bench->device.primary);
    bench_expect(bench, "closed 1\nremoved\n");
    assert_int_equal(vmbus_server_channel_count(bench->server), 0);
    assert_int_equal(vmbus_server_gpadl_count(bench->server), 0);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_wakes_the_device_of_its_open_channel),
        cmocka_unit_test(before_2_4_the_guest_is_told_through_the_interrupt_page),
        cmocka_unit_test(from_2_4_on_the_event_flag_is_the_channel),
        cmocka_unit_test(in_0_13_the_host_is_told_through_the_interrupt_page),
        cmocka_unit_test(the_shared_signal_does_not_exist_in_later_versions),
        cmocka_unit_test(a_monitored_channel_is_triggered_by_a_bit),
        cmocka_unit_test(modify_channel_moves_the_interrupt_and_answers_from_5_3_on),
        cmocka_unit_test(a_connection_gets_other_monitor_pages),
        cmocka_unit_test(a_paused_guest_gets_its_messages_when_it_resumes),
        cmocka_unit_test(messages_wait_for_room_and_keep_their_order),
        cmocka_unit_test(a_guest_that_takes_no_replies_is_throttled),
        cmocka_unit_test(sockets_are_refused),
        cmocka_unit_test(a_reserved_channel_survives_unload_and_answers_where_it_is_told),
        cmocka_unit_test(a_device_with_a_reserved_channel_and_no_guest_goes_at_once),
    };
    return cmocka_run_group_tests_name("vmbus signals", tests, NULL, NULL);
}
