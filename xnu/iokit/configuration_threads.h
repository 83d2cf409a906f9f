/* SPDX-License-Identifier: BSD-3-Clause */
/* The pool of threads on which services are matched. A start() that waits for another driver
 * occupies its thread, so the pool grows with each job that finds no idle thread, up to the
 * release's limit. */
#ifndef MACHV_XNU_IOKIT_CONFIGURATION_THREADS_H
#define MACHV_XNU_IOKIT_CONFIGURATION_THREADS_H

#include "abi/IOService.h"

/* Queues the service (retained until the job ran); with `first` before all others and even if
 * the pool is at its limit (IOResources). False: no memory. */
bool configuration_queue(IOService *service, uint32_t options, bool first);
/* Waits until nothing is queued or running; false at the deadline (uptime). */
bool configuration_wait_idle(uint64_t deadline);
/* Lets the idle threads end; waits for them. */
void configuration_stop(void);
/* Threads at this moment, for tests and reports. */
unsigned configuration_thread_count(void);

/* The job itself: one service is matched. In IOService_configuration.c. */
void service_match(IOService *service, uint32_t options);

#endif
