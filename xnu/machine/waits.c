/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sleeping on events, and the mutexes built on it. A sleeper is put in the queue of its event
 * before it lets go of anything, so no wake-up falls between. The engines only park and unpark.
 */
#include <errno.h>
#include <stdlib.h>

#include "xnu/machine/machine_private.h"

#define QUEUES 256u

/* Sleepers of all events with the same hash, longest sleeping first. */
struct wait_queue {
    pthread_mutex_t lock;
    struct machine_thread *first, *last;
};

static struct wait_queue queues[QUEUES] = {
    [0 ... QUEUES - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER},
};

static struct wait_queue *queue_of(const void *event) {
    uint64_t hash = (uint64_t)(uintptr_t)event * UINT64_C(0x9E3779B97F4A7C15);
    return &queues[hash >> 56];
}

static void queue_remove(struct wait_queue *queue, struct machine_thread *thread) {
    if (thread->queue_previous != NULL) {
        thread->queue_previous->queue_next = thread->queue_next;
    } else {
        queue->first = thread->queue_next;
    }
    if (thread->queue_next != NULL) {
        thread->queue_next->queue_previous = thread->queue_previous;
    } else {
        queue->last = thread->queue_previous;
    }
    thread->queue_next = thread->queue_previous = NULL;
}

static void queue_append(struct wait_queue *queue, struct machine_thread *thread) {
    thread->queue_previous = queue->last;
    thread->queue_next = NULL;
    if (queue->last != NULL) {
        queue->last->queue_next = thread;
    } else {
        queue->first = thread;
    }
    queue->last = thread;
}

void thread_check_may_block(const char *what) {
    struct machine_thread *thread = machine_current;
    if (thread == NULL) {
        machine_panic("%s on a host thread that is not a kernel thread", what);
    }
    if (thread->in_interrupt) {
        machine_panic("%s in interrupt context", what);
    }
    if (thread->interrupts_off) {
        machine_panic("%s with interrupts off", what);
    }
    if (thread->preemption_disabled != 0) {
        machine_panic("%s with preemption disabled (a spin lock is held)", what);
    }
}

static struct machine_thread *prepare_begin(const char *what) {
    struct machine_thread *thread = machine_current;
    if (thread == NULL || thread->in_interrupt) {
        machine_panic("%s outside a kernel thread", what);
    }
    if (atomic_load(&thread->wait) != WAIT_NONE) {
        machine_panic("%s by thread \"%s\", which waits for %p already", what, thread->name,
                      atomic_load(&thread->event));
    }
    return thread;
}

static void prepare_locked(struct machine_thread *thread, const void *event, uint64_t deadline,
                           bool interruptible) {
    thread->deadline = deadline;
    thread->interruptible = interruptible;
    atomic_store(&thread->wait, WAIT_PENDING);
    atomic_store(&thread->event, event);
    queue_append(queue_of(event), thread);
    if (interruptible && atomic_exchange(&thread->interrupt_pending, false)) {
        queue_remove(queue_of(event), thread);
        atomic_store(&thread->wait, WAIT_INTERRUPTED);
    }
}

void machine_wait_prepare(const void *event, uint64_t deadline, bool interruptible) {
    struct machine_thread *thread = prepare_begin("wait");
    if (event == NULL) {
        machine_panic("wait for the NULL event by thread \"%s\"", thread->name);
    }
    struct wait_queue *queue = queue_of(event);
    pthread_mutex_lock(&queue->lock);
    prepare_locked(thread, event, deadline, interruptible);
    pthread_mutex_unlock(&queue->lock);
}

bool thread_wait_prepare_if(const void *event, const atomic_uint *word, unsigned value) {
    struct machine_thread *thread = prepare_begin("lock");
    struct wait_queue *queue = queue_of(event);
    pthread_mutex_lock(&queue->lock);
    bool prepared = atomic_load(word) == value;
    if (prepared) {
        prepare_locked(thread, event, MACHINE_NEVER, false);
    }
    pthread_mutex_unlock(&queue->lock);
    return prepared;
}

/* Takes the calling thread out of its queue if nobody has woken it; its final state. */
static enum wait_state wait_end(struct machine_thread *thread) {
    const void *event = atomic_load(&thread->event);
    struct wait_queue *queue = queue_of(event);
    pthread_mutex_lock(&queue->lock);
    if (atomic_load(&thread->wait) == WAIT_PENDING) {
        queue_remove(queue, thread);
        atomic_store(&thread->wait, WAIT_TIMED_OUT);
    }
    enum wait_state state = atomic_load(&thread->wait);
    atomic_store(&thread->event, NULL);
    atomic_store(&thread->wait, WAIT_NONE);
    pthread_mutex_unlock(&queue->lock);
    return state;
}

static enum machine_wait_result result_of(enum wait_state state) {
    switch (state) {
    case WAIT_TIMED_OUT:
        return MACHINE_TIMED_OUT;
    case WAIT_INTERRUPTED:
        return MACHINE_INTERRUPTED;
    default:
        return MACHINE_AWAKENED;
    }
}

enum machine_wait_result machine_wait_block(void) {
    thread_check_may_block("sleep");
    struct machine_thread *thread = machine_current;
    if (atomic_load(&thread->wait) == WAIT_NONE) {
        thread_engine->yield(); /* thread_block() without assert_wait() is a yield */
        return MACHINE_AWAKENED;
    }
    thread_engine->park(thread, thread->deadline);
    return result_of(wait_end(thread));
}

enum machine_wait_result machine_wait_cancel(void) {
    struct machine_thread *thread = machine_current;
    if (thread == NULL || atomic_load(&thread->wait) == WAIT_NONE) {
        return MACHINE_AWAKENED;
    }
    return result_of(wait_end(thread));
}

enum machine_wait_result machine_sleep(struct machine_mutex *mutex, const void *event,
                                       uint64_t deadline, bool interruptible) {
    thread_check_may_block("sleep");
    machine_wait_prepare(event, deadline, interruptible);
    if (mutex != NULL) {
        machine_mutex_unlock(mutex);
    }
    enum machine_wait_result result = machine_wait_block();
    if (mutex != NULL) {
        machine_mutex_lock(mutex);
    }
    return result;
}

/* Sleepers that are woken when the queue is free again, or they would only wait for it next. A
 * woken thread may end meanwhile: an engine uses no more of it than its address. */
struct woken {
    struct machine_thread *threads[16];
    unsigned count;
};

static void unpark_all(struct woken *woken) {
    for (unsigned i = 0; i < woken->count; i++) {
        thread_engine->unpark(woken->threads[i]);
    }
    woken->count = 0;
}

unsigned machine_wakeup(const void *event, bool one) {
    struct wait_queue *queue = queue_of(event);
    struct woken collected = {.count = 0};
    unsigned woken = 0;
    pthread_mutex_lock(&queue->lock);
    struct machine_thread *next;
    for (struct machine_thread *thread = queue->first; thread != NULL; thread = next) {
        next = thread->queue_next;
        if (atomic_load(&thread->event) != event) {
            continue;
        }
        if (collected.count == sizeof collected.threads / sizeof *collected.threads) {
            unpark_all(&collected);
        }
        queue_remove(queue, thread);
        atomic_store(&thread->wait, WAIT_AWAKENED);
        collected.threads[collected.count++] = thread;
        woken++;
        if (one) {
            break;
        }
    }
    pthread_mutex_unlock(&queue->lock);
    unpark_all(&collected);
    if (woken != 0) {
        thread_engine->switch_point();
    }
    return woken;
}

bool thread_wake_with(struct machine_thread *thread, enum wait_state result,
                      bool only_interruptible) {
    const void *event = atomic_load(&thread->event);
    if (event == NULL) {
        return false;
    }
    struct wait_queue *queue = queue_of(event);
    pthread_mutex_lock(&queue->lock);
    bool wake = atomic_load(&thread->event) == event &&
                atomic_load(&thread->wait) == WAIT_PENDING &&
                (thread->interruptible || !only_interruptible);
    if (wake) {
        queue_remove(queue, thread);
        atomic_store(&thread->wait, result);
        thread_engine->unpark(thread);
    }
    pthread_mutex_unlock(&queue->lock);
    return wake;
}

void machine_interrupt_thread(struct machine_thread *thread) {
    atomic_store(&thread->interrupt_pending, true);
    if (thread_wake_with(thread, WAIT_INTERRUPTED, true)) {
        atomic_store(&thread->interrupt_pending, false);
    } else {
        thread_engine->poll_interrupt(thread);
    }
    thread_engine->switch_point();
}

/* ---- mutexes -------------------------------------------------------------------------------- */

enum {
    MUTEX_FREE = 0,
    MUTEX_HELD = 1,
    MUTEX_CONTENDED = 2, /* held, and somebody may sleep for it */
};

struct machine_mutex {
    atomic_uint state;
    _Atomic(struct machine_thread *) owner;
    const char *name;
    struct machine_mutex *next, *previous;
};

/* All mutexes, so that those that the kernel never destroys end with the machine. */
static pthread_mutex_t mutexes_lock = PTHREAD_MUTEX_INITIALIZER;
static struct machine_mutex mutexes = {.next = &mutexes, .previous = &mutexes};

struct machine_mutex *machine_mutex_create(const char *name) {
    struct machine_mutex *mutex = calloc(1, sizeof *mutex);
    if (mutex == NULL) {
        return NULL;
    }
    mutex->name = name;
    pthread_mutex_lock(&mutexes_lock);
    mutex->next = mutexes.next;
    mutex->previous = &mutexes;
    mutex->next->previous = mutex->previous->next = mutex;
    pthread_mutex_unlock(&mutexes_lock);
    return mutex;
}

static void mutex_free(struct machine_mutex *mutex) {
    mutex->next->previous = mutex->previous;
    mutex->previous->next = mutex->next;
    free(mutex);
}

void machine_mutex_destroy(struct machine_mutex *mutex) {
    if (mutex == NULL) {
        return;
    }
    if (atomic_load(&mutex->state) != MUTEX_FREE) {
        machine_panic("mutex \"%s\" destroyed while it is held", mutex->name);
    }
    pthread_mutex_lock(&mutexes_lock);
    mutex_free(mutex);
    pthread_mutex_unlock(&mutexes_lock);
}

void waits_stop(void) {
    while (mutexes.next != &mutexes) {
        mutex_free(mutexes.next);
    }
    for (unsigned i = 0; i < QUEUES; i++) {
        queues[i].first = queues[i].last = NULL;
    }
}

bool machine_mutex_try(struct machine_mutex *mutex) {
    unsigned state = MUTEX_FREE;
    if (!atomic_compare_exchange_strong(&mutex->state, &state, MUTEX_HELD)) {
        return false;
    }
    atomic_store_explicit(&mutex->owner, machine_current, memory_order_relaxed);
    return true;
}

void machine_mutex_lock(struct machine_mutex *mutex) {
    thread_check_may_block("mutex lock");
    struct machine_thread *self = machine_current;
    thread_engine->switch_point();
    if (machine_mutex_try(mutex)) {
        return;
    }
    if (machine_mutex_owner(mutex) == self) {
        machine_panic("mutex \"%s\" locked twice by thread \"%s\"", mutex->name, self->name);
    }
    while (atomic_exchange(&mutex->state, MUTEX_CONTENDED) != MUTEX_FREE) {
        if (thread_wait_prepare_if(mutex, &mutex->state, MUTEX_CONTENDED)) {
            machine_wait_block();
        }
    }
    atomic_store_explicit(&mutex->owner, self, memory_order_relaxed);
}

void machine_mutex_unlock(struct machine_mutex *mutex) {
    struct machine_thread *owner = machine_mutex_owner(mutex);
    if (owner != machine_current || owner == NULL) {
        machine_panic("mutex \"%s\" unlocked by a thread that does not hold it (holder: %s)",
                      mutex->name, owner != NULL ? owner->name : "none");
    }
    atomic_store_explicit(&mutex->owner, NULL, memory_order_relaxed);
    if (atomic_exchange(&mutex->state, MUTEX_FREE) == MUTEX_CONTENDED) {
        machine_wakeup(mutex, true);
    }
}

struct machine_thread *machine_mutex_owner(const struct machine_mutex *mutex) {
    return atomic_load_explicit(&mutex->owner, memory_order_relaxed);
}
