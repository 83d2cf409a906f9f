/* SPDX-License-Identifier: BSD-3-Clause */
/* The files that rows name, put into an OC folder. */
#ifndef MACHV_SETUP_EFI_FILES_H
#define MACHV_SETUP_EFI_FILES_H

#include <stdbool.h>

#include "setup/data/rows.h"
#include "setup/data_folder.h"

/* Whether the row's file is a table or kext that comes with hvsetup. */
bool row_file_is_ours(const struct row *row);

/* Puts the row's table or kext into the OC folder when it is one of ours and is missing there, or,
 * with `replace`, in any case. Nothing happens for other rows. */
bool efi_add_our_file(const char *oc_folder, const struct row *row, const struct data_folder *data,
                      bool replace, struct setup_error *error);

#endif
