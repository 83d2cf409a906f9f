/* SPDX-License-Identifier: BSD-3-Clause */
/* What a kext bundle's Info.plist says about it. */
#ifndef MACHV_SETUP_KEXT_BUNDLE_H
#define MACHV_SETUP_KEXT_BUNDLE_H

#include <stdbool.h>

#include "setup/error.h"

struct kext_bundle {
    char *name;       /* folder name, "Lilu.kext" */
    char *identifier; /* CFBundleIdentifier */
    char *version;    /* CFBundleVersion, "" when missing */
    char *executable; /* path inside the bundle, "" for a bundle without code */
    char *info;       /* path of Info.plist inside the bundle */
};

/* Reads the Info.plist of the bundle at `path`. False, and a line in `error`: there is none that
 * can be read; there is nothing to free then. A text that it lacks is "". */
bool kext_bundle_read(struct kext_bundle *bundle, const char *path, struct setup_error *error);
void kext_bundle_free(struct kext_bundle *bundle);

#endif
