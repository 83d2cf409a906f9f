/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: sub-channels of the storage controller, for every number of
 * processors and of channels that the host has, and hosts that do not keep their word. */
#include "tests/pair/pair_guest.h"

#include "xnu/iokit/startup.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/machine.h"

enum { MEBIBYTE = 1 << 20, CHANNELS_MAX = 8, REQUESTS = 200, BYTES = 16384 };

/* How long the driver waits for sub-channels that the host has granted. */
#define OFFERS_WAIT (5 * PAIR_SECOND)

static struct pair_options options;
static unsigned expected_channels;
static uint8_t buffer[4096];

/* Writes so much at once that every channel has work, and looks at the medium. */
static void write_everywhere(struct pair *pair)
{
    const uint8_t *medium = pair_host_disk(pair->host, 0);
    unsigned index;

    PAIR_CHECK(pair, pair_disk_write_many("disk0", REQUESTS, BYTES) == 0);
    for (index = 0; index < REQUESTS; index++)
        PAIR_CHECK(pair, medium[index * BYTES] == (uint8_t)(index + 1) &&
                             medium[index * BYTES + BYTES - 1] == (uint8_t)(index + 1));
}

static void count_body(struct pair *pair)
{
    uint64_t requests[CHANNELS_MAX], all = 0;
    unsigned index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    write_everywhere(pair);
    PAIR_CHECK(pair, pair_host_storage_channels(pair->host, requests, CHANNELS_MAX) ==
                         expected_channels);
    for (index = 0; index < CHANNELS_MAX; index++)
        all += requests[index];
    PAIR_CHECK(pair, all >= REQUESTS);
}

/* The host keeps its word, so the driver has not waited. */
static void count_at_once_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, machine_uptime() < OFFERS_WAIT);
    count_body(pair);
}

static unsigned smaller(unsigned one, unsigned other)
{
    return one < other ? one : other;
}

static void there_are_as_many_channels_as_host_and_processors_make_useful(void **state)
{
    static const unsigned offered[] = { 0, 1, 2, 3, 7, 8, 63 };
    size_t index;

    (void)state;
    for (options.processors = 1; options.processors <= 8; options.processors++) {
        for (index = 0; index < sizeof offered / sizeof *offered; index++) {
            options.release = "2022";
            options.disk_bytes[0] = 8 * MEBIBYTE;
            options.sub_channels_max = offered[index];
            options.no_sub_channels = offered[index] == 0;
            expected_channels = 1 + smaller(smaller(options.processors - 1, offered[index]),
                                            CHANNELS_MAX - 1);
            pair_run(&options, count_at_once_body, 1);
        }
    }
}

static void releases_before_2012_have_one_channel_and_later_ones_several(void **state)
{
    static const struct {
        const char *release;
        unsigned channels;
    } releases[] = {
        { "2008r2", 1 }, { "2012", 4 }, { "2012r2", 4 }, { "2016", 4 }, { "2025", 4 },
    };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof releases / sizeof *releases; index++) {
        options = (struct pair_options){
            .release = releases[index].release, .processors = 4, .disk_bytes = { 8 * MEBIBYTE },
        };
        expected_channels = releases[index].channels;
        pair_run(&options, count_at_once_body, 1);
    }
}

static void spread_body(struct pair *pair)
{
    uint64_t requests[CHANNELS_MAX];
    unsigned used = 0, index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    for (index = 0; index < 5; index++)
        write_everywhere(pair);
    pair_host_storage_channels(pair->host, requests, CHANNELS_MAX);
    for (index = 0; index < CHANNELS_MAX; index++)
        used += requests[index] != 0;
    PAIR_CHECK(pair, used > 1);
}

static void requests_go_by_more_than_one_channel(void **state)
{
    (void)state;
    options = (struct pair_options){ .processors = 4, .disk_bytes = { 8 * MEBIBYTE } };
    pair_run(&options, spread_body, 3);
}

static void processor_0_body(struct pair *pair)
{
    struct machine_statistics statistics;
    unsigned processor;

    spread_body(pair);
    machine_statistics(&statistics);
    for (processor = 1; processor < options.processors; processor++)
        PAIR_CHECK(pair, statistics.interrupts[processor] == 0);
}

/* The rest of this is in test_releases.c. */
static void from_macos_12_on_all_channels_interrupt_processor_0(void **state)
{
    (void)state;
    options = (struct pair_options){
        .processors = 4, .disk_bytes = { 8 * MEBIBYTE }, .boot_args = "-hvspread",
    };
    pair_run(&options, processor_0_body, 3);
}

/* Offers 1 and 2 are heartbeat and storage; those after them are sub-channels. */
static void sub_channels_that_are_never_offered_are_done_without(void **state)
{
    static const char *const rules[] = {
        "message,drop,type=1,nth=3", "message,drop,type=1,nth=4", "message,drop,type=1,nth=5",
    };
    unsigned index;

    (void)state;
    for (index = 0; index < sizeof rules / sizeof *rules; index++) {
        options = (struct pair_options){
            .processors = 4, .disk_bytes = { 8 * MEBIBYTE }, .faults = { rules[index] },
        };
        expected_channels = 1 + index;
        pair_run(&options, count_body, 1);
    }
}

/* A controller is plugged in whose host grants three sub-channels and offers two: a second later the
 * driver still waits for the last one. */
static void begin_waiting(struct pair *pair)
{
    uint64_t requests[CHANNELS_MAX];

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    pair_host_remove_controller(pair->host);
    while (!pair_host_controller_is_released(pair->host))
        pair_sleep(PAIR_SECOND / 10);
    PAIR_CHECK(pair, pair_host_add_fault(pair->host, "message,drop,type=1,nth=4"));
    PAIR_CHECK(pair, pair_host_add_controller(pair->host));
    pair_sleep(PAIR_SECOND / 10);
    PAIR_CHECK(pair, !xnu_wait_quiet(PAIR_SECOND));
    PAIR_CHECK(pair, pair_host_storage_channels(pair->host, requests, CHANNELS_MAX) == 1);
}

static void gone_while_waiting_body(struct pair *pair)
{
    begin_waiting(pair);
    pair_host_remove_controller(pair->host);
    PAIR_CHECK(pair, xnu_wait_quiet(PAIR_SECOND));
}

static void nobody_waits_for_offers_of_a_controller_that_is_gone(void **state)
{
    (void)state;
    options = (struct pair_options){
        .processors = 4, .disk_bytes = { 8 * MEBIBYTE }, .stop_within = PAIR_SECOND,
    };
    pair_run(&options, gone_while_waiting_body, 3);
    pair_run(&options, begin_waiting, 3); /* the machine goes down instead */
}

enum { WRITES = 8 };
static struct pair_write *writes[WRITES];

static void begin_writes_body(struct pair *pair)
{
    (void)pair;
    for (unsigned index = 0; index < WRITES; index++)
        if (index % options.processors == machine_processor_number())
            writes[index] = pair_disk_begin_write("disk0", index * BYTES, 0x51, BYTES);
}

/* The answer to a reset comes by the first channel, before the host gives back what went by another
 * one: the reset is done with the last of it, and not later. */
static void reset_body(struct pair *pair)
{
    uint64_t before;
    unsigned index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_host_add_fault(pair->host, /* channel 3 is the sub-channel; a second */
                                         "completion,delay=10000000,channel=3,times=1"));
    for (index = 0; index < options.processors; index++)
        pair_on_processor(pair, index, begin_writes_body);
    before = machine_uptime();
    PAIR_CHECK(pair, pair_disk_reset("disk0"));
    PAIR_CHECK(pair, machine_uptime() - before >= PAIR_SECOND / 2);
    PAIR_CHECK(pair, machine_uptime() - before < 2 * PAIR_SECOND);
    for (index = 0; index < WRITES; index++)
        PAIR_CHECK(pair, pair_write_end(writes[index], 1) == 0);
    write_everywhere(pair);
}

static void a_reset_is_done_when_the_last_channel_has_given_back(void **state)
{
    (void)state;
    options = (struct pair_options){ .processors = 2, .disk_bytes = { 8 * MEBIBYTE } };
    pair_run(&options, reset_body, 3);
}

static void come_and_go_body(struct pair *pair)
{
    uint64_t requests[CHANNELS_MAX];
    unsigned round;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    for (round = 0; round < 3; round++) {
        write_everywhere(pair);
        pair_host_remove_controller(pair->host);
        PAIR_CHECK(pair, pair_wait_for_disk("disk0", false));
        PAIR_CHECK(pair, pair_disk_write("disk0", 0, buffer, sizeof buffer) != 0);
        while (!pair_host_controller_is_released(pair->host))
            pair_sleep(PAIR_SECOND / 10);
        PAIR_CHECK(pair, pair_host_add_controller(pair->host));
        PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
        PAIR_CHECK(pair, pair_host_storage_channels(pair->host, requests, CHANNELS_MAX) == 4);
    }
}

static void a_controller_with_sub_channels_comes_and_goes(void **state)
{
    (void)state;
    options = (struct pair_options){ .processors = 4, .disk_bytes = { 8 * MEBIBYTE } };
    pair_run(&options, come_and_go_body, 3);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_as_many_channels_as_host_and_processors_make_useful),
        cmocka_unit_test(releases_before_2012_have_one_channel_and_later_ones_several),
        cmocka_unit_test(requests_go_by_more_than_one_channel),
        cmocka_unit_test(from_macos_12_on_all_channels_interrupt_processor_0),
        cmocka_unit_test(sub_channels_that_are_never_offered_are_done_without),
        cmocka_unit_test(nobody_waits_for_offers_of_a_controller_that_is_gone),
        cmocka_unit_test(a_reset_is_done_when_the_last_channel_has_given_back),
        cmocka_unit_test(a_controller_with_sub_channels_comes_and_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
