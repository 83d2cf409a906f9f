/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the parts of an OpenCore release. */
#include "setup/opencore_release.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "setup/unpack.h"
#include "setup/files.h"
#include "setup/text.h"

enum { EFI_FILE_MAX = 64 << 20 };

/* BASE/X64/EFI or BASE/EFI, whichever holds OpenCore. */
static char *find_efi(const char *base)
{
    static const char *const places[] = {"X64/EFI", "EFI"};
    for (size_t i = 0; i < 2; i++) {
        char *efi = path_join(base, places[i]);
        char *program = path_join(efi, "OC/OpenCore.efi");
        bool there = file_exists(program);
        free(program);
        if (there) {
            return efi;
        }
        free(efi);
    }
    return NULL;
}

struct search {
    const char *folder;
    char *found;
};

static bool try_subfolder(const char *name, void *context)
{
    struct search *search = context;
    char *folder = path_join(search->folder, name);
    char *efi = folder_exists(folder) ? find_efi(folder) : NULL;
    if (efi == NULL) {
        free(folder);
        return true;
    }
    free(efi);
    search->found = folder;
    return false;
}

/* Archives often have one folder around everything. */
static char *find_base(const char *path)
{
    char *efi = find_efi(path);
    if (efi != NULL) {
        free(efi);
        return copy_string(path);
    }
    struct search search = {path, NULL};
    folder_list(path, try_subfolder, &search);
    return search.found;
}

static bool version_at(const char *text, size_t left, size_t *length)
{
    if (left < 18 || (memcmp(text, "REL-", 4) != 0 && memcmp(text, "DBG-", 4) != 0 &&
                      memcmp(text, "NPT-", 4) != 0)) {
        return false;
    }
    size_t digits = 4;
    while (digits < 8 && isdigit((unsigned char)text[digits])) {
        digits++;
    }
    static const char date[] = "-dddd-dd-dd";
    if (digits < 7 || digits + strlen(date) > left) {
        return false;
    }
    for (size_t i = 0; date[i] != '\0'; i++) {
        char character = text[digits + i];
        if (date[i] == '-' ? character != '-' : !isdigit((unsigned char)character)) {
            return false;
        }
    }
    *length = digits + strlen(date);
    return true;
}

char *opencore_version(const char *efi_file)
{
    struct setup_error error;
    char *bytes = NULL;
    size_t size = 0, length = 0;
    if (!file_read(efi_file, EFI_FILE_MAX, &bytes, &size, &error)) {
        return copy_string("");
    }
    char *version = NULL;
    for (size_t i = 0; i < size && version == NULL; i++) {
        if (version_at(bytes + i, size - i, &length)) {
            version = format_string("%.*s", (int)length, bytes + i);
        }
    }
    free(bytes);
    return version == NULL ? copy_string("") : version;
}

bool opencore_release_open(struct opencore_release *release, const char *path, const char *staging,
                           struct setup_error *error)
{
    memset(release, 0, sizeof *release);
    char *folder = copy_string(path);
    if (!folder_exists(path)) {
        free(folder);
        folder = path_join(staging, "release");
        if (!folder_make(folder, error) || !archive_unpack(path, folder, error)) {
            free(folder);
            return false;
        }
    }
    char *base = find_base(folder);
    free(folder);
    if (base == NULL) {
        return setup_fail(error, "%s: not an OpenCore release: no X64/EFI/OC/OpenCore.efi in it",
                          path);
    }
    release->efi = find_efi(base);
    release->sample = path_join(base, "Docs/Sample.plist");
    char *program = path_join(release->efi, "OC/OpenCore.efi");
    release->version = opencore_version(program);
    free(program);
    free(base);
    if (!file_exists(release->sample)) {
        opencore_release_free(release);
        return setup_fail(error, "%s: not an OpenCore release: no Docs/Sample.plist in it", path);
    }
    return true;
}

void opencore_release_free(struct opencore_release *release)
{
    free(release->efi);
    free(release->sample);
    free(release->version);
    memset(release, 0, sizeof *release);
}
