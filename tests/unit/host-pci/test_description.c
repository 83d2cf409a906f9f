/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptions of PCI buses: what they may say, and a line for each mistake. */
#include "tests/unit/host-pci/rig.h"

#include <unistd.h>

#include "protocol/vpci.h"

static int describe(const char *text, struct pci_description *description, char *error)
{
    struct disk_engine *disks = disk_engine_new();
    const struct pci_resources resources = {.disks = disks};
    int result = pci_describe(text, &resources, description, error, 512);
    if (result == 0) {
        pci_description_free(description); /* before the disks' engine */
    }
    disk_engine_free(disks);
    return result;
}

static void a_description_may_say_little(void **state)
{
    struct rig *rig = rig_create("{}");
    struct pci_identity identity;
    pci_get_identity(rig->function, &identity);
    assert_int_equal(identity.vendor, 0x1234);
    assert_string_equal(rig->function->model, "plain");
    assert_int_equal(rig->function->slot, 0);
    assert_int_equal(rig->function->numa_node, -1);
    rig_free(rig);
}

static void and_it_may_say_all(void **state)
{
    struct pci_description description;
    struct pci_identity identity;
    char error[512];
    const char *text =
        "{\"name\":\"two\",\"instance\":\"00000001-0002-0003-0405-060708090a0b\","
        "\"minimum-version\":\"1.2\",\"maximum-version\":\"1.3\",\"first-d0-entry-fails\":true,"
        "\"functions\":["
        " {\"model\":\"network\",\"vendor\":\"0x15ad\",\"device\":1968,\"subsystem-vendor\":1,"
        "  \"subsystem\":2,\"revision\":7,\"class\":\"0x020001\",\"serial\":99},"
        " {\"slot\":3,\"function\":1,\"numa-node\":1,\"bars\":["
        "   {\"index\":1,\"size\":\"16M\",\"bits\":64,\"prefetchable\":true},"
        "   {\"index\":5,\"size\":\"8K\",\"trapped\":true}],\"rom\":{\"size\":\"32K\"},"
        "  \"power\":true,\"express\":true,\"msi\":4,"
        "  \"msix\":{\"vectors\":9,\"bar\":5,\"table\":4096,\"pending\":0}}]}";
    const struct pci_resources resources = {0};
    assert_int_equal(pci_describe(text, &resources, &description, error, sizeof(error)), 0);
    assert_string_equal(description.name, "two");
    assert_true(description.has_instance);
    assert_int_equal(description.instance.data2, 2);
    assert_int_equal(description.version_min, VPCI_VERSION_1_2);
    assert_int_equal(description.version_max, VPCI_VERSION_1_3);
    assert_true(description.first_d0_fails);
    assert_int_equal(description.function_count, 2);
    pci_get_identity(description.functions[0], &identity);
    assert_int_equal(identity.vendor, 0x15ad);
    assert_int_equal(identity.device, 1968);
    assert_int_equal(identity.subsystem, 2);
    assert_int_equal(identity.revision, 7);
    assert_int_equal(identity.class_code, 0x020001);
    assert_int_equal(description.functions[0]->serial, 99);
    const struct pci_function *second = description.functions[1];
    assert_int_equal(second->slot, VPCI_SLOT(3, 1));
    assert_int_equal(second->numa_node, 1);
    assert_int_equal(second->regions[1].size, 16 << 20);
    assert_true(second->regions[1].is_prefetchable && second->regions[1].memory != NULL);
    assert_true(second->regions[5].is_trapped);
    assert_int_equal(second->regions[PCI_ROM].size, 32 << 10);
    assert_int_equal(second->msix.count, 9);
    assert_true(second->msi_offset != 0 && second->power_offset != 0);
    pci_description_free(&description);
}

static void a_file_is_read_and_fills_a_rom(void **state)
{
    char path[] = "/tmp/test-pci-XXXXXX", rom_path[] = "/tmp/test-rom-XXXXXX", text[256];
    struct pci_description description;
    const struct pci_resources resources = {0};
    char error[512];
    FILE *rom = fdopen(mkstemp(rom_path), "w");
    fputs("Umachv", rom);
    fclose(rom);
    FILE *file = fdopen(mkstemp(path), "w");
    fprintf(file, " {\"rom\":{\"size\":\"4K\",\"file\":\"%s\"}}\n", rom_path);
    fclose(file);
    assert_int_equal(pci_describe(path, &resources, &description, error, sizeof(error)), 0);
    assert_memory_equal(description.functions[0]->regions[PCI_ROM].memory, "Umachv\0", 7);
    pci_description_free(&description);
    /* Larger than the ROM. */
    assert_int_equal(truncate(rom_path, 4097), 0);
    assert_int_equal(pci_describe(path, &resources, &description, error, sizeof(error)), -EINVAL);
    assert_non_null(strstr(error, "larger than"));
    unlink(rom_path);
    assert_int_equal(pci_describe(path, &resources, &description, error, sizeof(error)), -EINVAL);
    assert_non_null(strstr(error, "cannot be read"));
    unlink(path);
    snprintf(text, sizeof(text), "%s.gone", path);
    assert_int_equal(pci_describe(text, &resources, &description, error, sizeof(error)), -ENOENT);
    assert_non_null(strstr(error, "No such file"));
}

static void each_mistake_has_a_line(void **state)
{
    static const struct { const char *text, *part; } cases[] = {
        {"{", "not a JSON object"},
        {"{} x", "not a JSON object"},
        {"{\"model\":1}", "\"model\" is one of"},
        {"{\"model\":\"toaster\"}", "\"model\" is one of test, nvme"},
        {"{\"modle\":\"test\"}", "no member \"modle\""},
        {"{\"model\":\"test\",\"disk\":\"x\"}", "model test has no member \"disk\""},
        {"{\"vendor\":65535}", "\"vendor\" is a number"},
        {"{\"vendor\":-1}", "\"vendor\" is a number"},
        {"{\"vendor\":\"-1\"}", "\"vendor\" is a number"},
        {"{\"vendor\":\"12x\"}", "\"vendor\" is a number"},
        {"{\"vendor\":[]}", "\"vendor\" is a number"},
        {"{\"class\":\"0x1000000\"}", "\"class\" is a number"},
        {"{\"slot\":32}", "\"slot\" is a number"},
        {"{\"function\":8}", "\"function\" is a number"},
        {"{\"bars\":{}}", "\"bars\" is a list"},
        {"{\"bars\":[1]}", "an object for each BAR"},
        {"{\"bars\":[{}]}", "a BAR has a \"size\""},
        {"{\"bars\":[{\"size\":\"4K\",\"bits\":48}]}", "32 or 64 \"bits\""},
        {"{\"bars\":[{\"size\":\"3M\"}]}", "power of two"},
        {"{\"bars\":[{\"size\":\"4K\",\"index\":6}]}", "\"index\" is a number"},
        {"{\"bars\":[{\"size\":\"4K\",\"colour\":1}]}", "no member \"colour\""},
        {"{\"bars\":[{\"size\":\"4K\",\"trapped\":1}]}", "\"trapped\" is true or false"},
        {"{\"bars\":[{\"size\":\"4K\"},{\"size\":\"4K\"}]}", "register is taken"},
        {"{\"bars\":[{\"ports\":3}]}", "\"ports\" are 4, 8"},
        {"{\"bars\":[{\"ports\":512}]}", "\"ports\" is a number"},
        {"{\"bars\":[{\"size\":\"8\"}]}", "power of two"},
        {"{\"rom\":1}", "\"rom\" has a \"size\""},
        {"{\"rom\":{\"size\":\"5K\"}}", "power of two"},
        {"{\"model\":\"graphics\",\"rom\":{\"size\":\"4K\"}}", "the model has one"},
        {"{\"msi\":3}", "\"msi\" is 1, 2, 4"},
        {"{\"msi\":33}", "\"msi\" is a number"},
        {"{\"msix\":1}", "\"msix\" has"},
        {"{\"msix\":{\"vectors\":1}}", "in a trapped BAR"},
        {"{\"model\":\"test\",\"msix\":{\"vectors\":1}}", "the function has MSI-X"},
        {"{\"model\":\"network\",\"power\":true}", "the model has power"},
        {"{\"power\":1}", "\"power\" is true or false"},
        {"{\"name\":\"\"}", "\"name\" is a text"},
        {"{\"instance\":\"12\"}", "\"instance\" is a GUID"},
        {"{\"minimum-version\":\"1.5\"}", "\"minimum-version\" is"},
        {"{\"maximum-version\":\"1.5\"}", "later ones are not simulated"},
        {"{\"minimum-version\":\"1.3\",\"maximum-version\":\"1.1\"}", "lower than"},
        {"{\"functions\":1}", "\"functions\" is a list"},
        {"{\"functions\":[1]}", "an object for each function"},
        {"{\"functions\":[{},{}]}", "two functions are in slot 0"},
        {"{\"functions\":[{\"name\":\"x\"}]}", "no member \"name\""},
        {"{\"functions\":[],\"model\":\"test\"}", "no member \"model\""},
        {"{\"functions\":[{},{},{},{},{},{},{},{},{}]}", "a list of at most 8"},
        {"{\"model\":\"nvme\"}", "needs \"disk\""},
        {"{\"model\":\"nvme\",\"disk\":\"memory:1M\",\"block-size\":1024}", "512 or 4096"},
        {"{\"model\":\"nvme\",\"disk\":\"memory:1M\",\"format\":\"tape\"}",
         "\"format\" is raw, vhd"},
        {"{\"model\":\"nvme\",\"disk\":\"memory:1M\",\"read-only\":\"yes\"}",
         "\"read-only\" is true or false"},
        {"{\"model\":\"nvme\",\"disk\":7}", "needs \"disk\""},
        {"{\"model\":\"nvme\",\"disk\":\"/does/not/exist\"}", "/does/not/exist"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pci_description description;
        char error[512] = "";
        int result = describe(cases[i].text, &description, error);
        if (result == 0 || strstr(error, cases[i].part) == NULL) {
            fail_msg("%s: %d '%s'", cases[i].text, result, error);
        }
        assert_null(strchr(error, '\n'));
        assert_int_equal(description.function_count, 0);
        /* And the next one is read. */
        assert_int_equal(describe("{\"model\":\"test\"}", &description, error), 0);
    }
}

static void the_cards_have_their_identities(void **state)
{
    static const struct { const char *text; uint32_t id, class_code; uint64_t bar_0; } cards[] = {
        {"{\"model\":\"graphics\"}", 0x67df1002, 0x030000, 256 << 20},
        {"{\"model\":\"network\"}", 0x10d38086, 0x020000, 0x20000},
        {"{\"model\":\"test\"}", 0x6d761234, 0xff0000, 0x1000},
        {"{\"model\":\"nvme\",\"disk\":\"memory:1M\"}", 0xb1111414, 0x010802, 0x4000},
    };
    for (unsigned i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
        struct rig *rig = rig_create(cards[i].text);
        assert_int_equal(pci_config_read(rig->function, PCI_VENDOR_ID, 4), cards[i].id);
        assert_int_equal(pci_config_read(rig->function, PCI_REVISION_ID, 4) >> 8,
                         cards[i].class_code);
        assert_int_equal(rig->function->regions[0].size, cards[i].bar_0);
        rig_free(rig);
    }
    struct rig *rig = rig_create("{\"model\":\"graphics\"}");
    assert_memory_equal(rig->function->regions[PCI_ROM].memory, "\x55\xaa", 2);
    assert_true(rig->function->regions[0].is_64_bit && rig->function->regions[0].is_prefetchable);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_description_may_say_little),
        cmocka_unit_test(and_it_may_say_all),
        cmocka_unit_test(a_file_is_read_and_fills_a_rom),
        cmocka_unit_test(each_mistake_has_a_line),
        cmocka_unit_test(the_cards_have_their_identities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
