/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: frames both ways through every protocol version, offloads, link, filters, an adapter
 * that goes and comes back. The host's network gives each frame back with its addresses swapped. */
#include "tests/pair/pair_guest.h"

#include "host/network/frame.h"
#include "protocol/rndis.h"

enum { SEEDS = 3, CHECKSUM_GOOD = 0x100 | 0x200 | 0x400 };

static struct pair_frame got;
static uint8_t frame[70000];

/* An Ethernet frame that the loopback sends back to us. */
static void make_frame(size_t size, unsigned seed)
{
    for (size_t i = 14; i < size; i++)
        frame[i] = (uint8_t)(i * 13 + i / 256 + seed);
    memcpy(frame, "\x02\x11\x22\x33\x44\x55", 6);
    memcpy(frame + 6, pair_network_address(), 6);
    frame[12] = 0x88; /* an experimental type */
    frame[13] = 0xb5;
}

/* IPv4 and TCP headers over the frame's start, checksum field with the pseudo-header's sum, as a stack leaves it. */
static void make_tcp(size_t size)
{
    static const uint8_t headers[40] = { 0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
                                         0x30, 0x39, 0, 80, 0, 0, 0, 100, 0, 0, 0, 7, 0x50, 0x18, 0x20, 0, 0, 0, 0, 0 };
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

static bool came_back(size_t size)
{
    return pair_network_receive(&got) && got.size == size && memcmp(got.bytes + 12, frame + 12, size - 12) == 0 &&
           memcmp(got.bytes, pair_network_address(), 6) == 0;
}

static void round_trip_body(struct pair *pair)
{
    static const size_t sizes[] = { 14, 60, 128, 1000, 1514 };

    PAIR_CHECK(pair, pair_wait_for_network(true));
    PAIR_CHECK(pair, pair_network_link());
    PAIR_CHECK(pair, memcmp(pair_network_address(), "\x00\x15\x5d\x01\x02\x03", 6) == 0);
    PAIR_CHECK(pair, pair_host_network_filter(pair->host) == (RNDIS_FILTER_DIRECTED | RNDIS_FILTER_BROADCAST));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        make_frame(sizes[i], (unsigned)i);
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
    const struct pair_options options = { .release = "2022", .network = true, .network_reply_first = true };

    (void)state;
    pair_run(&options, round_trip_body, SEEDS);
}

static void jumbo_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    make_frame(9014, 1);
    PAIR_CHECK(pair, pair_network_send(frame, 9014, PAIR_PLAIN, 0));
    PAIR_CHECK(pair, came_back(9014));
    make_frame(9015, 1);
    pair_network_send(frame, 9015, PAIR_PLAIN, 0); /* one byte too many: dropped */
    PAIR_CHECK(pair, !pair_network_receive(&got));
    make_frame(100, 2);
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
    make_frame(1200, 9);
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
    static const size_t payloads[] = { 100, 40000, 65000 }; /* the last one is more than the host cuts at a time */

    PAIR_CHECK(pair, pair_wait_for_network(true));
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        size_t payload = 0;

        make_frame(54 + payloads[i], 4);
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

static void vlan_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    make_frame(300, 5);
    PAIR_CHECK(pair, pair_network_send(frame, 300, PAIR_TAGGED, 0xa123));
    PAIR_CHECK(pair, came_back(300));
    PAIR_CHECK(pair, got.tagged && got.tag == 0xa123);
    PAIR_CHECK(pair, pair_network_send(frame, 300, PAIR_PLAIN, 0));
    PAIR_CHECK(pair, came_back(300));
    PAIR_CHECK(pair, !got.tagged);
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
        make_frame(1514, i);
        if (i % 3 == 0)
            make_frame(200 + i % 1000, i);
        PAIR_CHECK(pair, pair_network_send(frame, i % 3 == 0 ? 200 + i % 1000 : 1514, PAIR_PLAIN, 0));
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

static void link_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    pair_host_set_link(pair->host, false);
    PAIR_CHECK(pair, pair_wait_for_link(false));
    pair_host_set_link(pair->host, true);
    PAIR_CHECK(pair, pair_wait_for_link(true));
    make_frame(100, 2);
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
    make_frame(100, 1);
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
    make_frame(1000, 1);
    for (unsigned i = 0; i < 50; i++)
        pair_network_send(frame, 1000, PAIR_PLAIN, 0);
    pair_host_remove_adapter(pair->host); /* with frames under way */
    PAIR_CHECK(pair, pair_wait_for_network(false));
    pair_sleep(2 * PAIR_SECOND);
    while (pair_network_receive(&got))
        ;
    PAIR_CHECK(pair, pair_host_add_adapter(pair->host));
    PAIR_CHECK(pair, pair_wait_for_network(true));
    make_frame(500, 7);
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

static void hostile_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_network(true));
    for (int lie = 0; lie < PAIR_LIES; lie++) {
        uint64_t before = pair_network_received();

        pair_host_network_lie(pair->host, (enum pair_network_lie)lie);
        pair_sleep(PAIR_SECOND / 100);
        PAIR_CHECK(pair, pair_network_received() == before); /* nothing came of it */
        if (lie != PAIR_LIE_SET_ID && lie != PAIR_LIE_UNKNOWN_COMPLETION && lie != PAIR_LIE_UNSOLICITED)
            PAIR_CHECK(pair, pair_host_network_acknowledged(pair->host));
        make_frame(200, (unsigned)lie);
        PAIR_CHECK(pair, pair_network_send(frame, 200, PAIR_PLAIN, 0));
        if (!came_back(200)) {
            fprintf(stderr, "after lie %d the next good frame did not pass\n", lie);
            pair->failures++;
        }
        PAIR_CHECK(pair, pair_network_set_promiscuous(lie % 2 != 0) == 0); /* nor does control suffer */
    }
}

static void after_every_lie_of_the_host_the_next_good_frame_passes(void **state)
{
    const struct pair_options options = { .release = "2022", .network = true };

    (void)state;
    pair_run(&options, hostile_body, SEEDS);
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
        cmocka_unit_test(vlan_tags_travel_beside_the_frame),
        cmocka_unit_test(a_full_send_buffer_stalls_and_loses_nothing),
        cmocka_unit_test(the_cable_goes_out_and_in),
        cmocka_unit_test(filters_say_what_passes),
        cmocka_unit_test(an_adapter_taken_away_comes_back_clean),
        cmocka_unit_test(after_every_lie_of_the_host_the_next_good_frame_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
