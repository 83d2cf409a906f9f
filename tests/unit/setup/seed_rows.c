/* SPDX-License-Identifier: BSD-3-Clause */
/* The README's rows as assertions. */
#include "seed_rows.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "setup/files.h"
#include "setup/text.h"

struct field {
    const char *key;
    const char *shown;
};

/* The index of the enabled entry that has all the fields; -1 when there is none. */
static int entry_with(const struct config_document *document, const char *array_path,
                      const struct field *fields, size_t count)
{
    int index = 0;
    int array = config_find(document, array_path);
    for (int entry = config_first(document, array); entry != CONFIG_NONE;
         entry = config_next(document, entry), index++) {
        bool all = config_boolean(document, config_child(document, entry, "Enabled"));
        for (size_t i = 0; i < count && all; i++) {
            char *shown = config_show(document, config_child(document, entry, fields[i].key));
            all = strcmp(shown, fields[i].shown) == 0;
            free(shown);
        }
        if (all) {
            return index;
        }
    }
    return -1;
}

#define ENTRY(document, array, ...)                                                                \
    entry_with(document, array, (struct field[]){__VA_ARGS__},                                     \
               sizeof((struct field[]){__VA_ARGS__}) / sizeof(struct field))

static bool is_true(const struct config_document *document, const char *path)
{
    return config_boolean(document, config_find(document, path));
}

static int table(const struct config_document *document, const char *folder, const char *name)
{
    int index = ENTRY(document, "ACPI->Add", {"Path", name});
    if (index >= 0) {
        char *path = format_string("%s/OC/ACPI/%s", folder, name);
        assert_true(file_exists(path));
        free(path);
    }
    return index;
}

static bool rename_there(const struct config_document *document, const char *base,
                         const char *count, const char *find, const char *replace)
{
    return ENTRY(document, "ACPI->Patch", {"Base", base}, {"Count", count}, {"Find", find},
                 {"Replace", replace}, {"TableSignature", "44534454"}, {"Skip", "0"},
                 {"Limit", "0"}, {"BaseSkip", "0"}, {"TableLength", "0"}, {"Mask", ""},
                 {"ReplaceMask", ""}, {"OemTableId", ""}) >= 0;
}

static void assert_acpi(const struct config_document *document, const char *folder,
                        const struct target *target)
{
    bool generation2 = target->generation == 2;
    bool windows10 = generation2 && target->host->build >= 10240;
    bool windows2022 = generation2 && target->host->build >= 20348;
    int vmbus = table(document, folder, "SSDT-HV-VMBUS.aml");
    int device = table(document, folder, "SSDT-HV-DEV.aml");
    int device2022 = table(document, folder, "SSDT-HV-DEV-WS2022.aml");
    int plug = table(document, folder, "SSDT-HV-PLUG.aml");
    assert_int_equal(vmbus >= 0, generation2);
    assert_int_equal(device >= 0, windows10);
    assert_int_equal(device2022 >= 0, windows2022);
    assert_int_equal(plug >= 0, generation2 && target->macos->darwin >= 20);
    assert_true(device < 0 || vmbus < device);
    assert_true(plug < 0 || device < plug);
    assert_int_equal(rename_there(document, "\\_SB.VMOD", "1", "5F484944", "58484944"),
                     generation2);
    assert_int_equal(rename_there(document, "\\_SB.VMOD.VMBS", "1", "5F484944", "58484944"),
                     generation2);
    static const char *const guarded[] = {"\\_SB.VMOD.TPM2", "\\_SB.NVDR", "\\_SB.EPC",
                                          "\\_SB.VMOD.BAT1"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rename_there(document, guarded[i], "1", "5F535441", "58535441"),
                         windows10);
    }
    assert_int_equal(rename_there(document, "\\P001", "240", "5F535441", "58535441"), windows10);
    assert_int_equal(rename_there(document, "\\P241", "1808", "5F535441", "58535441"), windows2022);
}

static void assert_quirks(const struct config_document *document, const struct target *target)
{
    unsigned darwin = target->macos->darwin;
    assert_true(is_true(document, "Booter->Quirks->AvoidRuntimeDefrag"));
    assert_true(is_true(document, "Booter->Quirks->ProvideCustomSlide"));
    assert_int_equal(is_true(document, "Booter->Quirks->AllowRelocationBlock"), darwin <= 11);
    assert_int_equal(is_true(document, "Booter->Quirks->ForceExitBootServices"), darwin <= 11);
    assert_int_equal(is_true(document, "Booter->Quirks->ClearTaskSwitchBit"), darwin <= 11);
    assert_int_equal(is_true(document, "Booter->Quirks->RebuildAppleMemoryMap"), darwin <= 10);
    assert_true(is_true(document, "Kernel->Quirks->ProvideCurrentCpuInfo"));
    assert_int_equal(is_true(document, "UEFI->Quirks->DisableSecurityPolicy"),
                     target->host->build >= 10240);
    char *arguments = config_string(
        document,
        config_find(document, "NVRAM->Add->7C436110-AB2A-4BBB-A880-FE41995C9F82->boot-args"));
    assert_non_null(arguments);
    assert_int_equal(strstr(arguments, "-legacy") != NULL, target->kernel == KERNEL_32);
    free(arguments);
    assert_int_equal(
        ENTRY(document, "Kernel->Block", {"Identifier", "com.apple.driver.AppleEFIRuntime"}) >= 0,
        target->kernel == KERNEL_32);
}

static int kext(const struct config_document *document, const char *folder, const char *name,
                const char *min, const char *max)
{
    char *bundle = format_string("%s.kext", name);
    char *executable = format_string("Contents/MacOS/%s", name);
    int index = ENTRY(document, "Kernel->Add", {"BundlePath", bundle},
                      {"ExecutablePath", executable}, {"PlistPath", "Contents/Info.plist"},
                      {"MinKernel", min}, {"MaxKernel", max}, {"Arch", "Any"});
    if (index >= 0) {
        char *path = format_string("%s/OC/Kexts/%s/%s", folder, bundle, executable);
        assert_true(file_exists(path));
        free(path);
    }
    free(bundle);
    free(executable);
    return index;
}

static void assert_kexts(const struct config_document *document, const char *folder,
                         const struct target *target)
{
    unsigned darwin = target->macos->darwin;
    int lilu = kext(document, folder, "Lilu", "", "");
    int smc = kext(document, folder, "VirtualSMC", "", "");
    int core = kext(document, folder, "MacHyperVSupport", "8.0.0", "20.99.99");
    int monterey = kext(document, folder, "MacHyperVSupportMonterey", "21.0.0", "");
    assert_true(lilu >= 0 && lilu < smc);
    assert_int_equal(core >= 0, darwin <= 20);
    assert_int_equal(monterey >= 0, darwin >= 21);
    assert_true((core >= 0 ? core : monterey) > smc);
    static const char *const forced[] = {"IONetworkingFamily", "IOSCSIParallelFamily"};
    for (size_t i = 0; i < 2; i++) {
        char *identifier = format_string("com.apple.iokit.%s", forced[i]);
        char *bundle = format_string("System/Library/Extensions/%s.kext", forced[i]);
        char *executable = format_string("Contents/MacOS/%s", forced[i]);
        assert_int_equal(ENTRY(document, "Kernel->Force", {"Identifier", identifier},
                               {"BundlePath", bundle}, {"ExecutablePath", executable},
                               {"PlistPath", "Contents/Info.plist"}, {"Arch", "Any"},
                               {"MaxKernel", "13.99.99"}) >= 0,
                         darwin <= 13);
        free(identifier);
        free(bundle);
        free(executable);
    }
}

static void assert_patches(const struct config_document *document, const struct target *target)
{
    unsigned darwin = target->macos->darwin;
    assert_int_equal(ENTRY(document, "Kernel->Patch", {"Arch", "i386"}, {"Base", "_hpet_init"},
                           {"Count", "1"}, {"Find", ""}, {"Identifier", "kernel"},
                           {"MaxKernel", "9.5.99"}, {"MinKernel", ""}, {"Replace", "C3"}) >= 0,
                     darwin <= 9);
    assert_int_equal(ENTRY(document, "Kernel->Patch", {"Arch", "i386"},
                           {"Base", "__ZNK15IOHIDDeviceShim18newTransportStringEv"}, {"Count", "1"},
                           {"Identifier", "com.apple.iokit.IOHIDFamily"}, {"MaxKernel", "9.6.99"},
                           {"MinKernel", "9.5.0"}, {"Replace", "31C0C3"}) >= 0,
                     darwin == 9);
    assert_int_equal(ENTRY(document, "Kernel->Patch", {"Arch", "i386"},
                           {"Base", "__ZN16IOHIDEventDriver21handleInterruptReportE12UnsignedWide"
                                    "P18IOMemoryDescriptor15IOHIDReportTypem"},
                           {"Identifier", "com.apple.iokit.IOHIDFamily"}, {"Find", "BA1F85EB51"},
                           {"MaxKernel", "8.11.99"}, {"MinKernel", "8.0.0"},
                           {"Replace", "BA00000000"}) >= 0,
                     darwin == 8);
}

void assert_seed_rows(const struct config_document *document, const char *folder,
                      const struct target *target)
{
    assert_acpi(document, folder, target);
    assert_quirks(document, target);
    assert_kexts(document, folder, target);
    assert_patches(document, target);
}
