/* SPDX-License-Identifier: BSD-3-Clause */
/* The clock that hvtimesyncd sets: the system's, or one of its own in a file. Nanoseconds since
 * 1970-01-01 UTC. */
#ifndef DAEMONS_TIMESYNC_CLOCK_H
#define DAEMONS_TIMESYNC_CLOCK_H

#include <stdint.h>

struct adjustable_clock {
    int64_t (*now)(struct adjustable_clock *clock);
    /* Sets the clock by so much, at once. 0, or -1 with errno. */
    int (*step)(struct adjustable_clock *clock, int64_t offset);
    /* Lets it run faster or slower until it has gained so much. 0, or -1 with errno. */
    int (*slew)(struct adjustable_clock *clock, int64_t offset);
    const char *path;           /* of a clock in a file */
};

/* gettimeofday, settimeofday, adjtime. */
void clock_of_system(struct adjustable_clock *clock);

/* The system's time plus an offset that stands in `path` ("OFFSET STEPS SLEWS", nanoseconds and
 * counts); a file that is not there is 0. For a guest whose clock is not this machine's, as under
 * kextrun: setting it changes the file alone. A slew takes no time. */
void clock_of_file(struct adjustable_clock *clock, const char *path);

#endif
