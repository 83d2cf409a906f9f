/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether the next small write is done by the thread that serves all devices, or handed to the
 * kernel's. The thread is quick as long as the page cache takes the data; when dirty pages must be
 * written back first, or the journal is full, it waits, and would again. How long a write took is
 * all there is to go by.
 */
#ifndef HOST_DISK_WRITE_PATIENCE_H
#define HOST_DISK_WRITE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    WRITE_PATIENCE_NS = 1000000,     /* a write that takes longer has waited for something */
    WRITE_PATIENCE_PAUSE = 64,       /* writes that are handed over after such a one, at first */
    WRITE_PATIENCE_PAUSE_MAX = 16384 /* ... and at most: twice as many after each in a row */
};

/* All zero at first. */
struct write_patience {
    unsigned pause;      /* writes that are still to be handed over */
    unsigned last_pause; /* 0: the last write on the spot was quick */
};

/* True: do this write on the spot, and tell write_patience_learn(). False: hand it over. */
bool write_patience_allows(struct write_patience *patience);

/* A write on the spot took this long. */
void write_patience_learn(struct write_patience *patience, uint64_t took_ns);

#endif
