/* SPDX-License-Identifier: BSD-3-Clause */
/* Folders on the way to a file. */
#include "daemons/filecopy/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool only_root_writes(const struct stat *status)
{
    return status->st_uid == 0 && (status->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool is_system_link(int parent, const struct stat *link)
{
    struct stat folder;

    return link->st_uid == 0 && fstat(parent, &folder) == 0 && only_root_writes(&folder);
}

int folder_enter(const struct folder_root *root, int parent, const char *name)
{
    struct stat status;

    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    if (!S_ISLNK(status.st_mode))
        return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (root->system_links && is_system_link(parent, &status))
        return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    errno = ELOOP;
    return -1;
}

static int enter_or_make(const struct folder_root *root, int parent, const char *name, bool create)
{
    int descriptor = folder_enter(root, parent, name);

    if (descriptor >= 0 || errno != ENOENT || !create)
        return descriptor;
    if (mkdirat(parent, name, 0755) != 0 && errno != EEXIST)
        return -1;
    return folder_enter(root, parent, name);
}

int folder_open(const struct folder_root *root, char *path, bool create, const char **name)
{
    int folder = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    while (folder >= 0) {
        char *component = path + strspn(path, "/");
        size_t length = strcspn(component, "/");
        int next, error;

        if (component[length] == '\0') {
            *name = component;
            return folder;
        }
        component[length] = '\0';
        next = enter_or_make(root, folder, component, create);
        error = errno;
        close(folder);
        errno = error;
        folder = next;
        path = component + length + 1;
    }
    return -1;
}
