/* SPDX-License-Identifier: BSD-3-Clause */
/* Drivers that are called when the kernel panics: services with the property
 * "IOPlatformPanicAction", a number, when they register. */
#ifndef MACHV_XNU_IOKIT_PANIC_ACTIONS_H
#define MACHV_XNU_IOKIT_PANIC_ACTIONS_H

#include "abi/IOService.h"

/* Begins to listen for panics. */
void panic_actions_start(void);
void panic_actions_stop(void);

/* The service has been registered, or is going away. */
void panic_actions_add(IOService *service);
void panic_actions_remove(IOService *service);

#endif
