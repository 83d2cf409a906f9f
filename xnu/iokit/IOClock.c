/* SPDX-License-Identifier: BSD-3-Clause */
/* IOClock.c - time and delays (clock_*, mach_absolute_time, IOSleep, IODelay).
 *
 * Absolute time is nanoseconds since boot, as on every Intel Mac (timebase 1/1). IODelay and
 * IOSleep both end in delay_for_interval, which blocks unless the wait is very short or blocking is
 * not allowed (xnu osfmk/kern/clock.c). */
#include "xnu/bsd/kpi.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/panic.h"
#include "xnu/machine/threads.h"

#include "abi/kpi/iolib.h"
#include "abi/kpi/time.h"
#include "abi/structures.h"

struct mach_timebase_info {
    uint32_t numer, denom;
};

enum { SPIN_LIMIT = 10000 };         /* nanoseconds: waits up to this long are not worth a switch */

static uint64_t saturating_add(uint64_t left, uint64_t right)
{
    return left > UINT64_MAX - right ? UINT64_MAX : left + right;
}

KPI(uint64_t, mach_absolute_time, (void))
{
    return machine_uptime();
}

KPI(uint64_t, mach_continuous_time, (void))
{
    return machine_uptime();
}

KPI(uint64_t, mach_approximate_time, (void))
{
    return machine_uptime();
}

KPI(void, clock_get_uptime, (uint64_t *result))
{
    *result = machine_uptime();
}

KPI(void, IOGetTime, (mach_timespec_t *result))
{
    uint64_t now = machine_uptime();

    result->tv_sec = (unsigned)(now / 1000000000);
    result->tv_nsec = (int)(now % 1000000000);
}

KPI(void, clock_timebase_info, (struct mach_timebase_info *info))
{
    info->numer = 1;
    info->denom = 1;
}

KPI(void, absolutetime_to_nanoseconds, (uint64_t absolute, uint64_t *result))
{
    *result = absolute;
}

KPI(void, nanoseconds_to_absolutetime, (uint64_t nanoseconds, uint64_t *result))
{
    *result = nanoseconds;
}

KPI(uint64_t, absolutetime_to_continuoustime, (uint64_t absolute))
{
    return absolute;
}

KPI(uint64_t, continuoustime_to_absolutetime, (uint64_t continuous))
{
    return continuous;
}

KPI(void, clock_interval_to_absolutetime_interval, (uint32_t interval, uint32_t scale,
                                                    uint64_t *result))
{
    *result = (uint64_t)interval * scale;
}

KPI(void, clock_interval_to_deadline, (uint32_t interval, uint32_t scale, uint64_t *result))
{
    *result = machine_uptime() + (uint64_t)interval * scale;
}

KPI(void, clock_absolutetime_interval_to_deadline, (uint64_t interval, uint64_t *result))
{
    *result = saturating_add(machine_uptime(), interval);
}

KPI(void, clock_continuoustime_interval_to_deadline, (uint64_t interval, uint64_t *result))
{
    *result = saturating_add(machine_uptime(), interval);
}

KPI(void, clock_get_calendar_nanotime, (clock_sec_t *seconds, clock_nsec_t *nanoseconds))
{
    uint64_t whole;
    uint32_t fraction;

    machine_calendar_time(&whole, &fraction);
    *seconds = (clock_sec_t)whole;
    *nanoseconds = fraction;
}

KPI(void, clock_get_calendar_microtime, (clock_sec_t *seconds, clock_usec_t *microseconds))
{
    clock_nsec_t nanoseconds;

    clock_get_calendar_nanotime(seconds, &nanoseconds);
    *microseconds = nanoseconds / 1000;
}

KPI(void, clock_get_calendar_absolute_and_microtime, (clock_sec_t *seconds,
                                                      clock_usec_t *microseconds,
                                                      uint64_t *absolute))
{
    *absolute = machine_uptime();
    clock_get_calendar_microtime(seconds, microseconds);
}

KPI(void, clock_get_system_nanotime, (clock_sec_t *seconds, clock_nsec_t *nanoseconds))
{
    uint64_t now = machine_uptime();

    *seconds = (clock_sec_t)(now / 1000000000);
    *nanoseconds = (clock_nsec_t)(now % 1000000000);
}

KPI(void, clock_get_system_microtime, (clock_sec_t *seconds, clock_usec_t *microseconds))
{
    clock_nsec_t nanoseconds;

    clock_get_system_nanotime(seconds, &nanoseconds);
    *microseconds = nanoseconds / 1000;
}

/* ---- delays --------------------------------------------------------------------------------- */

static void delay_until(uint64_t deadline)
{
    uint64_t now = machine_uptime();
    char nobody_wakes_this;

    if (deadline <= now)
        return;
    if (deadline - now < SPIN_LIMIT || !machine_preemption_enabled() || machine_is_panicking() ||
        !machine_thread_self()) {
        machine_spin_delay(deadline - now);
        return;
    }
    machine_sleep(NULL, &nobody_wakes_this, deadline, false);
}

KPI(void, clock_delay_until, (uint64_t deadline))
{
    delay_until(deadline);
}

KPI(void, delay_for_interval, (uint32_t interval, uint32_t scale))
{
    delay_until(machine_uptime() + (uint64_t)interval * scale);
}

KPI(void, delay, (int microseconds))
{
    if (microseconds > 0)
        delay_for_interval((uint32_t)microseconds, kMicrosecondScale);
}

KPI(void, IOSleep, (unsigned milliseconds))
{
    if (milliseconds == 0)
        machine_yield();
    else
        delay_for_interval(milliseconds, kMillisecondScale);
}

KPI(void, IOSleepWithLeeway, (unsigned milliseconds, unsigned leeway))
{
    IOSleep(milliseconds);
}

KPI(void, IODelay, (unsigned microseconds))
{
    delay_for_interval(microseconds, kMicrosecondScale);
}

KPI(void, IOPause, (unsigned nanoseconds))
{
    delay_for_interval(nanoseconds, kNanosecondScale);
}
