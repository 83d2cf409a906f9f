/* SPDX-License-Identifier: BSD-3-Clause */
/* Apple's recovery images: a .dmg and a .chunklist with the hashes of its pieces. */
#ifndef MACHV_SETUP_RECOVERY_H
#define MACHV_SETUP_RECOVERY_H

#include "setup/error.h"
#include "setup/report.h"

#define RECOVERY_FOLDER "com.apple.recovery.boot"

/* The chunklist beside a .dmg, with the same name; NULL when there is none. The caller frees it. */
char *recovery_chunklist(const char *dmg);

/* Compares the image with every hash of the chunklist (OpenCorePkg, macrecovery: "CNKL", version 1,
 * SHA-256). The chunklist's own signature is not checked. */
bool recovery_verify(const char *dmg, const char *chunklist, struct setup_error *error);

/* Verifies and copies image and chunklist into staging/com.apple.recovery.boot as BaseSystem.*. */
bool recovery_copy(const char *dmg, const char *staging, struct report *report,
                   struct setup_error *error);

#endif
