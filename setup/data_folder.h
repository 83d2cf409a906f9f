/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the program finds the compiled ACPI tables and the kexts. */
#ifndef MACHV_SETUP_DATA_FOLDER_H
#define MACHV_SETUP_DATA_FOLDER_H

#include <stdbool.h>

#include "setup/error.h"

struct data_folder {
    char *acpi;  /* holds SSDT-HV-*.aml */
    char *kexts; /* holds MacHyperV*.kext */
};

/* Looks for acpi/ and kexts/ in `given`, or, when that is NULL, beside and above the folder of the
 * running program: the same rule serves a build tree and an unpacked release. */
bool data_folder_find(struct data_folder *data, const char *given, struct setup_error *error);
void data_folder_free(struct data_folder *data);

#endif
