/* SPDX-License-Identifier: BSD-3-Clause */
/* Probe masks to base addresses, and back to registers. */
#include "tests/unit/kext-pci/engine_test.h"

#include "kext/pci/bars.h"

static struct bars bars;

static uint32_t read_masks(uint32_t m0, uint32_t m1, uint32_t m2, uint32_t m3, uint32_t m4,
                           uint32_t m5, uint32_t rom)
{
    const uint32_t masks[PCI_BARS] = { m0, m1, m2, m3, m4, m5 };

    return bars_read(&bars, masks, rom);
}

static void every_kind_of_range_is_read(void **state)
{
    (void)state;
    assert_int_equal(
        read_masks(0xffff0000, 0xfff0000c, 0xffffffff, 0, 0x00000004, 0xfffffff0, 0xffff8000), 0);
    assert_int_equal(bars.bar[0].size, 0x10000);
    assert_false(bars.bar[0].wide || bars.bar[0].prefetchable);
    assert_int_equal(bars.bar[1].size, 0x100000);
    assert_true(bars.bar[1].wide && bars.bar[1].prefetchable && bars.bar[1].fixed == 0xc);
    assert_false(bars.bar[2].present || bars.bar[3].present);
    assert_int_equal(bars.bar[4].size, UINT64_C(1) << 36); /* 64 GiB: the low half has no bit */
    assert_false(bars.bar[5].present);
    assert_int_equal(bars.bar[BARS_ROM].size, 0x8000);
}

static void a_range_smaller_than_a_page_gets_a_page(void **state)
{
    (void)state;
    assert_int_equal(read_masks(0xfffffff0, 0xffffff80, 0xfffff000, 0xffffe000, 0, 0, 0xfffff800),
                     0);
    assert_int_equal(bars.bar[0].size, 0x1000);
    assert_int_equal(bars.bar[1].size, 0x1000);
    assert_int_equal(bars.bar[2].size, 0x1000);
    assert_int_equal(bars.bar[3].size, 0x2000);
    assert_int_equal(bars.bar[BARS_ROM].size, 0x1000);
}

static void what_is_no_memory_range_is_refused_and_the_others_stay(void **state)
{
    (void)state;
    assert_int_equal(read_masks(0xffffff01, 0xfff0f000, 0xff00ff00, 0xffffe000, 0x0000fff0,
                                0xffffff04, 0x00ff0000), 6);
    for (uint32_t i = 0; i < BARS_COUNT; i++)
        assert_int_equal(bars.bar[i].present, i == 3);
    assert_int_equal(bars.bar[3].size, 0x2000);
}

static void sizes_that_no_address_space_has_are_refused(void **state)
{
    (void)state;
    assert_int_equal(read_masks(0x00000004, 0x80000000, 0x00000004, 0x00000000, 0, 0, 0), 2);
    assert_int_equal(read_masks(0x00000004, 0xffffc000, 0, 0, 0, 0, 0), 0);
    assert_int_equal(bars.bar[0].size, BAR_SIZE_MAXIMUM);
}

/* What only says "prefetchable" or "enabled" has no address bit: no range of 4 GiB. */
static void narrow_registers_without_an_address_bit_are_refused(void **state)
{
    (void)state;
    assert_int_equal(read_masks(0x00000008, 0x80000000, 0, 0, 0, 0, 0x00000001), 2);
    assert_false(bars.bar[0].present || bars.bar[BARS_ROM].present);
    assert_int_equal(bars.bar[1].size, 0x80000000u);
}

static void large_ones_are_placed_first(void **state)
{
    uint8_t order[BARS_COUNT];

    (void)state;
    read_masks(0xfffff000, 0xffff0000, 0xf000000c, 0xffffffff, 0xfffff000, 0, 0xfff00000);
    assert_int_equal(bars_placing_order(&bars, order), 5);
    assert_int_equal(order[0], 2);
    assert_int_equal(order[1], BARS_ROM);
    assert_int_equal(order[2], 1);
    assert_int_equal(order[3], 0);
    assert_int_equal(order[4], 4);
}

static void places_must_fit(void **state)
{
    (void)state;
    read_masks(0xffff0000, 0xfff0000c, 0xffffffff, 0, 0, 0, 0);
    assert_int_equal(bars_place(&bars, 0, 0xf9008000), HV_ERROR_INVALID);
    assert_int_equal(bars_place(&bars, 0, UINT64_C(0x100000000)), HV_ERROR_INVALID);
    assert_int_equal(bars_place(&bars, 2, 0xf9000000), HV_ERROR_INVALID);
    assert_int_equal(bars_place(&bars, BARS_COUNT, 0xf9000000), HV_ERROR_INVALID);
    assert_int_equal(bars.bar[0].address, 0);
    assert_int_equal(bars_place(&bars, 0, 0xf9000000), 0);
    assert_int_equal(bars_place(&bars, 0, 0xffff0000), 0); /* the last that fits */
    assert_int_equal(bars_place(&bars, 1, UINT64_C(0xfe0000000)), 0);
}

static void registers_show_the_address_and_take_another(void **state)
{
    (void)state;
    read_masks(0xffff0000, 0xfff0000c, 0xffffffff, 0, 0, 0, 0xffff0000);
    bars_place(&bars, 0, 0xf9000000);
    bars_place(&bars, 1, UINT64_C(0xfe0300000));
    assert_int_equal(bars_register(&bars, 0), 0xf9000000);
    assert_int_equal(bars_register(&bars, 1), 0xe030000c);
    assert_int_equal(bars_register(&bars, 2), 0xf);
    assert_int_equal(bars_register(&bars, 3), 0);
    for (uint32_t i = 0; i < BARS_COUNT; i++)
        bars_write_register(&bars, i, UINT32_MAX); /* a probe */
    assert_int_equal(bars_register(&bars, 0), 0xffff0000);
    assert_int_equal(bars_register(&bars, 1), 0xfff0000c);
    assert_int_equal(bars_register(&bars, 2), 0xffffffff);
    assert_int_equal(bars_register(&bars, 3), 0);
    assert_int_equal(bars_register(&bars, BARS_ROM), 0xffff0000);
    bars_write_register(&bars, 1, 0x12345678);
    bars_write_register(&bars, 2, 0x9);
    assert_int_equal(bars.bar[1].address, UINT64_C(0x912300000));
    bars_write_register(&bars, BARS_COUNT, 1); /* nowhere */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_range_is_read),
        cmocka_unit_test(a_range_smaller_than_a_page_gets_a_page),
        cmocka_unit_test(what_is_no_memory_range_is_refused_and_the_others_stay),
        cmocka_unit_test(sizes_that_no_address_space_has_are_refused),
        cmocka_unit_test(narrow_registers_without_an_address_bit_are_refused),
        cmocka_unit_test(large_ones_are_placed_first),
        cmocka_unit_test(places_must_fit),
        cmocka_unit_test(registers_show_the_address_and_take_another),
    };

    return RUN(tests);
}
