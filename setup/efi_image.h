/* SPDX-License-Identifier: BSD-3-Clause */
/* A bootable disk image with an EFI folder on a FAT32 partition. */
#ifndef MACHV_SETUP_EFI_IMAGE_H
#define MACHV_SETUP_EFI_IMAGE_H

#include <stdbool.h>

#include "setup/error.h"
#include "setup/report.h"

/* Makes a GPT disk with one EFI system partition of what `folder` holds: EFI and, when it is there,
 * com.apple.recovery.boot. */
bool efi_image_write(const char *folder, const char *image, struct report *report,
                     struct setup_error *error);

/* Copies the EFI folder out of a disk image into `folder`. */
bool efi_image_read(const char *image, const char *folder, struct setup_error *error);

/* Puts folder/EFI/OC/config.plist and the folders beside it back into the image, which is first
 * kept under the name in *backup (caller frees). */
bool efi_image_update(const char *image, const char *folder, char **backup,
                      struct setup_error *error);

#endif
