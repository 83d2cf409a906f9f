/* SPDX-License-Identifier: BSD-3-Clause */
/* What `check` is pointed at: an EFI folder, a config.plist alone, or a disk image. */
#ifndef MACHV_SETUP_EFI_SOURCE_H
#define MACHV_SETUP_EFI_SOURCE_H

#include <stdbool.h>

#include "setup/config_document.h"

struct efi_source {
    char *folder;  /* the OC folder; NULL for a config.plist that stands alone */
    char *config;  /* path of the config.plist */
    char *image;   /* the disk image it came from; NULL when it did not */
    char *staging; /* where the image's EFI folder was copied */
    struct config_document *document;
};

/* Opens and reads it; an image is copied to a folder of its own below TMPDIR. False, and a line in
 * `error`: there is nothing to close then. */
bool efi_source_open(struct efi_source *source, const char *path, struct setup_error *error);
/* Writes the changed document back, after a backup whose name goes to *backup (caller frees). */
bool efi_source_save(struct efi_source *source, char **backup, struct setup_error *error);
/* Removes what was copied of an image; what was not saved is forgotten. */
void efi_source_close(struct efi_source *source);

#endif
