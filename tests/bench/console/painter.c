/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/console/painter.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "xnu/console/console.h"
#include "xnu/families/graphics/framebuffer.h"
#include "xnu/kextrun/kextrun.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/threads.h"

enum { TRY_MILLISECONDS = 20 };

static struct painter *painter;
static int orders;

uint64_t painter_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void paint(const struct framebuffer_picture *screen)
{
    uint32_t frame = painter->frame + 1, pixel = painter_pixel(frame);
    uint32_t *to = (uint32_t *)(void *)screen->pixels;
    for (uint32_t i = 0; i < PAINTER_WIDTH * PAINTER_HEIGHT; i++) {
        to[i] = pixel;
    }
    painter->done_ns = painter_now();
    painter->frame = frame;
}

static void paint_thread(void *argument)
{
    struct framebuffer_picture screen;
    char order;
    (void)argument;
    while (!framebuffer_picture(&screen) || screen.width != PAINTER_WIDTH) {
        char event;
        machine_sleep(NULL, &event, machine_uptime() + TRY_MILLISECONDS * UINT64_C(1000000), false);
        framebuffer_set_mode(PAINTER_WIDTH, PAINTER_HEIGHT);
    }
    console_pause(true);
    painter->ready = 1;
    while (machine_poll(orders, false, MACHINE_NEVER, false) == 1 && read(orders, &order, 1) == 1) {
        paint(&screen);
    }
}

static int start_painting(struct kextrun *kextrun)
{
    struct machine_thread *thread = machine_thread_start("painter", paint_thread, NULL);
    if (thread == NULL) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_FAILURE, "no memory");
    }
    machine_thread_release(thread);
    return 0;
}

int painter_run(struct painter *with, int from, const char *partition, const char *control,
                const char *const *kexts, unsigned kext_count)
{
    const struct kextrun_options options = {
        .partition = partition,
        .control = control,
        .macos = "13",
        .boot_args = "",
        .processors = 1,
        .memory_mb = 256,
        .kexts = kexts,
        .kext_count = kext_count,
    };
    sigset_t signals;
    painter = with;
    orders = from;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    steps_replace("quiet", start_painting);
    return kextrun_run(&options);
}
