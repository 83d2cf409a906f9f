/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the program's data. */
#include "setup/data_folder.h"

#include <stdlib.h>
#include <unistd.h>

#include "setup/files.h"
#include "setup/text.h"

static char *program_folder(void)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0) {
        return copy_string(".");
    }
    path[length] = '\0';
    return path_parent(path);
}

/* The first of BASE/NAME and BASE/../NAME that exists. */
static char *find_below(const char *base, const char *name)
{
    char *path = path_join(base, name);
    if (!folder_exists(path)) {
        free(path);
        path = format_string("%s/../%s", base, name);
    }
    if (!folder_exists(path)) {
        free(path);
        return NULL;
    }
    return path;
}

bool data_folder_find(struct data_folder *data, const char *given, struct setup_error *error)
{
    char *base = given != NULL ? copy_string(given) : program_folder();
    data->acpi = find_below(base, "acpi");
    data->kexts = find_below(base, "kexts");
    bool ok = (data->acpi != NULL && data->kexts != NULL) ||
              setup_fail(error, "%s: no folder %s here; say where with --data", base,
                         data->acpi == NULL ? "acpi" : "kexts");
    free(base);
    if (!ok) {
        data_folder_free(data);
    }
    return ok;
}

void data_folder_free(struct data_folder *data)
{
    free(data->acpi);
    free(data->kexts);
    data->acpi = data->kexts = NULL;
}
