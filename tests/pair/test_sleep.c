/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: the whole machine sleeps and wakes. What the adapter does is in
 * test_network_power.c. */
#include "tests/pair/pair_guest.h"

#include "abi/IONotifier.h"
#include "abi/IOService.h"
#include "abi/constants/results.h"
#include "abi/constants/service.h"
#include "abi/kpi/time.h"
#include "xnu/families/system_sleep.h"
#include "xnu/machine/clock.h"

enum { SEEDS = 3, MEBIBYTE = 1 << 20, BLOCK = 4096, HOUR = 3600, NO_DEVICE = 6, HEARD_MAX = 16 };

typedef int32_t interest(void *target, void *reference, uint32_t type, IOService *provider,
                         void *argument, unsigned long size);
IONotifier *registerSleepWakeInterest(interest *handler, void *self, void *reference)
    __asm("_registerSleepWakeInterest");
IONotifier *registerPrioritySleepWakeInterest(interest *handler, void *self, void *reference)
    __asm("_registerPrioritySleepWakeInterest");

static const struct pair_options options = {
    .release = "2022", .network = true, .disk_bytes = { 8 * MEBIBYTE },
};
static uint8_t buffer[BLOCK];

static bool medium_has(struct pair *pair, uint64_t offset, uint8_t fill)
{
    const uint8_t *medium = pair_host_disk(pair->host, 0) + offset;

    return medium[0] == fill && memcmp(medium, medium + 1, BLOCK - 1) == 0;
}

/* ---- disks ---- */

static void disk_body(struct pair *pair)
{
    struct pair_write *write;
    uint64_t flushes;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    memset(buffer, 0x11, BLOCK);
    PAIR_CHECK(pair, pair_disk_write("disk0", 0, buffer, BLOCK) == 0);
    flushes = pair_host_flushes(pair->host, 0);
    PAIR_CHECK(pair, system_sleep(true) == SYSTEM_SLEEPS);
    PAIR_CHECK(pair, pair_host_flushes(pair->host, 0) == flushes + 1);
    write = pair_disk_begin_write("disk0", BLOCK, 0x12, BLOCK);
    pair_sleep(60 * PAIR_SECOND);
    PAIR_CHECK(pair, !pair_write_is_done(write));
    PAIR_CHECK(pair, !medium_has(pair, BLOCK, 0x12));
    PAIR_CHECK(pair, system_sleep(true) == SYSTEM_SLEEPS_ALREADY);
    PAIR_CHECK(pair, system_wake());
    PAIR_CHECK(pair, pair_write_end(write, 10) == 0);
    PAIR_CHECK(pair, medium_has(pair, 0, 0x11) && medium_has(pair, BLOCK, 0x12));
    PAIR_CHECK(pair, !system_wake());
    PAIR_CHECK(pair, pair_disk_read("disk0", BLOCK, buffer, BLOCK) == 0 && buffer[0] == 0x12);
}

static void disks_are_flushed_and_requests_wait_for_the_wake(void **state)
{
    (void)state;
    pair_run(&options, disk_body, SEEDS);
}

static void removed_body(struct pair *pair)
{
    struct pair_write *write;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, system_sleep(true) == SYSTEM_SLEEPS);
    write = pair_disk_begin_write("disk0", 0, 0x21, BLOCK);
    PAIR_CHECK(pair, pair_host_remove_disk(pair->host, 0));
    PAIR_CHECK(pair, pair_host_add_disk(pair->host, 1, MEBIBYTE));
    pair_sleep(60 * PAIR_SECOND);
    PAIR_CHECK(pair, system_wake());
    PAIR_CHECK(pair, pair_write_end(write, 10) == NO_DEVICE);
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_disk_write("disk0", 0, buffer, BLOCK) == 0);
}

static void a_disk_that_goes_during_sleep_ends_its_requests_at_the_wake(void **state)
{
    (void)state;
    pair_run(&options, removed_body, SEEDS);
}

/* ---- who is told ---- */

static struct {
    uint32_t type;
    bool priority;
} heard[HEARD_MAX];
static unsigned heard_count;

static int32_t hear(void *target, void *reference, uint32_t type, IOService *provider,
                    void *argument, unsigned long size)
{
    (void)target, (void)provider, (void)argument, (void)size;
    if (heard_count < HEARD_MAX) {
        heard[heard_count].type = type;
        heard[heard_count].priority = reference != NULL;
    }
    heard_count++;
    return kIOReturnSuccess;
}

static void told_body(struct pair *pair)
{
    static const struct {
        uint32_t type;
        bool priority;
    } expected[] = {
        { kIOMessageSystemWillSleep, false },   { kIOMessageSystemWillSleep, true },
        { kIOMessageSystemWillPowerOn, true },  { kIOMessageSystemWillPowerOn, false },
        { kIOMessageSystemHasPoweredOn, true }, { kIOMessageSystemHasPoweredOn, false },
    };
    IONotifier *general = registerSleepWakeInterest(hear, NULL, NULL);
    IONotifier *priority = registerPrioritySleepWakeInterest(hear, NULL, &heard_count);
    unsigned i;

    heard_count = 0;
    PAIR_CHECK(pair, system_sleep(false) == SYSTEM_MUST_NOT_SLEEP); /* the kext has said so */
    PAIR_CHECK(pair, heard_count == 0);
    PAIR_CHECK(pair, system_sleep(true) == SYSTEM_SLEEPS && heard_count == 2);
    PAIR_CHECK(pair, system_wake() && heard_count == 6);
    for (i = 0; i < sizeof expected / sizeof *expected && i < heard_count; i++)
        PAIR_CHECK(pair, heard[i].type == expected[i].type &&
                             heard[i].priority == expected[i].priority);
    IONotifier_remove(general);
    IONotifier_remove(priority);
}

static void whoever_has_an_interest_is_told_in_order(void **state)
{
    (void)state;
    pair_run(&options, told_body, 1);
}

/* ---- the rest of the machine ---- */

static uint64_t calendar_seconds(void)
{
    clock_sec_t seconds;
    clock_usec_t microseconds;

    clock_get_calendar_microtime(&seconds, &microseconds);
    return seconds;
}

static void whole_body(struct pair *pair)
{
    uint64_t calendar, heartbeats, uptime;
    unsigned night;

    PAIR_CHECK(pair, pair_wait_for_link(true));
    for (night = 0; night < 3; night++) {
        calendar = calendar_seconds();
        uptime = machine_uptime();
        PAIR_CHECK(pair, system_sleep(true) == SYSTEM_SLEEPS);
        PAIR_CHECK(pair, !pair_network_link());
        pair_sleep(HOUR * PAIR_SECOND);
        PAIR_CHECK(pair, system_wake());
        PAIR_CHECK(pair, pair_wait_for_link(true));
        PAIR_CHECK(pair, calendar_seconds() - calendar - (machine_uptime() - uptime) / PAIR_SECOND
                             <= 1);
        PAIR_CHECK(pair, calendar_seconds() - calendar >= HOUR);
        memset(buffer, (int)night + 1, BLOCK);
        PAIR_CHECK(pair, pair_disk_write("disk0", night * BLOCK, buffer, BLOCK) == 0);
        PAIR_CHECK(pair, medium_has(pair, night * BLOCK, (uint8_t)(night + 1)));
    }
    heartbeats = pair_host_heartbeats(pair->host);
    pair_sleep(5 * PAIR_SECOND);
    PAIR_CHECK(pair, pair_host_heartbeats(pair->host) > heartbeats);
}

static void after_a_night_all_works_and_the_time_is_right(void **state)
{
    (void)state;
    pair_run(&options, whole_body, SEEDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(disks_are_flushed_and_requests_wait_for_the_wake),
        cmocka_unit_test(a_disk_that_goes_during_sleep_ends_its_requests_at_the_wake),
        cmocka_unit_test(whoever_has_an_interest_is_told_in_order),
        cmocka_unit_test(after_a_night_all_works_and_the_time_is_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
