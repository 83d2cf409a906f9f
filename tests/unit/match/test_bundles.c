/* SPDX-License-Identifier: BSD-3-Clause */
/* Bundles and folders, versions, libraries, Mach-O headers. */
#include "tests/unit/match/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/libraries.h"
#include "match/macho.h"
#include "match/plist_libplist.h"
#include "match/release.h"
#include "match/version.h"

static const struct kext_options lenient = { .architecture = "x86_64", .mode = PLIST_FILE_LENIENT };

/* ---- reading ---- */

static void folders_bundles_plugins_and_plain_lists_are_read(void **state)
{
    struct kext_set set = { NULL };
    struct problems problems = { 0 };
    struct kext_options without = lenient;
    char *root = make_root();
    char path[300];

    (void)state;
    put_bundle(root, "B.kext", "org.b", "1.0", "");
    put_bundle(root, "A.kext", "org.a", "1.0", "");
    put_bundle(root, "A.kext/Contents/PlugIns/P.kext", "org.p", "1.0", "");
    put_bundle(root, "A.kext/Contents/PlugIns/P.kext/Contents/PlugIns/Q.kext", "org.q", "1.0", "");
    snprintf(path, sizeof path, "%s/notes.txt", root);
    put_bytes(path, "x", 1);
    assert_true(kext_set_load(&set, root, &lenient, &problems));
    assert_int_equal(set.count, 3); /* plug-ins of plug-ins are not scanned */
    assert_string_equal(set.kexts[0]->identifier, "org.a");
    assert_string_equal(set.kexts[1]->identifier, "org.p");
    assert_ptr_equal(set.kexts[1]->container, set.kexts[0]);
    assert_string_equal(set.kexts[2]->identifier, "org.b");
    kext_set_clear(&set);
    without.without_plugins = true;
    assert_true(kext_set_load(&set, root, &without, &problems));
    assert_int_equal(set.count, 2);
    kext_set_clear(&set);
    snprintf(path, sizeof path, "%s/A.kext/Contents/Info.plist", root);
    assert_true(kext_set_load(&set, path, &lenient, &problems));
    assert_int_equal(problems.count, 0);
    assert_false(kext_set_load(&set, "/nowhere.kext", &lenient, &problems));
    assert_int_equal(problems.errors, 1);
    kext_set_clear(&set);
    problems_clear(&problems);
    remove_root(root);
}

static void a_broken_kext_does_not_hide_the_others(void **state)
{
    struct kext_set set = { NULL };
    struct problems problems = { 0 };
    char *root = make_root();
    char path[300];

    (void)state;
    snprintf(path, sizeof path, "%s/A.kext/Contents/Info.plist", root);
    put_bytes(path, "<plist>\n<dict>", 14);
    put_bundle(root, "B.kext", "org.b", "1.0", "");
    assert_true(kext_set_load(&set, root, &lenient, &problems));
    assert_int_equal(set.count, 1);
    assert_int_equal(problems.errors, 1);
    assert_int_equal(problems.list[0].line, 2);
    kext_set_clear(&set);
    problems_clear(&problems);
    remove_root(root);
}

static void binary_lists_are_read_leniently_and_refused_strictly(void **state)
{
    static const char text[] =
        "<plist version=\"1.0\"><dict><key>CFBundleIdentifier</key><string>org.b</string></dict>"
        "</plist>";
    const struct kext_options strict = { .mode = PLIST_FILE_STRICT };
    struct kext_set set = { NULL };
    struct problems problems = { 0 };
    size_t size;
    char *bytes = libplist_xml_to_binary(text, sizeof text - 1, &size);

    (void)state;
    assert_non_null(kext_set_add_text(&set, bytes, size, "Info.plist", &lenient, &problems));
    assert_true(set.kexts[0]->is_binary);
    assert_null(kext_set_add_text(&set, bytes, size, "Info.plist", &strict, &problems));
    kext_set_clear(&set);
    problems_clear(&problems);
    free(bytes);
}

static void architecture_forms_replace_os_and_io_keys_only(void **state)
{
    static const char text[] =
        "<plist><dict><key>OSBundleLibraries</key><string>any</string>"
        "<key>OSBundleLibraries_x86_64</key><string>64</string><key>CFBundleName</key>"
        "<string>any</string><key>CFBundleName_x86_64</key><string>64</string></dict></plist>";
    struct kext_set set = { NULL };
    struct kext *kext = kext_set_add_text(&set, text, sizeof text - 1, "x", &lenient, NULL);

    (void)state;
    assert_string_equal(plist_string(kext_value(kext, "OSBundleLibraries", "x86_64")), "64");
    assert_string_equal(plist_string(kext_value(kext, "OSBundleLibraries", "i386")), "any");
    assert_string_equal(plist_string(kext_value(kext, "CFBundleName", "x86_64")), "any");
    kext_set_clear(&set);
}

static void versions_are_numbers(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } rows[] = {
        { "1", 1000000009000 },
        { "1.0.0d1", 1000000001001 },
        { "1.0.0fc1", 1000000007001 },
        { "1.0.0f0", -1 },
        { "1.0.0b0", 1000000005000 },
        { "1.0b", -1 },
        { "1.0.0d256", -1 },
        { "12345", -1 },
        { "1..2", 1000000029000 },
        { "1.2.1234.", 1000212349000 },
        { "1.2.3.", -1 },
        { "1.2.3.4", -1 },
        { "1.0.0 beta", 1000000009000 },
        { "1.0.0D1", -1 },
        { "", -1 },
        { "9999.9999.9999fc255", 9999999999997255 },
        { "12345678901234567890", -1 },
    };
    char text[VERSION_TEXT_SIZE];
    size_t index;

    (void)state;
    for (index = 0; index < sizeof rows / sizeof *rows; index++)
        if (version_parse(rows[index].text) != rows[index].value)
            fail_msg("%s: %lld", rows[index].text, (long long)version_parse(rows[index].text));
    version_format(version_parse("01.002.0b3"), text);
    assert_string_equal(text, "1.2.0b3");
    assert_int_equal(version_parse(text), version_parse("1.2.0b3"));
    assert_int_equal(release_parse("10.15.4"), 1015);
    assert_int_equal(release_parse("13.2"), 1300);
    assert_int_equal(release_parse("9"), 0);
    assert_int_equal(release_darwin(1004), 8);
    assert_int_equal(release_darwin(1100), 20);
    assert_int_equal(release_darwin(2600), 25);
}

static void libraries_resolve_by_version_and_compatible_version(void **state)
{
    static const char wants[] = "<key>OSBundleLibraries</key><dict><key>org.lib</key><string>1.5</"
                                "string><key>org.none</key><string>1</string>"
                                "<key>com.apple.kpi.libkern</key><string>8.0.0</"
                                "string><key>com.apple.kpi.bsd</key><string>7.0</string>"
                                "<key>com.apple.kpi.mach</key><string>99.0</"
                                "string><key>com.apple.kernel</key><string>6.0</string>"
                                "<key>com.apple.iokit.IOPCIFamily</key><string>2.0</"
                                "string><key>org.lib2</key><string>x</string></dict>";
    static const enum library_status expected[] = {
        LIBRARY_FOUND,   LIBRARY_MISSING, LIBRARY_BUILT_IN,  LIBRARY_NOT_COMPATIBLE,
        LIBRARY_TOO_OLD, LIBRARY_REFUSED, LIBRARY_NOT_GIVEN, LIBRARY_BAD_VERSION,
    };
    struct kext_set set = { NULL };
    struct problems problems = { 0 };
    char *root = make_root();
    struct library *libraries;
    size_t count;
    size_t index;
    char chain[100];

    (void)state;
    put_bundle(root, "A.kext", "org.a", "1.0", wants);
    put_bundle(root, "L1.kext", "org.lib", "1.4",
               "<key>OSBundleCompatibleVersion</key><string>1.0</string>");
    put_bundle(root, "L2.kext", "org.lib", "2.0",
               "<key>OSBundleCompatibleVersion</key><string>1.0</string>"
               "<key>OSBundleLibraries</key><dict><key>org.a</key><string>1.0</string></dict>");
    assert_true(kext_set_load(&set, root, &lenient, &problems));
    libraries = libraries_resolve(&set, set.kexts[0], "x86_64", 1200, &count);
    assert_int_equal(count, sizeof expected / sizeof *expected);
    for (index = 0; index < count; index++)
        assert_int_equal(libraries[index].status, expected[index]);
    assert_string_equal(libraries[0].kext->path + strlen(root),
                        "/L2.kext"); /* the highest version */
    assert_true(libraries[3].kernel_differs);
    assert_true(libraries_find_cycle(&set, set.kexts[0], "x86_64", chain, sizeof chain));
    assert_string_equal(chain, "org.a -> org.lib -> org.a");
    free(libraries);
    kext_set_clear(&set);
    problems_clear(&problems);
    remove_root(root);
}

/* ---- Mach-O ---- */

static void executables_tell_architectures_and_signature(void **state)
{
    char *root = make_root();
    char path[300];
    struct macho macho;
    size_t offset;
    size_t size;
    size_t length;
    char why[100];
    char *bytes;

    (void)state;
    snprintf(path, sizeof path, "%s/x", root);
    put_executable(path, 7, true);
    bytes = read_whole(path, &size);
    assert_true(macho_parse(bytes, size, &macho, &offset, why, sizeof why));
    assert_non_null(macho_find(&macho, "x86_64"));
    assert_true(macho.slices[0].is_kext);
    assert_true(macho.slices[0].has_signature);
    assert_null(macho_find(&macho, "i386"));
    for (length = 0; length < 48; length++)
        assert_false(macho_parse(bytes, length, &macho, &offset, why, sizeof why));
    free(bytes);
    remove_root(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_bundles_plugins_and_plain_lists_are_read),
        cmocka_unit_test(a_broken_kext_does_not_hide_the_others),
        cmocka_unit_test(binary_lists_are_read_leniently_and_refused_strictly),
        cmocka_unit_test(architecture_forms_replace_os_and_io_keys_only),
        cmocka_unit_test(versions_are_numbers),
        cmocka_unit_test(libraries_resolve_by_version_and_compatible_version),
        cmocka_unit_test(executables_tell_architectures_and_signature),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
