/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames: checksums against RFC 1071's definition, segmentation, tags, malformed headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host/network/frame.h"

enum { ROOM = FRAME_SIZE_MAX + FRAME_TAG };

static uint8_t memory[ROOM], scratch[ROOM];
static uint8_t *const bytes = memory + FRAME_TAG;

/* The definition: 16-bit big-endian words, ones' complement. */
static uint16_t plain_sum(const uint8_t *at, size_t size)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

static void make_tcp(size_t size, bool ipv6)
{
    struct frame_layout layout;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    }
    size_t ip = FRAME_HEADER, tcp = ip + (ipv6 ? 40 : 20), length = size - ip - (ipv6 ? 40 : 0);
    bytes[12] = ipv6 ? 0x86 : 0x08;
    bytes[13] = ipv6 ? 0xdd : 0x00;
    bytes[ip] = ipv6 ? 0x60 : 0x45;
    bytes[ip + (ipv6 ? 4 : 2)] = (uint8_t)(length >> 8);
    bytes[ip + (ipv6 ? 5 : 3)] = (uint8_t)length;
    if (ipv6) {
        bytes[ip + 6] = 6;
    } else {
        bytes[ip + 6] = bytes[ip + 7] = 0;
        bytes[ip + 9] = 6;
    }
    bytes[tcp + 12] = 0x50;
    bytes[tcp + 13] = 0x19; /* ACK, PSH, FIN */
    frame_parse(bytes, size, &layout);
    if (!ipv6) {
        frame_ipv4_header_checksum(bytes, &layout);
    }
    uint16_t sum = frame_fold(frame_pseudo_sum(bytes, &layout, size - tcp));
    memcpy(bytes + tcp + 16, &sum, 2);
}

static void sums_agree_with_the_definition(void **state)
{
    for (size_t size = 0; size < 1300; size++) {
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (uint8_t)(i * 31 + size);
        }
        uint16_t sum = frame_fold(frame_sum(bytes, size, 0));
        uint16_t wanted = plain_sum(bytes, size);
        assert_int_equal((uint16_t)(sum << 8 | sum >> 8), wanted);
    }
}

static void a_completed_checksum_verifies(void **state)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct frame_check check;
        make_tcp(777, ipv6);
        struct frame frame = {.bytes = bytes, .size = 777, .offload = {
            .needs_checksum = true, .checksum_start = ipv6 ? 54 : 34, .checksum_offset = 16}};
        frame_verify(bytes, 777, &check);
        assert_int_equal(check.transport, FRAME_BAD);
        assert_true(frame_complete_checksum(&frame));
        frame_verify(bytes, 777, &check);
        assert_int_equal(check.transport, FRAME_GOOD);
        assert_int_equal(check.network, ipv6 ? FRAME_UNCHECKED : FRAME_GOOD);
        bytes[700] ^= 4;
        frame_verify(bytes, 777, &check);
        assert_int_equal(check.transport, FRAME_BAD);
    }
}

static void a_checksum_outside_the_frame_is_refused(void **state)
{
    make_tcp(60, false);
    struct frame frame = {.bytes = bytes, .size = 60, .offload = {
        .needs_checksum = true, .checksum_start = 44, .checksum_offset = 15}};
    assert_false(frame_complete_checksum(&frame));
    frame.offload.checksum_start = 0xffff;
    assert_false(frame_complete_checksum(&frame));
    frame.offload.checksum_start = 42;
    assert_true(frame_complete_checksum(&frame));
}

struct pieces {
    unsigned count;
    size_t payload, header;
    uint32_t sequence;
};

static void take(void *context, struct frame *piece)
{
    struct pieces *pieces = context;
    struct frame_check check;
    struct frame_layout layout;
    frame_verify(piece->bytes, piece->size, &check);
    frame_parse(piece->bytes, piece->size, &layout);
    assert_int_equal(check.transport, FRAME_GOOD);
    assert_int_equal(layout.end, piece->size);
    const uint8_t *tcp = piece->bytes + layout.transport;
    uint32_t sequence = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 |
                        tcp[7];
    assert_int_equal(sequence, pieces->sequence + pieces->payload);
    assert_memory_equal(piece->bytes + layout.payload, bytes + pieces->header + pieces->payload,
                        piece->size - layout.payload);
    pieces->count++;
    pieces->payload += piece->size - layout.payload;
}

static void segments_are_whole_frames_in_order(void **state)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        size_t header = ipv6 ? 74 : 54;
        make_tcp(header + 10000, ipv6);
        const uint8_t *tcp = bytes + header - 20;
        struct pieces pieces = {.header = header,
                                .sequence = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 |
                                            (uint32_t)tcp[6] << 8 | tcp[7]};
        struct frame frame = {.bytes = bytes, .size = header + 10000, .offload = {
            .segmentation = ipv6 ? FRAME_TCP_IPV6 : FRAME_TCP_IPV4, .segment_size = 1448}};
        assert_int_equal(frame_segment(&frame, scratch + FRAME_TAG, take, &pieces), 7);
        assert_int_equal(pieces.count, 7);
        assert_int_equal(pieces.payload, 10000);
    }
}

static void what_cannot_be_cut_is_refused(void **state)
{
    struct pieces pieces = {0};
    make_tcp(2000, false);
    struct frame frame = {.bytes = bytes, .size = 2000,
                          .offload = {.segmentation = FRAME_TCP_IPV4}};
    assert_int_equal(frame_segment(&frame, scratch, take, &pieces), -1); /* segment size 0 */
    frame.offload.segment_size = 100;
    frame.offload.segmentation = FRAME_TCP_IPV6;
    assert_int_equal(frame_segment(&frame, scratch, take, &pieces), -1);
    bytes[23] = 17; /* UDP */
    frame.offload.segmentation = FRAME_TCP_IPV4;
    assert_int_equal(frame_segment(&frame, scratch, take, &pieces), -1);
    assert_int_equal(pieces.count, 0);
}

static void tags_go_in_and_come_out(void **state)
{
    make_tcp(100, false);
    memcpy(scratch, bytes, 100);
    struct frame frame = {.bytes = bytes, .size = 100, .offload = {.tagged = true, .tag = 0xa123}};
    frame_insert_tag(&frame);
    assert_int_equal(frame.size, 104);
    assert_int_equal(frame.bytes[12] << 8 | frame.bytes[13], 0x8100);
    assert_int_equal(frame.bytes[14] << 8 | frame.bytes[15], 0xa123);
    assert_memory_equal(frame.bytes + 16, scratch + 12, 88);
    frame_remove_tag(&frame);
    assert_true(frame.offload.tagged);
    assert_int_equal(frame.offload.tag, 0xa123);
    assert_int_equal(frame.size, 100);
    assert_memory_equal(frame.bytes, scratch, 100);
}

static void a_frame_in_several_places_is_gathered(void **state)
{
    for (int tagged = 0; tagged < 2; tagged++) {
        make_tcp(3000, false);
        memcpy(scratch, bytes, 3000);
        const struct iovec rest[] = {{scratch + 100, 900}, {scratch + 1000, 0},
                                     {scratch + 1000, 2000}};
        struct frame frame = {.bytes = bytes, .size = 3000, .rest = rest, .rest_count = 3,
                              .head = 100, .offload = {.tagged = tagged, .tag = 7}};
        memset(bytes + 100, 0xee, 2900);
        frame_insert_tag(&frame);
        assert_int_equal(frame_gather(&frame), 2900);
        assert_null(frame.rest);
        assert_int_equal(frame_gather(&frame), 0); /* it is in one place now */
        frame_remove_tag(&frame);
        assert_int_equal(frame.size, 3000);
        assert_memory_equal(frame.bytes, scratch, 3000);
    }
}

/* Wherever its bytes are, also if words are in two places. */
static void a_checksum_of_several_places_is_the_same(void **state)
{
    for (size_t odd = 0; odd < 2; odd++) {
        struct frame_check check;
        make_tcp(3000, false);
        memcpy(scratch, bytes, 3000);
        const struct iovec rest[] = {{scratch + 100 + odd, 901}, {scratch + 1001 + odd, 0},
                                     {scratch + 1001 + odd, 1999 - odd}};
        struct frame frame = {.bytes = bytes, .size = 3000, .rest = rest, .rest_count = 3,
                              .head = 100 + odd, .offload = {
            .needs_checksum = true, .checksum_start = 34, .checksum_offset = 16}};
        memset(bytes + frame.head, 0xee, 3000 - frame.head);
        assert_true(frame_complete_checksum(&frame));
        assert_ptr_equal(frame.rest, rest); /* nothing was moved for it */
        frame_gather(&frame);
        frame_verify(bytes, 3000, &check);
        assert_int_equal(check.transport, FRAME_GOOD);
    }
}

static void headers_that_lie_are_no_headers(void **state)
{
    static const struct { size_t offset; uint8_t value; } lies[] = {
        {14, 0x44}, {14, 0x55}, {14, 0x4f}, {16, 0xff}, {46, 0x40}, {46, 0xf0},
    };
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct frame_layout layout;
        make_tcp(70, false);
        bytes[lies[i].offset] = lies[i].value;
        frame_parse(bytes, 70, &layout);
        assert_int_equal(layout.kind, FRAME_OTHER);
    }
    for (size_t size = 0; size < 54; size++) {
        struct frame_layout layout;
        make_tcp(70, false);
        frame_parse(bytes, size, &layout);
        assert_int_equal(layout.kind, FRAME_OTHER);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_agree_with_the_definition),
        cmocka_unit_test(a_completed_checksum_verifies),
        cmocka_unit_test(a_checksum_outside_the_frame_is_refused),
        cmocka_unit_test(segments_are_whole_frames_in_order),
        cmocka_unit_test(what_cannot_be_cut_is_refused),
        cmocka_unit_test(tags_go_in_and_come_out),
        cmocka_unit_test(a_frame_in_several_places_is_gathered),
        cmocka_unit_test(a_checksum_of_several_places_is_the_same),
        cmocka_unit_test(headers_that_lie_are_no_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
