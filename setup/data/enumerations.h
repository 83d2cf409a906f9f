/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys that take one of a few words (OpenCorePkg, Configuration). */
#ifndef MACHV_SETUP_DATA_ENUMERATIONS_H
#define MACHV_SETUP_DATA_ENUMERATIONS_H

#include <stddef.h>

struct enumeration {
    const char *path;
    const char *values; /* separated by a space */
};

extern const struct enumeration enumerations[];
extern const size_t enumeration_count;

#endif
