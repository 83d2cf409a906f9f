/* SPDX-License-Identifier: BSD-3-Clause */
/* Packet parsing and GPA-direct ranges (D4, D10, D21). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/vmbus/packet.h"

enum { RAM_PAGES = 64, RAM_BASE = 0x100000 };

struct packet_bench {
    uint8_t *ram;
    struct guest_memory memory;
};

static int setup(void **state)
{
    struct packet_bench *bench = calloc(1, sizeof(*bench));
    bench->ram = aligned_alloc(4096, RAM_PAGES * 4096);
    guest_memory_initialise(&bench->memory);
    assert_int_equal(guest_memory_add(&bench->memory, RAM_BASE, RAM_PAGES * 4096, bench->ram), 0);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct packet_bench *bench = *state;
    free(bench->ram);
    free(bench);
    return 0;
}

/* A GPA-direct packet in the making. */
struct gpa_packet {
    uint64_t words[64];
    unsigned count;
};

static struct gpa_packet gpa_packet(uint32_t range_count)
{
    struct gpa_packet packet = {.count = 3};
    packet.words[2] = (uint64_t)range_count << 32;
    return packet;
}

static void add_range(struct gpa_packet *packet, uint32_t bytes, uint32_t offset, unsigned pages,
                      const uint64_t *numbers)
{
    packet->words[packet->count++] = bytes | (uint64_t)offset << 32;
    for (unsigned i = 0; i < pages; i++) {
        packet->words[packet->count++] = numbers[i];
    }
}

static int parse(struct gpa_packet *packet, unsigned data_words, struct host_packet *parsed,
                 const char **rule)
{
    const struct vmbus_packet_header header = {
        VMBUS_PACKET_GPA_DIRECT, (uint16_t)packet->count, (uint16_t)(packet->count + data_words),
        VMBUS_PACKET_FLAG_COMPLETION_REQUESTED, 0x1234};
    memcpy(packet->words, &header, sizeof(header));
    return host_packet_parse((uint8_t *)packet->words, 8 * (packet->count + data_words), false,
                             parsed, rule);
}

static int parse_bytes(uint16_t type, uint16_t flags, const void *data, size_t size, bool pipe,
                       struct host_packet *parsed, const char **rule)
{
    static uint8_t bytes[256];
    size_t length = (16 + size + 7) & ~(size_t)7;
    const struct vmbus_packet_header header = {type, 2, (uint16_t)(length / 8), flags, 77};
    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + 16, data, size);
    return host_packet_parse(bytes, length, pipe, parsed, rule);
}

static void an_in_band_packet_is_taken_apart(void **state)
{
    struct host_packet packet;
    const char *rule;
    assert_int_equal(parse_bytes(6, 1, "hello", 5, false, &packet, &rule), 0);
    assert_int_equal(packet.type, VMBUS_PACKET_IN_BAND);
    assert_true(packet.completion_requested);
    assert_int_equal(packet.transaction_id, 77);
    assert_int_equal(packet.payload_size, 8);
    assert_memory_equal(packet.payload, "hello\0\0\0", 8);
    assert_int_equal(packet.range_count, 0);
}

static void types_that_no_guest_sends_are_refused(void **state)
{
    for (unsigned type = 0; type < 20; type++) {
        struct host_packet packet;
        const char *rule;
        bool good = type == 6 || type == 11;
        if (type != 9) {
            assert_int_equal(parse_bytes((uint16_t)type, 0, "", 0, false, &packet, &rule),
                             good ? 0 : -EBADMSG);
        }
    }
}

static void unknown_flags_are_refused(void **state)
{
    struct host_packet packet;
    const char *rule;
    for (unsigned bit = 1; bit < 16; bit++) {
        assert_int_equal(parse_bytes(6, (uint16_t)(1u << bit), "", 0, false, &packet, &rule),
                         -EBADMSG);
        assert_non_null(strstr(rule, "flags"));
    }
    assert_int_equal(parse_bytes(11, 1, "", 0, false, &packet, &rule), -EBADMSG);
}

static void a_pipe_header_is_checked_and_removed(void **state)
{
    struct host_packet packet;
    const char *rule;
    const uint32_t good[] = {1, 5, 0x6c6c6568, 'o'};
    assert_int_equal(parse_bytes(6, 0, good, sizeof(good), true, &packet, &rule), 0);
    assert_int_equal(packet.payload_size, 5);
    assert_memory_equal(packet.payload, "hello", 5);
    const uint32_t bad[][2] = {{2, 4}, {0, 4}, {3, 0}, {1, 9}, {1, 0xFFFFFFFF}, {1, 0xFFFFFFF8}};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint32_t data[4] = {bad[i][0], bad[i][1]};
        assert_int_equal(parse_bytes(6, 0, data, sizeof(data), true, &packet, &rule), -EBADMSG);
    }
    assert_int_equal(parse_bytes(6, 0, "", 0, true, &packet, &rule), -EBADMSG);
    const uint32_t empty[] = {1, 0};
    assert_int_equal(parse_bytes(6, 0, empty, sizeof(empty), true, &packet, &rule), 0);
    assert_int_equal(packet.payload_size, 0);
}

static void ranges_become_guest_memory_with_neighbours_merged(void **state)
{
    struct packet_bench *bench = *state;
    struct host_packet parsed;
    const char *rule;
    const uint64_t neighbours[] = {0x100, 0x101, 0x102}, apart[] = {0x105, 0x104};
    struct gpa_packet packet = gpa_packet(2);
    add_range(&packet, 10000, 100, 3, neighbours);
    add_range(&packet, 4096 + 96, 4000, 2, apart);
    assert_int_equal(parse(&packet, 2, &parsed, &rule), 0);
    assert_int_equal(parsed.range_count, 2);
    assert_int_equal(parsed.payload_size, 16);
    struct iovec vector[8];
    size_t size;
    assert_int_equal(host_packet_map_ranges(&bench->memory, &parsed, 0, vector, 8, &size), 1);
    assert_int_equal(size, 10000);
    assert_ptr_equal(vector[0].iov_base, bench->ram + 100);
    assert_int_equal(vector[0].iov_len, 10000);
    assert_int_equal(host_packet_map_ranges(&bench->memory, &parsed, 1, vector, 8, &size), 2);
    assert_int_equal(size, 4192);
    assert_ptr_equal(vector[0].iov_base, bench->ram + 5 * 4096 + 4000);
    assert_int_equal(vector[0].iov_len, 96);
    assert_ptr_equal(vector[1].iov_base, bench->ram + 4 * 4096);
    assert_int_equal(vector[1].iov_len, 4096);
    assert_int_equal(
        host_packet_map_ranges(&bench->memory, &parsed, HOST_ALL_RANGES, vector, 8, &size), 3);
    assert_int_equal(size, 14192);
    assert_int_equal(
        host_packet_map_ranges(&bench->memory, &parsed, HOST_ALL_RANGES, vector, 2, &size),
        -E2BIG);
    assert_int_equal(host_packet_map_ranges(&bench->memory, &parsed, 2, vector, 8, &size), -EINVAL);
    assert_int_equal(host_packet_map_ranges(&bench->memory, &parsed, -2, vector, 8, &size),
                     -EINVAL);
}

static void ranges_outside_ram_are_refused(void **state)
{
    static const uint64_t bad[] = {
        0xFF, 0x100 + RAM_PAGES, UINT64_MAX, (UINT64_C(1) << 52) + 0x100, UINT64_MAX >> 12,
    };
    struct packet_bench *bench = *state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct host_packet parsed;
        const char *rule;
        const uint64_t pages[] = {0x100, bad[i]};
        struct gpa_packet packet = gpa_packet(1);
        add_range(&packet, 8192, 0, 2, pages);
        assert_int_equal(parse(&packet, 0, &parsed, &rule), 0);
        struct iovec vector[8];
        size_t size;
        assert_int_equal(
            host_packet_map_ranges(&bench->memory, &parsed, HOST_ALL_RANGES, vector, 8, &size),
            -EFAULT);
    }
}

static void malformed_range_lists_are_refused(void **state)
{
    static const struct {
        uint32_t count, bytes, offset;
        unsigned pages;
    } bad[] = {
        {0, 4096, 0, 1},          /* no range at all */
        {2, 4096, 0, 1},          /* one missing */
        {0xFFFFFFFF, 4096, 0, 1}, /* very many missing */
        {1, 0, 0, 1},             /* empty range */
        {1, 4096, 4096, 2},       /* offset beyond the page */
        {1, 4096, 0xFFFFFFFF, 2}, {1, 4097, 0, 1}, /* a page missing */
        {1, 4096, 1, 1},          {1, 0xFFFFFFFF, 4095, 3},
    };
    const uint64_t pages[] = {0x100, 0x101, 0x102};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct host_packet parsed;
        const char *rule;
        struct gpa_packet packet = gpa_packet(bad[i].count);
        add_range(&packet, bad[i].bytes, bad[i].offset, bad[i].pages, pages);
        assert_int_equal(parse(&packet, 3, &parsed, &rule), -EBADMSG);
    }
}

static void a_gpa_direct_packet_too_short_for_its_count_is_refused(void **state)
{
    struct host_packet packet;
    const char *rule;
    assert_int_equal(parse_bytes(9, 0, "\1\1\1\1\1\1\1\1", 8, false, &packet, &rule), -EBADMSG);
    assert_non_null(strstr(rule, "range count"));
}

int main(void)
{
#define PACKET_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        PACKET_TEST(an_in_band_packet_is_taken_apart),
        PACKET_TEST(types_that_no_guest_sends_are_refused),
        PACKET_TEST(unknown_flags_are_refused),
        PACKET_TEST(a_pipe_header_is_checked_and_removed),
        PACKET_TEST(ranges_become_guest_memory_with_neighbours_merged),
        PACKET_TEST(ranges_outside_ram_are_refused),
        PACKET_TEST(malformed_range_lists_are_refused),
        PACKET_TEST(a_gpa_direct_packet_too_short_for_its_count_is_refused),
    };
    return cmocka_run_group_tests_name("vmbus packets", tests, NULL, NULL);
}
