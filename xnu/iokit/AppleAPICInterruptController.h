/* SPDX-License-Identifier: BSD-3-Clause */
/* The built-in interrupt controller. */
#ifndef MACHV_XNU_IOKIT_APPLEAPICINTERRUPTCONTROLLER_H
#define MACHV_XNU_IOKIT_APPLEAPICINTERRUPTCONTROLLER_H

#include "abi/IOPlatformExpert.h"

/* The name that nubs have in IOInterruptControllers. */
#define APIC_NAME "io-apic-0"

/* Makes it, attaches it to the platform and registers it there. False: no memory. */
bool apic_start(IOPlatformExpert *platform);

#endif
