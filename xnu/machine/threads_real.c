/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine of real threads: a kernel thread is a pthread whose stack lies in guest RAM, a
 * processor's interrupts are one more pthread, sleeping is a futex.
 */
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "xnu/machine/machine_private.h"

struct real_processor {
    pthread_mutex_t interrupt_lock;
    /* Readable: look at the pending vectors and at the rendezvous. Ours, or the partition's. */
    atomic_int event;
    int own_event;
    int epoll; /* tells each writing of either once, so that nothing needs to be read */
    atomic_bool kicked;
    struct machine_thread *thread;
};

/* Linux lets a thread sleep 50 us longer than it asked for: more than some want to sleep. */
#define TIMER_SLACK_NS 1000ul

static struct real_processor processors[MACHINE_PROCESSORS_MAX];
static struct timespec time_base;

/* Threads whose function has ended, to be joined before their stack can be reused. */
static pthread_mutex_t zombies_lock = PTHREAD_MUTEX_INITIALIZER;
static struct machine_thread *zombies;

static uint64_t real_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)((now.tv_sec - time_base.tv_sec) * 1000000000 + now.tv_nsec -
                      time_base.tv_nsec);
}

/* The host's time of an uptime; false when it never comes. */
static bool host_deadline(uint64_t deadline, struct timespec *host) {
    if (deadline > UINT64_MAX / 4) {
        return false;
    }
    uint64_t nanoseconds = (uint64_t)time_base.tv_nsec + deadline;
    host->tv_sec = time_base.tv_sec + (time_t)(nanoseconds / 1000000000);
    host->tv_nsec = (long)(nanoseconds % 1000000000);
    return true;
}

static void futex_wake_one(atomic_int *word) {
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

static void end_if_stopping(struct machine_thread *thread);

static void real_park(struct machine_thread *thread, uint64_t deadline) {
    struct timespec host;
    struct timespec *until = host_deadline(deadline, &host) ? &host : NULL;
    while (atomic_load(&thread->wait) == WAIT_PENDING && !atomic_load(&machine_stopping)) {
        long result = syscall(SYS_futex, &thread->wait, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG,
                              WAIT_PENDING, until, NULL, FUTEX_BITSET_MATCH_ANY);
        if (result != 0 && errno == ETIMEDOUT) {
            break;
        }
    }
    end_if_stopping(thread);
    panic_stop_here(); /* what it was woken for is the panicking thread's business now */
}

/* With interrupts off the caller holds the lock that the woken thread needs first: it is woken
 * when they are on again. */
static void real_unpark(struct machine_thread *thread) {
    struct machine_thread *self = machine_current;
    if (self != NULL && self->interrupts_off && self->deferred_count < THREAD_DEFERRED_MAX) {
        self->deferred[self->deferred_count++] = thread;
    } else {
        futex_wake_one(&thread->wait);
    }
}

static void unpark_deferred(struct machine_thread *self) {
    for (unsigned i = 0; i < self->deferred_count; i++) {
        futex_wake_one(&self->deferred[i]->wait);
    }
    self->deferred_count = 0;
}

static void real_yield(void) {
    sched_yield();
    end_if_stopping(machine_current);
}

static void real_switch_point(void) {
}

static void real_spin(unsigned turn) {
    if (turn < 64) {
        __builtin_ia32_pause();
    } else {
        sched_yield();
    }
}

static void real_spin_delay(uint64_t nanoseconds) {
    uint64_t end = real_now() + nanoseconds;
    while (real_now() < end) {
        __builtin_ia32_pause();
    }
}

/* ---- descriptors ---------------------------------------------------------------------------- */

static int poll_event_of(struct machine_thread *thread) {
    if (atomic_load(&thread->poll_event) < 0) {
        atomic_store(&thread->poll_event, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    }
    return atomic_load(&thread->poll_event);
}

static int real_poll(struct machine_thread *thread, int descriptor, bool writable,
                     uint64_t deadline) {
    struct pollfd polled[2] = {
        {.fd = descriptor, .events = writable ? POLLOUT : POLLIN},
        {.fd = poll_event_of(thread), .events = POLLIN},
    };
    /* Whoever interrupted it before there was an event has written to none. */
    if (thread->interruptible && atomic_exchange(&thread->interrupt_pending, false)) {
        return -EINTR;
    }
    for (;;) {
        struct timespec left = {0};
        bool bounded = deadline <= UINT64_MAX / 4;
        if (bounded) {
            uint64_t now = real_now();
            uint64_t nanoseconds = deadline > now ? deadline - now : 0;
            left.tv_sec = (time_t)(nanoseconds / 1000000000);
            left.tv_nsec = (long)(nanoseconds % 1000000000);
        }
        int ready = ppoll(polled, 2, bounded ? &left : NULL, NULL);
        if (ready < 0 && errno != EINTR) {
            return -errno;
        }
        end_if_stopping(thread);
        if (ready > 0 && polled[0].revents != 0) {
            return 1;
        }
        uint64_t count;
        if (ready > 0 && read(polled[1].fd, &count, sizeof count) > 0 && thread->interruptible &&
            atomic_exchange(&thread->interrupt_pending, false)) {
            return -EINTR;
        }
        if (ready == 0) {
            return 0;
        }
    }
}

static void real_poll_interrupt(struct machine_thread *thread) {
    uint64_t one = 1;
    int event = atomic_load(&thread->poll_event);
    if (event >= 0 && write(event, &one, sizeof one) < 0) {
        return; /* full: it is readable anyway */
    }
}

/* ---- start and end -------------------------------------------------------------------------- */

static void end_if_stopping(struct machine_thread *thread) {
    if (atomic_load(&machine_stopping) && thread != NULL && !thread->adopted &&
        !thread->is_interrupt_thread) {
        longjmp(thread->exit_context, 1);
    }
}

/* Host threads that nobody has joined. One that has ended as a kernel thread may still be on its
 * last instructions, and these need the machine. */
static atomic_uint unjoined;

static void bury_zombies(void) {
    pthread_mutex_lock(&zombies_lock);
    struct machine_thread *dead = zombies;
    zombies = NULL;
    pthread_mutex_unlock(&zombies_lock);
    while (dead != NULL) {
        struct machine_thread *next = dead->zombie_next;
        pthread_join(dead->pthread, NULL);
        atomic_fetch_sub(&unjoined, 1);
        stack_release(dead->stack, dead->stack_size);
        machine_thread_release(dead);
        dead = next;
    }
}

static void forget_wait(struct machine_thread *thread) {
    thread->in_interrupt = false;
    machine_wait_cancel();
}

static void *thread_main(void *argument) {
    struct machine_thread *thread = argument;
    machine_current = thread;
    prctl(PR_SET_NAME, thread->name); /* for top, perf and gdb; cut to 15 bytes */
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
    traps_thread_enter();
    if (setjmp(thread->exit_context) == 0) {
        thread->function(thread->argument);
        thread_finish(thread);
    } else if (!atomic_load(&thread->ended)) {
        forget_wait(thread);
        atomic_store(&thread->ended, true);
    }
    if (thread->poll_event >= 0) {
        close(atomic_exchange(&thread->poll_event, -1));
    }
    traps_thread_leave();
    machine_current = NULL;
    pthread_mutex_lock(&zombies_lock);
    thread->zombie_next = zombies;
    zombies = thread;
    pthread_mutex_unlock(&zombies_lock);
    return NULL;
}

static int real_create(struct machine_thread *thread) {
    pthread_attr_t attributes;
    bury_zombies();
    pthread_attr_init(&attributes);
    int error = pthread_attr_setstack(&attributes, thread->stack + MACHINE_PAGE_SIZE,
                                      thread->stack_size);
    if (error == 0) {
        error = pthread_create(&thread->pthread, &attributes, thread_main, thread);
    }
    if (error == 0) {
        atomic_fetch_add(&unjoined, 1);
    }
    pthread_attr_destroy(&attributes);
    return -error;
}

static void real_exit(struct machine_thread *thread) {
    if (thread->adopted) {
        if (thread->poll_event >= 0) {
            close(atomic_exchange(&thread->poll_event, -1));
        }
        machine_thread_release(thread);
        return;
    }
    longjmp(thread->exit_context, 1);
}

/* ---- interrupts ----------------------------------------------------------------------------- */

/* Held for moments only: worth a look or two before sleeping. */
#define LOCK_TURNS 100

/* In a panic no interrupt is delivered, and who holds the lock may have been stopped. */
static void real_interrupts_off(unsigned processor) {
    if (panic_is_mine()) {
        return;
    }
    for (unsigned turn = 0; turn < LOCK_TURNS; turn++) {
        if (pthread_mutex_trylock(&processors[processor].interrupt_lock) == 0) {
            return;
        }
        __builtin_ia32_pause();
    }
    pthread_mutex_lock(&processors[processor].interrupt_lock);
}

static void real_interrupts_on(unsigned processor) {
    if (panic_is_mine()) {
        return;
    }
    pthread_mutex_unlock(&processors[processor].interrupt_lock);
    unpark_deferred(machine_current);
}

/* A driver that posts a message has interrupts off: two may not use one processor's buffer. The
 * locks stay taken; the panicking thread needs none of them any more. */
static void real_quiesce(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    for (unsigned i = 0; i < machine_processors_used; i++) {
        bool own = machine_current->interrupts_off && machine_current->processor == i;
        if (!own) {
            pthread_mutex_timedlock(&processors[i].interrupt_lock, &until);
        }
    }
}

static void real_interrupt_kick(unsigned processor) {
    uint64_t one = 1;
    if (write(processors[processor].event, &one, sizeof one) < 0) {
        return; /* full: it is readable anyway */
    }
}

/* A rendezvous in progress; one at a time. */
static struct {
    pthread_mutex_t lock;
    atomic_uint arrived, finished;
    atomic_uint left;           /* have stopped looking at the two counters */
    void (*action)(void *argument);
    void *argument;
} rendezvous = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void meet(atomic_uint *counter) {
    atomic_fetch_add(counter, 1);
    for (unsigned turn = 0; atomic_load(counter) < machine_processors_used; turn++) {
        real_spin(turn);
    }
}

static void rendezvous_take_part(void) {
    meet(&rendezvous.arrived);
    rendezvous.action(rendezvous.argument);
    meet(&rendezvous.finished);
    atomic_fetch_add(&rendezvous.left, 1);
}

static void real_rendezvous(void (*action)(void *argument), void *argument) {
    unsigned self = machine_current->processor;
    pthread_mutex_lock(&rendezvous.lock);
    rendezvous.action = action;
    rendezvous.argument = argument;
    atomic_store(&rendezvous.arrived, 0);
    atomic_store(&rendezvous.finished, 0);
    atomic_store(&rendezvous.left, 0);
    machine_interrupts_set_enabled(false);
    for (unsigned i = 0; i < machine_processors_used; i++) {
        if (i != self) {
            atomic_store(&processors[i].kicked, true);
            real_interrupt_kick(i);
        }
    }
    rendezvous_take_part();
    for (unsigned turn = 0; atomic_load(&rendezvous.left) < machine_processors_used; turn++) {
        real_spin(turn); /* the next rendezvous starts the counters anew */
    }
    machine_interrupts_set_enabled(true);
    pthread_mutex_unlock(&rendezvous.lock);
}

static void interrupt_once(unsigned index) {
    struct machine_thread *thread = machine_current;
    machine_interrupts_set_enabled(false);
    thread->in_interrupt = true;
    if (atomic_exchange(&processors[index].kicked, false)) {
        rendezvous_take_part();
    }
    processor_deliver(index);
    thread->in_interrupt = false;
    machine_interrupts_set_enabled(true);
}

static bool vectors_pending(unsigned index) {
    const struct partition_operations *operations = partition_current.operations;
    return operations != NULL && operations->vectors_pending != NULL &&
           operations->vectors_pending(partition_current.context, index);
}

/* Another thread may have delivered what the descriptor told of. */
static bool interrupt_wanted(unsigned index) {
    const struct partition_operations *operations = partition_current.operations;
    return atomic_load(&processors[index].kicked) || processor_has_pending(index) ||
           operations == NULL || operations->vectors_pending == NULL || vectors_pending(index) ||
           atomic_load(&machine_processors[index].halted) != 0;
}

/* The calling thread takes the interrupt, and does what it leaves to be done. */
static void interrupt_polled(struct machine_thread *thread) {
    thread->polls_interrupts = true;
    interrupt_once(thread->processor);
    thread->polls_interrupts = false;
    left_works_run(&thread->left_by_interrupt);
}

/* Between two looks: a longer gap means that this thread was not running. */
#define POLL_GAP_NS 10000

static bool look_for_vectors(unsigned processor, uint64_t nanoseconds) {
    uint64_t now = real_now();
    uint64_t end = now + nanoseconds;
    uint64_t last = now;
    for (; now < end && now - last < POLL_GAP_NS; now = real_now()) {
        last = now;
        for (unsigned turn = 0; turn < 16; turn++) {
            if (vectors_pending(processor)) {
                return true;
            }
            __builtin_ia32_pause();
        }
    }
    return false;
}

static void watch_vectors(unsigned processor, bool on) {
    const struct partition_operations *operations = partition_current.operations;
    if (operations != NULL && operations->watch_vectors != NULL) {
        operations->watch_vectors(partition_current.context, processor, on);
    }
}

static bool real_poll_vectors(struct machine_thread *thread, uint64_t nanoseconds) {
    watch_vectors(thread->processor, true);
    bool found = look_for_vectors(thread->processor, nanoseconds);
    watch_vectors(thread->processor, false);
    /* What came just before the end may have come without an event. */
    if (found || vectors_pending(thread->processor)) {
        interrupt_polled(thread);
        return true;
    }
    return false;
}

static void *interrupt_main(void *argument) {
    struct machine_thread *thread = argument;
    unsigned index = thread->processor;
    machine_current = thread;
    prctl(PR_SET_NAME, thread->name);
    traps_thread_enter();
    while (!atomic_load(&machine_stopping)) {
        struct epoll_event event;
        if (epoll_wait(processors[index].epoll, &event, 1, -1) == 1 && interrupt_wanted(index)) {
            interrupt_once(index);
        }
    }
    traps_thread_leave();
    machine_current = NULL;
    return NULL;
}

static int watch_event(unsigned index, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    return epoll_ctl(processors[index].epoll, EPOLL_CTL_ADD, descriptor, &event);
}

static int start_processor(unsigned index) {
    struct real_processor *processor = &processors[index];
    pthread_attr_t attributes;
    pthread_mutex_init(&processor->interrupt_lock, NULL);
    atomic_store(&processor->kicked, false);
    processor->own_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    processor->epoll = epoll_create1(EPOLL_CLOEXEC);
    atomic_store(&processor->event, processor->own_event);
    struct machine_thread *thread = thread_new("interrupts", index, NULL, NULL, true);
    if (processor->own_event < 0 || processor->epoll < 0 || thread == NULL ||
        watch_event(index, processor->own_event) != 0) {
        return -ENOMEM;
    }
    thread->is_interrupt_thread = true;
    processor->thread = machine_processors[index].interrupt_thread = thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, thread->stack + MACHINE_PAGE_SIZE, thread->stack_size);
    int error = pthread_create(&thread->pthread, &attributes, interrupt_main, thread);
    pthread_attr_destroy(&attributes);
    return -error;
}

static int real_start(const struct machine_configuration *configuration) {
    clock_gettime(CLOCK_MONOTONIC, &time_base);
    int error = 0;
    for (unsigned i = 0; i < machine_processors_used && error == 0; i++) {
        error = start_processor(i);
    }
    return error;
}

static void stop_thread(struct machine_thread *thread, void *context) {
    if (!thread->is_interrupt_thread && !thread->adopted && !atomic_load(&thread->ended)) {
        futex_wake_one(&thread->wait);
        real_poll_interrupt(thread);
    }
}

/* Threads that never sleep cannot be ended: they are given this long, then left behind. */
#define STOP_PATIENCE_NS UINT64_C(2000000000)

static void stop_threads(void) {
    uint64_t give_up = real_now() + STOP_PATIENCE_NS;
    while (atomic_load(&unjoined) != 0 && real_now() < give_up) {
        thread_for_each(stop_thread, NULL);
        bury_zombies();
        sched_yield();
    }
    if (atomic_load(&unjoined) != 0) {
        report_line("%u kernel threads did not sleep within two seconds and were left running",
                    atomic_load(&unjoined));
        machine_report_threads();
    }
}

static void real_stop(void) {
    atomic_store(&machine_stopping, true);
    stop_threads();
    for (unsigned i = 0; i < machine_processors_used; i++) {
        struct machine_thread *thread = processors[i].thread;
        real_interrupt_kick(i);
        pthread_join(thread->pthread, NULL);
        stack_release(thread->stack, thread->stack_size);
        machine_thread_release(thread);
        close(processors[i].epoll);
        close(processors[i].own_event);
        pthread_mutex_destroy(&processors[i].interrupt_lock);
    }
    bury_zombies();
    atomic_store(&machine_stopping, false);
}

/* The partition's descriptors replace ours, so that the interrupt thread waits for one thing. */
static void real_use_descriptor(unsigned processor, int descriptor) {
    uint64_t one = 1;
    int own = processors[processor].own_event;
    int wanted = descriptor >= 0 ? descriptor : own;
    int previous = atomic_exchange(&processors[processor].event, wanted);
    if (wanted != own) {
        watch_event(processor, wanted);
    } else if (previous != own) {
        epoll_ctl(processors[processor].epoll, EPOLL_CTL_DEL, previous, NULL);
    }
    if (write(own, &one, sizeof one) < 0) {
        return; /* full: it has been told of before */
    }
}

/* ---- entering from outside ------------------------------------------------------------------ */

static int real_run(const char *name, machine_thread_function *function, void *argument) {
    struct machine_thread *thread = machine_thread_start_on(0, name, function, argument);
    if (thread == NULL) {
        return -ENOMEM;
    }
    if (!machine_thread_adopt("main")) {
        machine_thread_release(thread);
        return -EBUSY;
    }
    machine_thread_join(thread);
    machine_thread_abandon();
    machine_thread_release(thread);
    return 0;
}

static void real_run_until(uint64_t uptime) {
}

const struct thread_engine thread_engine_real = {
    .create = real_create,
    .exit = real_exit,
    .park = real_park,
    .unpark = real_unpark,
    .yield = real_yield,
    .switch_point = real_switch_point,
    .spin = real_spin,
    .poll = real_poll,
    .poll_interrupt = real_poll_interrupt,
    .poll_vectors = real_poll_vectors,
    .now = real_now,
    .spin_delay = real_spin_delay,
    .interrupts_off = real_interrupts_off,
    .interrupts_on = real_interrupts_on,
    .interrupt_kick = real_interrupt_kick,
    .use_descriptor = real_use_descriptor,
    .rendezvous = real_rendezvous,
    .quiesce = real_quiesce,
    .run = real_run,
    .run_until = real_run_until,
    .start = real_start,
    .stop = real_stop,
};
