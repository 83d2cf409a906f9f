/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: frames both ways through every protocol version, offloads, link,
 * filters, an adapter that goes and comes back. The host's network gives each frame back with its
 * addresses swapped. */
#include "tests/pair/pair_guest.h"

#include "host/network/frame.h"
#include "protocol/rndis.h"

enum { SEEDS = 3, CHECKSUM_GOOD = 0x100 | 0x200 | 0x400 };

static struct pair_frame got;
static uint8_t frame[70000];
static unsigned wanted_channels; /* of spread_body */

/* IPv4 and TCP headers over the frame's start, checksum field with the pseudo-header's sum, as a
 * stack leaves it. */
static void make_tcp(size_t size)
{
    static const uint8_t headers[40] = { 0x45, 0,    0,    0,    0x12, 0x34, 0x40, 0,   64, 6,
                                         0,    0,    10,   0,    0,    1,    10,   0,   0,  2,
                                         0x30, 0x39, 0,    80,   0,    0,    0,    100, 0,  0,
                                         0,    7,    0x50, 0x18, 0x20, 0,    0,    0,   0,  0 };
    struct frame_layout layout;
    uint16_t sum;

    frame[12] = 0x08;
    frame[13] = 0x00;
    memcpy(frame + 14, headers, sizeof headers);
    frame[16] = (uint8_t)((size - 14) >> 8);
    frame[17] = (uint8_t)(size - 14);
    frame_parse(frame, size, &layout);
    frame_ipv4_header_checksum(frame, &layout);
    sum = frame_fold(frame_pseudo_sum(frame, &layout, layout.end - layout.transport));
    memcpy(frame + 50, &sum, sizeof sum);
}

/* The same of a flow from this port. */
static void make_tcp_flow(size_t size, uint16_t port)
{
    make_tcp(size);
    frame[34] = (uint8_t)(port >> 8);
    frame[35] = (uint8_t)port;
}

static bool came_back(size_t size)
{
    return pair_network_receive(&got) && got.size == size &&
           memcmp(got.bytes + 12, frame + 12, size - 12) == 0 &&
           memcmp(got.bytes, pair_network_address(), 6) == 0;
}

static void round_trip_body(struct pair *pair)
{
    static const size_t sizes[] = { 14, 60, 128, 1000, 1514 };

    PAIR_CHECK(pair, pair_wait_for_network(true));
    PAIR_CHECK(pair, pair_network_link());
    PAIR_CHECK(pair, memcmp(pair_network_address(), "\x00\x15\x5d\x01\x02\x03", 6) == 0);
    PAIR_CHECK(pair, pair_host_network_filter(pair->host) ==
                         (RNDIS_FILTER_DIRECTED | RNDIS_FILTER_BROADCAST));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        pair_network_make_frame(frame, sizes[i], (unsigned)i);
        PAIR_CHECK(pair, pair_network_send(frame, sizes[i], PAIR_PLAIN, 0));
        PAIR_CHECK(pair, came_back(sizes[i]));
    }
}

static void frames_go_out_and_come_back(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, round_trip_body, SEEDS);
}

static void every_protocol_version_carries_frames(void **state)
{
    static const char *const releases[] = { "2008r2", "2012", "2012r2", "2016", "2019", "2025" };

    (void)state;
    for (size_t i = 0; i < sizeof releases / sizeof *releases; i++) {
        const struct pair_options options = { .release = releases[i], .network = true };

        pair_run(&options, round_trip_body, 1);
    }
}

static void replies_may_come_before_their_completions(void **state)
{
    const struct pair_options options = { .release = "2022",
                                          .network = true,
                                          .network_reply_first = true };

    (void)state;
    pair_run(&options, round_trip_body, SEEDS);
}

static void jumbo_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_network_make_frame(frame, 9014, 1);
    PAIR_CHECK(pair, pair_network_send(frame, 9014, PAIR_PLAIN, 0));
    PAIR_CHECK(pair, came_back(9014));
    pair_network_make_frame(frame, 9015, 1);
    pair_network_send(frame, 9015, PAIR_PLAIN, 0); /* one byte too many: dropped */
    PAIR_CHECK(pair, !pair_network_receive(&got));
    pair_network_make_frame(frame, 100, 2);
    PAIR_CHECK(pair, pair_network_send(frame, 100, PAIR_PLAIN, 0));
    PAIR_CHECK(pair, came_back(100));
}

static void jumbo_frames_pass_and_larger_ones_do_not(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, jumbo_body, SEEDS);
}

static void checksum_body(struct pair *pair)
{
    struct frame_check check;

    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_network_make_frame(frame, 1200, 9);
    make_tcp(1200);
    frame_verify(frame, 1200, &check);
    PAIR_CHECK(pair, check.transport == FRAME_BAD); /* as it leaves the stack */
    PAIR_CHECK(pair, pair_network_send(frame, 1200, PAIR_TCP_CHECKSUM, 0));
    PAIR_CHECK(pair, pair_network_receive(&got) && got.size == 1200);
    frame_verify(got.bytes, got.size, &check);
    PAIR_CHECK(pair, check.network == FRAME_GOOD && check.transport == FRAME_GOOD);
    PAIR_CHECK(pair, (got.checksum_performed & CHECKSUM_GOOD) == CHECKSUM_GOOD);
    /* One that the network damaged is not declared good. */
    memcpy(frame, pair_network_address(), 6);
    frame[600] ^= 1;
    pair_host_network_inject(pair->host, frame, 1200, false, 0);
    PAIR_CHECK(pair, pair_network_receive(&got) && (got.checksum_performed & 0x400) == 0);
}

static void checksums_are_the_hosts_work_both_ways(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, checksum_body, SEEDS);
}

static void segment_body(struct pair *pair)
{
    static const size_t payloads[] = {
        100, 40000, 65000
    }; /* the last one is more than the host cuts at a time */

    PAIR_CHECK(pair, pair_wait_for_network(true));
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        size_t payload = 0;

        pair_network_make_frame(frame, 54 + payloads[i], 4);
        make_tcp(54 + payloads[i]);
        PAIR_CHECK(pair, pair_network_send(frame, 54 + payloads[i], PAIR_SEGMENT, 0));
        while (payload < payloads[i] && pair_network_receive(&got)) {
            struct frame_check check;
            uint32_t sequence = (uint32_t)got.bytes[38] << 24 | (uint32_t)got.bytes[39] << 16 |
                                (uint32_t)got.bytes[40] << 8 | got.bytes[41];

            frame_verify(got.bytes, got.size, &check);
            PAIR_CHECK(pair, check.network == FRAME_GOOD && check.transport == FRAME_GOOD);
            PAIR_CHECK(pair, sequence == 100 + payload);
            PAIR_CHECK(pair, memcmp(got.bytes + 54, frame + 54 + payload, got.size - 54) == 0);
            payload += got.size - 54;
        }
        PAIR_CHECK(pair, payload == payloads[i]);
    }
}

static void large_tcp_frames_are_cut_by_the_host_or_come_back_whole(void **state)
{
    static const char *const releases[] = { "2012", "2016", "2022" }; /* the last one coalesces */

    (void)state;
    for (size_t i = 0; i < sizeof releases / sizeof *releases; i++) {
        const struct pair_options options = { .release = releases[i], .network = true };

        pair_run(&options, segment_body, SEEDS);
    }
}

/* More large frames at once than the driver has on their way, those among them that go in parts and
 * those whose packets the host reads where they are. */
static void large_burst_body(struct pair *pair)
{
    enum { FRAMES = 90 };
    static const size_t payloads[] = { 62000, 65000, 20000 };
    size_t sent = 0, came = 0;

    PAIR_CHECK(pair, pair_wait_for_network(true));
    for (unsigned i = 0; i < FRAMES; i++) {
        size_t payload = payloads[i % 3];

        pair_network_make_frame(frame, 54 + payload, 4);
        make_tcp(54 + payload);
        PAIR_CHECK(pair, pair_network_send(frame, 54 + payload, PAIR_SEGMENT, 0));
        sent += payload;
    }
    while (came < sent && pair_network_receive(&got)) {
        struct frame_check check;

        frame_verify(got.bytes, got.size, &check);
        PAIR_CHECK(pair, check.network == FRAME_GOOD && check.transport == FRAME_GOOD);
        came += got.size - 54;
    }
    PAIR_CHECK(pair, came == sent);
}

static void large_frames_that_wait_for_each_other_all_arrive(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, large_burst_body, SEEDS);
}

/* The stack is told what the host cuts in one piece, and no more. */
static void segment_limit_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    PAIR_CHECK(pair, pair_network_segment_limit() == 0xf53c - 14);
}

static void the_stack_knows_how_much_the_host_cuts(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, segment_limit_body, 1);
}

static void vlan_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_network_make_frame(frame, 300, 5);
    PAIR_CHECK(pair, pair_network_send(frame, 300, PAIR_TAGGED, 0xa123));
    PAIR_CHECK(pair, came_back(300));
    PAIR_CHECK(pair, got.tagged && got.tag == 0xa123);
    PAIR_CHECK(pair, pair_network_send(frame, 300, PAIR_PLAIN, 0));
    PAIR_CHECK(pair, came_back(300));
    PAIR_CHECK(pair, !got.tagged);
    /* A large one, which the host does not look at but for its headers. */
    pair_network_make_frame(frame, 54 + 40000, 6);
    make_tcp(54 + 40000);
    PAIR_CHECK(pair, pair_network_send(frame, 54 + 40000, PAIR_SEGMENT | PAIR_TAGGED, 0xa123));
    PAIR_CHECK(pair, pair_network_receive(&got) && got.size == 54 + 40000);
    PAIR_CHECK(pair, got.tagged && got.tag == 0xa123);
    PAIR_CHECK(pair, memcmp(got.bytes + 54, frame + 54, 40000) == 0);
}

static void vlan_tags_travel_beside_the_frame(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, vlan_body, SEEDS);
}

static void burst_body(struct pair *pair)
{
    unsigned good = 0;

    PAIR_CHECK(pair, pair_wait_for_network(true));
    for (unsigned i = 0; i < 3000; i++) {
        pair_network_make_frame(frame, 1514, i);
        if (i % 3 == 0)
            pair_network_make_frame(frame, 200 + i % 1000, i);
        PAIR_CHECK(pair,
                   pair_network_send(frame, i % 3 == 0 ? 200 + i % 1000 : 1514, PAIR_PLAIN, 0));
        if (i % 500 == 499) /* no more than the queue holds */
            while (pair_network_receive(&got) && ++good < i + 1)
                ;
    }
    PAIR_CHECK(pair, good == 3000);
    PAIR_CHECK(pair, pair_host_network_frames(pair->host) == 3000);
}

static void a_full_send_buffer_stalls_and_loses_nothing(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, burst_body, 1);
}

static uint64_t sum_of_channels(struct pair *pair)
{
    uint64_t from_guest, to_guest, sum = 0;

    for (unsigned i = 0; pair_host_network_channel(pair->host, i, &from_guest, &to_guest); i++)
        sum += from_guest;
    return sum;
}

/* Frames of many flows, there and back; each channel carries some both ways, and none is lost. */
static void spread_body(struct pair *pair)
{
    enum { FLOWS = 200 };
    uint64_t from_guest, to_guest, sum = 0, before;
    unsigned channels = 0, back = 0;

    PAIR_CHECK(pair, pair_wait_for_network(true));
    before = sum_of_channels(pair);
    for (unsigned i = 0; i < FLOWS; i++) {
        pair_network_make_frame(frame, 200, i);
        make_tcp_flow(200, (uint16_t)(1000 + i * 7));
        PAIR_CHECK(pair, pair_network_send(frame, 200, PAIR_TCP_CHECKSUM, 0));
    }
    while (back < FLOWS && pair_network_receive(&got))
        back++;
    PAIR_CHECK(pair, back == FLOWS);
    for (; pair_host_network_channel(pair->host, channels, &from_guest, &to_guest); channels++) {
        PAIR_CHECK(pair, from_guest != 0 && to_guest != 0);
        sum += from_guest;
    }
    PAIR_CHECK(pair, sum - before == FLOWS);
    PAIR_CHECK(pair, channels == wanted_channels);
}

static void frames_are_spread_over_as_many_channels_as_host_and_guest_have(void **state)
{
    static const struct {
        const char *release;
        unsigned processors, allowed, channels;
    } cases[] = {
        { "2022", 2, 8, 2 }, { "2022", 4, 8, 4 }, { "2016", 8, 16, 8 }, { "2012r2", 3, 8, 3 },
        { "2022", 16, 64, 8 }, /* the driver's own limit */
        { "2022", 4, 3, 3 }, { "2022", 4, 1, 1 }, { "2022", 1, 8, 1 }, { "2012", 4, 8, 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct pair_options options = { .release = cases[i].release,
                                              .network = true,
                                              .processors = cases[i].processors,
                                              .network_channels = cases[i].allowed };

        wanted_channels = cases[i].channels;
        pair_run(&options, spread_body, 1);
    }
}

static void order_body(struct pair *pair)
{
    enum { FRAMES = 200, MARK = 100 };

    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_network_make_frame(frame, 300, 3);
    make_tcp_flow(300, 4711);
    PAIR_CHECK(pair, pair_network_send_many(frame, 300, FRAMES, MARK));
    for (unsigned i = 0; i < FRAMES; i++)
        PAIR_CHECK(pair, pair_network_receive(&got) && got.bytes[MARK] == i);
}

static void frames_of_one_flow_stay_in_order(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true, .processors = 4 };

    (void)state;
    pair_run(&options, order_body, SEEDS);
}

static void batch_body(struct pair *pair)
{
    enum { FRAMES = 200, MARK = 50 };
    uint64_t messages;

    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_network_make_frame(frame, 60, 1);
    messages = pair_host_network_messages(pair->host);
    PAIR_CHECK(pair, pair_network_send_many(frame, 60, FRAMES, MARK));
    for (unsigned i = 0; i < FRAMES; i++)
        PAIR_CHECK(pair, pair_network_receive(&got) && got.size == 60 && got.bytes[MARK] == i);
    messages = pair_host_network_messages(pair->host) - messages;
    PAIR_CHECK(pair, messages == FRAMES / 8); /* the host takes 8 a message */
    /* A frame by itself does not wait for others. */
    PAIR_CHECK(pair, pair_network_send(frame, 60, PAIR_PLAIN, 0));
    PAIR_CHECK(pair, came_back(60));
    /* What fits a section: 3 full frames with their headers. */
    pair_network_make_frame(frame, 1514, 1);
    messages = pair_host_network_messages(pair->host);
    PAIR_CHECK(pair, pair_network_send_many(frame, 1514, 30, MARK));
    for (unsigned i = 0; i < 30; i++)
        PAIR_CHECK(pair, pair_network_receive(&got) && got.size == 1514 && got.bytes[MARK] == i);
    PAIR_CHECK(pair, pair_host_network_messages(pair->host) - messages == 10);
}

static void several_frames_share_a_message(void **state)
{
    static const char *const releases[] = { "2008r2", "2016", "2022" };

    (void)state;
    for (size_t i = 0; i < sizeof releases / sizeof *releases; i++) {
        const struct pair_options options = { .release = releases[i], .network = true };

        pair_run(&options, batch_body, 1);
    }
}

static void rescind_many_body(struct pair *pair)
{
    for (unsigned round = 0; round < 3; round++) {
        PAIR_CHECK(pair, pair_wait_for_network(true));
        for (unsigned i = 0; i < 60; i++) {
            pair_network_make_frame(frame, 500, i);
            make_tcp_flow(500, (uint16_t)(2000 + i));
            pair_network_send(frame, 500, PAIR_PLAIN, 0);
        }
        pair_host_remove_adapter(pair->host); /* with frames under way on all channels */
        PAIR_CHECK(pair, pair_wait_for_network(false));
        pair_sleep(2 * PAIR_SECOND);
        while (pair_network_receive(&got))
            ;
        PAIR_CHECK(pair, pair_host_add_adapter(pair->host));
    }
    PAIR_CHECK(pair, pair_wait_for_network(true));
    wanted_channels = 4;
    spread_body(pair);
}

static void an_adapter_with_many_channels_comes_back_with_all_of_them(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true, .processors = 4 };

    (void)state;
    pair_run(&options, rescind_many_body, SEEDS);
}

static void link_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_host_set_link(pair->host, false);
    PAIR_CHECK(pair, pair_wait_for_link(false));
    pair_host_set_link(pair->host, true);
    PAIR_CHECK(pair, pair_wait_for_link(true));
    pair_network_make_frame(frame, 100, 2);
    PAIR_CHECK(pair, pair_network_send(frame, 100, PAIR_PLAIN, 0));
    PAIR_CHECK(pair, came_back(100));
}

static void the_cable_goes_out_and_in(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, link_body, SEEDS);
}

static void filter_body(struct pair *pair)
{
    static const uint8_t multicast[] = { 0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb };
    static const uint8_t stranger[] = { 0x02, 9, 9, 9, 9, 9 };

    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_network_make_frame(frame, 100, 1);
    memcpy(frame, multicast, 6);
    pair_host_network_inject(pair->host, frame, 100, false, 0);
    PAIR_CHECK(pair, !pair_network_receive(&got));
    PAIR_CHECK(pair, pair_network_set_multicast(true) == 0);
    pair_host_network_inject(pair->host, frame, 100, false, 0);
    PAIR_CHECK(pair, pair_network_receive(&got));
    memcpy(frame, stranger, 6);
    pair_host_network_inject(pair->host, frame, 100, false, 0);
    PAIR_CHECK(pair, !pair_network_receive(&got));
    PAIR_CHECK(pair, pair_network_set_promiscuous(true) == 0);
    PAIR_CHECK(pair, pair_host_network_filter(pair->host) == RNDIS_FILTER_PROMISCUOUS);
    pair_host_network_inject(pair->host, frame, 100, false, 0);
    PAIR_CHECK(pair, pair_network_receive(&got));
}

static void filters_say_what_passes(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, filter_body, SEEDS);
}

static void rescind_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_network_make_frame(frame, 1000, 1);
    for (unsigned i = 0; i < 50; i++)
        pair_network_send(frame, 1000, PAIR_PLAIN, 0);
    pair_host_remove_adapter(pair->host); /* with frames under way */
    PAIR_CHECK(pair, pair_wait_for_network(false));
    pair_sleep(2 * PAIR_SECOND);
    while (pair_network_receive(&got))
        ;
    PAIR_CHECK(pair, pair_host_add_adapter(pair->host));
    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_network_make_frame(frame, 500, 7);
    PAIR_CHECK(pair, pair_network_send(frame, 500, PAIR_PLAIN, 0));
    PAIR_CHECK(pair, came_back(500));
    PAIR_CHECK(pair, pair_host_heartbeats(pair->host) >= 1);
}

static void an_adapter_taken_away_comes_back_clean(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, rescind_body, SEEDS);
}

/* Each lie on each channel: nothing comes of it but a count, the unit is given back, and the next
 * good frame and the next request work. */
static void hostile_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    for (unsigned i = 0; i < PAIR_LIES * wanted_channels; i++) {
        enum pair_network_lie lie = (enum pair_network_lie)(i / wanted_channels);
        uint64_t before = pair_network_received();

        pair_host_network_lie(pair->host, lie, i % wanted_channels);
        pair_sleep(PAIR_SECOND / 100);
        PAIR_CHECK(pair, pair_network_received() == before);
        /* What names no memory of this buffer has none to give back. */
        if (lie != PAIR_LIE_SET_ID && lie != PAIR_LIE_NO_RANGES)
            PAIR_CHECK(pair, pair_host_network_acknowledged(pair->host));
        pair_network_make_frame(frame, 200, i);
        PAIR_CHECK(pair, pair_network_send(frame, 200, PAIR_PLAIN, 0));
        if (!came_back(200)) {
            fprintf(stderr, "after lie %d on channel %u the next good frame did not pass\n", lie,
                    i % wanted_channels);
            pair->failures++;
        }
        PAIR_CHECK(pair, pair_network_set_promiscuous(i % 2 != 0) == 0);
    }
    spread_body(pair); /* and the channels are used as before */
}

static void after_every_lie_of_the_host_the_next_good_frame_passes(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    wanted_channels = 2;
    pair_run(&options, hostile_body, SEEDS);
}

static void statistics_body(struct pair *pair)
{
    struct pair_statistics statistics;

    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_network_make_frame(frame, 100, 1);
    for (unsigned i = 0; i < 5; i++) {
        PAIR_CHECK(pair, pair_network_send(frame, 100, PAIR_PLAIN, 0));
        PAIR_CHECK(pair, came_back(100));
    }
    pair_network_statistics(&statistics);
    PAIR_CHECK(pair, statistics.input_packets == 5 && statistics.output_packets == 5);
    PAIR_CHECK(pair, statistics.input_errors == 0 && statistics.output_errors == 0);
    PAIR_CHECK(pair, statistics.stack_input == 5 && statistics.stack_output == 5);
    pair_network_make_frame(frame, 9015, 1);
    pair_network_send(frame, 9015, PAIR_PLAIN, 0); /* larger than the adapter takes */
    pair_host_network_lie(pair->host, PAIR_LIE_DATA_OUTSIDE, 0);
    pair_host_network_lie(pair->host, PAIR_LIE_RANGE_OUTSIDE, 1);
    pair_sleep(PAIR_SECOND / 10);
    pair_network_statistics(&statistics);
    PAIR_CHECK(pair, statistics.input_packets == 5 && statistics.output_packets == 5);
    PAIR_CHECK(pair, statistics.input_errors == 2 && statistics.output_errors == 1);
    PAIR_CHECK(pair, statistics.receive_errors == 2 && statistics.transmit_errors == 1);
}

static void the_interface_knows_what_it_carried_and_what_was_wrong(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, statistics_body, SEEDS);
}

static void speed_body(struct pair *pair)
{
    struct pair_statistics statistics;

    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_network_statistics(&statistics);
    PAIR_CHECK(pair, statistics.speed == UINT64_C(10000000000));
    pair_host_set_speed(pair->host, 1000000000);
    pair_sleep(PAIR_SECOND / 10);
    pair_network_statistics(&statistics);
    PAIR_CHECK(pair, statistics.speed == 1000000000);
    pair_host_set_link(pair->host, false);
    PAIR_CHECK(pair, pair_wait_for_link(false));
    pair_network_statistics(&statistics);
    PAIR_CHECK(pair, statistics.speed == 0);
    pair_host_set_link(pair->host, true);
    PAIR_CHECK(pair, pair_wait_for_link(true));
    pair_network_statistics(&statistics);
    PAIR_CHECK(pair, statistics.speed == 1000000000);
}

static void the_speed_of_the_link_follows_the_host(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, speed_body, SEEDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_go_out_and_come_back),
        cmocka_unit_test(every_protocol_version_carries_frames),
        cmocka_unit_test(replies_may_come_before_their_completions),
        cmocka_unit_test(jumbo_frames_pass_and_larger_ones_do_not),
        cmocka_unit_test(checksums_are_the_hosts_work_both_ways),
        cmocka_unit_test(large_tcp_frames_are_cut_by_the_host_or_come_back_whole),
        cmocka_unit_test(large_frames_that_wait_for_each_other_all_arrive),
        cmocka_unit_test(the_stack_knows_how_much_the_host_cuts),
        cmocka_unit_test(vlan_tags_travel_beside_the_frame),
        cmocka_unit_test(a_full_send_buffer_stalls_and_loses_nothing),
        cmocka_unit_test(frames_are_spread_over_as_many_channels_as_host_and_guest_have),
        cmocka_unit_test(frames_of_one_flow_stay_in_order),
        cmocka_unit_test(several_frames_share_a_message),
        cmocka_unit_test(an_adapter_with_many_channels_comes_back_with_all_of_them),
        cmocka_unit_test(the_cable_goes_out_and_in),
        cmocka_unit_test(filters_say_what_passes),
        cmocka_unit_test(an_adapter_taken_away_comes_back_clean),
        cmocka_unit_test(after_every_lie_of_the_host_the_next_good_frame_passes),
        cmocka_unit_test(the_interface_knows_what_it_carried_and_what_was_wrong),
        cmocka_unit_test(the_speed_of_the_link_follows_the_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
