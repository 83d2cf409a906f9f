/* SPDX-License-Identifier: BSD-3-Clause */
/* Unpacking a release archive that the user gave. */
#ifndef MACHV_SETUP_UNPACK_H
#define MACHV_SETUP_UNPACK_H

#include <stdbool.h>

#include "setup/error.h"

/* Unpacks a zip (or tar) file into a folder that exists. Names that lead out of it, links, and more
 * than 1 GiB or 50000 files are refused. */
bool archive_unpack(const char *archive, const char *folder, struct setup_error *error);

#endif
