/* SPDX-License-Identifier: BSD-3-Clause */
/* Unpacking through libarchive, with limits. */
#include "setup/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "setup/files.h"
#include "setup/text.h"

enum {
    FILES_MAX = 50000,
    BYTES_MAX = 1 << 30,
    BLOCK = 1 << 16,
};

static bool name_is_safe(const char *name)
{
    if (name == NULL || name[0] == '/' || strchr(name, '\\') != NULL) {
        return false;
    }
    for (const char *part = name; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) {
            return false;
        }
    }
    return true;
}

static bool write_entry(struct archive *reader, const char *path, uint64_t *total,
                        struct setup_error *error)
{
    char *parent = path_parent(path);
    bool ok = folder_make(parent, error);
    free(parent);
    if (!ok) {
        return false;
    }
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return setup_fail(error, "%s: cannot be written", path);
    }
    char *block = allocate(BLOCK);
    ssize_t count = 0;
    while (ok && (count = archive_read_data(reader, block, BLOCK)) > 0) {
        *total += (uint64_t)count;
        ok = *total <= BYTES_MAX && fwrite(block, 1, (size_t)count, file) == (size_t)count;
    }
    free(block);
    ok = fclose(file) == 0 && ok && count == 0;
    return ok || setup_fail(error, "%s: damaged, too large, or the disk is full", path);
}

static bool unpack_entries(struct archive *reader, const char *archive, const char *folder,
                           struct setup_error *error)
{
    uint64_t total = 0;
    struct archive_entry *entry = NULL;
    int status = ARCHIVE_OK;
    for (unsigned count = 0; (status = archive_read_next_header(reader, &entry)) == ARCHIVE_OK;) {
        const char *name = archive_entry_pathname(entry);
        mode_t type = archive_entry_filetype(entry);
        if (files_interrupted()) {
            return setup_fail(error, "interrupted");
        }
        if (!name_is_safe(name) || ++count > FILES_MAX || (type != AE_IFREG && type != AE_IFDIR)) {
            return setup_fail(error, "%s: refused: it contains \"%s\"", archive,
                              name == NULL ? "a file without a name" : name);
        }
        char *path = path_join(folder, name);
        bool ok =
            type == AE_IFDIR ? folder_make(path, error) : write_entry(reader, path, &total, error);
        free(path);
        if (!ok) {
            return false;
        }
    }
    return status == ARCHIVE_EOF ||
           setup_fail(error, "%s: %s", archive, archive_error_string(reader));
}

bool archive_unpack(const char *archive, const char *folder, struct setup_error *error)
{
    struct archive *reader = archive_read_new();
    archive_read_support_format_zip(reader);
    archive_read_support_format_tar(reader);
    archive_read_support_filter_gzip(reader);
    bool ok =
        archive_read_open_filename(reader, archive, BLOCK) == ARCHIVE_OK
            ? unpack_entries(reader, archive, folder, error)
            : setup_fail(error, "%s: not a folder and not an archive that can be read: %s", archive,
                         archive_error_string(reader));
    archive_read_free(reader);
    return ok;
}
