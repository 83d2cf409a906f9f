/* SPDX-License-Identifier: BSD-3-Clause */
#include "host/disk/write_patience.h"

bool write_patience_allows(struct write_patience *patience)
{
    if (patience->pause == 0) {
        return true;
    }
    patience->pause--;
    return false;
}

void write_patience_learn(struct write_patience *patience, uint64_t took_ns)
{
    if (took_ns <= WRITE_PATIENCE_NS) {
        patience->last_pause = 0;
        return;
    }
    if (patience->last_pause == 0) {
        patience->last_pause = WRITE_PATIENCE_PAUSE;
    } else if (patience->last_pause < WRITE_PATIENCE_PAUSE_MAX) {
        patience->last_pause *= 2;
    }
    patience->pause = patience->last_pause;
}
