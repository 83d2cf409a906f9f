/* SPDX-License-Identifier: BSD-3-Clause */
/* system_sleep.h - the machine goes to sleep and wakes, as a Mac does when it is told to
 * (`pmset sleepnow`).
 *
 * Going down: everybody with an interest is told (kIOMessageSystemWillSleep), requests to disks
 * wait from then on and the disks are flushed, power goes from all drivers, those furthest from the
 * root first. Coming up: kIOMessageSystemWillPowerOn, power for all drivers in the other order,
 * disks go on, kIOMessageSystemHasPoweredOn. Not played: processors that stop and devices that
 * forget; time goes on.
 *
 * Freestanding types only. Any kernel thread but a driver's. */
#ifndef XNU_FAMILIES_SYSTEM_SLEEP_H
#define XNU_FAMILIES_SYSTEM_SLEEP_H

#include <stdbool.h>

enum system_sleep_result {
    SYSTEM_SLEEPS,
    SYSTEM_SLEEPS_ALREADY,
    SYSTEM_MUST_NOT_SLEEP, /* a driver has said so; not with `forced` */
};

/* [blocks] Until all drivers are without power. */
enum system_sleep_result system_sleep(bool forced);

/* [blocks] Until all have it again. False: it did not sleep. */
bool system_wake(void);

/* The machine ends without its drivers: what waits for disks goes on, nobody is told. */
void system_sleep_give_up(void);

#endif
