/* SPDX-License-Identifier: BSD-3-Clause */
/* Two threads on one ring, both of which sleep when they have nothing to do: a missing barrier or a
 * doorbell too few would leave them asleep for ever (defect class D3). And a host that rewrites a
 * packet while it is being read (D11). */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "tests/unit/kext-core/rings.h"

#define PAGES   2u
#define PACKETS 40000u

struct bell {
    sem_t semaphore;
    const char *whose;
};

struct pair {
    struct ring_transmit transmit;
    struct ring_receive receive;
    struct bell reader;             /* rung when the ring is no longer empty */
    struct bell writer;             /* rung when there is room again */
    atomic_bool lost;               /* somebody slept for ever */
    unsigned received;
    unsigned wrong;
};

static void ring_bell(struct bell *bell)
{
    sem_post(&bell->semaphore);
}

/* Waits for the bell; the limit is the watchdog, never reached in a correct run. */
static bool wait_bell(struct pair *pair, struct bell *bell)
{
    struct timespec limit;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 20;
    while (sem_timedwait(&bell->semaphore, &limit) != 0) {
        if (errno == EINTR)
            continue;
        atomic_store(&pair->lost, true);
        return false;
    }
    return true;
}

static void *writer(void *argument)
{
    struct pair *pair = argument;
    unsigned sent = 0, burst = 0;

    while (sent < PACKETS && !atomic_load(&pair->lost)) {
        int error = ring_append_fill(&pair->transmit, sent * 13 % 300, (uint8_t)sent);

        if (error == 0) {
            sent++;
            if (++burst < sent % 7)
                continue;
        }
        burst = 0;
        if (ring_transmit_publish(&pair->transmit))
            ring_bell(&pair->reader);
        if (error == HV_ERROR_FULL)
            while (!ring_transmit_room_returned(&pair->transmit) &&
                   wait_bell(pair, &pair->writer))
                ;
    }
    if (ring_transmit_publish(&pair->transmit))
        ring_bell(&pair->reader);
    return NULL;
}

static void check_packet(struct pair *pair, const uint8_t *packet, uint32_t length)
{
    uint32_t payload = pair->received * 13 % 300;

    if (length != 16 + ((payload + 7) & ~7u))
        pair->wrong++;
    for (uint32_t i = 0; i < payload && length >= 16 + payload; i++)
        pair->wrong += packet[16 + i] != (uint8_t)pair->received;
    pair->received++;
}

static void *reader(void *argument)
{
    struct pair *pair = argument;
    uint8_t packet[1024];
    uint32_t length;

    while (pair->received < PACKETS && !atomic_load(&pair->lost)) {
        ring_receive_mask(&pair->receive);
        while (ring_receive_next(&pair->receive, packet, sizeof packet, &length) == 0) {
            check_packet(pair, packet, length);
            if (pair->received % 5 == 0 && ring_receive_publish(&pair->receive))
                ring_bell(&pair->writer);
        }
        if (ring_receive_publish(&pair->receive))
            ring_bell(&pair->writer);
        if (!ring_receive_unmask(&pair->receive) && pair->received < PACKETS)
            wait_bell(pair, &pair->reader);
    }
    return NULL;
}

static void no_wake_up_is_lost_and_no_byte_changed(void **state)
{
    static struct pair pair;
    void *memory = ring_memory(PAGES);
    pthread_t threads[2];

    assert_int_equal(ring_transmit_init(&pair.transmit, memory, PAGES), 0);
    assert_int_equal(ring_receive_init(&pair.receive, memory, PAGES), 0);
    sem_init(&pair.reader.semaphore, 0, 0);
    sem_init(&pair.writer.semaphore, 0, 0);
    assert_int_equal(pthread_create(&threads[0], NULL, writer, &pair), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, reader, &pair), 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert_false(atomic_load(&pair.lost));
    assert_int_equal(pair.received, PACKETS);
    assert_int_equal(pair.wrong, 0);
    assert_int_equal(pair.transmit.counters.corrupt, 0);
    assert_int_equal(pair.receive.counters.corrupt, 0);
    free(memory);
}

/* ---- D3: a packet is published while the reader goes to sleep ---- */

enum { ROUNDS = 200000, ROUNDS_SECONDS = 3, JITTER = 64 };

struct race {
    struct ring_transmit transmit;
    struct ring_receive receive;
    atomic_uint at_the_line[2];         /* rounds that each thread has begun, or ended */
    atomic_bool signalled, over;
};

/* Both go on at the same moment. */
static void meet(struct race *race, unsigned who)
{
    unsigned now = atomic_fetch_add(&race->at_the_line[who], 1) + 1;

    for (unsigned tries = 0; atomic_load(&race->at_the_line[1 - who]) < now; tries++)
        if (tries > 1000)
            sched_yield();              /* the other one is not running */
}

static void dawdle(unsigned steps)
{
    for (volatile unsigned i = 0; i < steps; i++)
        ;
}

static void *publisher(void *argument)
{
    struct race *race = argument;

    for (unsigned round = 0; !atomic_load(&race->over); round++) {
        assert_int_equal(ring_append_fill(&race->transmit, 8, 0), 0);
        meet(race, 0);
        dawdle(round % JITTER);
        atomic_store(&race->signalled, ring_transmit_publish(&race->transmit));
        meet(race, 0);
        meet(race, 0);
    }
    return NULL;
}

/* Rounds in which nobody would have woken the reader. */
static unsigned sleep_again_and_again(struct race *race)
{
    const time_t end = time(NULL) + ROUNDS_SECONDS;
    uint8_t packet[64];
    uint32_t length;
    unsigned lost = 0;

    for (unsigned round = 0; !atomic_load(&race->over); round++) {
        ring_receive_mask(&race->receive);
        meet(race, 1);
        dawdle(round / JITTER % JITTER);
        bool found = ring_receive_unmask(&race->receive);
        meet(race, 1);
        lost += !found && !atomic_load(&race->signalled);
        assert_int_equal(ring_receive_next(&race->receive, packet, sizeof packet, &length), 0);
        ring_receive_publish(&race->receive);
        atomic_store(&race->over, round == ROUNDS || time(NULL) > end);
        meet(race, 1);
    }
    return lost;
}

static void who_falls_asleep_has_seen_the_packet_or_is_woken(void **state)
{
    static struct race race;
    struct vmbus_ring_control *memory = ring_memory(PAGES);
    pthread_t thread;
    unsigned lost;

    assert_int_equal(ring_transmit_init(&race.transmit, memory, PAGES), 0);
    assert_int_equal(ring_receive_init(&race.receive, memory, PAGES), 0);
    assert_int_equal(pthread_create(&thread, NULL, publisher, &race), 0);
    lost = sleep_again_and_again(&race);
    pthread_join(thread, NULL);
    assert_int_equal(lost, 0);
    free(memory);
}

/* ---- D11 ---- */

enum { SEEN_OFTEN = 400000 }; /* each of the two headers */
static atomic_bool rewriting;

/* The host rewrites packet headers while they are being read. */
static void *rewriter(void *argument)
{
    struct vmbus_packet_header *shared = argument;

    while (atomic_load_explicit(&rewriting, memory_order_relaxed)) {
        __atomic_store_n((uint64_t *)(void *)shared, UINT64_C(0x0000000400020006),
                         __ATOMIC_RELAXED);
        __atomic_store_n((uint64_t *)(void *)shared, UINT64_C(0x0000FFFFFFFF0006),
                         __ATOMIC_RELAXED);
    }
    return NULL;
}

static void a_header_that_changes_under_our_eyes_is_taken_once(void **state)
{
    struct vmbus_ring_control *control = ring_memory(PAGES);
    uint8_t packet[4096];
    pthread_t thread;
    unsigned good = 0, bad = 0;

    atomic_store(&rewriting, true);
    assert_int_equal(pthread_create(&thread, NULL, rewriter, (uint8_t *)control + 4096), 0);
    while (good < SEEN_OFTEN || bad < SEEN_OFTEN) {
        struct ring_receive ring;
        const struct vmbus_packet_header *header = (const void *)packet;
        uint32_t length;

        memset(control, 0, 64);
        ring = (struct ring_receive){ .control = control, .data = (uint8_t *)control + 4096,
                                      .size = 4096 };
        control->write_index = 40;
        if (ring_receive_next(&ring, packet, sizeof packet, &length) == 0) {
            good++;
            assert_int_equal(length, 32);
            assert_int_equal(header->length8, 4);
            assert_int_equal(header->data_offset8, 2);
        } else {
            bad++;
        }
    }
    atomic_store(&rewriting, false);
    pthread_join(thread, NULL);
    free(control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wake_up_is_lost_and_no_byte_changed),
        cmocka_unit_test(who_falls_asleep_has_seen_the_packet_or_is_woken),
        cmocka_unit_test(a_header_that_changes_under_our_eyes_is_taken_once),
    };

    return cmocka_run_group_tests_name("ring_threads", tests, NULL, NULL);
}
