/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kext in native form for test_native.c: the class NativeTest, and what happened to it. Its
 * sources include I/O Kit headers, the test includes libc's.
 */
#ifndef TESTS_UNIT_XNU_LOADER_NATIVE_KEXT_H
#define TESTS_UNIT_XNU_LOADER_NATIVE_KEXT_H

#include <stdbool.h>
#include <stdint.h>

struct kext_info;

extern int native_started, native_stopped;
struct kext_info *native_info(void);
/* Number of slots in which NativeTest's table differs from the kernel's IOService table. */
unsigned native_differences(void);
/* The own method is still in its slot. */
bool native_keeps_own_methods(void);
/* Makes an object by the class's name, initialises it, calls its start; the result. */
bool native_object_starts(void);
/* An object that lives until the second function. */
bool native_object_create(void);
void native_object_destroy(void);
uint32_t native_cpuid(uint32_t leaf);

#endif
