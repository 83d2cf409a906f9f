/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads as both engines see them: their structures, the list of all, start and end.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xnu/machine/machine_private.h"

_Thread_local struct machine_thread *machine_current;
const struct thread_engine *thread_engine;
atomic_bool machine_stopping;

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct machine_thread *all_threads;
static uint64_t last_number;
static atomic_uint next_processor;
static void (*exit_hook)(struct machine_thread *thread, void *slot);

struct machine_thread *thread_new(const char *name, unsigned processor,
                                  machine_thread_function *function, void *argument,
                                  bool with_stack) {
    struct machine_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL) {
        return NULL;
    }
    if (with_stack) {
        thread->stack_size = MACHINE_STACK_SIZE;
        thread->stack = stack_allocate(thread->stack_size);
        if (thread->stack == NULL) {
            free(thread);
            return NULL;
        }
    }
    snprintf(thread->name, sizeof thread->name, "%s", name);
    thread->processor = processor;
    thread->function = function;
    thread->argument = argument;
    thread->poll_event = -1;
    thread->poll_descriptor = -1;
    atomic_init(&thread->references, 1);
    pthread_mutex_lock(&list_lock);
    thread->number = ++last_number;
    thread->all_next = all_threads;
    if (all_threads != NULL) {
        all_threads->all_previous = thread;
    }
    all_threads = thread;
    pthread_mutex_unlock(&list_lock);
    return thread;
}

void machine_thread_retain(struct machine_thread *thread) {
    atomic_fetch_add(&thread->references, 1);
}

void machine_thread_release(struct machine_thread *thread) {
    if (atomic_fetch_sub(&thread->references, 1) != 1) {
        return;
    }
    pthread_mutex_lock(&list_lock);
    if (thread->all_previous != NULL) {
        thread->all_previous->all_next = thread->all_next;
    } else {
        all_threads = thread->all_next;
    }
    if (thread->all_next != NULL) {
        thread->all_next->all_previous = thread->all_previous;
    }
    pthread_mutex_unlock(&list_lock);
    free(thread);
}

void thread_for_each(void (*visit)(struct machine_thread *thread, void *context), void *context) {
    pthread_mutex_lock(&list_lock);
    struct machine_thread *next;
    for (struct machine_thread *thread = all_threads; thread != NULL; thread = next) {
        next = thread->all_next;
        visit(thread, context);
    }
    pthread_mutex_unlock(&list_lock);
}

struct machine_thread *machine_thread_start_on(unsigned processor, const char *name,
                                               machine_thread_function *function,
                                               void *argument) {
    if (processor >= machine_processors_used) {
        return NULL;
    }
    struct machine_thread *thread = thread_new(name, processor, function, argument, true);
    if (thread == NULL) {
        return NULL;
    }
    machine_thread_retain(thread); /* the caller's; the first is the thread's own */
    if (thread_engine->create(thread) != 0) {
        stack_release(thread->stack, thread->stack_size);
        machine_thread_release(thread);
        machine_thread_release(thread);
        return NULL;
    }
    thread_engine->switch_point();
    return thread;
}

struct machine_thread *machine_thread_start(const char *name, machine_thread_function *function,
                                            void *argument) {
    unsigned processor = atomic_fetch_add(&next_processor, 1) % machine_processors_used;
    return machine_thread_start_on(processor, name, function, argument);
}

void machine_thread_set_exit_hook(void (*function)(struct machine_thread *thread, void *slot)) {
    exit_hook = function;
}

void thread_finish(struct machine_thread *thread) {
    if (exit_hook != NULL && !atomic_load(&machine_stopping)) {
        exit_hook(thread, thread->slot);
    }
    if (thread->interrupts_off || thread->preemption_disabled != 0) {
        machine_panic("thread \"%s\" ended with interrupts off or a spin lock held", thread->name);
    }
    atomic_store(&thread->ended, true);
    machine_wakeup(&thread->ended, false);
}

_Noreturn void machine_thread_exit(void) {
    struct machine_thread *thread = machine_current;
    if (thread == NULL || thread->is_interrupt_thread || thread->adopted) {
        machine_panic("a thread that the machine did not start tries to exit");
    }
    thread_finish(thread);
    thread_engine->exit(thread);
    __builtin_unreachable();
}

struct machine_thread *machine_thread_self(void) {
    return machine_current;
}

const char *machine_thread_name(const struct machine_thread *thread) {
    return thread->name;
}

uint64_t machine_thread_number(const struct machine_thread *thread) {
    return thread->number;
}

void machine_thread_join(struct machine_thread *thread) {
    thread_check_may_block("join");
    for (;;) {
        machine_wait_prepare(&thread->ended, MACHINE_NEVER, false);
        if (atomic_load(&thread->ended)) {
            machine_wait_cancel();
            return;
        }
        machine_wait_block();
    }
}

void *machine_thread_slot(const struct machine_thread *thread) {
    return thread->slot;
}

void machine_thread_set_slot(struct machine_thread *thread, void *value) {
    thread->slot = value;
}

bool machine_thread_adopt(const char *name) {
    if (thread_engine != &thread_engine_real || machine_current != NULL) {
        return false;
    }
    struct machine_thread *thread = thread_new(name, 0, NULL, NULL, false);
    if (thread == NULL) {
        return false;
    }
    thread->adopted = true;
    thread->pthread = pthread_self();
    if (traps_thread_enter() != 0) {
        machine_thread_release(thread);
        return false;
    }
    machine_current = thread;
    return true;
}

void machine_thread_abandon(void) {
    struct machine_thread *thread = machine_current;
    if (thread == NULL || !thread->adopted) {
        return;
    }
    thread_finish(thread);
    traps_thread_leave();
    machine_current = NULL;
    thread_engine->exit(thread);
}

void machine_yield(void) {
    thread_check_may_block("yield");
    thread_engine->yield();
}

void machine_thread_let_clients_finish(bool finish) {
    struct machine_thread *thread = machine_current;
    struct sched_param parameters;
    int policy;
    if (thread_engine != &thread_engine_real || thread->lets_clients_finish == finish ||
        pthread_getschedparam(pthread_self(), &policy, &parameters) != 0 ||
        policy != (finish ? SCHED_OTHER : SCHED_BATCH)) {
        return;
    }
    policy = finish ? SCHED_BATCH : SCHED_OTHER;
    if (pthread_setschedparam(pthread_self(), policy, &parameters) == 0) {
        thread->lets_clients_finish = finish;
    }
}

int machine_poll(int descriptor, bool writable, uint64_t deadline, bool interruptible) {
    thread_check_may_block("poll");
    struct machine_thread *thread = machine_current;
    thread->interruptible = interruptible;
    if (interruptible && atomic_exchange(&thread->interrupt_pending, false)) {
        return -EINTR;
    }
    return thread_engine->poll(thread, descriptor, writable, deadline);
}

bool machine_poll_interrupts(uint64_t nanoseconds) {
    thread_check_may_block("poll for interrupts");
    return thread_engine->poll_vectors != NULL &&
           thread_engine->poll_vectors(machine_current, nanoseconds);
}

enum { LOOK_NS = 1000 };

bool machine_look_around(unsigned *vain, unsigned most) {
    if (*vain >= most) {
        *vain = 0;
        return false;
    }
    ++*vain;
    if (machine_poll_interrupts(LOOK_NS)) {
        *vain = 0;
    } else {
        machine_yield();
    }
    return true;
}

/* ---- work that is left ---------------------------------------------------------------------- */

bool left_works_add(struct left_works *left, void (*work)(void *context), void *context) {
    if (left->count == THREAD_LEFT_MAX) {
        return false;
    }
    left->works[left->count++] = (struct left_work){work, context};
    return true;
}

void left_works_run(struct left_works *left) {
    struct left_works now = *left;
    left->count = 0;
    for (unsigned i = 0; i < now.count; i++) {
        now.works[i].work(now.works[i].context);
    }
}

bool machine_leave_to_poller(void (*work)(void *context), void *context) {
    struct machine_thread *thread = machine_current;
    return thread != NULL && thread->polls_interrupts &&
           left_works_add(&thread->left_by_interrupt, work, context);
}

void machine_burst_begin(void) {
    machine_current->bursts++;
}

void machine_burst_end(void) {
    struct machine_thread *thread = machine_current;
    if (--thread->bursts == 0) {
        left_works_run(&thread->left_to_burst);
    }
}

bool machine_leave_to_burst_end(void (*work)(void *context), void *context) {
    struct machine_thread *thread = machine_current;
    return thread != NULL && thread->bursts != 0 && !thread->in_interrupt &&
           left_works_add(&thread->left_to_burst, work, context);
}

void threads_stop(void) {
    while (all_threads != NULL) {
        struct machine_thread *next = all_threads->all_next;
        free(all_threads);
        all_threads = next;
    }
    atomic_store(&next_processor, 0);
    last_number = 0;
    exit_hook = NULL;
}

/* ---- reports -------------------------------------------------------------------------------- */

struct report {
    void (*line)(const char *text);
};

static void report_thread(struct machine_thread *thread, void *context) {
    static const char *const states[] = {"runs", "sleeps", "awakened", "timed out", "interrupted"};
    struct report *report = context;
    char text[200], symbol[100], deadline[48] = "no deadline";
    const void *event = atomic_load(&thread->event);
    int wait = atomic_load(&thread->wait);
    if (thread->is_interrupt_thread) {
        return;
    }
    machine_describe_address((uintptr_t)event, symbol, sizeof symbol);
    if (thread->deadline != MACHINE_NEVER) {
        snprintf(deadline, sizeof deadline, "until %llu ns", (unsigned long long)thread->deadline);
    }
    if (wait == WAIT_PENDING) {
        snprintf(text, sizeof text, "  thread %llu \"%s\" cpu %u sleeps on event %p (%s), %s",
                 (unsigned long long)thread->number, thread->name, thread->processor, event,
                 symbol, deadline);
    } else {
        snprintf(text, sizeof text, "  thread %llu \"%s\" cpu %u %s",
                 (unsigned long long)thread->number, thread->name, thread->processor,
                 atomic_load(&thread->ended)      ? "has ended"
                 : thread->poll_descriptor >= 0 ? "waits for a descriptor"
                                                  : states[wait]);
    }
    report->line(text);
}

void threads_report(void (*line)(const char *text)) {
    struct report report = {line};
    thread_for_each(report_thread, &report);
}

static void line_to_log(const char *text) {
    machine_log("%s", text);
}

void machine_report_threads(void) {
    threads_report(line_to_log);
}
