/* SPDX-License-Identifier: BSD-3-Clause */
/* Draws a progress bar, once for each percent. */
#include "setup/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 40 };

void progress_start(struct progress *progress, const char *label, uint64_t total)
{
    *progress = (struct progress){label, total == 0 ? 1 : total, isatty(STDERR_FILENO) == 1, -1};
    progress_show(progress, 0);
}

void progress_show(struct progress *progress, uint64_t done)
{
    int percent = done >= progress->total ? 100 : (int)(done * 100 / progress->total);
    if (!progress->shown || percent == progress->percent) {
        return;
    }
    progress->percent = percent;
    fprintf(stderr, "\r%-10s [", progress->label);
    for (int i = 0; i < BAR_WIDTH; i++) {
        fputc(i < percent * BAR_WIDTH / 100 ? '#' : ' ', stderr);
    }
    fprintf(stderr, "] %3d%%", percent);
    fflush(stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->shown) {
        fputc('\n', stderr);
        progress->shown = false;
    }
}
