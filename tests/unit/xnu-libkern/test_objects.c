/* SPDX-License-Identifier: BSD-3-Clause */
/* Reference counts, casts and casts by name. */
#include "tests/unit/xnu-libkern/kernel_test.h"

static uint32_t raw_count(const void *object)
{
    return (uint32_t)((const OSObject *)object)->retainCount;
}

static void counts_body(void *unused)
{
    OSString *string = OSString_withCString("text");

    CHECK(raw_count(string) == 1);
    object_retain(string);
    CHECK(OSMetaClassBase_getRetainCount((OSMetaClassBase *)string) == 2);
    object_collection_retain(string);
    CHECK(raw_count(string) == 0x10003);
    CHECK(OSMetaClassBase_getRetainCount((OSMetaClassBase *)string) == 3);
    object_collection_release(string);
    CHECK(raw_count(string) == 2);
    object_release(string);
    object_release(string);
}

static void init_leaves_one_and_tags_count_in_both_halves(void **state)
{
    run_kernel(counts_body);
}

static void free_body(void *unused)
{
    OSString *string = OSString_withCString("text");
    unsigned before = OSMetaClass_getInstanceCount(&OSString_gMetaClass);

    object_retain(string);
    /* freed when the count falls below 2 */
    OSMetaClassBase_release_number((OSMetaClassBase *)string, 2);
    CHECK(OSMetaClass_getInstanceCount(&OSString_gMetaClass) == before - 1);
}

static void release_with_a_limit_frees_below_it(void **state)
{
    run_kernel(free_body);
}

static void saturated_body(void *unused)
{
    OSString *string = OSString_withCString("text");

    ((OSObject *)string)->retainCount = 0xfffe;
    object_retain(string);
    CHECK(raw_count(string) == 0xfffe);
    object_release(string);
    CHECK(raw_count(string) == 0xfffe);
}

static void a_saturated_count_stays_for_ever(void **state)
{
    run_kernel(saturated_body);
}

static void freeing_body(void *unused)
{
    OSString *string = OSString_withCString("text");

    ((OSObject *)string)->retainCount = 0xffff;
    object_release(string); /* tolerated: inside free */
    CHECK(raw_count(string) == 0xffff);
    CHECK(!object_try_retain((OSObject *)string));
    object_retain(string);
}

static void retaining_a_freed_object_panics(void **state)
{
    run_panic(freeing_body);
}

static void over_release_body(void *unused)
{
    OSArray *array = OSArray_withCapacity(1);
    OSString *string = OSString_withCString("text");

    OSArray_setObject_metaclassbase(array, (OSMetaClassBase *)string);
    object_release(string);
    object_release(string); /* the array's own reference */
}

static void releasing_what_a_collection_holds_panics(void **state)
{
    run_panic(over_release_body);
}

static void cast_body(void *unused)
{
    const OSSymbol *symbol = OSSymbol_withCString("key");

    CHECK(object_cast(symbol, &OSSymbol_gMetaClass) == symbol);
    CHECK(object_cast(symbol, &OSString_gMetaClass) == symbol);
    CHECK(object_cast(symbol, &OSObject_gMetaClass) == symbol);
    CHECK(object_cast(symbol, &OSArray_gMetaClass) == NULL);
    CHECK(object_cast(NULL, &OSArray_gMetaClass) == NULL);
    CHECK(OSMetaClassBase_metaCast_cstring((OSMetaClassBase *)symbol, "OSString") ==
          (OSMetaClassBase *)symbol);
    CHECK(!OSMetaClassBase_metaCast_cstring((OSMetaClassBase *)symbol, "OSNumber"));
    CHECK(!OSMetaClassBase_metaCast_cstring((OSMetaClassBase *)symbol, "NoSuchClass"));
    CHECK_STRING(object_class_name(symbol), "OSSymbol");
    object_release(symbol);
}

static void a_cast_goes_up_the_chain_of_superclasses(void **state)
{
    run_kernel(cast_body);
}

static void by_name_body(void *unused)
{
    OSObject *object = OSMetaClass_allocClassWithName_cstring("OSArray");

    CHECK(object && as_array(object));
    CHECK(object && raw_count(object) == 1);
    CHECK(OSArray_initWithCapacity((OSArray *)object, 2));
    object_release(object);
    CHECK(!OSMetaClass_allocClassWithName_cstring("NoSuchClass"));
    CHECK(!OSMetaClass_allocClassWithName_cstring("OSCollection")); /* abstract */
}

static void objects_are_made_by_class_name(void **state)
{
    run_kernel(by_name_body);
}

/* Each call below fails at its nth allocation; whatever it made before that must be gone. */
static void no_memory_body(void *unused)
{
    unsigned arrays = OSMetaClass_getInstanceCount(&OSArray_gMetaClass);
    unsigned strings = OSMetaClass_getInstanceCount(&OSString_gMetaClass);

    machine_allocation_fail_at(1, false);
    CHECK(!OSArray_withCapacity(4));
    machine_allocation_fail_at(2, false);
    CHECK(!OSArray_withCapacity(4));
    machine_allocation_fail_at(2, false);
    CHECK(!OSString_withCString("text"));
    machine_allocation_fail_at(3, false);
    CHECK(!OSSymbol_withCString("a symbol that nobody has"));
    machine_allocation_fail_at(0, false);
    CHECK(OSMetaClass_getInstanceCount(&OSArray_gMetaClass) == arrays);
    CHECK(OSMetaClass_getInstanceCount(&OSString_gMetaClass) == strings);
    CHECK(!OSSymbol_existingSymbolForCString("a symbol that nobody has"));
}

static void a_failed_allocation_gives_null_and_leaves_nothing(void **state)
{
    run_kernel(no_memory_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_leaves_one_and_tags_count_in_both_halves),
        cmocka_unit_test(release_with_a_limit_frees_below_it),
        cmocka_unit_test(a_saturated_count_stays_for_ever),
        cmocka_unit_test(retaining_a_freed_object_panics),
        cmocka_unit_test(releasing_what_a_collection_holds_panics),
        cmocka_unit_test(a_cast_goes_up_the_chain_of_superclasses),
        cmocka_unit_test(objects_are_made_by_class_name),
        cmocka_unit_test(a_failed_allocation_gives_null_and_leaves_nothing),
    };

    return cmocka_run_group_tests_name("libkern objects", tests, NULL, NULL);
}
