/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers of outgoing frames: found, prepared for segmentation, moved on for a later part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kext/core/errors.h"
#include "kext/network/headers.h"

static uint8_t frame[HEADERS_MAX];

static void make_ipv4(uint8_t protocol)
{
    static const uint8_t ip[20] = { 0x45, 0, 0x04, 0x00, 0x00, 0xff, 0x40, 0, 64, 0, 0xaa, 0xbb,
                                    10, 0, 0, 1, 10, 0, 0, 2 };

    memset(frame, 0, sizeof frame);
    frame[12] = 0x08;
    memcpy(frame + 14, ip, sizeof ip);
    frame[23] = protocol;
    frame[34 + 4] = 0xff; /* sequence 0xfffffff0 */
    frame[34 + 5] = 0xff;
    frame[34 + 6] = 0xff;
    frame[34 + 7] = 0xf0;
    frame[34 + 12] = 0x50;
    frame[34 + 13] = 0x99; /* CWR, ACK, PSH, FIN */
}

static void headers_are_found_or_refused(void **state)
{
    struct headers headers;

    make_ipv4(6);
    assert_int_equal(headers_find(frame, 54, &headers), 0);
    assert_int_equal(headers.transport, 34);
    assert_int_equal(headers_find(frame, 53, &headers), HV_ERROR_INVALID);
    frame[20] = 0x20; /* a fragment */
    assert_int_equal(headers_find(frame, 54, &headers), HV_ERROR_INVALID);
    make_ipv4(1);
    assert_int_equal(headers_find(frame, 54, &headers), HV_ERROR_INVALID);
    make_ipv4(17);
    assert_int_equal(headers_find(frame, 42, &headers), 0);
    frame[14] = 0x4f; /* the longest header */
    assert_int_equal(headers_find(frame, 81, &headers), HV_ERROR_INVALID);
    assert_int_equal(headers_find(frame, 82, &headers), 0);
    frame[14] = 0x44;
    assert_int_equal(headers_find(frame, 82, &headers), HV_ERROR_INVALID);
}

static void a_flow_has_one_hash_and_flows_spread(void **state)
{
    struct headers headers;
    unsigned seen[16] = { 0 };
    uint32_t hash;

    make_ipv4(6);
    assert_int_equal(headers_find(frame, 54, &headers), 0);
    hash = headers_hash(frame, &headers);
    frame[34 + 7]++;   /* the next segment of the flow */
    frame[34 + 13] = 0x10;
    frame[19]++;
    assert_int_equal(headers_hash(frame, &headers), hash);
    for (unsigned port = 0; port < 1600; port++) {
        frame[34] = (uint8_t)(port >> 8);
        frame[35] = (uint8_t)port;
        seen[headers_hash(frame, &headers) % 16]++;
    }
    for (unsigned i = 0; i < 16; i++)
        assert_in_range(seen[i], 50, 150);
}

static void segmentation_wants_lengths_and_sums_left_out(void **state)
{
    struct headers headers;

    make_ipv4(6);
    assert_int_equal(headers_find(frame, 54, &headers), 0);
    assert_int_equal(headers_prepare_segmentation(frame, 54, &headers), 0);
    assert_int_equal(frame[16] | frame[17] | frame[24] | frame[25], 0);
    /* 10.0.0.1 + 10.0.0.2 + protocol 6 = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 0x0006 */
    assert_int_equal(frame[34 + 16] << 8 | frame[34 + 17], 0x1409);
    make_ipv4(17);
    headers_find(frame, 54, &headers);
    assert_int_equal(headers_prepare_segmentation(frame, 54, &headers), HV_ERROR_INVALID);
}

static void the_length_of_a_tcp_header_is_not_believed_beyond_the_copy(void **state)
{
    struct headers headers;

    make_ipv4(6);
    headers_find(frame, 54, &headers);
    assert_int_equal(headers_tcp_length(frame, 54, &headers), 54);
    frame[34 + 12] = 0x60;
    assert_int_equal(headers_tcp_length(frame, 54, &headers), 0);
    assert_int_equal(headers_tcp_length(frame, 58, &headers), 58);
    frame[34 + 12] = 0x40;
    assert_int_equal(headers_tcp_length(frame, 58, &headers), 0);
}

static void a_later_part_goes_on_where_the_one_before_ended(void **state)
{
    struct headers headers;

    make_ipv4(6);
    headers_find(frame, 54, &headers);
    headers_advance(frame, &headers, 0, 0, false);
    /* CWR stays with the first, FIN and PSH go with the last. */
    assert_int_equal(frame[34 + 13], 0x90);
    make_ipv4(6);
    headers_advance(frame, &headers, 0x20, 2, true);
    assert_int_equal(frame[34 + 13], 0x19);
    assert_int_equal(frame[34 + 7], 0x10); /* the sequence number wraps */
    assert_int_equal(frame[34 + 4], 0);
    assert_int_equal(frame[18] << 8 | frame[19], 0x0101);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_found_or_refused),
        cmocka_unit_test(a_flow_has_one_hash_and_flows_spread),
        cmocka_unit_test(segmentation_wants_lengths_and_sums_left_out),
        cmocka_unit_test(the_length_of_a_tcp_header_is_not_believed_beyond_the_copy),
        cmocka_unit_test(a_later_part_goes_on_where_the_one_before_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
