/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries and settings that are right elsewhere and hurt for this target: leftovers of another
 * macOS, another host, or an older guide.
 */
#ifndef MACHV_SETUP_HARMFUL_H
#define MACHV_SETUP_HARMFUL_H

#include "setup/config_document.h"
#include "setup/data/support.h"
#include "setup/report.h"

/* A finding for each. */
void harmful_check(const struct config_document *document, const struct target *target,
                   struct report *report);
/* Switches them off. */
void harmful_fix(struct config_document *document, const struct target *target);

#endif
