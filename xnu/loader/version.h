/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Version strings of kexts (XNU libkern/OSKextVersion.c): major[.minor[.revision]][stage level],
 * where stage is d, a, b, f or fc and level 1 - 255; "1.0.0", "1.2.3b4". No stage is a release,
 * which is newer than all its stages.
 */
#ifndef MACHV_XNU_LOADER_VERSION_H
#define MACHV_XNU_LOADER_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#define KEXT_VERSION_INVALID 0u

/*
 * The version as a number that compares as versions do; KEXT_VERSION_INVALID for a bad string.
 * `release` decides how many digits minor and revision may have: two, four from 10.15 on.
 */
uint64_t kext_version_parse(const char *text, uint32_t release);

#endif
