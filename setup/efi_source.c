/* SPDX-License-Identifier: BSD-3-Clause */
/* Opens what `check` is pointed at. */
#include "setup/efi_source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "setup/disk_image.h"
#include "setup/efi_image.h"
#include "setup/files.h"
#include "setup/text.h"

/* The OC folder in a folder that holds EFI, or is EFI, or is OC. */
static char *find_oc(const char *path)
{
    static const char *const places[] = {"EFI/OC", "OC", "."};
    for (size_t i = 0; i < 3; i++) {
        char *folder = path_join(path, places[i]);
        char *config = path_join(folder, "config.plist");
        bool there = file_exists(config);
        free(config);
        if (there) {
            return folder;
        }
        free(folder);
    }
    return NULL;
}

static bool open_folder(struct efi_source *source, const char *path, struct setup_error *error)
{
    source->folder = find_oc(path);
    if (source->folder == NULL) {
        return setup_fail(error, "%s: no EFI/OC/config.plist in it", path);
    }
    source->config = path_join(source->folder, "config.plist");
    return true;
}

static bool open_image(struct efi_source *source, const char *path, struct setup_error *error)
{
    const char *temporary = getenv("TMPDIR");
    source->image = copy_string(path);
    source->staging = folder_stage(temporary == NULL ? "/tmp" : temporary, error);
    return source->staging != NULL && efi_image_read(path, source->staging, error) &&
           open_folder(source, source->staging, error);
}

/* A config.plist alone; the files beside it are looked at when OpenCore.efi is there too. */
static void open_config(struct efi_source *source, const char *path)
{
    char *folder = path_parent(path);
    char *program = path_join(folder, "OpenCore.efi");
    source->config = copy_string(path);
    source->folder = file_exists(program) ? copy_string(folder) : NULL;
    free(program);
    free(folder);
}

bool efi_source_open(struct efi_source *source, const char *path, struct setup_error *error)
{
    memset(source, 0, sizeof *source);
    bool ok = true;
    if (folder_exists(path)) {
        ok = open_folder(source, path, error);
    } else if (disk_format_of(path) != NULL) {
        ok = file_exists(path) ? open_image(source, path, error)
                               : setup_fail(error, "%s: no such file", path);
    } else {
        open_config(source, path);
    }
    char *text = NULL;
    size_t size = 0;
    ok = ok && file_read(source->config, CONFIG_SIZE_MAX, &text, &size, error);
    if (ok) {
        struct setup_error reason;
        source->document = config_parse(text, size, &reason);
        ok = source->document != NULL || setup_fail(error, "%s: %s", source->config, reason.text);
    }
    free(text);
    if (!ok) {
        efi_source_close(source);
    }
    return ok;
}

bool efi_source_save(struct efi_source *source, char **backup, struct setup_error *error)
{
    size_t size = 0;
    const char *text = config_text(source->document, &size);
    *backup = source->image == NULL ? file_backup(source->config, error) : NULL;
    if (source->image == NULL && *backup == NULL) {
        return false;
    }
    return file_write(source->config, text, size, error) &&
           (source->image == NULL ||
            efi_image_update(source->image, source->staging, backup, error));
}

void efi_source_close(struct efi_source *source)
{
    if (source->staging != NULL) {
        folder_remove(source->staging);
    }
    config_free(source->document);
    free(source->folder);
    free(source->config);
    free(source->image);
    free(source->staging);
    memset(source, 0, sizeof *source);
}
