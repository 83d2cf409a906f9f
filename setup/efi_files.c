/* SPDX-License-Identifier: BSD-3-Clause */
/* Puts our tables and kexts into an OC folder. */
#include "setup/efi_files.h"

#include <stdlib.h>
#include <string.h>

#include "setup/files.h"

bool row_file_is_ours(const struct row *row)
{
    return row->file != NULL &&
           (strncmp(row->file, "SSDT-HV-", 8) == 0 || strncmp(row->file, "MacHyperV", 9) == 0);
}

static bool add_table(const char *oc_folder, const char *name, const struct data_folder *data,
                      bool replace, struct setup_error *error)
{
    char *folder = path_join(oc_folder, "ACPI");
    char *to = path_join(folder, name);
    char *from = path_join(data->acpi, name);
    bool ok =
        (!replace && file_exists(to)) || (folder_make(folder, error) && file_copy(from, to, error));
    free(from);
    free(to);
    free(folder);
    return ok;
}

static bool add_kext(const char *oc_folder, const char *name, const struct data_folder *data,
                     bool replace, struct setup_error *error)
{
    char *folder = path_join(oc_folder, "Kexts");
    char *to = path_join(folder, name);
    char *from = path_join(data->kexts, name);
    bool ok = true;
    if (replace || !folder_exists(to)) {
        if (!folder_exists(from)) {
            ok = setup_fail(error, "%s: no such kext; build it with \"make kext\" or give --data",
                            from);
        } else {
            folder_remove(to);
            ok = folder_make(folder, error) && folder_copy(from, to, error);
        }
    }
    free(from);
    free(to);
    free(folder);
    return ok;
}

bool efi_add_our_file(const char *oc_folder, const struct row *row, const struct data_folder *data,
                      bool replace, struct setup_error *error)
{
    if (!row_file_is_ours(row)) {
        return true;
    }
    return strncmp(row->file, "SSDT", 4) == 0
               ? add_table(oc_folder, row->file, data, replace, error)
               : add_kext(oc_folder, row->file, data, replace, error);
}
