/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A filter in front of a disk that makes it fail on purpose: errors, delays and short transfers,
 * drawn from a seed so that a run can be repeated.
 */
#ifndef HOST_DISK_DISK_FAULTS_H
#define HOST_DISK_DISK_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk;

/* Rates are per million requests. */
struct disk_fault_settings {
    uint32_t error_ppm;     /* ends with an I/O error, nothing moved */
    uint32_t short_ppm;     /* reads and writes: only the first part is moved */
    uint32_t delay_ppm;     /* ends later than it would */
    uint64_t delay_min_ns;
    uint64_t delay_max_ns;
    uint32_t lost_ppm;      /* held back until disk_faults_release_lost() */
};

struct disk_fault_counters {
    uint64_t errors, shorts, delays, lost;
};

/*
 * Puts a filter in front of `below`, which it owns from then on. Returns the filter as a disk, or
 * NULL (no memory; `below` stays the caller's).
 */
struct disk *disk_faults_open(struct disk *below, const struct disk_fault_settings *settings,
                              uint64_t seed);

/* True if this disk is such a filter. */
bool disk_is_faulty(const struct disk *disk);

/* New settings, from the next request on; the random sequence goes on. */
void disk_faults_set(struct disk *filter, const struct disk_fault_settings *settings);
void disk_faults_get(const struct disk *filter, struct disk_fault_settings *settings,
                     struct disk_fault_counters *counters);

/* Ends all requests that were "lost", with success of what they really did. */
void disk_faults_release_lost(struct disk *filter);

/*
 * Reads one setting into *settings: "error=RATE", "short=RATE", "lost=RATE" with RATE as 0.01 or
 * 1%, "delay=MIN-MAX[@RATE]" with ns, us, ms or s, for example "delay=1ms-20ms@5%".
 * Returns 0 or -EINVAL.
 */
int disk_faults_parse(const char *text, struct disk_fault_settings *settings);

/* RATE alone, in millionths. Returns 0 or -EINVAL. */
int disk_faults_parse_rate(const char *text, uint32_t *ppm);

#endif
