/* SPDX-License-Identifier: BSD-3-Clause */
/* GPADL messages, taken apart again as a host does it. */
#include "kext/core/gpadl.h"
#include "tests/unit/kext-core/engines.h"

/* Page `page` of range `range`; also counts the calls. */
static uint64_t page_source(void *context, uint32_t range, uint32_t page)
{
    ++*(unsigned *)context;
    return (uint64_t)(range + 1) << 32 | page;
}

/* Range data of all messages of a GPADL, put together. */
struct collected {
    uint32_t messages;
    uint32_t words;
    uint64_t word[8192];
    struct vmbus_message_gpadl_header header;
};

static void collect(struct gpadl_builder *builder, struct collected *all)
{
    uint8_t message[VMBUS_MESSAGE_SIZE_MAXIMUM];
    uint32_t size, left = gpadl_messages_left(builder);

    memset(all, 0, sizeof *all);
    while ((size = gpadl_next(builder, message)) != 0) {
        uint32_t start = all->messages == 0 ? 20 : 16, type;

        assert_true(size <= VMBUS_MESSAGE_SIZE_MAXIMUM);
        memcpy(&type, message, sizeof type);
        assert_int_equal(type, all->messages == 0 ? VMBUS_MESSAGE_GPADL_HEADER
                                                  : VMBUS_MESSAGE_GPADL_BODY);
        if (all->messages == 0)
            memcpy(&all->header, message, sizeof all->header);
        else
            assert_memory_equal(message + 12, &all->header.gpadl_id, 4);
        memcpy(&all->word[all->words], message + start, size - start);
        all->words += (size - start) / 8;
        all->messages++;
        assert_int_equal(gpadl_messages_left(builder), left - all->messages);
    }
    assert_int_equal(all->messages, left);
}

/* D6: the header holds 26 page numbers, each body 28. */
static void the_number_of_messages_is_right_at_every_edge(void **state)
{
    static const struct { uint32_t pages, messages; } cases[] = {
        { 1, 1 }, { 2, 1 }, { 25, 1 }, { 26, 1 }, { 27, 2 }, { 54, 2 }, { 55, 3 }, { 66, 3 },
        { 82, 3 }, { 83, 4 }, { 258, 10 }, { 8190, 293 },
    };
    static struct collected all;
    struct gpadl_builder builder;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct gpadl_range range = { cases[i].pages * 4096, 0 };
        unsigned calls = 0;

        assert_int_equal(gpadl_begin(&builder, 7, 0xE1E10, &range, 1, page_source, &calls), 0);
        collect(&builder, &all);
        assert_int_equal(all.messages, cases[i].messages);
        assert_int_equal(all.words, cases[i].pages + 1);
        assert_int_equal(calls, cases[i].pages);
        assert_int_equal(all.header.range_buffer_length, (cases[i].pages + 1) * 8);
        assert_int_equal(all.header.range_count, 1);
        assert_int_equal(all.header.channel_id, 7);
        assert_int_equal(all.word[0], range.length);
        for (uint32_t j = 0; j < cases[i].pages; j++)
            assert_int_equal(all.word[1 + j], UINT64_C(1) << 32 | j);
    }
}

static void more_than_the_length_field_can_say_is_refused(void **state)
{
    struct gpadl_range range = { 8191 * 4096u, 0 };
    struct gpadl_builder builder;
    unsigned calls = 0;

    assert_int_equal(gpadl_begin(&builder, 1, 1, &range, 1, page_source, &calls),
                     HV_ERROR_TOO_LARGE);
    range.length = 8190 * 4096u;
    range.offset = 1;                               /* touches one page more */
    assert_int_equal(gpadl_begin(&builder, 1, 1, &range, 1, page_source, &calls),
                     HV_ERROR_TOO_LARGE);
    range.length = 0xFFFFFFFFu;
    assert_int_equal(gpadl_begin(&builder, 1, 1, &range, 1, page_source, &calls),
                     HV_ERROR_TOO_LARGE);
    assert_int_equal(calls, 0);
}

static void an_unaligned_range_counts_the_pages_it_touches(void **state)
{
    static struct collected all;
    struct gpadl_range range = { 4096, 100 };
    struct gpadl_builder builder;
    unsigned calls = 0;

    assert_int_equal(gpadl_begin(&builder, 1, 1, &range, 1, page_source, &calls), 0);
    collect(&builder, &all);
    assert_int_equal(all.words, 3);
    assert_int_equal(all.word[0], 4096 | UINT64_C(100) << 32);
}

static void several_ranges_follow_each_other_across_messages(void **state)
{
    static struct collected all;
    const struct gpadl_range ranges[] = { { 20 * 4096, 0 }, { 1, 4095 }, { 10 * 4096 + 8, 4088 } };
    struct gpadl_builder builder;
    unsigned calls = 0;

    assert_int_equal(gpadl_begin(&builder, 1, 1, ranges, 3, page_source, &calls), 0);
    collect(&builder, &all);
    assert_int_equal(all.header.range_count, 3);
    assert_int_equal(all.words, 21 + 2 + 12);
    assert_int_equal(all.word[21], 1 | UINT64_C(4095) << 32);
    assert_int_equal(all.word[22], UINT64_C(2) << 32);
    assert_int_equal(all.word[23], (10 * 4096 + 8) | UINT64_C(4088) << 32);
    assert_int_equal(all.word[34], UINT64_C(3) << 32 | 10);
}

static void senseless_ranges_are_refused(void **state)
{
    static const struct gpadl_range bad[] = { { 0, 0 }, { 4096, 4096 }, { 4096, 0xFFFFFFFF } };
    struct gpadl_range many[GPADL_RANGES_MAXIMUM + 1] = { { 1, 0 } };
    struct gpadl_builder builder;

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(gpadl_begin(&builder, 1, 1, &bad[i], 1, page_source, NULL),
                         HV_ERROR_INVALID);
    assert_int_equal(gpadl_begin(&builder, 1, 1, many, 0, page_source, NULL), HV_ERROR_INVALID);
    assert_int_equal(gpadl_begin(&builder, 1, 1, many, COUNT_OF(many), page_source, NULL),
                     HV_ERROR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_number_of_messages_is_right_at_every_edge),
        cmocka_unit_test(more_than_the_length_field_can_say_is_refused),
        cmocka_unit_test(an_unaligned_range_counts_the_pages_it_touches),
        cmocka_unit_test(several_ranges_follow_each_other_across_messages),
        cmocka_unit_test(senseless_ranges_are_refused),
    };

    return cmocka_run_group_tests_name("gpadl", tests, NULL, NULL);
}
