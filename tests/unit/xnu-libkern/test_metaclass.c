/* SPDX-License-Identifier: BSD-3-Clause */
/* Classes: registration by module, duplicates, instance counts, unloading. */
#include "tests/unit/xnu-libkern/kernel_test.h"

#include "abi/runtime.h"

#include "xnu/libkern/symbol_pool.h"

struct TestBase {
    OSObject super;
};

struct TestChild {
    OSObject super;
};

/* Registered by hand, so that a test can do it in any order and twice. */
static OSMetaClass base, child, again;

static void make_base(void)
{
    OSMetaClass__construct(&base, "TestBase", &OSObject_gMetaClass, sizeof(struct TestBase));
}

static void make_child(void)
{
    OSMetaClass__construct(&child, "TestChild", &base, sizeof(struct TestChild));
}

static void make_again(void)
{
    OSMetaClass__construct(&again, "TestBase", &OSObject_gMetaClass, sizeof(struct TestBase));
}

static void unmake_base(void)
{
    OSMetaClass__destruct(&base);
}

static void unmake_child(void)
{
    OSMetaClass__destruct(&child);
}

static module_function *const both[] = {make_child, make_base}; /* superclass last: legal */
static module_function *const both_end[] = {unmake_base, unmake_child};
static module_function *const twice[] = {make_base, make_again};
static module_function *const second[] = {make_again};
static module_function *const orphan[] = {make_child};
static module_function *const with_null[] = {NULL, make_base};

static struct module_code code_of(const char *identifier, module_function *const *constructors,
                                  size_t count)
{
    return (struct module_code){.identifier = identifier,
                                .constructors = constructors,
                                .constructor_count = count,
                                .destructors = both_end,
                                .destructor_count = 2};
}

static const OSMetaClass *class_named(const char *name)
{
    const OSSymbol *symbol = OSSymbol_withCString(name);
    const OSMetaClass *class = OSMetaClass_getMetaClassWithName(symbol);

    object_release(symbol);
    return class;
}

static void load_body(void *unused)
{
    struct module_code code = code_of("test.kext", both, 2);

    CHECK(module_start(&code) == 0);
    CHECK(module_class_count("test.kext") == 2);
    CHECK(class_named("TestBase") == &base && class_named("TestChild") == &child);
    CHECK_STRING(OSMetaClass_getClassName(&child), "TestChild");
    CHECK(OSMetaClass_getSuperClass(&child) == &base);
    CHECK(OSMetaClass_getClassSize(&child) == sizeof(struct TestChild));
    CHECK(module_start(&code) == 0); /* again: nothing happens */
    CHECK(module_class_count("test.kext") == 2);
    CHECK(module_finish(&code) == 0);
    CHECK(!class_named("TestBase") && module_class_count("test.kext") == 0);
    CHECK(module_start(&code) == 0);
    CHECK(class_named("TestChild") == &child);
}

static void a_module_brings_its_classes_and_takes_them_away(void **state)
{
    run_kernel(load_body);
}

static void duplicate_body(void *unused)
{
    struct module_code first = code_of("first.kext", both, 2);
    struct module_code other = code_of("other.kext", second, 1);
    struct module_code same = code_of("same.kext", twice, 2);

    other.destructor_count = 0;
    same.destructor_count = 0;
    CHECK(module_start(&same) == kOSMetaClassDuplicateClass);
    CHECK(!class_named("TestBase") && module_class_count("same.kext") == 0);
    CHECK(module_start(&first) == 0);
    CHECK(module_start(&other) == kOSMetaClassDuplicateClass);
    CHECK(module_class_count("other.kext") == 0);
    CHECK(class_named("TestBase") == &base); /* the first one stays */
    CHECK(module_finish(&first) == 0);
    CHECK(module_start(&other) == 0); /* now the name is free */
}

static void a_duplicate_name_refuses_the_whole_module(void **state)
{
    run_kernel(duplicate_body);
}

static void orphan_body(void *unused)
{
    struct module_code code = code_of("orphan.kext", orphan, 1);
    struct module_code good = code_of("good.kext", both, 2);

    code.destructor_count = 0;
    CHECK(module_start(&code) == kOSMetaClassNoSuper);
    CHECK(!class_named("TestChild"));
    CHECK(module_start(&good) == 0);
}

static void a_class_without_registered_superclass_is_refused(void **state)
{
    run_kernel(orphan_body);
}

static void null_body(void *unused)
{
    struct module_code code = code_of("null.kext", with_null, 2);

    CHECK(module_start(&code) == 0);
    CHECK(class_named("TestBase") == &base);
}

static void null_constructors_are_skipped(void **state)
{
    run_kernel(null_body);
}

static void outside_body(void *unused)
{
    make_base(); /* logged, not registered */
    CHECK(!class_named("TestBase"));
}

static void a_constructor_outside_a_load_registers_nothing(void **state)
{
    run_kernel(outside_body);
}

static void instances_body(void *unused)
{
    struct module_code code = code_of("test.kext", both, 2);
    unsigned objects;

    CHECK(module_start(&code) == 0);
    objects = OSMetaClass_getInstanceCount(&OSObject_gMetaClass);
    OSMetaClass_instanceConstructed(&child);
    OSMetaClass_instanceConstructed(&child);
    CHECK(OSMetaClass_getInstanceCount(&child) == 2);
    CHECK(OSMetaClass_getInstanceCount(&base) == 1); /* edges alone go up */
    CHECK(OSMetaClass_getInstanceCount(&OSObject_gMetaClass) == objects + 1);
    CHECK(module_has_instances("test.kext"));
    CHECK(module_finish(&code) == kOSMetaClassHasInstances);
    CHECK(class_named("TestBase") == &base);
    OSMetaClass_instanceDestructed(&child);
    CHECK(OSMetaClass_getInstanceCount(&base) == 1);
    OSMetaClass_instanceDestructed(&child);
    CHECK(OSMetaClass_getInstanceCount(&base) == 0);
    CHECK(OSMetaClass_getInstanceCount(&OSObject_gMetaClass) == objects);
    CHECK(module_finish(&code) == 0);
}

static void instances_keep_a_module_and_edges_go_up(void **state)
{
    run_kernel(instances_body);
}

static void memory_body(void *unused)
{
    struct module_code code = code_of("test.kext", both, 2);
    unsigned nth;

    for (nth = 1; nth < 30; nth++) {
        int result;

        machine_allocation_fail_at(nth, false);
        result = module_start(&code);
        machine_allocation_fail_at(0, false);
        CHECK(result == 0 || module_class_count("test.kext") == 0);
        if (result == 0)
            break;
        CHECK(!class_named("TestBase") && !class_named("TestChild"));
    }
    CHECK(nth > 3 && nth < 30);
    CHECK(module_class_count("test.kext") == 2);
}

static void whatever_allocation_fails_a_load_is_all_or_nothing(void **state)
{
    run_kernel(memory_body);
}

static char text[] = "a symbol in the kext's pages";

static void unload_body(void *unused)
{
    struct module_code code = code_of("test.kext", both, 2);
    const OSSymbol *symbol = OSSymbol_withCStringNoCopy(text), *same;

    code.start = text;
    code.end = text + sizeof(text);
    CHECK(OSString_getCStringNoCopy((OSString *)symbol) == text);
    CHECK(module_start(&code) == 0 && module_finish(&code) == 0);
    memset(text, 'x', sizeof(text) - 1); /* the pages are gone */
    CHECK_STRING(OSString_getCStringNoCopy((OSString *)symbol), "a symbol in the kext's pages");
    same = OSSymbol_withCString("a symbol in the kext's pages");
    CHECK(same == symbol);
    object_release(same);
    object_release(symbol);
}

static void symbols_outlive_the_kext_whose_text_they_borrowed(void **state)
{
    run_kernel(unload_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_module_brings_its_classes_and_takes_them_away),
        cmocka_unit_test(a_duplicate_name_refuses_the_whole_module),
        cmocka_unit_test(a_class_without_registered_superclass_is_refused),
        cmocka_unit_test(null_constructors_are_skipped),
        cmocka_unit_test(a_constructor_outside_a_load_registers_nothing),
        cmocka_unit_test(instances_keep_a_module_and_edges_go_up),
        cmocka_unit_test(whatever_allocation_fails_a_load_is_all_or_nothing),
        cmocka_unit_test(symbols_outlive_the_kext_whose_text_they_borrowed),
    };

    return cmocka_run_group_tests_name("libkern classes", tests, NULL, NULL);
}
