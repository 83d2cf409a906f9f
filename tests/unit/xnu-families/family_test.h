/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of families: as tests of the runtime, with a registry. */
#ifndef TESTS_UNIT_XNU_FAMILIES_FAMILY_TEST_H
#define TESTS_UNIT_XNU_FAMILIES_FAMILY_TEST_H

#include "tests/unit/xnu-runtime/runtime_test.h"

#include "xnu/iokit/registry.h"
#include "xnu/iokit/symbols.h"

static void family_start(void)
{
    symbols_start();
    registry_start();
    runtime_start();
}

static inline void run_family(machine_thread_function *body)
{
    kernel_test_start = family_start;
    run_seeds(body, RUNTIME_SEEDS);
}

static inline void run_family_real(machine_thread_function *body)
{
    kernel_test_start = family_start;
    assert_int_equal(kernel_test_status(body, 0, false), 0);
}

static inline void run_family_panic(machine_thread_function *body)
{
    kernel_test_start = family_start;
    run_panic(body);
}

#endif
