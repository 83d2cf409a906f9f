/* SPDX-License-Identifier: BSD-3-Clause */
/* The statements of the notes on IOPCIMatch, each with the right answer (tests/fixtures/match/). */
#include "tests/unit/match/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/inf_rank.h"
#include "match/pci_ids.h"

struct world {
    struct kext_set kexts;
    struct device_list devices;
};

static void load(struct world *world, const char *kext)
{
    const struct kext_options options = { .mode = PLIST_FILE_STRICT };
    struct problems problems = { 0 };
    char path[200];

    snprintf(path, sizeof path, "%s.kext", kext);
    assert_true(kext_set_load(&world->kexts, fixture(path), &options, &problems));
    assert_int_equal(problems.count, 0);
}

static struct verdict on(struct world *world, const char *device)
{
    return judge(&world->kexts, add_device(&world->devices, device), NULL, 0);
}

static void clear(struct world *world)
{
    kext_set_clear(&world->kexts);
    device_list_clear(&world->devices);
}

static void windows_ids_hold_vendor_and_device(void **state)
{
    struct device_list list = { NULL };
    const struct device_record *device = add_device(&list, "PCI\\VEN_10EC&DEV_8168");

    (void)state;
    assert_int_equal(device_vendor(device), 0x10EC);
    assert_int_equal(device_device(device), 0x8168);
    device_list_clear(&list);
}

static void vendors_have_names(void **state)
{
    static const char list[] =
        "8086  Intel Corporation\n10de  NVIDIA Corporation\n10ec  Realtek Semiconductor\n"
        "\t8168  RTL8111/8168\n\t\t1043 8505  Some board\nC 04  Multimedia controller\n"
        "\t02  Computer telephony device\n\t03  Audio device\n";
    struct pci_ids *ids = pci_ids_parse(list, sizeof list - 1, "test", NULL);

    (void)state;
    assert_string_equal(pci_ids_vendor(ids, 0x10EC), "Realtek Semiconductor");
    assert_string_equal(pci_ids_vendor(ids, 0x10DE), "NVIDIA Corporation");
    assert_string_equal(pci_ids_vendor(ids, 0x8086), "Intel Corporation");
    assert_string_equal(pci_ids_device(ids, 0x10EC, 0x8168), "RTL8111/8168");
    assert_string_equal(pci_ids_subsystem(ids, 0x10EC, 0x8168, 0x1043, 0x8505), "Some board");
    assert_string_equal(pci_ids_class(ids, 0x0402, 16), "Computer telephony device");
    assert_string_equal(pci_ids_class(ids, 0x0403, 16), "Audio device");
    pci_ids_free(ids);
}

static void subsystem_is_two_ids_with_the_device_first(void **state)
{
    struct device_list list = { NULL };
    const struct device_record *device =
        add_device(&list, "PCI\\VEN_10EC&DEV_8168&SUBSYS_85051043&REV_06");

    (void)state;
    assert_int_equal(device->registers.subsystem, 0x85051043);
    assert_int_equal(device->registers.subsystem & 0xFFFF, 0x1043); /* vendor */
    assert_int_equal(device_revision(device), 6);
    device_list_clear(&list);
}

static void windows_takes_the_line_with_subsystem_before_the_one_with_revision(void **state)
{
    static const struct {
        const char *device;
        const char *install; /* NULL: no line */
        unsigned score;
    } rows[] = {
        { "10ec:8168/1043:8505/020000/06", "RTL8168E.ndi",
          0x2000 }, /* the notes' board, as they say */
        { "10ec:8168/10ec:8168/020000/06", "RTL8168E.ndi", 0x0000 },
        { "10ec:8168/1043:8385/020000/01", "RTL8168.ndi", 0x0000 },
        { "10ec:8168/1043:83a3/020000/03", "RTL8168D.ndi", 0x0000 },
        { "10ec:8168/1043:8505/020000/09", NULL, 0 },
    };
    const struct inf_target target = { "amd64", 10, 0, 19041, 0, 0 };
    struct inf *inf = inf_load(fixture("inf/rtl8168.inf"), NULL, NULL);
    struct inf_models models = { NULL };
    size_t index;

    (void)state;
    assert_non_null(inf);
    assert_true(inf_models_collect(inf, &target, &models, NULL));
    for (index = 0; index < sizeof rows / sizeof *rows; index++) {
        struct device_list list = { NULL };
        struct inf_candidates candidates;
        struct windows_ids ids;

        windows_ids_generate(add_device(&list, rows[index].device), WINDOWS_LIST_B, -1, &ids);
        assert_true(inf_rank(&models, &ids, &target, &candidates, NULL));
        assert_int_equal(candidates.count > 0, rows[index].install != NULL);
        if (rows[index].install != NULL) {
            assert_string_equal(candidates.list[0].model->install, rows[index].install);
            assert_int_equal(candidates.list[0].rank & 0xFFFF, rows[index].score);
        }
        free(candidates.list);
        device_list_clear(&list);
    }
    inf_models_clear(&models);
    inf_free(inf);
}

static void all_thirty_ids_of_the_intel_driver_match_and_no_other(void **state)
{
    static const unsigned ids[] = { 0x10EA, 0x10EB, 0x10EF, 0x10F0, 0x1502, 0x1503, 0x153A, 0x153B,
                                    0x155A, 0x1559, 0x15A0, 0x15A1, 0x15A2, 0x15A3, 0x156F, 0x1570,
                                    0x15B7, 0x15B8, 0x15D7, 0x15D8, 0x15E3, 0x15D6, 0x15BD, 0x15BE,
                                    0x15BB, 0x15BC, 0x15DF, 0x15E0, 0x15E1, 0x15E2 };
    struct world world = { { NULL } };
    char device[64];
    size_t index;

    (void)state;
    load(&world, "kexts/IntelNetwork");
    for (index = 0; index < sizeof ids / sizeof *ids; index++) {
        snprintf(device, sizeof device, "8086:%04x/17aa:2153/020000/06", ids[index]);
        assert_string_equal(on(&world, device).winner, "Intel network");
    }
    assert_string_equal(on(&world, "8086:10ec/17aa:2153/020000/06").winner, "none");
    clear(&world);
}

static void the_vendor_is_8086_and_not_8060_as_printed(void **state)
{
    struct world world = { { NULL } };

    (void)state;
    load(&world, "kexts/IntelNetwork");
    assert_string_equal(on(&world, "8086:10ea/0000:0000/020000/06").winner, "Intel network");
    assert_string_equal(on(&world, "8060:10ea/0000:0000/020000/06").winner, "none");
    clear(&world);
}

static void class_mask_takes_0402_and_0403_and_not_0401(void **state)
{
    struct world world = { { NULL } };

    (void)state;
    load(&world, "kexts/ClassAudio");
    assert_string_equal(on(&world, "8086:1e20/1043:8445/040300/04").winner, "Audio by class");
    assert_string_equal(on(&world, "8086:1e20/1043:8445/040200/04").winner, "Audio by class");
    assert_string_equal(on(&world, "8086:1e20/1043:8445/040300/ff").winner,
                        "Audio by class"); /* any revision */
    assert_string_equal(on(&world, "8086:51ca/1028:0c1d/040100/01").winner, "none");
    clear(&world);
}

static void acpi_names_match_where_firmware_has_such_an_object(void **state)
{
    struct world world = { { NULL } };
    struct device_record *device;

    (void)state;
    load(&world, "kexts/NamedUsb");
    assert_string_equal(on(&world, "8086:1e2d/1043:84ca/0c0320/04").winner, "none");
    device = add_device(&world.devices, "8086:1e2d/1043:84ca/0c0320/04");
    assert_true(device_add_name(device, "EHC2"));
    assert_string_equal(judge(&world.kexts, device, NULL, 0).winner, "USB 2 by name");
    device = add_device(&world.devices, "8086:1e2d/1043:84ca/0c0320/04");
    assert_true(device_add_name(device, "EH02")); /* renamed by a boot loader */
    assert_string_equal(judge(&world.kexts, device, NULL, 0).winner, "none");
    assert_string_equal(on(&world, "EHC1").winner, "USB 2 by name"); /* only the name is known */
    clear(&world);
}

static void names_of_the_form_pci_vendor_device_match_in_small_letters(void **state)
{
    struct world world = { { NULL } };

    (void)state;
    load(&world, "kexts/BroadcomNetwork");
    assert_string_equal(on(&world, "14e4:1643/0000:0000/020000/00").winner, "Broadcom by name");
    assert_non_null(strstr(on(&world, "14e4:1641/0000:0000/020000/00").why, "pci14e4,1641"));
    assert_string_equal(on(&world, "14e4:1646/0000:0000/020000/00").winner, "none");
    assert_string_equal(on(&world, "14e4:9999/14e4:1641/020000/00").winner,
                        "Broadcom by name"); /* subsystem */
    clear(&world);
}

/* IOPCIMatch: both registers; primary: vendor and device; secondary: the subsystem. */
static void each_key_looks_at_its_registers(void **state)
{
    static const struct {
        const char *key;
        bool by_device;
        bool by_subsystem;
    } rows[] = {
        { "IOPCIMatch", true, true },
        { "IOPCIPrimaryMatch", true, false },
        { "IOPCISecondaryMatch", false, true },
    };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof rows / sizeof *rows; index++) {
        struct world world = { { NULL } };
        char keys[128];

        snprintf(keys, sizeof keys, "<key>%s</key><string>0x816810ec</string>", rows[index].key);
        add_kext(&world.kexts, "org.test", personality("P", keys));
        assert_int_equal(on(&world, "10ec:8168/1043:8505/020000/06").matches,
                         rows[index].by_device);
        assert_int_equal(on(&world, "10ec:8125/10ec:8168/020000/04").matches,
                         rows[index].by_subsystem);
        clear(&world);
    }
}

static void class_match_ignores_the_revision_by_default(void **state)
{
    struct world world = { { NULL } };

    (void)state;
    add_kext(&world.kexts, "org.test",
             personality("P", "<key>IOPCIClassMatch</key><string>0x02000000</string>"));
    assert_string_equal(on(&world, "8086:10d3/0000:0000/020000/00").winner, "P");
    assert_string_equal(on(&world, "8086:10d3/0000:0000/020000/7f").winner, "P");
    assert_string_equal(on(&world, "8086:10d3/0000:0000/020001/00").winner, "none");
    clear(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_ids_hold_vendor_and_device),
        cmocka_unit_test(vendors_have_names),
        cmocka_unit_test(subsystem_is_two_ids_with_the_device_first),
        cmocka_unit_test(windows_takes_the_line_with_subsystem_before_the_one_with_revision),
        cmocka_unit_test(all_thirty_ids_of_the_intel_driver_match_and_no_other),
        cmocka_unit_test(the_vendor_is_8086_and_not_8060_as_printed),
        cmocka_unit_test(class_mask_takes_0402_and_0403_and_not_0401),
        cmocka_unit_test(acpi_names_match_where_firmware_has_such_an_object),
        cmocka_unit_test(names_of_the_form_pci_vendor_device_match_in_small_letters),
        cmocka_unit_test(each_key_looks_at_its_registers),
        cmocka_unit_test(class_match_ignores_the_revision_by_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
