/* SPDX-License-Identifier: BSD-3-Clause */
/* What is missing or wrong in a configuration for macOS on Hyper-V. */
#ifndef MACHV_SETUP_CHECK_H
#define MACHV_SETUP_CHECK_H

#include "setup/config_document.h"
#include "setup/data/support.h"
#include "setup/data_folder.h"
#include "setup/report.h"

/* Runs every check and adds what it finds.
 * folder   the OC folder that the configuration belongs to, or NULL: files are not looked at */
void check_configuration(const struct config_document *document, const char *folder,
                         const struct target *target, struct report *report);

/* ---- its parts ---- */
void check_schema(const struct config_document *document, struct report *report);
void check_files(const struct config_document *document, const char *folder, struct report *report);
void check_rules(const struct config_document *document, const struct target *target,
                 struct report *report);

/* Repairs what is safe to repair: every row, the order of tables and kexts, tables and kexts of
 * ours that are missing in `folder` (may be NULL, as may `data`), and settings that hurt. False:
 * something could not be written. */
bool fix_configuration(struct config_document *document, const char *folder,
                       const struct target *target, const struct data_folder *data,
                       struct setup_error *error);

#endif
