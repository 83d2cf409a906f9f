/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kext bundle on disk: its Info.plist, checked (XNU libkern/c++/OSKext.cpp: setInfoDictionaryAnd-
 * Path, isValid...), and where its executable is. The plist is hostile.
 */
#ifndef MACHV_XNU_LOADER_BUNDLE_H
#define MACHV_XNU_LOADER_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "match/plist.h"
#include "xnu/loader/loader_error.h"

#define BUNDLE_IDENTIFIER_MAX 63u /* bytes, as in kmod_info */
#define BUNDLE_LIBRARIES_MAX 64u

struct bundle_library {
    const char *identifier; /* in the plist's memory */
    const char *version_text;
    uint64_t version; /* asked for */
};

struct bundle {
    char *path;           /* of the bundle's folder; owned */
    struct plist *info;   /* owned */
    const char *identifier, *version_text; /* in the plist's memory */
    uint64_t version;
    uint64_t compatible_version; /* KEXT_VERSION_INVALID: nobody may link against it */
    char *executable;     /* path; owned; NULL: plist only */
    struct bundle_library libraries[BUNDLE_LIBRARIES_MAX];
    size_t library_count;
    const struct plist *personalities; /* dictionary, or NULL */
};

/*
 * Opens the bundle for a release and x86_64. 0, or -1 with `error` set and nothing to close:
 * no bundle there, plist damaged, a key missing or of the wrong type, a bad version.
 */
int bundle_open(struct bundle *bundle, const char *path, uint32_t release,
                struct loader_error *error);
/* The same from a property list in memory: no folder is looked at, `executable` stays NULL. */
int bundle_from_plist(struct bundle *bundle, const char *path, const void *text, size_t size,
                      uint32_t release, struct loader_error *error);
void bundle_close(struct bundle *bundle);

#endif
