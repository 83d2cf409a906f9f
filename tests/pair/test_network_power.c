/* SPDX-License-Identifier: BSD-3-Clause */
/* The adapter when the machine sleeps and wakes. The host's network gives each frame back with its
 * addresses swapped. */
#include "tests/pair/pair_guest.h"

#include "protocol/rndis.h"
#include "xnu/machine/clock.h"

enum {
    SEEDS = 3,
    SIZE = 500,
    LARGE = 1514,
    JUMBO = 9000, /* larger than a section: the host reads it in place */
    FILTER_NORMAL = RNDIS_FILTER_DIRECTED | RNDIS_FILTER_BROADCAST,
    UNSUPPORTED = (int)0xe00002c7, /* kIOReturnUnsupported */
};

static const size_t sizes[] = { SIZE, LARGE, JUMBO };
static struct pair_frame got;
static uint8_t frame[JUMBO];

static unsigned open_channels(struct pair *pair)
{
    uint64_t from_guest, to_guest;
    unsigned count = 0;

    while (pair_host_network_channel(pair->host, count, &from_guest, &to_guest))
        count++;
    return count;
}

/* Nothing of the adapter's is at the host, and frames go nowhere. */
static void check_suspended(struct pair *pair)
{
    uint64_t frames = pair_host_network_frames(pair->host);

    pair_network_forget();
    PAIR_CHECK(pair, open_channels(pair) == 0);
    PAIR_CHECK(pair, !pair_network_link());
    PAIR_CHECK(pair, pair_wait_for_network(true)); /* en0 is there */
    pair_network_make_frame(frame, SIZE, 1);
    PAIR_CHECK(pair, pair_network_send(frame, SIZE, PAIR_PLAIN, 0));
    PAIR_CHECK(pair, !pair_network_receive(&got));
    PAIR_CHECK(pair, pair_host_network_frames(pair->host) == frames);
}

static void check_awake(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_link(true));
    PAIR_CHECK(pair, memcmp(pair_network_address(), "\x00\x15\x5d\x01\x02\x03", 6) == 0);
    for (unsigned i = 0; i < 20; i++)
        PAIR_CHECK(pair, pair_network_round_trip(sizes[i % 3], i));
}

/* Frames of all sizes that nobody waits for. */
static void send_some(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        pair_network_make_frame(frame, sizes[i % 3], i);
        pair_network_send(frame, sizes[i % 3], PAIR_PLAIN, 0);
    }
}

/* ---- sleep and wake ---- */

static void traffic_body(struct pair *pair)
{
    enum { FRAMES = 60 };
    struct pair_statistics statistics;
    uint64_t sent;

    PAIR_CHECK(pair, pair_wait_for_network(true));
    sent = pair_host_network_frames(pair->host);
    send_some(FRAMES);
    pair_network_set_power(false);
    /* What the driver had taken has gone out. */
    pair_network_statistics(&statistics);
    PAIR_CHECK(pair, pair_host_network_frames(pair->host) - sent == statistics.output_packets);
    PAIR_CHECK(pair, statistics.output_packets != 0 && statistics.output_errors == 0);
    check_suspended(pair);
    pair_network_set_power(true);
    PAIR_CHECK(pair, pair_host_network_filter(pair->host) == FILTER_NORMAL);
    check_awake(pair);
}

static void frames_under_way_do_not_hinder_sleep(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, traffic_body, SEEDS);
}

/* The host is done with one frame two seconds late, with all that follows at once. */
static void drain_body(struct pair *pair)
{
    uint64_t before;

    PAIR_CHECK(pair, pair_wait_for_network(true));
    PAIR_CHECK(pair, pair_host_add_fault(pair->host,
                                         "completion,delay=20000000,channel=3,times=1"));
    before = machine_uptime();
    send_some(1);
    pair_set_power(false);
    PAIR_CHECK(pair, machine_uptime() - before >= 2 * PAIR_SECOND);
    PAIR_CHECK(pair, machine_uptime() - before < 4 * PAIR_SECOND);
    check_suspended(pair);
    pair_set_power(true);
    check_awake(pair);
}

static void a_frame_that_the_host_still_has_is_waited_for(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, drain_body, SEEDS);
}

static void system_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    for (unsigned round = 0; round < 3; round++) {
        send_some(40);
        pair_set_power(false);
        check_suspended(pair);
        pair_set_power(true);
        PAIR_CHECK(pair, pair_host_network_filter(pair->host) == FILTER_NORMAL);
        check_awake(pair);
    }
}

static void a_machine_sleeps_and_wakes_again_and_again(void **state)
{
    static const char *const releases[] = { "2008r2", "2012", "2016", "2022" };

    (void)state;
    for (size_t i = 0; i < sizeof releases / sizeof *releases; i++) {
        const struct pair_options options = { .release = releases[i], .network = true };

        pair_run(&options, system_body, 1);
    }
}

static void twice_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_network_set_power(true); /* it is on */
    PAIR_CHECK(pair, pair_network_round_trip(SIZE, 1));
    pair_network_set_power(false);
    pair_network_set_power(false);
    check_suspended(pair);
    pair_network_set_power(true);
    pair_network_set_power(true);
    check_awake(pair);
}

static void to_be_told_twice_does_no_harm(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, twice_body, SEEDS);
}

static void channels_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    for (unsigned round = 0; round < 3; round++) {
        PAIR_CHECK(pair, open_channels(pair) == 4);
        send_some(40);
        pair_set_power(false);
        PAIR_CHECK(pair, open_channels(pair) == 0);
        pair_set_power(true);
        pair_network_forget();
        check_awake(pair);
    }
    PAIR_CHECK(pair, open_channels(pair) == 4);
}

static void all_channels_come_back(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true, .processors = 4 };

    (void)state;
    pair_run(&options, channels_body, SEEDS);
}

/* ---- what stays ---- */

static void settings_body(struct pair *pair)
{
    struct pair_statistics before, after;

    PAIR_CHECK(pair, pair_wait_for_network(true));
    for (unsigned i = 0; i < 5; i++)
        PAIR_CHECK(pair, pair_network_round_trip(SIZE, i));
    PAIR_CHECK(pair, pair_network_set_promiscuous(true) == 0);
    pair_network_statistics(&before);
    pair_set_power(false);
    PAIR_CHECK(pair, pair_host_network_filter(pair->host) == 0);
    pair_set_power(true);
    PAIR_CHECK(pair, pair_wait_for_link(true));
    PAIR_CHECK(pair, pair_host_network_filter(pair->host) == RNDIS_FILTER_PROMISCUOUS);
    pair_network_statistics(&after);
    PAIR_CHECK(pair, before.input_packets == 5 && after.input_packets == 5);
    PAIR_CHECK(pair, before.output_packets == 5 && after.output_packets == 5);
    PAIR_CHECK(pair, after.input_errors == 0 && after.output_errors == 0);
    PAIR_CHECK(pair, after.speed == before.speed);
    /* Set while asleep, it is so after waking. */
    pair_set_power(false);
    PAIR_CHECK(pair, pair_network_set_promiscuous(false) == 0);
    PAIR_CHECK(pair, pair_network_set_multicast(true) == 0);
    pair_set_power(true);
    PAIR_CHECK(pair, pair_host_network_filter(pair->host) ==
                         (FILTER_NORMAL | RNDIS_FILTER_ALL_MULTICAST));
    check_awake(pair);
}

static void filters_and_statistics_outlast_sleep(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, settings_body, SEEDS);
}

static void prevented_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    PAIR_CHECK(pair, pair_sleep_system() == UNSUPPORTED);
    PAIR_CHECK(pair, open_channels(pair) != 0);
    check_awake(pair);
}

static void the_system_itself_does_not_sleep(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, prevented_body, 1);
}

/* ---- hosts that do something else ---- */

static void rescind_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    for (unsigned round = 0; round < 2; round++) {
        pair_set_power(false);
        check_suspended(pair);
        pair_host_remove_adapter(pair->host);
        PAIR_CHECK(pair, pair_wait_for_network(false));
        pair_set_power(true);
        PAIR_CHECK(pair, pair_wait_for_network(false));
        PAIR_CHECK(pair, pair_host_add_adapter(pair->host));
        PAIR_CHECK(pair, pair_wait_for_network(true));
        check_awake(pair);
    }
}

static void an_adapter_may_be_taken_away_while_the_machine_sleeps(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, rescind_body, SEEDS);
}

/* The device goes with the first thing that the driver says on the way to sleep. */
static void rescind_on_the_way_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    send_some(20);
    PAIR_CHECK(pair, pair_host_add_fault(pair->host, "request,rescind,channel=3,times=1"));
    pair_set_power(false);
    PAIR_CHECK(pair, pair_wait_for_network(false));
    pair_host_end_faults(pair->host);
    pair_set_power(true);
    pair_sleep(2 * PAIR_SECOND);
    pair_network_forget();
    PAIR_CHECK(pair, pair_host_add_adapter(pair->host));
    PAIR_CHECK(pair, pair_wait_for_network(true));
    check_awake(pair);
}

static void an_adapter_may_be_taken_away_on_the_way_to_sleep(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, rescind_on_the_way_body, SEEDS);
}

/* After a move to another host the adapter may have another address: en0 does not get it. */
static void address_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_set_power(false);
    pair_host_network_set_address(pair->host, (const uint8_t *)"\x00\x15\x5d\x0a\x0b\x0c");
    pair_set_power(true);
    check_suspended(pair);
    pair_host_network_set_address(pair->host, (const uint8_t *)"\x00\x15\x5d\x01\x02\x03");
    pair_set_power(false);
    pair_set_power(true);
    check_awake(pair);
}

static void a_host_with_another_address_gets_no_frames(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, address_body, SEEDS);
}

/* Neither HALT nor the frames before it are completed; the host gets all of them. */
static void silent_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    PAIR_CHECK(pair, pair_host_add_fault(pair->host, "completion,drop"));
    send_some(20);
    pair_set_power(false);
    pair_host_end_faults(pair->host);
    check_suspended(pair);
    pair_set_power(true);
    check_awake(pair);
    pair_set_power(false);
    pair_set_power(true);
    check_awake(pair);
}

static void a_host_that_never_answers_the_halt_does_not_keep_the_machine_awake(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, silent_body, SEEDS);
}

/* It does not answer when the machine wakes: en0 has no link, and the next wake brings it back. */
static void late_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_set_power(false);
    PAIR_CHECK(pair, pair_host_add_fault(pair->host, "completion,drop"));
    pair_set_power(true);
    check_suspended(pair);
    pair_host_end_faults(pair->host);
    pair_set_power(false);
    pair_set_power(true);
    check_awake(pair);
}

static void after_a_wake_without_a_host_the_next_one_brings_the_link(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, late_body, SEEDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_under_way_do_not_hinder_sleep),
        cmocka_unit_test(a_frame_that_the_host_still_has_is_waited_for),
        cmocka_unit_test(a_machine_sleeps_and_wakes_again_and_again),
        cmocka_unit_test(to_be_told_twice_does_no_harm),
        cmocka_unit_test(all_channels_come_back),
        cmocka_unit_test(filters_and_statistics_outlast_sleep),
        cmocka_unit_test(the_system_itself_does_not_sleep),
        cmocka_unit_test(an_adapter_may_be_taken_away_while_the_machine_sleeps),
        cmocka_unit_test(an_adapter_may_be_taken_away_on_the_way_to_sleep),
        cmocka_unit_test(a_host_with_another_address_gets_no_frames),
        cmocka_unit_test(a_host_that_never_answers_the_halt_does_not_keep_the_machine_awake),
        cmocka_unit_test(after_a_wake_without_a_host_the_next_one_brings_the_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
