/* SPDX-License-Identifier: BSD-3-Clause */
/* Several RNDIS packets a message: the host's limits are kept, whatever they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kext/network/batch.h"
#include "protocol/rndis.h"

enum { SECTION = 6144 };

static uint8_t section[SECTION];
static struct batch_limits limits;
static struct batch batch;

static void begin(uint32_t packets, uint32_t bytes, uint32_t factor)
{
    memset(section, 0xee, sizeof section);
    batch = (struct batch){ .bytes = section };
    batch_limits(packets, bytes, factor, SECTION, &limits);
}

/* Adds a packet that says its length, as rndis_packet_header does. */
static bool add(uint32_t size)
{
    const struct rndis_header header = { RNDIS_PACKET, size };
    uint8_t *at;

    if (!batch_has_room(&batch, &limits, size))
        return false;
    at = batch_add(&batch, &limits, size);
    assert_true(at >= section && at + size <= section + sizeof section);
    memset(at, 0x55, size);
    memcpy(at, &header, sizeof header);
    return true;
}

/* Follows the lengths from packet to packet to the end. */
static void check_chain(unsigned packets)
{
    uint32_t at = 0;

    for (unsigned i = 0; i < packets; i++) {
        struct rndis_header header;

        assert_int_equal(at % limits.alignment, 0);
        memcpy(&header, section + at, sizeof header);
        assert_int_equal(header.type, RNDIS_PACKET);
        at += header.length;
    }
    assert_int_equal(at, batch.used);
    assert_int_equal(packets, batch.packets);
}

static void packets_follow_one_another_aligned(void **state)
{
    begin(8, UINT32_MAX, 3);
    assert_true(add(101));
    check_chain(1);
    assert_true(add(64));
    assert_true(add(77));
    check_chain(3);
    assert_int_equal(batch.used, 104 + 64 + 77);
    for (uint32_t i = 101; i < 104; i++)
        assert_int_equal(section[i], 0); /* nothing of an older packet is told */
}

static void no_more_packets_than_the_host_takes(void **state)
{
    begin(8, UINT32_MAX, 3);
    for (unsigned i = 0; i < 8; i++)
        assert_true(add(60));
    assert_false(add(60));
    check_chain(8);
    begin(1, UINT32_MAX, 3);
    assert_true(add(60));
    assert_false(add(60));
    begin(0, UINT32_MAX, 3); /* means one */
    assert_true(add(60));
    assert_false(add(60));
    begin(UINT32_MAX, UINT32_MAX, 0);
    for (unsigned i = 0; i < BATCH_PACKETS_MAX; i++)
        assert_true(add(60));
    assert_false(add(60));
    check_chain(BATCH_PACKETS_MAX);
}

static void no_more_bytes_than_a_section_or_than_the_host_takes(void **state)
{
    begin(64, UINT32_MAX, 3);
    assert_true(add(SECTION - 64));
    assert_false(add(65));
    assert_true(add(64));
    assert_false(add(44));
    begin(64, 4096, 3);
    assert_true(add(2048));
    assert_false(add(2049));
    assert_true(add(2048));
    begin(64, 100, 3); /* less than a frame: one at a time, since frames have to go */
    assert_true(add(1558));
    assert_false(add(44));
}

static void an_impossible_alignment_means_one_packet_a_message(void **state)
{
    for (uint32_t factor = 8; factor != 0; factor *= 2) {
        begin(8, UINT32_MAX, factor);
        assert_true(add(60));
        assert_false(add(60));
        check_chain(1);
    }
    begin(8, UINT32_MAX, 7);
    assert_true(add(60));
    assert_true(add(60));
    check_chain(2);
    assert_int_equal(batch.used, 128 + 60);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_follow_one_another_aligned),
        cmocka_unit_test(no_more_packets_than_the_host_takes),
        cmocka_unit_test(no_more_bytes_than_a_section_or_than_the_host_takes),
        cmocka_unit_test(an_impossible_alignment_means_one_packet_a_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
