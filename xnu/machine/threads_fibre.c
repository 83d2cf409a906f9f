/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The deterministic engine: all kernel threads are fibres of one host thread. At every switch point
 * a seeded generator decides whether to switch and to whom; time is virtual. The same seed gives
 * the same run, as long as nothing outside (descriptors, a socket partition) takes part.
 *
 * What may be chosen follows the processors: a fibre with interrupts off is alone on its processor,
 * one with preemption off shares it with the interrupt fibre only.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "xnu/machine/fibre_switch.h"
#include "xnu/machine/machine_private.h"

/* What things cost in virtual time: enough that no busy wait for time can last for ever. */
#define CLOCK_READ_NS 40u
#define SWITCH_NS 150u
#define BUSY_WAIT_NS 5000u
/* So many switches between two looks at the outside. */
#define OUTSIDE_INTERVAL 32u

struct fibre_processor {
    struct machine_thread *interrupts_holder; /* has interrupts off */
    struct machine_thread *interrupt_fibre;
    bool interrupt_idle;  /* the interrupt fibre has nothing in hand */
    int descriptor;       /* the partition's, -1: none */
    bool descriptor_ready;
};

static struct {
    struct machine_thread **fibres; /* in the order they began */
    size_t count, capacity;
    struct fibre_processor processors[MACHINE_PROCESSORS_MAX];
    struct fibre_context context;   /* of the scheduler itself */
    pthread_t host_thread;
    int kick_event;
    uint64_t now;
    uint64_t random;
    unsigned switch_chance; /* of 256, at each switch point */
    uint64_t switches, switches_max;
    unsigned since_outside;
} scheduler;

static uint64_t next_random(void) {
    uint64_t x = scheduler.random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    scheduler.random = x;
    return x * UINT64_C(0x2545F4914F6CDD1D) >> 16;
}

static uint64_t fibre_now(void) {
    scheduler.now += CLOCK_READ_NS;
    return scheduler.now;
}

/* From another host thread: the scheduler must look again at what can run. */
static void kick_scheduler(void) {
    uint64_t one = 1;
    if (!pthread_equal(pthread_self(), scheduler.host_thread) &&
        write(scheduler.kick_event, &one, sizeof one) < 0) {
        return; /* full: it is readable anyway */
    }
}

/* ---- switching ------------------------------------------------------------------------------ */

static void to_scheduler(void) {
    struct machine_thread *self = machine_current;
    fibre_switch(&self->fibre, &scheduler.context, atomic_load(&self->ended));
    fibre_arrived(&self->fibre, &scheduler.context);
}

static void fibre_switch_point(void) {
    struct machine_thread *self = machine_current;
    if (self != NULL && next_random() % 256 < scheduler.switch_chance) {
        to_scheduler();
    }
}

static void fibre_yield(void) {
    machine_current->yielded = true;
    to_scheduler();
}

static void fibre_spin(unsigned turn) {
    if (machine_current != NULL) {
        fibre_yield();
    }
}

static void fibre_park(struct machine_thread *thread, uint64_t deadline) {
    thread->parked = true;
    to_scheduler();
    thread->parked = false;
}

/* Another host thread may have woken it: the scheduler may be waiting for descriptors. */
static void fibre_unpark(struct machine_thread *thread) {
    kick_scheduler();
}

static void fibre_spin_delay(uint64_t nanoseconds) {
    scheduler.now += nanoseconds;
    fibre_switch_point();
}

static int fibre_poll(struct machine_thread *thread, int descriptor, bool writable,
                      uint64_t deadline) {
    thread->poll_descriptor = descriptor;
    thread->poll_writable = writable;
    thread->poll_result = 0;
    thread->deadline = deadline;
    to_scheduler();
    thread->poll_descriptor = -1;
    if (thread->poll_result == 0 && thread->interruptible &&
        atomic_exchange(&thread->interrupt_pending, false)) {
        return -EINTR;
    }
    return thread->poll_result;
}

static void fibre_poll_interrupt(struct machine_thread *thread) {
}

/* ---- start and end -------------------------------------------------------------------------- */

static void fibre_main(void) {
    struct machine_thread *self = machine_current;
    fibre_arrived(&self->fibre, &scheduler.context);
    self->function(self->argument);
    machine_thread_exit();
}

static int fibre_create(struct machine_thread *thread) {
    if (scheduler.count == scheduler.capacity) {
        size_t capacity = scheduler.capacity * 2 + 16;
        void *grown = realloc(scheduler.fibres, capacity * sizeof scheduler.fibres[0]);
        if (grown == NULL) {
            return -ENOMEM;
        }
        scheduler.fibres = grown;
        scheduler.capacity = capacity;
    }
    fibre_prepare(&thread->fibre, thread->stack + MACHINE_PAGE_SIZE, thread->stack_size,
                  fibre_main);
    scheduler.fibres[scheduler.count++] = thread;
    return 0;
}

static void fibre_exit(struct machine_thread *thread) {
    to_scheduler();
}

static void bury(struct machine_thread *thread) {
    size_t at = 0;
    while (scheduler.fibres[at] != thread) {
        at++;
    }
    scheduler.count--;
    memmove(&scheduler.fibres[at], &scheduler.fibres[at + 1],
            (scheduler.count - at) * sizeof scheduler.fibres[0]);
    stack_release(thread->stack, thread->stack_size);
    machine_thread_release(thread);
}

/* ---- processors ----------------------------------------------------------------------------- */

static void fibre_interrupts_off(unsigned processor) {
    scheduler.processors[processor].interrupts_holder = machine_current;
}

static void fibre_interrupts_on(unsigned processor) {
    scheduler.processors[processor].interrupts_holder = NULL;
    fibre_switch_point();
}

static void fibre_interrupt_kick(unsigned processor) {
    kick_scheduler();
}

static void fibre_use_descriptor(unsigned processor, int descriptor) {
    scheduler.processors[processor].descriptor = descriptor;
}

static void interrupt_fibre_main(void *argument) {
    struct machine_thread *self = machine_current;
    struct fibre_processor *processor = &scheduler.processors[self->processor];
    for (;;) {
        processor->interrupt_idle = true;
        to_scheduler();
        processor->interrupt_idle = false;
        processor->descriptor_ready = false;
        machine_interrupts_set_enabled(false);
        self->in_interrupt = true;
        processor_deliver(self->processor);
        self->in_interrupt = false;
        machine_interrupts_set_enabled(true);
    }
}

static bool processor_is_taken(unsigned index, const struct machine_thread *by_other_than) {
    const struct machine_thread *holder = scheduler.processors[index].interrupts_holder;
    if (holder != NULL && holder != by_other_than) {
        return true;
    }
    for (size_t i = 0; i < scheduler.count; i++) {
        struct machine_thread *fibre = scheduler.fibres[i];
        if (fibre != by_other_than && fibre->processor == index &&
            fibre->preemption_disabled != 0) {
            return true;
        }
    }
    return false;
}

/* Nobody runs but the one that panics. */
static void fibre_quiesce(void) {
}

static void fibre_rendezvous(void (*action)(void *argument), void *argument) {
    struct machine_thread *self = machine_current;
    unsigned home = self->processor;
    for (unsigned i = 0; i < machine_processors_used; i++) {
        while (processor_is_taken(i, self)) {
            fibre_yield();
        }
        self->processor = i;
        scheduler.processors[i].interrupts_holder = self;
        self->interrupts_off = true;
        self->in_interrupt = i != home;
        action(argument);
        self->in_interrupt = false;
        self->interrupts_off = false;
        scheduler.processors[i].interrupts_holder = NULL;
        self->processor = home;
    }
    fibre_switch_point();
}

/* ---- choosing ------------------------------------------------------------------------------- */

static bool is_ready(const struct machine_thread *fibre) {
    const struct fibre_processor *processor = &scheduler.processors[fibre->processor];
    if (fibre->is_interrupt_thread && processor->interrupt_idle) {
        return processor->interrupts_holder == NULL &&
               (processor->descriptor_ready || processor_has_pending(fibre->processor));
    }
    if (fibre->poll_descriptor >= 0) {
        return fibre->poll_result != 0 || fibre->deadline <= scheduler.now ||
               (fibre->interruptible && atomic_load(&fibre->interrupt_pending));
    }
    if (fibre->parked) {
        return atomic_load(&fibre->wait) != WAIT_PENDING || fibre->deadline <= scheduler.now;
    }
    return true;
}

/* Who alone may run on each processor, NULL: anybody. */
static void find_exclusive(struct machine_thread *exclusive[]) {
    for (unsigned i = 0; i < machine_processors_used; i++) {
        exclusive[i] = scheduler.processors[i].interrupts_holder;
    }
    for (size_t i = 0; i < scheduler.count; i++) {
        struct machine_thread *fibre = scheduler.fibres[i];
        if (fibre->preemption_disabled != 0 && exclusive[fibre->processor] == NULL) {
            exclusive[fibre->processor] = fibre;
        }
    }
}

/*
 * Picks among the fibres that may run: first among those that do not merely wait busily. NULL: none
 * is ready. *busy: only busy waiters were.
 */
static struct machine_thread *choose(bool *busy) {
    struct machine_thread *exclusive[MACHINE_PROCESSORS_MAX];
    struct machine_thread *chosen = NULL, *chosen_busy = NULL;
    unsigned ready = 0, ready_busy = 0;
    find_exclusive(exclusive);
    for (size_t i = 0; i < scheduler.count; i++) {
        struct machine_thread *fibre = scheduler.fibres[i];
        struct machine_thread *alone = exclusive[fibre->processor];
        bool barred = alone != NULL && alone != fibre &&
                      !(fibre->is_interrupt_thread && !alone->interrupts_off);
        if (barred || !is_ready(fibre)) {
            continue;
        }
        /* Reservoir sampling: every candidate is equally likely, in one pass. */
        if (fibre->yielded) {
            chosen_busy = next_random() % ++ready_busy == 0 ? fibre : chosen_busy;
        } else {
            chosen = next_random() % ++ready == 0 ? fibre : chosen;
        }
    }
    *busy = chosen == NULL && chosen_busy != NULL;
    return chosen != NULL ? chosen : chosen_busy;
}

static uint64_t next_deadline(void) {
    uint64_t next = MACHINE_NEVER;
    for (size_t i = 0; i < scheduler.count; i++) {
        struct machine_thread *fibre = scheduler.fibres[i];
        if ((fibre->parked || fibre->poll_descriptor >= 0) && fibre->deadline < next) {
            next = fibre->deadline;
        }
    }
    return next;
}

/* ---- the outside ---------------------------------------------------------------------------- */

static bool has_outside(void) {
    for (unsigned i = 0; i < machine_processors_used; i++) {
        if (scheduler.processors[i].descriptor >= 0) {
            return true;
        }
    }
    for (size_t i = 0; i < scheduler.count; i++) {
        if (scheduler.fibres[i]->poll_descriptor >= 0) {
            return true;
        }
    }
    return false;
}

static void take_poll_results(const struct pollfd *polled) {
    size_t at = 0;
    uint64_t count;
    if (polled[at++].revents != 0 && read(scheduler.kick_event, &count, sizeof count) < 0) {
        return;
    }
    for (unsigned i = 0; i < machine_processors_used; i++) {
        struct fibre_processor *processor = &scheduler.processors[i];
        if (processor->descriptor >= 0 && polled[at++].revents != 0) {
            processor->descriptor_ready = read(processor->descriptor, &count, sizeof count) > 0;
        }
    }
    for (size_t i = 0; i < scheduler.count; i++) {
        struct machine_thread *fibre = scheduler.fibres[i];
        if (fibre->poll_descriptor >= 0 && polled[at++].revents != 0) {
            fibre->poll_result = 1;
        }
    }
}

/* Looks at all descriptors, waiting in real time at most `nanoseconds`. Returns the time waited. */
static uint64_t poll_outside(uint64_t nanoseconds) {
    size_t limit = 1 + machine_processors_used + scheduler.count, at = 0;
    struct pollfd *polled = calloc(limit, sizeof *polled);
    if (polled == NULL) {
        return 0;
    }
    polled[at++] = (struct pollfd){.fd = scheduler.kick_event, .events = POLLIN};
    for (unsigned i = 0; i < machine_processors_used; i++) {
        if (scheduler.processors[i].descriptor >= 0) {
            polled[at++] = (struct pollfd){.fd = scheduler.processors[i].descriptor,
                                           .events = POLLIN};
        }
    }
    for (size_t i = 0; i < scheduler.count; i++) {
        struct machine_thread *fibre = scheduler.fibres[i];
        if (fibre->poll_descriptor >= 0) {
            polled[at++] = (struct pollfd){.fd = fibre->poll_descriptor,
                                           .events = fibre->poll_writable ? POLLOUT : POLLIN};
        }
    }
    struct timespec before, after;
    struct timespec wait = {.tv_sec = (time_t)(nanoseconds / 1000000000),
                            .tv_nsec = (long)(nanoseconds % 1000000000)};
    clock_gettime(CLOCK_MONOTONIC, &before);
    int ready = ppoll(polled, at, nanoseconds > UINT64_MAX / 4 ? NULL : &wait, NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    if (ready > 0) {
        take_poll_results(polled);
    }
    free(polled);
    return (uint64_t)((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec -
                      before.tv_nsec);
}

/* Something outside may have happened while fibres ran. */
static void look_outside(void) {
    const struct partition_operations *operations = partition_current.operations;
    if (++scheduler.since_outside < OUTSIDE_INTERVAL) {
        return;
    }
    scheduler.since_outside = 0;
    if (has_outside()) {
        poll_outside(0);
    } else if (operations != NULL && operations->idle != NULL) {
        operations->idle(partition_current.context, scheduler.now, scheduler.now);
    }
}

/* Nothing can run: moves time on, no further than `limit`. False: nothing will ever happen. */
static bool pass_time(uint64_t limit) {
    const struct partition_operations *operations = partition_current.operations;
    uint64_t next = next_deadline();
    if (next > limit) {
        next = limit;
    }
    if (next <= scheduler.now) {
        return next != MACHINE_NEVER;
    }
    if (has_outside()) {
        uint64_t waited = poll_outside(next == MACHINE_NEVER ? next : next - scheduler.now);
        scheduler.now = waited > next - scheduler.now ? next : scheduler.now + waited;
        return true;
    }
    if (operations != NULL && operations->idle != NULL) {
        uint64_t then = operations->idle(partition_current.context, scheduler.now, next);
        next = then < scheduler.now ? scheduler.now : then < next ? then : next;
    }
    if (next == MACHINE_NEVER) {
        return false;
    }
    scheduler.now = next;
    return true;
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void report_to_stderr(const char *text) {
    report_line("%s", text);
}

static int deadlock(const char *why) {
    if (machine_has_death_hook()) {
        machine_call_death_hook(MACHINE_EXIT_DEADLOCK, why);
        return -EDEADLK;
    }
    report_line("deadlock: %s (uptime %llu ns)", why, (unsigned long long)scheduler.now);
    threads_report(report_to_stderr);
    machine_die(MACHINE_EXIT_DEADLOCK, why);
}

static void resume(struct machine_thread *fibre) {
    fibre->yielded = false;
    machine_current = fibre;
    fibre_switch(&scheduler.context, &fibre->fibre, false);
    fibre_arrived(&scheduler.context, NULL);
    machine_current = NULL;
    if (atomic_load(&fibre->ended)) {
        bury(fibre);
    }
}

/* Runs until *done (may be NULL) or until all sleep beyond `limit`. 0 or -EDEADLK. */
static int run_loop(const atomic_bool *done, uint64_t limit) {
    while (done == NULL || !atomic_load(done)) {
        bool busy;
        look_outside();
        struct machine_thread *fibre = choose(&busy);
        if (fibre == NULL) {
            if (scheduler.now >= limit) {
                return 0;
            }
            if (!pass_time(limit)) {
                return deadlock("all threads sleep and nothing will wake them");
            }
            continue;
        }
        scheduler.now += busy ? BUSY_WAIT_NS : SWITCH_NS;
        if (scheduler.switches_max != 0 && ++scheduler.switches > scheduler.switches_max) {
            scheduler.switches = 0;
            return deadlock("the limit of thread switches was reached");
        }
        resume(fibre);
    }
    return 0;
}

static int fibre_run(const char *name, machine_thread_function *function, void *argument) {
    struct machine_thread *thread = machine_thread_start_on(0, name, function, argument);
    if (thread == NULL) {
        return -ENOMEM;
    }
    scheduler.switches = 0;
    int result = run_loop(&thread->ended, MACHINE_NEVER);
    machine_thread_release(thread);
    return result;
}

static void fibre_run_until(uint64_t uptime) {
    scheduler.switches = 0;
    run_loop(NULL, uptime);
}

static int fibre_start(const struct machine_configuration *configuration) {
    memset(&scheduler, 0, sizeof scheduler);
    scheduler.host_thread = pthread_self();
    scheduler.kick_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    scheduler.random = configuration->seed * UINT64_C(0x9E3779B97F4A7C15) + 0x1234567;
    scheduler.random += scheduler.random == 0;
    static const uint8_t chances[] = {4, 16, 64, 128};
    scheduler.switch_chance = chances[next_random() % sizeof chances];
    scheduler.switches_max = configuration->switches_max;
    int error = scheduler.kick_event < 0 ? -errno : traps_thread_enter();
    for (unsigned i = 0; i < machine_processors_used && error == 0; i++) {
        scheduler.processors[i].descriptor = -1;
        struct machine_thread *thread =
            thread_new("interrupts", i, interrupt_fibre_main, NULL, true);
        if (thread == NULL) {
            return -ENOMEM;
        }
        thread->is_interrupt_thread = true;
        scheduler.processors[i].interrupt_fibre = thread;
        machine_processors[i].interrupt_thread = thread;
        error = fibre_create(thread);
    }
    return error;
}

static void fibre_stop(void) {
    while (scheduler.count != 0) {
        struct machine_thread *thread = scheduler.fibres[scheduler.count - 1];
        bury(thread);
    }
    free(scheduler.fibres);
    scheduler.fibres = NULL;
    scheduler.capacity = 0;
    if (scheduler.kick_event >= 0) {
        close(scheduler.kick_event);
        scheduler.kick_event = -1;
    }
    traps_thread_leave();
}

const struct thread_engine thread_engine_fibres = {
    .create = fibre_create,
    .exit = fibre_exit,
    .park = fibre_park,
    .unpark = fibre_unpark,
    .yield = fibre_yield,
    .switch_point = fibre_switch_point,
    .spin = fibre_spin,
    .poll = fibre_poll,
    .poll_interrupt = fibre_poll_interrupt,
    .now = fibre_now,
    .spin_delay = fibre_spin_delay,
    .interrupts_off = fibre_interrupts_off,
    .interrupts_on = fibre_interrupts_on,
    .interrupt_kick = fibre_interrupt_kick,
    .use_descriptor = fibre_use_descriptor,
    .rendezvous = fibre_rendezvous,
    .quiesce = fibre_quiesce,
    .run = fibre_run,
    .run_until = fibre_run_until,
    .start = fibre_start,
    .stop = fibre_stop,
};
