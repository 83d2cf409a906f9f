/* SPDX-License-Identifier: BSD-3-Clause */
/* threads_private.h - start-up of threads and thread calls. */
#ifndef XNU_IOKIT_THREADS_PRIVATE_H
#define XNU_IOKIT_THREADS_PRIVATE_H

#include <stdbool.h>

#include "abi/kpi/threads.h"

/* Once, before the first kernel_thread_start. */
void threads_start(void);

/* kernel_thread_start with a name for reports (31 bytes are kept). */
kern_return_t kernel_thread_start_named(const char *name, thread_continue_t function,
                                        void *parameter, thread_t *thread);

/* Starts the thread that serves delayed calls and grows the pool. Needs a running machine; false:
 * no memory. thread_calls_stop ends all threads that are idle and drops what is queued. */
bool thread_calls_start(void);
void thread_calls_stop(void);

#endif
