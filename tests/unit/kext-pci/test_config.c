/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration space: what is answered here, what reaches the function, and in which order. */
#include "tests/unit/kext-pci/engine_test.h"

#include "kext/pci/config.h"

enum { WRITES = 64 };

static struct config config;
static uint8_t space[PCI_CONFIG_EXTENDED_SIZE]; /* what the function reads */
static struct {
    uint32_t offset, size, value;
} writes[WRITES];
static uint32_t write_count;
static uint32_t slot_seen;

static uint32_t port_read(void *context, uint32_t slot, uint32_t offset, uint32_t size)
{
    uint32_t value = 0;

    assert_ptr_equal(context, &config);
    assert_true(offset % 4 + size <= 4 && offset + size <= sizeof space);
    slot_seen = slot;
    memcpy(&value, &space[offset], size);
    return value | (size < 4 ? 0xabcd0000u << 8 * (size - 1) : 0); /* rubbish above */
}

static void port_write(void *context, uint32_t slot, uint32_t offset, uint32_t size,
                       uint32_t value)
{
    assert_ptr_equal(context, &config);
    assert_true(offset % 4 + size <= 4 && offset + size <= sizeof space);
    assert_true(write_count < WRITES);
    slot_seen = slot;
    writes[write_count].offset = offset;
    writes[write_count].size = size;
    writes[write_count++].value = value;
}

static const struct config_port port = { &config, port_read, port_write };

static const struct vpci_function function = {
    .vendor = 0x10de, .device = 0x1b80, .revision = 0xa1, .programming_interface = 0x02,
    .subclass = 0x01, .base_class = 0x03, .subsystem_vendor = 0x1043, .subsystem = 0x8590,
    .slot = 0x21,
};

/* A card with 16 MiB at 0 and 256 MiB, wide, at 1; placed. */
static void begin(uint32_t rom)
{
    const uint32_t masks[PCI_BARS] = { 0xff000000, 0xf000000c, 0xffffffff };
    struct bars bars;

    memset(space, 0x5a, sizeof space);
    write_count = 0;
    bars_read(&bars, masks, rom);
    assert_int_equal(bars_place(&bars, 0, 0xf9000000), 0);
    assert_int_equal(bars_place(&bars, 1, UINT64_C(0xff0000000)), 0);
    config_begin(&config, &function, &bars);
}

static uint32_t read(uint32_t offset, uint32_t size)
{
    return config_read(&config, &port, offset, size);
}

static void write(uint32_t offset, uint32_t size, uint32_t value)
{
    config_write(&config, &port, offset, size, value);
}

static void identity_comes_from_the_relations(void **state)
{
    (void)state;
    begin(0);
    assert_int_equal(read(PCI_VENDOR_ID, 4), 0x1b8010de);
    assert_int_equal(read(PCI_DEVICE_ID, 2), 0x1b80);
    assert_int_equal(read(PCI_DEVICE_ID + 1, 1), 0x1b);
    assert_int_equal(read(PCI_REVISION_ID, 4), 0x030102a1);
    assert_int_equal(read(PCI_BASE_CLASS, 1), 3);
    assert_int_equal(read(PCI_SUBSYSTEM_VENDOR, 4), 0x85901043);
    write(PCI_VENDOR_ID, 4, 0);
    write(PCI_SUBSYSTEM_VENDOR, 4, 0);
    write(PCI_REVISION_ID, 4, 0);
    assert_int_equal(write_count, 0);
    assert_int_equal(read(PCI_VENDOR_ID, 4), 0x1b8010de);
}

static void the_rest_is_the_functions_own(void **state)
{
    (void)state;
    begin(0);
    assert_int_equal(read(PCI_CAPABILITIES, 1), 0x5a);
    assert_int_equal(read(0x80, 2), 0x5a5a);
    assert_int_equal(read(0xffc, 4), 0x5a5a5a5a);
    assert_int_equal(slot_seen, 0x21);
    write(0x80, 2, 0x12345);
    assert_int_equal(write_count, 1);
    assert_int_equal(writes[0].offset, 0x80);
    assert_int_equal(writes[0].value, 0x2345); /* no more than the size */
}

static void there_are_no_interrupt_pins(void **state)
{
    (void)state;
    begin(0);
    assert_int_equal(read(PCI_INTERRUPT_LINE, 4), 0x5a5a0000);
    assert_int_equal(read(PCI_INTERRUPT_LINE, 1), 0);
    assert_int_equal(read(PCI_INTERRUPT_PIN, 1), 0);
    assert_int_equal(read(PCI_INTERRUPT_LINE, 2), 0);
    assert_int_equal(read(PCI_INTERRUPT_PIN + 1, 1), 0x5a);
}

static void the_header_tells_of_siblings(void **state)
{
    (void)state;
    begin(0);
    space[PCI_HEADER_TYPE] = 0;
    assert_int_equal(read(PCI_HEADER_TYPE, 1), 0);
    config.has_siblings = true;
    assert_int_equal(read(PCI_HEADER_TYPE, 1), PCI_HEADER_MULTIFUNCTION);
    assert_int_equal(read(PCI_HEADER_TYPE, 2), 0x5a00 | PCI_HEADER_MULTIFUNCTION);
    assert_int_equal(read(PCI_HEADER_TYPE - 2, 4), 0x5a805a5a);
    assert_int_equal(read(PCI_HEADER_TYPE + 1, 1), 0x5a);
    assert_int_equal(read(PCI_HEADER_TYPE - 2, 2), 0x5a5a);
}

static void impossible_accesses_read_all_ones_and_write_nothing(void **state)
{
    static const struct {
        uint32_t offset, size, ones;
    } bad[] = {
        { 0, 3, 0xffffff }, { 0x3e, 4, UINT32_MAX }, { 0x43, 2, 0xffff }, { 0x1000, 4, UINT32_MAX },
        { UINT32_MAX, 1, 0xff }, { UINT32_MAX - 3, 4, UINT32_MAX }, { 0, 8, UINT32_MAX },
    };

    (void)state;
    begin(0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(read(bad[i].offset, bad[i].size), bad[i].ones);
        write(bad[i].offset, bad[i].size, 0);
    }
    assert_int_equal(write_count, 0);
    assert_int_equal(read(0x40, 4), 0x5a5a5a5a); /* the next good one works */
}

static void a_probe_does_not_reach_the_function(void **state)
{
    (void)state;
    begin(0xfffc0000);
    for (uint32_t i = 0; i < PCI_BARS; i++) {
        uint32_t value = read(PCI_BAR(i), 4);

        write(PCI_BAR(i), 4, UINT32_MAX);
        assert_int_equal(read(PCI_BAR(i), 4),
                         i == 0 ? 0xff000000 : i == 1 ? 0xf000000c : i == 2 ? UINT32_MAX : 0);
        write(PCI_BAR(i), 4, value);
        assert_int_equal(read(PCI_BAR(i), 4), value);
    }
    write(PCI_ROM_BAR, 4, 0xfffff800);
    assert_int_equal(read(PCI_ROM_BAR, 4), 0xfffc0000);
    write(PCI_ROM_BAR, 4, 0);
    assert_int_equal(write_count, 0);
}

static void a_function_without_rom_has_none(void **state)
{
    (void)state;
    begin(0);
    write(PCI_ROM_BAR, 4, UINT32_MAX);
    assert_int_equal(read(PCI_ROM_BAR, 4), 0);
    assert_int_equal(write_count, 0);
}

static void addresses_are_written_before_memory_is_enabled(void **state)
{
    (void)state;
    begin(0xfffc0000);
    write(PCI_ROM_BAR, 4, 0xf8000001);
    write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    assert_int_equal(write_count, 6);
    assert_int_equal(writes[0].offset, PCI_COMMAND);
    assert_int_equal(writes[0].value, PCI_COMMAND_MASTER); /* off first */
    assert_int_equal(writes[1].offset, PCI_BAR(0));
    assert_int_equal(writes[1].value, 0xf9000000);
    assert_int_equal(writes[2].value, 0xf000000c);
    assert_int_equal(writes[3].value, 0xf);
    assert_int_equal(writes[4].offset, PCI_ROM_BAR);
    assert_int_equal(writes[4].value, 0xf8000001);
    assert_int_equal(writes[5].offset, PCI_COMMAND);
    assert_int_equal(writes[5].value, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    write(PCI_COMMAND, 2, 0);
    write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY); /* they are there already */
    assert_int_equal(write_count, 8);
}

static void while_memory_is_enabled_addresses_do_not_change(void **state)
{
    (void)state;
    begin(0);
    write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    write(PCI_BAR(0), 4, 0xfa000000);
    assert_int_equal(read(PCI_BAR(0), 4), 0xf9000000);
    write(PCI_COMMAND, 1, 0);
    write(PCI_BAR(0), 4, 0xfa000000);
    assert_int_equal(read(PCI_BAR(0), 4), 0xfa000000);
    write_count = 0;
    write(PCI_COMMAND, 1, PCI_COMMAND_MEMORY);
    assert_int_equal(writes[0].size, 1); /* the upper byte stays as it is */
    assert_int_equal(writes[1].value, 0xfa000000);
}

static void the_enable_bit_reads_as_it_was_written(void **state)
{
    (void)state;
    begin(0);
    memset(&space[PCI_COMMAND], 0, 4); /* a host that forgets it */
    write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    assert_int_equal(read(PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
    assert_int_equal(read(PCI_COMMAND, 4), PCI_COMMAND_MEMORY);
    memset(&space[PCI_COMMAND], 0xff, 4); /* one that sets it */
    write(PCI_COMMAND, 2, 0);
    assert_int_equal(read(PCI_COMMAND, 1), 0xff & ~PCI_COMMAND_MEMORY);
    assert_int_equal(read(PCI_STATUS, 2), 0xffff);
}

static void bytes_of_an_address_can_be_written(void **state)
{
    (void)state;
    begin(0);
    write(PCI_BAR(0) + 3, 1, 0xfb);
    assert_int_equal(read(PCI_BAR(0), 4), 0xfb000000);
    write(PCI_BAR(2) + 2, 2, 0x1234);
    assert_int_equal(read(PCI_BAR(2), 4), 0x1234000f);
}

static void a_function_is_quiet_before_it_goes(void **state)
{
    (void)state;
    begin(0);
    write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    write_count = 0;
    config_quiesce(&config, &port);
    assert_int_equal(write_count, 1);
    assert_int_equal(writes[0].offset, PCI_COMMAND);
    assert_int_equal(writes[0].value & (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER), 0);
    assert_int_equal(read(PCI_COMMAND, 2) & PCI_COMMAND_MEMORY, 0);
}

static void capabilities_are_found_and_loops_end(void **state)
{
    (void)state;
    begin(0);
    memset(space, 0, sizeof space);
    assert_int_equal(config_find_capability(&config, &port, PCI_CAPABILITY_MSIX), 0);
    space[PCI_STATUS] = PCI_STATUS_CAPABILITIES;
    space[PCI_CAPABILITIES] = 0x50;
    space[0x50] = PCI_CAPABILITY_MSI;
    space[0x51] = 0x83; /* low bits mean nothing */
    space[0x80] = PCI_CAPABILITY_MSIX;
    space[0x81] = 0x50;
    assert_int_equal(config_find_capability(&config, &port, PCI_CAPABILITY_MSIX), 0x80);
    assert_int_equal(config_find_capability(&config, &port, PCI_CAPABILITY_EXPRESS), 0);
    space[0x81] = 0x10; /* into the header */
    assert_int_equal(config_find_capability(&config, &port, PCI_CAPABILITY_EXPRESS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_comes_from_the_relations),
        cmocka_unit_test(the_rest_is_the_functions_own),
        cmocka_unit_test(there_are_no_interrupt_pins),
        cmocka_unit_test(the_header_tells_of_siblings),
        cmocka_unit_test(impossible_accesses_read_all_ones_and_write_nothing),
        cmocka_unit_test(a_probe_does_not_reach_the_function),
        cmocka_unit_test(a_function_without_rom_has_none),
        cmocka_unit_test(addresses_are_written_before_memory_is_enabled),
        cmocka_unit_test(while_memory_is_enabled_addresses_do_not_change),
        cmocka_unit_test(the_enable_bit_reads_as_it_was_written),
        cmocka_unit_test(bytes_of_an_address_can_be_written),
        cmocka_unit_test(a_function_is_quiet_before_it_goes),
        cmocka_unit_test(capabilities_are_found_and_loops_end),
    };

    return RUN(tests);
}
