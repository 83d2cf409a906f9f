/* SPDX-License-Identifier: BSD-3-Clause */
/* Random work on a disk of the guest, with many requests in flight, and a model that knows what
 * each block must hold: exactly what the last acknowledged write put there. */
#ifndef TESTS_SIM_SIM_DISK_H
#define TESTS_SIM_SIM_DISK_H

#include "tests/pair/pair_guest.h"

enum {
    SIM_BLOCK = 4096,
    SIM_BLOCKS = 512,
    SIM_DISK_BYTES = SIM_BLOCK * SIM_BLOCKS,
    SIM_REQUEST_BLOCKS_MAX = 48,
};

struct sim_disk;

struct sim_counters {
    unsigned submitted, completed, failed;
    unsigned wrong_blocks; /* whose content was not what was acknowledged */
};

/* A disk that holds zeros. `name` must stay. */
struct sim_disk *sim_disk_create(const char *name, uint64_t seed);
void sim_disk_destroy(struct sim_disk *disk);

/* Submits `requests` reads, writes and flushes at random places, at most `depth` in flight, and
 * waits for all. False: some did not end within two minutes of virtual time; the sim_disk must then
 * not be destroyed. */
bool sim_disk_work(struct sim_disk *disk, unsigned requests, unsigned depth);

/* Reads every block through the driver and looks at the medium itself; counts what differs. What a
 * failed write left undecided may be anything. */
void sim_disk_verify(struct sim_disk *disk, const uint8_t *medium);

const struct sim_counters *sim_disk_counters(const struct sim_disk *disk);

#endif
