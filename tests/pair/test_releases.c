/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process, on macOS before 12: the kext as it is built for those, with a
 * disk, a network adapter and a PCI function, and what differs between the releases for it. */
#include "tests/pair/pair_guest.h"

#include "abi/IOService.h"
#include "abi/OSDictionary.h"
#include "abi/OSNumber.h"
#include "abi/constants.h"
#include "tests/pair/pair_pci.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/machine.h"

enum {
    SEEDS = 2,
    MEBIBYTE = 1 << 20,
    MILLISECOND = 1000000,
    CHANNELS_MAX = 8,
    PROCESSORS = 4,
    REQUESTS = 200,
    BYTES = 16384,
    MESSAGES = 16, /* of the test function, with MSI (10.6) as with MSI-X */
};

#define DEVICE "{\"model\": \"test\"}"

/* Writes so much at once that every channel has work, and looks at the medium. */
static void write_everywhere(struct pair *pair)
{
    const uint8_t *medium = pair_host_disk(pair->host, 0);
    unsigned index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_disk_write_many("disk0", REQUESTS, BYTES) == 0);
    for (index = 0; index < REQUESTS; index++)
        PAIR_CHECK(pair, medium[index * BYTES] == (uint8_t)(index + 1) &&
                             medium[index * BYTES + BYTES - 1] == (uint8_t)(index + 1));
}

static uint64_t interrupts_elsewhere(void)
{
    struct machine_statistics statistics;
    uint64_t sum = 0;
    unsigned processor;

    machine_statistics(&statistics);
    for (processor = 1; processor < PROCESSORS; processor++)
        sum += statistics.interrupts[processor];
    return sum;
}

/* Sources of the driver of the test function, once it has found no fault; 0: not in a minute. */
static uint64_t test_sources(void)
{
    OSDictionary *matching = IOService_serviceMatching_cstring("PCITest", NULL);
    uint64_t deadline = machine_uptime() + 60 * PAIR_SECOND, sources = 0;

    while (sources == 0 && machine_uptime() < deadline) {
        OSIterator *iterator = IOService_getMatchingServices(matching);
        OSObject *driver = iterator ? OSIterator_getNextObject(iterator) : NULL;
        OSNumber *faults = driver ? as_number(IORegistryEntry_getProperty_cstring(
                                        (IORegistryEntry *)driver, "TestFaults"))
                                  : NULL;

        if (faults && OSNumber_unsigned32BitValue(faults) == 0)
            sources = OSNumber_unsigned32BitValue(as_number(IORegistryEntry_getProperty_cstring(
                (IORegistryEntry *)driver, "TestSources")));
        object_release(iterator);
        pair_sleep(10 * MILLISECOND);
    }
    object_release(matching);
    return sources;
}

/* ---- every release -------------------------------------------------------------------------- */

static void works_body(struct pair *pair)
{
    write_everywhere(pair);
    PAIR_CHECK(pair, interrupts_elsewhere() == 0);
    pair_add_personalities("MACHV_PCITEST_PERSONALITIES");
    PAIR_CHECK(pair, test_sources() == MESSAGES);
}

static void disk_and_function_work_on_every_release(void **state)
{
    static const char *const releases[] = {
        "10.6",    "10.6.8",  "10.7.5",  "10.8.5",  "10.9.5",  "10.10.5",
        "10.11.6", "10.12.6", "10.13.6", "10.14.6", "10.15.7", "11.7",
    };

    (void)state;
    for (size_t i = 0; i < sizeof releases / sizeof releases[0]; i++) {
        const struct pair_options options = {
            .macos = releases[i], .processors = PROCESSORS, .pci = { DEVICE },
            .disk_bytes = { 8 * MEBIBYTE }, .video = true,
        };

        pair_run(&options, works_body, 1);
    }
}

/* ---- processors other than the first -------------------------------------------------------- */

static void spread_channels_body(struct pair *pair)
{
    uint64_t requests[CHANNELS_MAX];
    unsigned index, used = 0;

    for (index = 0; index < 5; index++)
        write_everywhere(pair);
    pair_host_storage_channels(pair->host, requests, CHANNELS_MAX);
    for (index = 0; index < CHANNELS_MAX; index++)
        used += requests[index] != 0;
    PAIR_CHECK(pair, used > 1);
    PAIR_CHECK(pair, interrupts_elsewhere() != 0);
}

static void each_channel_may_interrupt_a_processor_of_its_own(void **state)
{
    const struct pair_options options = {
        .macos = "11.7", .boot_args = "-hvspread", .processors = PROCESSORS,
        .disk_bytes = { 8 * MEBIBYTE },
    };

    (void)state;
    pair_run(&options, spread_channels_body, SEEDS);
}

static void spread_messages_body(struct pair *pair)
{
    uint64_t processors = 0;

    pair_add_personalities("MACHV_PCITEST_PERSONALITIES");
    PAIR_CHECK(pair, test_sources() == MESSAGES);
    PAIR_CHECK(pair, pair_pci_targets(pair_pci_bus(0), &processors) != 0);
    PAIR_CHECK(pair, __builtin_popcountll(processors) > 1);
}

static void messages_of_a_function_may_go_to_several_processors(void **state)
{
    const struct pair_options options = {
        .macos = "11.7", .boot_args = "-hvspread", .processors = PROCESSORS, .pci = { DEVICE },
    };

    (void)state;
    pair_run(&options, spread_messages_body, SEEDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(disk_and_function_work_on_every_release),
        cmocka_unit_test(each_channel_may_interrupt_a_processor_of_its_own),
        cmocka_unit_test(messages_of_a_function_may_go_to_several_processors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
