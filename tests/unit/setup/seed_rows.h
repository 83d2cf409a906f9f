/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of the MacHyperVSupport README, stated on their own: nothing here comes from setup/data.
 */
#ifndef MACHV_TESTS_SETUP_SEED_ROWS_H
#define MACHV_TESTS_SETUP_SEED_ROWS_H

#include "setup/config_document.h"
#include "setup/data/support.h"

/* Asserts every row of the README that holds for the target, and that the ones which do not hold
 * are absent. `folder` is the EFI folder. */
void assert_seed_rows(const struct config_document *document, const char *folder,
                      const struct target *target);

#endif
