/* SPDX-License-Identifier: BSD-3-Clause */
/* What to do about a difference between the host's clock and ours. */
#ifndef DAEMONS_TIMESYNC_POLICY_H
#define DAEMONS_TIMESYNC_POLICY_H

#include <stdbool.h>
#include <stdint.h>

enum time_action {
    TIME_NOTHING,
    TIME_SLEW,
    TIME_STEP,
    TIME_REFUSE         /* no time that a clock should have */
};

/* Below this a difference is as good as none (a message takes some time), above that a clock is not
 * slewed but set. macOS's own time service (timed) works within these limits, so the two do not
 * pull at each other: both follow a clock that NTP disciplines. */
#define TIME_IGNORED  INT64_C(10000000)         /* 10 ms */
#define TIME_SAMPLE_SLEWED INT64_C(100000000)   /* 0.1 s: for the host's hints every five seconds */
#define TIME_STEPPED  INT64_C(500000000)        /* 0.5 s */

/* host_time: 100 ns since 1601; now: our clock, nanoseconds since 1970; sync: the host says "set it
 * now". *offset: by how much, nanoseconds. */
enum time_action time_decide(uint64_t host_time, int64_t now, bool sync, int64_t *offset);

#endif
