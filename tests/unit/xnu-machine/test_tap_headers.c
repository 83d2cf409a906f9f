/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers of frames for a TAP device: a good checksum becomes one that is to be computed, and
 * computing it gives the same again; what is not plainly there is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/big_endian.h"
#include "xnu/machine/tap_headers.h"

enum { FRAME_MAX = 2000, TCP = 6, UDP = 17 };

struct sample {
    bool tagged, ipv6;
    uint8_t protocol;
    size_t options, payload;
};

static uint8_t frame[FRAME_MAX];

static uint32_t add(const uint8_t *at, size_t size, uint32_t sum)
{
    for (size_t i = 0; i < size; i++) {
        sum += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static size_t transport_of(const struct sample *sample)
{
    return 14u + (sample->tagged ? 4 : 0) + (sample->ipv6 ? 40 : 20 + sample->options);
}

/* A frame with a good checksum; its bytes. */
static size_t make(const struct sample *sample)
{
    size_t ip = 14u + (sample->tagged ? 4 : 0), at = transport_of(sample);
    size_t field = sample->protocol == TCP ? 16 : 6;
    size_t bytes = (sample->protocol == TCP ? 20 : 8) + sample->payload;
    uint32_t sum;

    for (size_t i = 0; i < at + bytes; i++)
        frame[i] = (uint8_t)(i * 37 + bytes);
    if (sample->tagged)
        be16_put(frame + 12, 0x8100);
    be16_put(frame + ip - 2, sample->ipv6 ? 0x86dd : 0x0800);
    frame[ip] = sample->ipv6 ? 0x60 : (uint8_t)(0x45 + sample->options / 4);
    be16_put(frame + ip + (sample->ipv6 ? 4 : 2),
          (uint32_t)(bytes + (sample->ipv6 ? 0 : 20 + sample->options)));
    if (!sample->ipv6)
        be16_put(frame + ip + 6, 0x4000);
    frame[ip + (sample->ipv6 ? 6 : 9)] = sample->protocol;
    be16_put(frame + at + field, 0);
    sum = add(frame + ip + (sample->ipv6 ? 8 : 12), sample->ipv6 ? 32 : 8,
              sample->protocol + (uint32_t)bytes);
    be16_put(frame + at + field, ~add(frame + at, bytes, sum) & 0xffff);
    return at + bytes;
}

static const struct sample samples[] = {
    { .protocol = TCP, .payload = 1000 },
    { .protocol = UDP, .payload = 999 },
    { .protocol = TCP, .options = 40, .payload = 1 },
    { .tagged = true, .protocol = TCP, .payload = 100 },
    { .ipv6 = true, .protocol = TCP, .payload = 77 },
    { .ipv6 = true, .tagged = true, .protocol = UDP, .payload = 0 },
};

static void what_is_computed_again_is_what_was_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct tap_checksum checksum;
        size_t size = make(&samples[i]), at = transport_of(&samples[i]);
        size_t field = at + (samples[i].protocol == TCP ? 16 : 6);
        uint16_t before = be16_get(frame + field);

        assert_true(tap_leave_checksum(frame, size < TAP_HEADERS_MAX ? size : TAP_HEADERS_MAX,
                                       &checksum));
        assert_int_equal(checksum.start, at);
        assert_int_equal(checksum.start + checksum.offset, field);
        /* What an adapter, or Linux, does with it. */
        be16_put(frame + field, ~add(frame + at, size - at, 0) & 0xffff);
        assert_int_equal(be16_get(frame + field), before);
    }
}

/* Of a frame cut anywhere in its headers nothing is read behind the cut, and nothing changes. */
static void a_frame_that_is_cut_is_left_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        size_t headers = transport_of(&samples[i]) + (samples[i].protocol == TCP ? 20 : 8);

        make(&samples[i]);
        for (size_t length = 0; length < headers; length++) {
            uint8_t *cut = malloc(length + (length == 0));
            struct tap_checksum checksum;

            assert_non_null(cut);
            memcpy(cut, frame, length);
            assert_false(tap_leave_checksum(cut, length, &checksum));
            assert_memory_equal(cut, frame, length);
            free(cut);
        }
    }
}

static void refuses(size_t size)
{
    uint8_t copy[FRAME_MAX];
    struct tap_checksum checksum;

    memcpy(copy, frame, size);
    assert_false(tap_leave_checksum(frame, size, &checksum));
    assert_memory_equal(frame, copy, size);
}

static void what_has_no_such_checksum_is_left_alone(void **state)
{
    size_t size;

    (void)state;
    size = make(&samples[0]);
    be16_put(frame + 20, 0x2000); /* more fragments */
    refuses(size);
    size = make(&samples[0]);
    be16_put(frame + 20, 0x0001); /* not the first */
    refuses(size);
    size = make(&samples[1]);
    be16_put(frame + 14 + 20 + 6, 0); /* a datagram without */
    refuses(size);
    size = make(&samples[0]);
    frame[14 + 9] = 1; /* ICMP */
    refuses(size);
    size = make(&samples[4]);
    frame[14 + 6] = 0; /* an extension header */
    refuses(size);
    size = make(&samples[0]);
    be16_put(frame + 12, 0x0806); /* ARP */
    refuses(size);
    size = make(&samples[0]);
    frame[14] = 0x65; /* another version than the type says */
    refuses(size);
    size = make(&samples[0]);
    frame[14] = 0x44; /* a header shorter than one */
    refuses(size);
    size = make(&samples[0]);
    be16_put(frame + 16, 20 + 19); /* less than a TCP header */
    refuses(size);
    size = make(&samples[0]);
    be16_put(frame + 16, 19); /* less than its own header */
    refuses(size);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_computed_again_is_what_was_there),
        cmocka_unit_test(a_frame_that_is_cut_is_left_alone),
        cmocka_unit_test(what_has_no_such_checksum_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
