/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices in every form of input, whole and cut off. */
#include "tests/unit/match/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "match/windows_ids.h"

static struct device_list read_fixture(const char *name, struct problems *problems)
{
    struct device_list list = { NULL };

    *problems = (struct problems){ 0 };
    assert_true(device_read_file(fixture(name), &list, problems));
    return list;
}

static void assert_ids(const struct device_record *device, unsigned id, unsigned subsystem,
                       unsigned class_revision)
{
    assert_int_equal(device->registers.id, id);
    assert_int_equal(device->registers.subsystem, subsystem);
    assert_int_equal(device->registers.class_revision, class_revision);
}

static void words_of_every_form_are_read(void **state)
{
    static const struct {
        const char *word;
        unsigned id;
        unsigned subsystem;
        unsigned class_revision;
    } rows[] = {
        { "8086:15b8", 0x15B88086, 0, 0 },
        { "8086:15b8/1458:e000/020000/31", 0x15B88086, 0xE0001458, 0x02000031 },
        { "8086:15b8//020000/31", 0x15B88086, 0, 0x02000031 },
        { "10ec:8168:1043:8505:020000:09", 0x816810EC, 0x85051043, 0x02000009 },
        { "PCI\\VEN_8086&DEV_15B8&SUBSYS_E0001458&REV_31", 0x15B88086, 0xE0001458, 0x31 },
        { "pci\\ven_8086&dev_15b8\\3&11583659&0&FE", 0x15B88086, 0, 0 },
        { "VEN_8086&DEV_15B8&CC_0200", 0x15B88086, 0, 0x02000000 },
        { "pci8086,15b8", 0x15B88086, 0, 0 },
        { "0x15b88086", 0x15B88086, 0, 0 },
    };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof rows / sizeof *rows; index++) {
        struct device_list list = { NULL };

        assert_ids(add_device(&list, rows[index].word), rows[index].id, rows[index].subsystem,
                   rows[index].class_revision);
        device_list_clear(&list);
    }
}

static void words_of_no_form_are_refused_with_a_reason(void **state)
{
    static const char *const words[] = { "",
                                         "8086:",
                                         "8086:15b8/xyz",
                                         "8086:15b8/12345",
                                         "PCI\\VEN_80&DEV_1",
                                         "PCI\\VEN_8086&VEN_8086",
                                         "PCI\\FOO_1",
                                         "USB\\VID_1234",
                                         "0x123",
                                         "a b",
                                         "VMBUS\\{123}",
                                         "no/such/file.txt",
                                         "\x01\x02" };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof words / sizeof *words; index++) {
        struct device_list list = { NULL };
        struct problems problems = { 0 };

        if (device_read_word(words[index], "test", 0, &list, &problems))
            fail_msg("%s was taken", words[index]);
        assert_int_equal(list.count, 0);
        assert_int_equal(problems.errors, 1);
        device_list_clear(&list);
        problems_clear(&problems);
    }
}

static void acpi_ids_and_names_are_nubs_of_their_own(void **state)
{
    struct device_list list = { NULL };

    (void)state;
    assert_string_equal(add_device(&list, "PNP0A03")->provider_class, "IOACPIPlatformDevice");
    assert_string_equal(add_device(&list, "*PNP0303")->provider_class, "IOACPIPlatformDevice");
    assert_string_equal(add_device(&list, "ACPI\\VEN_PNP&DEV_0303")->provider_class,
                        "IOACPIPlatformDevice");
    assert_string_equal(plist_bytes(plist_get(list.records[2]->properties, "name"), &(size_t){ 0 }),
                        "PNP0303");
    assert_true(add_device(&list, "EHC1")->class_unknown);
    device_list_clear(&list);
}

static void lspci_lists_are_read(void **state)
{
    struct problems problems;
    struct device_list list = read_fixture("devices/lspci-nn.txt", &problems);

    (void)state;
    assert_string_equal(list.format, "lspci");
    assert_int_equal(list.count, 3);
    assert_string_equal(list.records[1]->label, "00:1b.0");
    assert_int_equal(list.records[0]->registers.id,
                     0x12378086); /* the last brackets, not [Natoma] */
    assert_int_equal(device_class_bits(list.records[1]), 16);
    assert_int_equal(device_revision(list.records[2]), 0x31);
    device_list_clear(&list);
    list = read_fixture("devices/lspci-nnv.txt", &problems);
    assert_ids(list.records[0], 0x15038086, 0x849C1043,
               0x02000004); /* with -v no prog-if means 00 */
    assert_ids(list.records[1], 0x1E2D8086, 0x84CA1043, 0x0C032004);
    device_list_clear(&list);
}

static void hexadecimal_dumps_are_read_and_lines_in_between_skipped(void **state)
{
    struct problems problems;
    struct device_list list = read_fixture("devices/lspci-xxxx.txt", &problems);

    (void)state;
    assert_int_equal(list.count, 2);
    assert_int_equal(problems.count, 0);
    assert_ids(list.records[0], 0x10001AF4, 0x00011AF4, 0x02000000);
    /* Offset 0x2c counts whatever the header type: a CardBus bridge has an I/O window there. */
    assert_ids(list.records[1], 0x04761180, 0x00003001, 0x060700BA);
    device_list_clear(&list);
}

static void machine_readable_lspci_is_read(void **state)
{
    struct problems problems;
    struct device_list list = read_fixture("devices/lspci-vmmnn.txt", &problems);

    (void)state;
    assert_string_equal(list.format, "lspci -vmm");
    assert_int_equal(list.count, 2);
    assert_ids(list.records[0], 0x1E208086, 0x84451043, 0x04030004);
    assert_ids(list.records[1], 0x1E2D8086, 0x84CA1043, 0x0C032004);
    device_list_clear(&list);
}

static void a_machine_readable_line_a_device_is_read(void **state)
{
    static const char names[] = "00:1f.2 \"SATA controller\" \"Intel\" \"82801IR\" -r02 \"\" \"\"\n"
                                "00:02.0 \"0300\" \"1234\" \"1111\" -r02 \"1af4\" \"1100\"\n"
                                "00:03.0 \"0200\" \"8086\" \"10d";
    struct problems problems;
    struct device_list list = read_fixture("devices/lspci-mmnn.txt", &problems);

    (void)state;
    assert_string_equal(list.format, "lspci");
    assert_int_equal(list.count, 3);
    assert_int_equal(problems.count, 0);
    assert_string_equal(list.records[0]->label, "00:1b.0");
    assert_ids(list.records[0], 0x1E208086, 0x84451043, 0x04030004);
    assert_ids(list.records[1], 0x1E2D8086, 0x84CA1043, 0x0C032004);
    assert_ids(list.records[2], 0x29C08086, 0, 0x06000000);
    device_list_clear(&list);

    problems = (struct problems){ 0 };      /* names alone, ids alone, and a line that is cut off */
    assert_true(device_read_text(names, sizeof names - 1, "text", &list, &problems));
    assert_int_equal(list.count, 1);
    assert_ids(list.records[0], 0x11111234, 0x11001AF4, 0x03000002);
    assert_int_equal(problems.errors, 2);
    device_list_clear(&list);
    problems_clear(&problems);
}

static void kernel_logs_leave_revision_and_subsystem_unknown(void **state)
{
    struct problems problems;
    struct device_list list = read_fixture("devices/kernel-log.txt", &problems);

    (void)state;
    assert_int_equal(list.count, 2);
    assert_string_equal(list.records[1]->label, "0000:00:08.0");
    assert_false(device_knows_revision(list.records[1]));
    assert_false(device_knows_subsystem(list.records[1]));
    assert_int_equal(device_class(list.records[1]), 0x030000);
    device_list_clear(&list);
}

static void ioreg_trees_are_read_with_names_parents_and_drivers(void **state)
{
    struct problems problems;
    struct device_list list = read_fixture("devices/ioreg.txt", &problems);

    (void)state;
    assert_string_equal(list.format, "ioreg -l");
    assert_int_equal(list.count, 4);
    assert_int_equal(problems.count, 0);
    assert_string_equal(list.records[2]->registry_name, "HDEF");
    assert_string_equal(list.records[2]->location, "1B");
    assert_string_equal(list.records[2]->attached, "AppleHDAController");
    assert_ptr_equal(list.records[2]->parent, list.records[1]);
    assert_ids(list.records[2], 0x1E208086, 0x84451043, 0x04030004);
    assert_ids(list.records[3], 0x1E2D8086, 0, 0x0C032004);
    assert_true(plist_is(plist_get(list.records[2]->properties, "IOReportLegend"), PLIST_ARRAY));
    device_list_clear(&list);
}

static void ids_that_device_manager_shows_together_are_one_device(void **state)
{
    struct problems problems;
    struct device_list list = read_fixture("devices/windows-ids.txt", &problems);

    (void)state;
    assert_int_equal(list.count, 3);
    assert_ids(list.records[0], 0x816810EC, 0x85051043, 0x02000006);
    assert_string_equal(list.records[2]->provider_class, "HyperVVMBusDevice");
    device_list_clear(&list);
}

static void registry_entries_as_property_lists_are_read(void **state)
{
    struct problems problems;
    struct device_list list = read_fixture("devices/entry.plist", &problems);

    (void)state;
    assert_int_equal(list.count, 1);
    assert_ids(list.records[0], 0x1E208086, 0x84451043, 0x04030004);
    device_list_clear(&list);
}

static void text_in_utf16_is_read_too(void **state)
{
    static const char ids[] = "\xFF\xFEP\0C\0I\0\\\0V\0E\0N\0_\0"
                              "8\0"
                              "0\0"
                              "8\0"
                              "6\0&\0D\0E\0V\0_\0"
                              "1\0"
                              "5\0B\0"
                              "8\0\r\0\n";
    struct device_list list = { NULL };
    struct problems problems = { 0 };

    (void)state;
    assert_true(device_read_text(ids, sizeof ids, "test", &list, &problems));
    assert_int_equal(list.records[0]->registers.id, 0x15B88086);
    device_list_clear(&list);
    problems_clear(&problems);
}

/* Wherever a file is cut, what stands before the cut is used and nothing is made up. */
static void cut_files_keep_what_was_whole(void **state)
{
    static const char *const names[] = { "devices/lspci-nn.txt",   "devices/lspci-nnv.txt",
                                         "devices/lspci-xxxx.txt", "devices/lspci-vmmnn.txt",
                                         "devices/lspci-mmnn.txt",
                                         "devices/ioreg.txt",      "devices/windows-ids.txt",
                                         "devices/kernel-log.txt", "devices/entry.plist" };
    size_t at;

    (void)state;
    for (at = 0; at < sizeof names / sizeof *names; at++) {
        size_t size;
        char *text = read_whole(fixture(names[at]), &size);
        struct problems problems;
        struct device_list whole = read_fixture(names[at], &problems);
        size_t length;

        for (length = 0; length < size; length++) {
            char *cut = malloc(length + 1);
            struct device_list list = { NULL };

            memcpy(cut, text, length);
            cut[length] = '\0';
            problems = (struct problems){ 0 };
            if (!device_read_text(cut, length, "cut", &list, &problems))
                assert_true(problems.errors > 0);
            assert_true(list.count <= whole.count + 1);
            if (list.count > 1) /* the first device was whole when a second begins */
                assert_int_equal(list.records[0]->registers.id, whole.records[0]->registers.id);
            device_list_clear(&list);
            problems_clear(&problems);
            free(cut);
        }
        device_list_clear(&whole);
        free(text);
    }
}

static void a_cut_dump_is_an_error_with_its_line(void **state)
{
    static const char text[] = "00:09.0 Ethernet controller\n00: f4 1a 00 10 07 05\n"
                               "00:0a.0 Host bridge [0600]: X [8086:1237]\n";
    struct device_list list = { NULL };
    struct problems problems = { 0 };

    (void)state;
    assert_true(device_read_text(text, sizeof text - 1, "dump", &list, &problems));
    assert_int_equal(problems.list[0].line, 2);
    assert_int_equal(problems.list[0].severity, PROBLEM_ERROR);
    assert_int_equal(list.records[list.count - 1]->registers.id, 0x12378086);
    device_list_clear(&list);
    problems_clear(&problems);
}

static void names_are_published_as_the_pci_family_does(void **state)
{
    static const struct {
        const char *device;
        const char *name;
        const char *first; /* of compatible */
    } rows[] = {
        { "8086:10d3/1af4:1100/020000/00", "ethernet", "pci1af4,1100" },
        { "8086:10d3/8086:10d3/020000/00", "ethernet",
          "pci8086,10d3" }, /* subsystem equal to the device */
        { "1ab8:0400/0000:0000/010000/00", "scsi", "pci1ab8,400" },
        { "1414:0000/0000:0000/030000/00", "display", "pci1414,0" },
        { "8086:244e/0000:0000/060401/00", "pci-bridge", "pci8086,244e" },
        { "8086:1e20/0000:0000/040300/00", "pci8086,1e20", "pci8086,1e20" },
    };
    size_t index;
    size_t length;

    (void)state;
    for (index = 0; index < sizeof rows / sizeof *rows; index++) {
        struct device_list list = { NULL };
        struct device_record *device = add_device(&list, rows[index].device);

        assert_string_equal(plist_bytes(plist_get(device->properties, "name"), &length),
                            rows[index].name);
        assert_string_equal(plist_bytes(plist_get(device->properties, "compatible"), &length),
                            rows[index].first);
        device_list_clear(&list);
    }
}

static void windows_ids_come_in_the_documented_order(void **state)
{
    static const char *const hardware[] = {
        "PCI\\VEN_8086&DEV_15B8&SUBSYS_E0001458&REV_31",
        "PCI\\VEN_8086&DEV_15B8&SUBSYS_E0001458",
        "PCI\\VEN_8086&DEV_15B8&CC_020000",
        "PCI\\VEN_8086&DEV_15B8&CC_0200",
    };
    static const char *const compatible[] = {
        "PCI\\VEN_8086&DEV_15B8&REV_31",
        "PCI\\VEN_8086&DEV_15B8",
        "PCI\\VEN_8086&CC_020000",
        "PCI\\VEN_8086&CC_0200",
        "PCI\\VEN_8086",
        "PCI\\CC_020000",
        "PCI\\CC_0200",
    };
    struct device_list list = { NULL };
    struct windows_ids ids;
    size_t index;

    (void)state;
    windows_ids_generate(add_device(&list, "8086:15b8/1458:e000/020000/31"), WINDOWS_LIST_B, -1,
                         &ids);
    assert_int_equal(ids.hardware_count, 4);
    assert_int_equal(ids.compatible_count, 7);
    for (index = 0; index < 4; index++)
        assert_string_equal(ids.hardware[index], hardware[index]);
    for (index = 0; index < 7; index++)
        assert_string_equal(ids.compatible[index], compatible[index]);
    windows_ids_generate(list.records[0], WINDOWS_LIST_A, -1, &ids);
    assert_string_equal(ids.hardware[3], "PCI\\VEN_8086&DEV_15B8");
    windows_ids_generate(list.records[0], WINDOWS_LIST_B, 2, &ids);
    assert_string_equal(ids.compatible[5], "PCI\\CC_020000&DT_2");
    device_list_clear(&list);
}

static void put(const char *root, const char *path, const char *text)
{
    char full[400];
    FILE *file;
    size_t index;

    snprintf(full, sizeof full, "%s/%s", root, path);
    for (index = strlen(root) + 1; full[index] != '\0'; index++)
        if (full[index] == '/') {
            full[index] = '\0';
            mkdir(full, 0755);
            full[index] = '/';
        }
    file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_running_linux_is_read_from_its_sysfs(void **state)
{
    char root[] = "/tmp/kextmatch-sysfs-XXXXXX";
    struct device_list list = { NULL };
    struct problems problems = { 0 };
    char command[64];

    (void)state;
    assert_non_null(mkdtemp(root));
    put(root, "bus/pci/devices/0000:00:1a.0/vendor", "0x8086\n");
    put(root, "bus/pci/devices/0000:00:1a.0/device", "0x1e2d\n");
    put(root, "bus/pci/devices/0000:00:1a.0/class", "0x0c0320\n");
    put(root, "bus/pci/devices/0000:00:1a.0/revision", "0x04\n");
    put(root, "bus/pci/devices/0000:00:1a.0/subsystem_vendor", "0x1043\n");
    put(root, "bus/pci/devices/0000:00:1a.0/subsystem_device", "0x84ca\n");
    put(root, "bus/pci/devices/0000:00:1a.0/firmware_node/path", "\\_SB_.PCI0.EHC2\n");
    put(root, "bus/acpi/devices/PNP0303:00/hid", "PNP0303\n");
    put(root, "bus/vmbus/devices/x/class_id", "{F8615163-df3e-46c5-913f-f2d2f965ed0e}\n");
    assert_int_equal(device_read_sysfs(root, &list, &problems), 3);
    assert_ids(list.records[0], 0x1E2D8086, 0x84CA1043, 0x0C032004);
    assert_string_equal(list.records[0]->registry_name, "EHC2");
    assert_string_equal(plist_string(plist_get(list.records[2]->properties, "HVType")),
                        "f8615163-df3e-46c5-913f-f2d2f965ed0e");
    device_list_clear(&list);
    problems_clear(&problems);
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_every_form_are_read),
        cmocka_unit_test(words_of_no_form_are_refused_with_a_reason),
        cmocka_unit_test(acpi_ids_and_names_are_nubs_of_their_own),
        cmocka_unit_test(lspci_lists_are_read),
        cmocka_unit_test(hexadecimal_dumps_are_read_and_lines_in_between_skipped),
        cmocka_unit_test(machine_readable_lspci_is_read),
        cmocka_unit_test(a_machine_readable_line_a_device_is_read),
        cmocka_unit_test(kernel_logs_leave_revision_and_subsystem_unknown),
        cmocka_unit_test(ioreg_trees_are_read_with_names_parents_and_drivers),
        cmocka_unit_test(ids_that_device_manager_shows_together_are_one_device),
        cmocka_unit_test(registry_entries_as_property_lists_are_read),
        cmocka_unit_test(text_in_utf16_is_read_too),
        cmocka_unit_test(cut_files_keep_what_was_whole),
        cmocka_unit_test(a_cut_dump_is_an_error_with_its_line),
        cmocka_unit_test(names_are_published_as_the_pci_family_does),
        cmocka_unit_test(windows_ids_come_in_the_documented_order),
        cmocka_unit_test(a_running_linux_is_read_from_its_sysfs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
