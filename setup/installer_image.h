/* SPDX-License-Identifier: BSD-3-Clause */
/* Turns a .dmg into a disk that a VM can use. */
#ifndef MACHV_SETUP_INSTALLER_IMAGE_H
#define MACHV_SETUP_INSTALLER_IMAGE_H

#include <stdbool.h>

#include "setup/error.h"
#include "setup/report.h"

/* Recognises the image's kind, verifies it when a chunklist is beside it, decodes it, puts a bare
 * volume into a partition, and writes the VHD, VHDX or raw image that `output` is named after. */
bool installer_image(const char *dmg, const char *output, struct report *report,
                     struct setup_error *error);

#endif
