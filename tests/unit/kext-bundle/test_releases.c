/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every built slice, and a small kext made with abi/ here, linked by kxld's rules against every
 * release of macOS it claims: all its imports exist there and its tables can be patched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "match/plist.h"
#include "tests/unit/kext-bundle/support.h"
#include "tests/unit/kextlink/bench.h"

static void every_claimed_release_links_each_slice(void **state)
{
    assert_true(slice_count > 0);
    for (size_t i = 0; i < slice_count; i++) {
        const struct slice *slice = &slices[i];
        const char *libraries[LIBRARIES_MAX];
        struct plist *info = bundle_info(slice->name);
        struct compatibility result;
        struct kext_file file;
        size_t size;
        uint8_t *bytes = bundle_executable(slice->name, &size);

        slice_read(slice, bytes, size, &file);
        result = check_releases(&file, slice, libraries,
                                libraries_for(info, slice->architecture, libraries));
        printf("# note: %s.kext %s: %s - %s (claimed: %s - %s)\n", slice->name, slice->architecture,
               result.first ? result.first : "no release", result.last ? result.last : "",
               slice->oldest, slice->newest);
        if (result.refusals_in_claim)
            fail_msg("%s.kext %s: %s", slice->name, slice->architecture, result.problem);
        assert_true(result.releases_in_claim > 0);
        kext_file_free(&file);
        free(bytes);
        plist_release(info);
    }
}

static const char *const service_libraries[] = {"com.apple.kpi.iokit", "com.apple.kpi.libkern"};
static const char *const device_libraries[] = {"com.apple.kpi.iokit", "com.apple.kpi.libkern",
                                               "com.apple.iokit.IOHIDFamily"};

/* Compiles fixtures/classes.c as kext/meson.build does and links it. */
static uint8_t *make_kext(const struct slice *slice, const char *abi, const char *flags,
                          struct kext_file *file)
{
    const char *output = bench_path("classes");
    char all[1024];
    struct outcome outcome;
    uint8_t *bytes;
    size_t size;

    snprintf(all, sizeof all, "-DABI_OLDEST=%s -nostdlibinc -I'%s' -I'%s' %s", abi,
             getenv("MACHV_SOURCE_ROOT"), getenv("MACHV_BUILD_ROOT"), flags);
    outcome = bench_link("-o '%s' '%s'", output,
                         bench_compile(slice->architecture, "../../kext-bundle/fixtures/classes",
                                       all));
    assert_string_equal(outcome.messages, "");
    bytes = bench_read(output, &size);
    if (!kext_file_read(file, bytes, size))
        fail_msg("%s", file->problem);
    return bytes;
}

static struct compatibility try_kext(const struct slice *slice, const char *abi, const char *flags,
                                     const char *const *libraries, size_t library_count)
{
    struct compatibility result;
    struct kext_file file;
    uint8_t *bytes = make_kext(slice, abi, flags, &file);

    result = check_releases(&file, slice, libraries, library_count);
    kext_file_free(&file);
    free(bytes);
    return result;
}

static const struct slice i386 = {"classes", "i386", "10.4", "10.7.5"};
static const struct slice x86_64 = {"classes", "x86_64", "10.6", "15.6"};
static const struct slice monterey = {"classes", "x86_64", "12.0.1", "15.6"};

static void a_class_made_with_abi_links_everywhere(void **state)
{
    const struct {
        const struct slice *slice;
        const char *abi;
    } variants[] = {{&i386, "1004"}, {&x86_64, "1006"}, {&monterey, "1200"}};

    for (int i = 0; i < 3; i++) {
        struct compatibility service = try_kext(variants[i].slice, variants[i].abi,
                                                "-DWITHOUT_FAMILY", service_libraries, 2);
        struct compatibility device =
            try_kext(variants[i].slice, variants[i].abi, "", device_libraries, 3);

        printf("# ABI %s: IOService %s - %s", variants[i].abi, service.first, service.last);
        printf(", IOHIDDevice %s - %s\n", device.first, device.last);
        if (service.refusals_in_claim || device.refusals_in_claim)
            fail_msg("ABI %s: %s %s", variants[i].abi, service.problem, device.problem);
        assert_in_range(service.releases_in_claim, 5, 256);
    }
}

static void names_of_macos_12_do_not_link_on_10_6(void **state)
{
    struct compatibility result =
        try_kext(&x86_64, "1200", "-DWITHOUT_FAMILY", service_libraries, 2);

    assert_true(result.refusals_in_claim > 0);
    assert_memory_equal(result.problem, "macOS 10.6: ", 12);
}

static void an_undeclared_library_leaves_symbols_unresolved(void **state)
{
    struct compatibility result = try_kext(&monterey, "1200", "", service_libraries, 2);

    assert_int_equal(result.refusals_in_claim, result.releases_in_claim);
    assert_non_null(strstr(result.problem, "unresolved symbol"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_claimed_release_links_each_slice),
        cmocka_unit_test(a_class_made_with_abi_links_everywhere),
        cmocka_unit_test(names_of_macos_12_do_not_link_on_10_6),
        cmocka_unit_test(an_undeclared_library_leaves_symbols_unresolved),
    };

    bench_program = argc > 1 ? argv[1] : NULL;
    slices_parse(argc, argv);
    return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
