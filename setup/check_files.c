/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares the configuration with the files beside it. */
#include <stdlib.h>
#include <string.h>

#include "setup/check.h"
#include "setup/files.h"
#include "setup/kext_bundle.h"
#include "setup/opencore_release.h"
#include "setup/text.h"

struct files_check {
    const struct config_document *document;
    const char *folder;
    struct report *report;
};

static void find(const struct files_check *check, enum severity severity, const char *id,
                 const char *path, const char *reason, const char *fix)
{
    report_find(check->report, &(struct report_finding){severity, (char *)id, (char *)path,
                                                        (char *)reason, (char *)fix, false});
}

static void require_file(const struct files_check *check, const char *key_path,
                         const char *subfolder, const char *name)
{
    char *relative = format_string("%s/%s", subfolder, name);
    char *path = path_join(check->folder, relative);
    if (!file_exists(path)) {
        char *reason =
            format_string("EFI/OC/%s does not exist (upper and lower case count)", relative);
        find(check, SEVERITY_ERROR, "file-missing", key_path, reason,
             "add the file, or remove the entry");
        free(reason);
    }
    free(path);
    free(relative);
}

/* Each enabled entry of `array` must name a file below `subfolder`. */
static void check_entries(const struct files_check *check, const char *array, const char *key,
                          const char *subfolder)
{
    size_t index = 0;
    int node = config_find(check->document, array);
    for (int entry = config_first(check->document, node); entry != CONFIG_NONE;
         entry = config_next(check->document, entry), index++) {
        char *name = config_string(check->document, config_child(check->document, entry, key));
        if (name != NULL &&
            config_boolean(check->document, config_child(check->document, entry, "Enabled"))) {
            char *path = format_string("%s[%zu]->%s", array, index, key);
            require_file(check, path, subfolder, name);
            free(path);
        }
        free(name);
    }
}

static const char *const our_tables[][2] = {
    {"SSDT-HV-VMBUS.aml", "HVVMBUS"},
    {"SSDT-HV-DEV.aml", "HVDEV"},
    {"SSDT-HV-DEV-WS2022.aml", "HVDEVW22"},
    {"SSDT-HV-PLUG.aml", "HVPLUG"},
};

/* A file by one of our names must be that table. */
static void check_table_ids(const struct files_check *check)
{
    enum { TABLE_MAX = 1 << 20, TABLE_ID = 16, HEADER = 36 };
    for (size_t i = 0; i < sizeof our_tables / sizeof our_tables[0]; i++) {
        struct setup_error error;
        char *path = format_string("%s/ACPI/%s", check->folder, our_tables[i][0]);
        char *bytes = NULL;
        size_t size = 0;
        if (file_read(path, TABLE_MAX, &bytes, &size, &error)) {
            char id[9] = "";
            if (size >= HEADER && memcmp(bytes, "SSDT", 4) == 0) {
                memcpy(id, bytes + TABLE_ID, 8);
            }
            if (strcmp(id, our_tables[i][1]) != 0) {
                char *where = format_string("ACPI/%s", our_tables[i][0]);
                char *reason = format_string("not the compiled table %s that the name promises",
                                             our_tables[i][1]);
                find(check, SEVERITY_ERROR, "acpi-table-id", where, reason,
                     "copy the compiled .aml of this release");
                free(reason);
                free(where);
            }
            free(bytes);
        }
        free(path);
    }
}

static void check_kext(const struct files_check *check, int entry, size_t index, const char *name)
{
    static const char *const keys[] = {"ExecutablePath", "PlistPath"};
    char *bundle_path = format_string("%s/Kexts/%s", check->folder, name);
    char *where = format_string("Kernel->Add[%zu]->BundlePath", index);
    if (!folder_exists(bundle_path)) {
        char *reason =
            format_string("EFI/OC/Kexts/%s does not exist (upper and lower case count)", name);
        find(check, SEVERITY_ERROR, "kext-missing", where, reason,
             "put the kext there; Lilu and VirtualSMC come from their own projects");
        free(reason);
    } else {
        for (size_t i = 0; i < 2; i++) {
            char *inside =
                config_string(check->document, config_child(check->document, entry, keys[i]));
            if (inside != NULL && inside[0] != '\0') {
                char *key_path = format_string("Kernel->Add[%zu]->%s", index, keys[i]);
                char *subfolder = format_string("Kexts/%s", name);
                require_file(check, key_path, subfolder, inside);
                free(subfolder);
                free(key_path);
            }
            free(inside);
        }
    }
    free(where);
    free(bundle_path);
}

static void check_kext_identity(const struct files_check *check, const char *name, size_t index)
{
    struct setup_error error;
    struct kext_bundle bundle;
    char *path = format_string("%s/Kexts/%s", check->folder, name);
    char *where = format_string("Kernel->Add[%zu]->BundlePath", index);
    if (folder_exists(path) && !kext_bundle_read(&bundle, path, &error)) {
        find(check, SEVERITY_ERROR, "kext-unreadable", where, error.text, "replace the kext");
    } else if (folder_exists(path)) {
        if (strncmp(name, "MacHyperV", 9) == 0 &&
            strncmp(bundle.identifier, "org.machv.driver.", 17) != 0) {
            char *reason = format_string("its identifier is %s: not the kext of this release",
                                         bundle.identifier);
            find(check, SEVERITY_WARNING, "kext-foreign", where, reason,
                 "use the kext that came with hvsetup");
            free(reason);
        }
        if (strcmp(name, "Lilu.kext") == 0 && macos_number(bundle.version) < 10407) {
            char *reason = format_string("Lilu %s is older than 1.4.7", bundle.version);
            find(check, SEVERITY_WARNING, "kext-old", where, reason, "use a current Lilu");
            free(reason);
        }
        kext_bundle_free(&bundle);
    }
    free(where);
    free(path);
}

static void check_kexts(const struct files_check *check)
{
    size_t index = 0;
    int array = config_find(check->document, "Kernel->Add");
    for (int entry = config_first(check->document, array); entry != CONFIG_NONE;
         entry = config_next(check->document, entry), index++) {
        char *name =
            config_string(check->document, config_child(check->document, entry, "BundlePath"));
        if (name != NULL &&
            config_boolean(check->document, config_child(check->document, entry, "Enabled"))) {
            check_kext(check, entry, index, name);
            check_kext_identity(check, name, index);
        }
        free(name);
    }
}

struct unused {
    const struct files_check *check;
    const char *array;
    const char *key;
    const char *subfolder;
    const char *suffix;
};

/* A note for each file that no entry names. */
static bool note_unused(const char *name, void *context)
{
    const struct unused *unused = context;
    const struct config_document *document = unused->check->document;
    size_t length = strlen(name), suffix = strlen(unused->suffix);
    if (name[0] == '.' || length <= suffix || strcmp(name + length - suffix, unused->suffix) != 0) {
        return true;
    }
    int array = config_find(document, unused->array);
    for (int entry = config_first(document, array); entry != CONFIG_NONE;
         entry = config_next(document, entry)) {
        if (config_equals(document, config_child(document, entry, unused->key), CONFIG_STRING,
                          name)) {
            return true;
        }
    }
    char *where = format_string("%s/%s", unused->subfolder, name);
    char *reason = format_string("%s does not name it: it is not loaded", unused->array);
    find(unused->check, SEVERITY_NOTE, "file-unused", where, reason,
         "add an entry, or remove the file");
    free(reason);
    free(where);
    return true;
}

/* The configuration's schema is the program's: what is known to differ between releases. */
static void check_version(const struct files_check *check, const char *program)
{
    char *version = opencore_version(program);
    unsigned number = version[0] == '\0' ? 0 : (unsigned)strtoul(version + 4, NULL, 10);
    if (number != 0 && number < 104 &&
        config_boolean(check->document,
                       config_find(check->document, "Booter->Quirks->ClearTaskSwitchBit"))) {
        char *reason =
            format_string("OpenCore.efi is %s; ClearTaskSwitchBit begins with 1.0.4", version);
        find(check, SEVERITY_ERROR, "opencore-version", "EFI/OC/OpenCore.efi", reason,
             "build with OpenCore 1.0.4 or later");
        free(reason);
    } else if (strncmp(version, "NPT", 3) == 0) {
        find(check, SEVERITY_NOTE, "opencore-version", "EFI/OC/OpenCore.efi",
             "a version that OpenCore's project has not released", "");
    }
    free(version);
}

static void check_unused(const struct files_check *check, const char *array, const char *key,
                         const char *subfolder, const char *suffix)
{
    struct unused unused = {check, array, key, subfolder, suffix};
    char *path = path_join(check->folder, subfolder);
    folder_list(path, note_unused, &unused);
    free(path);
}

void check_files(const struct config_document *document, const char *folder, struct report *report)
{
    struct files_check check = {document, folder, report};
    char *program = path_join(folder, "OpenCore.efi");
    char *boot = path_join(folder, "../BOOT/BOOTx64.efi");
    if (!file_exists(program)) {
        find(&check, SEVERITY_ERROR, "opencore-missing", "EFI/OC/OpenCore.efi", "does not exist",
             "copy it from the OpenCore release that the configuration is for");
    } else {
        check_version(&check, program);
    }
    if (!file_exists(boot)) {
        find(&check, SEVERITY_ERROR, "opencore-missing", "EFI/BOOT/BOOTx64.efi", "does not exist",
             "copy it from the same OpenCore release");
    }
    free(program);
    free(boot);
    check_entries(&check, "ACPI->Add", "Path", "ACPI");
    check_entries(&check, "UEFI->Drivers", "Path", "Drivers");
    check_entries(&check, "Misc->Tools", "Path", "Tools");
    check_table_ids(&check);
    check_kexts(&check);
    check_unused(&check, "ACPI->Add", "Path", "ACPI", ".aml");
    check_unused(&check, "Kernel->Add", "BundlePath", "Kexts", ".kext");
}
