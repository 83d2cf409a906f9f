/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVInterruptController on the user-space kernel, without a host: from a nub's properties to
 * its handler, late and lost enables, and vectors that come and go. */
#include "tests/unit/xnu-iokit/iokit_test.h"

#include "abi/IOPlatformExpert.h"

#include "kext/core/HyperVInterruptController.h"
#include "xnu/iokit/interrupt_vectors.h"
#include "xnu/libkern/release.h"

enum { ROUNDS = 50 };

static HyperVInterruptController *controller;
static IOService *nub;
static uint32_t vector;
static volatile unsigned handled, running;
static unsigned line; /* the processor's vector that raises it */

/* ---- the machine's side: a processor vector whose interrupt raises the controller's ---- */

static void arrived(void *context, unsigned number)
{
    interrupt_controller_raise(controller, vector);
}

static void set_up(void)
{
    controller = interrupt_controller_start();
    nub = make_nub("device", NULL);
    vector = interrupt_controller_add(controller, nub);
    line = vectors_allocate(1, arrived, NULL);
    CHECK(controller && vector != 0 && line != 0);
}

static IOInterruptController *find_controller(const char *text)
{
    const OSSymbol *name = OSSymbol_withCString(text);
    IOInterruptController *found = IOPlatformExpert_lookUpInterruptController(
        IOService_getPlatform(), (OSSymbol *)name);

    object_release(name);
    return found;
}

static void tear_down(void)
{
    IOInterruptController *machines = find_controller("io-apic-0");
    unsigned patience = 10;

    vector_clear_handler(line);
    interrupt_controller_remove(controller, vector);
    IOService_terminate(nub, kIOServiceRequired);
    object_release(nub);
    interrupt_controller_stop(controller, machines);
    CHECK(find_controller(INTERRUPT_CONTROLLER_NAME) == machines);
    while (OSMetaClassBase_getRetainCount((OSMetaClassBase *)controller) != 1 && patience-- > 0)
        machine_sleep(NULL, &line, machine_uptime() + SECOND / 10, false); /* matching ends */
    CHECK(patience > 0);
    object_release(controller);
}

static void handler(OSObject *target, void *reference, IOService *service, int32_t source)
{
    CHECK(target == (OSObject *)0x10 && reference == (void *)0x20 && source == 0);
    CHECK(service == nub && !machine_interrupts_enabled());
    CHECK(++running == 1);
    handled++;
    running--;
    machine_wakeup((const void *)&handled, false);
}

static int32_t register_handler(IOInterruptAction action)
{
    return IOService_registerInterrupt(nub, 0, (OSObject *)0x10, action, (void *)0x20);
}

/* Waits until `count` interrupts have been handled, or a tenth of a virtual second. */
static bool handled_becomes(unsigned count)
{
    uint64_t deadline = machine_uptime() + SECOND / 10;

    while (handled < count && machine_uptime() < deadline)
        machine_sleep(NULL, (const void *)&handled, deadline, false);
    return handled == count;
}

/* Is it still `count` after a tenth of a virtual second? */
static bool handled_stays(unsigned count)
{
    machine_sleep(NULL, &line, machine_uptime() + SECOND / 10, false);
    return handled == count;
}

static void interrupt_now(void)
{
    machine_interrupt_raise(0, line);
}

/* ---- how a family uses it ---- */

static void family_body(void *unused)
{
    int32_t type = -1;

    set_up();
    CHECK(IOService_getInterruptType(nub, 1, &type) == kIOReturnNoInterrupt);
    CHECK(IOService_getInterruptType(nub, -1, &type) == kIOReturnNoInterrupt);
    CHECK(IOService_getInterruptType(nub, 0, &type) == kIOReturnSuccess &&
          type == kIOInterruptTypeEdge);
    interrupt_now(); /* nobody's */
    CHECK(handled_stays(0));
    CHECK(register_handler(handler) == kIOReturnSuccess);
    CHECK(register_handler(handler) == kIOReturnNoResources);
    CHECK(handled_stays(0));
    CHECK(IOService_enableInterrupt(nub, 0) == kIOReturnSuccess);
    CHECK(handled_stays(0)); /* what came before was not its */
    interrupt_now();
    CHECK(handled_becomes(1));
    CHECK(IOService_causeInterrupt(nub, 0) == kIOReturnSuccess);
    CHECK(handled_becomes(2));
    CHECK(IOService_unregisterInterrupt(nub, 0) == kIOReturnSuccess);
    interrupt_now();
    CHECK(handled_stays(2));
    tear_down();
}

static void a_family_registers_enables_and_is_called(void **state)
{
    run_iokit(family_body);
}

static void disabled_body(void *unused)
{
    set_up();
    CHECK(register_handler(handler) == kIOReturnSuccess);
    interrupt_now(); /* before the first enable, twice: one call */
    interrupt_now();
    CHECK(handled_stays(0));
    CHECK(IOService_enableInterrupt(nub, 0) == kIOReturnSuccess);
    CHECK(handled_becomes(1));
    CHECK(IOService_enableInterrupt(nub, 0) == kIOReturnSuccess); /* again: nothing */
    CHECK(IOService_disableInterrupt(nub, 0) == kIOReturnSuccess);
    interrupt_now();
    CHECK(handled_stays(1));
    CHECK(IOService_enableInterrupt(nub, 0) == kIOReturnSuccess);
    CHECK(handled_becomes(2));
    CHECK(IOService_disableInterrupt(nub, 0) == kIOReturnSuccess);
    interrupt_now();
    CHECK(handled_stays(2));
    CHECK(IOService_unregisterInterrupt(nub, 0) == kIOReturnSuccess);
    CHECK(register_handler(handler) == kIOReturnSuccess);
    CHECK(IOService_enableInterrupt(nub, 0) == kIOReturnSuccess);
    CHECK(handled_stays(2)); /* what came was for the one that has left */
    CHECK(IOService_unregisterInterrupt(nub, 0) == kIOReturnSuccess);
    tear_down();
}

static void a_disabled_interrupt_is_remembered_once(void **state)
{
    run_iokit(disabled_body);
}

/* ---- handlers that call the controller ---- */

static void handler_that_raises(OSObject *target, void *reference, IOService *service,
                                int32_t source)
{
    if (handled == 0)
        interrupt_controller_raise(controller, vector); /* is not called inside itself */
    handler(target, reference, service, source);
}

static void handler_that_disables(OSObject *target, void *reference, IOService *service,
                                  int32_t source)
{
    handler(target, reference, service, source);
    CHECK(IOService_disableInterrupt(nub, 0) == kIOReturnSuccess);
}

static void calling_body(void *unused)
{
    set_up();
    CHECK(register_handler(handler_that_raises) == kIOReturnSuccess);
    CHECK(IOService_enableInterrupt(nub, 0) == kIOReturnSuccess);
    interrupt_now();
    CHECK(handled_becomes(2));
    CHECK(IOService_unregisterInterrupt(nub, 0) == kIOReturnSuccess);
    CHECK(register_handler(handler_that_disables) == kIOReturnSuccess);
    interrupt_now();
    CHECK(handled_stays(2));
    CHECK(IOService_enableInterrupt(nub, 0) == kIOReturnSuccess); /* from this thread */
    CHECK(handled_becomes(3));
    interrupt_now();
    CHECK(handled_stays(3)); /* it has disabled itself */
    CHECK(IOService_enableInterrupt(nub, 0) == kIOReturnSuccess);
    CHECK(handled_becomes(4));
    CHECK(IOService_enableInterrupt(nub, 0) == kIOReturnSuccess);
    interrupt_now();
    CHECK(handled_becomes(5)); /* in interrupt context, too */
    CHECK(IOService_unregisterInterrupt(nub, 0) == kIOReturnSuccess);
    tear_down();
}

static void handlers_may_raise_and_disable(void **state)
{
    run_iokit(calling_body);
}

/* ---- a race: interrupts on one processor, enabling and disabling on the other ---- */

static void raiser(void *unused)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        interrupt_now();
        machine_yield();
    }
}

static void race_body(void *unused)
{
    struct machine_thread *thread;
    unsigned before;

    set_up();
    CHECK(register_handler(handler) == kIOReturnSuccess);
    thread = machine_thread_start_on(1, "raiser", raiser, NULL);
    for (unsigned i = 0; i < ROUNDS; i++) {
        IOService_enableInterrupt(nub, 0);
        machine_yield();
        IOService_disableInterrupt(nub, 0);
    }
    machine_thread_join(thread);
    machine_thread_release(thread);
    IOService_enableInterrupt(nub, 0);
    CHECK(!handled_stays(0) && handled <= ROUNDS); /* none is lost for good, none is made up */
    before = handled;
    interrupt_now();
    CHECK(handled_becomes(before + 1));
    CHECK(IOService_unregisterInterrupt(nub, 0) == kIOReturnSuccess);
    tear_down();
}

static void no_interrupt_is_lost_to_a_late_enable(void **state)
{
    run_iokit(race_body);
    run_iokit_real(race_body);
}

/* ---- vectors ---- */

static void names_body(void *unused)
{
    OSArray *names, *specifiers;

    set_up();
    names = as_array(IORegistryEntry_getProperty_cstring(as_entry(nub), "IOInterruptControllers"));
    specifiers = as_array(IORegistryEntry_getProperty_cstring(as_entry(nub),
                                                              "IOInterruptSpecifiers"));
    CHECK(names && array_count(names) == 1 && as_symbol(array_at(names, 0)));
    CHECK(OSString_isEqualTo_cstring((OSString *)array_at(names, 0), INTERRUPT_CONTROLLER_NAME));
    CHECK(specifiers && array_count(specifiers) == 1);
    CHECK(*(const uint32_t *)OSData_getBytesNoCopy(as_data(array_at(specifiers, 0))) == vector);
    CHECK(find_controller(INTERRUPT_CONTROLLER_NAME) == &controller->super);
    CHECK(IOService_getProvider((IOService *)controller) == (IOService *)IOService_getPlatform());
    tear_down();
    set_up(); /* another takes the name back */
    CHECK(find_controller(INTERRUPT_CONTROLLER_NAME) == &controller->super);
    CHECK(register_handler(handler) == kIOReturnSuccess);
    CHECK(IOService_enableInterrupt(nub, 0) == kIOReturnSuccess);
    interrupt_now();
    CHECK(handled_becomes(1));
    CHECK(IOService_unregisterInterrupt(nub, 0) == kIOReturnSuccess);
    tear_down();
}

static void nubs_name_it_and_the_platform_knows_it(void **state)
{
    run_iokit(names_body);
}

static void full_body(void *unused)
{
    IOService *nubs[INTERRUPT_VECTORS];
    uint32_t taken = 1, last = vector, i;

    set_up();
    for (i = 0; i < INTERRUPT_VECTORS; i++) {
        uint32_t number;

        nubs[i] = make_nub("another", NULL);
        number = interrupt_controller_add(controller, nubs[i]);
        CHECK(number == 0 || (number != vector && number != last));
        taken += number != 0;
        last = number != 0 ? number : last;
    }
    CHECK(taken == INTERRUPT_VECTORS - 1);
    CHECK(!IORegistryEntry_getProperty_cstring(as_entry(nubs[INTERRUPT_VECTORS - 1]),
                                               "IOInterruptControllers"));
    interrupt_controller_remove(controller, last);
    interrupt_controller_remove(controller, 0);
    CHECK(interrupt_controller_add(controller, nubs[INTERRUPT_VECTORS - 1]) == last);
    interrupt_controller_raise(controller, 0); /* nobody's, and beyond the end */
    interrupt_controller_raise(controller, INTERRUPT_VECTORS);
    interrupt_controller_raise(controller, UINT32_MAX);
    for (i = 0; i < INTERRUPT_VECTORS; i++) {
        IOService_terminate(nubs[i], kIOServiceRequired);
        object_release(nubs[i]);
    }
    tear_down();
}

static void vectors_run_out_and_are_used_again(void **state)
{
    kernel_test_start = iokit_test_start;
    run_seeds(full_body, 2);
}

static void forgotten_body(void *unused)
{
    set_up();
    CHECK(register_handler(handler) == kIOReturnSuccess);
    CHECK(IOService_enableInterrupt(nub, 0) == kIOReturnSuccess);
    interrupt_controller_remove(controller, vector); /* its driver has not unregistered */
    interrupt_now();
    CHECK(handled_stays(0));
    tear_down();
}

static void a_handler_of_a_nub_that_is_gone_is_not_called(void **state)
{
    run_iokit(forgotten_body);
}

static void every_release(void **state)
{
    static const char *const releases[] = {"10.6", "10.9", "10.13", "11.6", "12.5", "26"};

    for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
        assert_true(release_select(releases[i]));
        kernel_test_start = iokit_test_start;
        run_seeds(family_body, 1);
        kernel_test_start = iokit_test_start;
        run_seeds(disabled_body, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_registers_enables_and_is_called),
        cmocka_unit_test(a_disabled_interrupt_is_remembered_once),
        cmocka_unit_test(handlers_may_raise_and_disable),
        cmocka_unit_test(no_interrupt_is_lost_to_a_late_enable),
        cmocka_unit_test(nubs_name_it_and_the_platform_knows_it),
        cmocka_unit_test(vectors_run_out_and_are_used_again),
        cmocka_unit_test(a_handler_of_a_nub_that_is_gone_is_not_called),
        cmocka_unit_test(every_release),
    };

    return cmocka_run_group_tests_name("kext-core interrupt controller", tests, NULL, NULL);
}
