/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel->Emulate and the AMD patch set, which depend on the host's processor. */
#ifndef MACHV_SETUP_PROCESSOR_ROWS_H
#define MACHV_SETUP_PROCESSOR_ROWS_H

#include "setup/config_document.h"
#include "setup/data/support.h"
#include "setup/report.h"

/* Writes what target->processor needs (NULL: nothing). False, and a line in `error`: it does not
 * fit the document. */
bool processor_apply(struct config_document *document, const struct target *target,
                     struct setup_error *error);
/* A finding for each value that is another. */
void processor_check(const struct config_document *document, const struct target *target,
                     struct report *report);

/* Takes over Kernel->Patch of AMD_Vanilla's patches.plist (given by the user) with the VM's number
 * of processors written into the patches that hold it (AMD_Vanilla, README: the second byte of
 * Replace in the entries about cpuid_cores_per_package). */
bool processor_add_amd_patches(struct config_document *document, const char *file,
                               unsigned vm_processors, struct setup_error *error);

#endif
