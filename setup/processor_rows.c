/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings that depend on the host's processor. */
#include "setup/processor_rows.h"

#include <stdlib.h>
#include <string.h>

#include "setup/files.h"
#include "setup/text.h"

#define CPUID_MASK "FFFFFFFF000000000000000000000000"
#define CORES_COMMENT "cpuid_cores_per_package"

/* The 16 bytes of Cpuid1Data: EAX first, little-endian. The caller frees the text. */
static char *cpuid_data(uint32_t eax)
{
    return format_string("%02X%02X%02X%02X000000000000000000000000", eax & 0xFF, eax >> 8 & 0xFF,
                         eax >> 16 & 0xFF, eax >> 24);
}

bool processor_apply(struct config_document *document, const struct target *target,
                     struct setup_error *error)
{
    struct processor_choice choice = choose_processor(target);
    bool ok = true;
    if (target->processor == NULL) {
        return true;
    }
    char *data = choice.spoof == 0 ? copy_string("") : cpuid_data(choice.spoof);
    const char *mask = choice.spoof == 0 ? "" : CPUID_MASK;
    ok = config_set(document, "Kernel->Emulate->Cpuid1Data", CONFIG_DATA, data) &&
         config_set(document, "Kernel->Emulate->Cpuid1Mask", CONFIG_DATA, mask) &&
         config_set(document, "Kernel->Emulate->DummyPowerManagement", CONFIG_BOOLEAN,
                    choice.no_power_driver ? "true" : "false");
    free(data);
    return ok ||
           setup_fail(error, "Kernel->Emulate: the configuration has another kind of value here");
}

static void find(struct report *report, const char *id, const char *path, const char *reason,
                 const char *fix, bool fixable)
{
    report_find(report, &(struct report_finding){SEVERITY_ERROR, (char *)id, (char *)path,
                                                 (char *)reason, (char *)fix, fixable});
}

/* Bits of the data outside the mask have no effect, which is never what was meant. */
static void check_mask(const struct config_document *document, struct report *report)
{
    uint8_t *data = NULL, *mask = NULL;
    size_t data_size = 0, mask_size = 0;
    if (config_data(document, config_find(document, "Kernel->Emulate->Cpuid1Data"), &data,
                    &data_size) &&
        config_data(document, config_find(document, "Kernel->Emulate->Cpuid1Mask"), &mask,
                    &mask_size)) {
        for (size_t i = 0; i < data_size; i++) {
            if ((data[i] & ~(i < mask_size ? mask[i] : 0)) != 0) {
                find(report, "emulate-mask", "Kernel->Emulate->Cpuid1Mask",
                     "the mask does not cover the data, so the spoof has no effect",
                     "set it to " CPUID_MASK, false);
                break;
            }
        }
    }
    free(data);
    free(mask);
}

/* Walks the enabled patches that hold the number of processors. */
static void check_core_count(const struct config_document *document, unsigned wanted,
                             struct report *report)
{
    size_t index = 0, found = 0;
    int array = config_find(document, "Kernel->Patch");
    for (int entry = config_first(document, array); entry != CONFIG_NONE;
         entry = config_next(document, entry), index++) {
        char *comment = config_string(document, config_child(document, entry, "Comment"));
        uint8_t *bytes = NULL;
        size_t count = 0;
        if (comment != NULL && strstr(comment, CORES_COMMENT) != NULL) {
            found++;
            if (config_data(document, config_child(document, entry, "Replace"), &bytes, &count) &&
                wanted != 0 && count > 1 && bytes[1] != wanted) {
                char *path = format_string("Kernel->Patch[%zu]->Replace", index);
                char *reason =
                    format_string("written for %u processors, the VM has %u", bytes[1], wanted);
                find(report, "amd-core-count", path, reason,
                     "set the second byte to the VM's number", false);
                free(reason);
                free(path);
            }
        }
        free(bytes);
        free(comment);
    }
    if (found == 0) {
        find(report, "amd-patches", "Kernel->Patch", "the AMD_Vanilla patch set is missing",
             "hvsetup build --cpu amd --processors N --amd-patches patches.plist", false);
    }
}

void processor_check(const struct config_document *document, const struct target *target,
                     struct report *report)
{
    check_mask(document, report);
    if (target->processor == NULL || strcmp(target->processor->id, "intel") == 0) {
        return;
    }
    struct processor_choice choice = choose_processor(target);
    if (target->processor->amd) {
        check_core_count(document, target->vm_processors, report);
    }
    char *data = choice.spoof == 0 ? copy_string("") : cpuid_data(choice.spoof);
    int node = config_find(document, "Kernel->Emulate->Cpuid1Data");
    if (choice.spoof != 0 && !config_equals(document, node, CONFIG_DATA, data)) {
        char *fix = format_string("set Cpuid1Data to %s and Cpuid1Mask to " CPUID_MASK, data);
        find(report, "kernel-emulate", "Kernel->Emulate->Cpuid1Data", choice.why, fix, true);
        free(fix);
    }
    if (choice.no_power_driver &&
        !config_boolean(document, config_find(document, "Kernel->Emulate->DummyPowerManagement"))) {
        find(report, "kernel-emulate", "Kernel->Emulate->DummyPowerManagement", choice.why,
             "set it to true", true);
    }
    free(data);
}

/* Writes the processor count into the last entry when it is one of those that hold it. */
static bool set_core_count(struct config_document *document, size_t index, unsigned vm_processors)
{
    char *entry_path = format_string("Kernel->Patch[%zu]", index);
    int entry = config_find(document, entry_path);
    char *comment = config_string(document, config_child(document, entry, "Comment"));
    uint8_t *bytes = NULL;
    size_t count = 0;
    bool ok = true;
    if (comment != NULL && strstr(comment, CORES_COMMENT) != NULL &&
        config_data(document, config_child(document, entry, "Replace"), &bytes, &count) &&
        count > 1) {
        bytes[1] = (uint8_t)vm_processors;
        char *path = format_string("%s->Replace", entry_path);
        char *hex = hex_encode(bytes, count);
        ok = config_set(document, path, CONFIG_DATA, hex);
        free(hex);
        free(path);
    }
    free(bytes);
    free(comment);
    free(entry_path);
    return ok;
}

bool processor_add_amd_patches(struct config_document *document, const char *file,
                               unsigned vm_processors, struct setup_error *error)
{
    char *text = NULL;
    size_t size = 0;
    if (!file_read(file, CONFIG_SIZE_MAX, &text, &size, error)) {
        return false;
    }
    struct setup_error reason;
    struct config_document *patches = config_parse(text, size, &reason);
    free(text);
    if (patches == NULL) {
        return setup_fail(error, "%s: %s", file, reason.text);
    }
    int array = config_find(patches, "Kernel->Patch");
    bool ok =
        config_count(patches, array) > 0 ||
        setup_fail(error, "%s: no Kernel->Patch in it; AMD_Vanilla's patches.plist is meant", file);
    for (int entry = config_first(patches, array); entry != CONFIG_NONE && ok;
         entry = config_next(patches, entry)) {
        size_t length = 0;
        const char *element = config_element(patches, entry, &length);
        ok = (config_append_text(document, "Kernel->Patch", element, length) &&
              set_core_count(document,
                             config_count(document, config_find(document, "Kernel->Patch")) - 1,
                             vm_processors)) ||
             setup_fail(error, "Kernel->Patch: the configuration has another kind of value here");
    }
    config_free(patches);
    return ok;
}
