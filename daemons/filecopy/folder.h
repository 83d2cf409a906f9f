/* SPDX-License-Identifier: BSD-3-Clause */
/* Folders on the way to a file, opened one by one so that no link leads astray. */
#ifndef DAEMONS_FILECOPY_FOLDER_H
#define DAEMONS_FILECOPY_FOLDER_H

#include <stdbool.h>

/* Where paths begin. */
struct folder_root {
    const char *path;           /* "/" */
    /* Links that the system itself has, such as /tmp on macOS, are followed: links of root, in
     * folders that nobody else may write to. Off below a root of somebody's own. */
    bool system_links;
};

/* Opens the folder of `path` (absolute, normalised), all of it but the last component, which goes
 * to
 * *name (inside `path`; "" if the path ends with a slash). `create`: folders that are missing are
 * made. A descriptor, or -1 with errno; ELOOP: there is a link in the way. `path` is changed. */
int folder_open(const struct folder_root *root, char *path, bool create, const char **name);

/* Opens the folder `name` in `parent` by the same rules. ENOTDIR: it is something else. */
int folder_enter(const struct folder_root *root, int parent, const char *name);

#endif
