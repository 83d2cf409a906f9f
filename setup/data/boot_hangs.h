/* SPDX-License-Identifier: BSD-3-Clause */
/* Known ways in which the boot stops, by what the log or the screen says. */
#ifndef MACHV_SETUP_DATA_BOOT_HANGS_H
#define MACHV_SETUP_DATA_BOOT_HANGS_H

#include <stdbool.h>
#include <stddef.h>

#include "setup/report.h"

enum { HANG_PATTERNS_MAX = 4 };

struct boot_hang {
    const char *id;
    const char *patterns[HANG_PATTERNS_MAX]; /* any of them; case does not count */
    const char *also;                        /* must be there too; NULL for nothing */
    bool at_end;                             /* only when it is among the last lines */
    enum severity severity;
    const char *cause;
    const char *path; /* the key to look at, or the part of the VM */
    const char *cure;
};

extern const struct boot_hang boot_hangs[];
extern const size_t boot_hang_count;

#endif
