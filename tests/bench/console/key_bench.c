/* SPDX-License-Identifier: BSD-3-Clause */
/* key_bench VNC-PORT INPUT-LOG ROUNDS: from a key press at a VNC viewer to the event in the guest,
 * whose input log is the FIFO INPUT-LOG, which this makes. Prints "name value" lines: the median,
 * and what a doorbell there and back takes between two bare threads. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <rfb/rfbclient.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 30000, TRY_MS = 200, ROUNDS_MAX = 100000, WARM_UP = 20, LINE_MAX_BYTES = 256 };

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "key_bench: %s\n", why);
    exit(1);
}

/* ---- The guest's log ---- */

/* Reads lines until one begins with `wanted`. False: none came for so long. */
static bool line_comes(int log, const char *wanted, int patience_ms)
{
    char line[LINE_MAX_BYTES];
    size_t length = 0;
    struct pollfd ready = {log, POLLIN, 0};
    for (;;) {
        if (poll(&ready, 1, patience_ms) != 1 || read(log, line + length, 1) != 1) {
            return false;
        }
        if (line[length] != '\n') {
            length += length + 1 < sizeof(line);
            continue;
        }
        line[length] = '\0';
        length = 0;
        if (strncmp(line, wanted, strlen(wanted)) == 0) {
            return true;
        }
    }
}

static void await_line(int log, const char *wanted)
{
    if (!line_comes(log, wanted, PATIENCE_MS)) {
        give_up("an event did not come");
    }
}

/* The guest opens its keyboard before its driver has agreed with the host: keys are lost until
 * then. */
static void await_keyboard(rfbClient *viewer, int log)
{
    await_line(log, "keyboard opened");
    for (unsigned tries = 0; tries < PATIENCE_MS / TRY_MS; tries++) {
        SendKeyEvent(viewer, 'a', TRUE);
        SendKeyEvent(viewer, 'a', FALSE);
        if (line_comes(log, "key up", TRY_MS)) {
            return;
        }
    }
    give_up("the keyboard does not work");
}

static uint64_t stroke(rfbClient *viewer, int log)
{
    const uint64_t begin = now_ns();
    SendKeyEvent(viewer, 'a', TRUE);
    await_line(log, "key down");
    const uint64_t took = now_ns() - begin;
    SendKeyEvent(viewer, 'a', FALSE);
    await_line(log, "key up");
    return took;
}

static void say_nothing(const char *format, ...)
{
}

static rfbClient *connect_viewer(int port)
{
    rfbClient *viewer = rfbGetClient(8, 3, 4);
    rfbClientLog = say_nothing;
    viewer->serverHost = strdup("127.0.0.1");
    viewer->serverPort = port;
    if (!rfbInitClient(viewer, NULL, NULL)) {
        give_up("no VNC server");
    }
    return viewer;
}

/* ---- The doorbell ---- */

struct bells {
    int there, back;
    unsigned rounds;
};

static void ring(int bell)
{
    const uint64_t one = 1;
    if (write(bell, &one, sizeof(one)) != sizeof(one)) {
        give_up("a doorbell is broken");
    }
}

static void hear(int bell)
{
    uint64_t count;
    if (read(bell, &count, sizeof(count)) != sizeof(count)) {
        give_up("a doorbell is broken");
    }
}

static void *answer(void *argument)
{
    const struct bells *bells = argument;
    for (unsigned i = 0; i < bells->rounds; i++) {
        hear(bells->there);
        ring(bells->back);
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return one < other ? -1 : one > other;
}

static double median_us(uint64_t *times, unsigned count)
{
    qsort(times, count, sizeof(times[0]), by_size);
    return (double)times[count / 2] / 1000;
}

static double doorbell_us(uint64_t *times, unsigned rounds)
{
    struct bells bells = {eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC), rounds};
    pthread_t thread;
    if (bells.there < 0 || bells.back < 0 || pthread_create(&thread, NULL, answer, &bells) != 0) {
        give_up("no doorbells");
    }
    for (unsigned i = 0; i < rounds; i++) {
        const uint64_t begin = now_ns();
        ring(bells.there);
        hear(bells.back);
        times[i] = now_ns() - begin;
    }
    pthread_join(thread, NULL);
    return median_us(times, rounds);
}

int main(int argc, char **argv)
{
    const int rounds = argc == 4 ? atoi(argv[3]) : 0;
    if (rounds <= 0 || rounds > ROUNDS_MAX) {
        give_up("VNC-PORT INPUT-LOG ROUNDS are wanted");
    }
    uint64_t *times = calloc((size_t)rounds, sizeof(times[0]));
    if (times == NULL || mkfifo(argv[2], 0600) != 0) {
        give_up("no FIFO");
    }
    const int log = open(argv[2], O_RDWR | O_CLOEXEC); /* does not wait for the guest */
    rfbClient *viewer = connect_viewer(atoi(argv[1]));
    await_keyboard(viewer, log);
    for (unsigned i = 0; i < WARM_UP; i++) {
        stroke(viewer, log);
    }
    for (int i = 0; i < rounds; i++) {
        times[i] = stroke(viewer, log);
    }
    printf("key_us %.1f\n", median_us(times, (unsigned)rounds));
    printf("doorbell_us %.1f\n", doorbell_us(times, (unsigned)rounds));
    rfbClientCleanup(viewer);
    free(times);
    return 0;
}
