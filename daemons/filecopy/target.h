/* SPDX-License-Identifier: BSD-3-Clause */
/* The file that a copy writes. It grows under a name of its own beside its place and is put there
 * when it is whole; whatever goes wrong, it is removed. One at a time. */
#ifndef DAEMONS_FILECOPY_TARGET_H
#define DAEMONS_FILECOPY_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "daemons/filecopy/folder.h"
#include "daemons/filecopy/name.h"

/* Temporary names begin with this. */
#define TARGET_TEMPORARY ".machv-copy-"

struct target {
    struct folder_root root;
    const char *journal;        /* file that names the temporary file while there is one, or NULL */
    int folder, file;           /* -1: no copy is under way */
    char name[FILE_NAME_MAX];           /* where it will be, in the folder */
    char temporary[64];         /* where it is */
    bool overwrite;
    uint64_t size, position;    /* bytes */
};

/* No copy is under way; removes what a daemon that was killed has left (by the journal). */
void target_init(struct target *target, const struct folder_root *root, const char *journal);

/* Begins: `path` is a file, or an existing folder in which `name` will be. flags:
 * IC_FILE_COPY_OVERWRITE, IC_FILE_COPY_CREATE_PATH. Returns IC_STATUS_*: FILE_EXISTS, DISK_FULL
 * (not
 * enough room for `size` bytes), ACCESS_DENIED (permission, a link or a device in the way),
 * INVALID_ARGUMENT (a name that cannot be), FAIL (a folder is missing, anything else). `path` is
 * changed. A copy that was under way is dropped. */
uint32_t target_begin(struct target *target, const char *name, char *path, uint32_t flags,
                      uint64_t size);

/* The next piece: it begins where the last one ended. A failure drops the copy. */
uint32_t target_write(struct target *target, uint64_t offset, const void *bytes, uint32_t size);

/* All pieces are there: puts the file, synchronised, in its place. */
uint32_t target_complete(struct target *target);

/* Drops the copy, if there is one. */
void target_cancel(struct target *target);

#endif
