/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks. Absolute time is nanoseconds since boot on Intel and does not count sleep.
 *
 * Source: xnu osfmk/kern/clock.h, mach/mach_time.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/types.h"

#if defined(__i386__)
typedef uint32_t clock_sec_t;
#else
typedef unsigned long clock_sec_t;
#endif
typedef uint32_t clock_usec_t;
typedef uint32_t clock_nsec_t;

uint64_t mach_absolute_time(void) __asm("_mach_absolute_time");
void clock_get_uptime(uint64_t *result) __asm("_clock_get_uptime");

/* scale_factor: kNanosecondScale, kMicrosecondScale, kMillisecondScale, kSecondScale. */
void clock_interval_to_deadline(uint32_t interval, uint32_t scale_factor, uint64_t *result)
    __asm("_clock_interval_to_deadline");
void clock_interval_to_absolutetime_interval(uint32_t interval, uint32_t scale_factor,
                                        uint64_t *result)
    __asm("_clock_interval_to_absolutetime_interval");
void clock_absolutetime_interval_to_deadline(uint64_t abstime, uint64_t *result)
    __asm("_clock_absolutetime_interval_to_deadline");
void clock_delay_until(uint64_t deadline) __asm("_clock_delay_until");
void absolutetime_to_nanoseconds(uint64_t abstime, uint64_t *result)
    __asm("_absolutetime_to_nanoseconds");
void nanoseconds_to_absolutetime(uint64_t nanoseconds, uint64_t *result)
    __asm("_nanoseconds_to_absolutetime");

/* Wall clock, UTC. Nothing that is exported sets it. */
void clock_get_calendar_microtime(clock_sec_t *secs, clock_usec_t *microsecs)
    __asm("_clock_get_calendar_microtime");
void clock_get_calendar_nanotime(clock_sec_t *secs, clock_nsec_t *nanosecs)
    __asm("_clock_get_calendar_nanotime");
void clock_get_system_microtime(clock_sec_t *secs, clock_usec_t *microsecs)
    __asm("_clock_get_system_microtime");
void clock_get_system_nanotime(clock_sec_t *secs, clock_nsec_t *nanosecs)
    __asm("_clock_get_system_nanotime");
