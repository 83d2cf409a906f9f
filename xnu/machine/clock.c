/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time, as the engine has it.
 */
#include <time.h>

#include "xnu/machine/machine_private.h"

/* The calendar of deterministic runs begins here: 2020-01-01 00:00:00 UTC. */
#define VIRTUAL_EPOCH UINT64_C(1577836800)

/* Calendar time minus uptime, in ns, once it was set; 0: the host's. */
static _Atomic int64_t calendar_offset;
static atomic_bool calendar_set;

uint64_t machine_uptime(void) {
    return thread_engine != NULL ? thread_engine->now() : 0;
}

static uint64_t calendar_now(void) {
    if (atomic_load(&calendar_set)) {
        return (uint64_t)((int64_t)machine_uptime() + atomic_load(&calendar_offset));
    }
    if (thread_engine == &thread_engine_fibres) {
        return VIRTUAL_EPOCH * 1000000000 + machine_uptime();
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void machine_calendar_time(uint64_t *seconds, uint32_t *nanoseconds) {
    uint64_t now = calendar_now();
    *seconds = now / 1000000000;
    *nanoseconds = (uint32_t)(now % 1000000000);
}

void machine_set_calendar_time(uint64_t seconds, uint32_t nanoseconds) {
    uint64_t time = seconds * 1000000000 + nanoseconds;
    atomic_store(&calendar_offset, (int64_t)time - (int64_t)machine_uptime());
    atomic_store(&calendar_set, true);
}

void clock_stop(void) {
    atomic_store(&calendar_set, false);
}

void machine_spin_delay(uint64_t nanoseconds) {
    thread_engine->spin_delay(nanoseconds);
}
