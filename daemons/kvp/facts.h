/* SPDX-License-Identifier: BSD-3-Clause */
/* Facts about the guest that the host reads, as UTF-8. */
#ifndef DAEMONS_KVP_FACTS_H
#define DAEMONS_KVP_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/integration.h"

/* Item `index` of the automatic pool: its name, and its value into `value` (`size` bytes). NULL:
 * there
 * are no more. */
const char *fact_at(unsigned index, char *value, size_t size);

/* Reads a SystemVersion.plist: value of `key` as it stands. False: it is not there. */
bool fact_from_plist(const char *text, const char *key, char *value, size_t size);

/* Where macOS says what it is, and Linux. For tests. */
extern const char *fact_version_plist, *fact_os_release;

#endif
