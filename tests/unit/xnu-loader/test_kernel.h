/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel made up for the tests: the class Parent with ten slots, OSMetaClass, a few functions. A
 * test may change the names in its slots and which symbols it exports.
 */
#ifndef TESTS_UNIT_XNU_LOADER_TEST_KERNEL_H
#define TESTS_UNIT_XNU_LOADER_TEST_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xnu/loader/loader.h"

#define PARENT_SLOTS 10u

struct test_kernel {
    struct loader_kernel kernel;
    /* Names of Parent's slots; each stands for another function. NULL ends the table early. */
    const char *slots[PARENT_SLOTS + 1];
    const char *absent;   /* a symbol that is not exported, NULL: none */
    const char *extra;    /* one more exported symbol (a function), NULL: none */
    uintptr_t parent_table[2 + PARENT_SLOTS + 2];
    uintptr_t metaclass_table[2 + 26 + 1];
};

/* All slots as the fixtures expect them; call test_kernel_update() after changing names. */
void test_kernel_init(struct test_kernel *kernel);
void test_kernel_update(struct test_kernel *kernel);
/* The function behind slot n, whatever its name. */
uintptr_t test_kernel_slot(unsigned slot);

/* What kexts reported by kernel_record(). */
void test_kernel_forget(void);
unsigned test_kernel_count(const char *what);
long test_kernel_value(const char *what); /* of the last report; -1: none */

/* Runs constructors and destructors; fails when told so. */
extern const struct kext_runtime test_runtime;
extern int test_runtime_status;
extern bool test_runtime_instances;

#endif
