/* SPDX-License-Identifier: BSD-3-Clause */
/* A small kext that has nothing to do with Hyper-V: it shows that kextrun runs kexts of other
 * people. Two classes: one on IOResources that ticks, publishes a nub and offers a kernel control;
 * one that matches the nub. */
#ifndef TESTS_KEXTS_CLOCKWORK_H
#define TESTS_KEXTS_CLOCKWORK_H

#include "abi/IOCommandGate.h"
#include "abi/IOService.h"
#include "abi/IOTimerEventSource.h"
#include "abi/IOWorkLoop.h"
#include "abi/kpi/kern_control.h"
#include "abi/kpi/locks.h"
#include "abi/kpi/threads.h"
#include "abi/runtime.h"

enum { CLOCKWORK_TICKS = 5, CLOCKWORK_TICK_MILLISECONDS = 20 };

#define CLOCKWORK_CONTROL "org.machv.test.clockwork"

struct ClockworkMovement {
    IOService super;
    IOWorkLoop *work_loop;
    IOCommandGate *gate;
    IOTimerEventSource *timer;
    thread_call_t strike; /* runs after the last tick */
    kern_ctl_ref control;
    uint32_t ticks;       /* under the gate */
    bool struck;          /* under the gate */
    IOService *hand;      /* the nub that it publishes */
};

IOKIT_CLASS_DECLARE(17, ClockworkMovement, IOService);

#define clockwork_log(format, ...) IOLog("Clockwork: " format "\n", ##__VA_ARGS__)

/* Counts and logs what is not as it should be; 0 means all is well. */
unsigned clockwork_check_containers(void);

#endif
