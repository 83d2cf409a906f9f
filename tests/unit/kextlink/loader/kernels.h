/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kernels.h: every examined macOS release as a kernel for kxld.h, from the ABI tables: which
 * symbols its KPI lists and family kexts export, and what its classes have in their virtual tables.
 */
#ifndef TESTS_KEXTLINK_KERNELS_H
#define TESTS_KEXTLINK_KERNELS_H

#include "tests/unit/kextlink/loader/kxld.h"

struct kernels;

/* Reads abi/tables (`folder`) for "i386" or "x86_64". Ends the program with a message on error. */
struct kernels *kernels_read(const char *folder, const char *architecture);
void kernels_free(struct kernels *kernels);

/* The releases, oldest first: "10.6", "10.6.1" ... */
size_t kernels_release_count(const struct kernels *kernels);
const char *kernels_release(const struct kernels *kernels, size_t index);
/* 10.6.8 -> 100608; comparable. */
unsigned int release_number(const char *text);

/* One release as the kext sees it that names these bundle identifiers in OSBundleLibraries. Valid
 * until the next call with the same `kernels`. */
const struct kxld_kernel *kernels_select(struct kernels *kernels, size_t release,
                                         const char *const *libraries, size_t library_count);

#endif
