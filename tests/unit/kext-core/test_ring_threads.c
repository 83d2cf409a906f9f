/* SPDX-License-Identifier: BSD-3-Clause */
/* Two threads on one ring, both of which sleep when they have nothing to do: a missing barrier or a
 * doorbell too few would leave them asleep for ever (defect class D3). And a host that rewrites a
 * packet while it is being read (D11). */
#include <errno.h>
#include <pthread.h>
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

/* The host rewrites packet headers while they are being read. */
static void *rewriter(void *argument)
{
    struct vmbus_packet_header *shared = argument;

    for (unsigned i = 0; i < 200000; i++) {
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

    assert_int_equal(pthread_create(&thread, NULL, rewriter, (uint8_t *)control + 4096), 0);
    for (unsigned i = 0; i < 20000; i++) {
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
    pthread_join(thread, NULL);
    assert_int_equal(good + bad, 20000);
    free(control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wake_up_is_lost_and_no_byte_changed),
        cmocka_unit_test(a_header_that_changes_under_our_eyes_is_taken_once),
    };

    return cmocka_run_group_tests_name("ring_threads", tests, NULL, NULL);
}
