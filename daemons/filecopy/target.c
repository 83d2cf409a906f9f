/* SPDX-License-Identifier: BSD-3-Clause */
/* The file that a copy writes. */
#include "daemons/filecopy/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "daemons/common/daemon.h"

enum { TEMPORARY_TRIES = 100 };

static uint32_t status_of(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:                         /* for this volume, or for the daemon's limits */
        return IC_STATUS_DISK_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
        return IC_STATUS_ACCESS_DENIED;
    case EEXIST:
        return IC_STATUS_FILE_EXISTS;
    case ENAMETOOLONG:
        return IC_STATUS_INVALID_ARGUMENT;
    default:
        return IC_STATUS_FAIL;
    }
}

/* ---- What a killed daemon leaves ---- */

/* The journal has the folder's path and the temporary name, a line each. */
static void write_journal(const struct target *target, const char *folder)
{
    FILE *file = target->journal != NULL ? fopen(target->journal, "w") : NULL;

    if (file == NULL)
        return;
    fprintf(file, "%s\n%s\n", folder, target->temporary);
    fclose(file);
}

static void clear_journal(const struct target *target)
{
    if (target->journal != NULL)
        unlink(target->journal);
}

static void remove_leftover(struct target *target)
{
    char folder[FILE_NAME_MAX + 2], name[64];
    FILE *file = target->journal != NULL ? fopen(target->journal, "r") : NULL;
    const char *last;
    int descriptor;

    if (file == NULL)
        return;
    if (fgets(folder, sizeof folder, file) != NULL && fgets(name, sizeof name, file) != NULL) {
        folder[strcspn(folder, "\n")] = '\0';
        name[strcspn(name, "\n")] = '\0';
        descriptor = strncmp(name, TARGET_TEMPORARY, strlen(TARGET_TEMPORARY)) == 0
                         ? folder_open(&target->root, folder, false, &last)
                         : -1;
        if (descriptor >= 0) {
            if (unlinkat(descriptor, name, 0) == 0)
                daemon_log("removed what a copy that was cut short left");
            close(descriptor);
        }
    }
    fclose(file);
    clear_journal(target);
}

void target_init(struct target *target, const struct folder_root *root, const char *journal)
{
    memset(target, 0, sizeof *target);
    target->root = *root;
    target->journal = journal;
    target->folder = target->file = -1;
    remove_leftover(target);
}

/* ---- Beginning ---- */

static void forget(struct target *target)
{
    if (target->file >= 0)
        close(target->file);
    if (target->folder >= 0)
        close(target->folder);
    target->folder = target->file = -1;
    clear_journal(target);
}

void target_cancel(struct target *target)
{
    if (target->folder >= 0 && target->file >= 0)
        unlinkat(target->folder, target->temporary, 0);
    forget(target);
}

/* Enters the folder that the path names, if it does: then the file's name is the source's. */
static uint32_t settle_name(struct target *target, const char *last, const char *name,
                            bool *entered)
{
    int inside = last[0] == '\0' ? dup(target->folder)
                                 : folder_enter(&target->root, target->folder, last);

    if (inside < 0 && errno == ELOOP)
        return IC_STATUS_ACCESS_DENIED;
    if (inside < 0 && errno != ENOENT && errno != ENOTDIR)
        return status_of(errno);
    *entered = inside >= 0;
    if (inside >= 0) {
        close(target->folder);
        target->folder = inside;
        last = name;
    }
    if (!file_name_is_plain(last))
        return IC_STATUS_INVALID_ARGUMENT;
    snprintf(target->name, sizeof target->name, "%s", last);
    return IC_STATUS_OK;
}

/* What is in the place already, and is there room? */
static uint32_t check_place(const struct target *target)
{
    struct stat status;
    struct statvfs volume;

    if (fstatat(target->folder, target->name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        if (!S_ISREG(status.st_mode))
            return IC_STATUS_ACCESS_DENIED;
        if (!target->overwrite)
            return IC_STATUS_FILE_EXISTS;
    } else if (errno != ENOENT) {
        return status_of(errno);
    }
    if (fstatvfs(target->folder, &volume) != 0)
        return status_of(errno);
    if (target->size / volume.f_frsize >= volume.f_bavail)
        return IC_STATUS_DISK_FULL;
    return IC_STATUS_OK;
}

static uint32_t make_temporary(struct target *target)
{
    unsigned tries;

    for (tries = 0; tries < TEMPORARY_TRIES; tries++) {
        snprintf(target->temporary, sizeof target->temporary, TARGET_TEMPORARY "%08x%02x",
                 (unsigned)(daemon_uptime() * 2654435761u), tries);
        target->file = openat(target->folder, target->temporary,
                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (target->file >= 0 || errno != EEXIST)
            break;
    }
    return target->file >= 0 ? IC_STATUS_OK : status_of(errno);
}

uint32_t target_begin(struct target *target, const char *name, char *path, uint32_t flags,
                      uint64_t size)
{
    char folder[FILE_NAME_MAX + 1];
    const char *last;
    uint32_t status;
    bool entered = false;

    target_cancel(target);
    if (!file_path_normalise(path))
        return IC_STATUS_INVALID_ARGUMENT;
    snprintf(folder, sizeof folder, "%s", path);
    target->folder =
        folder_open(&target->root, path, (flags & IC_FILE_COPY_CREATE_PATH) != 0, &last);
    if (target->folder < 0)
        return status_of(errno);
    target->overwrite = (flags & IC_FILE_COPY_OVERWRITE) != 0;
    target->size = size;
    target->position = 0;
    status = settle_name(target, last, name, &entered);
    if (!entered)
        *(strrchr(folder, '/') + 1) = '\0';     /* of the file, not the file itself */
    if (status == IC_STATUS_OK)
        status = check_place(target);
    if (status == IC_STATUS_OK)
        status = make_temporary(target);
    if (status != IC_STATUS_OK) {
        target_cancel(target);
        return status;
    }
    strncat(folder, "/", sizeof folder - strlen(folder) - 1);
    write_journal(target, folder);
    return IC_STATUS_OK;
}

/* ---- Writing ---- */

static bool all_zero(const uint8_t *bytes, uint32_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static uint32_t drop(struct target *target, uint32_t status)
{
    target_cancel(target);
    return status;
}

uint32_t target_write(struct target *target, uint64_t offset, const void *bytes, uint32_t size)
{
    uint32_t done = 0;

    if (target->file < 0)
        return IC_STATUS_FAIL;
    if (size == 0 || offset != target->position || size > target->size - offset)
        return drop(target, IC_STATUS_INVALID_ARGUMENT);
    if (all_zero(bytes, size))
        done = size;                    /* a hole; the file's length is set in the end */
    while (done < size) {
        ssize_t written = pwrite(target->file, (const uint8_t *)bytes + done, size - done,
                                 (off_t)(offset + done));

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return drop(target, written < 0 ? status_of(errno) : IC_STATUS_DISK_FULL);
        done += (uint32_t)written;
    }
    target->position += size;
    return IC_STATUS_OK;
}

/* Without leave to overwrite, the name must still be free: a link is made, which never replaces. */
static int put_in_place(const struct target *target)
{
    if (target->overwrite)
        return renameat(target->folder, target->temporary, target->folder, target->name);
    if (linkat(target->folder, target->temporary, target->folder, target->name, 0) != 0)
        return -1;
    return unlinkat(target->folder, target->temporary, 0);
}

uint32_t target_complete(struct target *target)
{
    if (target->file < 0)
        return IC_STATUS_FAIL;
    if (target->position != target->size)
        return drop(target, IC_STATUS_FAIL);
    if (ftruncate(target->file, (off_t)target->size) != 0 || fchmod(target->file, 0644) != 0 ||
        fsync(target->file) != 0 || put_in_place(target) != 0)
        return drop(target, status_of(errno));
    fsync(target->folder);
    forget(target);
    return IC_STATUS_OK;
}
