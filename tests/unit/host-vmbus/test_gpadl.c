/* SPDX-License-Identifier: BSD-3-Clause */
/* GPADLs: assembling from messages, refusing the malformed, teardown, access (D6, D15). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/host-vmbus/bench.h"

/* A GPADL header message with room for 27 words. */
struct gpadl_message {
    union {
        struct vmbus_message_gpadl_header header;
        struct {
            uint8_t start[sizeof(struct vmbus_message_gpadl_header)];
            uint64_t words[VMBUS_GPADL_HEADER_WORDS];
        } WIRE_PACKED;
        uint8_t bytes[VMBUS_MESSAGE_SIZE_MAXIMUM];
    };
};

static struct bench *connected_bench(void)
{
    struct bench *bench = bench_create(VMBUS_VERSION_5_2);
    bench_plug(bench);
    bench_connect(bench, VMBUS_VERSION_5_2);
    return bench;
}

/* One range of `pages` pages from page 100 on. */
static struct gpadl_message message_of(uint32_t id, unsigned pages)
{
    struct gpadl_message message = {.header = {
        .header.type = VMBUS_MESSAGE_GPADL_HEADER,
        .channel_id = 1,
        .gpadl_id = id,
        .range_buffer_length = (uint16_t)(8 * (pages + 1)),
        .range_count = 1,
    }};
    message.words[0] = (uint64_t)pages * HV_PAGE_SIZE;
    for (unsigned i = 0; i < pages && i < 26; i++) {
        message.words[1 + i] = 100 + i;
    }
    return message;
}

static void post(struct bench *bench, const struct gpadl_message *message)
{
    assert_int_equal(bench_post(bench, message, VMBUS_MESSAGE_SIZE_MAXIMUM), HV_STATUS_SUCCESS);
}

static void every_number_of_pages_is_answered_once_after_its_last_message(void **state)
{
    static const struct {
        unsigned pages, messages;
    } cases[] = {
        {1, 1},  {2, 1},  {25, 1}, {26, 1}, {27, 2},   {53, 2},   {54, 2},
        {55, 3}, {66, 3}, {82, 3}, {83, 4}, {258, 10}, {8190, 293},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench *bench = connected_bench();
        unsigned messages = bench_gpadl(bench, 1, 5, 100, cases[i].pages);
        assert_int_equal(messages, cases[i].messages);
        bench_expect(bench, "gpadl_created 1 5 0\n");
        bench_teardown(bench, 1, 5);
        bench_expect(bench, "gpadl_torndown 5\n");
        assert_int_equal(bench->violations, 0);
        bench_free(bench);
    }
}

static void nothing_is_answered_while_bodies_are_missing(void **state)
{
    struct bench *bench = connected_bench();
    struct gpadl_message message = message_of(5, 27);
    post(bench, &message);
    bench_expect(bench, "");
    bench_teardown(bench, 1, 5);
    bench_expect_violation(bench, "complete");
    const uint32_t body[] = {VMBUS_MESSAGE_GPADL_BODY, 0, 0, 5, 300, 0};
    bench_post(bench, body, sizeof(body));
    bench_expect(bench, "gpadl_created 1 5 0\n");
    bench_post(bench, body, sizeof(body));
    bench_expect_violation(bench, "incomplete header");
    bench_expect(bench, "");
    bench_free(bench);
}

static void an_empty_body_fails_the_creation(void **state)
{
    struct bench *bench = connected_bench();
    struct gpadl_message message = message_of(5, 27);
    post(bench, &message);
    struct vmbus_message_gpadl_body body = {.header.type = VMBUS_MESSAGE_GPADL_BODY,
                                            .gpadl_id = 5};
    bench_post(bench, &body, sizeof(body));
    bench_expect(bench, "gpadl_created 1 5 8000ffff\n");
    bench_expect_violation(bench, "carries page numbers");
    bench_gpadl(bench, 1, 5, 100, 30);
    bench_expect(bench, "gpadl_created 1 5 0\n");
    bench_free(bench);
}

static void malformed_headers_are_refused_and_the_next_good_one_works(void **state)
{
    static const char *const rules[] = {
        "id is not 0", "one range",  "whole ranges", "whole ranges", "whole ranges",
        "guest RAM",   "guest RAM", "guest RAM",    "guest RAM",
    };
    for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        struct bench *bench = connected_bench();
        struct gpadl_message message = message_of(5, 2);
        switch (i) {
        case 0: message.header.gpadl_id = 0; break;
        case 1: message.header.range_count = 0; break;
        case 2: message.header.range_buffer_length = 0; break;
        case 3: message.header.range_buffer_length = 20; break;
        case 4: message.header.range_count = 2; break;
        case 5: message.words[0] = 3 * HV_PAGE_SIZE; break;          /* a page missing */
        case 6: message.words[0] = 0; break;                         /* no bytes */
        case 7: message.words[0] |= UINT64_C(4096) << 32; break;     /* offset too large */
        case 8: message.words[2] = BENCH_RAM_PAGES; break;           /* not RAM */
        }
        post(bench, &message);
        bench_expect(bench, i == 0 ? "gpadl_created 1 0 8000ffff\n"
                                   : "gpadl_created 1 5 8000ffff\n");
        bench_expect_violation(bench, rules[i]);
        assert_int_equal(vmbus_server_gpadl_count(bench->server), 0);
        message = message_of(5, 2);
        post(bench, &message);
        bench_expect(bench, "gpadl_created 1 5 0\n");
        bench_free(bench);
    }
}

static void a_page_number_that_overflows_an_address_is_not_ram(void **state)
{
    struct bench *bench = connected_bench();
    struct gpadl_message message = message_of(5, 1);
    message.words[1] = (UINT64_C(1) << 52) + 100; /* shifted, it would be page 100 */
    post(bench, &message);
    bench_expect(bench, "gpadl_created 1 5 8000ffff\n");
    bench_free(bench);
}

static void an_id_in_use_and_an_unknown_channel_are_refused(void **state)
{
    struct bench *bench = connected_bench();
    struct gpadl_message message = message_of(5, 2);
    post(bench, &message);
    post(bench, &message);
    bench_expect(bench, "gpadl_created 1 5 0\ngpadl_created 1 5 8000ffff\n");
    bench_expect_violation(bench, "not in use");
    message.header.channel_id = 77;
    message.header.gpadl_id = 6;
    post(bench, &message);
    bench_expect(bench, "gpadl_created 4d 6 8000ffff\n");
    bench_expect_violation(bench, "channel exists");
    assert_int_equal(vmbus_server_gpadl_count(bench->server), 1);
    bench_free(bench);
}

static void wrong_teardowns_get_no_answer(void **state)
{
    struct bench *bench = connected_bench();
    struct bench_device other = {0};
    assert_int_equal(bench_plug_device(bench, &other, 0xd2, 0, false), 0);
    bench_gpadl(bench, 1, 5, 100, 2);
    bench->text[0] = '\0';
    bench_teardown(bench, 1, 6);
    bench_expect_violation(bench, "GPADL exists");
    bench_teardown(bench, 2, 5);
    bench_expect_violation(bench, "belongs to this channel");
    bench_expect(bench, "");
    bench_teardown(bench, 1, 5);
    bench_expect(bench, "gpadl_torndown 5\n");
    bench_teardown(bench, 1, 5);
    bench_expect_violation(bench, "GPADL exists");
    bench_free(bench);
}

static void the_ring_of_an_open_channel_is_kept_until_the_device_lets_go(void **state)
{
    struct bench *bench = connected_bench();
    bench_open_channel(bench, 1);
    bench_teardown(bench, 1, 101);
    bench_expect(bench, "");
    bench_expect_violation(bench, "closed before its ring");
    bench_teardown(bench, 1, 101);
    bench_expect_violation(bench, "already");
    bench->device.keep_channels = true;
    bench_channel_message(bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
    bench_expect(bench, "closed 1\n");
    host_channel_released(bench->device.last_closed);
    bench_expect(bench, "gpadl_torndown 65\n");
    bench_free(bench);
}

static void a_device_is_asked_for_its_buffers(void **state)
{
    struct bench *bench = connected_bench();
    bench_open_channel(bench, 1);
    bench->device.keep_gpadls = true;
    bench_gpadl(bench, 1, 5, 100, 2);
    bench_expect(bench, "device gpadl 5\ngpadl_created 1 5 0\n");
    struct host_gpadl *gpadl = host_channel_gpadl(bench->device.primary, 5);
    assert_non_null(gpadl);
    assert_null(host_channel_gpadl(bench->device.primary, 101)); /* the ring is no buffer */
    bench_teardown(bench, 1, 5);
    bench_expect(bench, "device teardown 5\n");
    assert_null(host_channel_gpadl(bench->device.primary, 5));
    host_gpadl_released(gpadl);
    bench_expect(bench, "gpadl_torndown 5\n");
    bench->device.gpadl_result = -ENOSPC;
    bench_gpadl(bench, 1, 6, 100, 2);
    bench_expect(bench, "device gpadl 6\ngpadl_created 1 6 8000ffff\n");
    assert_null(host_channel_gpadl(bench->device.primary, 6));
    bench_free(bench);
}

static void buffers_of_a_closing_channel_are_let_go_with_it(void **state)
{
    struct bench *bench = connected_bench();
    bench_open_channel(bench, 1);
    bench->device.keep_channels = true;
    bench_gpadl(bench, 1, 5, 100, 2);
    bench_channel_message(bench, VMBUS_MESSAGE_CLOSE_CHANNEL, 1);
    bench->text[0] = '\0';
    bench_teardown(bench, 1, 5);
    bench_expect(bench, "");
    host_channel_released(bench->device.last_closed);
    bench_expect(bench, "gpadl_torndown 5\n");
    bench_free(bench);
}

static void data_are_read_and_written_across_ranges_and_pages(void **state)
{
    struct bench *bench = connected_bench();
    bench_open_channel(bench, 1);
    struct gpadl_message message = message_of(5, 4);
    message.header.range_count = 2;
    message.header.range_buffer_length = 8 * 6;
    message.words[0] = 5000 | UINT64_C(4000) << 32; /* pages 200, 300, 201: 96, 4096, 808 */
    message.words[1] = 200;
    message.words[2] = 300;
    message.words[3] = 201;
    message.words[4] = 10; /* page 202, offset 0 */
    message.words[5] = 202;
    post(bench, &message);
    bench_expect(bench, "device gpadl 5\ngpadl_created 1 5 0\n");
    struct host_gpadl *gpadl = bench->device.last_gpadl;
    assert_int_equal(host_gpadl_size(gpadl), 5010);
    uint8_t data[5010], back[5010];
    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 7 + i / 256);
    }
    assert_int_equal(host_gpadl_write(gpadl, 0, data, sizeof(data)), 0);
    assert_int_equal(host_gpadl_read(gpadl, 0, back, sizeof(back)), 0);
    assert_memory_equal(data, back, sizeof(data));
    assert_memory_equal(bench_page(bench, 200) + 4000, data, 96);
    assert_memory_equal(bench_page(bench, 300), data + 96, 4096);
    assert_memory_equal(bench_page(bench, 201), data + 4192, 808);
    assert_memory_equal(bench_page(bench, 202), data + 5000, 10);
    assert_int_equal(host_gpadl_read(gpadl, 5000, back, 11), -EINVAL);
    assert_int_equal(host_gpadl_read(gpadl, SIZE_MAX, back, 2), -EINVAL);
    struct iovec vector[4];
    assert_int_equal(host_gpadl_map(gpadl, 90, 4910, vector, 3), 3);
    assert_int_equal(vector[0].iov_len + vector[1].iov_len + vector[2].iov_len, 4910);
    assert_int_equal(host_gpadl_map(gpadl, 90, 4920, vector, 3), -E2BIG);
    bench_free(bench);
}

static void a_ring_must_be_one_range_of_whole_pages(void **state)
{
    for (unsigned i = 0; i < 3; i++) {
        struct bench *bench = connected_bench();
        struct gpadl_message message = message_of(5, 5);
        if (i == 0) {
            message.words[0] -= 8; /* not whole pages */
        } else if (i == 1) {
            message.words[0] = 4 * HV_PAGE_SIZE | UINT64_C(8) << 32; /* not aligned */
        } else {
            message.header.range_count = 2;
            message.header.range_buffer_length = 8 * 6;
            message.words[0] = 2 * HV_PAGE_SIZE;
            message.words[3] = 2 * HV_PAGE_SIZE;
            message.words[4] = 130;
            message.words[5] = 131;
        }
        post(bench, &message);
        bench_expect(bench, "gpadl_created 1 5 0\n");
        bench_open(bench, 1, 5, 2, 0);
        bench_expect(bench, "open_result 1 77 8000ffff\n");
        bench_expect_violation(bench, "one range of whole pages");
        bench_free(bench);
    }
}

static void the_number_of_gpadls_is_bounded(void **state)
{
    struct bench *bench = connected_bench();
    unsigned id = 1;
    for (; bench->violations == 0; id++) {
        assert_true(id < 10000);
        bench_gpadl(bench, 1, id, 100, 1);
        bench->text[0] = '\0';
    }
    bench_expect_violation(bench, "bounded");
    bench_teardown(bench, 1, 1);
    bench_gpadl(bench, 1, 1, 100, 1);
    bench_expect(bench, "gpadl_torndown 1\ngpadl_created 1 1 0\n");
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_of_pages_is_answered_once_after_its_last_message),
        cmocka_unit_test(nothing_is_answered_while_bodies_are_missing),
        cmocka_unit_test(an_empty_body_fails_the_creation),
        cmocka_unit_test(malformed_headers_are_refused_and_the_next_good_one_works),
        cmocka_unit_test(a_page_number_that_overflows_an_address_is_not_ram),
        cmocka_unit_test(an_id_in_use_and_an_unknown_channel_are_refused),
        cmocka_unit_test(wrong_teardowns_get_no_answer),
        cmocka_unit_test(the_ring_of_an_open_channel_is_kept_until_the_device_lets_go),
        cmocka_unit_test(a_device_is_asked_for_its_buffers),
        cmocka_unit_test(buffers_of_a_closing_channel_are_let_go_with_it),
        cmocka_unit_test(data_are_read_and_written_across_ranges_and_pages),
        cmocka_unit_test(a_ring_must_be_one_range_of_whole_pages),
        cmocka_unit_test(the_number_of_gpadls_is_bounded),
    };
    return cmocka_run_group_tests_name("vmbus gpadl", tests, NULL, NULL);
}
