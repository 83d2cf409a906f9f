/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The set of kexts that a kernel was given: finding what each needs (OSBundleLibraries), loading
 * them libraries first, stopping them in the opposite order (XNU libkern/c++/OSKext.cpp:
 * resolveDependencies, loadKextWithIdentifier). Call on a kernel thread.
 */
#ifndef MACHV_XNU_LOADER_LOADER_H
#define MACHV_XNU_LOADER_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xnu/loader/bundle.h"
#include "xnu/loader/kext.h"
#include "xnu/loader/loader_error.h"
#include "xnu/loader/symbol_source.h"

#define LOADER_KEXTS_MAX 128u

struct loader;

/* The kernel that kexts are linked against: its symbols, and which libraries it contains. */
struct loader_kernel {
    struct symbol_source symbols;
    /*
     * Whether the kernel contains the library (a KPI or a family); version strings of it and of the
     * oldest it is compatible with. Context: symbols.context.
     */
    bool (*library)(void *context, const char *identifier, const char **version,
                    const char **compatible_version);
};

/* `kernel` and `runtime` must outlive it. NULL: no memory. */
struct loader *loader_create(uint32_t release, const struct loader_kernel *kernel,
                             const struct kext_runtime *runtime);
/* All kexts must be stopped; what could not be stopped stays in memory. */
void loader_destroy(struct loader *loader);

/* Opens a bundle and adds it to the set; nothing is loaded yet. 0, or -1 with `error` set. */
int loader_add(struct loader *loader, const char *path, struct loader_error *error);

/* The bundles in the order in which they were added; index from 0, NULL beyond the last. */
const struct bundle *loader_bundle(const struct loader *loader, size_t index);

/*
 * Loads and starts the kext and, before it, the kexts it links against. One that runs already is
 * left alone. 0, or -1 with `error` set, which begins with the identifier of the kext at fault.
 */
int loader_load(struct loader *loader, const char *identifier, struct loader_error *error);
/* The loaded kext, NULL if it is not loaded or has no code. */
const struct kext *loader_kext(const struct loader *loader, const char *identifier);
bool loader_is_started(const struct loader *loader, const char *identifier);

/*
 * Stops and unloads all kexts, those that link against others first. A kext that refuses stays, and
 * what it links against too. Returns how many stay; `error` is set for the first of them.
 */
size_t loader_unload_all(struct loader *loader, struct loader_error *error);

#endif
