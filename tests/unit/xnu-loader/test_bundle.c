/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Info.plist and version strings: what is understood, what is refused and how it is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/xnu-loader/kext_builder.h"
#include "xnu/loader/bundle.h"
#include "xnu/loader/version.h"

#define HEAD "<plist version=\"1.0\"><dict>"
#define IDENTITY                                                                                  \
    "<key>CFBundleIdentifier</key><string>a.b</string>"                                           \
    "<key>CFBundleVersion</key><string>1.2.3</string>"
#define TAIL "</dict></plist>"

static struct bundle bundle;
static struct loader_error error;

static int open_text(const char *text) {
    memset(&error, 0, sizeof error);
    return bundle_from_plist(&bundle, "x.kext", text, strlen(text), 1013, &error);
}

static void assert_refused(const char *text, const char *reason) {
    if (open_text(text) == 0) {
        fail_msg("accepted: %s", text);
    }
    if (strstr(error.text, reason) == NULL || strncmp(error.text, "x.kext: ", 8) != 0 ||
        error.status != MACHINE_EXIT_KEXT || strchr(error.text, '\n') != NULL) {
        fail_msg("status %d: %s", error.status, error.text);
    }
    /* The next good one works. */
    assert_int_equal(open_text(HEAD IDENTITY TAIL), 0);
    bundle_close(&bundle);
}

static void a_whole_plist_is_understood(void **state) {
    assert_int_equal(
        open_text(HEAD IDENTITY
                  "<key>OSBundleCompatibleVersion</key><string>1.1</string>"
                  "<key>CFBundleExecutable</key><string>code</string>"
                  "<key>OSBundleLibraries</key><dict><key>com.apple.kernel.6.0</key>"
                  "<string>7.9.9</string></dict>"
                  "<key>OSBundleLibraries_x86_64</key><dict><key>com.apple.kpi.bsd</key>"
                  "<string>10.0.0d4</string></dict>"
                  "<key>IOKitPersonalities</key><dict><key>one</key><dict/></dict>" TAIL),
        0);
    assert_string_equal(bundle.identifier, "a.b");
    assert_string_equal(bundle.version_text, "1.2.3");
    assert_true(bundle.compatible_version < bundle.version);
    assert_int_equal(bundle.library_count, 1); /* the variant for the processor counts */
    assert_string_equal(bundle.libraries[0].identifier, "com.apple.kpi.bsd");
    assert_int_equal(bundle.libraries[0].version, kext_version_parse("10.0.0d4", 1013));
    assert_int_equal(plist_count(bundle.personalities), 1);
    bundle_close(&bundle);
}

static void what_is_wrong_in_a_plist_is_said_in_one_line(void **state) {
    char text[2000], long_name[80];
    assert_refused("", "Info.plist, line");
    assert_refused(HEAD, "Info.plist, line");
    assert_refused("<plist><array/></plist>", "is a array, not a dictionary");
    assert_refused(HEAD TAIL, "CFBundleIdentifier is missing");
    assert_refused(HEAD "<key>CFBundleIdentifier</key><string>a</string>" TAIL,
                   "CFBundleVersion is missing");
    assert_refused(HEAD "<key>CFBundleIdentifier</key><integer>1</integer>"
                        "<key>CFBundleVersion</key><string>1</string>" TAIL,
                   "CFBundleIdentifier is a integer, not a string");
    memset(long_name, 'a', 64);
    long_name[64] = '\0';
    snprintf(text, sizeof text,
             HEAD "<key>CFBundleIdentifier</key><string>%s</string>"
                  "<key>CFBundleVersion</key><string>1</string>" TAIL,
             long_name);
    assert_refused(text, "must have 1 to 63 characters, it has 64");
    assert_refused(HEAD "<key>CFBundleIdentifier</key><string></string>"
                        "<key>CFBundleVersion</key><string>1</string>" TAIL,
                   "it has 0");
    assert_refused(HEAD "<key>CFBundleIdentifier</key><string>a</string>"
                        "<key>CFBundleVersion</key><string>one</string>" TAIL,
                   "CFBundleVersion \"one\" is no kext version");
    assert_refused(HEAD IDENTITY
                   "<key>OSBundleCompatibleVersion</key><string>1.2.4</string>" TAIL,
                   "OSBundleCompatibleVersion 1.2.4 is newer than CFBundleVersion 1.2.3");
    assert_refused(HEAD IDENTITY "<key>OSBundleLibraries</key><array/>" TAIL,
                   "OSBundleLibraries is a array");
    assert_refused(HEAD IDENTITY "<key>OSBundleLibraries</key><dict><key>a</key>"
                                 "<string>x</string></dict>" TAIL,
                   "version \"x\" of a is no kext version");
    assert_refused(HEAD IDENTITY "<key>OSBundleLibraries</key><dict><key>com.apple.kpi.bsd</key>"
                                 "<string>10</string><key>com.apple.kernel.iokit</key>"
                                 "<string>6</string></dict>" TAIL,
                   "mixes com.apple.kpi.* and com.apple.kernel*");
    assert_refused(HEAD IDENTITY "<key>CFBundleExecutable</key><string>a</string>" TAIL,
                   "OSBundleLibraries is needed");
    assert_refused(HEAD IDENTITY "<key>CFBundleExecutable</key><string>../a</string>" TAIL,
                   "is not a file name");
    assert_refused(HEAD IDENTITY "<key>IOKitPersonalities</key><string/>" TAIL,
                   "IOKitPersonalities is a string");
    assert_refused(HEAD IDENTITY "<key>IOKitPersonalities</key><dict><key>one</key>"
                                 "<integer>1</integer></dict>" TAIL,
                   "personality one is a integer");
}

static void too_many_libraries_are_refused(void **state) {
    char text[8000] = HEAD IDENTITY "<key>OSBundleLibraries</key><dict>";
    for (unsigned i = 0; i < 65; i++) {
        char entry[100];
        snprintf(entry, sizeof entry, "<key>library.%u</key><string>1.0</string>", i);
        strcat(text, entry);
    }
    strcat(text, "</dict>" TAIL);
    assert_refused(text, "more than 64 entries");
}

static void folders_that_are_no_bundles_are_named(void **state) {
    memset(&error, 0, sizeof error);
    assert_int_equal(bundle_open(&bundle, "/nonexistent.kext", 1013, &error), -1);
    assert_string_equal(error.text, "/nonexistent.kext: there is no kext bundle");
    memset(&error, 0, sizeof error);
    assert_int_equal(bundle_open(&bundle, builder_folder(), 1013, &error), -1);
    assert_non_null(strstr(error.text, "it has no Contents/Info.plist"));
    memset(&error, 0, sizeof error);
    const char *path = builder_bundle("good", "a.b", "", NULL, 0);
    assert_int_equal(bundle_open(&bundle, path, 1013, &error), 0);
    assert_string_equal(bundle.path, path);
    bundle_close(&bundle);
}

static void versions_compare_as_the_kernel_says(void **state) {
    static const char *const ascending[] = {
        "0.0.1d1", "0.0.1", "1.0.0d1", "1d2", "1.0a1", "1.0b1", "1.0b255", "1.0fc1", "1.0.0f2",
        "1.0", "1.0.1", "1.1", "1.99.99", "2", "10.0.0d4", "10.0.0", "9999"};
    for (size_t i = 0; i + 1 < sizeof ascending / sizeof ascending[0]; i++) {
        uint64_t left = kext_version_parse(ascending[i], 1006);
        uint64_t right = kext_version_parse(ascending[i + 1], 1006);
        assert_true(left != KEXT_VERSION_INVALID);
        if (left >= right) {
            fail_msg("%s is not older than %s", ascending[i], ascending[i + 1]);
        }
    }
    assert_int_equal(kext_version_parse("1.0", 1006), kext_version_parse("1.0.0", 1006));
    assert_int_equal(kext_version_parse("1.0 beta", 1006), kext_version_parse("1.0", 1006));
}

static void bad_versions_are_refused(void **state) {
    static const char *const bad[] = {"",      "a",     ".",     "1.",      "1..2",   "1.0.123",
                                      "12345", "1.0x1", "1.0b",  "1.0b0",   "1.0b256", "1.0b1234",
                                      "1.0f",  "-1",    "1.2.3.4", "1.0fcc1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (kext_version_parse(bad[i], 1011) != KEXT_VERSION_INVALID) {
            fail_msg("accepted \"%s\"", bad[i]);
        }
    }
    assert_true(kext_version_parse("1.0.1234", 1015) != KEXT_VERSION_INVALID);
    assert_true(kext_version_parse("1.0.12345", 1015) == KEXT_VERSION_INVALID);
}

int main(int argc, char **argv) {
    builder_kextlink = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_plist_is_understood),
        cmocka_unit_test(what_is_wrong_in_a_plist_is_said_in_one_line),
        cmocka_unit_test(too_many_libraries_are_refused),
        cmocka_unit_test(folders_that_are_no_bundles_are_named),
        cmocka_unit_test(versions_compare_as_the_kernel_says),
        cmocka_unit_test(bad_versions_are_refused),
    };
    return cmocka_run_group_tests(tests, builder_setup, builder_teardown);
}
