/* SPDX-License-Identifier: BSD-3-Clause */
/* The user-space kernel's view of the ABI: tables, classes and symbols of a chosen release. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/xnu_exports.h"
#include "tests/unit/abi/tables.h"

#define HEADER_WORDS 2
#define ALLOC_SLOT 17
#define OBJECT_INIT_SLOT 17
#define NO_TRAP "no function was missing"

/* -- the few functions below the tables that a kernel has to bring */

static jmp_buf trap;
static const char *trapped = NO_TRAP;
static const char *constructed_names[256];
static size_t constructed_count, live_objects, deleted_size;

void *object_new(size_t size) __asm("__ZN8OSObjectnwEm");
void object_delete(void *object, size_t size) __asm("__ZN8OSObjectdlEPvm");
void object_construct(void *me, const void *metaclass) __asm("__ZN8OSObjectC2EPK11OSMetaClass");
void object_destruct(void *me) __asm("__ZN8OSObjectD2Ev");
void metaclass_construct(void *me, const char *name, const void *super, uint32_t size)
    __asm("__ZN11OSMetaClassC2EPKcPKS_j");
void instance_constructed(const void *metaclass) __asm("__ZNK11OSMetaClass19instanceConstructedEv");

void xnu_unimplemented(const char *name)
{
    trapped = name;
    longjmp(trap, 1);
}

void *object_new(size_t size)
{
    return calloc(1, size);
}

void object_delete(void *object, size_t size)
{
    deleted_size = size;
    free(object);
}

void object_construct(void *me, const void *metaclass)
{
    (void)me, (void)metaclass;
}

void object_destruct(void *me)
{
    (void)me;
    live_objects--;
}

void metaclass_construct(void *me, const char *name, const void *super, uint32_t size)
{
    (void)super;
    memcpy((char *)me + 32, &size, sizeof size);
    if (constructed_count < 256)
        constructed_names[constructed_count++] = name;
}

void instance_constructed(const void *metaclass)
{
    (void)metaclass;
    live_objects++;
}

/* -- helpers */

static struct abi_tables *tables;

static int read_tables(void **state)
{
    char folder[4096];

    (void)state;
    snprintf(folder, sizeof folder, "%s/abi/tables", getenv("MACHV_SOURCE_ROOT"));
    tables = abi_tables_read(folder, "x86_64");
    return 0;
}

static int forget_tables(void **state)
{
    (void)state;
    abi_tables_free(tables);
    return 0;
}

static int choose_newest(void **state)
{
    (void)state;
    xnu_tables_fill(2600);
    constructed_count = 0;
    trapped = NO_TRAP;
    return 0;
}

static void *slot(const struct xnu_class *class, size_t number)
{
    return (void *)class->table[HEADER_WORDS + number];
}

static void check_release(uint32_t chosen, uint32_t exact)
{
    size_t i, number, checked = 0;

    xnu_tables_fill(chosen);
    for (i = 0; i < abi_class_count(tables); i++) {
        const char *name = abi_class_name(tables, i), *expected[MAX_SLOTS];
        const struct xnu_class *class = xnu_class_find(name);
        size_t count = abi_class_slots(tables, name, exact, expected);

        if (abi_class_size(tables, name, exact) == 0) {
            assert_null(class);
            continue;
        }
        assert_non_null(class);
        assert_int_equal(class->slots, count);
        assert_int_equal(class->size, abi_class_size(tables, name, exact));
        for (number = 0; number < count; number++, checked++)
            assert_string_equal(xnu_symbol_at(slot(class, number))->name, expected[number]);
        assert_int_equal(class->table[HEADER_WORDS + count], 0);
    }
    assert_true(checked > 15000);
}

/* -- tests */

static void every_slot_holds_the_occupant_of_the_release(void **state)
{
    (void)state;
    check_release(1006, 100608);
    check_release(100600, 100600);
    check_release(1010, 101005);
    check_release(1015, 101506);
    check_release(1200, 120500);
    check_release(120300, 120300);
    check_release(2600, 150600);
}

static void metaclass_tables_allocate_their_own_class(void **state)
{
    const struct xnu_class *class = xnu_class_find("IOCommandGate");
    const struct xnu_class *root = xnu_class_find("OSMetaClass");
    void *(*alloc)(void *) = (void *(*)(void *))class->metaclass_table[HEADER_WORDS + ALLOC_SLOT];
    uintptr_t *object;

    (void)state;
    assert_string_equal(xnu_symbol_at((void *)alloc)->name,
                        "__ZNK13IOCommandGate9MetaClass5allocEv");
    assert_int_equal(class->metaclass_table[HEADER_WORDS + 4], root->table[HEADER_WORDS + 4]);
    xnu_metaclasses_construct();
    live_objects = 0;
    object = alloc(class->metaclass);
    assert_non_null(object);
    assert_int_equal(live_objects, 1);
    assert_ptr_equal((void *)object[0], class->table + HEADER_WORDS);
    ((void (*)(void *))slot(class, 1))(object);
    assert_int_equal(live_objects, 0);
    assert_int_equal(deleted_size, class->size);
}

static void an_abstract_class_has_no_instances(void **state)
{
    const struct xnu_class *class = xnu_class_find("IOEthernetController");
    void *(*alloc)(void *) = (void *(*)(void *))class->metaclass_table[HEADER_WORDS + ALLOC_SLOT];

    (void)state;
    xnu_metaclasses_construct();
    assert_null(alloc(class->metaclass));
}

static void metaclasses_are_registered_superclass_first(void **state)
{
    size_t i, service = 0, controller = 0, object = 0;

    (void)state;
    xnu_metaclasses_construct();
    for (i = 0; i < constructed_count; i++) {
        if (strcmp(constructed_names[i], "OSObject") == 0)
            object = i;
        if (strcmp(constructed_names[i], "IOService") == 0)
            service = i;
        if (strcmp(constructed_names[i], "IOEthernetController") == 0)
            controller = i;
    }
    assert_true(object < service && service < controller);
    assert_int_equal(constructed_count, 99); /* all but OSMetaClassBase */
}

static void a_missing_function_names_itself(void **state)
{
    const struct xnu_class *class = xnu_class_find("IOService");
    void (*init)(void *) = (void (*)(void *))slot(class, OBJECT_INIT_SLOT);

    (void)state;
    if (setjmp(trap) == 0)
        init(NULL);
    assert_string_equal(trapped, "OSObject::init()");
}

static void symbols_are_exported_by_release(void **state)
{
    const char *configure = "__ZN9IOService15configureReportEP19IOReportChannelListjPvS2_";
    const char *pad = "__ZN9IOService19_RESERVEDIOService0Ev";

    (void)state;
    assert_string_equal(xnu_symbol_find("_IOLog")->component, "com.apple.kpi.iokit");
    assert_non_null(xnu_symbol_find(configure));
    assert_null(xnu_symbol_find(pad));
    xnu_tables_fill(1006);
    assert_null(xnu_symbol_find(configure));
    assert_non_null(xnu_symbol_find(pad));
    assert_null(xnu_symbol_find("_PE_parse_boot_arg")); /* i386 only */
    assert_null(xnu_symbol_find("_no_such_symbol"));
    assert_null(xnu_symbol_find(""));
}

static void families_export_their_classes(void **state)
{
    const struct xnu_class *device = xnu_class_find("IOPCIDevice");
    const struct xnu_symbol *symbol = xnu_symbol_find("__ZTV11IOPCIDevice");

    (void)state;
    assert_string_equal(symbol->component, "com.apple.iokit.IOPCIFamily");
    assert_ptr_equal(symbol->address, device->table);
    assert_string_equal(xnu_symbol_find("__ZN11IOPCIDevice10gMetaClassE")->component,
                        "com.apple.iokit.IOPCIFamily");
    assert_ptr_equal(xnu_symbol_find("__ZN11IOPCIDevice10gMetaClassE")->address, device->metaclass);
}

static void a_symbol_of_two_components_is_found_in_both(void **state)
{
    const struct xnu_symbol *symbol = xnu_symbol_find("_kauth_cred_issuser");

    (void)state;
    assert_string_equal(symbol->component, "com.apple.kpi.private");
    symbol = xnu_symbol_next(symbol);
    assert_string_equal(symbol->component, "com.apple.kpi.unsupported");
    assert_null(xnu_symbol_next(symbol));
}

static void rows_are_sorted_by_name(void **state)
{
    size_t i;

    (void)state;
    for (i = 1; i < xnu_symbol_count(); i++)
        assert_true(strcmp(xnu_symbol_get(i - 1)->name, xnu_symbol_get(i)->name) <= 0);
}

static void addresses_between_symbols_have_no_name(void **state)
{
    const struct xnu_symbol *symbol = xnu_symbol_find("_IOLog");

    (void)state;
    assert_string_equal(xnu_symbol_at(symbol->address)->name, "_IOLog");
    assert_null(xnu_symbol_at((const char *)symbol->address + 1));
    assert_null(xnu_symbol_at(NULL));
}

static void data_that_nobody_defines_has_no_address(void **state)
{
    (void)state;
    assert_null(xnu_symbol_find("_version_major")->address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_slot_holds_the_occupant_of_the_release),
        cmocka_unit_test_setup(metaclass_tables_allocate_their_own_class, choose_newest),
        cmocka_unit_test_setup(an_abstract_class_has_no_instances, choose_newest),
        cmocka_unit_test_setup(metaclasses_are_registered_superclass_first, choose_newest),
        cmocka_unit_test_setup(a_missing_function_names_itself, choose_newest),
        cmocka_unit_test_setup(symbols_are_exported_by_release, choose_newest),
        cmocka_unit_test_setup(families_export_their_classes, choose_newest),
        cmocka_unit_test_setup(a_symbol_of_two_components_is_found_in_both, choose_newest),
        cmocka_unit_test_setup(rows_are_sorted_by_name, choose_newest),
        cmocka_unit_test_setup(addresses_between_symbols_have_no_name, choose_newest),
        cmocka_unit_test_setup(data_that_nobody_defines_has_no_address, choose_newest),
    };

    return cmocka_run_group_tests(tests, read_tables, forget_tables);
}
