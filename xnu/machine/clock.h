/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time. With real threads this is the host's monotonic and calendar time; with the fibre scheduler
 * it is virtual: it stands still while anything can run and jumps to the next deadline when all
 * sleep. Timers are built above, on sleeps with a deadline.
 */
#ifndef MACHV_XNU_MACHINE_CLOCK_H
#define MACHV_XNU_MACHINE_CLOCK_H

#include <stdint.h>

/* Nanoseconds since machine_start(); never goes back. mach_absolute_time() on Intel is this. */
uint64_t machine_uptime(void);

/* Wall clock: seconds since 1970-01-01 UTC and the nanoseconds within the second. */
void machine_calendar_time(uint64_t *seconds, uint32_t *nanoseconds);
/* Moves the wall clock (settimeofday); the host's own clock stays as it is. */
void machine_set_calendar_time(uint64_t seconds, uint32_t nanoseconds);

/*
 * Waits without blocking, for places where blocking is not allowed (interrupts off, spin lock
 * held). Virtual time moves on by the given amount.
 */
void machine_spin_delay(uint64_t nanoseconds);

#endif
