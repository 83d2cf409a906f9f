/* SPDX-License-Identifier: BSD-3-Clause */
/* A progress bar on the error stream, when that is a terminal. */
#ifndef MACHV_SETUP_PROGRESS_H
#define MACHV_SETUP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *label;
    uint64_t total; /* bytes */
    bool shown;
    int percent; /* last one drawn */
};

void progress_start(struct progress *progress, const char *label, uint64_t total);
void progress_show(struct progress *progress, uint64_t done);
void progress_end(struct progress *progress);

#endif
