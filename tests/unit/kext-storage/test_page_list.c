/* SPDX-License-Identifier: BSD-3-Clause */
/* Page numbers of a storage transfer: where segments may join, and what is refused. */
#include "kext/core/errors.h"
#include "kext/storage/page_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t pages[8];

static struct page_list fresh(void)
{
    struct page_list list;

    page_list_begin(&list, pages, 8);
    return list;
}

static void one_segment_may_begin_and_end_inside_pages(void **state)
{
    struct page_list list = fresh();

    (void)state;
    assert_int_equal(page_list_add(&list, 0x10ff0, 0x1020), 0);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.offset, 0xff0);
    assert_int_equal(list.length, 0x1020);
    assert_int_equal(pages[0], 0x10);
    assert_int_equal(pages[2], 0x12);
}

static void segments_join_at_page_boundaries_only(void **state)
{
    struct page_list list = fresh();

    (void)state;
    assert_int_equal(page_list_add(&list, 0x10800, 0x800), 0);
    assert_int_equal(page_list_add(&list, 0x20000, 0x1000), 0);
    assert_int_equal(page_list_add(&list, 0x30000, 0x200), 0);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.length, 0x1a00);
    /* The last ended inside a page: nothing may follow, not even aligned. */
    assert_int_equal(page_list_add(&list, 0x40000, 0x1000), HV_ERROR_INVALID);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.length, 0x1a00);
}

static void a_later_segment_must_begin_at_a_page(void **state)
{
    struct page_list list = fresh();

    (void)state;
    assert_int_equal(page_list_add(&list, 0x10000, 0x1000), 0);
    assert_int_equal(page_list_add(&list, 0x20200, 0xe00), HV_ERROR_INVALID);
    assert_int_equal(page_list_add(&list, 0x20000, 0x1000), 0);
    assert_int_equal(list.count, 2);
}

static void more_pages_than_room_are_refused_and_fewer_still_fit(void **state)
{
    struct page_list list = fresh();

    (void)state;
    assert_int_equal(page_list_add(&list, 0x10000, 9 * 4096), HV_ERROR_TOO_LARGE);
    assert_int_equal(page_list_add(&list, 0x10001, 8 * 4096), HV_ERROR_TOO_LARGE);
    assert_int_equal(list.count, 0);
    assert_int_equal(page_list_add(&list, 0x10000, 8 * 4096), 0);
    assert_int_equal(page_list_add(&list, 0x90000, 4096), HV_ERROR_TOO_LARGE);
}

static void empty_and_absurd_segments_are_refused(void **state)
{
    struct page_list list = fresh();

    (void)state;
    assert_int_equal(page_list_add(&list, 0x10000, 0), HV_ERROR_INVALID);
    assert_int_equal(page_list_add(&list, UINT64_MAX - 10, 4096), HV_ERROR_INVALID);
    assert_int_equal(page_list_add(&list, 0x1000, UINT64_MAX), HV_ERROR_INVALID);
    assert_int_equal(page_list_add(&list, 0x1000, (uint64_t)UINT32_MAX + 1), HV_ERROR_INVALID);
    assert_int_equal(page_list_add(&list, 0x1000, 1), 0);
}

static void the_capacity_given_for_a_size_always_suffices(void **state)
{
    uint64_t many[5];
    struct page_list list;
    uint32_t offset;

    (void)state;
    for (offset = 0; offset < 4096; offset += 512) {
        page_list_begin(&list, many, page_list_capacity(3 * 4096));
        assert_int_equal(page_list_add(&list, 0x5000 + offset, 3 * 4096), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_segment_may_begin_and_end_inside_pages),
        cmocka_unit_test(segments_join_at_page_boundaries_only),
        cmocka_unit_test(a_later_segment_must_begin_at_a_page),
        cmocka_unit_test(more_pages_than_room_are_refused_and_fewer_still_fit),
        cmocka_unit_test(empty_and_absurd_segments_are_refused),
        cmocka_unit_test(the_capacity_given_for_a_size_always_suffices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
