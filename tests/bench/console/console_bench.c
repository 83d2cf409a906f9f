/* SPDX-License-Identifier: BSD-3-Clause */
/* console_bench PARTITION CONTROL VNC-PORT HOST-PID SECONDS KEXT...: a guest that changes its whole
 * screen of 1920 x 1080, and a VNC viewer that waits for each picture. Prints "name value" lines,
 * then "idle", and "end" when nothing has changed for SECONDS; at last what the guest's processor
 * did in that time and in as long without the viewer. */
#include <errno.h>
#include <fcntl.h>
#include <rfb/rfbclient.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/console/painter.h"

enum { FRAMES = 40, PATIENCE_SECONDS = 20, PIXELS = PAINTER_WIDTH * PAINTER_HEIGHT, COPIES = 20 };

#define SECOND UINT64_C(1000000000)

static struct painter *painter;
static pid_t guest;
static int order; /* write end */
static rfbClient *viewer;

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "console_bench: %s\n", why);
    if (guest > 0) {
        kill(guest, SIGKILL);
    }
    exit(1);
}

/* ---- the viewer ---- */

static bool shows(uint32_t frame)
{
    const uint32_t *pixels = (const uint32_t *)(const void *)viewer->frameBuffer;
    const uint32_t pixel = painter_pixel(frame);
    for (unsigned i = 0; i < PIXELS; i++) {
        if ((pixels[i] & 0xFFFFFF) != pixel) {
            return false;
        }
    }
    return true;
}

static void view(int microseconds)
{
    int ready = WaitForMessage(viewer, (unsigned)microseconds);
    if (ready < 0 || (ready > 0 && !HandleRFBServerMessage(viewer))) {
        give_up("the VNC server has gone");
    }
}

static void connect_viewer(int port)
{
    viewer = rfbGetClient(8, 3, 4);
    viewer->serverHost = strdup("127.0.0.1");
    viewer->serverPort = port;
    viewer->appData.encodingsString = "raw";
    viewer->format.redShift = 16;
    viewer->format.greenShift = 8;
    viewer->format.blueShift = 0;
    viewer->canHandleNewFBSize = TRUE;
    if (!rfbInitClient(viewer, NULL, NULL)) {
        viewer = NULL;
        give_up("no VNC server");
    }
    if (viewer->width != PAINTER_WIDTH || viewer->height != PAINTER_HEIGHT) {
        give_up("the screen has another size");
    }
}

/* Has the next frame painted. Returns the time from its last pixel in the guest to the last pixel
 * here, in nanoseconds. */
static uint64_t round_trip(void)
{
    const uint32_t frame = painter->frame + 1;
    const uint64_t end = painter_now() + PATIENCE_SECONDS * SECOND;
    if (write(order, "", 1) != 1) {
        give_up("the guest has gone");
    }
    while (painter->frame != frame || !shows(frame)) {
        if (painter_now() > end) {
            give_up("a picture did not come");
        }
        view(1000);
    }
    return painter_now() - painter->done_ns;
}

/* ---- figures ---- */

static int by_size(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return one < other ? -1 : one > other;
}

/* User and system time of a process so far, in microseconds. */
static uint64_t processor_time(pid_t process)
{
    char path[64], text[512] = "";
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof(path), "/proc/%d/stat", process);
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(text, sizeof(text), file) == NULL || strrchr(text, ')') == NULL ||
        sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
               &user, &system) != 2) {
        give_up("no processor time");
    }
    fclose(file);
    return (user + system) * (1000000 / (unsigned long)sysconf(_SC_CLK_TCK));
}

static uint64_t copy_time(void)
{
    uint64_t best = UINT64_MAX;
    uint8_t *from = malloc(PIXELS * 4), *to = malloc(PIXELS * 4);
    if (from == NULL || to == NULL) {
        give_up("no memory");
    }
    memset(from, 1, PIXELS * 4);
    for (unsigned i = 0; i < COPIES; i++) {
        from[i] = (uint8_t)i;
        const uint64_t begin = painter_now();
        memcpy(to, from, PIXELS * 4);
        __asm__ volatile("" : : "r"(to) : "memory");
        const uint64_t took = painter_now() - begin;
        best = took < best ? took : best;
    }
    free(from);
    free(to);
    return best / 1000;
}

static void measure_frames(pid_t host)
{
    uint64_t latencies[FRAMES];
    round_trip(); /* the first one begins everything */
    const uint64_t guest_time = processor_time(guest), host_time = processor_time(host);
    const uint64_t begin = painter_now();
    for (unsigned i = 0; i < FRAMES; i++) {
        latencies[i] = round_trip();
    }
    const uint64_t took = painter_now() - begin;
    qsort(latencies, FRAMES, sizeof(latencies[0]), by_size);
    printf("latency_us %llu\n", (unsigned long long)latencies[FRAMES / 2] / 1000);
    printf("frames_per_second %.1f\n", FRAMES * (double)SECOND / (double)took);
    printf("guest_us %llu\n", (unsigned long long)(processor_time(guest) - guest_time) / FRAMES);
    printf("host_us %llu\n", (unsigned long long)(processor_time(host) - host_time) / FRAMES);
    printf("memcpy_us %llu\n", (unsigned long long)copy_time());
}

static void look_on(unsigned seconds)
{
    const uint64_t end = painter_now() + seconds * SECOND;
    while (painter_now() < end) {
        view(100000);
    }
}

static void stay_idle(unsigned seconds)
{
    look_on(1); /* until the screen counts as quiet */
    puts("idle");
    fflush(stdout);
    const uint64_t watched = processor_time(guest);
    look_on(seconds);
    printf("end\nidle_us %llu\n", (unsigned long long)(processor_time(guest) - watched) / seconds);
    fflush(stdout);
    look_on(1); /* while whoever reads this asks for the counters */
    rfbClientCleanup(viewer);
    sleep(1);
    const uint64_t alone = processor_time(guest);
    sleep(seconds);
    printf("alone_us %llu\n", (unsigned long long)(processor_time(guest) - alone) / seconds);
}

int main(int argc, char **argv)
{
    int orders[2];
    if (argc < 7) {
        give_up("PARTITION CONTROL VNC-PORT HOST-PID SECONDS KEXT... are wanted");
    }
    painter = mmap(NULL, sizeof(*painter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0);
    if (painter == MAP_FAILED || pipe2(orders, O_CLOEXEC) != 0) {
        give_up("no memory");
    }
    guest = fork();
    if (guest == 0) {
        close(orders[1]);
        if (freopen("/dev/null", "w", stdout) == NULL) {
            _exit(1);
        }
        _exit(painter_run(painter, orders[0], argv[1], argv[2], (const char *const *)argv + 6,
                          (unsigned)argc - 6));
    }
    close(orders[0]);
    order = orders[1];
    for (uint64_t end = painter_now() + PATIENCE_SECONDS * SECOND; !painter->ready; usleep(10000)) {
        if (painter_now() > end || waitpid(guest, NULL, WNOHANG) != 0) {
            give_up("the guest shows no screen");
        }
    }
    connect_viewer(atoi(argv[3]));
    measure_frames(atoi(argv[4]));
    stay_idle((unsigned)atoi(argv[5]));
    kill(guest, SIGTERM);
    waitpid(guest, NULL, 0);
    return 0;
}
