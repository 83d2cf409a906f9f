/* SPDX-License-Identifier: BSD-3-Clause */
/* One channel: requests, completions, GPA-direct packets; the test is the host. */
#include "kext/core/channel.h"
#include "tests/unit/kext-core/rings.h"

#define TRANSMIT_PAGES 2u
#define RECEIVE_PAGES  2u

static struct channel channel;
static struct request_slot slots[3];
static uint8_t *memory;
static struct ring_receive host_in;         /* what the guest sent */
static struct ring_transmit host_out;
static uint8_t buffer[4096];
static struct packet_view view;
static enum channel_packet_kind kind;
static int owner_a, owner_b;

static int setup(void **state)
{
    memory = ring_memory(TRANSMIT_PAGES + RECEIVE_PAGES);
    assert_int_equal(ring_receive_init(&host_in, memory, TRANSMIT_PAGES), 0);
    assert_int_equal(ring_transmit_init(&host_out, memory + TRANSMIT_PAGES * 4096, RECEIVE_PAGES),
                     0);
    return channel_init(&channel, memory, TRANSMIT_PAGES, RECEIVE_PAGES, slots, 3);
}

static int teardown(void **state)
{
    free(memory);
    return 0;
}

static void host_sends(uint16_t type, uint64_t transaction_id)
{
    const struct ring_packet packet = { .type = type, .transaction_id = transaction_id };
    const struct ring_piece piece = { "host", 4 };

    assert_int_equal(ring_transmit_append(&host_out, &packet, &piece, 1), 0);
    ring_transmit_publish(&host_out);
}

/* The next packet that the guest sent. */
static struct packet_view host_receives(void)
{
    struct packet_view packet;
    uint32_t length;

    assert_int_equal(ring_receive_next(&host_in, buffer, sizeof buffer, &length), 0);
    assert_int_equal(packet_parse(buffer, length, &packet), 0);
    return packet;
}

static int receive(void)
{
    return channel_receive(&channel, buffer, sizeof buffer, &view, &kind);
}

static void a_request_gets_its_completion_in_any_order(void **state)
{
    const struct ring_piece piece = { "data", 4 };
    uint64_t a, b;

    assert_int_equal(channel_append_request(&channel, &piece, 1, &owner_a, &a), 0);
    assert_int_equal(channel_append_request(&channel, &piece, 1, &owner_b, &b), 0);
    assert_true(channel_flush(&channel));
    assert_int_equal(host_receives().transaction_id, a);
    assert_int_equal(host_receives().flags, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED);
    host_sends(VMBUS_PACKET_COMPLETION, b);
    host_sends(VMBUS_PACKET_COMPLETION, a);
    assert_int_equal(receive(), 0);
    assert_int_equal(kind, CHANNEL_COMPLETION);
    assert_ptr_equal(channel_take_completion(&channel, view.transaction_id), &owner_b);
    assert_int_equal(receive(), 0);
    assert_ptr_equal(channel_take_completion(&channel, view.transaction_id), &owner_a);
    assert_int_equal(receive(), HV_ERROR_EMPTY);
}

/* D12 */
static void a_forged_repeated_or_late_completion_finds_nobody(void **state)
{
    const struct ring_piece piece = { "data", 4 };
    uint64_t id;

    assert_int_equal(channel_append_request(&channel, &piece, 1, &owner_a, &id), 0);
    host_sends(VMBUS_PACKET_COMPLETION, (uintptr_t)&owner_a);
    host_sends(VMBUS_PACKET_COMPLETION, id);
    host_sends(VMBUS_PACKET_COMPLETION, id);
    assert_int_equal(receive(), 0);
    assert_null(channel_take_completion(&channel, view.transaction_id));
    assert_int_equal(receive(), 0);
    assert_ptr_equal(channel_take_completion(&channel, view.transaction_id), &owner_a);
    assert_int_equal(receive(), 0);
    assert_null(channel_take_completion(&channel, view.transaction_id));
    assert_int_equal(channel.requests.unknown, 2);
}

static void no_id_is_used_up_by_a_packet_that_did_not_fit(void **state)
{
    static uint8_t bytes[4000];
    const struct ring_piece large = { bytes, sizeof bytes }, small = { bytes, 8 };
    uint64_t id;

    assert_int_equal(channel_append_request(&channel, &large, 1, &owner_a, &id), 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(channel_append_request(&channel, &large, 1, &owner_b, &id),
                         HV_ERROR_FULL);
    assert_int_equal(channel.requests.outstanding, 1);
    assert_int_equal(channel_append_request(&channel, &small, 1, &owner_b, &id), 0);
}

static void a_full_table_of_requests_is_reported_and_nothing_sent(void **state)
{
    const struct ring_piece piece = { "data", 4 };
    uint64_t id;

    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(channel_append_request(&channel, &piece, 1, &owner_a, &id), 0);
    assert_int_equal(channel_append_request(&channel, &piece, 1, &owner_a, &id), HV_ERROR_FULL);
    assert_int_equal(channel.transmit.counters.packets, 3);
    assert_ptr_equal(channel_take_completion(&channel, id), &owner_a);
    assert_int_equal(channel_append_request(&channel, &piece, 1, &owner_a, &id), 0);
}

static void a_gpa_direct_packet_arrives_as_the_protocol_says(void **state)
{
    static const uint64_t pages[] = { 0x10, 0x11 };
    const struct gpa_range range = { 4096, 512, pages };
    const struct ring_piece data = { "request!", 8 };
    struct packet_view packet;
    uint32_t head[2], length[2];
    uint64_t id;

    assert_int_equal(channel_append_gpa_direct(&channel, &range, 1, &data, 1, &owner_a, &id), 0);
    channel_flush(&channel);
    packet = host_receives();
    assert_int_equal(packet.type, VMBUS_PACKET_GPA_DIRECT);
    assert_int_equal(packet.transaction_id, id);
    assert_int_equal(packet.extra_header_length, 8 + 8 + 16);
    memcpy(head, packet.extra_header, 8);
    memcpy(length, packet.extra_header + 8, 8);
    assert_int_equal(head[0], 0);
    assert_int_equal(head[1], 1);
    assert_int_equal(length[0], 4096);
    assert_int_equal(length[1], 512);
    assert_memory_equal(packet.extra_header + 16, pages, sizeof pages);
    assert_memory_equal(packet.data, "request!", 8);
    assert_int_equal(channel_append_gpa_direct(&channel, &range, 0, &data, 1, &owner_a, &id),
                     HV_ERROR_INVALID);
    assert_int_equal(channel.requests.outstanding, 1);
}

static void packets_of_no_known_type_are_dropped_and_the_next_one_works(void **state)
{
    static const uint16_t odd[] = { 0, 1, 5, 8, VMBUS_PACKET_GPA_DIRECT, VMBUS_PACKET_CANCEL, 12,
                                    0xFFFF };

    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        host_sends(odd[i], 7);
        assert_int_equal(receive(), 0);
        assert_int_equal(kind, CHANNEL_DROPPED);
    }
    assert_int_equal(channel.dropped, sizeof odd / sizeof odd[0]);
    host_sends(VMBUS_PACKET_IN_BAND, 7);
    assert_int_equal(receive(), 0);
    assert_int_equal(kind, CHANNEL_PACKET);
    assert_memory_equal(view.data, "host", 4);
}

static void completions_and_echoes_carry_the_hosts_id(void **state)
{
    const struct ring_piece piece = { "reply", 5 };

    assert_int_equal(channel_append_completion(&channel, 0xABCD, &piece, 1), 0);
    assert_int_equal(channel_append(&channel, &piece, 1, 0x1234), 0);
    channel_flush(&channel);
    view = host_receives();
    assert_int_equal(view.type, VMBUS_PACKET_COMPLETION);
    assert_int_equal(view.transaction_id, 0xABCD);
    assert_int_equal(view.flags, 0);
    view = host_receives();
    assert_int_equal(view.type, VMBUS_PACKET_IN_BAND);
    assert_int_equal(view.transaction_id, 0x1234);
}

int main(void)
{
#define channel_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        channel_test(a_request_gets_its_completion_in_any_order),
        channel_test(a_forged_repeated_or_late_completion_finds_nobody),
        channel_test(no_id_is_used_up_by_a_packet_that_did_not_fit),
        channel_test(a_full_table_of_requests_is_reported_and_nothing_sent),
        channel_test(a_gpa_direct_packet_arrives_as_the_protocol_says),
        channel_test(packets_of_no_known_type_are_dropped_and_the_next_one_works),
        channel_test(completions_and_echoes_carry_the_hosts_id),
    };

    return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
