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

/* `label` is kept, not copied; 0 of `total` bytes are done. Without a terminal nothing is shown. */
void progress_start(struct progress *progress, const char *label, uint64_t total);
/* `done` bytes of the total are; draws when the percentage has changed. */
void progress_show(struct progress *progress, uint64_t done);
/* Takes the bar away. */
void progress_end(struct progress *progress);

#endif
