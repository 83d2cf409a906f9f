/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts of a bus: the table, counts, retargeting. */
#include "tests/unit/kext-pci/engine_test.h"

#include "kext/pci/interrupts.h"

static struct interrupts interrupts;

static int add(uint32_t slot, uint32_t vector)
{
    const struct vpci_message_interrupt message = { .vector_count = 1, .data = vector,
                                                    .address = 0xfee00000 + slot };

    return interrupts_add(&interrupts, slot, vector, &message);
}

static void what_was_made_is_given_back_slot_by_slot(void **state)
{
    struct interrupt_group group;

    (void)state;
    memset(&interrupts, 0, sizeof interrupts);
    assert_false(interrupts_take(&interrupts, 0, &group));
    assert_int_equal(add(0, 0x70), 0);
    assert_int_equal(add(1, 0x71), 0);
    assert_int_equal(add(0, 0x72), 0);
    assert_true(interrupts_take(&interrupts, 0, &group) && group.vector == 0x70);
    assert_true(interrupts_take(&interrupts, 0, &group) && group.vector == 0x72);
    assert_false(interrupts_take(&interrupts, 0, &group));
    assert_true(interrupts_take(&interrupts, 1, &group) && group.message.address == 0xfee00001);
    assert_int_equal(interrupts.made, 3);
    assert_int_equal(interrupts.deleted, 3);
}

static void a_full_table_takes_no_more_until_one_is_gone(void **state)
{
    struct interrupt_group group;

    (void)state;
    memset(&interrupts, 0, sizeof interrupts);
    for (uint32_t i = 0; i < INTERRUPTS_MAXIMUM; i++)
        assert_int_equal(add(i % 3, i), 0);
    assert_int_equal(add(7, 7), HV_ERROR_NO_RESOURCES);
    assert_true(interrupts_take(&interrupts, 2, &group));
    assert_int_equal(add(7, 7), 0);
}

static void vectors_are_a_power_of_two_that_one_request_can_make(void **state)
{
    static const uint32_t cases[][2] = {
        { 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 2 }, { 4, 4 }, { 16, 16 }, { 31, 16 }, { 32, 32 },
        { 33, 32 }, { 2048, 32 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(interrupts_vectors(cases[i][0]), cases[i][1]);
}

static uint8_t space[PCI_CONFIG_EXTENDED_SIZE];

static uint32_t port_read(void *context, uint32_t slot, uint32_t offset, uint32_t size)
{
    uint32_t value = 0;

    (void)context;
    (void)slot;
    memcpy(&value, &space[offset], size);
    return value;
}

static uint32_t messages(uint8_t kind, uint16_t control)
{
    static const struct config_port port = { NULL, port_read, NULL };
    struct config config = { .memory_enabled = false };

    memset(space, 0, sizeof space);
    if (kind != 0) {
        space[PCI_STATUS] = PCI_STATUS_CAPABILITIES;
        space[PCI_CAPABILITIES] = 0x40;
        space[0x40] = kind;
        memcpy(&space[0x42], &control, sizeof control);
    }
    return interrupts_messages(&config, &port);
}

static void messages_are_counted_from_the_capability(void **state)
{
    (void)state;
    assert_int_equal(messages(0, 0), 0);
    assert_int_equal(messages(PCI_CAPABILITY_MSIX, 15), 16);
    assert_int_equal(messages(PCI_CAPABILITY_MSIX, 0xffff), 2048);
    assert_int_equal(messages(PCI_CAPABILITY_MSI, 3 << PCI_MSI_CAPABLE_SHIFT), 8);
    assert_int_equal(messages(PCI_CAPABILITY_POWER, 0xffff), 0);
}

static void a_message_goes_to_another_processor(void **state)
{
    const struct interrupt_group group = {
        true, 0, 0x60, { .vector_count = 4, .data = 0x100, .address = UINT64_C(0x1fee01000) },
    };
    struct retarget_input input;
    uint32_t variable;

    (void)state;
    assert_int_equal(interrupts_make_retarget(&input, 0x1234, &group, 3, 63, &variable), 56);
    assert_int_equal(variable, 0);
    assert_true(input.call.partition == UINT64_MAX && input.call.device == 0x1234);
    assert_int_equal(input.call.source, HV_INTERRUPT_SOURCE_MSI);
    assert_int_equal(input.call.address, 0xfee01000);
    assert_int_equal(input.call.data, 0x103);
    assert_int_equal(input.call.vector, 0x63);
    assert_int_equal(input.call.flags, 0); /* never multicast: hosts storm */
    assert_true(input.call.processors == UINT64_C(1) << 63);
    assert_int_equal(interrupts_make_retarget(&input, 1, &group, 0, 130, &variable), 72);
    assert_int_equal(variable, 2);
    assert_int_equal(input.call.flags, HV_INTERRUPT_PROCESSOR_SET);
    assert_int_equal(input.call.processors, HV_PROCESSOR_SET_SPARSE);
    assert_int_equal(input.valid_banks, 1 << 2);
    assert_int_equal(input.bank, 1 << 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_made_is_given_back_slot_by_slot),
        cmocka_unit_test(a_full_table_takes_no_more_until_one_is_gone),
        cmocka_unit_test(vectors_are_a_power_of_two_that_one_request_can_make),
        cmocka_unit_test(messages_are_counted_from_the_capability),
        cmocka_unit_test(a_message_goes_to_another_processor),
    };

    return RUN(tests);
}
