/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the kernel's runtime: each body runs on a fresh machine with threads, thread calls, maps
 * and kernel controls started. */
#ifndef TESTS_UNIT_XNU_RUNTIME_RUNTIME_TEST_H
#define TESTS_UNIT_XNU_RUNTIME_RUNTIME_TEST_H

#include "tests/unit/xnu-libkern/kernel_test.h"

#include "xnu/bsd/start.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/threads.h"

#define MS UINT64_C(1000000)

enum { RUNTIME_SEEDS = 10 };

static void runtime_start(void)
{
    CHECK(xnu_bsd_start() == 0);
}

/* Fibres with several seeds: every one is another order of events. */
static inline void run_runtime(machine_thread_function *body)
{
    kernel_test_start = runtime_start;
    run_seeds(body, RUNTIME_SEEDS);
}

/* The body on real threads. */
static inline void run_runtime_real(machine_thread_function *body)
{
    kernel_test_start = runtime_start;
    assert_int_equal(kernel_test_status(body, 0, false), 0);
}

static inline void run_runtime_panic(machine_thread_function *body)
{
    kernel_test_start = runtime_start;
    run_panic(body);
}

static inline struct machine_thread *start_thread(machine_thread_function *function, void *argument)
{
    struct machine_thread *thread = machine_thread_start("test thread", function, argument);

    CHECK(thread != NULL);
    return thread;
}

static inline void join_thread(struct machine_thread *thread)
{
    machine_thread_join(thread);
    machine_thread_release(thread);
}

static inline void sleep_ms(unsigned milliseconds)
{
    char event;

    machine_sleep(NULL, &event, machine_uptime() + milliseconds * MS, false);
}

#endif
