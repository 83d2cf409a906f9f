/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole guest in the schedule that hurts: each answer of the host has come, and been handled,
 * before whoever asked for it has gone on to wait. No wait may then sleep through the answer:
 * virtual time would pass until its deadline. */
#include "tests/pair/pair_guest.h"

#include "tests/pair/pair_pci.h"
#include "tests/pair/pair_schedule.h"
#include "xnu/machine/clock.h"

enum {
    MEBIBYTE = 1 << 20, REQUESTS = 40, BYTES = 16384, SEEDS = 3,
    FRAME = 500, TURNS_MOST = 10000,
};

/* Shorter than any wait for an answer has patience, and far longer than answers take. */
#define NO_DEADLINE_PASSED (PAIR_SECOND * 9 / 10)

static bool answers_first = true; /* in the schedule that hurts */
static uint64_t since; /* end of the step before; the machine starts at 0 */

static bool step_was_quick(const char *what)
{
    uint64_t took = machine_uptime() - since;

    if (took >= NO_DEADLINE_PASSED)
        fprintf(stderr, "%s took %llu ms\n", what, (unsigned long long)took / 1000000);
    since = machine_uptime();
    return took < NO_DEADLINE_PASSED;
}

/* ---- storage ---- */

static void storage_body(struct pair *pair)
{
    PAIR_CHECK(pair, step_was_quick("the start"));
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", true));
    PAIR_CHECK(pair, step_was_quick("finding the disks"));
    PAIR_CHECK(pair, pair_disk_write_many("disk0", REQUESTS, BYTES) == 0);
    PAIR_CHECK(pair, step_was_quick("writing"));
    PAIR_CHECK(pair, pair_disk_reset("disk0"));
    PAIR_CHECK(pair, step_was_quick("a reset"));
    pair_host_remove_controller(pair->host);
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", false));
    while (!pair_host_controller_is_released(pair->host))
        pair_sleep(PAIR_SECOND / 1000);
    PAIR_CHECK(pair, step_was_quick("the controller's end"));
    PAIR_CHECK(pair, pair_host_add_controller(pair->host));
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, step_was_quick("the controller's return"));
    PAIR_CHECK(pair, pair_schedule_intrusions() == 0);
    PAIR_CHECK(pair, (pair_schedule_turns() > 0) == answers_first);
}

static void no_answer_is_slept_through_by_storage(void **state)
{
    static const struct pair_options options = {
        .processors = 4, .disk_bytes = { 8 * MEBIBYTE, 4 * MEBIBYTE },
        .before_kext = pair_schedule_begin, .stop_within = NO_DEADLINE_PASSED,
    };

    pair_run(&options, storage_body, SEEDS);
}

/* ---- network ---- */

static uint8_t frame[FRAME];
static struct pair_frame got;

static void exchange(struct pair *pair)
{
    pair_network_make_frame(frame, sizeof frame, 0);
    PAIR_CHECK(pair, pair_network_send_many(frame, sizeof frame, REQUESTS, 20));
    for (unsigned i = 0; i < REQUESTS; i++)
        PAIR_CHECK(pair, pair_network_receive(&got) && got.size == sizeof frame);
}

static void network_body(struct pair *pair)
{
    PAIR_CHECK(pair, step_was_quick("the start"));
    PAIR_CHECK(pair, pair_wait_for_network(true));
    PAIR_CHECK(pair, pair_wait_for_link(true));
    PAIR_CHECK(pair, step_was_quick("finding the network"));
    exchange(pair);
    PAIR_CHECK(pair, step_was_quick("frames"));
    PAIR_CHECK(pair, pair_network_set_promiscuous(true) == 0);
    PAIR_CHECK(pair, step_was_quick("a filter"));
    pair_set_power(false);
    PAIR_CHECK(pair, step_was_quick("going to sleep"));
    pair_set_power(true);
    PAIR_CHECK(pair, pair_wait_for_link(true));
    PAIR_CHECK(pair, step_was_quick("waking up"));
    exchange(pair);
    PAIR_CHECK(pair, pair_schedule_intrusions() == 0);
    PAIR_CHECK(pair, (pair_schedule_turns() > 0) == answers_first);
}

static void no_answer_is_slept_through_by_the_network(void **state)
{
    static const struct pair_options options = {
        .processors = 4, .network = true, .before_kext = pair_schedule_begin,
        .stop_within = NO_DEADLINE_PASSED,
    };

    pair_run(&options, network_body, SEEDS);
}

/* ---- functions passed through ---- */

static void pci_body(struct pair *pair)
{
    struct virtual_device *bus = pair_pci_bus(0);

    PAIR_CHECK(pair, step_was_quick("the start"));
    pair_pci_unplug(bus);
    while (!pair_pci_is_gone(bus) && machine_uptime() - since < NO_DEADLINE_PASSED)
        pair_sleep(PAIR_SECOND / 1000);
    PAIR_CHECK(pair, step_was_quick("the bus's end"));
    pair_pci_forget(pair->host, bus);
    PAIR_CHECK(pair, pair_schedule_intrusions() == 0);
    PAIR_CHECK(pair, (pair_schedule_turns() > 0) == answers_first);
}

static void no_answer_is_slept_through_by_a_bus_of_functions(void **state)
{
    static const struct pair_options options = {
        .pci = { "{\"model\": \"test\"}" }, .before_kext = pair_schedule_begin,
        .stop_within = NO_DEADLINE_PASSED,
    };

    pair_run(&options, pci_body, SEEDS);
}

/* ---- from the first message to the last ---- */

static void start_body(struct pair *pair)
{
    PAIR_CHECK(pair, step_was_quick("the start"));
}

/* Old ones refuse newer versions of VMBus, and nothing else comes from them until they are asked
 * for the next. */
static void no_refusal_is_slept_through(void **state)
{
    static const char *const releases[] = { "2008r2", "2012", "2012r2", "2016", "2022" };
    struct pair_options options = {
        .before_kext = pair_schedule_begin, .stop_within = NO_DEADLINE_PASSED,
    };

    for (size_t i = 0; i < sizeof releases / sizeof *releases; i++) {
        options.release = releases[i];
        pair_run(&options, start_body, 1);
    }
}

static void nothing_is_slept_through_when_the_machine_stops_in_its_start(void **state)
{
    static const struct pair_options options = {
        .processors = 2, .disk_bytes = { 4 * MEBIBYTE }, .network = true,
        .before_kext = pair_schedule_begin, .stop_within = NO_DEADLINE_PASSED,
    };

    for (unsigned turns = 0; turns < TURNS_MOST; turns += 1 + turns / 8)
        pair_run_and_stop(&options, turns, 1 + turns % SEEDS);
}

/* In which they are usually there last, and must wake whoever waits for them. */
static void nor_in_other_schedules(void **state)
{
    static const struct pair_options disks = {
        .processors = 4, .disk_bytes = { 8 * MEBIBYTE, 4 * MEBIBYTE },
        .stop_within = NO_DEADLINE_PASSED,
    };
    static const struct pair_options network = {
        .processors = 4, .network = true, .stop_within = NO_DEADLINE_PASSED,
    };

    answers_first = false;
    pair_run(&disks, storage_body, SEEDS);
    pair_run(&network, network_body, SEEDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_answer_is_slept_through_by_storage),
        cmocka_unit_test(no_answer_is_slept_through_by_the_network),
        cmocka_unit_test(no_answer_is_slept_through_by_a_bus_of_functions),
        cmocka_unit_test(no_refusal_is_slept_through),
        cmocka_unit_test(nor_in_other_schedules),
        cmocka_unit_test(nothing_is_slept_through_when_the_machine_stops_in_its_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
