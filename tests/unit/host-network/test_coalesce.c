/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments that are put together: cut again they are the same, and what does not belong together
 * passes as it is, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/network/coalesce.h"

enum { ROOM = FRAME_TAG + FRAME_SIZE_MAX, TAKEN_MAX = 256, MSS = 1000 };

struct segment {
    uint8_t room[FRAME_TAG];
    uint8_t bytes[FRAME_HEADER + 60 + MSS + 100];
    size_t size;
    struct frame_offload offload;
};

static struct coalesce coalesce;
static struct frame taken[TAKEN_MAX]; /* bytes in memory of their own */
static unsigned taken_count;

static void take(void *context, struct frame *frame)
{
    assert_true(taken_count < TAKEN_MAX);
    taken[taken_count] = *frame;
    taken[taken_count].bytes = malloc(FRAME_TAG + frame->size);
    assert_non_null(taken[taken_count].bytes);
    taken[taken_count].bytes += FRAME_TAG;
    memcpy(taken[taken_count].bytes, frame->bytes, frame->size);
    taken_count++;
}

static int set_up(void **state)
{
    coalesce_init(&coalesce, take, NULL);
    return 0;
}

static int tear_down(void **state)
{
    for (unsigned i = 0; i < taken_count; i++) {
        free(taken[i].bytes - FRAME_TAG);
    }
    taken_count = 0;
    coalesce_free(&coalesce);
    return 0;
}

struct shape {
    bool ipv6;
    uint16_t port;       /* tells flows apart */
    uint32_t sequence;
    uint16_t identification;
    uint8_t flags;
    size_t payload;
};

static uint8_t *tcp_of(struct segment *segment, bool ipv6)
{
    return segment->bytes + FRAME_HEADER + (ipv6 ? 40 : 20);
}

/* Fills in both checksums. */
static void seal(struct segment *segment)
{
    struct frame_layout layout;
    frame_parse(segment->bytes, segment->size, &layout);
    assert_int_equal(layout.kind, FRAME_TCP);
    if (layout.ipv4) {
        frame_ipv4_header_checksum(segment->bytes, &layout);
    }
    size_t length = layout.end - layout.transport;
    uint8_t *tcp = segment->bytes + layout.transport;
    memset(tcp + 16, 0, 2);
    uint16_t sum = (uint16_t)~frame_fold(
        frame_sum(tcp, length, frame_pseudo_sum(segment->bytes, &layout, length)));
    memcpy(tcp + 16, &sum, 2);
}

static void make(struct segment *segment, const struct shape *shape)
{
    size_t ip_header = shape->ipv6 ? 40 : 20, total = ip_header + 20 + shape->payload;
    uint8_t *ip = segment->bytes + FRAME_HEADER, *tcp = ip + ip_header;
    memset(segment, 0, sizeof(*segment));
    segment->size = FRAME_HEADER + total;
    segment->bytes[12] = shape->ipv6 ? 0x86 : 0x08;
    segment->bytes[13] = shape->ipv6 ? 0xdd : 0x00;
    ip[0] = shape->ipv6 ? 0x60 : 0x45;
    size_t length = shape->ipv6 ? total - 40 : total;
    ip[shape->ipv6 ? 4 : 2] = (uint8_t)(length >> 8);
    ip[shape->ipv6 ? 5 : 3] = (uint8_t)length;
    ip[shape->ipv6 ? 6 : 9] = 6;
    ip[shape->ipv6 ? 7 : 8] = 64;
    if (!shape->ipv6) {
        ip[4] = (uint8_t)(shape->identification >> 8);
        ip[5] = (uint8_t)shape->identification;
    }
    tcp[0] = (uint8_t)(shape->port >> 8);
    tcp[1] = (uint8_t)shape->port;
    for (int i = 0; i < 4; i++) {
        tcp[4 + i] = (uint8_t)(shape->sequence >> (24 - 8 * i));
    }
    tcp[12] = 0x50;
    tcp[13] = shape->flags;
    for (size_t i = 0; i < shape->payload; i++) {
        tcp[20 + i] = (uint8_t)((shape->sequence + i) * 7);
    }
    seal(segment);
}

static void add(struct segment *segment)
{
    struct frame frame = {segment->bytes, segment->size, segment->offload};
    coalesce_add(&coalesce, &frame);
}

static void add_shape(const struct shape *shape)
{
    struct segment segment;
    make(&segment, shape);
    add(&segment);
}

/* The n-th segment of a stream. */
static struct shape nth(unsigned n, bool ipv6)
{
    return (struct shape){ipv6, 80, 0xfffffe00 + n * MSS, (uint16_t)(65530 + n), 0x10, MSS};
}

static void expect_same(const struct frame *frame, const struct segment *segment)
{
    assert_int_equal(frame->size, segment->size);
    assert_memory_equal(frame->bytes, segment->bytes, segment->size);
    assert_int_equal(frame->offload.segmentation, FRAME_WHOLE);
}

static struct segment *cut_wanted;
static unsigned cut_count;

static void compare_piece(void *context, struct frame *piece)
{
    expect_same(piece, &cut_wanted[cut_count++]);
}

/* A frame that was put together, cut again. */
static void expect_cut(struct frame *frame, struct segment *wanted, unsigned count)
{
    static uint8_t scratch[ROOM];
    cut_wanted = wanted;
    cut_count = 0;
    assert_int_equal(frame_segment(frame, scratch + FRAME_TAG, compare_piece, NULL), count);
    assert_int_equal(cut_count, count);
}

static void segments_become_one_frame_that_is_cut_into_the_same(void **state)
{
    static struct segment segments[20];
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        for (unsigned i = 0; i < 20; i++) {
            struct shape shape = nth(i, ipv6);
            if (i == 19) {
                shape.flags |= 0x08;
                shape.payload = 17;
            }
            make(&segments[i], &shape);
            add(&segments[i]);
        }
        assert_int_equal(taken_count, 1); /* the push ends it */
        assert_int_equal(taken[0].offload.segment_size, MSS);
        assert_int_equal(taken[0].offload.segmentation, ipv6 ? FRAME_TCP_IPV6 : FRAME_TCP_IPV4);
        expect_cut(&taken[0], segments, 20);
        tear_down(NULL);
        set_up(NULL);
    }
}

static void a_burst_ends_with_the_flush(void **state)
{
    struct segment segments[2];
    for (unsigned i = 0; i < 2; i++) {
        struct shape shape = nth(i, false);
        make(&segments[i], &shape);
        add(&segments[i]);
    }
    assert_int_equal(taken_count, 0);
    coalesce_flush(&coalesce);
    assert_int_equal(taken_count, 1);
    expect_cut(&taken[0], segments, 2);
    coalesce_flush(&coalesce);
    assert_int_equal(taken_count, 1);
}

static void a_single_segment_passes_as_it_came(void **state)
{
    struct segment segment;
    struct shape shape = nth(0, false);
    make(&segment, &shape);
    segment.offload.tagged = true;
    segment.offload.tag = 5;
    add(&segment);
    coalesce_flush(&coalesce);
    assert_int_equal(taken_count, 1);
    expect_same(&taken[0], &segment);
    assert_true(taken[0].offload.tagged && taken[0].offload.tag == 5);
    assert_false(taken[0].offload.needs_checksum);
}

static void a_checksum_that_is_left_to_us_stays_so(void **state)
{
    static uint8_t scratch[ROOM];
    struct segment segments[2], whole[2];
    for (unsigned i = 0; i < 2; i++) {
        struct shape shape = nth(i, false);
        make(&segments[i], &shape);
        whole[i] = segments[i];
        memset(tcp_of(&segments[i], false) + 16, 0x55, 2); /* of no account */
        segments[i].offload =
            (struct frame_offload){.needs_checksum = true, .checksum_start = 34,
                                   .checksum_offset = 16};
        add(&segments[i]);
    }
    coalesce_flush(&coalesce);
    assert_int_equal(taken_count, 1);
    cut_wanted = whole;
    cut_count = 0;
    assert_int_equal(frame_segment(&taken[0], scratch + FRAME_TAG, compare_piece, NULL), 2);
}

/* Each change of the second segment keeps the two apart, and both pass unchanged, in order; the
 * third, which continues the second, goes with it if the second may be continued. */
static void what_differs_stays_apart(void **state)
{
    static const struct {
        int offset;      /* from the IP header; TCP's from 100 on */
        uint8_t change;  /* exclusive or */
    } changes[] = {
        {1, 0x01},    /* congestion */
        {1, 0x10},    /* class of traffic */
        {4, 0x40},    /* identification */
        {8, 0x03},    /* time to live */
        {15, 0x01},   /* address */
        {102, 0x01},  /* the other port */
        {104, 0x01},  /* sequence */
        {108, 0x01},  /* acknowledgement */
        {112, 0x01},  /* reserved bit */
        {113, 0x01},  /* FIN */
        {113, 0x04},  /* RST */
        {113, 0x20},  /* URG */
        {113, 0x40},  /* ECE */
        {113, 0x80},  /* CWR */
        {114, 0x01},  /* window */
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct segment segments[2];
        for (unsigned n = 0; n < 2; n++) {
            struct shape shape = nth(n, false);
            make(&segments[n], &shape);
        }
        int offset = changes[i].offset;
        segments[1].bytes[FRAME_HEADER + (offset < 100 ? offset : offset - 80)] ^=
            changes[i].change;
        seal(&segments[1]);
        add(&segments[0]);
        add(&segments[1]);
        coalesce_flush(&coalesce);
        assert_int_equal(taken_count, 2);
        expect_same(&taken[0], &segments[0]);
        expect_same(&taken[1], &segments[1]);
        tear_down(NULL);
        set_up(NULL);
    }
}

static void a_wrong_checksum_stays_wrong_and_apart(void **state)
{
    for (int where = 0; where < 2; where++) { /* the packet's, the segment's */
        struct segment segments[3];
        for (unsigned n = 0; n < 3; n++) {
            struct shape shape = nth(n, false);
            make(&segments[n], &shape);
        }
        segments[1].bytes[where == 0 ? FRAME_HEADER + 10 : 300] ^= 0x20;
        for (unsigned n = 0; n < 3; n++) {
            add(&segments[n]);
        }
        coalesce_flush(&coalesce);
        assert_int_equal(taken_count, 3);
        for (unsigned n = 0; n < 3; n++) {
            expect_same(&taken[n], &segments[n]);
        }
        tear_down(NULL);
        set_up(NULL);
    }
}

static void identifications_of_unfragmentable_packets_may_stay(void **state)
{
    for (unsigned i = 0; i < 2; i++) {
        struct segment segment;
        struct shape shape = nth(i, false);
        make(&segment, &shape);
        memset(segment.bytes + FRAME_HEADER + 4, 0, 2);
        segment.bytes[FRAME_HEADER + 6] = 0x40;
        seal(&segment);
        add(&segment);
    }
    coalesce_flush(&coalesce);
    assert_int_equal(taken_count, 1);
}

static void a_tag_keeps_apart(void **state)
{
    struct segment segment;
    for (unsigned i = 0; i < 4; i++) {
        struct shape shape = nth(i, false);
        make(&segment, &shape);
        segment.offload.tagged = i > 0;
        segment.offload.tag = i < 3 ? 5 : 6;
        add(&segment);
    }
    coalesce_flush(&coalesce);
    assert_int_equal(taken_count, 3);
    assert_int_equal(taken[1].offload.segmentation, FRAME_TCP_IPV4);
    assert_true(taken[1].offload.tagged && taken[1].offload.tag == 5);
    assert_int_equal(taken[2].offload.tag, 6);
}

static void flows_do_not_disturb_each_other(void **state)
{
    for (unsigned i = 0; i < 5; i++) {
        for (uint16_t port = 1; port <= 4; port++) {
            struct shape shape = nth(i, port % 2 == 0);
            shape.port = port;
            add_shape(&shape);
        }
    }
    assert_int_equal(taken_count, 0);
    coalesce_flush(&coalesce);
    assert_int_equal(taken_count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(taken[i].size > 5 * MSS);
    }
}

static void more_flows_than_places_pass_all(void **state)
{
    for (unsigned i = 0; i < 2; i++) {
        for (uint16_t port = 1; port <= 3 * COALESCE_FLOWS; port++) {
            struct shape shape = nth(i, false);
            shape.port = port;
            add_shape(&shape);
        }
    }
    coalesce_flush(&coalesce);
    assert_int_equal(taken_count, 6 * COALESCE_FLOWS);
}

/* An acknowledgement without data must not overtake the data before it. */
static void nothing_overtakes_within_a_flow(void **state)
{
    struct shape data = nth(0, false), other = nth(0, false), empty = nth(1, false);
    other.port = 81;
    empty.payload = 0;
    add_shape(&data);
    add_shape(&other);
    add_shape(&empty);
    assert_int_equal(taken_count, 2);
    assert_int_equal(taken[0].size, FRAME_HEADER + 40 + MSS);
    assert_int_equal(taken[1].size, FRAME_HEADER + 40);
}

static void a_fragment_waits_for_all_before_it(void **state)
{
    struct segment segment;
    struct shape shape = nth(0, false);
    add_shape(&shape);
    make(&segment, &shape);
    segment.bytes[FRAME_HEADER + 6] = 0x20; /* more fragments */
    add(&segment);
    assert_int_equal(taken_count, 2);
    assert_memory_equal(taken[1].bytes, segment.bytes, segment.size);
}

static void no_frame_is_larger_than_a_packet_may_be(void **state)
{
    for (unsigned i = 0; i < 200; i++) {
        struct shape shape = nth(i, false);
        add_shape(&shape);
    }
    coalesce_flush(&coalesce);
    size_t total = 0;
    for (unsigned i = 0; i < taken_count; i++) {
        struct frame_layout layout;
        assert_true(taken[i].size <= FRAME_HEADER + 65535);
        frame_parse(taken[i].bytes, taken[i].size, &layout);
        assert_int_equal(layout.end, taken[i].size);
        total += taken[i].size - layout.payload;
    }
    assert_int_equal(total, 200 * MSS);
    assert_true(taken_count < 6);
}

/* Whatever comes: every frame passes, none twice. */
static void bytes_of_any_kind_pass(void **state)
{
    static struct segment segment;
    srand(7);
    for (unsigned i = 0; i < 200; i++) {
        struct shape shape = nth(i % 3, i % 5 == 0);
        make(&segment, &shape);
        segment.bytes[(unsigned)rand() % 60] ^= (uint8_t)rand();
        segment.size = (unsigned)rand() % (segment.size + 1);
        add(&segment);
        coalesce_flush(&coalesce);
    }
    assert_int_equal(taken_count, 200);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(segments_become_one_frame_that_is_cut_into_the_same),
        CASE(a_burst_ends_with_the_flush),
        CASE(a_single_segment_passes_as_it_came),
        CASE(a_checksum_that_is_left_to_us_stays_so),
        CASE(what_differs_stays_apart),
        CASE(a_wrong_checksum_stays_wrong_and_apart),
        CASE(identifications_of_unfragmentable_packets_may_stay),
        CASE(a_tag_keeps_apart),
        CASE(flows_do_not_disturb_each_other),
        CASE(more_flows_than_places_pass_all),
        CASE(nothing_overtakes_within_a_flow),
        CASE(a_fragment_waits_for_all_before_it),
        CASE(no_frame_is_larger_than_a_packet_may_be),
        CASE(bytes_of_any_kind_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
