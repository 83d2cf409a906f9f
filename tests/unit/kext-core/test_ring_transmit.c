/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest-to-host ring against a host that behaves, and against one that does not. */
#include "tests/unit/kext-core/rings.h"

#define PAGES 2u
#define SIZE  4096u

static struct ring_transmit ring;
static struct vmbus_ring_control *control;

static int setup(void **state)
{
    control = ring_memory(PAGES);
    return ring_transmit_init(&ring, control, PAGES);
}

static int teardown(void **state)
{
    free(control);
    return 0;
}

static void init_clears_the_control_page_and_sets_the_feature_bit(void **state)
{
    assert_int_equal(control->write_index, 0);
    assert_int_equal(control->read_index, 0);
    assert_int_equal(control->interrupt_mask, 0);
    assert_int_equal(control->pending_send_size, 0);
    assert_int_equal(control->feature_bits, VMBUS_RING_FEATURE_PENDING_SEND_SIZE);
    assert_int_equal(ring_transmit_init(&ring, control, 1), HV_ERROR_INVALID);
    assert_int_equal(ring_transmit_init(&ring, NULL, 2), HV_ERROR_INVALID);
}

static void a_packet_has_header_data_zero_padding_and_trailer(void **state)
{
    const struct ring_packet packet = {
        .type = VMBUS_PACKET_GPA_DIRECT,
        .flags = VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
        .extra_header = 8,
        .transaction_id = UINT64_C(0x1122334455667788),
    };
    const struct ring_piece pieces[] = { { "HEADHEAD", 8 }, { "abc", 3 }, { "", 0 } };
    const uint8_t *data = (uint8_t *)control + 4096;
    const struct vmbus_packet_header *header = (const void *)data;
    static const uint8_t zero[5];

    assert_int_equal(ring_transmit_append(&ring, &packet, pieces, 3), 0);
    assert_int_equal(control->write_index, 0);      /* nothing is visible yet */
    assert_true(ring_transmit_publish(&ring));
    assert_int_equal(control->write_index, 16 + 8 + 8 + 8);
    assert_int_equal(header->type, VMBUS_PACKET_GPA_DIRECT);
    assert_int_equal(header->data_offset8, 3);
    assert_int_equal(header->length8, 4);
    assert_int_equal(header->flags, 1);
    assert_int_equal(header->transaction_id, UINT64_C(0x1122334455667788));
    assert_memory_equal(data + 16, "HEADHEADabc", 11);
    assert_memory_equal(data + 27, zero, 5);
    assert_int_equal(*(const uint64_t *)(data + 32), 0);    /* started at 0 */
}

static void the_trailer_says_where_the_packet_started(void **state)
{
    assert_int_equal(ring_append_fill(&ring, 8, 1), 0);
    assert_int_equal(ring_append_fill(&ring, 8, 2), 0);
    ring_transmit_publish(&ring);
    assert_int_equal(*(uint64_t *)((uint8_t *)control + 4096 + 56), UINT64_C(32) << 32);
}

static void wrong_arguments_write_nothing(void **state)
{
    const struct ring_packet odd = { .extra_header = 4 }, large = { .extra_header = 16 };
    const struct ring_piece piece = { "12345678", 8 };
    const struct ring_piece huge[2] = { { control, 0xFFFFFFFFu }, { control, 8 } };

    assert_int_equal(ring_transmit_append(&ring, &odd, &piece, 1), HV_ERROR_INVALID);
    assert_int_equal(ring_transmit_append(&ring, &large, &piece, 1), HV_ERROR_INVALID);
    assert_int_equal(ring_transmit_append(&ring, &(struct ring_packet){ 0 }, huge, 2),
                     HV_ERROR_TOO_LARGE);
    assert_false(ring_transmit_publish(&ring));
    assert_int_equal(ring_append_fill(&ring, 8, 1), 0);
}

/* D1: in every packet size the ring is filled as far as it goes, and is never seen as empty. */
static void a_full_ring_never_looks_empty(void **state)
{
    for (uint32_t length = 0; length <= SIZE; length += 8) {
        uint32_t packets = 0;
        int error;

        teardown(NULL);
        setup(NULL);
        while ((error = ring_append_fill(&ring, length, 7)) == 0)
            packets++;
        assert_int_equal(error, length > SIZE - 8 - 24 ? HV_ERROR_TOO_LARGE : HV_ERROR_FULL);
        ring_transmit_publish(&ring);
        if (packets != 0)
            assert_int_not_equal(control->write_index, control->read_index);
        assert_int_equal(packets, (SIZE - 8) / (length + 24));
    }
}

static void the_largest_packet_fits_an_empty_ring_and_one_more_byte_does_not(void **state)
{
    assert_int_equal(ring_append_fill(&ring, SIZE - 8 - 24 + 1, 1), HV_ERROR_TOO_LARGE);
    assert_int_equal(ring_append_fill(&ring, SIZE - 8 - 24, 1), 0);
    assert_int_equal(ring_append_fill(&ring, 0, 1), HV_ERROR_FULL);
}

static void the_host_is_signalled_only_when_it_had_read_everything(void **state)
{
    ring_append_fill(&ring, 8, 1);
    assert_true(ring_transmit_publish(&ring));      /* empty to not empty */
    ring_append_fill(&ring, 8, 2);
    assert_false(ring_transmit_publish(&ring));     /* it has not read the first */
    control->read_index = 32;
    ring_append_fill(&ring, 8, 3);
    assert_false(ring_transmit_publish(&ring));     /* it is still reading the second */
    control->read_index = control->write_index;
    ring_append_fill(&ring, 8, 4);
    assert_true(ring_transmit_publish(&ring));
    assert_int_equal(ring.counters.signals, 2);
}

static void a_masked_host_is_not_signalled(void **state)
{
    control->interrupt_mask = 1;
    ring_append_fill(&ring, 8, 1);
    assert_false(ring_transmit_publish(&ring));
    assert_int_equal(control->write_index, 32);
}

/* D14: one doorbell for a burst, none for nothing. */
static void a_burst_rings_once(void **state)
{
    assert_false(ring_transmit_publish(&ring));
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(ring_append_fill(&ring, 48, (uint8_t)i), 0);
    assert_true(ring_transmit_publish(&ring));
    assert_false(ring_transmit_publish(&ring));
    assert_int_equal(ring.counters.bursts, 1);
}

static void a_full_ring_asks_for_room_and_is_told_once(void **state)
{
    while (ring_append_fill(&ring, 1000, 1) == 0)
        ;
    ring_transmit_publish(&ring);
    assert_int_equal(ring.counters.full, 1);
    /* 1024 bytes for the packet, and 3072 that were not published when it was asked. */
    assert_int_equal(control->pending_send_size, 1024 + 3072 - 8);
    assert_false(ring_transmit_room_returned(&ring));
    control->read_index = control->write_index;     /* the host reads all */
    assert_true(ring_transmit_room_returned(&ring));
    assert_int_equal(control->pending_send_size, 0);
    assert_false(ring_transmit_room_returned(&ring));
    assert_int_equal(ring_append_fill(&ring, 1000, 2), 0);
}

static void a_published_ring_asks_for_just_the_packet(void **state)
{
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ring_append_fill(&ring, 1000, 1), 0);
    ring_transmit_publish(&ring);
    assert_int_equal(ring_append_fill(&ring, 1000, 1), HV_ERROR_FULL);
    assert_int_equal(control->pending_send_size, 1024);
    control->read_index = 1024;                     /* 2048 free: enough */
    assert_true(ring_transmit_room_returned(&ring));
}

static void a_smaller_request_does_not_withdraw_a_larger_one(void **state)
{
    for (unsigned i = 0; i < 3; i++)
        ring_append_fill(&ring, 1200, 1);
    ring_transmit_publish(&ring);
    assert_int_equal(ring_append_fill(&ring, 2000, 1), HV_ERROR_FULL);
    assert_int_equal(ring_append_fill(&ring, 800, 1), HV_ERROR_FULL);
    assert_int_equal(control->pending_send_size, 2024);
}

/* D22, D11: every impossible read index ends the ring, and nothing is written any more. */
static void every_impossible_read_index_ends_the_ring(void **state)
{
    static const uint32_t bad[] = { 4096, 4100, 1, 7, 0x80000000u, 0xFFFFFFFFu, 0xFFFFFFF8u, 2048 };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        teardown(NULL);
        setup(NULL);
        while (ring_append_fill(&ring, 200, 1) == 0)
            if (ring.write <= 1000)
                ring_transmit_publish(&ring);       /* up to about 1000 is published */
        control->read_index = bad[i];
        assert_int_equal(ring_append_fill(&ring, 200, 1), HV_ERROR_CORRUPT);
        control->read_index = 0;
        assert_int_equal(ring_append_fill(&ring, 8, 1), HV_ERROR_CORRUPT);
        assert_false(ring_transmit_publish(&ring));
        assert_int_equal(ring_transmit_free(&ring), 0);
        assert_int_equal(ring.counters.corrupt, 1);
    }
}

/* D11: what the host makes of our own words does not matter. */
static void the_own_write_index_is_never_read_back(void **state)
{
    ring_append_fill(&ring, 8, 1);
    ring_transmit_publish(&ring);
    control->write_index = 0xFFFFFFF0u;
    control->pending_send_size = 77;
    ring_append_fill(&ring, 8, 2);
    ring_transmit_publish(&ring);
    assert_int_equal(control->write_index, 64);
    assert_int_equal(ring_transmit_free(&ring), SIZE - 64);
}

static void packets_wrap_at_every_offset(void **state)
{
    struct ring_receive receive;
    uint8_t packet[4096];
    uint32_t length;

    assert_int_equal(ring_receive_init(&receive, control, PAGES), 0);
    for (unsigned i = 0; i < 3000; i++) {
        uint32_t payload = (i * 37) % 700;

        assert_int_equal(ring_append_fill(&ring, payload, (uint8_t)i), 0);
        ring_transmit_publish(&ring);
        assert_int_equal(ring_receive_next(&receive, packet, sizeof packet, &length), 0);
        assert_int_equal(length, 16 + ((payload + 7) & ~7u));
        for (uint32_t j = 0; j < payload; j++)
            assert_int_equal(packet[16 + j], (uint8_t)i);
        for (uint32_t j = 16 + payload; j < length; j++)
            assert_int_equal(packet[j], 0);
        ring_receive_publish(&receive);
    }
    assert_int_equal(ring.counters.packets, 3000);
    assert_int_equal(receive.counters.packets, 3000);
}

int main(void)
{
#define ring_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        ring_test(init_clears_the_control_page_and_sets_the_feature_bit),
        ring_test(a_packet_has_header_data_zero_padding_and_trailer),
        ring_test(the_trailer_says_where_the_packet_started),
        ring_test(wrong_arguments_write_nothing),
        ring_test(a_full_ring_never_looks_empty),
        ring_test(the_largest_packet_fits_an_empty_ring_and_one_more_byte_does_not),
        ring_test(the_host_is_signalled_only_when_it_had_read_everything),
        ring_test(a_masked_host_is_not_signalled),
        ring_test(a_burst_rings_once),
        ring_test(a_full_ring_asks_for_room_and_is_told_once),
        ring_test(a_published_ring_asks_for_just_the_packet),
        ring_test(a_smaller_request_does_not_withdraw_a_larger_one),
        ring_test(every_impossible_read_index_ends_the_ring),
        ring_test(the_own_write_index_is_never_read_back),
        ring_test(packets_wrap_at_every_offset),
    };

    return cmocka_run_group_tests_name("ring_transmit", tests, NULL, NULL);
}
