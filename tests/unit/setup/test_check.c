/* SPDX-License-Identifier: BSD-3-Clause */
/* What `check` finds beside the rows: schema, files, order, leftovers; and what `--fix` repairs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "setup/check.h"
#include "setup/files.h"
#include "setup/text.h"

static struct fixture fixture;
static const char *acpi_folder;
static char *output; /* macOS 13 on Windows Server 2022 */
static struct target modern;

static int make_fixture(void **state)
{
    struct setup_error error = {""};
    struct report report = {0};
    fixture_make(&fixture, acpi_folder);
    modern = make_target("13", "ws2022", 2);
    output = folder_stage(fixture.folder, &error);
    struct build_options options = fixture_build(&fixture, &modern, output);
    bool ok = build_efi(&options, &report, &error);
    report_free(&report);
    return ok ? 0 : -1;
}

static int free_fixture(void **state)
{
    free(output);
    fixture_free(&fixture);
    return 0;
}

/* Whether the check finds `id` at `path`. */
static bool finds_at(const struct config_document *document, const char *folder,
                     const struct target *target, const char *id, const char *path)
{
    struct report report = {0};
    bool found = false;
    check_configuration(document, folder, target, &report);
    for (size_t i = 0; i < report.finding_count; i++) {
        found = found || (strcmp(report.findings[i].id, id) == 0 &&
                          strcmp(report.findings[i].path, path) == 0 &&
                          report.findings[i].reason[0] != '\0');
    }
    report_free(&report);
    return found;
}

static size_t problems(const struct config_document *document, const struct target *target)
{
    struct report report = {0};
    check_configuration(document, NULL, target, &report);
    size_t count = report_problem_count(&report);
    report_free(&report);
    return count;
}

struct change {
    const char *path;
    enum config_type type;
    const char *value;
    const char *id;
    const char *found_at; /* NULL: at `path` */
};

static void assert_changes_are_found(const struct change *changes, size_t count,
                                     const struct target *target)
{
    for (size_t i = 0; i < count; i++) {
        struct config_document *document = fixture_config(output);
        const char *at = changes[i].found_at == NULL ? changes[i].path : changes[i].found_at;
        assert_true(config_set(document, changes[i].path, changes[i].type, changes[i].value));
        if (!finds_at(document, NULL, target, changes[i].id, at)) {
            fail_msg("%s = %s: %s is not found", changes[i].path, changes[i].value, changes[i].id);
        }
        config_free(document);
    }
}

static void types_and_sizes_follow_the_schema(void **state)
{
    static const struct change changes[] = {
        {"Booter->Quirks->SignalAppleOS", CONFIG_INTEGER, "1", "schema-type", NULL},
        {"Misc->Boot->Timeout", CONFIG_STRING, "5", "schema-type", NULL},
        {"Misc->Boot->Timeout", CONFIG_INTEGER, "0x5", "schema-integer", NULL},
        {"ACPI->Patch", CONFIG_STRING, "", "schema-type", NULL},
        {"ACPI->Patch[0]->Find", CONFIG_STRING, "_HID", "schema-type", NULL},
        {"ACPI->Patch[1]->OemTableId", CONFIG_DATA, "00", "schema-size", NULL},
        {"ACPI->Patch[1]->TableSignature", CONFIG_DATA, "4453445400", "schema-size", NULL},
        {"Kernel->Emulate->Cpuid1Data", CONFIG_DATA, "55060A00", "schema-size", NULL},
        {"Kernel->Emulate->Cpuid1Data", CONFIG_DATA, "3535303630413030303030303030303030303030",
         "schema-hex-text", NULL},
        {"PlatformInfo->Generic->ROM", CONFIG_DATA, "0011", "schema-size", NULL},
        {"UEFI->Drivers[0]->LoadEarly", CONFIG_STRING, "no", "schema-type", NULL},
        {"NVRAM->Add->7C436110-AB2A-4BBB-A880-FE41995C9F82->deep", CONFIG_DICTIONARY, "",
         "schema-type", NULL},
        {"Kernel->Quirks->Nonsense", CONFIG_BOOLEAN, "true", "schema-unknown", NULL},
    };
    assert_changes_are_found(changes, sizeof changes / sizeof changes[0], &modern);
    struct config_document *document = fixture_config(output);
    config_remove(document, config_find(document, "Kernel->Add[1]->Arch"));
    config_remove(document, config_find(document, "Misc->Debug"));
    assert_true(finds_at(document, NULL, &modern, "schema-missing", "Kernel->Add[1]->Arch"));
    assert_true(finds_at(document, NULL, &modern, "schema-missing", "Misc->Debug"));
    config_free(document);
}

static void settings_that_contradict_are_found(void **state)
{
    static const struct change changes[] = {
        {"Kernel->Add[0]->MinKernel", CONFIG_STRING, "ten", "kernel-version", NULL},
        {"Misc->Security->Vault", CONFIG_STRING, "Sometimes", "enumeration", NULL},
        {"Kernel->Scheme->KernelArch", CONFIG_STRING, "arm64", "enumeration", NULL},
        {"PlatformInfo->Generic->SystemProductName", CONFIG_STRING, "iMac4,1", "smbios-model",
         NULL},
        {"PlatformInfo->Generic->SystemProductName", CONFIG_STRING, "", "smbios-model", NULL},
        {"ACPI->Patch[2]->Replace", CONFIG_DATA, "5853", "patch-length", "ACPI->Patch[2]->Find"},
        {"ACPI->Patch[2]->Mask", CONFIG_DATA, "FF", "patch-length", "ACPI->Patch[2]->Find"},
        {"Kernel->Add[1]->BundlePath", CONFIG_STRING, "Lilu.kext", "duplicate", NULL},
        {"Kernel->Emulate->Cpuid1Data", CONFIG_DATA, "55060A00000000000000000000000000",
         "emulate-mask", "Kernel->Emulate->Cpuid1Mask"},
    };
    assert_changes_are_found(changes, sizeof changes / sizeof changes[0], &modern);
    struct config_document *document = fixture_config(output);
    assert_true(config_set(document, "Misc->Security->DmgLoading", CONFIG_STRING, "Any"));
    assert_true(config_set(document, "Misc->Security->SecureBootModel", CONFIG_STRING, "Default"));
    assert_true(finds_at(document, NULL, &modern, "dmg-loading", "Misc->Security->DmgLoading"));
    config_free(document);
}

static void leftovers_of_another_system_are_found_and_repaired(void **state)
{
    struct setup_error error;
    struct target old = make_target("10.15", "ws2012r2", 2);
    struct config_document *document = fixture_config(output);
    assert_true(finds_at(document, NULL, &old, "acpi-table-host", "ACPI->Add[1]->Enabled"));
    assert_true(finds_at(document, NULL, &old, "acpi-table-host", "ACPI->Add[2]->Enabled"));
    assert_true(config_set(document, "Kernel->Add[2]->MinKernel", CONFIG_STRING, ""));
    assert_true(finds_at(document, NULL, &old, "kext-pair", "Kernel->Add[2]->MinKernel"));
    const char *arguments = "NVRAM->Add->7C436110-AB2A-4BBB-A880-FE41995C9F82->boot-args";
    assert_true(config_set(document, arguments, CONFIG_STRING, "-v -legacy keepsyms=1"));
    assert_true(finds_at(document, NULL, &old, "nvram-legacy-64", arguments));
    const struct config_field block[] = {
        {"Arch", CONFIG_STRING, "Any"},
        {"Comment", CONFIG_STRING, ""},
        {"Enabled", CONFIG_BOOLEAN, "true"},
        {"Identifier", CONFIG_STRING, "com.apple.driver.AppleEFIRuntime"},
        {"MaxKernel", CONFIG_STRING, ""},
        {"MinKernel", CONFIG_STRING, ""},
        {"Strategy", CONFIG_STRING, "Disable"}};
    assert_true(config_append(document, "Kernel->Block", block, 7));
    assert_true(finds_at(document, NULL, &old, "block-efi-64", "Kernel->Block[0]->Enabled"));

    assert_true(fix_configuration(document, NULL, &old, NULL, &error));
    assert_int_equal(problems(document, &old), 0);
    assert_true(
        config_equals(document, config_find(document, arguments), CONFIG_STRING, "-v keepsyms=1"));
    config_free(document);
}

static void the_order_of_kexts_and_tables_is_found_and_repaired(void **state)
{
    struct setup_error error;
    struct config_document *document = fixture_config(output);
    assert_true(config_move(document, "Kernel->Add", 2, 0));
    assert_true(config_move(document, "Kernel->Add", 2, 1));
    assert_true(config_move(document, "ACPI->Add", 3, 0));
    assert_true(finds_at(document, NULL, &modern, "order", "Kernel->Add[2]"));
    assert_true(finds_at(document, NULL, &modern, "order", "ACPI->Add[2]"));
    assert_true(fix_configuration(document, NULL, &modern, NULL, &error));
    assert_int_equal(problems(document, &modern), 0);
    assert_true(config_equals(document, config_find(document, "Kernel->Add[0]->BundlePath"),
                              CONFIG_STRING, "Lilu.kext"));
    config_free(document);
}

static void one_half_of_the_apple_id_patches_is_found(void **state)
{
    struct setup_error error;
    struct target wanting = modern;
    wanting.apple_id = true;
    struct config_document *document = fixture_config(output);
    assert_true(fix_configuration(document, NULL, &wanting, NULL, &error));
    assert_int_equal(problems(document, &wanting), 0);
    assert_int_equal(problems(document, &modern), 0);
    assert_true(config_set(document, "Kernel->Patch[1]->Enabled", CONFIG_BOOLEAN, "false"));
    assert_true(finds_at(document, NULL, &modern, "apple-id-half", "Kernel->Patch"));
    config_free(document);
}

static void files_that_are_missing_or_wrong_are_found(void **state)
{
    struct setup_error error;
    char *folder = folder_stage(fixture.folder, &error);
    char *from = path_join(output, "EFI");
    assert_true(folder_copy(from, folder, &error));
    char *oc = path_join(folder, "OC");
    struct config_document *document = fixture_config(output);
    static const struct {
        const char *file, *id, *path;
    } cases[] = {
        {"ACPI/SSDT-HV-PLUG.aml", "file-missing", "ACPI->Add[3]->Path"},
        {"Drivers/OpenRuntime.efi", "file-missing", "UEFI->Drivers[0]->Path"},
        {"Kexts/Lilu.kext/Contents/MacOS/Lilu", "file-missing", "Kernel->Add[0]->ExecutablePath"},
        {"Kexts/VirtualSMC.kext/Contents/Info.plist", "file-missing", "Kernel->Add[1]->PlistPath"},
        {"OpenCore.efi", "opencore-missing", "EFI/OC/OpenCore.efi"},
        {"../BOOT/BOOTx64.efi", "opencore-missing", "EFI/BOOT/BOOTx64.efi"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = path_join(oc, cases[i].file), *aside = path_join(folder, "aside");
        assert_false(finds_at(document, oc, &modern, cases[i].id, cases[i].path));
        assert_int_equal(rename(path, aside), 0);
        if (!finds_at(document, oc, &modern, cases[i].id, cases[i].path)) {
            fail_msg("%s is not missed", cases[i].file);
        }
        assert_int_equal(rename(aside, path), 0);
        free(path);
        free(aside);
    }
    char *table = path_join(oc, "ACPI/SSDT-HV-DEV.aml"),
         *kext = path_join(oc, "Kexts/VirtualSMC.kext");
    assert_true(file_write(table, "DefinitionBlock, not compiled", 29, &error));
    assert_true(finds_at(document, oc, &modern, "acpi-table-id", "ACPI/SSDT-HV-DEV.aml"));
    folder_remove(kext);
    assert_true(finds_at(document, oc, &modern, "kext-missing", "Kernel->Add[1]->BundlePath"));
    char *extra = path_join(oc, "ACPI/SSDT-EXTRA.aml");
    assert_true(file_write(extra, "x", 1, &error));
    assert_true(finds_at(document, oc, &modern, "file-unused", "ACPI/SSDT-EXTRA.aml"));
    free(extra);
    free(kext);
    free(table);
    config_free(document);
    free(oc);
    free(from);
    free(folder);
}

static void processors_are_checked_when_they_are_named(void **state)
{
    struct setup_error error;
    struct target target = modern;
    target.processor = find_processor("alderlake");
    struct config_document *document = fixture_config(output);
    assert_true(finds_at(document, NULL, &target, "kernel-emulate", "Kernel->Emulate->Cpuid1Data"));
    assert_true(fix_configuration(document, NULL, &target, NULL, &error));
    assert_int_equal(problems(document, &target), 0);
    assert_true(config_equals(document, config_find(document, "Kernel->Emulate->Cpuid1Data"),
                              CONFIG_DATA, "55060A00000000000000000000000000"));
    target.processor = find_processor("amd");
    assert_true(finds_at(document, NULL, &target, "amd-patches", "Kernel->Patch"));
    config_free(document);
}

int main(int argc, char **argv)
{
    acpi_folder = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_and_sizes_follow_the_schema),
        cmocka_unit_test(settings_that_contradict_are_found),
        cmocka_unit_test(leftovers_of_another_system_are_found_and_repaired),
        cmocka_unit_test(the_order_of_kexts_and_tables_is_found_and_repaired),
        cmocka_unit_test(one_half_of_the_apple_id_patches_is_found),
        cmocka_unit_test(files_that_are_missing_or_wrong_are_found),
        cmocka_unit_test(processors_are_checked_when_they_are_named),
    };
    return cmocka_run_group_tests(tests, make_fixture, free_fixture);
}
