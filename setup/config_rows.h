/* SPDX-License-Identifier: BSD-3-Clause */
/* Applies a row to a configuration, or says how the configuration differs from it. */
#ifndef MACHV_SETUP_CONFIG_ROWS_H
#define MACHV_SETUP_CONFIG_ROWS_H

#include "setup/data/rows.h"

/* Makes the row true. `other_file` chooses the second of an entry's two file names. False: the
 * configuration has something of a foreign shape where the row belongs. */
bool row_apply(struct config_document *document, const struct row *row, bool other_file,
               struct setup_error *error);

/* Adds a finding for each difference. Returns whether the row is true. */
bool row_check(const struct config_document *document, const struct row *row,
               const struct target *target, struct report *report);

/* What the row sets, for people: "true", or the entry's name. The caller frees it. */
char *row_value_text(const struct row *row);

/* An OpenCore kernel version as a number: major * 10000 + minor * 100 + patch; -1 when malformed.
 * The empty text is 0. */
long kernel_version(const char *text);
/* Whether the bounds, either of which may be empty, let some kernel of this Darwin major through.
 */
bool kernel_bounds_include(const char *min, const char *max, unsigned darwin);

#endif
