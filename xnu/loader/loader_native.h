/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The native form of a kext: the same sources compiled as ELF and linked into this program, for
 * sanitizers and fuzzers. The system's linker has resolved its symbols; what is left is to patch
 * its tables, to run its constructors, which lie between __start_kext_constructors and
 * __stop_kext_constructors (abi/runtime.h), and to call its start function.
 */
#ifndef MACHV_XNU_LOADER_LOADER_NATIVE_H
#define MACHV_XNU_LOADER_LOADER_NATIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "xnu/loader/kext.h"
#include "xnu/loader/loader_error.h"

struct native_kext {
    const char *identifier;
    struct kext_info *info; /* its `_kmod_info`; NULL: only classes, nothing to start */
    /*
     * Names of its functions that use CPUID, NULL at the end: their CPUID instructions are made to
     * trap. Such a function must not be inlined.
     */
    const char *const *cpuid_functions;
    struct module_code code; /* filled by native_kext_start */
    bool started;
};

/*
 * Patches the tables of the classes, registers them, calls the start function.
 *
 * The kernel fills its own tables at start for the chosen release, so the slots that a kext
 * inherits by the oldest release's names are replaced by what the superclass has now: the rules of
 * link_tables.c, with addresses in place of undefined symbols. A slot counts as inherited when it
 * holds a function of the kernel. 0, or -1 with `error` set.
 */
int native_kext_start(struct native_kext *kext, const struct kext_runtime *runtime,
                      const struct symbol_source *kernel, struct loader_error *error);
/* Calls the stop function and takes the classes away. -1: it refused. */
int native_kext_stop(struct native_kext *kext, const struct kext_runtime *runtime,
                     struct loader_error *error);

#endif
