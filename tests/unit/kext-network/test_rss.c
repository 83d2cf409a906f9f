/* SPDX-License-Identifier: BSD-3-Clause */
/* Receive side scaling: what of the host's capabilities is believed, and that what the host is told
 * lies where it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kext/core/errors.h"
#include "kext/network/rss.h"

static struct ndis_rss_capabilities host(uint32_t flags, uint32_t queues, uint16_t entries)
{
    return (struct ndis_rss_capabilities){
        .header = { NDIS_OBJECT_RSS_CAPABILITIES, 2, sizeof(struct ndis_rss_capabilities) },
        .flags = flags,
        .messages = 1,
        .receive_queues = queues,
        .indirection_entries = entries,
    };
}

static void the_hosts_queues_are_taken(void **state)
{
    struct ndis_rss_capabilities answer = host(0x301, 16, 128);
    uint32_t channels;

    assert_int_equal(rss_parse_capabilities(&answer, sizeof answer, &channels), 0);
    assert_int_equal(channels, 16);
    answer.receive_queues = 0xffffffff; /* no more than there can be channels */
    assert_int_equal(rss_parse_capabilities(&answer, sizeof answer, &channels), 0);
    assert_int_equal(channels, NVSP_CHANNELS_MAX);
}

static void a_host_that_cannot_spread_gets_one_channel(void **state)
{
    const struct ndis_rss_capabilities answers[] = {
        host(0x300, 16, 128), /* another hash */
        host(0x301, 16, 127), /* a table too small for ours */
        host(0x301, 0, 128),
        host(0x301, 1, 128),
    };
    uint32_t channels;

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        assert_int_equal(rss_parse_capabilities(&answers[i], sizeof answers[i], &channels), 0);
        assert_int_equal(channels, 1);
    }
}

static void malformed_capabilities_are_refused_and_the_next_ones_taken(void **state)
{
    struct ndis_rss_capabilities answer = host(0x301, 4, 128);
    uint32_t channels;

    for (uint32_t length = 0; length < sizeof answer; length++) {
        assert_int_equal(rss_parse_capabilities(&answer, length, &channels), HV_ERROR_MALFORMED);
        assert_int_equal(channels, 1);
    }
    answer.header.type = NDIS_OBJECT_RSS_PARAMETERS;
    assert_int_equal(rss_parse_capabilities(&answer, sizeof answer, &channels), HV_ERROR_MALFORMED);
    answer = host(0x301, 4, 128);
    answer.header.size = sizeof answer - 1;
    assert_int_equal(rss_parse_capabilities(&answer, sizeof answer, &channels), HV_ERROR_MALFORMED);
    answer.header.size = sizeof answer;
    assert_int_equal(rss_parse_capabilities(&answer, sizeof answer, &channels), 0);
    assert_int_equal(channels, 4);
}

static void parameters_name_every_channel_equally_often(void **state)
{
    uint8_t message[RSS_MESSAGE_BYTES];
    struct ndis_rss_parameters parameters;

    for (uint32_t channels = 1; channels <= 8; channels++) {
        unsigned seen[8] = { 0 };

        rss_parameters(channels, message);
        memcpy(&parameters, message, sizeof parameters);
        assert_int_equal(parameters.table_bytes, NDIS_RSS_TABLE_ENTRIES * 4);
        assert_int_equal(parameters.key_bytes, NDIS_RSS_KEY_BYTES);
        assert_int_equal(parameters.table_offset + parameters.table_bytes, parameters.key_offset);
        assert_int_equal(parameters.key_offset + parameters.key_bytes, sizeof message);
        assert_int_equal(parameters.hash & NDIS_RSS_HASH_TOEPLITZ, NDIS_RSS_HASH_TOEPLITZ);
        for (uint32_t i = 0; i < NDIS_RSS_TABLE_ENTRIES; i++) {
            uint32_t entry;

            memcpy(&entry, message + parameters.table_offset + i * 4, sizeof entry);
            assert_true(entry < channels);
            seen[entry]++;
        }
        for (uint32_t i = 0; i < channels; i++)
            assert_in_range(seen[i], NDIS_RSS_TABLE_ENTRIES / channels,
                            NDIS_RSS_TABLE_ENTRIES / channels + 1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hosts_queues_are_taken),
        cmocka_unit_test(a_host_that_cannot_spread_gets_one_channel),
        cmocka_unit_test(malformed_capabilities_are_refused_and_the_next_ones_taken),
        cmocka_unit_test(parameters_name_every_channel_equally_often),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
