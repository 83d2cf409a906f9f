/* SPDX-License-Identifier: BSD-3-Clause */
/* What kextlink writes, and how it behaves as a program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/kextlink/bench.h"
#include "tests/unit/kextlink/loader/kext_file.h"

static const char *const architectures[] = {"x86_64", "i386"};

static uint8_t *link_standard(const char *architecture, const char *more, size_t *size)
{
    const char *output = bench_path("standard");
    struct outcome outcome = bench_link("-o '%s' '%s' '%s' %s", output,
                                        bench_compile(architecture, "sample", ""),
                                        bench_compile(architecture, "module", ""), more);

    assert_string_equal(outcome.messages, "");
    assert_int_equal(outcome.exit_code, 0);
    return bench_read(output, size);
}

static void the_layout_is_what_every_loader_accepts(void **state)
{
    for (int i = 0; i < 2; i++) {
        struct kext_file file;
        size_t size;
        uint8_t *bytes = link_standard(architectures[i], "", &size);

        /* kext_file_read checks every rule of layout (kext_rules.c). */
        if (!kext_file_read(&file, bytes, size))
            fail_msg("%s: %s", architectures[i], file.problem);
        assert_int_equal(file.is_64, i == 0);
        assert_int_equal(file.file_type, i == 0 ? 0xb : 0x1);
        assert_int_equal(file.flags, i == 0 ? 0x85 : 0);
        kext_file_free(&file);
        free(bytes);
    }
}

/* The rules themselves must bite: each damaged byte makes the reader refuse. */
static void the_tests_own_reader_refuses_a_broken_layout(void **state)
{
    static const struct {
        size_t offset;
        uint8_t value;
    } damages[] = {
        {0x0c, 1},    /* file type */
        {0x18, 0x01}, /* flags without DYLDLINK */
        {0x20, 0x24}, /* first command: LC_VERSION_MIN_MACOSX */
        {0x38, 0x10}, /* __TEXT at address 0x10 */
        {0x60, 0x00}, /* no section in __TEXT */
    };
    size_t size;
    uint8_t *bytes = link_standard("x86_64", "", &size);

    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct kext_file file;
        uint8_t kept = bytes[damages[i].offset];

        assert_int_not_equal(kept, damages[i].value);
        bytes[damages[i].offset] = damages[i].value;
        assert_false(kext_file_read(&file, bytes, size));
        kext_file_free(&file);
        bytes[damages[i].offset] = kept;
    }
    free(bytes);
}

static void the_same_inputs_give_the_same_bytes(void **state)
{
    for (int i = 0; i < 2; i++) {
        size_t size, again_size;
        uint8_t *bytes = link_standard(architectures[i], "", &size);
        uint8_t *again = link_standard(architectures[i], "", &again_size);

        assert_int_equal(size, again_size);
        assert_memory_equal(bytes, again, size);
        free(bytes);
        free(again);
    }
}

static void the_uuid_depends_on_the_content_and_is_version_5(void **state)
{
    size_t size, other_size;
    uint8_t *bytes = link_standard("x86_64", "", &size);
    const char *provider = bench_compile("x86_64", "provider", "");
    uint8_t *other = link_standard("x86_64", provider, &other_size);
    struct kext_file file, other_file;

    assert_true(kext_file_read(&file, bytes, size));
    assert_true(kext_file_read(&other_file, other, other_size));
    assert_int_equal(file.uuid[6] >> 4, 5);
    assert_int_equal(file.uuid[8] >> 6, 2);
    assert_memory_not_equal(file.uuid, other_file.uuid, 16);
    kext_file_free(&file);
    kext_file_free(&other_file);
    free(bytes);
    free(other);
}

static void only_classes_and_kmod_info_stay_external(void **state)
{
    for (int i = 0; i < 2; i++) {
        size_t size;
        uint8_t *bytes =
            link_standard(architectures[i], bench_compile(architectures[i], "provider", ""), &size);
        const struct kext_symbol *symbol;
        struct kext_file file;

        assert_true(kext_file_read(&file, bytes, size));
        symbol = kext_file_symbol(&file, "_imported_function");
        assert_non_null(symbol);
        assert_int_equal(symbol->type & 1, 0);
        symbol = kext_file_symbol(&file, "_kmod_info");
        assert_int_equal(symbol->type & 1, 1);
        symbol = kext_file_symbol(&file, "__ZTV6Sample");
        assert_int_equal(symbol->type & 1, 1);
        kext_file_free(&file);
        free(bytes);
    }
}

static void unused_imports_are_left_out(void **state)
{
    size_t size;
    uint8_t *bytes = link_standard("i386", bench_compile("i386", "sample-unused", ""), &size);
    struct kext_file file;

    assert_true(kext_file_read(&file, bytes, size));
    assert_null(kext_file_symbol(&file, "_never_used"));
    assert_non_null(kext_file_symbol(&file, "__ZTV6Parent"));
    kext_file_free(&file);
    free(bytes);
}

static void debug_information_is_dropped(void **state)
{
    for (int i = 0; i < 2; i++) {
        const char *output = bench_path("debug");
        struct outcome outcome =
            bench_link("-o '%s' '%s' '%s'", output,
                       bench_compile(architectures[i], "sample", "-g"),
                       bench_compile(architectures[i], "module",
                                     "-g -fasynchronous-unwind-tables"));
        struct kext_file file;
        uint8_t *bytes;
        size_t size;

        assert_string_equal(outcome.messages, "");
        bytes = bench_read(output, &size);
        if (!kext_file_read(&file, bytes, size))
            fail_msg("%s", file.problem);
        assert_null(kext_file_section(&file, "__eh_frame"));
        assert_null(kext_file_section(&file, "__debug_info"));
        kext_file_free(&file);
        free(bytes);
    }
}

static void llvm_tools_read_the_output(void **state)
{
    for (int i = 0; i < 2; i++) {
        size_t size;
        char command[1024];

        free(link_standard(architectures[i], "", &size));
        if (system("command -v llvm-objdump >/dev/null && command -v llvm-nm >/dev/null") != 0)
            skip();
        snprintf(command, sizeof command,
                 "llvm-nm '%s' | grep -q ' __ZTV6Sample$' && "
                 "llvm-objdump --macho --private-headers -r -d '%s' >/dev/null",
                 bench_path("standard"), bench_path("standard"));
        assert_int_equal(system(command), 0);
    }
}

static void the_map_lists_sections_symbols_and_imports(void **state)
{
    const char *map = bench_path("map");
    struct outcome outcome = bench_link("-o '%s' -map '%s' '%s' '%s'", bench_path("mapped"), map,
                                        bench_compile("i386", "sample", ""),
                                        bench_compile("i386", "module", ""));
    size_t size;
    char *text;

    assert_int_equal(outcome.exit_code, 0);
    text = (char *)bench_read(map, &size);
    text[size] = '\0'; /* bench_read leaves room for it */
    assert_non_null(strstr(text, "00000000  "));
    assert_non_null(strstr(text, "__TEXT,__text\n"));
    assert_non_null(strstr(text, "  external  __ZTV6Sample ("));
    assert_non_null(strstr(text, "\ntable     __ZN6Parent6renameEv\n"));
    assert_non_null(strstr(text, "\ndirect    __ZTV6Parent"));
    free(text);
}

static void wrong_usage_and_files_give_exit_code_2(void **state)
{
    const char *object = bench_compile("x86_64", "sample", "");

    assert_int_equal(bench_link("%s", "").exit_code, 2);
    assert_non_null(strstr(bench_link("-o").messages, "usage: kextlink -o OUT"));
    assert_int_equal(bench_link("-o x -arch ppc '%s'", object).exit_code, 2);
    assert_int_equal(bench_link("-o x -frobnicate y '%s'", object).exit_code, 2);
    assert_non_null(strstr(bench_link("-o x -frobnicate y '%s'", object).messages,
                           "no such option: -frobnicate"));
    assert_non_null(strstr(bench_link("-o x -arch ppc '%s'", object).messages,
                           "architecture: ppc"));
    assert_int_equal(bench_link("-o x '%s'", bench_path("absent.o")).exit_code, 2);
    assert_non_null(strstr(bench_link("-o x '%s'", bench_path("absent.o")).messages,
                           "absent.o: No such file or directory"));
    assert_int_equal(bench_link("-o x '%s'", bench_path(".")).exit_code, 2);
    assert_int_equal(bench_link("-o x -imports '%s' '%s'", bench_path("absent"), object).exit_code,
                     2);
    assert_int_equal(bench_link("-o '%s' '%s' '%s'", bench_path("absent/folder"), object,
                                bench_compile("x86_64", "module", "")).exit_code, 2);
}

static void a_bad_line_in_the_imports_is_named(void **state)
{
    const char *list = bench_path("bad.imports");
    struct outcome outcome;

    bench_write(list, "import\t_good\nimport _no_tab\n", 28);
    outcome = bench_link("-o x -imports '%s' '%s'", list, bench_compile("i386", "module", ""));
    assert_int_equal(outcome.exit_code, 2);
    assert_non_null(strstr(outcome.messages, "bad.imports:2: not \"import NAME\""));
}

static void a_refused_link_leaves_the_old_output_alone(void **state)
{
    const char *output = bench_path("old");

    bench_write(output, "old", 3);
    assert_int_equal(bench_link("-o '%s' '%s'", output,
                                bench_compile("x86_64", "sample", "")).exit_code, 1);
    for (int i = 0; i < 2; i++) {
        size_t size;
        uint8_t *bytes = bench_read(output, &size);

        assert_int_equal(size, i == 0 ? 3 : size);
        assert_true((i == 0) == (memcmp(bytes, "old", 3) == 0));
        free(bytes);
        bench_link("-o '%s' '%s' '%s'", output, bench_compile("x86_64", "sample", ""),
                   bench_compile("x86_64", "module", ""));
    }
}

static void mixed_architectures_are_refused(void **state)
{
    struct outcome outcome = bench_link("-o x '%s' '%s'", bench_compile("x86_64", "sample", ""),
                                        bench_compile("i386", "module", ""));

    assert_int_equal(outcome.exit_code, 1);
    assert_non_null(strstr(outcome.messages, "is for i386, but this link is for x86_64"));
    outcome = bench_link("-o x -arch i386 '%s'", bench_compile("x86_64", "module", ""));
    assert_int_equal(outcome.exit_code, 1);
    assert_non_null(strstr(outcome.messages, "is for x86_64, but this link is for i386"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layout_is_what_every_loader_accepts),
        cmocka_unit_test(the_tests_own_reader_refuses_a_broken_layout),
        cmocka_unit_test(the_same_inputs_give_the_same_bytes),
        cmocka_unit_test(the_uuid_depends_on_the_content_and_is_version_5),
        cmocka_unit_test(only_classes_and_kmod_info_stay_external),
        cmocka_unit_test(unused_imports_are_left_out),
        cmocka_unit_test(debug_information_is_dropped),
        cmocka_unit_test(llvm_tools_read_the_output),
        cmocka_unit_test(the_map_lists_sections_symbols_and_imports),
        cmocka_unit_test(wrong_usage_and_files_give_exit_code_2),
        cmocka_unit_test(a_bad_line_in_the_imports_is_named),
        cmocka_unit_test(a_refused_link_leaves_the_old_output_alone),
        cmocka_unit_test(mixed_architectures_are_refused),
    };

    bench_program = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
