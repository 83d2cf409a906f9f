/* SPDX-License-Identifier: BSD-3-Clause */
/* The host-to-guest ring: the test is the host, which may do anything to the shared pages. */
#include "tests/unit/kext-core/rings.h"

#define PAGES 3u
#define SIZE  8192u

static struct ring_receive ring;
static struct vmbus_ring_control *control;
static uint8_t *data;
static uint8_t packet[SIZE];
static uint32_t length;

static int setup(void **state)
{
    control = ring_memory(PAGES);
    data = (uint8_t *)control + 4096;
    return ring_receive_init(&ring, control, PAGES);
}

static int teardown(void **state)
{
    free(control);
    return 0;
}

/* Puts a packet at the host's write index and publishes it. */
static void host_sends(uint16_t type, uint16_t data_offset8, uint16_t length8, uint32_t advance)
{
    const struct vmbus_packet_header header = { type, data_offset8, length8, 0, 42 };
    const uint8_t *bytes = (const uint8_t *)&header;

    for (uint32_t i = 0; i < sizeof header; i++)
        data[(control->write_index + i) % SIZE] = bytes[i];
    control->write_index = (control->write_index + advance) % SIZE;
}

static void host_sends_plain(uint16_t length8)
{
    host_sends(VMBUS_PACKET_IN_BAND, 2, length8, length8 * 8u + 8);
}

static void a_packet_is_copied_out_and_the_read_index_published_once(void **state)
{
    host_sends_plain(3);
    host_sends_plain(2);
    assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length), 0);
    assert_int_equal(length, 24);
    assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length), 0);
    assert_int_equal(length, 16);
    assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length), HV_ERROR_EMPTY);
    assert_int_equal(control->read_index, 0);
    ring_receive_publish(&ring);
    assert_int_equal(control->read_index, 32 + 24);
    assert_int_equal(ring.counters.batches, 1);
}

static void a_packet_larger_than_the_buffer_stays_until_skipped(void **state)
{
    host_sends_plain(10);
    host_sends_plain(2);
    assert_int_equal(ring_receive_next(&ring, packet, 79, &length), HV_ERROR_TOO_LARGE);
    assert_int_equal(length, 80);
    assert_int_equal(ring_receive_next(&ring, packet, 80, &length), 0);
    host_sends_plain(10);
    assert_int_equal(ring_receive_next(&ring, packet, 16, &length), 0);
    assert_int_equal(ring_receive_next(&ring, packet, 16, &length), HV_ERROR_TOO_LARGE);
    assert_int_equal(ring_receive_skip(&ring), 0);
    assert_int_equal(ring_receive_next(&ring, packet, 16, &length), HV_ERROR_EMPTY);
}

/* D4, D21: lengths and offsets that cannot be. */
static void every_impossible_length_or_offset_ends_the_ring(void **state)
{
    static const struct { uint16_t offset8, length8; uint32_t advance; } bad[] = {
        { 0, 2, 24 },           /* data inside the header */
        { 1, 2, 24 },
        { 3, 2, 24 },           /* header length above total length */
        { 0xFFFF, 0xFFFF, 24 },
        { 2, 0, 24 },
        { 2, 1, 24 },
        { 2, 3, 24 },           /* one word more than is there */
        { 2, 0xFFFF, 24 },
        { 2, 2, 16 },           /* no room for the trailer */
        { 2, 2, 8 },            /* not even a header */
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        teardown(NULL);
        setup(NULL);
        host_sends_plain(2);
        host_sends(VMBUS_PACKET_IN_BAND, bad[i].offset8, bad[i].length8, bad[i].advance);
        assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length), 0);
        memset(packet, 0xEE, sizeof packet);
        assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length),
                         HV_ERROR_CORRUPT);
        assert_int_equal(packet[0], 0xEE);          /* nothing was handed out */
        assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length),
                         HV_ERROR_CORRUPT);
        assert_int_equal(ring_receive_skip(&ring), HV_ERROR_CORRUPT);
        assert_false(ring_receive_publish(&ring));
        assert_false(ring_receive_unmask(&ring));
        assert_int_equal(ring.counters.corrupt, 1);
    }
}

/* D22 */
static void every_impossible_write_index_ends_the_ring(void **state)
{
    static const uint32_t bad[] = { SIZE, SIZE + 8, 1, 12, 0x80000000u, 0xFFFFFFFFu, 0xFFFFFFF8u };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        teardown(NULL);
        setup(NULL);
        control->write_index = bad[i];
        assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length),
                         HV_ERROR_CORRUPT);
        control->write_index = 0;
        assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length),
                         HV_ERROR_CORRUPT);
    }
}

static void an_unaligned_write_index_hides_behind_no_packet(void **state)
{
    host_sends_plain(2);
    control->write_index += 4;
    assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length), HV_ERROR_CORRUPT);
}

static void a_write_index_that_goes_back_ends_the_ring(void **state)
{
    host_sends_plain(2);
    host_sends_plain(2);
    assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length), 0);
    assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length), 0);
    control->write_index = 24;                      /* what is read already is taken back */
    assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length), HV_ERROR_CORRUPT);
}

/* D11: a second look at the shared header would see something else; the copy does not change. */
static void the_header_handed_out_is_the_one_that_was_checked(void **state)
{
    struct vmbus_packet_header *shared = (void *)data;
    const struct vmbus_packet_header *copy = (const void *)packet;

    host_sends_plain(4);
    assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length), 0);
    shared->length8 = 0xFFFF;
    shared->data_offset8 = 0;
    assert_int_equal(copy->length8 * 8, length);
    assert_int_equal(copy->data_offset8, 2);
    assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length), HV_ERROR_EMPTY);
}

static void the_own_read_index_is_never_read_back(void **state)
{
    host_sends_plain(2);
    control->read_index = 0xFFFFFFFFu;
    assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length), 0);
    ring_receive_publish(&ring);
    assert_int_equal(control->read_index, 24);
}

static void a_waiting_host_is_signalled_by_the_batch_that_makes_enough_room(void **state)
{
    uint32_t sent = 0;

    while (sent + 1032 < SIZE) {                    /* 7 packets of 1032 bytes */
        host_sends_plain(128);
        sent += 1032;
    }
    control->pending_send_size = 3000;              /* 968 are free */
    ring_receive_next(&ring, packet, sizeof packet, &length);
    assert_false(ring_receive_publish(&ring));      /* 2000 free */
    ring_receive_next(&ring, packet, sizeof packet, &length);
    assert_true(ring_receive_publish(&ring));       /* 3032 free */
    ring_receive_next(&ring, packet, sizeof packet, &length);
    assert_false(ring_receive_publish(&ring));      /* it has been told */
    assert_int_equal(ring.counters.signals, 1);
}

static void a_host_that_waits_for_nothing_is_not_signalled(void **state)
{
    host_sends_plain(100);
    ring_receive_next(&ring, packet, sizeof packet, &length);
    assert_false(ring_receive_publish(&ring));
    assert_false(ring_receive_publish(&ring));
    assert_int_equal(ring.counters.batches, 1);
}

static void unmasking_tells_of_what_came_meanwhile(void **state)
{
    ring_receive_mask(&ring);
    assert_int_equal(control->interrupt_mask, 1);
    assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length), HV_ERROR_EMPTY);
    host_sends_plain(2);                            /* the host sees the mask: no interrupt */
    assert_true(ring_receive_unmask(&ring));
    assert_int_equal(control->interrupt_mask, 0);
    assert_int_equal(ring_receive_next(&ring, packet, sizeof packet, &length), 0);
    assert_false(ring_receive_unmask(&ring));
}

int main(void)
{
#define ring_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        ring_test(a_packet_is_copied_out_and_the_read_index_published_once),
        ring_test(a_packet_larger_than_the_buffer_stays_until_skipped),
        ring_test(every_impossible_length_or_offset_ends_the_ring),
        ring_test(every_impossible_write_index_ends_the_ring),
        ring_test(an_unaligned_write_index_hides_behind_no_packet),
        ring_test(a_write_index_that_goes_back_ends_the_ring),
        ring_test(the_header_handed_out_is_the_one_that_was_checked),
        ring_test(the_own_read_index_is_never_read_back),
        ring_test(a_waiting_host_is_signalled_by_the_batch_that_makes_enough_room),
        ring_test(a_host_that_waits_for_nothing_is_not_signalled),
        ring_test(unmasking_tells_of_what_came_meanwhile),
    };

    return cmocka_run_group_tests_name("ring_receive", tests, NULL, NULL);
}
