/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings that contradict each other or the target. Rules about form follow OpenCore's own checker
 * (ocvalidate); the rest is about Hyper-V.
 */
#include <stdlib.h>
#include <string.h>

#include "setup/check.h"
#include "setup/config_rows.h"
#include "setup/data/enumerations.h"
#include "setup/harmful.h"
#include "setup/text.h"

struct rules {
    const struct config_document *document;
    const struct target *target;
    struct report *report;
};

static void find(const struct rules *rules, enum severity severity, const char *id,
                 const char *path, const char *reason, const char *fix)
{
    report_find(rules->report, &(struct report_finding){severity, (char *)id, (char *)path,
                                                        (char *)reason, (char *)fix, false});
}

static char *entry_string(const struct rules *rules, int entry, const char *key)
{
    char *string = config_string(rules->document, config_child(rules->document, entry, key));
    return string == NULL ? copy_string("") : string;
}

static bool entry_enabled(const struct rules *rules, int entry)
{
    return config_boolean(rules->document, config_child(rules->document, entry, "Enabled"));
}

/* Two enabled entries with the same file. */
static void check_duplicates(const struct rules *rules, const char *array_path, const char *key)
{
    size_t index = 0;
    int array = config_find(rules->document, array_path);
    for (int entry = config_first(rules->document, array); entry != CONFIG_NONE;
         entry = config_next(rules->document, entry), index++) {
        char *name = entry_string(rules, entry, key);
        char *arch = entry_string(rules, entry, "Arch");
        char *low = entry_string(rules, entry, "MinKernel");
        for (int other = config_first(rules->document, array);
             other != entry && entry_enabled(rules, entry);
             other = config_next(rules->document, other)) {
            char *other_name = entry_string(rules, other, key);
            char *other_arch = entry_string(rules, other, "Arch");
            char *other_low = entry_string(rules, other, "MinKernel");
            if (entry_enabled(rules, other) && name[0] != '\0' && strcmp(name, other_name) == 0 &&
                strcmp(arch, other_arch) == 0 && strcmp(low, other_low) == 0) {
                char *path = format_string("%s[%zu]->%s", array_path, index, key);
                char *reason = format_string("%s is there twice", name);
                find(rules, SEVERITY_ERROR, "duplicate", path, reason, "remove one of them");
                free(reason);
                free(path);
            }
            free(other_name);
            free(other_arch);
            free(other_low);
        }
        free(name);
        free(arch);
        free(low);
    }
}

static size_t data_size(const struct rules *rules, int entry, const char *key)
{
    uint8_t *bytes = NULL;
    size_t count = 0;
    config_data(rules->document, config_child(rules->document, entry, key), &bytes, &count);
    free(bytes);
    return count;
}

static void check_patches(const struct rules *rules, const char *array_path)
{
    size_t index = 0;
    int array = config_find(rules->document, array_path);
    for (int entry = config_first(rules->document, array); entry != CONFIG_NONE;
         entry = config_next(rules->document, entry), index++) {
        if (!entry_enabled(rules, entry)) {
            continue;
        }
        size_t search = data_size(rules, entry, "Find"), with = data_size(rules, entry, "Replace");
        size_t mask = data_size(rules, entry, "Mask");
        char *base = entry_string(rules, entry, "Base");
        char *path = format_string("%s[%zu]->Find", array_path, index);
        if (search == 0 && base[0] == '\0') {
            find(rules, SEVERITY_ERROR, "patch-empty", path, "neither Find nor Base says where",
                 "");
        } else if (search != 0 && search != with) {
            find(rules, SEVERITY_ERROR, "patch-length", path, "Find and Replace differ in length",
                 "make them equally long");
        } else if (mask != 0 && mask != search) {
            find(rules, SEVERITY_ERROR, "patch-length", path, "Find and Mask differ in length",
                 "make them equally long");
        }
        free(path);
        free(base);
    }
}

static void check_kernel_bounds(const struct rules *rules, const char *array_path)
{
    static const char *const keys[] = {"MinKernel", "MaxKernel"};
    size_t index = 0;
    int array = config_find(rules->document, array_path);
    for (int entry = config_first(rules->document, array); entry != CONFIG_NONE;
         entry = config_next(rules->document, entry), index++) {
        for (size_t i = 0; i < 2; i++) {
            char *version = entry_string(rules, entry, keys[i]);
            if (kernel_version(version) < 0) {
                char *path = format_string("%s[%zu]->%s", array_path, index, keys[i]);
                find(rules, SEVERITY_ERROR, "kernel-version", path,
                     "not a kernel version (up to three numbers of two digits)",
                     "write it as 20.99.99");
                free(path);
            }
            free(version);
        }
    }
}

static void check_enumerations(const struct rules *rules)
{
    for (size_t i = 0; i < enumeration_count; i++) {
        const struct enumeration *one = &enumerations[i];
        char *value = config_string(rules->document, config_find(rules->document, one->path));
        if (value != NULL && !has_word(one->values, value)) {
            char *reason = format_string("\"%s\" is none of: %s", value, one->values);
            find(rules, SEVERITY_ERROR, "enumeration", one->path, reason, "choose one of them");
            free(reason);
        }
        free(value);
    }
}

static void check_dmg_loading(const struct rules *rules)
{
    const struct config_document *document = rules->document;
    if (config_equals(document, config_find(document, "Misc->Security->DmgLoading"), CONFIG_STRING,
                      "Any") &&
        !config_equals(document, config_find(document, "Misc->Security->SecureBootModel"),
                       CONFIG_STRING, "Disabled")) {
        find(rules, SEVERITY_ERROR, "dmg-loading", "Misc->Security->DmgLoading",
             "Any needs SecureBootModel Disabled", "set SecureBootModel to Disabled");
    }
}

static void check_model(const struct rules *rules)
{
    const char *path = "PlatformInfo->Generic->SystemProductName";
    char *name = config_string(rules->document, config_find(rules->document, path));
    const struct mac_model *model = name == NULL ? NULL : find_mac_model(name);
    char *fix = format_string("set it to %s, with serial numbers made for that model",
                              rules->target->macos->model);
    if (name == NULL || name[0] == '\0') {
        find(rules, SEVERITY_ERROR, "smbios-model", path, "no Mac model is given", fix);
    } else if (model == NULL) {
        find(rules, rules->target->macos->darwin >= 25 ? SEVERITY_ERROR : SEVERITY_NOTE,
             "smbios-model", path, "a model that hvsetup has no range of macOS versions for", fix);
    } else if (!model_fits(model, rules->target->macos)) {
        char *reason =
            format_string("%s does not run macOS %s", name, rules->target->macos->version);
        find(rules, SEVERITY_ERROR, "smbios-model", path, reason, fix);
        free(reason);
    }
    free(fix);
    free(name);
}

static void check_serial(const struct rules *rules)
{
    const char *path = "PlatformInfo->Generic->SystemSerialNumber";
    char *serial = config_string(rules->document, config_find(rules->document, path));
    if (serial != NULL && (serial[0] == '\0' || strncmp(serial, "W0000000", 8) == 0)) {
        find(rules, SEVERITY_NOTE, "smbios-serial", path,
             "the sample's serial number: macOS starts, but Apple ID and the App Store refuse it",
             "make a serial number, MLB and UUID of your own for the model (OpenCore's macserial)");
    }
    free(serial);
}

/* The two halves of hiding kern.hv_vmm_present belong together from macOS 13 on. */
static void check_apple_id_halves(const struct rules *rules)
{
    if (rules->target->macos->darwin < 22) {
        return;
    }
    struct target wanting = *rules->target;
    wanting.apple_id = true;
    struct report ignored = {0};
    unsigned present = 0;
    for (size_t i = 0; i < kernel_row_count; i++) {
        if (kernel_rows[i].when.option == OPTION_APPLE_ID) {
            present += row_check(rules->document, &kernel_rows[i], &wanting, &ignored);
        }
    }
    report_free(&ignored);
    if (present == 1) {
        find(
            rules, SEVERITY_ERROR, "apple-id-half", "Kernel->Patch",
            "only one of the two patches that hide kern.hv_vmm_present is there: two sysctls would "
            "have one name",
            "hvsetup check --fix --apple-id adds the other");
    }
}

void check_rules(const struct config_document *document, const struct target *target,
                 struct report *report)
{
    struct rules rules = {document, target, report};
    check_duplicates(&rules, "ACPI->Add", "Path");
    check_duplicates(&rules, "Kernel->Add", "BundlePath");
    check_duplicates(&rules, "UEFI->Drivers", "Path");
    check_patches(&rules, "ACPI->Patch");
    check_patches(&rules, "Booter->Patch");
    check_patches(&rules, "Kernel->Patch");
    check_kernel_bounds(&rules, "Kernel->Add");
    check_kernel_bounds(&rules, "Kernel->Block");
    check_kernel_bounds(&rules, "Kernel->Force");
    check_kernel_bounds(&rules, "Kernel->Patch");
    check_enumerations(&rules);
    check_dmg_loading(&rules);
    check_model(&rules);
    check_serial(&rules);
    check_apple_id_halves(&rules);
    harmful_check(document, target, report);
}
