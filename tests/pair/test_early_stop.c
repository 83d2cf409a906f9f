/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: the machine is told to go down at any point of its start. The host
 * counts a message or a doorbell after UNLOAD, memory that is taken back before its use has ended
 * and the like as broken rules; the kext may leave no object and the host nothing of the guest. */
#include "tests/pair/pair_guest.h"

enum { MEBIBYTE = 1 << 20, TURNS_MAX = 3000, POINTS = 60, PROCESSORS = 4 };

static void stop_everywhere(const struct pair_options *options, unsigned first_seed)
{
    unsigned point;

    for (point = 0; point < POINTS; point++) {
        /* Closer together at the beginning, where most happens between two turns. */
        unsigned turns = (unsigned)((uint64_t)TURNS_MAX * point * point / (POINTS * POINTS));

        pair_run_and_stop(options, turns, first_seed + point);
    }
}

static void a_machine_may_be_stopped_anywhere_in_its_start(void **state)
{
    const struct pair_options options = {
        .network = true, .video = true, .disk_bytes = { MEBIBYTE, MEBIBYTE },
        .processors = PROCESSORS,
    };

    (void)state;
    stop_everywhere(&options, 1);
}

static void also_when_the_host_is_old(void **state)
{
    const struct pair_options options = {
        .release = "2008r2", .network = true, .video = true, .disk_bytes = { MEBIBYTE },
        .generation = 1,
    };

    (void)state;
    stop_everywhere(&options, 1001);
}

static void also_when_the_host_is_slow(void **state)
{
    const struct pair_options options = {
        .network = true, .video = true, .disk_bytes = { MEBIBYTE },
        .faults = { "message,delay=20000,percent=30", "completion,delay=20000,percent=30" },
    };

    (void)state;
    stop_everywhere(&options, 2001);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_may_be_stopped_anywhere_in_its_start),
        cmocka_unit_test(also_when_the_host_is_old),
        cmocka_unit_test(also_when_the_host_is_slow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
