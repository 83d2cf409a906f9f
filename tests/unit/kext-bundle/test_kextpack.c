/* SPDX-License-Identifier: BSD-3-Clause */
/* kextpack as a program: what it makes, and what it refuses with which message and exit code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "match/plist.h"
#include "tests/unit/kextlink/bench.h"
#include "tests/unit/kextlink/loader/kext_file.h"

#define PLIST(content)                                                                             \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">" content "</plist>\n"

static const char template_text[] =
    PLIST("<dict><key>OSBundleRequired</key><string>Root</string>"
          "<key>OSBundleLibraries</key><dict><key>com.apple.kpi.iokit</key>"
          "<string>8.0.0</string></dict></dict>");
static const char keyboard_text[] =
    PLIST("<dict><key>Keyboard</key><dict><key>IOClass</key><string>HyperVKeyboard</string>"
          "<key>IOProviderClass</key><string>HyperVVMBusDevice</string>"
          "<key>IOProbeScore</key><integer>5000</integer>"
          "<key>Note</key><string>a &lt; b &amp; c</string>"
          "<key>Yes</key><true/><key>Bytes</key><data>AQIDBA==</data>"
          "<key>List</key><array><string>x</string><integer size=\"32\">7</integer></array>"
          "</dict></dict>");

static const char *file_of(const char *name, const char *text)
{
    const char *path = bench_path(name);

    bench_write(path, text, strlen(text));
    return path;
}

static struct outcome make_info(const char *output, const char *version, const char *fragments)
{
    return bench_link("info -o '%s' -template '%s' -name Test -identifier org.machv.Test "
                      "-version '%s' %s", output, file_of("template", template_text), version,
                      fragments);
}

static struct plist *parse(const char *path)
{
    struct plist_diagnostic problem;
    size_t size;
    uint8_t *text = bench_read(path, &size);
    struct plist *plist = plist_parse_xml(text, size, NULL, &problem);

    free(text);
    if (!plist)
        fail_msg("%u: %s", problem.line, problem.text);
    return plist;
}

static void info_has_names_personalities_and_the_template(void **state)
{
    const char *output = bench_path("Info.plist");
    struct outcome outcome = make_info(output, "1.2.3", file_of("keyboard", keyboard_text));
    const struct plist *keyboard;
    struct plist *info, *fragment;

    assert_string_equal(outcome.messages, "");
    assert_int_equal(outcome.exit_code, 0);
    info = parse(output);
    assert_string_equal(plist_string(plist_get(info, "CFBundleIdentifier")), "org.machv.Test");
    assert_string_equal(plist_string(plist_get(info, "CFBundleVersion")), "1.2.3");
    assert_string_equal(plist_string(plist_get(info, "CFBundleExecutable")), "Test");
    assert_string_equal(plist_string(plist_get(info, "OSBundleRequired")), "Root");
    keyboard = plist_get(plist_get(info, "IOKitPersonalities"), "Keyboard");
    assert_string_equal(plist_string(plist_get(keyboard, "CFBundleIdentifier")),
                        "org.machv.Test");
    /* Every type of value comes through unchanged. */
    fragment = parse(bench_path("keyboard"));
    for (size_t i = 0; i < plist_count(plist_get(fragment, "Keyboard")); i++) {
        const char *key = plist_key_at(plist_get(fragment, "Keyboard"), i);

        if (!plist_equal(plist_get(keyboard, key),
                         plist_get(plist_get(fragment, "Keyboard"), key)))
            fail_msg("%s changed", key);
    }
    plist_release(fragment);
    plist_release(info);
}

static void assert_refused(struct outcome outcome, const char *message)
{
    if (outcome.exit_code != 1 || !strstr(outcome.messages, message))
        fail_msg("exit code %d, \"%s\", expected \"%s\"", outcome.exit_code, outcome.messages,
                 message);
}

static void bad_personalities_are_refused(void **state)
{
    const char *output = bench_path("refused.plist");
    const char *keyboard = file_of("keyboard", keyboard_text);
    char twice[1024];

    snprintf(twice, sizeof twice, "'%s' '%s'", keyboard, keyboard);
    assert_refused(make_info(output, "1.0", twice), "personality Keyboard is there already");
    assert_refused(make_info(output, "1.0",
                             file_of("f", PLIST("<dict><key>A</key><true/></dict>"))),
                   "personality A is a boolean, not a dictionary");
    assert_refused(make_info(output, "1.0",
                             file_of("f", PLIST("<dict><key>A</key><dict/></dict>"))),
                   "personality A has no string IOClass");
    assert_refused(make_info(output, "1.0", file_of("f", PLIST("<array/>"))),
                   "the top is a array, not a dictionary");
    assert_refused(make_info(output, "1.0", file_of("f", "<plist><dict>")), "f:1:");
    assert_false(bench_exists(output));
    assert_int_equal(make_info(output, "1.0", keyboard).exit_code, 0);
}

static void versions_that_old_kernels_cannot_read_are_refused(void **state)
{
    static const char *const good[] = {"1", "1.0", "1.2.3", "9999.99.99", "1.0d1", "1.0.0fc255"};
    static const char *const bad[] = {"1.0.123", "12345", "", "1..2", "1.0x1", "1.0b0", "1.0b256",
                                      "1.0 beta", "v1", "1.2.3.4"};
    const char *output = bench_path("version.plist");

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(make_info(output, good[i], "").exit_code, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(make_info(output, bad[i], ""), "is not understood by every macOS");
}

/* The beginning of a Mach-O file is all that joining looks at. */
static const char *slice_file(const char *name, uint32_t magic, uint32_t processor)
{
    uint32_t header[8] = {magic, processor, 3, 0xb};
    const char *path = bench_path(name);

    bench_write(path, header, sizeof header);
    return path;
}

static void slices_are_joined_at_page_boundaries(void **state)
{
    const char *output = bench_path("fat");
    struct outcome outcome =
        bench_link("fat -o '%s' '%s' '%s'", output, slice_file("i386", 0xfeedface, 7),
                   slice_file("x86_64", 0xfeedfacf, 0x01000007));
    const uint8_t *slice;
    size_t size, slice_size;
    uint8_t *bytes;

    assert_string_equal(outcome.messages, "");
    bytes = bench_read(output, &size);
    assert_true(kext_file_slice(bytes, size, 7, &slice, &slice_size));
    assert_int_equal((slice - bytes) % 4096, 0);
    assert_int_equal(slice_size, 32);
    assert_int_equal(slice[0], 0xce);
    assert_true(kext_file_slice(bytes, size, 0x01000007, &slice, &slice_size));
    assert_int_equal((slice - bytes) % 4096, 0);
    assert_int_equal(slice[0], 0xcf);
    free(bytes);
}

static void what_cannot_be_joined_is_refused(void **state)
{
    const char *i386 = slice_file("i386", 0xfeedface, 7);

    assert_refused(bench_link("fat -o x '%s' '%s'", i386, i386), "are of the same architecture");
    assert_refused(bench_link("fat -o x '%s'", slice_file("elf", 0x464c457f, 7)),
                   "not a Mach-O file of one architecture");
    assert_refused(bench_link("fat -o x '%s'", file_of("short", "x")), "not a Mach-O file");
    assert_int_equal(bench_link("fat -o x '%s'", bench_path("absent")).exit_code, 2);
    assert_int_equal(bench_link("fat '%s'", i386).exit_code, 2);
}

static void a_bundle_has_its_two_files(void **state)
{
    const char *info = bench_path("bundle.plist"), *bundle = bench_path("sub/Test.kext");
    size_t size;
    uint8_t *bytes;

    assert_int_equal(make_info(info, "1.0", "").exit_code, 0);
    assert_int_equal(bench_link("bundle -o '%s' -info '%s' -executable '%s'", bundle, info,
                                file_of("program", "code")).exit_code, 0);
    bytes = bench_read(bench_path("sub/Test.kext/Contents/MacOS/Test"), &size);
    assert_int_equal(size, 4);
    assert_memory_equal(bytes, "code", 4);
    free(bytes);
    plist_release(parse(bench_path("sub/Test.kext/Contents/Info.plist")));
    /* Once more over the old one. */
    assert_int_equal(bench_link("bundle -o '%s' -info '%s' -executable '%s'", bundle, info,
                                file_of("program", "new code")).exit_code, 0);
}

static void a_bundle_without_an_executable_name_is_refused(void **state)
{
    assert_refused(bench_link("bundle -o '%s' -info '%s' -executable '%s'",
                              bench_path("No.kext"), file_of("template", template_text),
                              file_of("program", "code")),
                   "has no CFBundleExecutable that is a file name");
    assert_int_equal(bench_link("unknown-verb").exit_code, 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_has_names_personalities_and_the_template),
        cmocka_unit_test(bad_personalities_are_refused),
        cmocka_unit_test(versions_that_old_kernels_cannot_read_are_refused),
        cmocka_unit_test(slices_are_joined_at_page_boundaries),
        cmocka_unit_test(what_cannot_be_joined_is_refused),
        cmocka_unit_test(a_bundle_has_its_two_files),
        cmocka_unit_test(a_bundle_without_an_executable_name_is_refused),
    };

    bench_program = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
