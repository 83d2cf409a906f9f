/* SPDX-License-Identifier: BSD-3-Clause */
/* Which bundle an entry of OSBundleLibraries resolves to (kext tools OSKext.c; xnu OSKext.cpp). */
#ifndef MACHV_MATCH_LIBRARIES_H
#define MACHV_MATCH_LIBRARIES_H

#include "match/bundle.h"

enum library_status {
    LIBRARY_FOUND,
    LIBRARY_BUILT_IN,  /* a KPI of the kernel */
    LIBRARY_NOT_GIVEN, /* an Apple bundle that is not among the kexts given: cannot be checked */
    LIBRARY_MISSING,
    LIBRARY_BAD_VERSION,     /* the requested version does not parse */
    LIBRARY_UNKNOWN_VERSION, /* it, or the library's, is an unexpanded build variable */
    LIBRARY_TOO_OLD,         /* requested above the version there is */
    LIBRARY_NOT_COMPATIBLE,  /* requested below the compatible version */
    LIBRARY_NOT_A_LIBRARY,   /* no OSBundleCompatibleVersion */
    LIBRARY_REFUSED,         /* com.apple.kernel and its components where they may not be used */
};

struct library {
    const char *identifier; /* borrowed from the property list */
    const char *requested;  /* likewise; "" when no string */
    enum library_status status;
    const struct kext *kext; /* when found, or the best that is not usable; else NULL */
    int64_t version;         /* of what it resolves to; VERSION_INVALID when unknown */
    int64_t compatible_version;
    bool kernel_differs; /* the kernel's rule, which does not test compatible <= requested, would
                            take it */
};

/* Is it good enough to link against, as far as is known? */
bool library_is_usable(enum library_status status);
const char *library_status_text(enum library_status status);

/* Resolves every entry of OSBundleLibraries of `kext` against `set` and the kernel of `release` (0:
 * newest). Returns how many were written to `libraries`, an array for free(); NULL and 0 when there
 * are none. */
struct library *libraries_resolve(const struct kext_set *set, const struct kext *kext,
                                  const char *architecture, unsigned release, size_t *count);

/* A chain of dependencies that leads back to `kext`: the identifiers in `chain` ("a -> b -> a"). */
bool libraries_find_cycle(const struct kext_set *set, const struct kext *kext,
                          const char *architecture, char *chain, size_t chain_size);

/* The kext of the highest version with this identifier; of equal ones the last. NULL when there is
 * none. */
const struct kext *libraries_find(const struct kext_set *set, const char *identifier);

#endif
