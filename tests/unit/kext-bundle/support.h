/* SPDX-License-Identifier: BSD-3-Clause */
/* support.h: the built slices, and linking one against every release of macOS. */
#ifndef TESTS_KEXT_BUNDLE_SUPPORT_H
#define TESTS_KEXT_BUNDLE_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/kextlink/loader/kext_file.h"
#include "tests/unit/kextlink/loader/kxld.h"

struct plist;

/* One architecture of one bundle, and the releases the build says it is for. */
struct slice {
    char name[64], architecture[16], oldest[16], newest[16];
};

enum { SLICES_MAX = 16, LIBRARIES_MAX = 32 };
extern struct slice slices[SLICES_MAX];
extern size_t slice_count;

/* Reads "NAME:ARCH:OLDEST:NEWEST" from the arguments behind the first. */
void slices_parse(int argc, char **argv);

/* The bundle's Info.plist in the build directory; to be released. */
struct plist *bundle_info(const char *name);
/* The bundle's executable; to be freed. */
uint8_t *bundle_executable(const char *name, size_t *size);

/* Parses the slice out of the executable; fails the test if a layout rule is broken. */
void slice_read(const struct slice *slice, const uint8_t *bytes, size_t size,
                struct kext_file *file);

/* The identifiers in OSBundleLibraries that count for the architecture, borrowed from `info`. */
size_t libraries_for(const struct plist *info, const char *architecture,
                     const char *libraries[LIBRARIES_MAX]);

/* How far a kext gets on the examined releases. */
struct compatibility {
    const char *first, *last; /* the longest run of accepting releases; NULL = none */
    size_t refusals_in_claim, releases_in_claim;
    char problem[512]; /* of the first refusal within the claim */
};

/* Links `file` against every release as kxld would. */
struct compatibility check_releases(const struct kext_file *file, const struct slice *slice,
                                    const char *const *libraries, size_t library_count);

#endif
