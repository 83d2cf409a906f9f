/* SPDX-License-Identifier: BSD-3-Clause */
/* What to do about a difference between the host's clock and ours. */
#include "daemons/timesync/policy.h"

#include "protocol/integration.h"

/* 2001-01-01 and 2200-01-01: no guest is older, and no software is ready for later. */
static const uint64_t earliest = UINT64_C(978307200) * IC_TIME_UNITS_PER_SECOND;
static const uint64_t latest = UINT64_C(7258118400) * IC_TIME_UNITS_PER_SECOND;

enum time_action time_decide(uint64_t host_time, int64_t now, bool sync, int64_t *offset)
{
    uint64_t unix_time = host_time - IC_TIME_UNIX_EPOCH;
    int64_t size;

    *offset = 0;
    if (host_time < IC_TIME_UNIX_EPOCH || unix_time < earliest || unix_time > latest)
        return TIME_REFUSE;
    *offset = (int64_t)(unix_time * 100) - now;
    size = *offset < 0 ? -*offset : *offset;
    if (size < TIME_IGNORED)
        return TIME_NOTHING;
    if (size >= TIME_STEPPED)
        return TIME_STEP;
    /* A slew replaces the one that is under way, so repeating it with what is left is right. */
    return sync || size >= TIME_SAMPLE_SLEWED ? TIME_SLEW : TIME_NOTHING;
}
