/* SPDX-License-Identifier: BSD-3-Clause */
/* What all tests of the PCI engines include. */
#ifndef TESTS_UNIT_KEXT_PCI_ENGINE_TEST_H
#define TESTS_UNIT_KEXT_PCI_ENGINE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

#endif
