/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each mistake in a source that kextlink must refuse: exit code 1, no output, and a message that
 * names what is wrong. The sources are the fixtures with one FAULT_* macro.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/kextlink/bench.h"

static const char *const both[] = {"x86_64", "i386", NULL};
static const char *const only_x86_64[] = {"x86_64", NULL};
static const char *const only_i386[] = {"i386", NULL};

/* The table of imports for the fixtures' imaginary kernel. */
static const char imports[] =
    "# for the tests\n"
    "import\t__ZN11OSMetaClassC2EPKcPKS_j\n"
    "import\t__ZN6Parent10gMetaClassE\n"
    "import\t__ZTV6Parent\n"
    "import\t__ZNK8OSObject6retainEv\n"
    "import\t__ZN6Parent5startEPS_\n"
    "import\t__ZN6Parent4stopEPS_\n"
    "import\t__ZN6Parent6renameEv\n"
    "import\t__ZNK6Parent5queryEi\n"
    "import\t__ZN6ParentD0Ev\n"
    "table\t__ZN6Parent15_RESERVEDParent0Ev\n"
    "table\t__ZN6Parent15_RESERVEDParent1Ev\n"
    "import\t__ZNK11OSMetaClass7releaseEi\n"
    "table\t__ZN15OSMetaClassBase25_RESERVEDOSMetaClassBase3Ev\n"
    "import\t_OSRuntimeInitializeCPP\n"
    "class\tParent\t10\n"
    "class\tOSMetaClass\t26\n";

struct fault {
    const char *const *architectures;
    const char *source; /* compiled with the flags; the other standard sources are clean */
    const char *flags;
    const char *message;
};

static const char *imports_file(void)
{
    const char *path = bench_path("imports.list");

    bench_write(path, imports, strlen(imports));
    return path;
}

static struct outcome link_with(const char *architecture, const struct fault *fault,
                                const char *output)
{
    const char *objects[4] = {"", "", "", ""};
    const char *const standard[] = {"sample", "module", "derived"};
    size_t count = 0;

    for (size_t i = 0; i < 3; i++)
        if (i < 2 || (fault && strcmp(fault->source, standard[i]) == 0))
            objects[count++] = bench_compile(
                architecture, standard[i],
                fault && strcmp(fault->source, standard[i]) == 0 ? fault->flags : "");
    if (fault && strcmp(fault->source, "sample") != 0 && strcmp(fault->source, "module") != 0 &&
        strcmp(fault->source, "derived") != 0)
        objects[count++] = bench_compile(architecture, fault->source, fault->flags);
    return bench_link("-o '%s' -imports '%s' '%s' '%s' %s", output, imports_file(), objects[0],
                      objects[1], objects[2]);
}

static void assert_refused(const struct fault *fault)
{
    for (const char *const *architecture = fault->architectures; *architecture; architecture++) {
        const char *output = bench_path("refused");
        struct outcome outcome = link_with(*architecture, fault, output);

        if (!strstr(outcome.messages, fault->message) || outcome.exit_code != 1)
            fail_msg("%s %s %s: exit code %d, messages \"%s\", expected \"%s\"", *architecture,
                     fault->source, fault->flags, outcome.exit_code, outcome.messages,
                     fault->message);
        assert_memory_equal(outcome.messages, "kextlink: error: ", 17);
        assert_false(bench_exists(output));
    }
}

static void assert_all_refused(const struct fault *faults, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_refused(&faults[i]);
}
#define ASSERT_ALL_REFUSED(faults) assert_all_refused(faults, sizeof(faults) / sizeof *(faults))

static void the_fixtures_without_a_mistake_are_accepted(void **state)
{
    for (int i = 0; i < 2; i++) {
        static const struct fault derived = {both, "derived", "", ""};
        const char *output = bench_path(both[i]);
        struct outcome outcome = link_with(both[i], NULL, output);

        assert_string_equal(outcome.messages, "");
        assert_int_equal(outcome.exit_code, 0);
        assert_true(bench_exists(output));
        outcome = link_with(both[i], &derived, output);
        assert_string_equal(outcome.messages, "");
        assert_int_equal(outcome.exit_code, 0);
    }
}

static void kmod_info_must_be_what_the_kernel_reads(void **state)
{
    static const struct fault faults[] = {
        {both, "module", "-DFAULT_NO_KMOD", "_kmod_info is missing"},
        {both, "module", "-DFAULT_KMOD_ZEROFILL", "_kmod_info is in zerofill data"},
        {both, "module", "-DFAULT_KMOD_SHORT", "_kmod_info has 0x"},
        {both, "module", "-DFAULT_KMOD_LAYOUT", "no function of this kext at field start"},
        {both, "module", "-DFAULT_KMOD_MISALIGNED", "_kmod_info is misaligned"},
        {both, "module", "-DFAULT_KMOD_VERSION", "info_version is 7 instead of 1"},
        {both, "module", "-DFAULT_KMOD_NAME", "_kmod_info: name is empty"},
        {only_x86_64, "module", "-DFAULT_KMOD_CROSSING", "crosses a page"},
    };

    ASSERT_ALL_REFUSED(faults);
}

static void kmod_info_must_agree_with_info_plist(void **state)
{
    static const char plist[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>"
        "<key>CFBundleIdentifier</key><string>%s</string>"
        "<key>CFBundleVersion</key><string>%s</string></dict></plist>\n";
    const char *info = bench_path("Info.plist"), *output = bench_path("with-info");
    const char *sample = bench_compile("x86_64", "sample", "");
    const char *module = bench_compile("x86_64", "module", "");
    struct outcome outcome;
    char text[512];

    bench_write(info, text, (size_t)snprintf(text, sizeof text, plist, "org.machv.test", "1.0"));
    outcome = bench_link("-o '%s' -info '%s' '%s' '%s'", output, info, sample, module);
    assert_string_equal(outcome.messages, "");
    bench_write(info, text, (size_t)snprintf(text, sizeof text, plist, "org.machv.else", "1.1"));
    outcome = bench_link("-o '%s' -info '%s' '%s' '%s'", output, info, sample, module);
    assert_int_equal(outcome.exit_code, 1);
    assert_non_null(strstr(outcome.messages, "name is \"org.machv.test\", but Info.plist has "
                                             "CFBundleIdentifier \"org.machv.else\""));
    assert_non_null(strstr(outcome.messages, "version is \"1.0\", but Info.plist has "
                                             "CFBundleVersion \"1.1\""));
    bench_write(info, "<dict/>", 7);
    outcome = bench_link("-o '%s' -info '%s' '%s' '%s'", output, info, sample, module);
    assert_int_equal(outcome.exit_code, 2);
    assert_non_null(strstr(outcome.messages, "has no string CFBundleIdentifier"));
}

static void a_class_needs_all_its_symbols(void **state)
{
    static const struct fault faults[] = {
        {both, "sample", "-DFAULT_NO_SUPERCLASS",
         "table __ZTV6Sample is defined but __ZN6Sample10superClassE is not"},
        {both, "sample", "-DFAULT_NO_TABLE", "class Sample: __ZTV6Sample is not defined"},
        {both, "sample", "-DFAULT_NO_METACLASS_TABLE",
         "class Sample: __ZTVN6Sample9MetaClassE is not defined"},
        {both, "sample", "-DFAULT_SUPERCLASS_EMPTY", "class Sample: superClass holds no address"},
        {both, "sample", "-DFAULT_SUPERCLASS_WRONG",
         "class Sample: superClass points at _not_a_metaclass"},
        {both, "sample", "-DFAULT_SUPERCLASS_ADDEND",
         "class Sample: superClass points at something else, not exactly at a gMetaClass symbol"},
        {both, "sample", "-DFAULT_SUPERCLASS_LOCAL_PARENT",
         "its superclass Local is of this kext but has no superClass symbol"},
        {both, "sample", "-DFAULT_SUPERCLASS_HIDDEN", "__ZN6Sample10superClassE is hidden"},
        {both, "sample", "-DFAULT_UNNAMESPACED_TABLE",
         "__ZTVN5Space5ThingE is no table of a class outside of namespaces"},
    };

    ASSERT_ALL_REFUSED(faults);
}

static void a_table_must_be_whole(void **state)
{
    static const struct fault faults[] = {
        {both, "sample", "-DFAULT_TABLE_HEADER",
         "table __ZTV6Sample does not begin with two zero words"},
        {both, "sample", "-DFAULT_TABLE_NUMBER",
         "class Sample: slot 7 of __ZTV6Sample is the number 0x1234"},
        {both, "sample", "-DFAULT_TABLE_NO_TERMINATOR",
         "table __ZTV6Sample has no zero word behind slot 10"},
        {both, "sample", "-DFAULT_TABLE_ZEROFILL", "table __ZTV6Sample is in zerofill data"},
        {both, "sample", "-DFAULT_TABLE_SHORT",
         "class Sample: its table has 9 slots, its superclass Parent has 10"},
        {both, "derived", "-DFAULT_SHORTER_THAN_SAMPLE",
         "class Derived: its table has 9 slots, its superclass Sample has 10"},
        {both, "sample", "-DFAULT_METACLASS_SHORT",
         "metaclass table __ZTVN6Sample9MetaClassE has 25 slots instead of 26"},
        {both, "sample", "-DFAULT_NO_ALLOC",
         "slot 17 of __ZTVN6Sample9MetaClassE must be the class's own metaclass's alloc"},
        {both, "sample", "-DFAULT_DESTRUCTORS_SWAPPED",
         "slot 0 of __ZTV6Sample must be the complete destructor"},
        {both, "sample", "-DFAULT_DESTRUCTOR_IMPORTED",
         "slot 1 of __ZTV6Sample must be the class's own deleting destructor"},
        {both, "sample", "-DFAULT_SLOT_DATA",
         "class Sample: slot 7 of __ZTV6Sample points at _started, which is no function"},
        {both, "sample", "-DFAULT_SLOT_ODD", "compile with -falign-functions=16"},
        {both, "sample", "-DFAULT_UNDEFINED_METHOD",
         "class Sample: slot 7 of __ZTV6Sample names __ZN6Sample4ownsEv, which is not defined"},
    };

    ASSERT_ALL_REFUSED(faults);
}

static void imports_must_exist_and_survive_patching(void **state)
{
    static const struct fault faults[] = {
        {both, "sample", "-DFAULT_CALL_UNKNOWN",
         "undefined symbol _no_such_function is not exported to kexts by every release"},
        {both, "sample", "-DFAULT_CALL_TABLE_ONLY",
         "__ZN6Parent15_RESERVEDParent1Ev may be named in a virtual table only"},
        {both, "sample", "-DFAULT_DIRECT_SUPER_CALL",
         "__ZN6Parent4stopEPS_ is named by a virtual table and also used directly"},
    };

    ASSERT_ALL_REFUSED(faults);
}

static void constructors_must_be_where_the_kernel_runs_them(void **state)
{
    static const struct fault faults[] = {
        {only_x86_64, "sample", "-DFAULT_CONSTRUCTOR_SECTION",
         "section __TEXT,__constructor: constructors and destructors of an x86_64 kext"},
        {only_i386, "sample", "-DFAULT_CONSTRUCTOR_SECTION",
         "section __DATA,__mod_init_func: constructors and destructors of an i386 kext"},
        {both, "sample", "-DFAULT_CONSTRUCTOR_NULL", "word 0 is no function of this kext"},
        {only_x86_64, "module", "-DFAULT_INITIALIZE",
         "_OSRuntimeInitializeCPP is not exported to x86_64 kexts"},
        {only_i386, "module", "-DFAULT_NO_INITIALIZE", "nothing calls _OSRuntimeInitializeCPP"},
    };

    ASSERT_ALL_REFUSED(faults);
}

static void what_a_kext_cannot_have_is_refused(void **state)
{
    static const struct fault faults[] = {
        {both, "odd", "-DDUPLICATE", "__ZN6SampleD1Ev is defined here and in"},
        {both, "odd", "-DCOMMON -fcommon", "_common_variable is a common symbol: compile with "
                                           "-fno-common"},
        {both, "odd", "-DWEAK_DEFINITION", "_weak_function is a weak definition"},
        {both, "odd", "-DWEAK_REFERENCE", "_weak_import is a weak reference"},
        {both, "odd", "-DFOREIGN_SECTION", "section __DATA,__special is not allowed in a kext"},
        {both, "odd", "-DTHREAD_LOCAL", "section __DATA,__thread_vars is not "
                                       "allowed in a kext"},
        {both, "odd", "-DLINKER_OPTION", "asks for libraries (LC_LINKER_OPTION)"},
        {both, "odd", "-DDROPPED_TARGET",
         "section __DWARF,__debug_x, which is not part of a kext"},
        {both, "odd", "-DALIGNMENT", "is aligned to 2^13"},
        {both, "odd", "-DLARGE", "the limit is 0x4000000"},
        {only_x86_64, "odd", "-DIMPORT_ADDEND", "address of import _imported plus 0x8"},
        {only_x86_64, "odd", "-DBRANCH_ADDEND", "branch to import _imported plus 4"},
        {only_i386, "odd", "-DBRANCH_ADDEND", "branch to import _imported plus 0x4"},
        {only_x86_64, "odd", "-DABSOLUTE_32", "32-bit absolute address"},
        {only_x86_64, "odd", "-DPC_RELATIVE_IMPORT", "pc-relative access to import _imported"},
        {both, "odd", "-DSTRAY_POINTER", "lies outside of the section __DATA,__data"},
        {only_x86_64, "odd", "-DTEXT_POINTER", "64-bit address in __TEXT"},
        {only_i386, "odd", "-DPOSITION_INDEPENDENT", "position-independent code: build with "
                                                     "-mkernel"},
        {only_x86_64, "odd", "-DPC_RELATIVE_DATA", "branch to import _imported outside of __text"},
        {only_i386, "odd", "-DPC_RELATIVE_DATA", "pc-relative reference outside of __text"},
    };

    ASSERT_ALL_REFUSED(faults);
}

static void a_difference_of_own_symbols_is_a_constant(void **state)
{
    static const struct fault difference = {only_x86_64, "odd", "-DOWN_DIFFERENCE", ""};
    struct outcome outcome = link_with("x86_64", &difference, bench_path("difference"));

    assert_string_equal(outcome.messages, "");
    assert_int_equal(outcome.exit_code, 0);
}

static void code_may_index_from_outside_of_an_array(void **state)
{
    static const struct fault indexed = {both, "odd", "-DINDEXED", ""};

    for (int i = 0; i < 2; i++) {
        struct outcome outcome = link_with(both[i], &indexed, bench_path("indexed"));

        assert_string_equal(outcome.messages, "");
        assert_int_equal(outcome.exit_code, 0);
    }
}

static void a_double_underscore_in_an_i386_name_is_warned_of(void **state)
{
    static const struct fault name = {both, "odd", "-DDOUBLE_UNDERSCORE", ""};
    struct outcome outcome = link_with("i386", &name, bench_path("named"));

    assert_int_equal(outcome.exit_code, 0);
    assert_non_null(strstr(outcome.messages, "kextlink: warning: __ZN3Old6__nameE: \"__\" within"));
    outcome = link_with("x86_64", &name, bench_path("named"));
    assert_string_equal(outcome.messages, "");
}

static void every_fault_is_reported_not_only_the_first(void **state)
{
    static const struct fault two = {
        both, "sample", "-DFAULT_TABLE_HEADER -DFAULT_SUPERCLASS_EMPTY -DFAULT_CALL_UNKNOWN", ""};
    struct outcome outcome = link_with("x86_64", &two, bench_path("refused"));

    assert_non_null(strstr(outcome.messages, "does not begin with two zero words"));
    assert_non_null(strstr(outcome.messages, "superClass holds no address"));
    assert_non_null(strstr(outcome.messages, "_no_such_function"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fixtures_without_a_mistake_are_accepted),
        cmocka_unit_test(kmod_info_must_be_what_the_kernel_reads),
        cmocka_unit_test(kmod_info_must_agree_with_info_plist),
        cmocka_unit_test(a_class_needs_all_its_symbols),
        cmocka_unit_test(a_table_must_be_whole),
        cmocka_unit_test(imports_must_exist_and_survive_patching),
        cmocka_unit_test(constructors_must_be_where_the_kernel_runs_them),
        cmocka_unit_test(what_a_kext_cannot_have_is_refused),
        cmocka_unit_test(a_difference_of_own_symbols_is_a_constant),
        cmocka_unit_test(code_may_index_from_outside_of_an_array),
        cmocka_unit_test(a_double_underscore_in_an_i386_name_is_warned_of),
        cmocka_unit_test(every_fault_is_reported_not_only_the_first),
    };

    bench_program = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
