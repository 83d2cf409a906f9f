/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration's part of a build. */
#include <stdlib.h>
#include <string.h>

#include "setup/build_private.h"
#include "setup/config_rows.h"
#include "setup/efi_files.h"
#include "setup/files.h"
#include "setup/processor_rows.h"
#include "setup/text.h"

/* What the sample has as examples; they name files that nobody has. */
static const char *const sample_examples[] = {
    "ACPI->Add",
    "ACPI->Delete",
    "ACPI->Patch",
    "Booter->MmioWhitelist",
    "Booter->Patch",
    "DeviceProperties->Add",
    "DeviceProperties->Delete",
    "Kernel->Add",
    "Kernel->Block",
    "Kernel->Force",
    "Kernel->Patch",
    "Misc->BlessOverride",
    "Misc->Entries",
    "Misc->Tools",
    "UEFI->Drivers",
    "UEFI->ReservedMemory",
};

static void strip_sample(struct config_document *config)
{
    int child = config_first(config, CONFIG_ROOT);
    while (child != CONFIG_NONE) {
        if (strncmp(config_key(config, child), "#WARNING", 8) == 0) {
            config_remove(config, child);
            child = config_first(config, CONFIG_ROOT);
        } else {
            child = config_next(config, child);
        }
    }
    for (size_t i = 0; i < sizeof sample_examples / sizeof sample_examples[0]; i++) {
        int container = config_find(config, sample_examples[i]);
        if (config_count(config, container) > 0) {
            config_empty(config, container);
        }
    }
}

bool build_load_config(struct build *build)
{
    char *existing = path_join(build->oc, "config.plist");
    bool over = file_exists(existing);
    const char *path = over ? existing : build->release.sample;
    char *text = NULL;
    size_t size = 0;
    struct setup_error reason;
    bool ok = file_read(path, CONFIG_SIZE_MAX, &text, &size, build->error);
    if (ok) {
        build->config = config_parse(text, size, &reason);
        ok = build->config != NULL || setup_fail(build->error, "%s: %s", path, reason.text);
        free(text);
    }
    if (ok && !over) {
        strip_sample(build->config);
    }
    if (ok) {
        report_decide(
            build->report, "EFI/OC/config.plist", over ? "the existing one" : "from the sample",
            over ? "what is already there is kept; only rows that are missing or wrong change"
                 : "the release's own sample has every key of its version; its examples are "
                   "taken out");
    }
    free(existing);
    return ok;
}

/* Whether the row's driver is there under its other name only. */
static bool other_driver_there(const struct build *build, const struct row *row)
{
    const char *also = row->fields[0].also;
    if (strcmp(row->path, "UEFI->Drivers") != 0 || also == NULL) {
        return false;
    }
    char *path = format_string("%s/Drivers/%s", build->oc, also);
    bool there = file_exists(path);
    free(path);
    return there;
}

static bool copy_driver(struct build *build, const char *name)
{
    char *from = format_string("%s/OC/Drivers/%s", build->release.efi, name);
    char *folder = path_join(build->oc, "Drivers");
    char *to = path_join(folder, name);
    bool ok = file_exists(to) || !file_exists(from) ||
              (folder_make(folder, build->error) && file_copy(from, to, build->error));
    free(from);
    free(folder);
    free(to);
    return ok;
}

static void apply_one(const struct row *row, void *context)
{
    struct build *build = context;
    if (!build->ok) {
        return;
    }
    bool other = other_driver_there(build, row);
    build->ok = row_apply(build->config, row, other, build->error) &&
                efi_add_our_file(build->oc, row, build->options->data, true, build->error);
    if (build->ok && strcmp(row->path, "UEFI->Drivers") == 0 && !other) {
        build->ok = copy_driver(build, row->file);
    }
    char *value = row_value_text(row);
    report_decide(build->report, row->path, value, row->why);
    free(value);
}

bool build_apply_rows(struct build *build)
{
    build->ok = true;
    rows_for_target(&build->options->target, apply_one, build);
    return build->ok;
}

static bool append_kext(struct build *build, const struct kext_bundle *bundle)
{
    const struct config_field fields[] = {
        {"Arch", CONFIG_STRING, "Any"},
        {"BundlePath", CONFIG_STRING, bundle->name},
        {"Comment", CONFIG_STRING, ""},
        {"Enabled", CONFIG_BOOLEAN, "true"},
        {"ExecutablePath", CONFIG_STRING, bundle->executable},
        {"MaxKernel", CONFIG_STRING, ""},
        {"MinKernel", CONFIG_STRING, ""},
        {"PlistPath", CONFIG_STRING, bundle->info},
    };
    return config_append(build->config, "Kernel->Add", fields, sizeof fields / sizeof fields[0]) ||
           setup_fail(build->error,
                      "Kernel->Add: the configuration has another kind of value here");
}

static bool entry_exists(const struct build *build, const char *bundle)
{
    int array = config_find(build->config, "Kernel->Add");
    for (int entry = config_first(build->config, array); entry != CONFIG_NONE;
         entry = config_next(build->config, entry)) {
        if (config_equals(build->config, config_child(build->config, entry, "BundlePath"),
                          CONFIG_STRING, bundle)) {
            return true;
        }
    }
    return false;
}

bool build_add_user_kexts(struct build *build)
{
    bool ok = true;
    for (size_t i = 0; i < build->kext_count && ok; i++) {
        const struct kext_bundle *bundle = &build->kexts[i];
        char *to = format_string("%s/Kexts/%s", build->oc, bundle->name);
        folder_remove(to);
        ok = folder_make(to, build->error) &&
             folder_copy(build->options->kexts[i], to, build->error);
        free(to);
        if (ok && !entry_exists(build, bundle->name)) {
            ok = append_kext(build, bundle);
            report_decide(build->report, "Kernel->Add", bundle->name, "given with --kext");
        }
    }
    return ok;
}

static bool apply_model(struct build *build)
{
    const char *path = "PlatformInfo->Generic->SystemProductName";
    const struct macos_release *macos = build->options->target.macos;
    char *name = config_string(build->config, config_find(build->config, path));
    const struct mac_model *model = name == NULL ? NULL : find_mac_model(name);
    bool keep = build->over_existing && model != NULL && model_fits(model, macos);
    const char *chosen = keep ? name : macos->model;
    bool ok =
        keep || config_set(build->config, path, CONFIG_STRING, chosen) ||
        setup_fail(build->error, "%s: the configuration has another kind of value here", path);
    char *why = format_string("%s runs macOS %s%s", chosen, macos->version,
                              keep ? "; your choice is kept" : "");
    report_decide(build->report, path, chosen, why);
    free(why);
    free(name);
    return ok;
}

bool build_apply_machine(struct build *build)
{
    const struct target *target = &build->options->target;
    struct processor_choice choice = choose_processor(target);
    char *value =
        choice.spoof == 0 ? copy_string("none") : format_string("CPUID 1 EAX 0x%08X", choice.spoof);
    report_decide(build->report, "Kernel->Emulate", value, choice.why);
    free(value);
    char *memory = format_string("%u MiB", target->macos->memory_mib);
    report_decide(
        build->report, "VM memory", memory,
        "less shows the prohibitory sign or OpenCore's allocation errors; hvsetup vm sets it");
    free(memory);
    bool ok = apply_model(build) && processor_apply(build->config, target, build->error);
    if (ok && build->options->amd_patches != NULL) {
        ok = processor_add_amd_patches(build->config, build->options->amd_patches,
                                       target->vm_processors, build->error);
        report_decide(build->report, "Kernel->Patch", "AMD_Vanilla",
                      "given with --amd-patches; the VM's number of processors is written in");
    }
    return ok;
}
