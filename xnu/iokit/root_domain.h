/* SPDX-License-Identifier: BSD-3-Clause */
/* The root power domain. */
#ifndef MACHV_XNU_IOKIT_ROOT_DOMAIN_H
#define MACHV_XNU_IOKIT_ROOT_DOMAIN_H

#include "abi/IOService.h"

#include <stdbool.h>
#include <stdint.h>

/* Makes it below the root of all services. */
void root_domain_start(IOService *root);

/* Tells everybody that the machine goes down: priority interests, general interests, then
 * systemWillShutdown of every power-managed driver, those furthest from the root first. */
void root_domain_will_shut_down(bool restart);

/* False: a driver has said that it must not (kIOPMPreventSleep). */
bool root_domain_may_sleep(void);

/* Tells those with an interest in sleep of one of kIOMessageSystemWillSleep, ...WillPowerOn and
 * ...HasPoweredOn: before power goes general interests first, else priority interests first. */
void root_domain_tell(uint32_t message);

/* Takes the power from every power-managed driver, those furthest from the root first, as a machine
 * does that goes to sleep, or gives it back in the other order, and waits for them. Does not ask
 * whether the system may sleep: that is sleepSystem(), which refuses. */
void root_domain_power(bool on);

#endif
