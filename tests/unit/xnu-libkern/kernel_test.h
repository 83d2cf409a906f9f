/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs the body of a test as a kernel thread of a fresh machine, in a child process, so that a
 * panic can be expected and no state is left over. Failed checks are counted there and fail the
 * test here. */
#ifndef TESTS_UNIT_XNU_LIBKERN_KERNEL_TEST_H
#define TESTS_UNIT_XNU_LIBKERN_KERNEL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "xnu/libkern/module.h"
#include "xnu/libkern/object.h"
#include "xnu/libkern/release.h"
#include "xnu/machine/machine.h"

enum { KERNEL_TEST_MEMORY = 64 << 20, KERNEL_TEST_FAILED = 100, KERNEL_TEST_SWITCHES = 10000000 };

static unsigned kernel_test_failures;

#define CHECK(condition)                                                                \
    do {                                                                                \
        if (!(condition)) {                                                             \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);   \
            __atomic_fetch_add(&kernel_test_failures, 1, __ATOMIC_RELAXED);             \
        }                                                                               \
    } while (0)

#define CHECK_STRING(left, right) CHECK(strcmp((left), (right)) == 0)

/* May be set by a test: brings up what lies above libkern, on the kernel thread. */
static void (*kernel_test_start)(void);

static void kernel_test_body(void *argument)
{
    machine_thread_function *body = (machine_thread_function *)argument;

    xnu_libkern_start();
    if (kernel_test_start)
        kernel_test_start();
    body(NULL);
}

/* The child: never returns. */
static _Noreturn void kernel_test_child(machine_thread_function *body, uint64_t seed)
{
    struct machine_configuration configuration = {
        .memory_bytes = KERNEL_TEST_MEMORY,
        .processors = 2,
        .deterministic = seed != 0,
        .seed = seed,
        .switches_max = KERNEL_TEST_SWITCHES,
    };
    int result = machine_start(&configuration);

    if (!getenv("KERNEL_TEST_LOG"))
        machine_log_set_output(NULL, NULL);
    if (result == 0)
        result = machine_run("test", kernel_test_body, (void *)body);
    fflush(NULL);
    _exit(result != 0 || kernel_test_failures ? KERNEL_TEST_FAILED : 0);
}

/* Exit status of the body with the given seed; 0: real threads. quiet: without the panic's
 * report. */
static int kernel_test_status(machine_thread_function *body, uint64_t seed, bool quiet)
{
    int status = 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0 && quiet && !getenv("KERNEL_TEST_LOG") && !freopen("/dev/null", "w", stderr))
        _exit(KERNEL_TEST_FAILED);
    if (child == 0)
        kernel_test_child(body, seed);
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status))
        fprintf(stderr, "child ended by signal %d, seed %llu\n", WTERMSIG(status),
                (unsigned long long)seed);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The body must end without a failed check, with every seed from 1 on. */
static void run_seeds(machine_thread_function *body, unsigned seeds)
{
    unsigned seed;

    for (seed = 1; seed <= seeds; seed++) {
        int status = kernel_test_status(body, seed, false);

        if (status != 0)
            fprintf(stderr, "seed %u: status %d\n", seed, status);
        assert_int_equal(status, 0);
    }
}

static inline void run_kernel(machine_thread_function *body)
{
    run_seeds(body, 1);
}

/* The body must end in a panic. */
static inline void run_panic(machine_thread_function *body)
{
    assert_int_equal(kernel_test_status(body, 1, true), MACHINE_EXIT_PANIC);
}

#endif
