/* SPDX-License-Identifier: BSD-3-Clause */
/* An OpenCore release as its project publishes it, given by the user as a folder or an archive. */
#ifndef MACHV_SETUP_OPENCORE_RELEASE_H
#define MACHV_SETUP_OPENCORE_RELEASE_H

#include <stdbool.h>

#include "setup/error.h"

struct opencore_release {
    char *efi;     /* folder with BOOT and OC */
    char *sample;  /* the sample configuration, Docs/Sample.plist */
    char *version; /* "REL-108-2026-08-16", "" when OpenCore.efi does not say */
};

/* `staging` is a folder to unpack an archive into. */
bool opencore_release_open(struct opencore_release *release, const char *path, const char *staging,
                           struct setup_error *error);
void opencore_release_free(struct opencore_release *release);

/* The version text inside an OpenCore.efi: three letters, three digits or more, a date. The caller
 * frees it; "" when there is none. */
char *opencore_version(const char *efi_file);

#endif
