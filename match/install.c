/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/install.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BLOCK = 1 << 16 };

struct installation {
    const struct install_options *options;
    struct problems *problems;
    char *folder; /* the extensions folder */
    char *name;   /* X.kext */
    char *place;  /* folder/X.kext */
    char *fresh;  /* folder/.X.kext.installing: hidden, and no name that ends in .kext */
};

char *install_name(const char *path)
{
    size_t end = strlen(path);
    size_t start;

    while (end > 1 && path[end - 1] == '/')
        end--;
    for (start = end; start > 0 && path[start - 1] != '/'; start--)
        continue;
    return strndup(path + start, end - start);
}

static bool fail(const struct installation *installation, const char *path, const char *what)
{
    problems_add(installation->problems, PROBLEM_ERROR, path, 0, "%s: %s", what, strerror(errno));
    return false;
}

static bool step(const struct installation *installation, const char *what, const char *path)
{
    const struct install_options *options = installation->options;

    if (options->step == NULL || options->step(options->context, what, path))
        return true;
    errno = EINTR;
    return fail(installation, path, what);
}

/* ---- the folder ---- */

static bool is_system(const char *root)
{
    char *real = realpath(root, NULL);
    const char *end = real == NULL ? NULL : strrchr(real, '/');
    bool system = end != NULL && strcmp(end, "/System") == 0;

    free(real);
    return system;
}

static bool make_folder(const char *path, const struct install_options *options)
{
    if (mkdir(path, 0755) == 0)
        return chown(path, options->owner, options->group) == 0;
    return errno == EEXIST;
}

bool install_is_refused(const struct install_options *options, struct problems *problems)
{
    const char *root = options->root == NULL ? "/" : options->root;
    struct stat status;

    if (stat(root, &status) != 0 || !S_ISDIR(status.st_mode)) {
        problems_add(problems, PROBLEM_ERROR, root, 0, "no folder to install into");
        return true;
    }
    if (is_system(root) && !options->force) {
        problems_add(problems, PROBLEM_ERROR, root, 0,
                     "System/Library/Extensions belongs to the system: an update "
                     "replaces it, System Integrity Protection guards it from 10.11 on, it is "
                     "read-only from 10.15 on "
                     "and sealed from 11 on; use Library/Extensions, or --force");
        return true;
    }
    return false;
}

char *install_folder(const struct install_options *options, struct problems *problems)
{
    const char *root = options->root == NULL ? "/" : options->root;
    char *library = NULL;
    char *folder = NULL;

    if (install_is_refused(options, problems))
        return NULL;
    if (asprintf(&library, "%s/Library", strcmp(root, "/") == 0 ? "" : root) < 0)
        return NULL;
    if (asprintf(&folder, "%s/Extensions", library) < 0 || !make_folder(library, options) ||
        !make_folder(folder, options)) {
        problems_add(problems, PROBLEM_ERROR, library, 0, "cannot be made: %s", strerror(errno));
        free(folder);
        folder = NULL;
    }
    free(library);
    return folder;
}

/* ---- removing and copying trees ---- */

static bool remove_tree(const struct installation *installation, const char *path)
{
    char *const roots[] = { (char *)path, NULL };
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;
    bool removed = walk != NULL;

    while (walk != NULL && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_info == FTS_D)
            continue;
        if (remove(entry->fts_accpath) != 0 && errno != ENOENT)
            removed = fail(installation, entry->fts_path, "cannot be removed");
    }
    if (walk != NULL)
        fts_close(walk);
    return removed;
}

static bool copy_bytes(int from, int to)
{
    char *block = malloc(COPY_BLOCK);
    ssize_t got = 0;

    while (block != NULL && (got = read(from, block, COPY_BLOCK)) > 0) {
        ssize_t put = 0;

        while (put < got) {
            ssize_t written = write(to, block + put, (size_t)(got - put));

            if (written < 0) {
                free(block);
                return false;
            }
            put += written;
        }
    }
    free(block);
    return block != NULL && got == 0;
}

static bool copy_file(const struct installation *installation, const char *from, const char *to,
                      mode_t mode)
{
    int source = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int target = source < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool copied = target >= 0 && copy_bytes(source, target) &&
                  fchown(target, installation->options->owner, installation->options->group) == 0 &&
                  fchmod(target, (mode & S_IXUSR) != 0 ? 0755 : 0644) == 0 && fsync(target) == 0;
    int saved = errno;

    if (source >= 0)
        close(source);
    if (target >= 0 && close(target) != 0)
        copied = false;
    errno = saved;
    return copied || fail(installation, from, "cannot be copied");
}

static bool copy_link(const struct installation *installation, const char *from, const char *to)
{
    char target[4096];
    ssize_t length = readlink(from, target, sizeof target - 1);

    if (length < 0)
        return fail(installation, from, "cannot be read");
    target[length] = '\0';
    if (symlink(target, to) != 0 ||
        lchown(to, installation->options->owner, installation->options->group) != 0)
        return fail(installation, to, "cannot be made");
    return true;
}

/* Folders get their last mode and owner when all is in them. */
static bool finish_folder(const struct installation *installation, const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = folder >= 0 &&
                fchown(folder, installation->options->owner, installation->options->group) == 0 &&
                fchmod(folder, 0755) == 0 && fsync(folder) == 0;

    if (folder >= 0)
        close(folder);
    return done || fail(installation, path, "owner or mode cannot be set");
}

static bool copy_entry(const struct installation *installation, FTSENT *entry, const char *to)
{
    switch (entry->fts_info) {
    case FTS_D:
        return mkdir(to, 0700) == 0 || fail(installation, to, "cannot be made");
    case FTS_DP:
        return finish_folder(installation, to);
    case FTS_F:
        return step(installation, "copy", entry->fts_path) &&
               copy_file(installation, entry->fts_path, to, entry->fts_statp->st_mode);
    case FTS_SL:
    case FTS_SLNONE:
        return copy_link(installation, entry->fts_path, to);
    default:
        errno = entry->fts_errno != 0 ? entry->fts_errno : EINVAL;
        return fail(installation, entry->fts_path, "is no file, folder or link");
    }
}

static bool copy_tree(const struct installation *installation, const char *source)
{
    char *const roots[] = { (char *)source, NULL };
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    size_t prefix = strlen(source);
    FTSENT *entry;
    bool copied = walk != NULL;

    while (copied && (entry = fts_read(walk)) != NULL) {
        char *to = NULL;

        if (strcmp(entry->fts_name, ".DS_Store") == 0)
            continue;
        if (asprintf(&to, "%s%s", installation->fresh, entry->fts_path + prefix) < 0)
            copied = false;
        else
            copied = copy_entry(installation, entry, to);
        free(to);
    }
    if (walk != NULL)
        fts_close(walk);
    return copied;
}

/* ---- the swap ---- */

static bool exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

static void sync_folder(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
}

/* One rename puts the new bundle in place; an old one comes out under the hidden name. */
static bool swap_in(const struct installation *installation)
{
    bool had_old = exists(installation->place);

    if (!step(installation, "swap", installation->place))
        return false;
    if (renameat2(AT_FDCWD, installation->fresh, AT_FDCWD, installation->place,
                  had_old ? RENAME_EXCHANGE : RENAME_NOREPLACE) != 0)
        return fail(installation, installation->place, "cannot be swapped in");
    sync_folder(installation->folder);
    return true;
}

static bool open_installation(struct installation *installation, const char *name)
{
    installation->folder = install_folder(installation->options, installation->problems);
    installation->name = strdup(name);
    if (installation->folder == NULL || installation->name == NULL ||
        asprintf(&installation->place, "%s/%s", installation->folder, name) < 0 ||
        asprintf(&installation->fresh, "%s/.%s.installing", installation->folder, name) < 0)
        return false;
    return !exists(installation->fresh) || remove_tree(installation, installation->fresh);
}

static void close_installation(struct installation *installation)
{
    free(installation->folder);
    free(installation->name);
    free(installation->place);
    free(installation->fresh);
}

static bool is_bundle_name(const char *name)
{
    size_t length = strlen(name);

    return length > 5 && strcmp(name + length - 5, ".kext") == 0 && name[0] != '.' &&
           strchr(name, '/') == NULL;
}

/* Removes the trailing slashes that fts would keep in paths. */
static char *plain_path(const char *path)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    return strndup(path, length);
}

bool install_bundle(const char *given, const struct install_options *options,
                    struct problems *problems)
{
    struct installation installation = { .options = options, .problems = problems };
    char *source = plain_path(given);
    char *name = install_name(given);
    bool installed = false;

    if (source == NULL || name == NULL || !is_bundle_name(name)) {
        problems_add(problems, PROBLEM_ERROR, given, 0,
                     "a bundle to install has a name that ends in .kext");
    } else if (open_installation(&installation, name)) {
        installed = copy_tree(&installation, source) && swap_in(&installation);
        /* Under the hidden name is now the old bundle, or the copy that failed. */
        if (exists(installation.fresh))
            remove_tree(&installation, installation.fresh);
        if (installed && utimensat(AT_FDCWD, installation.folder, NULL, 0) != 0)
            installed = fail(&installation, installation.folder, "cannot be touched");
    }
    close_installation(&installation);
    free(source);
    free(name);
    return installed;
}

bool install_remove(const char *name, const struct install_options *options,
                    struct problems *problems)
{
    struct installation installation = { .options = options, .problems = problems };
    bool removed = false;

    if (!is_bundle_name(name)) {
        problems_add(problems, PROBLEM_ERROR, name, 0, "no name of a bundle");
    } else if (open_installation(&installation, name)) {
        removed = step(&installation, "remove", installation.place) &&
                  (rename(installation.place, installation.fresh) == 0 ||
                   fail(&installation, installation.place, "cannot be removed"));
        if (removed) {
            sync_folder(installation.folder);
            removed = remove_tree(&installation, installation.fresh);
            utimensat(AT_FDCWD, installation.folder, NULL, 0);
        }
    }
    close_installation(&installation);
    return removed;
}
