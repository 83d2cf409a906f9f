/* SPDX-License-Identifier: BSD-3-Clause */
/* Taking received packets apart, transfer pages, and building GPA-direct packets. */
#include "kext/core/packet.h"
#include "tests/unit/kext-core/engines.h"

static uint8_t bytes[256];

static uint32_t make(uint16_t type, uint16_t data_offset8, uint16_t length8)
{
    const struct vmbus_packet_header header = { type, data_offset8, length8, 1, 99 };

    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, &header, sizeof header);
    return length8 * 8u;
}

static void a_packet_is_taken_apart(void **state)
{
    struct packet_view view;
    uint32_t length = make(VMBUS_PACKET_IN_BAND, 3, 5);

    assert_int_equal(packet_parse(bytes, length, &view), 0);
    assert_int_equal(view.type, VMBUS_PACKET_IN_BAND);
    assert_int_equal(view.flags, 1);
    assert_int_equal(view.transaction_id, 99);
    assert_ptr_equal(view.data, bytes + 24);
    assert_int_equal(view.length, 16);
    assert_int_equal(view.extra_header_length, 8);
}

static void a_header_that_contradicts_the_length_is_refused(void **state)
{
    struct packet_view view;
    uint32_t length = make(VMBUS_PACKET_IN_BAND, 2, 4);

    assert_int_equal(packet_parse(bytes, 8, &view), HV_ERROR_MALFORMED);
    assert_int_equal(packet_parse(bytes, length - 8, &view), HV_ERROR_MALFORMED);
    assert_int_equal(packet_parse(bytes, length + 8, &view), HV_ERROR_MALFORMED);
    make(VMBUS_PACKET_IN_BAND, 1, 4);
    assert_int_equal(packet_parse(bytes, length, &view), HV_ERROR_MALFORMED);
    make(VMBUS_PACKET_IN_BAND, 5, 4);
    assert_int_equal(packet_parse(bytes, length, &view), HV_ERROR_MALFORMED);
    make(VMBUS_PACKET_IN_BAND, 4, 4);
    assert_int_equal(packet_parse(bytes, length, &view), 0);
    assert_int_equal(view.length, 0);
}

/* A transfer-page packet with `count` ranges announced and two present. */
static void make_transfer(struct packet_view *view, uint32_t count, uint32_t offset,
                          uint32_t size)
{
    uint32_t length = make(VMBUS_PACKET_TRANSFER_PAGES, 5, 6);
    struct vmbus_packet_transfer_pages *transfer = (void *)bytes;
    struct vmbus_transfer_page_range *ranges = (void *)(bytes + sizeof *transfer);

    transfer->transfer_page_set_id = 0xCAFE;
    transfer->range_count = count;
    ranges[1].byte_offset = offset;
    ranges[1].byte_count = size;
    assert_int_equal(packet_parse(bytes, length, view), 0);
}

/* D10 */
static void a_range_count_beyond_the_packet_is_refused(void **state)
{
    static const uint32_t bad[] = { 3, 4, 0x20000000, 0x1FFFFFFF, 0x80000000, 0xFFFFFFFF };
    struct packet_view view;
    uint16_t set = 0;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        make_transfer(&view, bad[i], 0, 0);
        assert_int_equal(packet_transfer_count(&view, &set), HV_ERROR_MALFORMED);
        assert_int_equal(set, 0);
    }
    make_transfer(&view, 2, 0, 0);
    assert_int_equal(packet_transfer_count(&view, &set), 2);
    assert_int_equal(set, 0xCAFE);
    make_transfer(&view, 0, 0, 0);
    assert_int_equal(packet_transfer_count(&view, &set), 0);
}

static void a_packet_of_another_kind_has_no_transfer_ranges(void **state)
{
    struct packet_view view;
    uint16_t set;

    assert_int_equal(packet_parse(bytes, make(VMBUS_PACKET_IN_BAND, 5, 6), &view), 0);
    assert_int_equal(packet_transfer_count(&view, &set), HV_ERROR_MALFORMED);
    assert_int_equal(packet_parse(bytes, make(VMBUS_PACKET_TRANSFER_PAGES, 2, 6), &view), 0);
    assert_int_equal(packet_transfer_count(&view, &set), HV_ERROR_MALFORMED);
}

/* D21 */
static void a_range_outside_the_buffer_is_refused(void **state)
{
    static const struct { uint32_t offset, size; int expected; } cases[] = {
        { 0, 4096, 0 }, { 4096, 0, 0 }, { 4088, 8, 0 }, { 4088, 9, HV_ERROR_MALFORMED },
        { 4097, 0, HV_ERROR_MALFORMED }, { 0, 4097, HV_ERROR_MALFORMED },
        { 0xFFFFFFF8, 16, HV_ERROR_MALFORMED }, { 8, 0xFFFFFFFF, HV_ERROR_MALFORMED },
    };
    struct packet_transfer_range range;
    struct packet_view view;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        make_transfer(&view, 2, cases[i].offset, cases[i].size);
        assert_int_equal(packet_transfer_range(&view, 1, 4096, &range), cases[i].expected);
    }
    assert_int_equal(packet_transfer_range(&view, 2, 4096, &range), HV_ERROR_MALFORMED);
    assert_int_equal(packet_transfer_range(&view, 0xFFFFFFFF, 4096, &range), HV_ERROR_MALFORMED);
}

static void a_gpa_direct_packet_refers_to_ranges_and_data_in_order(void **state)
{
    static const uint64_t pages[3] = { 0x111, 0x222, 0x333 };
    const struct gpa_range ranges[] = { { 8192, 16, pages }, { 4096, 0, pages + 1 } };
    const struct ring_piece data = { "data", 4 };
    struct packet_gpa_direct built;

    assert_int_equal(packet_build_gpa_direct(&built, 5, 1, ranges, 2, &data, 1), 0);
    assert_int_equal(built.packet.type, VMBUS_PACKET_GPA_DIRECT);
    assert_int_equal(built.packet.extra_header, 8 + 8 + 3 * 8 + 8 + 8);
    assert_int_equal(built.piece_count, 6);
    assert_int_equal(built.head.range_count, 2);
    assert_int_equal(built.ranges[0].byte_offset, 16);
    assert_ptr_equal(built.pieces[2].bytes, pages);
    assert_int_equal(built.pieces[2].length, 24);       /* 16 + 8192 touches three pages */
    assert_int_equal(built.pieces[4].length, 8);
    assert_ptr_equal(built.pieces[5].bytes, data.bytes);
}

static void senseless_ranges_are_refused(void **state)
{
    static const uint64_t page;
    struct packet_gpa_direct built;
    struct gpa_range ranges[PACKET_GPA_RANGES_MAXIMUM + 1] = { { 1, 0, &page } };

    assert_int_equal(packet_build_gpa_direct(&built, 5, 1, ranges, 0, NULL, 0), HV_ERROR_INVALID);
    assert_int_equal(packet_build_gpa_direct(&built, 5, 1, ranges, COUNT_OF(ranges), NULL, 0),
                     HV_ERROR_INVALID);
    assert_int_equal(packet_build_gpa_direct(&built, 5, 1, ranges, 2, NULL, 0), HV_ERROR_INVALID);
    ranges[0].offset = 4096;
    assert_int_equal(packet_build_gpa_direct(&built, 5, 1, ranges, 1, NULL, 0), HV_ERROR_INVALID);
    ranges[0] = (struct gpa_range){ 0xFFFFFFFF, 4095, &page };
    assert_int_equal(packet_build_gpa_direct(&built, 5, 1, ranges, 1, NULL, 0), HV_ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_is_taken_apart),
        cmocka_unit_test(a_header_that_contradicts_the_length_is_refused),
        cmocka_unit_test(a_range_count_beyond_the_packet_is_refused),
        cmocka_unit_test(a_packet_of_another_kind_has_no_transfer_ranges),
        cmocka_unit_test(a_range_outside_the_buffer_is_refused),
        cmocka_unit_test(a_gpa_direct_packet_refers_to_ranges_and_data_in_order),
        cmocka_unit_test(senseless_ranges_are_refused),
    };

    return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
