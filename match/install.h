/* SPDX-License-Identifier: BSD-3-Clause */
/* Putting a bundle into an extensions folder so that at every moment either the old state or the
 * new is whole. */
#ifndef MACHV_MATCH_INSTALL_H
#define MACHV_MATCH_INSTALL_H

#include "match/problems.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct install_options {
    const char *root; /* of the volume: "/" */
    uid_t owner;      /* of everything installed: 0:0 on a real system */
    gid_t group;
    bool force; /* also into System/Library/Extensions */
    /* Called before each step that changes something; false stops there, as a failure would. May be
     * NULL. */
    bool (*step)(void *context, const char *what, const char *path);
    void *context;
};

/* Would install_folder() refuse this root? The reason is in `problems`. */
bool install_is_refused(const struct install_options *options, struct problems *problems);

/* ROOT/Library/Extensions, for free(); NULL with the reason in `problems`: no such root, or one
 * that leads into System/Library/Extensions without `force`. */
char *install_folder(const struct install_options *options, struct problems *problems);

/* Copies the bundle `source` into the extensions folder: beside its place under a name that is
 * never loaded, with owner and modes (folders 755, files 644 or 755), then swaps it in with one
 * rename, removes the old one, and touches the folder. After a failure the copy is gone and the old
 * bundle stands as before; after a crash the copy may be left, which the next install of the same
 * name removes. Returns false with errors in `problems`. */
bool install_bundle(const char *source, const struct install_options *options,
                    struct problems *problems);

/* Renames ROOT/Library/Extensions/NAME out of the way in one step, then removes it. */
bool install_remove(const char *name, const struct install_options *options,
                    struct problems *problems);

/* Name of the last part of a path, without slashes behind it; for free(). */
char *install_name(const char *path);

enum install_kind { INSTALL_UNSIGNED, INSTALL_SIGNED, INSTALL_REMOVAL };

/* What a release of macOS still asks for after a kext was put there or removed: lines of text,
 * borrowed; returns how many. `release` 0 is the newest. */
size_t install_advice(unsigned release, enum install_kind kind, const char **lines, size_t room);

#endif
