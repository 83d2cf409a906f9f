/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The linked test kext against several kernels, linked by the rules of XNU's kxld (loader/kxld.c):
 * what a kernel must accept is accepted and patched, what it must refuse is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/kextlink/bench.h"
#include "tests/unit/kextlink/loader/kxld.h"

static const char *const architectures[] = {"x86_64", "i386"};

/* An imaginary kernel: Parent's table, and one name that is not exported. */
struct kernel {
    const char *parent[16];
    const char *absent;
};

static const struct kernel oldest = {{
    "__ZN6ParentD1Ev", "__ZN6ParentD0Ev", "__ZNK8OSObject6retainEv",
    "__ZNK6Parent12getMetaClassEv", "__ZN6Parent5startEPS_", "__ZN6Parent4stopEPS_",
    "__ZN6Parent6renameEv", "__ZNK6Parent5queryEi", "__ZN6Parent15_RESERVEDParent0Ev",
    "__ZN6Parent15_RESERVEDParent1Ev",
}, NULL};

static bool exports(void *context, const char *symbol)
{
    const struct kernel *kernel = context;

    return !kernel->absent || strcmp(kernel->absent, symbol) != 0;
}

static const char *slot(void *context, const char *class, size_t slot)
{
    const struct kernel *kernel = context;

    if (strcmp(class, "Parent") == 0)
        return slot < 16 ? kernel->parent[slot] : NULL;
    if (strcmp(class, "OSMetaClass") == 0 && slot < 26)
        return slot == 17 ? "___cxa_pure_virtual"
               : slot >= 2 && slot < 12
                   ? "__ZNK11OSMetaClass7releaseEi"
                   : "__ZN15OSMetaClassBase25_RESERVEDOSMetaClassBase3Ev";
    return NULL;
}

/* A kext that was linked and then given to the kernel. */
struct loaded {
    uint8_t *bytes;
    struct kext_file file;
    struct kxld kxld;
    bool accepted;
};

/* Links sample, module and `more`, and loads the result into the kernel. */
static struct loaded *load(const char *architecture, const char *more, const struct kernel *kernel)
{
    const struct kxld_kernel description = {(void *)kernel, exports, slot, false};
    const char *output = bench_path("kext");
    struct outcome outcome = bench_link(
        "-o '%s' '%s' '%s' %s", output, bench_compile(architecture, "sample", ""),
        bench_compile(architecture, "module", ""), more);
    struct loaded *loaded = calloc(1, sizeof *loaded);
    size_t size;

    assert_string_equal(outcome.messages, "");
    loaded->bytes = bench_read(output, &size);
    if (!kext_file_read(&loaded->file, loaded->bytes, size))
        fail_msg("%s", loaded->file.problem);
    loaded->accepted = kxld_link(&loaded->kxld, &loaded->file, &description);
    return loaded;
}

static void unload(struct loaded *loaded)
{
    kxld_free(&loaded->kxld);
    kext_file_free(&loaded->file);
    free(loaded->bytes);
    free(loaded);
}

static void assert_accepted(const struct loaded *loaded)
{
    if (!loaded->accepted)
        fail_msg("refused: %s", loaded->kxld.problem);
}

static void assert_refused(const char *more, const struct kernel *kernel, const char *problem)
{
    for (int i = 0; i < 2; i++) {
        struct loaded *loaded = load(architectures[i], more, kernel);

        assert_false(loaded->accepted);
        if (!strstr(loaded->kxld.problem, problem))
            fail_msg("%s: \"%s\" is not \"%s\"", architectures[i], loaded->kxld.problem, problem);
        unload(loaded);
    }
}

static void assert_slot(const struct loaded *loaded, const char *class, size_t slot,
                        const char *name)
{
    const struct kxld_class *found = kxld_class(&loaded->kxld, class);

    assert_non_null(found);
    assert_true(slot < found->slot_count);
    assert_string_equal(found->slots[slot], name);
}

static void the_oldest_kernel_accepts_it(void **state)
{
    for (int i = 0; i < 2; i++) {
        struct loaded *loaded = load(architectures[i], "", &oldest);

        assert_accepted(loaded);
        assert_int_equal(loaded->kxld.class_count, 1);
        assert_int_equal(kxld_class(&loaded->kxld, "Sample")->slot_count, 10);
        assert_slot(loaded, "Sample", 4, "__ZN6Sample5startEP6Parent");
        assert_slot(loaded, "Sample", 5, "__ZN6Parent4stopEPS_");
        assert_slot(loaded, "Sample", 8, "__ZN6Parent15_RESERVEDParent0Ev");
        unload(loaded);
    }
}

static void a_newer_kernel_fills_pads_and_renames_methods(void **state)
{
    struct kernel newer = oldest;

    newer.parent[8] = "__ZN6Parent5fancyEv";
    newer.parent[6] = "__ZN6Parent8rename64Ey";
    newer.absent = "__ZN6Parent6renameEv";
    for (int i = 0; i < 2; i++) {
        struct loaded *loaded = load(architectures[i], "", &newer);

        assert_accepted(loaded);
        assert_slot(loaded, "Sample", 8, "__ZN6Parent5fancyEv");
        assert_slot(loaded, "Sample", 6, "__ZN6Parent8rename64Ey");
        assert_slot(loaded, "Sample", 4, "__ZN6Sample5startEP6Parent");
        unload(loaded);
    }
}

static void a_class_of_the_kext_may_be_the_parent(void **state)
{
    struct kernel newer = oldest;

    newer.parent[9] = "__ZN6Parent5fancyEv";
    for (int i = 0; i < 2; i++) {
        struct loaded *loaded =
            load(architectures[i], bench_compile(architectures[i], "derived", ""), &newer);

        assert_accepted(loaded);
        assert_int_equal(loaded->kxld.class_count, 2);
        assert_int_equal(kxld_class(&loaded->kxld, "Derived")->slot_count, 11);
        assert_slot(loaded, "Derived", 4, "__ZN6Sample5startEP6Parent");
        assert_slot(loaded, "Derived", 9, "__ZN6Parent5fancyEv");
        assert_slot(loaded, "Derived", 10, "__ZN7Derived5addedEv");
        unload(loaded);
    }
}

static void a_kernel_that_still_has_a_pad_refuses_a_newer_name(void **state)
{
    struct kernel older = oldest;

    older.parent[7] = "__ZN6Parent15_RESERVEDParent2Ev";
    assert_refused("", &older, "still __ZN6Parent15_RESERVEDParent2Ev");
}

static void a_kernel_whose_table_is_longer_refuses_it(void **state)
{
    struct kernel longer = oldest;

    longer.parent[10] = "__ZN6Parent5extraEv";
    assert_refused("", &longer, "table is malformed");
}

static void a_missing_import_is_refused_by_name(void **state)
{
    struct kernel lacking = oldest;

    lacking.absent = "__ZN11OSMetaClassC2EPKcPKS_j";
    assert_refused("", &lacking, "unresolved symbol __ZN11OSMetaClassC2EPKcPKS_j");
}

static void a_vanished_method_that_the_parent_kept_is_refused(void **state)
{
    struct kernel hiding = oldest;

    hiding.absent = "__ZNK6Parent5queryEi";
    assert_refused("", &hiding, "unresolved symbol __ZNK6Parent5queryEi");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_kernel_accepts_it),
        cmocka_unit_test(a_newer_kernel_fills_pads_and_renames_methods),
        cmocka_unit_test(a_class_of_the_kext_may_be_the_parent),
        cmocka_unit_test(a_kernel_that_still_has_a_pad_refuses_a_newer_name),
        cmocka_unit_test(a_kernel_whose_table_is_longer_refuses_it),
        cmocka_unit_test(a_missing_import_is_refused_by_name),
        cmocka_unit_test(a_vanished_method_that_the_parent_kept_is_refused),
    };

    bench_program = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
