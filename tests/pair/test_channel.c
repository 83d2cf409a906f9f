/* SPDX-License-Identifier: BSD-3-Clause */
/* A channel by itself, in the schedule that hurts: several threads write to one ring, wait for room
 * in it or for answers, while the host is slow, quick, gone or mad. Whoever waits is woken by what
 * it waits for and not by its deadline: virtual time tells. */
#include "tests/pair/pair_guest.h"

#include "abi/OSDictionary.h"
#include "abi/OSString.h"
#include "abi/kpi/threads.h"
#include "abi/runtime.h"
#include "kext/core/device.h"
#include "protocol/vmbus_classes.h"
#include "tests/pair/pair_schedule.h"
#include "tests/pair/pair_sink.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/threads.h"

enum {
    WRITERS = 4, PACKETS = 60, FILL_MOST = 700, SEEDS = 5,
    PATIENCE_MS = 60000, /* far beyond what any of it takes */
};

static struct virtual_device *sink;
static struct device_channel *channel;
static HyperVVMBusDevice *device;

/* ---- writers ---- */

struct writer {
    uint32_t number;
    bool calls;         /* waits for the answer to each packet */
    int error;          /* of the last packet */
    bool done;
};

static int write_one(const struct writer *writer, uint32_t sequence)
{
    const struct sink_packet head = { writer->number, sequence,
                                      (writer->number * 173 + sequence * 97) % FILL_MOST };
    uint8_t fill[FILL_MOST];
    const struct ring_piece pieces[] = { { &head, sizeof head }, { fill, head.fill } };
    struct sink_packet answer = { 0 };
    uint32_t length = sizeof answer;
    int error;

    memset(fill, sink_fill(head.writer, head.sequence), head.fill);
    if (!writer->calls)
        return device_channel_send(channel, pieces, 2, PATIENCE_MS);
    error = device_channel_call(channel, pieces, 2, &answer, &length, PATIENCE_MS);
    return error == 0 && memcmp(&answer, &head, sizeof head) != 0 ? HV_ERROR_MALFORMED : error;
}

static void write_all(void *argument)
{
    struct writer *writer = argument;
    uint32_t sequence;

    for (sequence = 0; sequence < PACKETS && writer->error == 0; sequence++)
        writer->error = write_one(writer, sequence);
    writer->done = true;
}

static struct writer writers[WRITERS];
static struct machine_thread *threads[WRITERS];

/* Every other one waits for answers, or all do. */
static void start_writers(struct pair *pair, bool all_call)
{
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){ .number = i, .calls = all_call || i % 2 != 0 };
        threads[i] = machine_thread_start_on(i % 2, "writer", write_all, &writers[i]);
        PAIR_CHECK(pair, threads[i] != NULL);
    }
}

/* True if they end without the help of a deadline. */
static bool join_writers(void)
{
    uint64_t since = machine_uptime();

    for (unsigned i = 0; i < WRITERS; i++) {
        machine_thread_join(threads[i]);
        machine_thread_release(threads[i]);
    }
    return machine_uptime() - since < 5 * PAIR_SECOND;
}

static bool all_ended_with(int error)
{
    for (unsigned i = 0; i < WRITERS; i++)
        if (!writers[i].done || writers[i].error != error)
            return false;
    return true;
}

/* ---- the channel ---- */

static void open_channel(struct pair *pair, uint32_t ring_pages, uint32_t request_maximum)
{
    static const struct guid class = VMBUS_CLASS_SERIAL;
    const struct device_channel_options options = {
        .transmit_pages = ring_pages, .receive_pages = 1, .request_maximum = request_maximum,
        .target_processor = DEVICE_CHANNEL_ANY_PROCESSOR,
    };
    OSDictionary *matching = IOService_serviceMatching_cstring("HyperVVMBusDevice", NULL);
    OSString *text;
    char name[GUID_TEXT_SIZE];

    sink = pair_sink_new();
    PAIR_CHECK(pair, pair_host_plug(pair->host, sink));
    guid_format(&class, name);
    text = OSString_withCString(name);
    OSDictionary_setObject_cstring(matching, DEVICE_PROPERTY_CLASS, (const OSMetaClassBase *)text);
    iokit_release(text);
    device = (HyperVVMBusDevice *)IOService_waitForService(matching, NULL);
    iokit_retain(device);
    pair_schedule_begin();
    PAIR_CHECK(pair, device_channel_open(device, 0, &options, &channel) == 0);
}

static void close_channel(struct pair *pair)
{
    device_channel_close(channel);
    iokit_release(device);
    PAIR_CHECK(pair, pair_schedule_intrusions() == 0);
    PAIR_CHECK(pair, pair_schedule_turns() > 0);
}

/* ---- the tests ---- */

static const struct pair_options a_machine = { .release = "2022" };

static void check_writers(struct pair *pair)
{
    PAIR_CHECK(pair, join_writers());
    PAIR_CHECK(pair, all_ended_with(0));
    PAIR_CHECK(pair, device_channel_wait_taken(channel, 1000) == 0);
    for (uint32_t i = 0; i < WRITERS; i++)
        PAIR_CHECK(pair, pair_sink_taken(sink, i) == PACKETS);
    PAIR_CHECK(pair, pair_sink_wrong(sink) == 0);
    close_channel(pair);
}

static void writers_body(struct pair *pair)
{
    open_channel(pair, 1, WRITERS);
    start_writers(pair, false);
    check_writers(pair);
}

static void writers_of_one_ring_hurt_no_packet(void **state)
{
    pair_run(&a_machine, writers_body, SEEDS);
}

static void callers_body(struct pair *pair)
{
    open_channel(pair, 4, 1);
    start_writers(pair, true);
    check_writers(pair);
}

static void who_waits_for_a_place_in_the_table_of_requests_gets_one(void **state)
{
    pair_run(&a_machine, callers_body, SEEDS);
}

/* All wait for room, or for an answer. */
static void fill_ring(struct pair *pair)
{
    struct device_channel_counters counters;

    open_channel(pair, 1, WRITERS);
    pair_sink_sleep(sink, true);
    start_writers(pair, false);
    pair_sleep(PAIR_SECOND / 10);
    device_channel_counters(channel, &counters);
    PAIR_CHECK(pair, counters.transmit_full != 0);
    for (unsigned i = 0; i < WRITERS; i++)
        PAIR_CHECK(pair, !writers[i].done);
}

static void slow_body(struct pair *pair)
{
    fill_ring(pair);
    pair_sink_sleep(sink, false);
    check_writers(pair);
}

static void who_waits_for_room_goes_on_when_there_is(void **state)
{
    pair_run(&a_machine, slow_body, SEEDS);
}

static void gone_body(struct pair *pair)
{
    fill_ring(pair);
    pair_sink_unplug(sink);
    PAIR_CHECK(pair, join_writers());
    PAIR_CHECK(pair, all_ended_with(HV_ERROR_GONE));
    close_channel(pair);
}

static void who_waits_on_a_channel_that_is_taken_away_hears_of_it(void **state)
{
    pair_run(&a_machine, gone_body, SEEDS);
}

/* As at the machine's end, when nobody closes the channel for whoever waits on it. */
static void unloaded_body(struct pair *pair)
{
    fill_ring(pair);
    device_unloaded(device);
    PAIR_CHECK(pair, join_writers());
    PAIR_CHECK(pair, all_ended_with(HV_ERROR_GONE));
    close_channel(pair);
}

static void who_waits_when_the_host_forgets_all_channels_hears_of_it(void **state)
{
    pair_run(&a_machine, unloaded_body, SEEDS);
}

static void broken_body(struct pair *pair)
{
    fill_ring(pair);
    pair_sink_break(sink);
    PAIR_CHECK(pair, join_writers());
    for (unsigned i = 0; i < WRITERS; i++)
        PAIR_CHECK(pair, writers[i].done && writers[i].error != 0 &&
                             writers[i].error != HV_ERROR_TIMED_OUT);
    close_channel(pair);
}

static void who_waits_on_a_ring_that_the_host_breaks_hears_of_it(void **state)
{
    pair_run(&a_machine, broken_body, SEEDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writers_of_one_ring_hurt_no_packet),
        cmocka_unit_test(who_waits_for_a_place_in_the_table_of_requests_gets_one),
        cmocka_unit_test(who_waits_for_room_goes_on_when_there_is),
        cmocka_unit_test(who_waits_on_a_channel_that_is_taken_away_hears_of_it),
        cmocka_unit_test(who_waits_when_the_host_forgets_all_channels_hears_of_it),
        cmocka_unit_test(who_waits_on_a_ring_that_the_host_breaks_hears_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
