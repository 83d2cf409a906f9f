/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest RAM: checked translation and copies (D21). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/guest_memory.h"

static uint8_t low[4 * 4096] __attribute__((aligned(4096)));
static uint8_t high[4 * 4096] __attribute__((aligned(4096)));

/* 0x0000 - 0x4000 and 0x4000 - 0x8000 in two pieces, then a hole, then 0x100000 - 0x101000. */
static struct guest_memory three_ranges(void)
{
    struct guest_memory memory;
    guest_memory_initialise(&memory);
    assert_int_equal(guest_memory_add(&memory, 0x100000, 0x1000, high + 0x3000), 0);
    assert_int_equal(guest_memory_add(&memory, 0, 0x4000, low), 0);
    assert_int_equal(guest_memory_add(&memory, 0x4000, 0x3000, high), 0);
    return memory;
}

static void ranges_are_checked(void **state)
{
    struct guest_memory memory = three_ranges();
    assert_int_equal(guest_memory_add(&memory, 0x8000, 0x800, low), -EINVAL);
    assert_int_equal(guest_memory_add(&memory, 0x8800, 0x1000, low), -EINVAL);
    assert_int_equal(guest_memory_add(&memory, 0x8000, 0, low), -EINVAL);
    assert_int_equal(guest_memory_add(&memory, 0x8000, 0x1000, NULL), -EINVAL);
    assert_int_equal(guest_memory_add(&memory, UINT64_MAX - 0xFFF, 0x1000, low), -EINVAL);
    assert_int_equal(guest_memory_add(&memory, 0x3000, 0x1000, low), -EEXIST);
    assert_int_equal(guest_memory_add(&memory, 0x8000, 0x100000, low), -EEXIST);
    assert_int_equal(guest_memory_size(&memory), 0x8000);
    for (unsigned i = 3; i < GUEST_MEMORY_RANGES_MAX; i++) {
        assert_int_equal(guest_memory_add(&memory, 0x10000000 + i * 0x2000, 0x1000, low), 0);
    }
    assert_int_equal(guest_memory_add(&memory, 0x8000, 0x1000, low), -ENOSPC);
}

static void addresses_are_translated_inside_one_range_only(void **state)
{
    struct guest_memory memory = three_ranges();
    assert_ptr_equal(guest_memory_translate(&memory, 0, 0x4000), low);
    assert_ptr_equal(guest_memory_translate(&memory, 0x4000, 8), high);
    assert_ptr_equal(guest_memory_translate(&memory, 0x3FFF, 1), low + 0x3FFF);
    assert_null(guest_memory_translate(&memory, 0x3FFF, 2));
    assert_null(guest_memory_translate(&memory, 0x7000, 0));
    assert_null(guest_memory_translate(&memory, 0x3000, UINT64_MAX));
    assert_null(guest_memory_translate(&memory, UINT64_MAX, 1));
    assert_ptr_equal(guest_memory_page(&memory, 0x100), high + 0x3000);
    assert_null(guest_memory_page(&memory, 0x101));
    assert_null(guest_memory_page(&memory, UINT64_MAX));
    assert_null(guest_memory_page(&memory, (UINT64_C(1) << 52) + 0x100));
}

static void copies_cross_adjacent_ranges_and_stop_at_holes(void **state)
{
    struct guest_memory memory = three_ranges();
    uint8_t data[0x2000], back[0x2000];
    memset(data, 0xA5, sizeof(data));
    assert_int_equal(guest_memory_write(&memory, 0x3000, data, sizeof(data)), 0);
    assert_memory_equal(low + 0x3000, data, 0x1000);
    assert_memory_equal(high, data, 0x1000);
    assert_int_equal(guest_memory_read(&memory, 0x3000, back, sizeof(back)), 0);
    assert_memory_equal(back, data, sizeof(data));
    memset(low, 0, sizeof(low));
    memset(high, 0, sizeof(high));
    assert_int_equal(guest_memory_write(&memory, 0x6000, data, 0x1001), -EFAULT);
    assert_int_equal(high[0x2000], 0); /* nothing was copied */
    assert_int_equal(guest_memory_read(&memory, UINT64_MAX - 1, back, 4), -EFAULT);
    assert_int_equal(guest_memory_read(&memory, 0x9999, back, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_checked),
        cmocka_unit_test(addresses_are_translated_inside_one_range_only),
        cmocka_unit_test(copies_cross_adjacent_ranges_and_stop_at_holes),
    };
    return cmocka_run_group_tests_name("guest memory", tests, NULL, NULL);
}
