/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: each step of attaching an adapter fails in turn, and memory runs
 * out at every allocation in turn, while it attaches and while it carries frames. Nothing of the
 * guest stays at the host (pair_run checks), no memory is lost, and the next try works. */
#include "tests/pair/pair_guest.h"

#include "xnu/iokit/startup.h"
#include "xnu/machine/memory.h"

enum { SIZE = 500, LARGE = 9000, CHANNEL = 3, TRIES = 300 };

/* ---- an adapter, its frames and its memory ---- */

static void check_network(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    PAIR_CHECK(pair, pair_wait_for_link(true));
    PAIR_CHECK(pair, pair_network_round_trip(SIZE, 0));
    PAIR_CHECK(pair, pair_network_round_trip(LARGE, 0));
}

static void lose(struct pair *pair)
{
    pair_host_remove_adapter(pair->host);
    PAIR_CHECK(pair, pair_wait_for_network(false));
    pair_sleep(2 * PAIR_SECOND);
}

static void offer(struct pair *pair)
{
    unsigned tries;

    for (tries = 0; tries < TRIES && !pair_host_add_adapter(pair->host); tries++)
        pair_sleep(PAIR_SECOND / 10);
    PAIR_CHECK(pair, tries < TRIES);
}

/* Offers the adapter, which is not there, with the nth allocation from there on failing, and takes
 * it away again. False: there were not so many. */
static bool scarce_attachment(struct pair *pair, uint64_t nth)
{
    uint64_t before = pair_allocations();
    bool refused;

    machine_allocation_fail_at(nth, false);
    offer(pair);
    pair_sleep(10 * PAIR_SECOND);
    refused = machine_allocation_failed() != 0;
    machine_allocation_fail_at(0, false);
    lose(pair);
    PAIR_CHECK(pair, pair_allocations() == before);
    return refused;
}

/* ---- tests ---- */

/* What failed is undone at once, not only when the host takes the adapter away. */
static void failed_step_body(struct pair *pair)
{
    unsigned known = pair_host_gpadls(pair->host);

    PAIR_CHECK(pair, !pair_wait_for_network(true));
    pair_host_end_faults(pair->host);
    lose(pair);
    PAIR_CHECK(pair, pair_host_gpadls(pair->host) == known);
    offer(pair);
    check_network(pair);
}

static void an_adapter_whose_attachment_failed_at_any_step_attaches_the_next_time(void **state)
{
    static const char *const messages[] = { "8", "5" }; /* GPADL_HEADER, OPEN_CHANNEL */
    static const unsigned steps[] = { 3, 1 }; /* ring and buffers; later ones are others' */
    char rule[64];
    unsigned index;
    unsigned step;

    (void)state;
    for (index = 0; index < sizeof messages / sizeof *messages; index++) {
        for (step = 1; step <= steps[index]; step++) {
            const struct pair_options options = { .network = true, .faults = { rule } };

            snprintf(rule, sizeof rule, "post,fail,type=%s,channel=%u,nth=%u",
                     messages[index], CHANNEL, step);
            pair_run(&options, failed_step_body, 1);
        }
    }
}

static void scarce_body(struct pair *pair)
{
    unsigned tried = 0;
    uint64_t nth;

    check_network(pair);
    lose(pair);
    scarce_attachment(pair, 0);
    for (nth = 1; pair->failures == 0 && scarce_attachment(pair, nth); nth += 1 + nth / 16)
        tried++;
    printf("# note: %u of the first %llu allocations failed\n", tried, (unsigned long long)nth);
    PAIR_CHECK(pair, tried > 20);
    offer(pair);
    check_network(pair);
}

static void whatever_allocation_fails_the_next_adapter_works(void **state)
{
    const struct pair_options options = { .network = true };

    (void)state;
    pair_run(&options, scarce_body, 1);
}

/* Frames of each kind both ways, with the nth allocation failing: some are lost. */
static bool scarce_traffic(struct pair *pair, size_t size, uint64_t nth)
{
    bool refused;

    machine_allocation_fail_at(nth, false);
    pair_network_round_trip(size, 0);
    refused = machine_allocation_failed() != 0;
    machine_allocation_fail_at(0, false);
    pair_network_forget();
    PAIR_CHECK(pair, pair_network_round_trip(SIZE, 0));
    PAIR_CHECK(pair, pair_network_round_trip(LARGE, 0));
    return refused;
}

static void scarce_traffic_body(struct pair *pair)
{
    static const size_t sizes[] = { SIZE, LARGE };
    uint64_t nth, before;
    unsigned index;

    check_network(pair);
    before = pair_allocations();
    for (index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        for (nth = 1; pair->failures == 0 && scarce_traffic(pair, sizes[index], nth); nth++)
            ;
        PAIR_CHECK(pair, nth > 2);
    }
    PAIR_CHECK(pair, pair_allocations() == before);
}

static void frames_for_which_there_is_no_memory_are_lost_and_the_next_pass(void **state)
{
    const struct pair_options options = { .network = true };

    (void)state;
    pair_run(&options, scarce_traffic_body, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_adapter_whose_attachment_failed_at_any_step_attaches_the_next_time),
        cmocka_unit_test(whatever_allocation_fails_the_next_adapter_works),
        cmocka_unit_test(frames_for_which_there_is_no_memory_are_lost_and_the_next_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
