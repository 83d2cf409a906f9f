/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds an EFI folder for one macOS, host and generation. */
#ifndef MACHV_SETUP_BUILD_H
#define MACHV_SETUP_BUILD_H

#include <stddef.h>

#include "setup/data/support.h"
#include "setup/data_folder.h"
#include "setup/report.h"

enum { BUILD_PATHS_MAX = 32 };

struct build_options {
    struct target target;
    const struct data_folder *data;
    const char *opencore;               /* release: folder or archive */
    const char *output;                 /* the folder that will hold EFI */
    const char *kexts[BUILD_PATHS_MAX]; /* kexts of the user */
    size_t kext_count;
    const char *drivers[BUILD_PATHS_MAX]; /* .efi files of the user */
    size_t driver_count;
    const char *amd_patches; /* AMD_Vanilla's patches.plist, or NULL */
    const char *recovery;    /* BaseSystem.dmg with its chunklist beside it, or NULL */
};

/* Writes output/EFI (and output/com.apple.recovery.boot). An EFI folder that exists is taken as the
 * base and kept under a dated name. Decisions and what a check of the result finds go to the
 * report. False: nothing was changed; `error` says why. */
bool build_efi(const struct build_options *options, struct report *report,
               struct setup_error *error);

#endif
