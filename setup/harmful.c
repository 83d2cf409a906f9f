/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings that hurt. Each has one way to find it and one way to put it right. */
#include "setup/harmful.h"

#include <stdlib.h>
#include <string.h>

#include "setup/config_rows.h"
#include "setup/text.h"

#define BOOT_ARGUMENTS "NVRAM->Add->7C436110-AB2A-4BBB-A880-FE41995C9F82->boot-args"

enum remedy { SWITCH_OFF, SET_MAX_KERNEL, SET_MIN_KERNEL };

/* An enabled entry that must not be there. */
struct harmful_entry {
    const char *id;
    const char *array;
    const char *key;
    const char *value;
    bool (*hurts)(const struct target *target, const char *arch, const char *min, const char *max);
    enum severity severity;
    const char *reason;
    enum remedy remedy;
};

static bool old_kext_on_monterey(const struct target *target, const char *arch, const char *min,
                                 const char *max)
{
    return max[0] == '\0' || kernel_version(max) > 209999;
}

static bool monterey_kext_on_old(const struct target *target, const char *arch, const char *min,
                                 const char *max)
{
    return kernel_version(min) < 210000;
}

static bool host_before_windows_10(const struct target *target, const char *arch, const char *min,
                                   const char *max)
{
    return target->host->build < 10240;
}

static bool host_before_2022(const struct target *target, const char *arch, const char *min,
                             const char *max)
{
    return target->host->build < 20348;
}

static bool generation_1(const struct target *target, const char *arch, const char *min,
                         const char *max)
{
    return target->generation == 1;
}

static bool reaches_64_bit_kernel(const struct target *target, const char *arch, const char *min,
                                  const char *max)
{
    return target->kernel == KERNEL_64 && strcmp(arch, "i386") != 0 &&
           kernel_bounds_include(min, max, target->macos->darwin);
}

static bool framebuffer_injected(const struct target *target, const char *arch, const char *min,
                                 const char *max)
{
    return target->macos->darwin >= 20 && kernel_bounds_include(min, max, target->macos->darwin);
}

static const struct harmful_entry harmful_entries[] = {
    {"kext-pair", "Kernel->Add", "BundlePath", "MacHyperVSupport.kext", old_kext_on_monterey,
     SEVERITY_ERROR, "this is the kext for macOS up to 11; it would load on macOS 12 and later",
     SET_MAX_KERNEL},
    {"kext-pair", "Kernel->Add", "BundlePath", "MacHyperVSupportMonterey.kext",
     monterey_kext_on_old, SEVERITY_ERROR,
     "this is the kext for macOS 12 and later; it would load on older ones", SET_MIN_KERNEL},
    {"framebuffer-injected", "Kernel->Add", "BundlePath", "MacHyperVFramebuffer.kext",
     framebuffer_injected, SEVERITY_WARNING,
     "macOS 11 and later take this kext only from /Library/Extensions", SWITCH_OFF},
    {"acpi-table-host", "ACPI->Add", "Path", "SSDT-HV-DEV.aml", host_before_windows_10,
     SEVERITY_WARNING, "this host has the objects already, and the table fails to load",
     SWITCH_OFF},
    {"acpi-table-host", "ACPI->Add", "Path", "SSDT-HV-DEV-WS2022.aml", host_before_2022,
     SEVERITY_WARNING, "this host lacks the devices, and the table fails to load", SWITCH_OFF},
    {"acpi-table-generation", "ACPI->Add", "Path", "SSDT-HV-VMBUS.aml", generation_1,
     SEVERITY_WARNING, "made for generation 2; this VM is of generation 1", SWITCH_OFF},
    {"block-efi-64", "Kernel->Block", "Identifier", "com.apple.driver.AppleEFIRuntime",
     reaches_64_bit_kernel, SEVERITY_ERROR,
     "a 64-bit kernel can use the firmware: without this kext NVRAM and Startup Disk are lost",
     SWITCH_OFF},
};

static char *string_of(const struct config_document *document, int entry, const char *key)
{
    char *string = config_string(document, config_child(document, entry, key));
    return string == NULL ? copy_string("") : string;
}

static bool entry_hurts(const struct config_document *document, int entry,
                        const struct harmful_entry *harmful, const struct target *target)
{
    if (!config_equals(document, config_child(document, entry, harmful->key), CONFIG_STRING,
                       harmful->value) ||
        !config_boolean(document, config_child(document, entry, "Enabled"))) {
        return false;
    }
    char *arch = string_of(document, entry, "Arch");
    char *min = string_of(document, entry, "MinKernel");
    char *max = string_of(document, entry, "MaxKernel");
    bool hurts = harmful->hurts(target, arch, min, max);
    free(arch);
    free(min);
    free(max);
    return hurts;
}

/* Index of the first entry that hurts from `start` on; -1 when there is none. */
static long next_harmful(const struct config_document *document,
                         const struct harmful_entry *harmful, const struct target *target,
                         long start)
{
    long index = 0;
    int array = config_find(document, harmful->array);
    for (int entry = config_first(document, array); entry != CONFIG_NONE;
         entry = config_next(document, entry), index++) {
        if (index >= start && entry_hurts(document, entry, harmful, target)) {
            return index;
        }
    }
    return -1;
}

/* The key of the entry that is to change; the caller frees it. */
static char *remedy_path(const struct harmful_entry *harmful, long index)
{
    static const char *const keys[] = {"Enabled", "MaxKernel", "MinKernel"};
    return format_string("%s[%ld]->%s", harmful->array, index, keys[harmful->remedy]);
}

static const char *remedy_value(enum remedy remedy)
{
    static const char *const values[] = {"false", "20.99.99", "21.0.0"};
    return values[remedy];
}

static bool legacy_hurts(const struct config_document *document, const struct target *target,
                         char **arguments)
{
    *arguments = config_string(document, config_find(document, BOOT_ARGUMENTS));
    return target->kernel == KERNEL_64 && *arguments != NULL && has_word(*arguments, "-legacy");
}

void harmful_check(const struct config_document *document, const struct target *target,
                   struct report *report)
{
    for (size_t i = 0; i < sizeof harmful_entries / sizeof harmful_entries[0]; i++) {
        const struct harmful_entry *harmful = &harmful_entries[i];
        for (long index = next_harmful(document, harmful, target, 0); index >= 0;
             index = next_harmful(document, harmful, target, index + 1)) {
            char *path = remedy_path(harmful, index);
            char *fix = format_string("set it to %s", remedy_value(harmful->remedy));
            report_find(report, &(struct report_finding){harmful->severity, (char *)harmful->id,
                                                         path, (char *)harmful->reason, fix, true});
            free(fix);
            free(path);
        }
    }
    char *arguments = NULL;
    if (legacy_hurts(document, target, &arguments)) {
        report_find(report, &(struct report_finding){
                                SEVERITY_WARNING, "nvram-legacy-64", BOOT_ARGUMENTS,
                                "-legacy is for 32-bit kernels; this target has a 64-bit one",
                                "remove -legacy", true});
    }
    free(arguments);
    if (target->macos->darwin <= 9 &&
        config_equals(document, config_find(document, "Kernel->Scheme->KernelCache"), CONFIG_STRING,
                      "Prelinked")) {
        report_find(report, &(struct report_finding){
                                SEVERITY_ERROR, "kernel-cache", "Kernel->Scheme->KernelCache",
                                "OpenCore cannot change the prelinked kernels of 10.4 and 10.5",
                                "set it to Auto", true});
    }
}

static void remove_legacy(struct config_document *document, const char *arguments)
{
    const char *word = strstr(arguments, "-legacy");
    size_t before = (size_t)(word - arguments);
    const char *after = word + strlen("-legacy");
    while (before > 0 && arguments[before - 1] == ' ') {
        before--;
    }
    char *rest = format_string("%.*s%s", (int)before, arguments,
                               before == 0 && *after == ' ' ? after + 1 : after);
    config_set(document, BOOT_ARGUMENTS, CONFIG_STRING, rest);
    free(rest);
}

void harmful_fix(struct config_document *document, const struct target *target)
{
    for (size_t i = 0; i < sizeof harmful_entries / sizeof harmful_entries[0]; i++) {
        const struct harmful_entry *harmful = &harmful_entries[i];
        for (long index = next_harmful(document, harmful, target, 0); index >= 0;
             index = next_harmful(document, harmful, target, index + 1)) {
            char *path = remedy_path(harmful, index);
            config_set(document, path,
                       harmful->remedy == SWITCH_OFF ? CONFIG_BOOLEAN : CONFIG_STRING,
                       remedy_value(harmful->remedy));
            free(path);
        }
    }
    char *arguments = NULL;
    if (legacy_hurts(document, target, &arguments)) {
        remove_legacy(document, arguments);
    }
    free(arguments);
    int cache = config_find(document, "Kernel->Scheme->KernelCache");
    if (target->macos->darwin <= 9 && config_equals(document, cache, CONFIG_STRING, "Prelinked")) {
        config_set(document, "Kernel->Scheme->KernelCache", CONFIG_STRING, "Auto");
    }
}
