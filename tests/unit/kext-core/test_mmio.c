/* SPDX-License-Identifier: BSD-3-Clause */
/* The room for devices: windows, ranges that are named and ranges that are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kext/core/mmio.h"

#define MEGABYTE UINT64_C(0x100000)
#define HIGH     UINT64_C(0xFE0000000)

static struct mmio_space space;

static void begin(void)
{
    memset(&space, 0, sizeof space);
    assert_int_equal(mmio_add_window(&space, HIGH, HIGH + 512 * MEGABYTE - 1), 0);
    assert_int_equal(mmio_add_window(&space, MMIO_LOW_FIRST, MMIO_LOW_LAST), 0);
}

static void the_lowest_room_is_found(void **state)
{
    uint64_t address;

    (void)state;
    begin();
    assert_int_equal(mmio_allocate(&space, 8 * MEGABYTE, MEGABYTE, UINT64_MAX, &address), 0);
    assert_int_equal(address, MMIO_LOW_FIRST);
    assert_int_equal(mmio_allocate(&space, 4096, 4096, UINT64_MAX, &address), 0);
    assert_int_equal(address, MMIO_LOW_FIRST + 8 * MEGABYTE);
    assert_int_equal(mmio_allocate(&space, MEGABYTE, MEGABYTE, UINT64_MAX, &address), 0);
    assert_int_equal(address, MMIO_LOW_FIRST + 9 * MEGABYTE);
    /* More than is left below 4 GiB. */
    assert_int_equal(mmio_allocate(&space, 128 * MEGABYTE, MEGABYTE, UINT64_MAX, &address), 0);
    assert_int_equal(address, HIGH);
    assert_int_equal(mmio_allocate(&space, 128 * MEGABYTE, MEGABYTE, UINT32_MAX, &address),
                     HV_ERROR_NOT_FOUND);
}

static void a_range_that_is_named_is_kept_free_of_others(void **state)
{
    uint64_t address;

    (void)state;
    begin();
    assert_int_equal(mmio_reserve(&space, MMIO_LOW_FIRST, 32 * MEGABYTE), 0);
    assert_int_equal(mmio_reserve(&space, MMIO_LOW_FIRST + 31 * MEGABYTE, 2 * MEGABYTE),
                     HV_ERROR_REFUSED);
    assert_int_equal(mmio_allocate(&space, MEGABYTE, MEGABYTE, UINT32_MAX, &address), 0);
    assert_int_equal(address, MMIO_LOW_FIRST + 32 * MEGABYTE);
    assert_int_equal(mmio_release(&space, MMIO_LOW_FIRST), 0);
    assert_int_equal(mmio_release(&space, MMIO_LOW_FIRST), HV_ERROR_NOT_FOUND);
    assert_int_equal(mmio_allocate(&space, MEGABYTE, MEGABYTE, UINT32_MAX, &address), 0);
    assert_int_equal(address, MMIO_LOW_FIRST);
}

static void ranges_outside_of_the_windows_are_refused(void **state)
{
    (void)state;
    begin();
    assert_int_equal(mmio_reserve(&space, MMIO_LOW_LAST - 4095, 8192), HV_ERROR_NOT_FOUND);
    assert_int_equal(mmio_reserve(&space, 0x1000, 4096), HV_ERROR_NOT_FOUND);
    assert_int_equal(mmio_reserve(&space, UINT64_MAX - 4095, 8192), HV_ERROR_INVALID);
    assert_int_equal(mmio_reserve(&space, MMIO_LOW_FIRST, 0), HV_ERROR_INVALID);
    assert_int_equal(mmio_reserve(&space, MMIO_LOW_LAST - 4095, 4096), 0);
}

static void odd_sizes_and_alignments_are_refused(void **state)
{
    uint64_t address;

    (void)state;
    begin();
    assert_int_equal(mmio_allocate(&space, 0, 1, UINT64_MAX, &address), HV_ERROR_INVALID);
    assert_int_equal(mmio_allocate(&space, 1, 0, UINT64_MAX, &address), HV_ERROR_INVALID);
    assert_int_equal(mmio_allocate(&space, 1, 3, UINT64_MAX, &address), HV_ERROR_INVALID);
    assert_int_equal(mmio_allocate(&space, UINT64_MAX, 1, UINT64_MAX, &address),
                     HV_ERROR_NOT_FOUND);
    assert_int_equal(mmio_allocate(&space, 1, UINT64_C(1) << 63, UINT64_MAX, &address),
                     HV_ERROR_NOT_FOUND);
}

static void tables_are_full_without_harm(void **state)
{
    uint64_t address;

    (void)state;
    begin();
    for (uint64_t i = space.window_count; i < MMIO_WINDOWS_MAXIMUM; i++)
        assert_int_equal(mmio_add_window(&space, i << 40, (i << 40) + 4095), 0);
    assert_int_equal(mmio_add_window(&space, UINT64_C(1) << 60, UINT64_C(1) << 61),
                     HV_ERROR_NO_RESOURCES);
    for (uint32_t i = 0; i < MMIO_RANGES_MAXIMUM; i++)
        assert_int_equal(mmio_allocate(&space, 4096, 4096, UINT64_MAX, &address), 0);
    assert_int_equal(mmio_allocate(&space, 4096, 4096, UINT64_MAX, &address),
                     HV_ERROR_NO_RESOURCES);
    assert_int_equal(mmio_release(&space, address), 0);
    assert_int_equal(mmio_allocate(&space, 4096, 4096, UINT64_MAX, &address), 0);
}

static void window_to_the_end_of_the_address_space(void **state)
{
    uint64_t address;

    (void)state;
    memset(&space, 0, sizeof space);
    assert_int_equal(mmio_add_window(&space, UINT64_MAX - 8191, UINT64_MAX), 0);
    assert_int_equal(mmio_add_window(&space, 2, 1), HV_ERROR_INVALID);
    assert_int_equal(mmio_add_window(&space, UINT64_MAX - 1, UINT64_MAX), HV_ERROR_INVALID);
    assert_int_equal(mmio_reserve(&space, UINT64_MAX - 4095, 4096), 0);
    assert_int_equal(mmio_allocate(&space, 4096, 4096, UINT64_MAX, &address), 0);
    assert_int_equal(mmio_allocate(&space, 4096, 4096, UINT64_MAX, &address), HV_ERROR_NOT_FOUND);
}

static void windows_come_from_acpi_records(void **state)
{
    uint8_t records[5 * 0x50 + 7] = { 0 };
    const struct {
        uint32_t type;
        uint64_t first, last;
    } all[5] = {
        { 2, 0, 0xff },                         /* bus numbers */
        { 0, 0xa0000, 0xbffff },                /* VGA */
        { 0, MMIO_LOW_FIRST, MMIO_LOW_LAST },
        { 0, HIGH, HIGH - 1 },                  /* empty */
        { 0, HIGH, HIGH + MEGABYTE - 1 },
    };

    (void)state;
    memset(&space, 0, sizeof space);
    for (size_t i = 0; i < 5; i++) {
        memcpy(records + i * 0x50, &all[i].type, 4);
        memcpy(records + i * 0x50 + 0x18, &all[i].first, 8);
        memcpy(records + i * 0x50 + 0x20, &all[i].last, 8);
    }
    assert_int_equal(mmio_add_address_spaces(&space, records, sizeof records), 2);
    assert_int_equal(space.windows[0].first, MMIO_LOW_FIRST);
    assert_int_equal(space.windows[1].last, HIGH + MEGABYTE - 1);
    assert_int_equal(mmio_add_address_spaces(&space, records, 0x4f), 0);
}

static void what_is_kept_is_given_away_last(void **state)
{
    uint64_t address;

    (void)state;
    memset(&space, 0, sizeof space);
    assert_int_equal(mmio_add_window(&space, MMIO_LOW_FIRST, MMIO_LOW_FIRST + 8 * MEGABYTE - 1), 0);
    mmio_keep(&space, MMIO_LOW_FIRST, 4 * MEGABYTE);
    assert_int_equal(mmio_allocate(&space, 4096, 4096, UINT64_MAX, &address), 0);
    assert_int_equal(address, MMIO_LOW_FIRST + 4 * MEGABYTE);
    assert_int_equal(mmio_reserve(&space, MMIO_LOW_FIRST, MEGABYTE), 0); /* whom it is kept for */
    assert_int_equal(mmio_release(&space, MMIO_LOW_FIRST), 0);
    assert_int_equal(mmio_allocate(&space, 4 * MEGABYTE, 4 * MEGABYTE, UINT64_MAX, &address), 0);
    assert_int_equal(address, MMIO_LOW_FIRST); /* there is no other room */
    assert_int_equal(mmio_release(&space, MMIO_LOW_FIRST), 0);
    mmio_keep(&space, 0, 0);
    assert_int_equal(mmio_allocate(&space, 4096, 4096, UINT64_MAX, &address), 0);
    assert_int_equal(address, MMIO_LOW_FIRST);
    mmio_keep(&space, UINT64_MAX, 2); /* no such range */
    assert_int_equal(mmio_allocate(&space, 4096, 4096, UINT64_MAX, &address), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_room_is_found),
        cmocka_unit_test(a_range_that_is_named_is_kept_free_of_others),
        cmocka_unit_test(ranges_outside_of_the_windows_are_refused),
        cmocka_unit_test(odd_sizes_and_alignments_are_refused),
        cmocka_unit_test(tables_are_full_without_harm),
        cmocka_unit_test(window_to_the_end_of_the_address_space),
        cmocka_unit_test(windows_come_from_acpi_records),
        cmocka_unit_test(what_is_kept_is_given_away_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
