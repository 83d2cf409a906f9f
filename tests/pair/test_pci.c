/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: PCI busses of every version with a driver that uses DMA and MSI-X,
 * several of them, ejected, taken away, rescinded at each step of their coming, and with each
 * allocation failing in turn. */
#include "tests/pair/pair_guest.h"

#include "abi/IOPCIDevice.h"
#include "abi/IOService.h"
#include "abi/OSData.h"
#include "abi/OSDictionary.h"
#include "abi/OSIterator.h"
#include "abi/OSNumber.h"
#include "abi/constants.h"
#include "abi/kpi/globals.h"
#include "tests/pair/pair_pci.h"
#include "xnu/iokit/startup.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/memory.h"

enum {
    SEEDS = 3,
    MILLISECOND = 1000000,
    VECTORS = 16,
    STEPS_MAX = 60,
    PACKETS = 6,
    RANGES = 4 /* of a bus: window and BARs */
};

#define DEVICE "{\"model\": \"test\"}"

/* ---- looking ---- */

static uint64_t number_of(OSObject *object, const char *key)
{
    OSObject *value = IORegistryEntry_getProperty_cstring((IORegistryEntry *)object, key);

    return value == NULL ? UINT64_MAX : OSNumber_unsigned64BitValue((OSNumber *)value);
}

/* Drivers that have done their tests without a fault. */
static unsigned drivers(void)
{
    OSDictionary *matching = IOService_serviceMatching_cstring("PCITest", NULL);
    OSIterator *iterator = IOService_getMatchingServices(matching);
    unsigned count = 0;
    OSObject *driver;

    while (iterator != NULL && (driver = OSIterator_getNextObject(iterator)) != NULL)
        count +=
            number_of(driver, "TestFaults") == 0 && number_of(driver, "TestSources") == VECTORS;
    object_release(iterator);
    object_release(matching);
    return count;
}

static bool wait_for_drivers(unsigned count)
{
    uint64_t deadline = machine_uptime() + 60 * PAIR_SECOND;

    while (drivers() != count && machine_uptime() < deadline)
        pair_sleep(10 * MILLISECOND);
    return drivers() == count;
}

static bool wait_until_gone(const struct virtual_device *bus)
{
    /* Its driver may wait for interrupts. */
    uint64_t deadline = machine_uptime() + 600 * PAIR_SECOND;

    while (!pair_pci_is_gone(bus) && machine_uptime() < deadline)
        pair_sleep(10 * MILLISECOND);
    return pair_pci_is_gone(bus);
}

static void begin(void)
{
    pair_add_personalities("MACHV_PCITEST_PERSONALITIES");
}

/* Takes the bus away, if it is still there, and forgets it. */
static void lose(struct pair *pair, struct virtual_device *bus)
{
    uint64_t processors;

    if (!pair_pci_is_gone(bus))
        pair_pci_unplug(bus);
    PAIR_CHECK(pair, wait_until_gone(bus));
    PAIR_CHECK(pair, wait_for_drivers(0));
    PAIR_CHECK(pair, pair_pci_targets(bus, &processors) == 0);
    PAIR_CHECK(pair, pair_pci_ranges() == 0);
    pair_pci_forget(pair->host, bus);
}

/* A bus comes, works, and goes. */
static void check_another(struct pair *pair)
{
    struct virtual_device *bus = pair_pci_plug(pair->host, DEVICE);

    PAIR_CHECK(pair, bus != NULL);
    PAIR_CHECK(pair, wait_for_drivers(1));
    PAIR_CHECK(pair, pair_pci_messages(bus) >= VECTORS);
    lose(pair, bus);
}

/* ---- what works ---- */

static uint32_t expected_version;

static void version_body(struct pair *pair)
{
    uint64_t processors;

    begin();
    PAIR_CHECK(pair, wait_for_drivers(1));
    PAIR_CHECK(pair, pair_pci_version(pair_pci_bus(0)) == expected_version);
    PAIR_CHECK(pair, pair_pci_messages(pair_pci_bus(0)) == VECTORS + 2);
    PAIR_CHECK(pair, pair_pci_targets(pair_pci_bus(0), &processors) == VECTORS);
    PAIR_CHECK(pair, pair_pci_ranges() == RANGES);
}

static void every_version_gives_registers_dma_and_interrupts(void **state)
{
    char description[96];

    (void)state;
    for (uint32_t minor = 1; minor <= 4; minor++) {
        const struct pair_options options = { .pci = { description } };

        expected_version = 1u << 16 | minor;
        snprintf(description, sizeof description,
                 "{\"model\": \"test\", \"maximum-version\": \"1.%u\"}", minor);
        pair_run(&options, version_body, SEEDS);
    }
}

static void boot_argument_versions_are_the_most_that_is_asked_for(void **state)
{
    static const char *const arguments[] = { "hvpciversion=1", "hvpciversion=2", "hvpciversion=3",
                                             "hvpciversion=4", "hvpciversion=5",
                                             "hvpciversion=0" };

    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        const struct pair_options options = { .pci = { DEVICE }, .boot_args = arguments[i] };

        expected_version = 1u << 16 | (i < 4 ? i + 1 : 4); /* 1.5 is not spoken */
        pair_run(&options, version_body, 1);
    }
}

static unsigned nubs(void)
{
    OSDictionary *matching = IOService_serviceMatching_cstring("IOPCIDevice", NULL);
    OSIterator *iterator = IOService_getMatchingServices(matching);
    unsigned count = 0;

    while (iterator != NULL && OSIterator_getNextObject(iterator) != NULL)
        count++;
    object_release(iterator);
    object_release(matching);
    return count;
}

static unsigned nubs_at_registration = UINT32_MAX;

static bool bus_is_registered(void *target, void *reference, IOService *bus, IONotifier *notifier)
{
    nubs_at_registration = nubs();
    return true;
}

static void look_out_for_the_bus(void)
{
    IOService_addMatchingNotification(gIOPublishNotification,
                                      IOService_serviceMatching_cstring("HyperVVMBus", NULL),
                                      bus_is_registered, NULL, NULL, 0);
}

static void early_body(struct pair *pair)
{
    begin();
    PAIR_CHECK(pair, nubs_at_registration == 3);
    PAIR_CHECK(pair, wait_for_drivers(3));
}

static void late_body(struct pair *pair)
{
    begin();
    PAIR_CHECK(pair, nubs_at_registration == 0);
    PAIR_CHECK(pair, wait_for_drivers(3));
}

static void devices_are_there_before_the_bus_lets_others_match(void **state)
{
    struct pair_options options = {
        .pci = { DEVICE, DEVICE, DEVICE }, .before_kext = look_out_for_the_bus
    };

    (void)state;
    pair_run(&options, early_body, SEEDS);
    options.boot_args = "hvpciwait=0";
    pair_run(&options, late_body, 1); /* it makes a difference */
}

static void large_body(struct pair *pair)
{
    OSDictionary *matching = IOService_nameMatching_cstring("pci1234,6d70", NULL);
    IOPCIDevice *nub = (IOPCIDevice *)IOService_waitForService(matching, NULL);

    begin();
    PAIR_CHECK(pair, wait_for_drivers(1));
    IOPCIDevice_setMemoryEnable(nub, true);
    (void)IOPCIDevice_extendedConfigRead16(nub, kIOPCIConfigCommand);   /* it has happened */
    PAIR_CHECK(pair, pair_pci_ranges() == RANGES + 1 + 4);
    IOPCIDevice_setMemoryEnable(nub, false);
}

/* The host reports a BAR that lies over video memory, and pair_run fails then. */
static void bars_of_each_kind_have_room_beside_the_screens_memory(void **state)
{
    const struct pair_options options = {
        .video = true, .video_megabytes = 32,
        .pci = { DEVICE,
                 "{\"bars\": [{\"index\": 0, \"size\": \"32M\", \"bits\": 32},"
                 " {\"index\": 1, \"size\": \"16M\", \"prefetchable\": true},"
                 " {\"index\": 2, \"size\": \"256M\", \"bits\": 64, \"prefetchable\": true},"
                 " {\"index\": 4, \"size\": \"64\", \"bits\": 64}]}" },
    };

    (void)state;
    pair_run(&options, large_body, SEEDS);
}

static void pins_body(struct pair *pair)
{
    OSDictionary *matching = IOService_nameMatching_cstring("pci1234,6d70", NULL);
    IOService *nub = IOService_waitForService(matching, NULL);
    IOPCIDevice *device = (IOPCIDevice *)nub;
    int32_t type;

    begin();
    PAIR_CHECK(pair, IOPCIDevice_extendedConfigRead8(device, kIOPCIConfigInterruptPin) == 0);
    PAIR_CHECK(pair, IOService_getInterruptType(nub, 0, &type) != kIOReturnSuccess);
    PAIR_CHECK(pair, IOService_registerInterrupt(nub, 0, NULL, NULL, NULL) != kIOReturnSuccess);
    PAIR_CHECK(pair, wait_for_drivers(1)); /* of the next function */
}

static void a_function_without_messages_has_no_interrupts(void **state)
{
    const struct pair_options options = {
        .pci = { "{\"bars\": [{\"index\": 0, \"size\": \"64K\"}]}", DEVICE }
    };

    (void)state;
    pair_run(&options, pins_body, SEEDS);
}

static void off_body(struct pair *pair)
{
    begin();
    pair_sleep(20 * PAIR_SECOND);
    PAIR_CHECK(pair, drivers() == 0 && pair_pci_ranges() == 0);
}

static void the_boot_argument_leaves_the_bus_alone(void **state)
{
    const struct pair_options options = { .pci = { DEVICE }, .boot_args = "-hvpciboff" };

    (void)state;
    pair_run(&options, off_body, 1);
}

static void resources_of_a_crashed_guest_are_given_back_first(void **state)
{
    const struct pair_options options = {
        .pci = { "{\"model\": \"test\", \"first-d0-entry-fails\": true}" }
    };

    (void)state;
    expected_version = 1u << 16 | 4;
    pair_run(&options, version_body, SEEDS);
}

static void several_body(struct pair *pair)
{
    begin();
    PAIR_CHECK(pair, wait_for_drivers(5));
    PAIR_CHECK(pair, pair_pci_ranges() == 3 * RANGES + 2 * (RANGES - 1));
    PAIR_CHECK(pair, pair_pci_messages(pair_pci_bus(1)) == 3 * (VECTORS + 2));
}

static void busses_and_functions_are_each_their_own(void **state)
{
    const struct pair_options options = {
        .pci = { DEVICE,
                 "{\"functions\": [{\"model\": \"test\"}, {\"model\": \"test\", \"slot\": 3},"
                 " {\"model\": \"test\", \"slot\": 3, \"function\": 1}]}",
                 DEVICE },
    };

    (void)state;
    pair_run(&options, several_body, SEEDS);
}

static uint64_t processors_of_first(struct pair *pair)
{
    uint64_t processors = 0;

    begin();
    PAIR_CHECK(pair, wait_for_drivers(1));
    PAIR_CHECK(pair, pair_pci_targets(pair_pci_bus(0), &processors) != 0);
    return processors;
}

static void one_processor_body(struct pair *pair)
{
    PAIR_CHECK(pair, processors_of_first(pair) == 1);
}

/* Before, they may be spread: test_releases.c. */
static void from_macos_12_on_all_interrupts_go_to_processor_0(void **state)
{
    const struct pair_options options = { .pci = { DEVICE },
                                          .processors = 4,
                                          .boot_args = "-hvspread" };

    (void)state;
    pair_run(&options, one_processor_body, SEEDS);
}

/* ---- what the boot loader says ---- */

/* One node, for the first bus that the host makes, with one property: "model", three bytes. */
static const uint8_t injected[] = {
    99,   0,    0,    0,    1,    0,    0,    0,    1,    0,    0,    0, /* size, version, nodes */
    87,   0,    0,    0,    1,    0,    0,    0,                         /* size, properties */
    1,    4,    52,   0,    0xa2, 0xe5, 0x17, 0x9b, 0x91, 0x08, 0xdd, 0x42, 0xb6, 0x53, 0x80, 0xb5,
    0xc2, 0x28, 0x09, 0xba, 0x1d, 0xf6, 0xc4, 0x44, 0x44, 0x44, 0x00, 0x44, 0x9d, 0x52, 0x80, 0x2e,
    0x27, 0xed, 0xe1, 0x9f, 'h',  'c',  'a',  'm',  0x00, 0x01, 0x00, 0x40, 0xa0, 0x5d, 'P',  'C',
    'I',  '0',  '0',  '0',  0x7f, 0xff, 4,    0,    16,   0,    0,    0,    'm',  0,    'o',  0,
    'd',  0,    'e',  0,    'l',  0,    0,    0,    7,    0,    0,    0,    'b',  'u',  's',
};

static bool publish_injected(const void *bytes, uint32_t size)
{
    IORegistryEntry *root = IORegistryEntry_fromPath("/", gIODTPlane, NULL, NULL, NULL);
    IORegistryEntry *efi = object_new(&IORegistryEntry_gMetaClass);
    bool good = root != NULL && efi != NULL && IORegistryEntry_init_dictionary(efi, NULL) &&
                IORegistryEntry_attachToParent(efi, root, gIODTPlane);

    if (good) {
        IORegistryEntry_setName_cstring(efi, "efi", gIODTPlane);
        good = IORegistryEntry_setProperty_cstring_pointer(efi, "device-properties",
                                                           (void *)(uintptr_t)bytes, size);
    }
    object_release(efi);
    object_release(root);
    return good;
}

static OSData *model_of_nub(void)
{
    OSDictionary *matching = IOService_serviceMatching_cstring("IOPCIDevice", NULL);
    OSIterator *iterator = IOService_getMatchingServices(matching);
    OSData *model = NULL;
    OSObject *nub;

    while (iterator != NULL && (nub = OSIterator_getNextObject(iterator)) != NULL)
        if (IORegistryEntry_getProperty_cstring((IORegistryEntry *)nub, "model") != NULL)
            model = (OSData *)IORegistryEntry_getProperty_cstring((IORegistryEntry *)nub, "model");
    object_release(iterator);
    object_release(matching);
    return model;
}

static void injected_body(struct pair *pair)
{
    struct virtual_device *bus;
    OSData *model;

    begin();
    PAIR_CHECK(pair, publish_injected(injected, sizeof injected));
    bus = pair_pci_plug(pair->host, DEVICE);
    PAIR_CHECK(pair, wait_for_drivers(1));
    model = model_of_nub();
    PAIR_CHECK(pair, model != NULL && OSData_getLength(model) == 3);
    PAIR_CHECK(pair, model != NULL && memcmp(OSData_getBytesNoCopy(model), "bus", 3) == 0);
    lose(pair, bus);
}

static void cut_body(struct pair *pair)
{
    struct virtual_device *bus;

    begin();
    PAIR_CHECK(pair, publish_injected(injected, sizeof injected - 5));
    bus = pair_pci_plug(pair->host, DEVICE);
    PAIR_CHECK(pair, wait_for_drivers(1));
    PAIR_CHECK(pair, model_of_nub() == NULL);
    lose(pair, bus);
}

static void a_nub_has_the_properties_that_the_boot_loader_has_for_its_bus(void **state)
{
    const struct pair_options options = { .release = NULL };

    (void)state;
    pair_run(&options, injected_body, 1);
    pair_run(&options, cut_body, 1);
}

/* ---- coming and going ---- */

static void eject_body(struct pair *pair)
{
    struct virtual_device *bus = pair_pci_bus(0);

    begin();
    for (unsigned round = 0; round < 4; round++) {
        PAIR_CHECK(pair, wait_for_drivers(1));
        pair_pci_invalidate(bus);
        PAIR_CHECK(pair, wait_for_drivers(1));
        PAIR_CHECK(pair, pair_pci_eject(bus));
        PAIR_CHECK(pair, !pair_pci_eject(bus));
        PAIR_CHECK(pair, wait_until_gone(bus));
        lose(pair, bus);
        bus = pair_pci_plug(pair->host, DEVICE);
    }
    PAIR_CHECK(pair, wait_for_drivers(1));
}

static void an_ejected_device_comes_back_as_often_as_one_likes(void **state)
{
    const struct pair_options options = { .pci = { DEVICE } };

    (void)state;
    pair_run(&options, eject_body, SEEDS);
}

static void one_of_two_body(struct pair *pair)
{
    struct virtual_device *bus = pair_pci_bus(0);

    begin();
    PAIR_CHECK(pair, wait_for_drivers(2));
    PAIR_CHECK(pair, pair_pci_eject(bus));
    PAIR_CHECK(pair, wait_for_drivers(1));
    pair_pci_invalidate(bus);
    pair_sleep(PAIR_SECOND);
    PAIR_CHECK(pair, drivers() == 1 && !pair_pci_is_gone(bus));
    lose(pair, bus);
}

/* The bridge cannot show a function that comes to a bus that is up: it ends and begins anew. */
static void comes_back_body(struct pair *pair)
{
    struct virtual_device *bus = pair_pci_bus(0);

    begin();
    for (unsigned round = 0; round < 3; round++) {
        PAIR_CHECK(pair, wait_for_drivers(2));
        PAIR_CHECK(pair, !pair_pci_restore(bus));
        PAIR_CHECK(pair, round % 2 == 0 ? pair_pci_eject(bus) : pair_pci_remove(bus));
        PAIR_CHECK(pair, wait_for_drivers(1));
        pair_sleep(PAIR_SECOND);
        PAIR_CHECK(pair, pair_pci_restore(bus));
        pair_sleep(PAIR_SECOND);
    }
    PAIR_CHECK(pair, wait_for_drivers(2));
    lose(pair, bus);
}

static void a_function_comes_back_to_a_bus_that_stayed(void **state)
{
    const struct pair_options options = {
        .pci = { "{\"functions\": [{\"model\": \"test\"}, {\"model\": \"test\", \"slot\": 1}]}" }
    };

    (void)state;
    pair_run(&options, comes_back_body, SEEDS);
}

static void the_other_function_stays(void **state)
{
    const struct pair_options options = {
        .pci = { "{\"functions\": [{\"model\": \"test\"}, {\"model\": \"test\", \"slot\": 1}]}" }
    };

    (void)state;
    pair_run(&options, one_of_two_body, SEEDS);
}

static void removed_body(struct pair *pair)
{
    begin();
    PAIR_CHECK(pair, wait_for_drivers(1));
    PAIR_CHECK(pair, pair_pci_remove(pair_pci_bus(0)));
    PAIR_CHECK(pair, wait_until_gone(pair_pci_bus(0)));
    lose(pair, pair_pci_bus(0));
    check_another(pair);
}

static void a_device_that_is_pulled_out_leaves_nothing(void **state)
{
    const struct pair_options options = { .pci = { DEVICE } };

    (void)state;
    pair_run(&options, removed_body, SEEDS);
}

/* ---- what goes wrong ---- */

static const char *fault;

/* The nth packet of a kind that a bus has to do with has the fault. False: the driver came to work
 * all the same. */
static bool hurt_at(struct pair *pair, unsigned nth)
{
    struct virtual_device *bus = pair_pci_plug(pair->host, DEVICE);
    char rule[96];
    bool survived;

    PAIR_CHECK(pair, bus != NULL);
    snprintf(rule, sizeof rule, "%s,channel=%u,nth=%u,times=1", fault,
             (unsigned)pair_pci_channel(bus), nth);
    PAIR_CHECK(pair, pair_host_add_fault(pair->host, rule));
    pair_sleep(60 * PAIR_SECOND);
    survived = drivers() == 1;
    pair_host_end_faults(pair->host);
    lose(pair, bus);
    return !survived;
}

static void rescind_body(struct pair *pair)
{
    unsigned nth = 1;

    begin();
    while (nth < STEPS_MAX && pair->failures == 0 && hurt_at(pair, nth)) {
        check_another(pair);
        nth++;
    }
    printf("# note: %s at each of %u\n", fault, nth - 1);
    PAIR_CHECK(pair, nth > 1 && nth < STEPS_MAX);
    check_another(pair);
}

static void a_bus_that_goes_at_any_step_comes_the_next_time(void **state)
{
    static const char *const faults[] = { "request,rescind", "completion,rescind",
                                          "packet,rescind" };
    const struct pair_options options = { .release = NULL };

    (void)state;
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) {
        fault = faults[i];
        pair_run(&options, rescind_body, 1);
    }
}

static void lie_body(struct pair *pair)
{
    begin();
    for (unsigned nth = 1; nth <= PACKETS && pair->failures == 0; nth++) {
        hurt_at(pair, nth);
        check_another(pair);
    }
}

static void after_a_packet_that_is_cut_lost_or_twice_the_next_bus_works(void **state)
{
    static const char *const faults[] = {
        "completion,truncate=2", "completion,truncate=4", "completion,truncate=12",
        "completion,drop",       "completion,duplicate",  "packet,truncate=2",
        "packet,truncate=4",     "packet,truncate=30",    "packet,drop",
        "packet,duplicate",      "completion,reorder",    "packet,reorder",
    };
    const struct pair_options options = { .release = NULL };

    (void)state;
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) {
        fault = faults[i];
        pair_run(&options, lie_body, 1);
    }
}

/* False: there were fewer than `nth` allocations. */
static bool scarce_plug(struct pair *pair, uint64_t nth)
{
    struct virtual_device *bus;
    bool refused;

    machine_allocation_fail_at(nth, false);
    bus = pair_pci_plug(pair->host, DEVICE);
    pair_sleep(10 * PAIR_SECOND);
    refused = machine_allocation_failed() != 0;
    machine_allocation_fail_at(0, false);
    lose(pair, bus);
    return refused;
}

static void scarce_body(struct pair *pair)
{
    unsigned tried = 0;
    uint64_t nth;

    begin();
    check_another(pair);
    for (nth = 1; pair->failures == 0 && scarce_plug(pair, nth); nth += 1 + nth / 16)
        tried++;
    printf("# note: %u of the first %llu allocations failed\n", tried, (unsigned long long)nth);
    PAIR_CHECK(pair, tried > 20);
    check_another(pair);
}

static void whatever_allocation_fails_the_next_bus_works(void **state)
{
    const struct pair_options options = { .release = NULL };

    (void)state;
    pair_run(&options, scarce_body, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_gives_registers_dma_and_interrupts),
        cmocka_unit_test(boot_argument_versions_are_the_most_that_is_asked_for),
        cmocka_unit_test(devices_are_there_before_the_bus_lets_others_match),
        cmocka_unit_test(bars_of_each_kind_have_room_beside_the_screens_memory),
        cmocka_unit_test(a_function_without_messages_has_no_interrupts),
        cmocka_unit_test(the_boot_argument_leaves_the_bus_alone),
        cmocka_unit_test(resources_of_a_crashed_guest_are_given_back_first),
        cmocka_unit_test(busses_and_functions_are_each_their_own),
        cmocka_unit_test(from_macos_12_on_all_interrupts_go_to_processor_0),
        cmocka_unit_test(a_nub_has_the_properties_that_the_boot_loader_has_for_its_bus),
        cmocka_unit_test(an_ejected_device_comes_back_as_often_as_one_likes),
        cmocka_unit_test(the_other_function_stays),
        cmocka_unit_test(a_function_comes_back_to_a_bus_that_stayed),
        cmocka_unit_test(a_device_that_is_pulled_out_leaves_nothing),
        cmocka_unit_test(a_bus_that_goes_at_any_step_comes_the_next_time),
        cmocka_unit_test(after_a_packet_that_is_cut_lost_or_twice_the_next_bus_works),
        cmocka_unit_test(whatever_allocation_fails_the_next_bus_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
