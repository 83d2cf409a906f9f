/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading, copying and atomic replacement of files and folders. */
#include "setup/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "setup/text.h"

static volatile sig_atomic_t interrupted;

void files_interrupt(void)
{
    interrupted = 1;
}

bool files_interrupted(void)
{
    return interrupted != 0;
}

bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

bool folder_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

char *path_join(const char *folder, const char *name)
{
    return format_string("%s/%s", folder, name);
}

char *path_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return copy_string(".");
    }
    return slash == path ? copy_string("/") : format_string("%.*s", (int)(slash - path), path);
}

bool file_read(const char *path, size_t limit, char **bytes, size_t *size,
               struct setup_error *error)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (file == NULL || fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode)) {
        const char *why = file == NULL ? strerror(errno) : "not a file";
        if (file != NULL) {
            fclose(file);
        }
        return setup_fail(error, "%s: %s", path, why);
    }
    if ((size_t)status.st_size > limit) {
        fclose(file);
        return setup_fail(error, "%s: larger than %zu bytes", path, limit);
    }
    *bytes = allocate((size_t)status.st_size + 1);
    *size = fread(*bytes, 1, (size_t)status.st_size, file);
    bool ok = !ferror(file);
    fclose(file);
    if (!ok) {
        free(*bytes);
        return setup_fail(error, "%s: cannot be read", path);
    }
    return true;
}

static bool write_all(int descriptor, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(descriptor, bytes, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

bool file_write(const char *path, const void *bytes, size_t size, struct setup_error *error)
{
    char *fresh = format_string("%s.hvsetup-%ld", path, (long)getpid());
    int descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool ok = descriptor >= 0 && write_all(descriptor, bytes, size) && fsync(descriptor) == 0;
    int number = errno;
    if (descriptor >= 0 && close(descriptor) != 0 && ok) {
        number = errno;
        ok = false;
    }
    if (ok && rename(fresh, path) != 0) {
        number = errno;
        ok = false;
    }
    if (!ok) {
        if (descriptor >= 0) {
            unlink(fresh);
        }
        setup_fail(error, "%s: cannot be written: %s", path, strerror(number));
    }
    free(fresh);
    return ok;
}

bool file_copy(const char *from, const char *to, struct setup_error *error)
{
    enum { BLOCK = 1 << 18 };
    if (files_interrupted()) {
        return setup_fail(error, "interrupted");
    }
    int input = open(from, O_RDONLY | O_CLOEXEC);
    if (input < 0) {
        return setup_fail(error, "%s: %s", from, strerror(errno));
    }
    struct stat status;
    int output = fstat(input, &status) == 0 ? open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                                                   0644 | (status.st_mode & 0111))
                                            : -1;
    char *block = allocate(BLOCK);
    bool ok = output >= 0;
    ssize_t count = 0;
    while (ok && (count = read(input, block, BLOCK)) > 0) {
        ok = write_all(output, block, (size_t)count);
    }
    ok = ok && count == 0;
    if (!ok) {
        setup_fail(error, "%s: cannot be written: %s", to, strerror(errno));
    }
    free(block);
    close(input);
    if (output >= 0 && close(output) != 0 && ok) {
        ok = setup_fail(error, "%s: cannot be written: %s", to, strerror(errno));
    }
    return ok;
}

struct copy {
    const char *from;
    const char *to;
    struct setup_error *error;
};

static bool copy_name(const char *name, void *context)
{
    const struct copy *copy = context;
    char *from = path_join(copy->from, name);
    char *to = path_join(copy->to, name);
    struct stat status;
    bool ok = false;
    if (lstat(from, &status) != 0) {
        setup_fail(copy->error, "%s: %s", from, strerror(errno));
    } else if (S_ISDIR(status.st_mode)) {
        ok = folder_copy(from, to, copy->error);
    } else if (S_ISREG(status.st_mode)) {
        ok = file_copy(from, to, copy->error);
    } else {
        setup_fail(copy->error, "%s: neither a file nor a folder", from);
    }
    free(from);
    free(to);
    return ok;
}

bool folder_copy(const char *from, const char *to, struct setup_error *error)
{
    if (!folder_make(to, error)) {
        return false;
    }
    struct copy copy = {from, to, error};
    setup_fail(error, "%s: cannot be read", from); /* stands when the listing itself fails */
    return folder_list(from, copy_name, &copy);
}

bool folder_make(const char *path, struct setup_error *error)
{
    if (mkdir(path, 0755) == 0 || (errno == EEXIST && folder_exists(path))) {
        return true;
    }
    int number = errno;
    if (number == ENOENT) {
        char *parent = path_parent(path);
        bool ok = strcmp(parent, path) != 0 && folder_make(parent, error);
        free(parent);
        if (!ok) {
            return false;
        }
        if (mkdir(path, 0755) == 0) {
            return true;
        }
        number = errno;
    }
    return setup_fail(error, "%s: cannot be made: %s", path, strerror(number));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    return remove(path);
}

void folder_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

char *folder_stage(const char *parent, struct setup_error *error)
{
    if (!folder_make(parent, error)) {
        return NULL;
    }
    char *path = path_join(parent, ".hvsetup-XXXXXX");
    if (mkdtemp(path) == NULL) {
        setup_fail(error, "%s: cannot be written: %s", parent, strerror(errno));
        free(path);
        return NULL;
    }
    return path;
}

/* A name beside `path` that does not exist, with the date. */
static char *backup_name(const char *path)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm local;
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&now, &local));
    char *name = format_string("%s.backup-%s", path, stamp);
    for (int i = 2; access(name, F_OK) == 0; i++) {
        free(name);
        name = format_string("%s.backup-%s-%d", path, stamp, i);
    }
    return name;
}

char *file_backup(const char *path, struct setup_error *error)
{
    char *name = backup_name(path);
    if (!file_copy(path, name, error)) {
        unlink(name);
        free(name);
        return NULL;
    }
    return name;
}

bool put_in_place(const char *prepared, const char *path, char **backup, struct setup_error *error)
{
    *backup = NULL;
    if (files_interrupted()) {
        return setup_fail(error, "interrupted");
    }
    if (access(path, F_OK) != 0) {
        return rename(prepared, path) == 0 ||
               setup_fail(error, "%s: cannot be written: %s", path, strerror(errno));
    }
    char *name = backup_name(path);
    /* One step where the file system can exchange two names; else the old one moves away first. */
    bool ok = renameat2(AT_FDCWD, prepared, AT_FDCWD, path, RENAME_EXCHANGE) == 0
                  ? rename(prepared, name) == 0
                  : rename(path, name) == 0 && rename(prepared, path) == 0;
    if (!ok) {
        setup_fail(error, "%s: cannot be replaced: %s", path, strerror(errno));
        free(name);
        return false;
    }
    *backup = name;
    return true;
}

bool folder_list(const char *path, bool (*visit)(const char *name, void *context), void *context)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    bool ok = count >= 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (ok && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            ok = visit(name, context);
        }
        free(entries[i]);
    }
    free(entries);
    return ok;
}
