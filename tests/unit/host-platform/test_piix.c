/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI configuration through ports, and the functions of a generation 1 machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/platform/piix.h"

static struct pci_ports_function functions[PIIX_FUNCTIONS];
static struct pci_ports ports;

static int set_up(void **state)
{
    piix_reset(functions);
    ports = (struct pci_ports){.functions = functions, .count = PIIX_FUNCTIONS};
    return 0;
}

static void select_register(unsigned device, unsigned function, unsigned offset)
{
    pci_ports_write(&ports, 0xcf8, 4, 0x80000000u | device << 11 | function << 8 | (offset & 0xfc));
}

static uint32_t read_config(unsigned device, unsigned function, unsigned offset, uint32_t size)
{
    select_register(device, function, offset);
    return pci_ports_read(&ports, (uint16_t)(0xcfc + offset % 4), size);
}

static void write_config(unsigned device, unsigned function, unsigned offset, uint32_t size,
                         uint32_t value)
{
    select_register(device, function, offset);
    pci_ports_write(&ports, (uint16_t)(0xcfc + offset % 4), size, value);
}

static void the_bus_has_the_machines_functions_and_no_other(void **state)
{
    static const struct {
        unsigned device, function;
        uint32_t id, class_revision;
    } expected[] = {
        {0, 0, 0x71928086, 0x06000003}, {7, 0, 0x71108086, 0x06010001},
        {7, 1, 0x71118086, 0x01018001}, {7, 3, 0x71138086, 0x06800002},
        {8, 0, 0x53531414, 0x03000000},
    };
    unsigned found = 0;
    for (unsigned device = 0; device < 32; device++) {
        for (unsigned function = 0; function < 8; function++) {
            const uint32_t id = read_config(device, function, PCI_VENDOR_ID, 4);
            if (id == UINT32_MAX) {
                continue;
            }
            assert_true(found < sizeof(expected) / sizeof(expected[0]));
            assert_int_equal(device, expected[found].device);
            assert_int_equal(function, expected[found].function);
            assert_int_equal(id, expected[found].id);
            assert_int_equal(read_config(device, function, PCI_REVISION_ID, 4),
                             expected[found].class_revision);
            found++;
        }
    }
    assert_int_equal(found, sizeof(expected) / sizeof(expected[0]));
    assert_int_equal(read_config(7, 0, PCI_HEADER_TYPE, 1), 0x80);
    assert_int_equal(read_config(8, 0, PCI_HEADER_TYPE, 1), 0);
}

static void base_addresses_are_sized_and_placed(void **state)
{
    assert_int_equal(read_config(8, 0, PCI_BAR(0), 4), 0xf8000000);
    write_config(8, 0, PCI_BAR(0), 4, UINT32_MAX);
    assert_int_equal(read_config(8, 0, PCI_BAR(0), 4), 0xfc000000); /* 64 MiB */
    write_config(8, 0, PCI_BAR(0), 4, 0xf4000000);
    assert_int_equal(read_config(8, 0, PCI_BAR(0), 4), 0xf4000000);
    assert_int_equal(read_config(8, 0, PCI_BAR(1), 4), 0);
    write_config(8, 0, PCI_BAR(1), 4, UINT32_MAX);
    assert_int_equal(read_config(8, 0, PCI_BAR(1), 4), 0);
    write_config(7, 1, PCI_BAR(4), 4, UINT32_MAX);
    assert_int_equal(read_config(7, 1, PCI_BAR(4), 4), 0xfffffff1); /* 16 ports */
}

static void what_is_fixed_stays(void **state)
{
    write_config(8, 0, PCI_VENDOR_ID, 4, 0);
    write_config(8, 0, PCI_REVISION_ID, 4, 0);
    write_config(8, 0, PCI_HEADER_TYPE, 1, 0xff);
    write_config(8, 0, PCI_INTERRUPT_PIN, 1, 0);
    assert_int_equal(read_config(8, 0, PCI_VENDOR_ID, 4), 0x53531414);
    assert_int_equal(read_config(8, 0, PCI_HEADER_TYPE, 1), 0);
    assert_int_equal(read_config(8, 0, PCI_INTERRUPT_PIN, 1), 1);
    write_config(8, 0, PCI_COMMAND, 2, 0xffff);
    assert_int_equal(read_config(8, 0, PCI_COMMAND, 2), 7);
}

static void bytes_and_words_are_parts_of_a_register(void **state)
{
    assert_int_equal(read_config(0, 0, PCI_VENDOR_ID, 2), 0x8086);
    assert_int_equal(read_config(0, 0, PCI_DEVICE_ID, 2), 0x7192);
    assert_int_equal(read_config(0, 0, PCI_DEVICE_ID + 1, 1), 0x71);
    write_config(8, 0, PCI_INTERRUPT_LINE, 1, 10);
    assert_int_equal(read_config(8, 0, PCI_INTERRUPT_LINE, 2), 0x010a);
}

static void what_answers_to_nothing_is_ones(void **state)
{
    pci_ports_write(&ports, 0xcf8, 4, 0x80010000); /* bus 1 */
    assert_int_equal(pci_ports_read(&ports, 0xcfc, 4), UINT32_MAX);
    pci_ports_write(&ports, 0xcf8, 4, 0x00000000); /* not enabled */
    assert_int_equal(pci_ports_read(&ports, 0xcfc, 4), UINT32_MAX);
    select_register(0, 0, 0);
    assert_int_equal(pci_ports_read(&ports, 0xcff, 2), 0xffff); /* over the end */
    assert_int_equal(pci_ports_read(&ports, 0xcfe, 4), UINT32_MAX);
    assert_int_equal(pci_ports_read(&ports, 0xcfa, 1), 0xff);
    pci_ports_write(&ports, 0xcff, 4, 0);
    assert_int_equal(pci_ports_read(&ports, 0xcfc, 4), 0x71928086); /* and the next one works */
}

static void the_address_register_keeps_what_has_a_meaning(void **state)
{
    pci_ports_write(&ports, 0xcf8, 4, UINT32_MAX);
    assert_int_equal(pci_ports_read(&ports, 0xcf8, 4), 0x80fffffc);
    pci_ports_write(&ports, 0xcf8, 1, 0); /* is no access to it */
    assert_int_equal(pci_ports_read(&ports, 0xcf8, 4), 0x80fffffc);
}

static void the_reset_control_register_resets(void **state)
{
    pci_ports_write(&ports, 0xcf9, 1, 0x02);
    assert_false(ports.reset_wanted);
    pci_ports_write(&ports, 0xcf9, 1, 0x06);
    assert_true(ports.reset_wanted);
}

/* ---- As a virtual device ---- */

static unsigned traps, resets;

static int trap(void *context, struct virtual_device *device, enum device_space space,
                uint64_t start, uint64_t size, bool on)
{
    assert_int_equal(space, DEVICE_SPACE_PORT);
    assert_int_equal(start, 0xcf8);
    assert_int_equal(size, 8);
    traps += on;
    return 0;
}

static void reset_machine(void *context)
{
    resets++;
}

static void a_reset_puts_firmwares_values_back(void **state)
{
    const struct device_machine machine = {.trap = trap, .reset = reset_machine};
    struct virtual_device *piix = piix_new();
    piix->operations->attach(piix, &machine);
    assert_int_equal(piix->operations->power_on(piix), 0);
    assert_int_equal(traps, 1);
    piix->operations->write(piix, DEVICE_SPACE_PORT, 0xcf8, 4, 0x80004010);
    piix->operations->write(piix, DEVICE_SPACE_PORT, 0xcfc, 4, 0);
    assert_int_equal(piix->operations->read(piix, DEVICE_SPACE_PORT, 0xcfc, 4), 0);
    piix->operations->write(piix, DEVICE_SPACE_PORT, 0xcf9, 1, 6);
    assert_int_equal(resets, 1);
    piix->operations->reset(piix);
    piix->operations->write(piix, DEVICE_SPACE_PORT, 0xcf8, 4, 0x80004010);
    assert_int_equal(piix->operations->read(piix, DEVICE_SPACE_PORT, 0xcfc, 4), 0xf8000000);
    piix->operations->free(piix);
}

#define TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_bus_has_the_machines_functions_and_no_other),
        TEST(base_addresses_are_sized_and_placed),
        TEST(what_is_fixed_stays),
        TEST(bytes_and_words_are_parts_of_a_register),
        TEST(what_answers_to_nothing_is_ones),
        TEST(the_address_register_keeps_what_has_a_meaning),
        TEST(the_reset_control_register_resets),
        TEST(a_reset_puts_firmwares_values_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
