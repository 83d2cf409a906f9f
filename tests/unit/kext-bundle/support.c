/* SPDX-License-Identifier: BSD-3-Clause */
/* support.c: finds the built kexts and runs them past every release. */
#include "tests/unit/kext-bundle/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "match/plist.h"
#include "tests/unit/kextlink/bench.h"
#include "tests/unit/kextlink/loader/kernels.h"

struct slice slices[SLICES_MAX];
size_t slice_count;

void slices_parse(int argc, char **argv)
{
    for (int i = 1; i < argc && slice_count < SLICES_MAX; i++) {
        struct slice *slice = &slices[slice_count];

        if (sscanf(argv[i], "%63[^:]:%15[^:]:%15[^:]:%15[^:]", slice->name, slice->architecture,
                   slice->oldest, slice->newest) == 4)
            slice_count++;
    }
}

static const char *bundle_path(const char *name, const char *rest)
{
    static char path[1024];

    snprintf(path, sizeof path, "%s/kexts/%s.kext/Contents/%s", getenv("MACHV_BUILD_ROOT"), name,
             rest);
    return path;
}

struct plist *bundle_info(const char *name)
{
    struct plist_diagnostic problem;
    size_t size;
    uint8_t *text = bench_read(bundle_path(name, "Info.plist"), &size);
    struct plist *info = plist_parse_xml(text, size, NULL, &problem);

    free(text);
    if (!info)
        fail_msg("%s: Info.plist:%u: %s", name, problem.line, problem.text);
    return info;
}

uint8_t *bundle_executable(const char *name, size_t *size)
{
    char rest[128];

    snprintf(rest, sizeof rest, "MacOS/%s", name);
    return bench_read(bundle_path(name, rest), size);
}

void slice_read(const struct slice *slice, const uint8_t *bytes, size_t size,
                struct kext_file *file)
{
    uint32_t processor = strcmp(slice->architecture, "i386") == 0 ? 7 : 0x01000007;
    const uint8_t *part;
    size_t part_size;

    if (!kext_file_slice(bytes, size, processor, &part, &part_size))
        fail_msg("%s has no slice for %s", slice->name, slice->architecture);
    if (!kext_file_read(file, part, part_size))
        fail_msg("%s %s: %s", slice->name, slice->architecture, file->problem);
}

size_t libraries_for(const struct plist *info, const char *architecture,
                     const char *libraries[LIBRARIES_MAX])
{
    const struct plist *dictionary;
    char key[64];
    size_t count;

    snprintf(key, sizeof key, "OSBundleLibraries_%s", architecture);
    dictionary = plist_get(info, key);
    if (!dictionary)
        dictionary = plist_get(info, "OSBundleLibraries");
    count = plist_count(dictionary);
    assert_in_range(count, 1, LIBRARIES_MAX);
    for (size_t i = 0; i < count; i++)
        libraries[i] = plist_key_at(dictionary, i);
    return count;
}

struct compatibility check_releases(const struct kext_file *file, const struct slice *slice,
                                    const char *const *libraries, size_t library_count)
{
    struct compatibility result = {0};
    struct kxld *kxld = malloc(sizeof *kxld);
    struct kernels *kernels;
    size_t run = 0, longest = 0;
    char tables[1024];

    snprintf(tables, sizeof tables, "%s/abi/tables", getenv("MACHV_SOURCE_ROOT"));
    kernels = kernels_read(tables, slice->architecture);
    for (size_t i = 0; i < kernels_release_count(kernels); i++) {
        static char first[16], last[16];
        const char *release = kernels_release(kernels, i);
        bool claimed = release_number(release) >= release_number(slice->oldest) &&
                       release_number(release) <= release_number(slice->newest);
        bool accepted = kxld_link(kxld, file, kernels_select(kernels, i, libraries,
                                                             library_count));

        result.releases_in_claim += claimed;
        if (claimed && !accepted && result.refusals_in_claim++ == 0)
            snprintf(result.problem, sizeof result.problem, "macOS %s: %s", release,
                     kxld->problem);
        run = accepted ? run + 1 : 0;
        if (run > longest) {
            longest = run;
            snprintf(first, sizeof first, "%s", kernels_release(kernels, i + 1 - run));
            snprintf(last, sizeof last, "%s", release);
            result.first = first;
            result.last = last;
        }
        kxld_free(kxld);
    }
    kernels_free(kernels);
    free(kxld);
    return result;
}
