/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration space, regions and interrupts of a PCI function. */
#include "tests/unit/host-pci/rig.h"

static struct pci_function *new_function(void)
{
    const struct pci_identity identity = {.vendor = 0x8086, .device = 0x10d3,
                                          .subsystem_vendor = 0x1028, .subsystem = 0x1234,
                                          .revision = 3, .class_code = 0x020001};
    struct pci_function *function = pci_function_new(&identity);
    assert_non_null(function);
    return function;
}

static void the_header_says_who_it_is(void **state)
{
    struct pci_function *function = new_function();
    struct pci_identity identity;
    assert_int_equal(pci_config_read(function, PCI_VENDOR_ID, 4), 0x10d38086);
    assert_int_equal(pci_config_read(function, PCI_REVISION_ID, 4), 0x02000103);
    assert_int_equal(pci_config_read(function, PCI_SUBSYSTEM_VENDOR, 4), 0x12341028);
    assert_int_equal(pci_config_read(function, PCI_BASE_CLASS, 1), 2);
    assert_int_equal(pci_config_read(function, PCI_HEADER_TYPE, 1), 0);
    pci_get_identity(function, &identity);
    assert_int_equal(identity.class_code, 0x020001);
    assert_int_equal(identity.subsystem, 0x1234);
    pci_function_free(function);
}

static void what_is_read_only_stays(void **state)
{
    struct pci_function *function = new_function();
    for (unsigned i = 0; i < PCI_CONFIG_EXTENDED_SIZE; i += 4) {
        pci_config_write(function, i, 4, 0xffffffff);
    }
    assert_int_equal(pci_config_read(function, PCI_VENDOR_ID, 4), 0x10d38086);
    assert_int_equal(pci_config_read(function, PCI_COMMAND, 2),
                     PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX);
    assert_int_equal(pci_config_read(function, PCI_BAR(0), 4), 0);
    assert_int_equal(pci_config_read(function, PCI_ROM_BAR, 4), 0);
    assert_int_equal(pci_config_read(function, PCI_INTERRUPT_LINE, 1), 0xff);
    assert_int_equal(pci_config_read(function, PCI_INTERRUPT_PIN, 1), 0);
    assert_int_equal(pci_config_read(function, PCI_CONFIG_EXTENDED_SIZE - 4, 4), 0);
    pci_function_free(function);
}

static void a_probe_of_a_bar_tells_its_size(void **state)
{
    struct pci_function *function = new_function();
    assert_int_equal(pci_add_region(function, 0, 0x4000, false, false, true), 0);
    assert_int_equal(pci_add_region(function, 1, UINT64_C(1) << 33, true, true, true), 0);
    assert_int_equal(pci_add_region(function, PCI_ROM, 0x10000, false, false, false), 0);
    pci_config_write(function, PCI_BAR(0), 4, 0xffffffff);
    pci_config_write(function, PCI_BAR(1), 4, 0xffffffff);
    pci_config_write(function, PCI_BAR(2), 4, 0xffffffff);
    pci_config_write(function, PCI_ROM_BAR, 4, 0xfffffffe);
    assert_int_equal(pci_config_read(function, PCI_BAR(0), 4), 0xffffc000);
    assert_int_equal(pci_config_read(function, PCI_BAR(1), 4),
                     PCI_BAR_64 | PCI_BAR_PREFETCHABLE);
    assert_int_equal(pci_config_read(function, PCI_BAR(2), 4), 0xfffffffe);
    assert_int_equal(pci_config_read(function, PCI_ROM_BAR, 4), 0xffff0000);
    /* The same, as QUERY_REQUIREMENTS answers it. */
    assert_int_equal(pci_bar_mask(function, 0), 0xffffc000);
    assert_int_equal(pci_bar_mask(function, 1), PCI_BAR_64 | PCI_BAR_PREFETCHABLE);
    assert_int_equal(pci_bar_mask(function, 2), 0xfffffffe);
    assert_int_equal(pci_bar_mask(function, 3), 0);
    pci_function_free(function);
}

static void regions_that_cannot_be_are_refused(void **state)
{
    static const struct {
        unsigned index;
        uint64_t size;
        bool is_64_bit;
        int result;
    } cases[] = {
        {0, 0x3000, false, -EINVAL},              /* no power of two */
        {0, 8, false, -EINVAL},                   /* less than the attributes leave */
        {PCI_ROM, 0x400, false, -EINVAL},
        {0, UINT64_C(1) << 32, false, -EINVAL},   /* more than 32 bits hold */
        {0, UINT64_C(1) << 37, true, -EINVAL},
        {5, 0x1000, true, -EINVAL},               /* no register for the upper half */
        {PCI_REGIONS, 0x1000, false, -EINVAL},
        {PCI_ROM, 0x1000, true, -EINVAL},
        {2, 0x1000, false, -EEXIST},
        {3, 0x1000, false, -EEXIST},              /* the upper half of 2 */
        {1, 0x1000, true, -EEXIST},               /* its upper half would be 2 */
    };
    struct pci_function *function = new_function();
    assert_int_equal(pci_add_region(function, 2, 0x1000, true, false, true), 0);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(pci_add_region(function, cases[i].index, cases[i].size,
                                        cases[i].is_64_bit, false, true),
                         cases[i].result);
    }
    assert_int_equal(pci_add_region(function, 4, 0x1000, true, false, true), 0);
    pci_function_free(function);
}

static void bars_of_ports_are_told_and_never_decoded(void **state)
{
    struct rig *rig = rig_create("{\"bars\":[{\"index\":1,\"ports\":32},{\"size\":\"256\"}]}");
    struct pci_function *function = rig->function;
    uint64_t address;
    assert_int_equal(pci_bar_mask(function, 0), 0xffffff00);
    assert_int_equal(pci_bar_mask(function, 1), 0xffffffe0 | PCI_BAR_PORT);
    assert_int_equal(pci_region_span(&function->regions[0]), 4096);
    pci_config_write(function, PCI_BAR(1), 4, 0x1000);
    assert_int_equal(pci_config_read(function, PCI_BAR(1), 4), 0x1000 | PCI_BAR_PORT);
    assert_int_equal(pci_bar_address(function, 1), 0x1000);
    rig_enable(rig);
    assert_true(pci_region_address(function, 0, &address));
    assert_false(pci_region_address(function, 1, &address));
    assert_int_equal(pci_set_bar_address(function, 1, 0x2000), -EINVAL);
    assert_int_equal(pci_add_ports(function, 1, 32), -EEXIST);
    assert_int_equal(pci_add_ports(function, 2, 2), -EINVAL);
    assert_int_equal(pci_add_ports(function, 2, 48), -EINVAL);
    assert_int_equal(pci_add_ports(function, 2, 512), -EINVAL);
    assert_int_equal(pci_add_ports(function, PCI_ROM, 32), -EINVAL);
    rig_free(rig);
}

static struct rig *rig_with_bars(void)
{
    return rig_create("{\"bars\":[{\"index\":0,\"size\":\"64K\"},"
                      "{\"index\":2,\"size\":\"1M\",\"bits\":64,\"prefetchable\":true}],"
                      "\"rom\":{\"size\":\"4K\"},\"power\":true}");
}

static void a_region_appears_while_memory_is_enabled(void **state)
{
    struct rig *rig = rig_with_bars();
    struct pci_function *function = rig->function;
    uint64_t address = 0;
    pci_config_write(function, PCI_BAR(0), 4, 0xf8010000);
    pci_config_write(function, PCI_BAR(2), 4, 0xe0000000);
    pci_config_write(function, PCI_BAR(3), 4, 0xf);
    assert_false(pci_region_address(function, 0, &address));
    assert_int_equal(rig->decoding_changes, 0);
    pci_config_write(function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    assert_int_equal(rig->decoding_changes, 1);
    assert_true(pci_region_address(function, 0, &address));
    assert_int_equal(address, 0xf8010000);
    assert_true(pci_region_address(function, 2, &address));
    assert_int_equal(address, 0xfe0000000);
    assert_false(pci_region_address(function, 1, &address));
    /* While it is on, writes to BARs are ignored, as on real hosts. */
    pci_config_write(function, PCI_BAR(0), 4, 0xf9000000);
    assert_int_equal(pci_config_read(function, PCI_BAR(0), 4), 0xf8010000);
    pci_config_write(function, PCI_COMMAND, 2, 0);
    assert_int_equal(rig->decoding_changes, 2);
    assert_false(pci_region_address(function, 0, &address));
    pci_config_write(function, PCI_BAR(0), 4, 0xf9000000);
    assert_int_equal(pci_config_read(function, PCI_BAR(0), 4), 0xf9000000);
    rig_free(rig);
}

static void the_rom_has_a_switch_of_its_own(void **state)
{
    struct rig *rig = rig_with_bars();
    uint64_t address = 0;
    pci_config_write(rig->function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    assert_false(pci_region_address(rig->function, PCI_ROM, &address));
    pci_config_write(rig->function, PCI_ROM_BAR, 4, 0xf8000000 | PCI_ROM_ENABLE);
    assert_int_equal(rig->decoding_changes, 2);
    assert_true(pci_region_address(rig->function, PCI_ROM, &address));
    assert_int_equal(address, 0xf8000000);
    rig_free(rig);
}

static void a_function_that_sleeps_decodes_nothing(void **state)
{
    struct rig *rig = rig_with_bars();
    struct pci_function *function = rig->function;
    uint64_t address;
    const unsigned control = function->power_offset + PCI_POWER_CONTROL;
    pci_config_write(function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    pci_config_write(function, control, 2, 3);
    assert_int_equal(pci_config_read(function, control, 2), 3 | PCI_POWER_NO_RESET);
    assert_false(pci_region_address(function, 0, &address));
    pci_config_write(function, control, 2, 0);
    assert_true(pci_region_address(function, 0, &address));
    assert_int_equal(rig->decoding_changes, 3);
    rig_free(rig);
}

static void bars_are_set_from_outside_only_where_they_fit(void **state)
{
    struct rig *rig = rig_with_bars();
    struct pci_function *function = rig->function;
    assert_int_equal(pci_set_bar_address(function, 0, 0xf8008000), -EINVAL);
    assert_int_equal(pci_set_bar_address(function, 0, UINT64_C(1) << 32), -EINVAL);
    assert_int_equal(pci_set_bar_address(function, 1, 0), -EINVAL);
    assert_int_equal(pci_set_bar_address(function, 3, 0), -EINVAL);
    assert_int_equal(pci_set_bar_address(function, 6, 0), -EINVAL);
    assert_int_equal(pci_set_bar_address(function, 2, 0xfe0100000), 0);
    assert_int_equal(pci_bar_address(function, 2), 0xfe0100000);
    assert_int_equal(pci_config_read(function, PCI_BAR(2), 4) & 0xf,
                     PCI_BAR_64 | PCI_BAR_PREFETCHABLE);
    rig_free(rig);
}

static void capabilities_are_a_list(void **state)
{
    struct pci_function *function = new_function();
    const uint8_t ids[] = {PCI_CAPABILITY_POWER, PCI_CAPABILITY_EXPRESS, PCI_CAPABILITY_MSI,
                           PCI_CAPABILITY_MSIX};
    assert_int_equal(pci_config_read(function, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES, 0);
    assert_int_equal(pci_add_region(function, 0, 0x1000, false, false, true), 0);
    assert_int_equal(pci_add_power(function), 0);
    assert_int_equal(pci_add_express(function), 0);
    assert_int_equal(pci_add_msi(function, 8), 0);
    assert_int_equal(pci_add_msix(function, 3, 0, 0, 0, 0x800), 0);
    assert_int_equal(pci_add_power(function), -EEXIST);
    assert_int_equal(pci_add_msi(function, 8), -EEXIST);
    assert_int_equal(pci_add_msix(function, 3, 0, 0, 0, 0x800), -EEXIST);
    assert_true(pci_config_read(function, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES);
    unsigned offset = pci_config_read(function, PCI_CAPABILITIES, 1);
    for (unsigned i = 0; i < sizeof(ids); i++) {
        assert_true(offset >= PCI_HEADER_END && offset % 4 == 0);
        assert_int_equal(pci_config_read(function, offset, 1), ids[i]);
        offset = pci_config_read(function, offset + 1, 1);
    }
    assert_int_equal(offset, 0);
    while (pci_add_express(function) == 0) {
        ; /* until there is no more room */
    }
    assert_int_equal(pci_add_express(function), -ENOSPC);
    pci_function_free(function);
}

static void interrupts_that_cannot_be_are_refused(void **state)
{
    struct pci_function *function = new_function();
    assert_int_equal(pci_add_region(function, 0, 0x1000, false, false, true), 0);
    assert_int_equal(pci_add_region(function, 1, 0x1000, false, false, false), 0);
    assert_int_equal(pci_add_msi(function, 0), -EINVAL);
    assert_int_equal(pci_add_msi(function, 3), -EINVAL);
    assert_int_equal(pci_add_msi(function, 64), -EINVAL);
    assert_int_equal(pci_add_msix(function, 0, 0, 0, 0, 0x800), -EINVAL);
    assert_int_equal(pci_add_msix(function, 2049, 0, 0, 0, 0x800), -EINVAL);
    assert_int_equal(pci_add_msix(function, 256, 0, 0, 0, 0x800), -EINVAL); /* overlap */
    assert_int_equal(pci_add_msix(function, 16, 0, 0xff8, 0, 0), -EINVAL);  /* over the end */
    assert_int_equal(pci_add_msix(function, 16, 0, 4, 0, 0x800), -EINVAL);
    assert_int_equal(pci_add_msix(function, 16, 1, 0, 0, 0x800), -EINVAL);  /* memory */
    assert_int_equal(pci_add_msix(function, 16, 6, 0, 0, 0x800), -EINVAL);
    assert_int_equal(pci_vectors(function), 0);
    pci_function_free(function);
}

static struct rig *rig_with_msix(void)
{
    struct rig *rig = rig_create("{\"bars\":[{\"size\":\"4K\",\"trapped\":true}],\"msix\":"
                                 "{\"vectors\":70,\"bar\":0,\"table\":0,\"pending\":2048}}");
    rig_enable(rig);
    return rig;
}

static void msix_sends_what_the_table_says(void **state)
{
    struct rig *rig = rig_with_msix();
    pci_interrupt(rig->function, 69);
    assert_int_equal(rig->message_count, 0); /* off */
    rig_enable_msix(rig);
    pci_interrupt(rig->function, 69);
    rig_expect_message(rig, 69);
    pci_interrupt(rig->function, 0);
    rig_expect_message(rig, 0);
    pci_interrupt(rig->function, 70); /* never asked for */
    assert_int_equal(rig->message_count, 2);
    assert_int_equal(rig->function->interrupts, 2);
    pci_config_write(rig->function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    pci_interrupt(rig->function, 0); /* a message is a write of the bus master */
    assert_int_equal(rig->message_count, 2);
    rig_free(rig);
}

static void masked_vectors_wait(void **state)
{
    struct rig *rig = rig_with_msix();
    struct pci_function *function = rig->function;
    rig_enable_msix(rig);
    pci_region_write(function, 0, 16 * 65 + 12, 4, PCI_MSIX_ENTRY_MASKED);
    pci_interrupt(function, 65);
    assert_int_equal(rig->message_count, 0);
    assert_int_equal(pci_region_read(function, 0, 2048 + 8, 8), 1 << 1);
    pci_region_write(function, 0, 2048 + 8, 8, 0); /* read-only */
    assert_int_equal(pci_region_read(function, 0, 2048 + 8, 4), 1 << 1);
    pci_region_write(function, 0, 16 * 65 + 12, 4, 0);
    rig_expect_message(rig, 65);
    assert_int_equal(pci_region_read(function, 0, 2048 + 8, 8), 0);
    /* The mask of all. */
    const unsigned control = function->msix_offset + PCI_MSIX_CONTROL;
    pci_config_write(function, control, 2, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
    pci_interrupt(function, 3);
    assert_int_equal(rig->message_count, 1);
    pci_config_write(function, control, 2, PCI_MSIX_ENABLE);
    rig_expect_message(rig, 3);
    assert_int_equal(rig->message_count, 2);
    rig_free(rig);
}

static void the_table_is_written_in_words(void **state)
{
    struct rig *rig = rig_with_msix();
    pci_region_write(rig->function, 0, 0, 8, 0x1122334455667788);
    assert_int_equal(pci_region_read(rig->function, 0, 0, 8), 0x1122334455667788);
    assert_int_equal(pci_region_read(rig->function, 0, 4, 4), 0x11223344);
    assert_int_equal(pci_region_read(rig->function, 0, 1, 1), 0x77);
    pci_region_write(rig->function, 0, 2, 2, 0xffff);
    rig_expect_violation(rig, "4 or 8 bytes");
    assert_int_equal(pci_region_read(rig->function, 0, 0, 8), 0x1122334455667788);
    /* Beside the table there is nothing. */
    assert_int_equal(pci_region_read(rig->function, 0, 0xff0, 4), 0xffffffff);
    rig_free(rig);
}

static void msi_puts_the_vector_into_the_data(void **state)
{
    struct rig *rig = rig_create("{\"msi\":8}");
    struct pci_function *function = rig->function;
    const unsigned offset = function->msi_offset;
    pci_config_write(function, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    assert_int_equal(pci_vectors(function), 8);
    assert_int_equal(pci_config_read(function, offset + PCI_MSI_CONTROL, 2), PCI_MSI_64 | 3 << 1);
    pci_config_write(function, offset + PCI_MSI_ADDRESS, 4, 0xfee01003);
    pci_config_write(function, offset + PCI_MSI_ADDRESS_HIGH, 4, 1);
    pci_config_write(function, offset + PCI_MSI_DATA_64, 2, 0x4321);
    pci_interrupt(function, 1);
    assert_int_equal(rig->message_count, 0);
    /* Four of the eight. */
    pci_config_write(function, offset + PCI_MSI_CONTROL, 2,
                     PCI_MSI_ENABLE | 2 << PCI_MSI_ENABLED_SHIFT);
    pci_interrupt(function, 2);
    assert_int_equal(rig->message_count, 1);
    assert_int_equal(rig->messages[0].address, 0x1fee01000);
    assert_int_equal(rig->messages[0].data, 0x4322);
    pci_interrupt(function, 7); /* shares with 3 */
    assert_int_equal(rig->messages[1].data, 0x4323);
    rig_free(rig);
}

static void a_reset_forgets_what_the_guest_set(void **state)
{
    struct rig *rig = rig_with_msix();
    struct pci_function *function = rig->function;
    uint64_t address;
    rig_enable_msix(rig);
    pci_function_reset(function);
    assert_false(pci_region_address(function, 0, &address));
    assert_int_equal(pci_config_read(function, PCI_COMMAND, 2), 0);
    assert_int_equal(pci_region_read(function, 0, 12, 4), PCI_MSIX_ENTRY_MASKED);
    assert_int_equal(pci_config_read(function, function->msix_offset + PCI_MSIX_CONTROL, 2), 69);
    assert_int_equal(pci_config_read(function, PCI_VENDOR_ID, 2), 0x1234);
    rig_enable(rig);
    rig_enable_msix(rig);
    pci_interrupt(function, 5);
    rig_expect_message(rig, 5);
    rig_free(rig);
}

static void dma_needs_a_bus_master_and_ram(void **state)
{
    struct rig *rig = rig_create("{}");
    uint8_t bytes[8] = {1, 2, 3};
    assert_int_equal(pci_dma_write(rig->function, 0x1000, bytes, 8), -EACCES);
    assert_int_equal(pci_dma_read(rig->function, 0x1000, bytes, 8), -EACCES);
    rig_enable(rig);
    assert_int_equal(pci_dma_write(rig->function, RIG_RAM - 4, bytes, 8), -EFAULT);
    assert_int_equal(pci_dma_write(rig->function, 0x1000, bytes, 8), 0);
    assert_int_equal(rig->ram[0x1002], 3);
    rig->function->memory = NULL;
    assert_int_equal(pci_dma_read(rig->function, 0x1000, bytes, 8), -EFAULT);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_says_who_it_is),
        cmocka_unit_test(what_is_read_only_stays),
        cmocka_unit_test(a_probe_of_a_bar_tells_its_size),
        cmocka_unit_test(regions_that_cannot_be_are_refused),
        cmocka_unit_test(bars_of_ports_are_told_and_never_decoded),
        cmocka_unit_test(a_region_appears_while_memory_is_enabled),
        cmocka_unit_test(the_rom_has_a_switch_of_its_own),
        cmocka_unit_test(a_function_that_sleeps_decodes_nothing),
        cmocka_unit_test(bars_are_set_from_outside_only_where_they_fit),
        cmocka_unit_test(capabilities_are_a_list),
        cmocka_unit_test(interrupts_that_cannot_be_are_refused),
        cmocka_unit_test(msix_sends_what_the_table_says),
        cmocka_unit_test(masked_vectors_wait),
        cmocka_unit_test(the_table_is_written_in_words),
        cmocka_unit_test(msi_puts_the_vector_into_the_data),
        cmocka_unit_test(a_reset_forgets_what_the_guest_set),
        cmocka_unit_test(dma_needs_a_bus_master_and_ram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
