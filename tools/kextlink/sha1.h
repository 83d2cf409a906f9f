/* SPDX-License-Identifier: BSD-3-Clause */
/* sha1.h: SHA-1 (FIPS 180-4), which version 5 UUIDs are made of. Not for security. */
#ifndef TOOLS_KEXTLINK_SHA1_H
#define TOOLS_KEXTLINK_SHA1_H

#include <stddef.h>
#include <stdint.h>

void sha1(const uint8_t *bytes, size_t size, uint8_t digest[20]);

#endif
