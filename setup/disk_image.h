/* SPDX-License-Identifier: BSD-3-Clause */
/* Disk images in the form that Hyper-V takes: VHD and VHDX, not sparse, of the right size, and read
 * back before they get their name.
 */
#ifndef MACHV_SETUP_DISK_IMAGE_H
#define MACHV_SETUP_DISK_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "setup/error.h"

enum {
    DISK_ALIGNMENT = 1 << 20, /* Hyper-V wants whole MiB of a VHDX */
};

/* qemu-img's name of the format that a file name ends in: "vhdx", "vpc" (.vhd) or "raw" (.img,
 * .raw); NULL for others. */
const char *disk_format_of(const char *path);

/* Converts a raw image to the format of `output`'s name, without holes, compares the result with
 * the raw image, and puts it in place; what was there is kept under the name in *backup (caller
 * frees). */
bool disk_from_raw(const char *raw, const char *output, char **backup, struct setup_error *error);

/* Converts any image that qemu-img reads to raw. */
bool disk_to_raw(const char *image, const char *raw, struct setup_error *error);

/* Whether the file system stores every byte of the file: no holes. */
bool disk_is_dense(const char *path);

#endif
