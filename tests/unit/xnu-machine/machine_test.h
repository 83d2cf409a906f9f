/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a test's body as a kernel thread, on real threads and on fibres, and carries failed checks
 * back to cmocka (whose own assertions must not be used outside its main thread).
 */
#ifndef TESTS_UNIT_XNU_MACHINE_MACHINE_TEST_H
#define TESTS_UNIT_XNU_MACHINE_MACHINE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "xnu/machine/clock.h"
#include "xnu/machine/log.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"
#include "xnu/machine/partition.h"
#include "xnu/machine/threads.h"
#include "xnu/machine/traps.h"

static atomic_int machine_test_failures;

/* What a trapped access changes behind the compiler's back must be read again. */
#define CHECK(condition)                                                                          \
    do {                                                                                          \
        __asm__ volatile("" ::: "memory");                                                        \
        if (!(condition)) {                                                                       \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);             \
            atomic_fetch_add(&machine_test_failures, 1);                                          \
        }                                                                                         \
    } while (0)

static inline void run_configured(const struct machine_configuration *configuration,
                                  machine_thread_function *body, void *argument) {
    atomic_store(&machine_test_failures, 0);
    assert_int_equal(machine_start(configuration), 0);
    machine_log_set_output(NULL, NULL);
    assert_int_equal(machine_run("test", body, argument), 0);
    machine_stop();
    assert_int_equal(atomic_load(&machine_test_failures), 0);
}

static inline void run_real(machine_thread_function *body, void *argument) {
    struct machine_configuration configuration = {.memory_bytes = 64u << 20, .processors = 2};
    run_configured(&configuration, body, argument);
}

/* Every seed is another interleaving. */
static inline void run_fibres(machine_thread_function *body, void *argument, unsigned seeds) {
    for (unsigned seed = 1; seed <= seeds; seed++) {
        struct machine_configuration configuration = {.memory_bytes = 64u << 20,
                                                      .processors = 2,
                                                      .deterministic = true,
                                                      .seed = seed,
                                                      .switches_max = 10000000};
        run_configured(&configuration, body, argument);
        if (atomic_load(&machine_test_failures) != 0) {
            fprintf(stderr, "seed %u\n", seed);
        }
    }
}

static inline void run_both(machine_thread_function *body, void *argument) {
    run_real(body, argument);
    run_fibres(body, argument, 20);
}

#endif
