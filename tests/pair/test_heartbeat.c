/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: connection at every version, heartbeat, orderly end. */
#include "tests/pair/pair_guest.h"

#include "protocol/vmbus.h"

enum { SEEDS = 5 };

static uint32_t expected_version;

static void heartbeat_body(struct pair *pair)
{
    pair_sleep(7 * PAIR_SECOND);
    PAIR_CHECK(pair, pair_host_heartbeats(pair->host) >= 3);
    if (expected_version != 0)
        PAIR_CHECK(pair, pair_host_vmbus_version(pair->host) == expected_version);
}

static void the_heartbeat_is_answered_with_every_schedule(void **state)
{
    const struct pair_options options = { .release = "2022" };

    (void)state;
    pair_run(&options, heartbeat_body, SEEDS);
}

static void every_vmbus_version_is_reached(void **state)
{
    static const uint32_t versions[] = {
        VMBUS_VERSION(0, 13), VMBUS_VERSION(1, 1), VMBUS_VERSION(2, 4), VMBUS_VERSION(3, 0),
        VMBUS_VERSION(4, 0), VMBUS_VERSION(4, 1), VMBUS_VERSION(5, 0), VMBUS_VERSION(5, 1),
        VMBUS_VERSION(5, 2), VMBUS_VERSION(5, 3), VMBUS_VERSION(6, 0),
    };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof versions / sizeof *versions; index++) {
        const struct pair_options options = { .release = "2025",
                                              .vmbus_version_max = versions[index] };

        expected_version = versions[index];
        pair_run(&options, heartbeat_body, 1);
    }
    expected_version = 0;
}

static void every_windows_release_is_a_host(void **state)
{
    static const char *const releases[] = { "2008", "2008r2", "2012", "2012r2",
                                            "2016", "2019", "2022", "2025" };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof releases / sizeof *releases; index++) {
        const struct pair_options options = { .release = releases[index] };

        pair_run(&options, heartbeat_body, 1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heartbeat_is_answered_with_every_schedule),
        cmocka_unit_test(every_vmbus_version_is_reached),
        cmocka_unit_test(every_windows_release_is_a_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
