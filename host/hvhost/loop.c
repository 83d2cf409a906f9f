/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop of hvhost. A turn: signals -> channels -> one submission to the kernel -> completions ->
 * one publication a ring. Wake-ups cost more than anything else here, so after work the loop looks
 * for more for a short while before it sleeps; how long is learnt from how long the sleeps last.
 * As long as it is awake it looks at the rings itself and guests need not signal.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "host/hvhost/hvhost.h"

enum {
    EVENT_BATCH = 32,
    WINDOW_MIN_NS = 10000, /* the rest of a burst is worth waiting for in any case */
    GAP_NS = 50000,        /* between two looks: somebody else has had the processor */
    SYSTEM_CALL_EVERY = 8, /* turns of polling: look at the descriptors too, and let others run */
    DRAIN_WAIT_MS = 10000,
    DRAIN_STEP_MS = 10,
};

uint64_t hvhost_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static int watch(struct hvhost *host, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    return epoll_ctl(host->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : -errno;
}

int hvhost_loop_open(struct hvhost *host)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    host->epoll = epoll_create1(EPOLL_CLOEXEC);
    host->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    host->polling.window_max_ns = host->options.poll_ns;
    if (host->epoll < 0 || host->signals < 0) {
        return -errno;
    }
    int result = watch(host, host->signals);
    if (result == 0) {
        result = watch(host, partition_server_descriptor(host->partition));
    }
    if (result == 0) {
        result = watch(host, disk_engine_descriptor(host->disks));
    }
    if (result == 0 && host->control != NULL) {
        result = watch(host, control_server_descriptor(host->control));
    }
    for (struct virtual_device *device = host->devices; result == 0 && device != NULL;
         device = device->next) {
        int descriptor = device->operations->descriptor != NULL
                             ? device->operations->descriptor(device)
                             : -1;
        if (descriptor >= 0) {
            result = watch(host, descriptor);
        }
    }
    return result;
}

void hvhost_loop_close(struct hvhost *host)
{
    close(host->signals);
    close(host->epoll);
}

/* ---- When there is something to do without news ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_deadline_ns(const struct hvhost *host)
{
    uint64_t deadline = disk_engine_deadline_ns(host->disks);
    for (struct virtual_device *device = host->devices; device != NULL; device = device->next) {
        if (device->operations->deadline_ns != NULL) {
            deadline = earlier(deadline, device->operations->deadline_ns(device));
        }
    }
    if (host->machine_made) {
        uint64_t timer = hypervisor_next_deadline(host->machine.hypervisor);
        timer = earlier(timer, hvhost_faults_deadline(host));
        if (timer < UINT64_MAX / 100) {
            deadline = earlier(deadline, host->partition_start_ns + timer * 100);
        }
    }
    return deadline;
}

/* ---- A turn ---- */

static void run_timers(struct hvhost *host)
{
    uint64_t now = (host->now_ns - host->partition_start_ns) / 100;
    if (hypervisor_next_deadline(host->machine.hypervisor) <= now) {
        hypervisor_run_timers(host->machine.hypervisor, now);
    }
    hvhost_faults_run(host, now);
}

static unsigned turn(struct hvhost *host)
{
    unsigned work = 0;
    host->now_ns = hvhost_clock_ns();
    if (host->machine_made) {
        if (host->reset_wanted) {
            hvhost_reset_machine(host);
        }
        work += partition_server_poll_signals(host->partition);
        hvhost_run_channels(host, &work);
        run_timers(host);
    }
    disk_engine_submit(host->disks);
    work += disk_engine_run(host->disks, host->now_ns);
    for (struct virtual_device *device = host->devices; device != NULL; device = device->next) {
        if (device->operations->run != NULL) {
            device->operations->run(device, host->now_ns);
        }
    }
    hvhost_reap_pci(host);
    return work;
}

static void handle_event(struct hvhost *host, int descriptor)
{
    if (descriptor == host->signals) {
        struct signalfd_siginfo info;
        if (read(host->signals, &info, sizeof(info)) == sizeof(info)) {
            hvhost_event(host, "signal", NULL, "%s", strsignal((int)info.ssi_signo));
            partition_server_goodbye(host->partition, 0, "the host was asked to stop");
            host->stopping = true;
        }
    } else if (descriptor == partition_server_descriptor(host->partition)) {
        partition_server_run(host->partition);
    } else if (host->control != NULL && descriptor == control_server_descriptor(host->control)) {
        control_server_run(host->control);
    }
    /* The disks' and the devices' are served by the turn that follows. */
}

/* What a device has no room for stays where it is, and is no reason to wake up. */
static void follow_listening(struct hvhost *host)
{
    for (struct virtual_device *device = host->devices; device != NULL; device = device->next) {
        if (device->operations->listens == NULL ||
            device->operations->listens(device) != device->unheard) {
            continue;
        }
        const int descriptor = device->operations->descriptor(device);
        struct epoll_event event = {.events = device->unheard ? EPOLLIN : 0,
                                    .data.fd = descriptor};
        if (descriptor < 0 ||
            epoll_ctl(host->epoll, EPOLL_CTL_MOD, descriptor, &event) == 0) {
            device->unheard = !device->unheard;
        }
    }
}

/* Returns the number of descriptors with news. timeout_ns: UINT64_MAX for ever. */
static int wait_for_events(struct hvhost *host, uint64_t timeout_ns)
{
    struct epoll_event events[EVENT_BATCH];
    const struct timespec timeout = {
        .tv_sec = (time_t)(timeout_ns / 1000000000ull),
        .tv_nsec = (long)(timeout_ns % 1000000000ull),
    };
    follow_listening(host);
    int count = epoll_pwait2(host->epoll, events, EVENT_BATCH,
                             timeout_ns == UINT64_MAX ? NULL : &timeout, NULL);
    for (int i = 0; i < count && !host->stopping; i++) {
        handle_event(host, events[i].data.fd);
    }
    return count > 0 ? count : 0;
}

/* ---- Polling ---- */

/* A sleep that was shorter than the longest window would have been worth waiting for. */
static void learn(struct hvhost_polling *polling, uint64_t slept_ns)
{
    if (slept_ns > polling->window_max_ns) {
        polling->window_ns /= 2;
    } else if (slept_ns > polling->window_ns) {
        polling->window_ns *= 2;
    }
    if (polling->window_ns < WINDOW_MIN_NS) {
        polling->window_ns = WINDOW_MIN_NS;
    }
    polling->window_ns = earlier(polling->window_ns, polling->window_max_ns);
}

/*
 * Looks for work for as long as the window says. Returns true if there was some. A gap between two
 * looks means that others want the processor: then polling takes it from the guest, and is cut.
 */
static bool poll_for_work(struct hvhost *host)
{
    struct hvhost_polling *polling = &host->polling;
    const uint64_t end = host->now_ns + polling->window_ns;
    uint64_t last = host->now_ns;
    unsigned turns = 0;
    while (!host->stopping && host->now_ns < end) {
        if (host->now_ns - last > GAP_NS) {
            polling->window_ns = 0;
            return false;
        }
        last = host->now_ns;
        bool look = ++turns % SYSTEM_CALL_EVERY == 0;
        if (turn(host) > 0 || next_deadline_ns(host) <= host->now_ns ||
            (look && wait_for_events(host, 0) > 0)) {
            host->polling.polls_won++;
            return true;
        }
        if (look) {
            sched_yield(); /* what we wait for may be waiting for this processor */
        }
        __builtin_ia32_pause();
    }
    return false;
}

void hvhost_loop(struct hvhost *host)
{
    bool busy = true;
    while (!host->stopping) {
        busy = turn(host) > 0 || busy;
        uint64_t deadline = next_deadline_ns(host);
        if (deadline <= host->now_ns) {
            busy = wait_for_events(host, 0) > 0 || busy;
            continue;
        }
        if (busy && host->polling.window_ns > 0 && poll_for_work(host)) {
            continue;
        }
        if (host->stopping) {
            break;
        }
        if (hvhost_end_polling(host)) {
            continue;
        }
        deadline = next_deadline_ns(host);
        host->now_ns = hvhost_clock_ns();
        if (deadline <= host->now_ns) {
            continue;
        }
        const uint64_t before = host->now_ns;
        host->polling.sleeps++;
        busy = wait_for_events(host, deadline == UINT64_MAX ? UINT64_MAX : deadline - before) > 0;
        learn(&host->polling, hvhost_clock_ns() - before);
    }
}

void hvhost_drain(struct hvhost *host)
{
    unsigned waited_ms = 0;
    while (disk_engine_busy(host->disks) && waited_ms < DRAIN_WAIT_MS) {
        disk_engine_submit(host->disks);
        if (disk_engine_run(host->disks, hvhost_clock_ns()) == 0) {
            struct epoll_event event;
            epoll_wait(disk_engine_descriptor(host->disks), &event, 1, DRAIN_STEP_MS);
            waited_ms += DRAIN_STEP_MS;
        }
    }
}
