/* SPDX-License-Identifier: BSD-3-Clause */
/* The test device: registers, copies, interrupts. */
#include "tests/unit/host-pci/rig.h"

#include "protocol/pci_test_device.h"

static void write_register(struct rig *rig, unsigned offset, uint32_t value)
{
    pci_region_write(rig->function, PCI_TEST_REGISTERS_BAR, offset, 4, value);
}

static uint32_t read_register(struct rig *rig, unsigned offset)
{
    return (uint32_t)pci_region_read(rig->function, PCI_TEST_REGISTERS_BAR, offset, 4);
}

static int set_up(void **state)
{
    struct rig *rig = rig_create("{\"model\":\"test\"}");
    rig_enable(rig);
    rig_enable_msix(rig);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    return 0;
}

static void copy(struct rig *rig, uint64_t address, uint32_t offset, uint32_t length,
                 uint32_t command)
{
    write_register(rig, PCI_TEST_COPY_ADDRESS, (uint32_t)address);
    write_register(rig, PCI_TEST_COPY_ADDRESS + 4, (uint32_t)(address >> 32));
    write_register(rig, PCI_TEST_COPY_OFFSET, offset);
    write_register(rig, PCI_TEST_COPY_LENGTH, length);
    write_register(rig, PCI_TEST_COMMAND, command);
}

static void registers_answer(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(read_register(rig, PCI_TEST_IDENTITY), PCI_TEST_IDENTITY_VALUE);
    write_register(rig, PCI_TEST_ECHO, 0x12345678);
    assert_int_equal(read_register(rig, PCI_TEST_ECHO), ~0x12345678u);
    assert_int_equal(read_register(rig, PCI_TEST_COPY_VECTOR), PCI_TEST_VECTOR_NONE);
    pci_region_write(rig->function, 0, PCI_TEST_COPY_ADDRESS, 8, 0x1234567890abcdef);
    assert_int_equal(pci_region_read(rig->function, 0, PCI_TEST_COPY_ADDRESS, 8),
                     0x1234567890abcdef);
    assert_int_equal(read_register(rig, PCI_TEST_COPY_ADDRESS + 4), 0x12345678);
    assert_int_equal(read_register(rig, 0x100), 0);
    assert_int_equal(rig->violations, 0);
}

static void it_copies_in_and_out(void **state)
{
    struct rig *rig = *state;
    uint8_t *buffer = rig->function->regions[PCI_TEST_BUFFER_BAR].memory;
    memcpy(rig->ram + 0x1ffe, "over a page", 11);
    write_register(rig, PCI_TEST_COPY_VECTOR, 3);
    copy(rig, 0x1ffe, 100, 11, PCI_TEST_COMMAND_IN);
    assert_int_equal(read_register(rig, PCI_TEST_STATUS), PCI_TEST_STATUS_DONE);
    assert_memory_equal(buffer + 100, "over a page", 11);
    uint32_t sum = 0;
    for (unsigned i = 0; i < 11; i++) {
        sum += (uint8_t)"over a page"[i];
    }
    assert_int_equal(read_register(rig, PCI_TEST_CHECKSUM), sum);
    rig_expect_message(rig, 3);
    copy(rig, 0x5000, 102, 5, PCI_TEST_COMMAND_OUT);
    assert_memory_equal(rig->ram + 0x5000, "er a ", 5);
    assert_int_equal(rig->message_count, 2);
    write_register(rig, PCI_TEST_COMMAND, PCI_TEST_COMMAND_CLEAR);
    assert_int_equal(buffer[100], 0);
    assert_int_equal(read_register(rig, PCI_TEST_INTERRUPTS), 0);
}

static void copies_that_cannot_be_fail(void **state)
{
    static const struct { uint64_t address; uint32_t offset, length; } cases[] = {
        {0x1000, 0, 0},
        {0x1000, 0, PCI_TEST_BUFFER_SIZE + 1},
        {0x1000, 0xffffffff, 2},
        {0x1000, PCI_TEST_BUFFER_SIZE, 1},
        {RIG_RAM - 1, 0, 2},
        {UINT64_MAX, 0, 2},
    };
    struct rig *rig = *state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        copy(rig, cases[i].address, cases[i].offset, cases[i].length, PCI_TEST_COMMAND_IN);
        rig_expect_violation(rig, "between its buffer and guest RAM");
        assert_int_equal(read_register(rig, PCI_TEST_STATUS),
                         PCI_TEST_STATUS_DONE | PCI_TEST_STATUS_FAILED);
        copy(rig, 0x1000, 0, PCI_TEST_BUFFER_SIZE, PCI_TEST_COMMAND_OUT);
        assert_int_equal(read_register(rig, PCI_TEST_STATUS), PCI_TEST_STATUS_DONE);
    }
    pci_config_write(rig->function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    copy(rig, 0x1000, 0, 1, PCI_TEST_COMMAND_IN); /* not the bus master */
    rig_expect_violation(rig, "guest RAM");
}

static void it_interrupts_on_demand(void **state)
{
    struct rig *rig = *state;
    write_register(rig, PCI_TEST_RAISE, 15);
    rig_expect_message(rig, 15);
    write_register(rig, PCI_TEST_RAISE, 16); /* has no such vector */
    assert_int_equal(rig->message_count, 1);
    write_register(rig, PCI_TEST_BURST, 40 << 8 | 2);
    assert_int_equal(rig->message_count, 41);
    rig_expect_message(rig, 2);
    assert_int_equal(read_register(rig, PCI_TEST_INTERRUPTS), 41);
}

static void accesses_that_cannot_be_are_reported(void **state)
{
    struct rig *rig = *state;
    pci_region_write(rig->function, 0, PCI_TEST_ECHO, 2, 1);
    rig_expect_violation(rig, "written in 4 bytes");
    pci_region_write(rig->function, 0, PCI_TEST_ECHO + 2, 4, 1);
    rig_expect_violation(rig, "written in 4 bytes");
    pci_region_write(rig->function, 0, PCI_TEST_COPY_OFFSET, 8, 1);
    rig_expect_violation(rig, "written in 4 bytes");
    write_register(rig, PCI_TEST_IDENTITY, 1);
    rig_expect_violation(rig, "no such register");
    write_register(rig, PCI_TEST_COMMAND, 4);
    rig_expect_violation(rig, "commands 1 to 3");
    write_register(rig, PCI_TEST_ECHO, 0);
    assert_int_equal(read_register(rig, PCI_TEST_ECHO), 0xffffffff);
    assert_int_equal(rig->violations, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(registers_answer),
        TEST(it_copies_in_and_out),
        TEST(copies_that_cannot_be_fail),
        TEST(it_interrupts_on_demand),
        TEST(accesses_that_cannot_be_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
