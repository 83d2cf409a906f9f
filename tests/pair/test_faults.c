/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: each step of attaching a device fails in turn, and memory runs out
 * at every allocation in turn. Nothing of the guest stays at the host (pair_run checks), and the
 * next try works. */
#include "tests/pair/pair_guest.h"

#include "protocol/vmbus.h"
#include "xnu/iokit/startup.h"
#include "xnu/machine/memory.h"

enum { MEBIBYTE = 1 << 20, STEPS = 4, RING_PAGES = 16 /* at least, both directions */ };

static uint8_t buffer[4096];
static uint64_t allocations_without; /* the controller */

static void check_disk(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    memset(buffer, 0x3c, sizeof buffer);
    PAIR_CHECK(pair, pair_disk_write("disk0", 4096, buffer, sizeof buffer) == 0);
    PAIR_CHECK(pair, memcmp(pair_host_disk(pair->host, 0) + 4096, buffer, sizeof buffer) == 0);
}

/* Takes the controller away and offers it again, once the guest has let go of it, with the nth
 * allocation from there on failing; 0: none. False: there were not so many. */
static bool attach_again(struct pair *pair, uint64_t nth)
{
    unsigned tries = 0;
    bool refused;

    pair_host_remove_controller(pair->host);
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", false));
    do
        pair_sleep(PAIR_SECOND / 10);
    while (!pair_host_controller_is_released(pair->host) && ++tries < 1000);
    PAIR_CHECK(pair, pair_host_controller_is_released(pair->host));
    pair_sleep(PAIR_SECOND);
    if (nth > 1) /* what the try before it left */
        PAIR_CHECK(pair, pair_allocations() == allocations_without);
    allocations_without = pair_allocations();
    machine_allocation_fail_at(nth, false);
    PAIR_CHECK(pair, pair_host_add_controller(pair->host));
    pair_sleep(PAIR_SECOND);
    refused = machine_allocation_failed() != 0;
    machine_allocation_fail_at(0, false);
    PAIR_CHECK(pair, xnu_wait_quiet(60 * PAIR_SECOND));
    return refused;
}

static void failed_step_body(struct pair *pair)
{
    pair_host_end_faults(pair->host);
    attach_again(pair, 0);
    check_disk(pair);
}

static void a_device_whose_attachment_failed_at_any_step_attaches_the_next_time(void **state)
{
    static const char *const rules[] = {
        "post,fail,type=8,nth=%u,times=1", /* GPADL_HEADER */
        "post,fail,type=5,nth=%u,times=1", /* OPEN_CHANNEL */
        "completion,drop,nth=%u,times=1",  /* storage: begin, version, properties, end */
    };
    char rule[64];
    unsigned index;
    unsigned step;

    (void)state;
    for (index = 0; index < sizeof rules / sizeof *rules; index++) {
        for (step = 1; step <= STEPS; step++) {
            const struct pair_options options = { .disk_bytes = { MEBIBYTE }, .faults = { rule } };

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-nonliteral"
            snprintf(rule, sizeof rule, rules[index], step);
#pragma clang diagnostic pop
            pair_run(&options, failed_step_body, 1);
        }
    }
}

/* ---- a host that keeps silent about VMBus versions ---- */

static uint32_t agreed; /* what this run is to end with */

static void silence_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_host_vmbus_version(pair->host) == agreed);
    check_disk(pair);
}

static void a_host_that_does_not_answer_is_asked_for_every_version_in_turn(void **state)
{
    static const uint32_t ladder[] = {
        VMBUS_VERSION_6_0, VMBUS_VERSION_5_3, VMBUS_VERSION_5_2, VMBUS_VERSION_5_1,
        VMBUS_VERSION_5_0, VMBUS_VERSION_4_1, VMBUS_VERSION_4_0, VMBUS_VERSION_3_0,
        VMBUS_VERSION_2_4, VMBUS_VERSION_1_1, VMBUS_VERSION_0_13,
    };
    char rule[64];
    unsigned index;

    (void)state;
    for (index = 0; index < sizeof ladder / sizeof *ladder; index++) {
        const struct pair_options options = {
            .disk_bytes = { MEBIBYTE }, .vmbus_version_max = VMBUS_VERSION_6_0, .faults = { rule },
        };

        /* The newest version is asked for twice, on both ports. */
        snprintf(rule, sizeof rule, "message,drop,type=15,times=%u", index + 1);
        agreed = ladder[index];
        pair_run(&options, silence_body, 1);
    }
}

/* A host that answers after the guest has asked for another version: answers do not say which one
 * they are about, so each may be taken for that of a later one, and those that are left over come
 * when the guest is connected. */
static void a_host_that_answers_late_about_versions_is_understood(void **state)
{
    static const unsigned seconds[] = { 1, 2, 3, 5, 8, 13 };
    char rule[64];
    unsigned index, times;

    (void)state;
    for (index = 0; index < sizeof seconds / sizeof *seconds; index++) {
        for (times = 1; times <= 4; times++) {
            const struct pair_options options = {
                .disk_bytes = { MEBIBYTE }, .vmbus_version_max = VMBUS_VERSION_5_2,
                .faults = { rule },
            };

            /* The unit is 100 ns. */
            snprintf(rule, sizeof rule, "message,delay=%u0000000,type=15,times=%u", seconds[index],
                     times);
            pair_run(&options, check_disk, 1);
        }
    }
}

static void scarce_body(struct pair *pair)
{
    unsigned tried = 0;
    uint64_t nth;

    check_disk(pair);
    /* Close together at first, where each allocation is another one; further apart later. */
    for (nth = 1; pair->failures == 0 && attach_again(pair, nth); nth += 1 + nth / 16)
        tried++;
    printf("# note: %u of the first %llu allocations failed\n", tried, (unsigned long long)nth);
    PAIR_CHECK(pair, tried > 20);
    attach_again(pair, 0);
    check_disk(pair);
}

static void whatever_allocation_fails_the_next_attachment_works(void **state)
{
    const struct pair_options options = { .disk_bytes = { MEBIBYTE } };

    (void)state;
    pair_run(&options, scarce_body, 1);
}

static uint64_t pages_used(void)
{
    struct machine_memory_statistics statistics;

    machine_memory_statistics(&statistics);
    return statistics.pages_used;
}

/* Pages that a controller that comes and goes leaves behind. */
static uint64_t pages_lost(struct pair *pair)
{
    uint64_t before;
    uint64_t after;

    attach_again(pair, 0);
    before = pages_used();
    attach_again(pair, 0);
    after = pages_used();
    return after > before ? after - before : 0; /* a page of something else may go meanwhile */
}

static void confirmed_body(struct pair *pair)
{
    PAIR_CHECK(pair, pages_lost(pair) < RING_PAGES);
}

static void unconfirmed_body(struct pair *pair)
{
    uint64_t lost = pages_lost(pair);

    PAIR_CHECK(pair, lost >= RING_PAGES && lost < 100 * RING_PAGES);
    check_disk(pair);
}

static void memory_is_freed_when_the_host_confirms_and_else_never(void **state)
{
    const struct pair_options confirming = { .disk_bytes = { MEBIBYTE } };
    const struct pair_options silent = { .disk_bytes = { MEBIBYTE },
                                         .faults = { "message,drop,type=12" } };

    (void)state;
    pair_run(&confirming, confirmed_body, 1);
    pair_run(&silent, unconfirmed_body, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_whose_attachment_failed_at_any_step_attaches_the_next_time),
        cmocka_unit_test(a_host_that_does_not_answer_is_asked_for_every_version_in_turn),
        cmocka_unit_test(a_host_that_answers_late_about_versions_is_understood),
        cmocka_unit_test(whatever_allocation_fails_the_next_attachment_works),
        cmocka_unit_test(memory_is_freed_when_the_host_confirms_and_else_never),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
