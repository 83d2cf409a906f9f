/* SPDX-License-Identifier: BSD-3-Clause */
/* Measures the ring engine beside DPDK's VMBus ring in the same run.
 *
 * Prints one line a figure, fields separated by tabs:
 *   id, name, value, baseline, unit, "higher" or "lower", goal for value / baseline
 * The subjects take turns; the median of the rounds counts. Usage: ring_bench [rounds] */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "tests/bench/ring/subjects.h"

#define ROUNDS_MAXIMUM 99

static unsigned rounds = 9;
static void *memory;
static uint8_t payload[PAYLOAD_MAXIMUM];

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

static void pin(unsigned processor)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof set, &set);     /* one CPU: no matter */
}

/* ---- One thread: send, publish, receive, release, packet by packet --------------------------- */

static double one_thread(const struct subject *subject, uint32_t length)
{
    enum { PACKETS = 200000 };
    static uint8_t buffer[PAYLOAD_MAXIMUM + 64];
    double start;

    subject->setup(memory);
    start = now();
    for (unsigned i = 0; i < PACKETS; i++) {
        if (!subject->send(payload, length))
            abort();
        subject->publish();
        if (!subject->receive(buffer, sizeof buffer))
            abort();
        subject->release();
    }
    return (now() - start) / PACKETS;
}

static void measure_one_thread(uint32_t length)
{
    double mine[ROUNDS_MAXIMUM], theirs[ROUNDS_MAXIMUM];

    for (unsigned i = 0; i < rounds; i++) {
        mine[i] = one_thread(&subject_machv, length);
        theirs[i] = one_thread(&subject_dpdk, length);
    }
    printf("ring-1-%u\tring, one thread, %u B\t%.1f\t%.1f\tns\tlower\t<= 1.0\n", length, length,
           median(mine, rounds), median(theirs, rounds));
}

/* ---- Two threads ----------------------------------------------------------------------------- */

struct pair {
    const struct subject *subject;
    uint32_t length;
    uint32_t burst;
    unsigned packets;
    unsigned signals;
};

static void pause_briefly(void)
{
    __builtin_ia32_pause();
}

static void *produce(void *argument)
{
    struct pair *pair = argument;
    const struct subject *subject = pair->subject;
    unsigned sent = 0, in_burst = 0;

    pin(1);
    while (sent < pair->packets) {
        if (subject->send(payload, pair->length)) {
            sent++;
            if (++in_burst < pair->burst && sent < pair->packets)
                continue;
        } else {
            pause_briefly();
        }
        in_burst = 0;
        pair->signals += subject->publish();
    }
    return NULL;
}

static void consume(const struct pair *pair)
{
    static uint8_t buffer[PAYLOAD_MAXIMUM + 64];
    const struct subject *subject = pair->subject;
    unsigned received = 0, in_batch = 0;

    while (received < pair->packets) {
        if (subject->receive(buffer, sizeof buffer)) {
            received++;
            if (++in_batch < pair->burst)
                continue;
        } else if (in_batch == 0) {
            pause_briefly();
            continue;
        }
        in_batch = 0;
        subject->release();
    }
    subject->release();
}

/* Nanoseconds a packet; `*signals` doorbells for 1000 packets. */
static double two_threads(const struct subject *subject, uint32_t length, uint32_t burst,
                          double *signals)
{
    struct pair pair = { subject, length, burst, 300000, 0 };
    pthread_t producer;
    double start;

    subject->setup(memory);
    pin(0);
    start = now();
    if (pthread_create(&producer, NULL, produce, &pair) != 0)
        abort();
    consume(&pair);
    pthread_join(producer, NULL);
    *signals = 1000.0 * pair.signals / pair.packets;
    return (now() - start) / pair.packets;
}

static void measure_two_threads(uint32_t length, uint32_t burst, const char *goal)
{
    double mine[ROUNDS_MAXIMUM], theirs[ROUNDS_MAXIMUM];
    double my_bells[ROUNDS_MAXIMUM], their_bells[ROUNDS_MAXIMUM];

    for (unsigned i = 0; i < rounds; i++) {
        mine[i] = two_threads(&subject_machv, length, burst, &my_bells[i]);
        theirs[i] = two_threads(&subject_dpdk, length, burst, &their_bells[i]);
    }
    printf("ring-2-%u-%u\tring, two threads, bursts of %u, %u B\t%.1f\t%.1f\tns\tlower\t%s\n",
           length, burst, burst, length, median(mine, rounds), median(theirs, rounds), goal);
    printf("doorbells-%u-%u\tdoorbells a 1000 packets, bursts of %u, %u B\t%.1f\t%.1f\tbells\t"
           "lower\t<= 30 bells\n", length, burst, burst, length, median(my_bells, rounds),
           median(their_bells, rounds));
}

int main(int argc, char **argv)
{
    static const uint32_t lengths[] = { 16, 48, 256, 4096 };

    if (argc > 1)
        rounds = (unsigned)strtoul(argv[1], NULL, 10);
    if (rounds == 0 || rounds > ROUNDS_MAXIMUM) {
        fprintf(stderr, "usage: ring_bench [rounds, 1 to %d]\n", ROUNDS_MAXIMUM);
        return 2;
    }
    memory = mmap(NULL, RING_PAGES * 4096, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("ring_bench: mmap");
        return 1;
    }
    memset(payload, 0x5A, sizeof payload);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        measure_one_thread(lengths[i]);
    measure_two_threads(48, 32, "<= 0.25");
    measure_two_threads(256, 32, "-");
    measure_two_threads(48, 1, "-");
    return 0;
}
