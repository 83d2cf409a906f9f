/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's ring engine against a plain guest end, and against a hostile one (D1, D3, D22). */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/vmbus/ring.h"
#include "tests/unit/host-vmbus/guest_ring.h"

enum { DATA_PAGES = 2, SIZE = DATA_PAGES * 4096 };

/* A ring whose data pages do not follow one another in memory, or do. */
struct ring_bench {
    uint8_t *memory;
    uint8_t *pages[1 + DATA_PAGES];
    struct host_ring_memory ring;
    struct guest_ring guest; /* only for flat rings */
};

static void ring_bench_setup(struct ring_bench *bench, bool flat)
{
    bench->memory = aligned_alloc(4096, 8 * 4096);
    memset(bench->memory, 0, 8 * 4096);
    bench->pages[0] = bench->memory;
    bench->pages[1] = bench->memory + (flat ? 1 : 5) * 4096;
    bench->pages[2] = bench->memory + (flat ? 2 : 3) * 4096;
    assert_int_equal(host_ring_memory_set(&bench->ring, bench->pages, 3), 0);
    assert_int_equal(bench->ring.flat != NULL, flat);
    bench->guest = guest_ring_at(bench->memory, DATA_PAGES);
}

static int flat_setup(void **state)
{
    struct ring_bench *bench = calloc(1, sizeof(*bench));
    ring_bench_setup(bench, true);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct ring_bench *bench = *state;
    free(bench->memory);
    free(bench);
    return 0;
}

static struct host_ring_reader reader_on(struct ring_bench *bench)
{
    struct host_ring_reader reader;
    assert_int_equal(host_ring_reader_initialise(&reader, &bench->ring), 0);
    return reader;
}

static struct host_ring_writer writer_on(struct ring_bench *bench)
{
    struct host_ring_writer writer;
    assert_int_equal(host_ring_writer_initialise(&writer, &bench->ring), 0);
    return writer;
}

static int write_packet(struct host_ring_writer *writer, uint32_t length, uint8_t fill)
{
    int result = host_ring_writer_begin(writer, length);
    if (result == 0) {
        uint8_t bytes[SIZE];
        memset(bytes, fill, length);
        const struct vmbus_packet_header header = {6, 2, (uint16_t)(length / 8), 0, fill};
        memcpy(bytes, &header, sizeof(header));
        host_ring_writer_append(writer, bytes, length);
        host_ring_writer_finish(writer);
    }
    return result;
}

/* ---- Memory ---- */

static void a_ring_needs_a_control_page_and_a_data_page(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_memory ring;
    assert_int_equal(host_ring_memory_set(&ring, bench->pages, 0), -EINVAL);
    assert_int_equal(host_ring_memory_set(&ring, bench->pages, 1), -EINVAL);
    assert_int_equal(host_ring_memory_set(&ring, bench->pages, 2), 0);
    assert_int_equal(ring.size, 4096);
}

static void copies_wrap_on_flat_and_scattered_pages(void **state)
{
    for (int flat = 0; flat < 2; flat++) {
        struct ring_bench bench;
        ring_bench_setup(&bench, flat);
        uint8_t data[SIZE], back[SIZE];
        for (unsigned i = 0; i < SIZE; i++) {
            data[i] = (uint8_t)(i + i / 251);
        }
        for (uint32_t offset = 0; offset < SIZE; offset += 520) {
            host_ring_copy_in(&bench.ring, offset, data, SIZE);
            host_ring_copy_out(&bench.ring, offset, back, SIZE);
            assert_memory_equal(data, back, SIZE);
        }
        free(bench.memory);
    }
}

/* ---- Reader ---- */

static void packets_of_every_size_arrive_at_every_offset(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_reader reader = reader_on(bench);
    for (unsigned round = 0; round < 3000; round++) {
        unsigned words = round * 7 % (SIZE / 8 - 4);
        guest_ring_put_words(&bench->guest, 6, 0, round, words, round * 0x0101010101010101u);
        const uint8_t *packet;
        size_t length;
        assert_int_equal(host_ring_reader_next(&reader, &packet, &length), 1);
        assert_int_equal(length, 16 + 8 * words);
        struct vmbus_packet_header header;
        memcpy(&header, packet, sizeof(header));
        assert_int_equal(header.transaction_id, round);
        uint64_t fill = round * 0x0101010101010101u;
        for (unsigned i = 0; i < words; i++) {
            assert_memory_equal(packet + 16 + 8 * i, &fill, 8);
        }
        assert_int_equal(host_ring_reader_next(&reader, &packet, &length), 0);
        host_ring_reader_publish(&reader);
        assert_int_equal(guest_ring_used(&bench->guest), 0);
    }
    assert_int_equal(reader.packets, 3000);
    host_ring_reader_free(&reader);
}

static void every_bad_write_index_breaks_the_ring(void **state)
{
    static const uint32_t bad[] = {4, 1, SIZE, SIZE + 8, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF};
    struct ring_bench *bench = *state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(bench->memory, 0, 4096);
        struct host_ring_reader reader = reader_on(bench);
        const uint8_t *packet = NULL;
        size_t length;
        bench->guest.control->write_index = bad[i];
        assert_int_equal(host_ring_reader_next(&reader, &packet, &length), -EPIPE);
        assert_non_null(strstr(reader.broken, "write index"));
        bench->guest.control->write_index = 0;
        assert_int_equal(host_ring_reader_next(&reader, &packet, &length), -EPIPE);
        assert_false(host_ring_reader_has_more(&reader));
        assert_false(host_ring_reader_publish(&reader));
        assert_null(packet);
        host_ring_reader_free(&reader);
    }
}

static void every_bad_packet_length_breaks_the_ring(void **state)
{
    static const struct {
        uint16_t offset8, length8;
        uint32_t written;
    } bad[] = {
        {2, 0, 64},      {2, 1, 64},     {0, 4, 64},  {1, 4, 64},
        {5, 4, 64},      {0xFFFF, 4, 64}, {2, 8, 64}, {2, 0xFFFF, 64},
        {2, 1024, 4096}, {2, 2, 16},     {2, 2, 8},
    };
    struct ring_bench *bench = *state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(bench->memory, 0, 3 * 4096);
        struct host_ring_reader reader = reader_on(bench);
        const struct vmbus_packet_header header = {6, bad[i].offset8, bad[i].length8, 0, 1};
        memcpy(bench->guest.data, &header, sizeof(header));
        bench->guest.control->write_index = bad[i].written;
        const uint8_t *packet = NULL;
        size_t length;
        assert_int_equal(host_ring_reader_next(&reader, &packet, &length), -EPIPE);
        assert_non_null(reader.broken);
        assert_null(packet);
        host_ring_reader_free(&reader);
    }
}

static void our_read_index_is_not_read_back(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_reader reader = reader_on(bench);
    const uint8_t *packet;
    size_t length;
    guest_ring_put_words(&bench->guest, 6, 0, 1, 3, 0xAA);
    guest_ring_put_words(&bench->guest, 6, 0, 2, 3, 0xBB);
    assert_int_equal(host_ring_reader_next(&reader, &packet, &length), 1);
    host_ring_reader_publish(&reader);
    bench->guest.control->read_index = 4000; /* a guest that writes what is ours */
    assert_int_equal(host_ring_reader_next(&reader, &packet, &length), 1);
    assert_int_equal(packet[8], 2);
    host_ring_reader_publish(&reader);
    assert_int_equal(bench->guest.control->read_index, 96);
    host_ring_reader_free(&reader);
}

/* Fills the ring with packets of 48 bytes as a guest would that then waits for `pending`. */
static void fill_and_block(struct ring_bench *bench, uint32_t pending)
{
    while (SIZE - guest_ring_used(&bench->guest) > 48) {
        guest_ring_put_words(&bench->guest, 6, 0, 1, 3, 0);
    }
    bench->guest.control->pending_send_size = pending;
}

static void a_blocked_guest_is_signalled_when_its_room_appears_and_only_then(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_reader reader = reader_on(bench);
    const uint8_t *packet;
    size_t length;
    fill_and_block(bench, 480);
    unsigned signals = 0, taken = 0, at = 0;
    while (host_ring_reader_next(&reader, &packet, &length) == 1) {
        taken++;
        if (host_ring_reader_publish(&reader)) {
            signals++;
            at = taken;
        }
    }
    assert_int_equal(signals, 1);
    /* SIZE = 170 * 48 + 32: 32 bytes were free; 10 packets more make 512 > 480. */
    assert_int_equal(at, 10);
    host_ring_reader_free(&reader);
}

static void room_that_is_just_what_the_guest_waits_for_is_not_enough(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_reader reader = reader_on(bench);
    const uint8_t *packet;
    size_t length;
    fill_and_block(bench, 512); /* as a ring is never filled, 512 bytes fit in 520 */
    for (unsigned taken = 1; taken <= 11; taken++) {
        assert_int_equal(host_ring_reader_next(&reader, &packet, &length), 1);
        assert_int_equal(host_ring_reader_publish(&reader), taken == 11);
    }
    host_ring_reader_free(&reader);
}

static void a_burst_signals_a_blocked_guest_once(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_reader reader = reader_on(bench);
    const uint8_t *packet;
    size_t length;
    fill_and_block(bench, 480);
    while (host_ring_reader_next(&reader, &packet, &length) == 1) {
    }
    assert_true(host_ring_reader_publish(&reader));
    assert_false(host_ring_reader_publish(&reader));
    assert_int_equal(reader.signals, 1);
    host_ring_reader_free(&reader);
}

static void a_guest_that_does_not_wait_gets_no_signal(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_reader reader = reader_on(bench);
    const uint8_t *packet;
    size_t length;
    fill_and_block(bench, 0);
    while (host_ring_reader_next(&reader, &packet, &length) == 1) {
        assert_false(host_ring_reader_publish(&reader));
    }
    host_ring_reader_free(&reader);
}

static void unmasking_is_followed_by_a_look(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_reader reader = reader_on(bench);
    host_ring_reader_mask(&reader, true);
    assert_int_equal(bench->guest.control->interrupt_mask, 1);
    guest_ring_put_words(&bench->guest, 6, 0, 1, 3, 0); /* sees the mask: will not signal */
    host_ring_reader_mask(&reader, false);
    assert_true(host_ring_reader_has_more(&reader));
    assert_int_equal(bench->guest.control->interrupt_mask, 0);
    host_ring_reader_free(&reader);
}

/* ---- Writer ---- */

static void a_ring_is_never_filled_to_the_last_byte(void **state)
{
    struct ring_bench *bench = *state;
    for (uint32_t length = 16; length <= SIZE - 16; length += 8) {
        memset(bench->memory, 0, 4096);
        struct host_ring_writer writer = writer_on(bench);
        unsigned count = 0;
        while (write_packet(&writer, length, 1) == 0) {
            count++;
            assert_true(writer.write_index != writer.read_index);
        }
        assert_int_equal(count, (SIZE - 8) / (length + 8));
        assert_int_equal(writer.full, 1);
    }
}

static void the_largest_packet_fits_an_empty_ring_and_no_larger_one_does(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_writer writer = writer_on(bench);
    assert_int_equal(write_packet(&writer, SIZE - 8, 1), -EMSGSIZE);
    assert_int_equal(write_packet(&writer, VMBUS_PACKET_LENGTH_MAXIMUM + 8, 1), -EMSGSIZE);
    assert_int_equal(write_packet(&writer, SIZE - 16, 1), 0);
    assert_true(host_ring_writer_publish(&writer));
    assert_int_equal(write_packet(&writer, 16, 1), -EAGAIN);
    static uint8_t packet[SIZE];
    assert_int_equal(guest_ring_take(&bench->guest, packet, SIZE), SIZE - 16);
    assert_int_equal(write_packet(&writer, SIZE - 16, 1), 0);
}

static void a_burst_is_published_once_and_signalled_once(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_writer writer = writer_on(bench);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(write_packet(&writer, 32, 1), 0);
        assert_int_equal(bench->guest.control->write_index, 0);
    }
    assert_true(host_ring_writer_publish(&writer));
    assert_int_equal(bench->guest.control->write_index, 5 * 40);
    assert_int_equal(write_packet(&writer, 32, 1), 0);
    assert_false(host_ring_writer_publish(&writer)); /* the guest has not taken the first ones */
    assert_false(host_ring_writer_drained(&writer));
    uint8_t packet[64];
    while (guest_ring_take(&bench->guest, packet, sizeof(packet)) != 0) {
    }
    assert_true(host_ring_writer_drained(&writer));
    assert_int_equal(write_packet(&writer, 32, 1), 0);
    assert_true(host_ring_writer_publish(&writer));
    assert_int_equal(writer.signals, 2);
}

static void a_masked_guest_is_not_signalled(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_writer writer = writer_on(bench);
    bench->guest.control->interrupt_mask = 1;
    assert_int_equal(write_packet(&writer, 32, 1), 0);
    assert_false(host_ring_writer_publish(&writer));
    assert_int_equal(bench->guest.control->write_index, 40);
}

static void a_full_ring_asks_for_room_and_forgets_it_when_there_is(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_writer writer = writer_on(bench);
    assert_int_equal(bench->guest.control->feature_bits, VMBUS_RING_FEATURE_PENDING_SEND_SIZE);
    while (write_packet(&writer, 1000, 1) == 0) {
    }
    /* What was not published yet is, so that the guest can make room; the signal is kept. */
    assert_int_equal(guest_ring_used(&bench->guest), 8 * 1008);
    assert_int_equal(bench->guest.control->pending_send_size, 1008);
    assert_true(host_ring_writer_publish(&writer));
    uint8_t packet[1000];
    guest_ring_take(&bench->guest, packet, sizeof(packet));
    assert_int_equal(write_packet(&writer, 1000, 1), 0);
    assert_int_equal(bench->guest.control->pending_send_size, 0);
}

static void every_bad_read_index_breaks_the_ring(void **state)
{
    static const uint32_t bad[] = {4, 1, SIZE, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF};
    struct ring_bench *bench = *state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(bench->memory, 0, 4096);
        struct host_ring_writer writer = writer_on(bench);
        assert_int_equal(write_packet(&writer, SIZE - 16, 1), 0);
        bench->guest.control->read_index = bad[i];
        assert_int_equal(write_packet(&writer, 16, 1), -EPIPE);
        assert_non_null(writer.broken);
        bench->guest.control->read_index = 0;
        assert_int_equal(write_packet(&writer, 16, 1), -EPIPE);
        assert_false(host_ring_writer_publish(&writer));
    }
}

static void our_write_index_is_not_read_back(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_writer writer = writer_on(bench);
    assert_int_equal(write_packet(&writer, 32, 1), 0);
    host_ring_writer_publish(&writer);
    bench->guest.control->write_index = 4096;
    assert_int_equal(write_packet(&writer, 32, 1), 0);
    host_ring_writer_publish(&writer);
    assert_int_equal(bench->guest.control->write_index, 80);
}

static void padding_is_zero_and_the_trailer_names_the_start(void **state)
{
    struct ring_bench *bench = *state;
    struct host_ring_writer writer = writer_on(bench);
    memset(bench->guest.data, 0xEE, SIZE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(host_ring_writer_begin(&writer, 24), 0);
        host_ring_writer_append(&writer, "sixteen bytes...abc", 19);
        host_ring_writer_finish(&writer);
    }
    assert_memory_equal(bench->guest.data + 16, "abc\0\0\0\0\0", 8);
    const uint64_t trailers[] = {0, (uint64_t)32 << 32};
    assert_memory_equal(bench->guest.data + 24, &trailers[0], 8);
    assert_memory_equal(bench->guest.data + 56, &trailers[1], 8);
}

/* ---- Both ends on threads: no wake-up may be lost ---- */

enum { STRESS_PACKETS = 30000 };

struct doorbell {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    unsigned rung;
};

static void ring_bell(struct doorbell *bell)
{
    pthread_mutex_lock(&bell->mutex);
    bell->rung++;
    pthread_cond_signal(&bell->condition);
    pthread_mutex_unlock(&bell->mutex);
}

/* Waits for a ring of the bell. A lost one shows as the watchdog's 20 seconds running out. */
static bool await_bell(struct doorbell *bell)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 20;
    int result = 0;
    pthread_mutex_lock(&bell->mutex);
    while (bell->rung == 0 && result == 0) {
        result = pthread_cond_timedwait(&bell->condition, &bell->mutex, &limit);
    }
    bell->rung = 0;
    pthread_mutex_unlock(&bell->mutex);
    return result == 0;
}

struct stress {
    struct host_ring_writer writer;
    struct doorbell reader_bell, writer_bell;
    bool writer_lost;
};

static void *stress_writer(void *argument)
{
    struct stress *stress = argument;
    for (unsigned i = 0; i < STRESS_PACKETS; i++) {
        while (write_packet(&stress->writer, 16 + 8 * (i % 100), (uint8_t)i) == -EAGAIN) {
            if (host_ring_writer_publish(&stress->writer)) {
                ring_bell(&stress->reader_bell);
            }
            if (!await_bell(&stress->writer_bell)) {
                stress->writer_lost = true;
                return NULL;
            }
        }
        if (i % 3 == 0 && host_ring_writer_publish(&stress->writer)) {
            ring_bell(&stress->reader_bell);
        }
    }
    if (host_ring_writer_publish(&stress->writer)) {
        ring_bell(&stress->reader_bell);
    }
    return NULL;
}

/* The host's writer against the host's reader: each follows the rules the guest's end follows. */
static void no_wake_up_is_lost_between_two_threads(void **state)
{
    struct ring_bench *bench = *state;
    struct stress stress = {
        .writer = writer_on(bench),
        .reader_bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0},
        .writer_bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0},
    };
    struct host_ring_reader reader = reader_on(bench);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stress_writer, &stress), 0);
    unsigned taken = 0;
    bool lost = false;
    while (taken < STRESS_PACKETS && !lost) {
        const uint8_t *packet;
        size_t length;
        int result = host_ring_reader_next(&reader, &packet, &length);
        if (result == 1) {
            assert_int_equal(packet[8], (uint8_t)taken);
            assert_int_equal(length, 16 + 8 * (taken % 100));
            taken++;
            continue;
        }
        assert_int_equal(result, 0);
        if (host_ring_reader_publish(&reader)) {
            ring_bell(&stress.writer_bell);
        }
        host_ring_reader_mask(&reader, false);
        if (!host_ring_reader_has_more(&reader)) {
            lost = !await_bell(&stress.reader_bell);
        }
        host_ring_reader_mask(&reader, true);
    }
    if (host_ring_reader_publish(&reader)) {
        ring_bell(&stress.writer_bell);
    }
    pthread_join(thread, NULL);
    assert_false(lost);
    assert_false(stress.writer_lost);
    assert_int_equal(taken, STRESS_PACKETS);
    host_ring_reader_free(&reader);
}

int main(void)
{
#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, flat_setup, teardown)
    const struct CMUnitTest tests[] = {
        RING_TEST(a_ring_needs_a_control_page_and_a_data_page),
        cmocka_unit_test(copies_wrap_on_flat_and_scattered_pages),
        RING_TEST(packets_of_every_size_arrive_at_every_offset),
        RING_TEST(every_bad_write_index_breaks_the_ring),
        RING_TEST(every_bad_packet_length_breaks_the_ring),
        RING_TEST(our_read_index_is_not_read_back),
        RING_TEST(a_blocked_guest_is_signalled_when_its_room_appears_and_only_then),
        RING_TEST(room_that_is_just_what_the_guest_waits_for_is_not_enough),
        RING_TEST(a_burst_signals_a_blocked_guest_once),
        RING_TEST(a_guest_that_does_not_wait_gets_no_signal),
        RING_TEST(unmasking_is_followed_by_a_look),
        RING_TEST(a_ring_is_never_filled_to_the_last_byte),
        RING_TEST(the_largest_packet_fits_an_empty_ring_and_no_larger_one_does),
        RING_TEST(a_burst_is_published_once_and_signalled_once),
        RING_TEST(a_masked_guest_is_not_signalled),
        RING_TEST(a_full_ring_asks_for_room_and_forgets_it_when_there_is),
        RING_TEST(every_bad_read_index_breaks_the_ring),
        RING_TEST(our_write_index_is_not_read_back),
        RING_TEST(padding_is_zero_and_the_trailer_names_the_start),
        RING_TEST(no_wake_up_is_lost_between_two_threads),
    };
    return cmocka_run_group_tests_name("vmbus rings", tests, NULL, NULL);
}
