/* SPDX-License-Identifier: BSD-3-Clause */
/* What devices use to exchange packets, over the rings of an open channel. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

/* An open channel 1, with the guest's two ends. */
struct path {
    struct bench *bench;
    struct host_channel *channel;
    struct guest_ring to_host, to_guest;
};

static struct path open_path(uint16_t offer_flags, uint32_t version)
{
    struct path path = {.bench = bench_create(VMBUS_VERSION_6_0)};
    assert_int_equal(
        bench_plug_device(path.bench, &path.bench->device, 0xd1, offer_flags, false), 0);
    bench_connect(path.bench, version);
    bench_open_channel(path.bench, 1);
    path.channel = path.bench->device.primary;
    path.to_host = guest_ring_at(bench_page(path.bench, bench_ring_page(1)), 1);
    path.to_guest = guest_ring_at(bench_page(path.bench, bench_ring_page(1) + 2), 1);
    return path;
}

/* Takes packets until there is none and echoes in-band data, in completions where asked for. */
static void echo(struct bench_device *device, struct host_channel *channel)
{
    struct host_packet packet;
    while (host_channel_receive(channel, &packet) == 1) {
        const struct iovec piece = {(void *)(uintptr_t)packet.payload, packet.payload_size};
        if (packet.completion_requested) {
            assert_int_equal(host_channel_complete(channel, packet.transaction_id, &piece, 1), 0);
        } else {
            assert_int_equal(host_channel_send(channel, 0, false, &piece, 1), 0);
        }
    }
}

static void a_burst_of_requests_is_answered_with_one_signal(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    path.bench->device.ready = echo;
    for (unsigned i = 0; i < 5; i++) {
        guest_ring_put_words(&path.to_host, VMBUS_PACKET_IN_BAND,
                             VMBUS_PACKET_FLAG_COMPLETION_REQUESTED, 1000 + i, 2, i);
    }
    host_channel_run(path.channel);
    bench_expect(path.bench, "signal vp 0 sint 2 flag 1\n");
    assert_int_equal(guest_ring_used(&path.to_host), 0);
    for (unsigned i = 0; i < 5; i++) {
        struct {
            struct vmbus_packet_header header;
            uint64_t words[2];
        } packet;
        assert_int_equal(guest_ring_take(&path.to_guest, &packet, sizeof(packet)), 32);
        assert_int_equal(packet.header.type, VMBUS_PACKET_COMPLETION);
        assert_int_equal(packet.header.flags, 0);
        assert_int_equal(packet.header.transaction_id, 1000 + i);
        assert_int_equal(packet.words[1], i);
    }
    host_channel_run(path.channel);
    bench_expect(path.bench, "");
    bench_free(path.bench);
}

static void the_guest_may_signal_again_after_the_ring_was_drained(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    path.bench->device.ready = echo;
    guest_ring_put_words(&path.to_host, VMBUS_PACKET_IN_BAND, 0, 0, 1, 7);
    host_channel_run(path.channel);
    assert_int_equal(path.to_host.control->interrupt_mask, 0);
    bench_free(path.bench);
}

static void what_was_taken_is_published_before_the_guest_may_signal(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    struct host_packet packet;
    guest_ring_put_words(&path.to_host, VMBUS_PACKET_IN_BAND, 0, 0, 1, 7);
    assert_int_equal(host_channel_receive(path.channel, &packet), 1);
    assert_int_equal(path.to_host.control->read_index, 0);
    assert_int_equal(host_channel_receive(path.channel, &packet), 0);
    assert_int_equal(path.to_host.control->read_index, path.to_host.control->write_index);
    assert_int_equal(path.to_host.control->interrupt_mask, 0);
    bench_free(path.bench);
}

static unsigned late_packets;
static struct guest_ring *late_ring;

/* The guest writes while the device works: it sees the mask and does not signal. */
static void receive_with_late_guest(struct bench_device *device, struct host_channel *channel)
{
    struct host_packet packet;
    while (host_channel_receive(channel, &packet) == 1) {
        assert_int_equal(late_ring->control->interrupt_mask, 1);
        if (late_packets > 0) {
            late_packets--;
            guest_ring_put_words(late_ring, VMBUS_PACKET_IN_BAND, 0, 0, 1, 7);
        }
    }
}

static void packets_that_come_while_masked_are_taken_in_the_same_run(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    path.bench->device.ready = receive_with_late_guest;
    late_ring = &path.to_host;
    late_packets = 4;
    guest_ring_put_words(&path.to_host, VMBUS_PACKET_IN_BAND, 0, 0, 1, 7);
    host_channel_run(path.channel);
    assert_int_equal(late_packets, 0);
    assert_int_equal(guest_ring_used(&path.to_host), 0);
    assert_int_equal(path.to_host.control->interrupt_mask, 0);
    bench_free(path.bench);
}

static void a_polled_channel_needs_no_signal_until_polling_ends(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    path.bench->device.ready = echo;
    host_channel_poll_begin(path.channel);
    guest_ring_put_words(&path.to_host, VMBUS_PACKET_IN_BAND, 0, 0, 1, 7);
    host_channel_run(path.channel);
    assert_int_equal(path.to_host.control->interrupt_mask, 1);
    assert_false(host_channel_poll(path.channel));
    guest_ring_put_words(&path.to_host, VMBUS_PACKET_IN_BAND, 0, 0, 1, 8);
    assert_true(host_channel_poll(path.channel));
    host_channel_run(path.channel);
    assert_int_equal(guest_ring_used(&path.to_host), 0);
    /* One more comes between the last look and the end: it is not forgotten. */
    guest_ring_put_words(&path.to_host, VMBUS_PACKET_IN_BAND, 0, 0, 1, 9);
    assert_true(host_channel_poll_end(path.channel));
    host_channel_run(path.channel);
    assert_int_equal(guest_ring_used(&path.to_host), 0);
    assert_int_equal(path.to_host.control->interrupt_mask, 0);
    assert_false(host_channel_poll_end(path.channel));
    bench_free(path.bench);
}

static void take_nothing(struct bench_device *device, struct host_channel *channel)
{
}

static void what_a_device_leaves_in_a_polled_ring_is_no_news(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    path.bench->device.ready = take_nothing;
    host_channel_poll_begin(path.channel);
    guest_ring_put_words(&path.to_host, VMBUS_PACKET_IN_BAND, 0, 0, 1, 7);
    host_channel_run(path.channel);
    assert_false(host_channel_poll(path.channel));
    assert_false(host_channel_poll_end(path.channel));
    assert_int_equal(path.to_host.control->interrupt_mask, 1);
    path.bench->device.ready = echo;
    host_channel_run(path.channel);
    assert_int_equal(guest_ring_used(&path.to_host), 0);
    assert_int_equal(path.to_host.control->interrupt_mask, 0);
    bench_free(path.bench);
}

static void a_malformed_packet_is_reported_and_the_next_one_arrives(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    struct host_packet packet;
    guest_ring_put_words(&path.to_host, VMBUS_PACKET_TRANSFER_PAGES, 0, 1, 1, 0);
    guest_ring_put_words(&path.to_host, VMBUS_PACKET_IN_BAND, 0, 2, 1, 0);
    assert_int_equal(host_channel_receive(path.channel, &packet), 1);
    assert_int_equal(packet.transaction_id, 2);
    bench_expect_violation(path.bench, "in-band");
    bench_free(path.bench);
}

static void a_broken_ring_is_reported_once_and_a_new_open_mends_it(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    struct host_packet packet;
    path.to_host.control->write_index = 12;
    assert_int_equal(host_channel_receive(path.channel, &packet), -EPIPE);
    assert_int_equal(host_channel_receive(path.channel, &packet), -EPIPE);
    bench_expect_violation(path.bench, "write index");
    bench_channel_message(path.bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
    bench_teardown(path.bench, 1, 101);
    bench_open_channel(path.bench, 1);
    guest_ring_put_words(&path.to_host, VMBUS_PACKET_IN_BAND, 0, 2, 1, 0);
    assert_int_equal(host_channel_receive(path.channel, &packet), 1);
    bench_free(path.bench);
}

static void a_full_ring_says_again_and_goes_on_when_the_guest_made_room(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    uint8_t data[1000] = {0};
    while (host_channel_send_bytes(path.channel, data, sizeof(data)) == 0) {
    }
    assert_int_equal(host_channel_send_bytes(path.channel, data, sizeof(data)), -EAGAIN);
    assert_int_equal(host_channel_send_bytes(path.channel, data, 4096), -EMSGSIZE);
    host_channel_flush(path.channel);
    bench_expect(path.bench, "signal vp 0 sint 2 flag 1\n");
    assert_false(host_channel_sent_all_taken(path.channel));
    assert_int_equal(path.to_guest.control->pending_send_size, 1024);
    while (guest_ring_take(&path.to_guest, data, sizeof(data)) != 0) {
    }
    assert_true(host_channel_sent_all_taken(path.channel));
    assert_int_equal(host_channel_send_bytes(path.channel, data, sizeof(data)), 0);
    assert_int_equal(path.to_guest.control->pending_send_size, 0);
    bench_free(path.bench);
}

static void a_guest_blocked_on_its_ring_is_signalled_when_the_device_made_room(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    path.bench->device.ready = NULL;
    while (path.to_host.size - guest_ring_used(&path.to_host) > 48) {
        guest_ring_put_words(&path.to_host, VMBUS_PACKET_IN_BAND, 0, 2, 3, 0);
    }
    path.to_host.control->pending_send_size = 2000;
    struct host_packet packet;
    while (host_channel_receive(path.channel, &packet) == 1) {
    }
    host_channel_flush(path.channel);
    bench_expect(path.bench, "signal vp 0 sint 2 flag 1\n");
    bench_free(path.bench);
}

static void a_pipe_gets_its_header_in_both_directions(void **state)
{
    struct path path = open_path(VMBUS_OFFER_PIPE, VMBUS_VERSION_5_2);
    const struct iovec pieces[] = {{"abc", 3}, {NULL, 0}, {"de", 2}};
    assert_int_equal(host_channel_send(path.channel, 9, true, pieces, 3), 0);
    host_channel_flush(path.channel);
    struct {
        struct vmbus_packet_header header;
        struct vmbus_pipe_header pipe;
        char data[8];
    } packet;
    assert_int_equal(guest_ring_take(&path.to_guest, &packet, sizeof(packet)), 32);
    assert_int_equal(packet.header.data_offset8, 2);
    assert_int_equal(packet.header.transaction_id, 9);
    assert_int_equal(packet.header.flags, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED);
    assert_int_equal(packet.pipe.type, VMBUS_PIPE_DATA);
    assert_int_equal(packet.pipe.length, 5);
    assert_memory_equal(packet.data, "abcde\0\0\0", 8);
    packet.header.flags = 0;
    guest_ring_put(&path.to_host, &packet, 32);
    struct host_packet received;
    assert_int_equal(host_channel_receive(path.channel, &received), 1);
    assert_int_equal(received.payload_size, 5);
    assert_memory_equal(received.payload, "abcde", 5);
    bench_free(path.bench);
}

static void transfer_pages_name_pieces_of_a_buffer(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    const struct host_transfer_range ranges[] = {{100, 0}, {200, 1728}, {300, 3456}};
    const struct iovec piece = {"payload", 8};
    assert_int_equal(
        host_channel_send_transfer_pages(path.channel, 5, 0xCAFE, ranges, 3, &piece, 1), 0);
    assert_int_equal(
        host_channel_send_transfer_pages(path.channel, 5, 0xCAFE, ranges, 0, &piece, 1), -EINVAL);
    host_channel_flush(path.channel);
    struct {
        struct vmbus_packet_transfer_pages pages;
        struct host_transfer_range ranges[3];
        char data[8];
    } packet;
    assert_int_equal(guest_ring_take(&path.to_guest, &packet, sizeof(packet)), 56);
    assert_int_equal(packet.pages.header.type, VMBUS_PACKET_TRANSFER_PAGES);
    assert_int_equal(packet.pages.header.data_offset8, 6);
    assert_int_equal(packet.pages.header.flags, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED);
    assert_int_equal(packet.pages.transfer_page_set_id, 0xCAFE);
    assert_int_equal(packet.pages.range_count, 3);
    assert_memory_equal(packet.ranges, ranges, sizeof(ranges));
    assert_string_equal(packet.data, "payload");
    bench_free(path.bench);
}

static void gpa_direct_data_are_reached_through_a_scatter_list(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    uint64_t packet[] = {0, 55, (uint64_t)1 << 32, 100 | (uint64_t)4000 << 32, 700, 702, 0};
    const struct vmbus_packet_header header = {VMBUS_PACKET_GPA_DIRECT, 6, 7, 1, 55};
    memcpy(packet, &header, sizeof(header));
    guest_ring_put(&path.to_host, packet, sizeof(packet));
    struct host_packet received;
    struct iovec vector[4];
    size_t size;
    assert_int_equal(host_channel_receive(path.channel, &received), 1);
    assert_int_equal(
        host_packet_map(path.channel, &received, HOST_ALL_RANGES, vector, 4, &size), 2);
    assert_int_equal(size, 100);
    assert_ptr_equal(vector[0].iov_base, bench_page(path.bench, 700) + 4000);
    assert_ptr_equal(vector[1].iov_base, bench_page(path.bench, 702));
    assert_int_equal(vector[1].iov_len, 4);
    bench_free(path.bench);
}

static void a_polling_guest_gets_no_signal(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    bench_channel_message(path.bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
    bench_open(path.bench, 1, 101, 2, VMBUS_VP_NONE);
    path.bench->text[0] = '\0';
    host_channel_send_bytes(path.channel, "x", 1);
    host_channel_flush(path.channel);
    bench_expect(path.bench, "");
    assert_int_equal(guest_ring_used(&path.to_guest), 32);
    bench_free(path.bench);
}

static void nothing_runs_on_a_closed_channel(void **state)
{
    struct path path = open_path(0, VMBUS_VERSION_5_2);
    path.bench->device.ready = echo;
    guest_ring_put_words(&path.to_host, VMBUS_PACKET_IN_BAND, 0, 0, 1, 7);
    bench_channel_message(path.bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
    path.bench->text[0] = '\0';
    host_channel_run(path.channel);
    host_channel_flush(path.channel);
    bench_expect(path.bench, "");
    struct host_packet packet;
    assert_int_equal(host_channel_receive(path.channel, &packet), -EPIPE);
    assert_int_equal(host_channel_send_bytes(path.channel, "x", 1), -EPIPE);
    assert_true(host_channel_sent_all_taken(path.channel));
    bench_free(path.bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_of_requests_is_answered_with_one_signal),
        cmocka_unit_test(the_guest_may_signal_again_after_the_ring_was_drained),
        cmocka_unit_test(what_was_taken_is_published_before_the_guest_may_signal),
        cmocka_unit_test(packets_that_come_while_masked_are_taken_in_the_same_run),
        cmocka_unit_test(a_polled_channel_needs_no_signal_until_polling_ends),
        cmocka_unit_test(what_a_device_leaves_in_a_polled_ring_is_no_news),
        cmocka_unit_test(a_malformed_packet_is_reported_and_the_next_one_arrives),
        cmocka_unit_test(a_broken_ring_is_reported_once_and_a_new_open_mends_it),
        cmocka_unit_test(a_full_ring_says_again_and_goes_on_when_the_guest_made_room),
        cmocka_unit_test(a_guest_blocked_on_its_ring_is_signalled_when_the_device_made_room),
        cmocka_unit_test(a_pipe_gets_its_header_in_both_directions),
        cmocka_unit_test(transfer_pages_name_pieces_of_a_buffer),
        cmocka_unit_test(gpa_direct_data_are_reached_through_a_scatter_list),
        cmocka_unit_test(a_polling_guest_gets_no_signal),
        cmocka_unit_test(nothing_runs_on_a_closed_channel),
    };
    return cmocka_run_group_tests_name("vmbus data path", tests, NULL, NULL);
}
