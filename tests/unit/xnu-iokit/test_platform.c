/* SPDX-License-Identifier: BSD-3-Clause */
/* The built-in platform: ACPI nubs, interrupts from vector to handler, platform functions,
 * power, user clients, the list of start-up steps. */
#include "tests/unit/xnu-iokit/iokit_test.h"

#include "abi/IOACPIPlatformDevice.h"
#include "abi/IOPMrootDomain.h"
#include "abi/IOPlatformExpert.h"
#include "abi/IOUserClient.h"

#include "xnu/iokit/interrupt_vectors.h"
#include "xnu/iokit/root_domain.h"

enum { APIC_BASE = 0x40, VMBUS_LINE = 5 };

/* Borrowed; NULL if there is none. */
static IOService *find_nub(const char *name)
{
    OSDictionary *matching = IOService_serviceMatching_cstring("IOACPIPlatformDevice", NULL);
    OSIterator *iterator = IOService_getMatchingServices(matching);
    IOService *nub, *found = NULL;

    while ((nub = iterator_next(iterator))) {
        if (strcmp(IORegistryEntry_getName(as_entry(nub), NULL), name) == 0)
            found = nub;
    }
    object_release(iterator);
    object_release(matching);
    return found;
}

static bool answers_to(IOService *nub, const char *name)
{
    OSString *string = OSString_withCString(name);
    bool good = IORegistryEntry_compareName(as_entry(nub), string, NULL);

    object_release(string);
    return good;
}

/* ---- nubs ---- */

static void generation_2_body(void *unused)
{
    IOService *bus = find_nub("VMBS"), *module = find_nub("VMOD");
    uint32_t status = 0;

    CHECK(bus && module && find_nub("CP00") && find_nub("CP01") && !find_nub("PCI0"));
    CHECK(IOService_getProvider(bus) == module);
    CHECK(answers_to(bus, "VMBus") && answers_to(bus, "VMBS") && answers_to(bus, "VM*"));
    CHECK(!answers_to(bus, "vmbus") && !answers_to(bus, "VMB"));
    CHECK(answers_to(find_nub("CP00"), "processor"));
    CHECK(IOService_getDeviceMemoryCount(module) == 2);
    CHECK(IOACPIPlatformDevice_evaluateInteger_cstring_integer32s(
              (IOACPIPlatformDevice *)bus, "_STA", &status, NULL, 0, 0) == kIOReturnSuccess);
    CHECK(status == 0xf);
    CHECK(IOACPIPlatformDevice_validateObject_cstring((IOACPIPlatformDevice *)bus, "_HID") ==
          kIOReturnSuccess);
    CHECK(IOACPIPlatformDevice_validateObject_cstring((IOACPIPlatformDevice *)bus, "_DSM") ==
          kIOReturnNotFound);
    CHECK(IORegistryEntry_getParentEntry(as_entry(bus), gIODTPlane) == as_entry(module));
    CHECK(IORegistryEntry_getParentEntry(as_entry(bus), IORegistryEntry_getPlane("IOACPIPlane")) ==
          as_entry(module));
}

static void a_generation_2_machine_has_its_module_and_bus(void **state)
{
    run_iokit(generation_2_body);
}

static void start_generation_1(void)
{
    struct xnu_options options = {.generation = 1};

    xnu_iokit_start(&options);
}

static void generation_1_body(void *unused)
{
    IOService *root = find_nub("PCI0");
    OSData *spaces = root ? as_data(IORegistryEntry_getProperty_cstring(as_entry(root),
                                                                        "acpi-address-spaces"))
                          : NULL;

    CHECK(root && answers_to(root, "PNP0A03") && find_nub("PS2K") && find_nub("VMBS"));
    CHECK(!find_nub("VMOD"));
    CHECK(spaces && OSData_getLength(spaces) == 6 * 0x50);
    CHECK(*(const uint32_t *)OSData_getBytesNoCopy(spaces) == 2); /* buses first */
    CHECK(answers_to(find_nub("PS2K"), "PNP030B")); /* from _CID */
}

static void a_generation_1_machine_has_a_pci_root(void **state)
{
    kernel_test_start = start_generation_1;
    run_seeds(generation_1_body, 2);
}

/* ---- interrupts ---- */

static unsigned handled;
static IOService *interrupting_nub;

static void handler(OSObject *target, void *reference, IOService *nub, int32_t source)
{
    CHECK(target == (OSObject *)0x10 && reference == (void *)0x20 && source == 0);
    CHECK(machine_at_interrupt_context() && !machine_interrupts_enabled());
    CHECK(nub == interrupting_nub);
    handled++;
    machine_wakeup(&handled, false);
}

/* Waits until `count` interrupts have been handled, or a virtual second. */
static bool handled_becomes(unsigned count)
{
    uint64_t deadline = machine_uptime() + SECOND;

    while (handled < count && machine_uptime() < deadline)
        machine_sleep(NULL, &handled, machine_uptime() + SECOND / 10, false);
    return handled == count;
}

static void interrupt_body(void *unused)
{
    IOService *bus = find_nub("VMBS"), *plain = make_nub("plain", NULL);
    int32_t type = -1;

    interrupting_nub = bus;
    CHECK(IOService_getInterruptType(plain, 0, &type) == kIOReturnNoResources);
    CHECK(IOService_enableInterrupt(bus, 0) != kIOReturnSuccess); /* not resolved yet */
    CHECK(IOService_getInterruptType(bus, 0, &type) == kIOReturnSuccess && type == 0);
    CHECK(IOService_getInterruptType(bus, 1, &type) == kIOReturnNoInterrupt);
    CHECK(IOService_getInterruptType(bus, -1, &type) == kIOReturnNoInterrupt);
    CHECK(IOService_registerInterrupt(bus, 0, (OSObject *)0x10, handler, (void *)0x20) ==
          kIOReturnSuccess);
    CHECK(IOService_registerInterrupt(bus, 0, (OSObject *)0x10, handler, (void *)0x20) ==
          kIOReturnNoResources);
    machine_interrupt_raise(0, APIC_BASE + VMBUS_LINE); /* disabled: remembered */
    CHECK(!handled_becomes(1));
    CHECK(IOService_enableInterrupt(bus, 0) == kIOReturnSuccess);
    CHECK(handled_becomes(1));
    machine_interrupt_raise(0, APIC_BASE + VMBUS_LINE);
    CHECK(handled_becomes(2));
    CHECK(IOService_causeInterrupt(bus, 0) == kIOReturnSuccess);
    CHECK(handled_becomes(3));
    CHECK(IOService_disableInterrupt(bus, 0) == kIOReturnSuccess);
    machine_interrupt_raise(0, APIC_BASE + VMBUS_LINE);
    CHECK(!handled_becomes(4));
    CHECK(IOService_enableInterrupt(bus, 0) == kIOReturnSuccess);
    CHECK(handled_becomes(4));
    CHECK(IOService_unregisterInterrupt(bus, 0) == kIOReturnSuccess);
    machine_interrupt_raise(0, APIC_BASE + VMBUS_LINE);
    CHECK(!handled_becomes(5));
    CHECK(IOService_registerInterrupt(bus, 0, (OSObject *)0x10, handler, (void *)0x20) ==
          kIOReturnSuccess);
    object_release(plain);
}

static void an_interrupt_goes_from_its_vector_to_the_handler(void **state)
{
    run_iokit(interrupt_body);
}

static void base_body(void *unused)
{
    const OSSymbol *name = OSSymbol_withCString("io-apic-0");
    IORegistryEntry *apic = (IORegistryEntry *)IOPlatformExpert_lookUpInterruptController(
        IOService_getPlatform(), (OSSymbol *)name);
    OSNumber *base = as_number(IORegistryEntry_getProperty_cstring(apic, "Base Vector Number"));

    CHECK(base && OSNumber_unsigned32BitValue(base) == APIC_BASE);
    object_release(name);
}

static void the_controller_publishes_its_base_vector(void **state)
{
    run_iokit(base_body);
}

static void vector_called(void *context, unsigned vector)
{
    handled++;
    CHECK(vector == (unsigned)(uintptr_t)context);
}

static void vectors_body(void *unused)
{
    unsigned first = vectors_allocate(4, vector_called, NULL), i;
    uint64_t spurious = vectors_spurious();

    CHECK(first >= VECTOR_DYNAMIC_FIRST && first + 3 <= VECTOR_DYNAMIC_LAST);
    CHECK(!vector_set_handler(first, vector_called, NULL)); /* taken */
    for (i = 0; i < 4; i++)
        vector_clear_handler(first + i);
    CHECK(vector_set_handler(first, vector_called, (void *)(uintptr_t)first));
    machine_interrupt_raise(0, first);
    CHECK(handled_becomes(1));
    vector_clear_handler(first);
    machine_interrupt_raise(0, first);
    CHECK(!handled_becomes(2) && vectors_spurious() == spurious + 1);
    CHECK(vectors_allocate(200, vector_called, NULL) == 0);
}

static void message_vectors_are_allocated_and_given_back(void **state)
{
    run_iokit(vectors_body);
}

static bool other_processors_heard;

static void other_processors_body(void *unused)
{
    unsigned vector = vectors_allocate(1, vector_called, NULL);
    bool heard = other_processors_heard;

    handled = 0;
    vector_clear_handler(vector);
    CHECK(vector_set_handler(vector, vector_called, (void *)(uintptr_t)vector));
    machine_interrupt_raise(1, vector);
    CHECK(handled_becomes(1) == heard && vectors_unheard() == !heard);
    machine_interrupt_raise(1, vector);
    CHECK(handled_becomes(2) == heard && vectors_unheard() == (heard ? 0 : 2));
    machine_interrupt_raise(0, vector);
    CHECK(handled_becomes(heard ? 3 : 1));
    vector_clear_handler(vector);
}

static void interrupts_of_other_processors_are_lost_from_12_on(void **state)
{
    static const struct {
        const char *name;
        bool heard;
    } releases[] = { { "10.6.8", true }, { "11.7", true }, { "12", false } };

    (void)state;
    for (size_t i = 0; i < sizeof releases / sizeof releases[0]; i++) {
        assert_true(release_select(releases[i].name));
        other_processors_heard = releases[i].heard;
        run_iokit(other_processors_body);
    }
    release_select("12.5");
}

static void late_controller(void *name)
{
    IOPlatformExpert *platform = IOService_getPlatform();

    machine_sleep(NULL, name, machine_uptime() + SECOND, false);
    record("registered");
    IOPlatformExpert_registerInterruptController(platform, name, (IOInterruptController *)platform);
}

static void lookup_body(void *unused)
{
    const OSSymbol *name = OSSymbol_withCString("late-controller");
    struct machine_thread *thread = machine_thread_start("late", late_controller, (void *)name);

    CHECK(IOPlatformExpert_lookUpInterruptController(IOService_getPlatform(), (OSSymbol *)name) ==
          (IOInterruptController *)IOService_getPlatform());
    CHECK_EVENTS("registered");
    machine_thread_join(thread);
    machine_thread_release(thread);
    object_release(name);
}

static void looking_a_controller_up_waits_for_it(void **state)
{
    run_iokit(lookup_body);
}

/* ---- platform functions ---- */

struct FunctionDriver {
    IOService super;
};

static int32_t platform_function(IOService *me, const OSSymbol *name, bool wait, void *a, void *b,
                               void *c, void *d)
{
    record("%s(%d,%d)", OSString_getCStringNoCopy((OSString *)name), (int)(uintptr_t)a,
           (int)(uintptr_t)d);
    return kIOReturnSuccess;
}

IOKIT_CLASS(14, FunctionDriver, IOService, .callPlatformFunction_symbol = platform_function)

static void function_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);
    FunctionDriver *driver = FunctionDriver_alloc();

    IORegistryEntry_init_dictionary(as_entry(driver), NULL);
    CHECK(IOService_callPlatformFunction_cstring(nub, "TestFunction", false, NULL, NULL, NULL,
                                                 NULL) == kIOReturnUnsupported);
    IOService_publishResource_cstring("TestFunction", (OSObject *)driver);
    CHECK(IOService_callPlatformFunction_cstring(nub, "TestFunction", false, (void *)1, NULL, NULL,
                                                 (void *)4) == kIOReturnSuccess);
    CHECK_EVENTS("TestFunction(1,4)");
    CHECK(wait_idle());
    object_release(driver);
    object_release(nub);
}

static void platform_functions_are_resources(void **state)
{
    run_iokit(function_body);
}

/* ---- power ---- */

struct PowerDriver {
    IOService super;
    int32_t answer;
};

static int32_t power_changed(IOService *me, unsigned long power_state, IOService *device)
{
    CHECK(device == me);
    record("power%lu", power_state);
    return ((struct PowerDriver *)me)->answer;
}

static void told_to_shut_down(IOService *me, uint32_t specifier)
{
    record("shutdown(0x%x)", specifier);
    IOService_super_systemWillShutdown(me, specifier);
}

IOKIT_CLASS(11, PowerDriver, IOService, .setPowerState = power_changed,
            .systemWillShutdown = told_to_shut_down)

static IOPMPowerState power_states[2] = {
    {.version = 1},
    {.version = 1, .capabilityFlags = kIOPMDeviceUsable, .outputPowerCharacter = kIOPMPowerOn,
     .inputPowerRequirement = kIOPMPowerOn},
};

static PowerDriver *make_power_driver(void)
{
    PowerDriver *driver = PowerDriver_alloc();
    IOService *me = (IOService *)driver;

    IORegistryEntry_init_dictionary(as_entry(me), NULL);
    CHECK(IOService_attach(me, (IOService *)IOService_getPlatform()));
    CHECK(IOService_registerPowerDriver(me, me, power_states, 2) == IOPMNotYetInitialized);
    IOService_PMinit(me);
    CHECK(me->initialized);
    IOService_joinPMtree(IOService_getProvider(me), me);
    CHECK(IOService_registerPowerDriver(me, me, power_states, 1) == kIOReturnBadArgument);
    CHECK(IOService_registerPowerDriver(me, me, power_states, 2) == IOPMNoErr);
    return driver;
}

static void power_body(void *unused)
{
    PowerDriver *driver = make_power_driver();
    IOService *me = (IOService *)driver;

    machine_sleep(NULL, driver, machine_uptime() + SECOND, false);
    CHECK_EVENTS(""); /* registration alone does not call */
    CHECK(IOService_makeUsable(me) == IOPMNoErr);
    machine_sleep(NULL, driver, machine_uptime() + SECOND, false);
    CHECK_EVENTS("power1");
    CHECK(IOService_getPowerState(me) == 1);
    CHECK(IOService_currentCapability(me) == kIOPMDeviceUsable);
    CHECK(IOService_activityTickle(me, 1, 1));
    CHECK(IOService_changePowerStateTo(me, 7) == kIOReturnBadArgument);
    driver->answer = 1000000; /* microseconds, until it acknowledges */
    CHECK(IOService_changePowerStateTo(me, 0) == IOPMNoErr);
    machine_sleep(NULL, driver, machine_uptime() + SECOND / 100, false);
    CHECK_EVENTS("power1 power0");
    CHECK(IOService_getPowerState(me) == 1);
    IOService_acknowledgeSetPowerState(me);
    machine_sleep(NULL, driver, machine_uptime() + SECOND / 100, false);
    CHECK(IOService_getPowerState(me) == 0);
    IOService_PMstop(me);
    IOService_changePowerStateTo(me, 1);
    machine_sleep(NULL, driver, machine_uptime() + SECOND, false);
    CHECK_EVENTS("power1 power0"); /* none after PMstop */
    object_release(driver);
}

static void power_states_change_on_request(void **state)
{
    run_iokit(power_body);
}

static int32_t power_will_change(IOService *me, unsigned long flags, unsigned long state,
                                 IOService *device)
{
    record("will%lu%s", state, flags & kIOPMDeviceUsable ? "usable" : "");
    return IOPMAckImplied;
}

static int32_t power_did_change(IOService *me, unsigned long flags, unsigned long state,
                                IOService *device)
{
    record("did%lu", state);
    return IOPMAckImplied;
}

typedef struct PowerWatcher PowerWatcher;
struct PowerWatcher {
    IOService super;
};
IOKIT_CLASS_DECLARE(12, PowerWatcher, IOService);
IOKIT_CLASS(12, PowerWatcher, IOService, .powerStateWillChangeTo = power_will_change,
            .powerStateDidChangeTo = power_did_change)

static void domain_body(void *unused)
{
    PowerDriver *driver = make_power_driver();
    PowerWatcher *watcher = PowerWatcher_alloc();
    IOService *me = (IOService *)driver;

    IORegistryEntry_init_dictionary(as_entry(watcher), NULL);
    root_domain_power(false);
    root_domain_power(true);
    CHECK_EVENTS(""); /* it has not asked for power */
    IOService_registerInterestedDriver(me, (IOService *)watcher);
    CHECK(IOService_makeUsable(me) == IOPMNoErr);
    machine_sleep(NULL, driver, machine_uptime() + SECOND, false);
    CHECK_EVENTS("will1usable power1 did1");
    root_domain_power(false);
    CHECK_EVENTS("will1usable power1 did1 will0 power0 did0");
    CHECK(IOService_getPowerState(me) == 0);
    root_domain_power(false);
    CHECK(IOService_changePowerStateTo(me, 1) == IOPMNoErr); /* when there is power again */
    machine_sleep(NULL, driver, machine_uptime() + SECOND, false);
    CHECK_EVENTS("will1usable power1 did1 will0 power0 did0");
    IOService_deRegisterInterestedDriver(me, (IOService *)watcher);
    root_domain_power(true);
    CHECK_EVENTS("will1usable power1 did1 will0 power0 did0 power1");
    CHECK(IOService_getPowerState(me) == 1);
    CHECK(IOPMrootDomain_sleepSystem(IOService_getPMRootDomain()) == kIOReturnUnsupported);
    IOService_PMstop(me);
    root_domain_power(false);
    CHECK_EVENTS("will1usable power1 did1 will0 power0 did0 power1"); /* none after PMstop */
    object_release(watcher);
    object_release(driver);
}

static void power_goes_and_comes_for_all(void **state)
{
    run_iokit(domain_body);
}

static int32_t system_goes_down(void *target, void *reference, uint32_t type, IOService *provider,
                                void *argument, unsigned long size)
{
    record("interest(0x%x)", type);
    return kIOReturnSuccess;
}

static void shutdown_body(void *unused)
{
    PowerDriver *driver = make_power_driver();
    IONotifier *interest = IOService_registerInterest((IOService *)IOService_getPMRootDomain(),
                                                      gIOPriorityPowerStateInterest,
                                                      system_goes_down, NULL, NULL);

    CHECK(IOPMrootDomain_receivePowerNotification(IOService_getPMRootDomain(),
                                                  kIOPMPreventSleep) == IOPMNoErr);
    object_release(driver);
    CHECK(xnu_shutdown(true));
    CHECK_EVENTS("interest(0xe0000310) shutdown(0xe0000310)");
    IONotifier_remove(interest);
}

static void everybody_is_told_before_the_machine_goes_down(void **state)
{
    run_iokit(shutdown_body);
}

/* ---- user clients ---- */

struct TestClient {
    IOUserClient super;
};

static bool client_init(IOUserClient *me, struct task *owner, void *security, uint32_t type,
                        OSDictionary *properties)
{
    record("init%u", type);
    return type != 9 &&
           IOUserClient_super_initWithTask_dictionary(me, owner, security, type, properties);
}

static bool client_start(IOService *me, IOService *provider)
{
    record("start");
    return IOUserClient_super_start((IOUserClient *)me, provider);
}

static int32_t client_method(OSObject *target, void *reference,
                             IOExternalMethodArguments *arguments)
{
    arguments->scalarOutput[0] = arguments->scalarInput[0] * 2;
    return kIOReturnSuccess;
}

IOKIT_CLASS(10, TestClient, IOUserClient, .initWithTask_dictionary = client_init,
            .start = client_start)

static void client_body(void *unused)
{
    IOExternalMethodDispatch dispatch = {client_method, 1, 0, 1, kIOUCVariableStructureSize};
    uint64_t in = 21, out = 0;
    IOExternalMethodArguments arguments = {.scalarInput = &in, .scalarInputCount = 1,
                                           .scalarOutput = &out, .scalarOutputCount = 1};
    IOService *nub = make_nub("nub", NULL);
    IOUserClient *client = NULL;

    CHECK(IOService_newUserClient_dictionary(nub, NULL, NULL, 0, NULL, &client) ==
          kIOReturnUnsupported);
    set_text(nub, "IOUserClientClass", "TestClient");
    CHECK(IOService_newUserClient_dictionary(nub, NULL, NULL, 9, NULL, &client) ==
          kIOReturnBadArgument);
    CHECK(!IOService_getClient(nub));
    CHECK(IOService_newUserClient_dictionary(nub, NULL, NULL, 3, NULL, &client) ==
          kIOReturnSuccess);
    CHECK_EVENTS("init9 init3 start");
    CHECK(IOService_getClient(nub) == (IOService *)client);
    CHECK(IOUserClient_externalMethod(client, 0, &arguments, &dispatch, NULL, NULL) ==
          kIOReturnSuccess);
    CHECK(out == 42);
    arguments.scalarInputCount = 2;
    CHECK(IOUserClient_externalMethod(client, 0, &arguments, &dispatch, NULL, NULL) ==
          kIOReturnBadArgument);
    CHECK(IOUserClient_externalMethod(client, 0, &arguments, NULL, NULL, NULL) ==
          kIOReturnUnsupported);
    CHECK(IOUserClient_clientHasPrivilege(NULL, "root") == kIOReturnSuccess);
    CHECK(IOUserClient_clientHasPrivilege(NULL, "king") == kIOReturnUnsupported);
    IOService_terminate((IOService *)client, kIOServiceSynchronous);
    CHECK(!IOService_getClient(nub));
    object_release(client);
    object_release(nub);
}

static void user_clients_are_made_by_class_and_check_sizes(void **state)
{
    run_iokit(client_body);
}

/* ---- start-up ---- */

static void instead(const struct xnu_options *options)
{
    record("instead");
}

static void edited_start(void)
{
    CHECK(!startup_remove("no such step") && !startup_insert("no such step", "x", instead));
    CHECK(startup_remove("resources"));
    CHECK(startup_replace("power", instead));
    CHECK(startup_insert("root", "before root", instead));
    CHECK(startup_insert(NULL, "last", instead));
    xnu_iokit_start(NULL);
}

static void edited_body(void *unused)
{
    CHECK_EVENTS("instead instead instead");
    CHECK(!IOService_getPMRootDomain());
    CHECK(!IORegistryEntry_getProperty_cstring(as_entry(IOService_getResourceService()), "IOBSD"));
}

static void a_test_may_edit_the_start_up_list(void **state)
{
    kernel_test_start = edited_start;
    run_seeds(edited_body, 1);
}

/* A kext's platform expert that scores higher is probed first; ours starts when it declines. */
static void shim_start(void)
{
    xnu_iokit_start(NULL);
}

static void root_body(void *unused)
{
    IOService *root = IOService_getServiceRoot();
    OSString *class = as_string(IORegistryEntry_getProperty_cstring(
        as_entry(IOService_getPlatform()), "IOClass"));

    CHECK(class && OSString_isEqualTo_cstring(class, "AppleACPIPlatformExpert"));
    CHECK(IOService_getProvider((IOService *)IOService_getPlatform()) == root);
    CHECK(answers_to(root, "ACPI") && !answers_to(root, "Virtual"));
    CHECK(IOService_getWorkLoop(find_nub("VMBS")) != NULL);
    CHECK(IOService_getWorkLoop(IOService_getResourceService()) ==
          IOService_getWorkLoop(find_nub("VMBS")));
}

static void the_platform_expert_is_matched_like_any_driver(void **state)
{
    kernel_test_start = shim_start;
    run_seeds(root_body, 2);
}

static void strings_body(void *unused)
{
    IOService *root = IOService_getServiceRoot();

    CHECK_STRING(IOService_stringFromReturn(root, kIOReturnNoMemory), "memory allocation error");
    CHECK(!IOService_stringFromReturn(root, 12345));
    CHECK(IOService_errnoFromReturn(root, kIOReturnSuccess) == 0);
    CHECK(IOService_errnoFromReturn(root, kIOReturnNotPermitted) == 1);
    CHECK(IOService_errnoFromReturn(root, 12345) == 5);
}

static void results_have_texts_and_errno_values(void **state)
{
    run_iokit(strings_body);
}

static void every_release(void **state)
{
    static const char *const releases[] = {"10.6",  "10.7.5", "10.9",  "10.10.5", "10.11",
                                           "10.13", "10.15.7", "11.6", "13.5",    "15"};
    size_t i;

    for (i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
        assert_true(release_select(releases[i]));
        kernel_test_start = iokit_test_start;
        run_seeds(interrupt_body, 1);
        kernel_test_start = iokit_test_start;
        run_seeds(shutdown_body, 1);
    }
    assert_false(release_select("10.5"));
    assert_false(release_select("12.x"));
    assert_false(release_select("16"));
    assert_false(release_select("99"));
    assert_true(release_select("26.1"));
    assert_false(release_select(""));
    assert_true(release_select("12.5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_generation_2_machine_has_its_module_and_bus),
        cmocka_unit_test(a_generation_1_machine_has_a_pci_root),
        cmocka_unit_test(an_interrupt_goes_from_its_vector_to_the_handler),
        cmocka_unit_test(the_controller_publishes_its_base_vector),
        cmocka_unit_test(message_vectors_are_allocated_and_given_back),
        cmocka_unit_test(interrupts_of_other_processors_are_lost_from_12_on),
        cmocka_unit_test(looking_a_controller_up_waits_for_it),
        cmocka_unit_test(platform_functions_are_resources),
        cmocka_unit_test(power_states_change_on_request),
        cmocka_unit_test(power_goes_and_comes_for_all),
        cmocka_unit_test(everybody_is_told_before_the_machine_goes_down),
        cmocka_unit_test(user_clients_are_made_by_class_and_check_sizes),
        cmocka_unit_test(a_test_may_edit_the_start_up_list),
        cmocka_unit_test(the_platform_expert_is_matched_like_any_driver),
        cmocka_unit_test(results_have_texts_and_errno_values),
        cmocka_unit_test(every_release),
    };

    return cmocka_run_group_tests_name("iokit platform", tests, NULL, NULL);
}
