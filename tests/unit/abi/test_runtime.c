/* SPDX-License-Identifier: BSD-3-Clause */
/* A class made with IOKIT_CLASS, in the native form: registration, instances, calls. The functions
 * of OSObject and OSMetaClass that it needs are small stand-ins here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/IOService.h"
#include "abi/runtime.h"
#include "abi/xnu_exports.h"

static int starts, inherited_frees, destructs;
static const char *registered_name;
static const OSMetaClass *registered_super;
static uint32_t registered_size;

void xnu_unimplemented(const char *name)
{
    fail_msg("%s was called", name);
    abort();
}

void *OSObject_operator_new(unsigned long size)
{
    return calloc(1, size);
}

void OSObject_operator_delete(void *object, unsigned long size)
{
    (void)size;
    free(object);
}

void OSObject__construct(OSObject *me, const OSMetaClass *metaclass)
{
    (void)metaclass;
    me->retainCount = 1;
}

void OSObject__destruct(OSObject *me)
{
    (void)me;
    destructs++;
}

void OSObject__free(OSObject *me)
{
    inherited_frees++;
    me->vtable->deleting_destructor((OSMetaClassBase *)me);
}

void IOService__free(IOService *me)
{
    OSObject__free((OSObject *)me);
}

void OSObject__release(OSObject *me)
{
    if (--me->retainCount == 0)
        OSObject_free(me);
}

void OSObject__retain(OSObject *me)
{
    me->retainCount++;
}

bool IOService__start(IOService *me, IOService *provider)
{
    (void)me, (void)provider;
    return true;
}

void OSMetaClass__construct(OSMetaClass *me, const char *name, const OSMetaClass *super,
                            unsigned int size)
{
    (void)me;
    registered_name = name;
    registered_super = super;
    registered_size = size;
}

void OSMetaClass__destruct(OSMetaClass *me)
{
    (void)me;
    registered_name = NULL;
}

void OSMetaClass_instanceConstructed(OSMetaClass *me)
{
    (void)me;
}

OSMetaClassBase *OSMetaClassBase_safeMetaCast(const OSMetaClassBase *object,
                                              const OSMetaClass *metaclass)
{
    return object != NULL && OSMetaClassBase_getMetaClass((OSMetaClassBase *)object) == metaclass
               ? (OSMetaClassBase *)object
               : NULL;
}

/* -- the class under test */

struct TestDriver {
    IOService super;
    uint64_t own;
};

IOKIT_CLASS_DECLARE(10, TestDriver, IOService);

static bool driver_start(IOService *me, IOService *provider)
{
    TestDriver *self = iokit_cast(TestDriver, me);

    if (!IOService_super_start(me, provider))
        return false;
    self->own = 7;
    starts++;
    return true;
}

static void driver_free(OSObject *me)
{
    IOService_super_free((IOService *)me);
}

IOKIT_CLASS(10, TestDriver, IOService, .start = driver_start, .free = driver_free)

IOKIT_MODULE("org.example.test", "1.2.3", iokit_module_nothing, iokit_module_nothing);

extern void (*const __start_kext_constructors[])(void);
extern void (*const __stop_kext_constructors[])(void);
extern void (*const __start_kext_destructors[])(void);

static int load(void **state)
{
    (void)state;
    xnu_tables_fill(2600);
    __start_kext_constructors[0]();
    starts = inherited_frees = destructs = 0;
    return 0;
}

static void loading_registers_the_class(void **state)
{
    (void)state;
    assert_int_equal(__stop_kext_constructors - __start_kext_constructors, 1);
    assert_string_equal(registered_name, "TestDriver");
    assert_ptr_equal(registered_super, &IOService_gMetaClass);
    assert_int_equal(registered_size, sizeof(struct TestDriver));
    assert_ptr_equal(TestDriver_superClass, &IOService_gMetaClass);
    assert_ptr_equal(TestDriver_gMetaClass.vtable, &TestDriver_metaclass_table.slots);
    __start_kext_destructors[0]();
    assert_null(registered_name);
}

static void overridden_slots_are_ours_and_the_others_inherited(void **state)
{
    const struct IOService_vtable *slots = &TestDriver_table_symbol.slots;

    (void)state;
    assert_ptr_equal(slots->start, driver_start);
    assert_ptr_equal(slots->stop, IOService__stop);
    assert_ptr_equal(slots->init, OSObject__init);
    assert_int_equal(TestDriver_table_symbol.terminator, 0);
}

static void an_instance_is_made_called_and_freed(void **state)
{
    TestDriver *driver = (TestDriver *)OSMetaClass_alloc(&TestDriver_gMetaClass);
    IOService *service = &driver->super;

    (void)state;
    assert_ptr_equal(OSMetaClassBase_getMetaClass((OSMetaClassBase *)driver),
                     &TestDriver_gMetaClass);
    assert_true(IOService_start(service, NULL));
    assert_int_equal(starts, 1);
    assert_int_equal(driver->own, 7);
    iokit_retain(driver);
    iokit_release(driver);
    assert_int_equal(inherited_frees, 0);
    iokit_release_clear(driver);
    assert_null(driver);
    assert_int_equal(inherited_frees, 1);
    assert_int_equal(destructs, 1);
}

static void a_cast_to_another_class_gives_null(void **state)
{
    TestDriver *driver = TestDriver_alloc();

    (void)state;
    assert_ptr_equal(iokit_cast(TestDriver, driver), driver);
    assert_null(iokit_cast(IOService, driver)); /* the stand-in knows the class itself only */
    assert_null(iokit_cast(TestDriver, NULL));
    iokit_release(driver);
}

static void the_module_record_names_the_bundle(void **state)
{
    (void)state;
    assert_string_equal(iokit_module_info.name, "org.example.test");
    assert_string_equal(iokit_module_info.version, "1.2.3");
    assert_int_equal(iokit_module_info.info_version, 1);
    assert_int_equal(iokit_module_info.start(&iokit_module_info, NULL), KERN_SUCCESS);
    assert_int_equal(iokit_module_info.stop(&iokit_module_info, NULL), KERN_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(loading_registers_the_class, load),
        cmocka_unit_test_setup(overridden_slots_are_ours_and_the_others_inherited, load),
        cmocka_unit_test_setup(an_instance_is_made_called_and_freed, load),
        cmocka_unit_test_setup(a_cast_to_another_class_gives_null, load),
        cmocka_unit_test_setup(the_module_record_names_the_bundle, load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
