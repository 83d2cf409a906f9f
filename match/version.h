/* SPDX-License-Identifier: BSD-3-Clause */
/* Version strings of kexts as 64-bit numbers (xnu libkern/OSKextVersion, "vers_string" of kext
 * tools). */
#ifndef MACHV_MATCH_VERSION_H
#define MACHV_MATCH_VERSION_H

#include <stddef.h>
#include <stdint.h>

enum { VERSION_INVALID = -1, VERSION_TEXT_SIZE = 24 };

/* major * 10^12 + minor * 10^8 + revision * 10^4 + stage * 1000 + level; VERSION_INVALID for a
 * string that the kernel refuses, also one of 20 or more characters. NULL is invalid. */
int64_t version_parse(const char *text);

/* The canonical form ("1.0.0b2", "8.0"); "invalid" for VERSION_INVALID. `text` has
 * VERSION_TEXT_SIZE bytes. */
void version_format(int64_t version, char *text);

#endif
