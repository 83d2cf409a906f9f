/* SPDX-License-Identifier: BSD-3-Clause */
/* The disk engine: io_uring, watched sockets, deferred and delayed completions. */
#include "host/disk/disk_engine.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "host/disk/disk.h"

enum { RING_ENTRIES = 256, REAP_BATCH = 64, READY_BATCH = 16 };

struct disk_engine {
    int epoll;
    bool ring_ready; /* the ring is made when the first file disk needs it */
    struct io_uring ring;
    unsigned prepared; /* entries not handed over yet */
    uint64_t now_ns;
    uint64_t in_flight; /* operations of the ring */

    struct disk_request *finished_first, **finished_last;
    struct disk_request *undated; /* delayed, due_ns still relative; a stack */
    struct disk_request *delayed; /* sorted by due_ns */
    struct disk_engine_watch *watches;
};

struct disk_engine *disk_engine_new(void)
{
    struct disk_engine *engine = calloc(1, sizeof(*engine));
    if (engine == NULL) {
        return NULL;
    }
    engine->finished_last = &engine->finished_first;
    engine->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (engine->epoll < 0) {
        free(engine);
        return NULL;
    }
    return engine;
}

void disk_engine_free(struct disk_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    assert(!disk_engine_busy(engine));
    if (engine->ring_ready) {
        io_uring_queue_exit(&engine->ring);
    }
    close(engine->epoll);
    free(engine);
}

int disk_engine_descriptor(const struct disk_engine *engine)
{
    return engine->epoll;
}

bool disk_engine_busy(const struct disk_engine *engine)
{
    return engine->in_flight > 0 || engine->finished_first != NULL ||
           engine->undated != NULL || engine->delayed != NULL;
}

/* ---- The kernel's ring ---- */

static int make_ring(struct disk_engine *engine)
{
    /* Completion work runs when this thread enters the kernel anyway, not by interrupting it. */
    int error = io_uring_queue_init(RING_ENTRIES, &engine->ring,
                                    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG);
    if (error == -EINVAL) { /* before Linux 5.19 */
        error = io_uring_queue_init(RING_ENTRIES, &engine->ring, 0);
    }
    if (error != 0) {
        return error;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(engine->epoll, EPOLL_CTL_ADD, engine->ring.ring_fd, &event) != 0) {
        error = -errno;
        io_uring_queue_exit(&engine->ring);
        return error;
    }
    engine->ring_ready = true;
    return 0;
}

static void hand_over(struct disk_engine *engine)
{
    while (engine->prepared > 0) {
        int count = io_uring_submit(&engine->ring);
        if (count <= 0) {
            /* -EBUSY, -EAGAIN: the kernel is short of room; entries stay for the next time. */
            return;
        }
        engine->prepared -= (unsigned)count < engine->prepared ? (unsigned)count
                                                              : engine->prepared;
    }
}

struct io_uring_sqe *disk_engine_entry(struct disk_engine *engine, int *error)
{
    *error = 0;
    if (!engine->ring_ready) {
        *error = make_ring(engine);
        if (*error != 0) {
            return NULL;
        }
    }
    struct io_uring_sqe *entry = io_uring_get_sqe(&engine->ring);
    if (entry == NULL) {
        hand_over(engine);
        entry = io_uring_get_sqe(&engine->ring);
    }
    if (entry == NULL) {
        *error = -EBUSY;
    }
    return entry;
}

void disk_engine_start(struct disk_engine *engine, struct io_uring_sqe *entry,
                       struct disk_engine_operation *operation)
{
    io_uring_sqe_set_data(entry, operation);
    engine->prepared++;
    engine->in_flight++;
}

static void reap(struct disk_engine *engine)
{
    struct io_uring_cqe *completions[REAP_BATCH];
    unsigned count;
    do {
        count = io_uring_peek_batch_cqe(&engine->ring, completions, REAP_BATCH);
        struct disk_engine_operation *operations[REAP_BATCH];
        int results[REAP_BATCH];
        for (unsigned i = 0; i < count; i++) {
            operations[i] = io_uring_cqe_get_data(completions[i]);
            results[i] = completions[i]->res;
        }
        io_uring_cq_advance(&engine->ring, count);
        engine->in_flight -= count;
        for (unsigned i = 0; i < count; i++) {
            operations[i]->finished(operations[i], results[i]);
        }
    } while (count == REAP_BATCH);
}

/* ---- Watched descriptors ---- */

int disk_engine_watch_add(struct disk_engine *engine, struct disk_engine_watch *watch)
{
    struct epoll_event event = {.events = watch->events, .data.ptr = watch};
    if (epoll_ctl(engine->epoll, EPOLL_CTL_ADD, watch->descriptor, &event) != 0) {
        return -errno;
    }
    watch->next = engine->watches;
    engine->watches = watch;
    return 0;
}

int disk_engine_watch_change(struct disk_engine *engine, struct disk_engine_watch *watch,
                             uint32_t events)
{
    if (watch->events == events) {
        return 0;
    }
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(engine->epoll, EPOLL_CTL_MOD, watch->descriptor, &event) != 0) {
        return -errno;
    }
    watch->events = events;
    return 0;
}

void disk_engine_watch_remove(struct disk_engine *engine, struct disk_engine_watch *watch)
{
    epoll_ctl(engine->epoll, EPOLL_CTL_DEL, watch->descriptor, NULL);
    for (struct disk_engine_watch **link = &engine->watches; *link != NULL;
         link = &(*link)->next) {
        if (*link == watch) {
            *link = watch->next;
            return;
        }
    }
}

static void run_watches(struct disk_engine *engine)
{
    struct epoll_event events[READY_BATCH];
    int count = epoll_wait(engine->epoll, events, READY_BATCH, 0);
    for (int i = 0; i < count; i++) {
        struct disk_engine_watch *watch = events[i].data.ptr;
        if (watch != NULL) {
            watch->ready(watch, events[i].events);
        }
    }
}

/* ---- Requests that have ended, or wait for their time ---- */

void disk_engine_defer(struct disk_engine *engine, struct disk_request *request)
{
    request->next = NULL;
    *engine->finished_last = request;
    engine->finished_last = &request->next;
}

void disk_engine_delay(struct disk_engine *engine, struct disk_request *request,
                       uint64_t delay_ns, void (*expired)(struct disk_request *request))
{
    request->due_ns = delay_ns;
    request->expired = expired;
    request->next = engine->undated;
    engine->undated = request;
}

/* The delay counts from the first time that the caller tells after the request came. */
static void date_delayed(struct disk_engine *engine)
{
    while (engine->undated != NULL) {
        struct disk_request *request = engine->undated;
        engine->undated = request->next;
        request->due_ns += engine->now_ns;
        struct disk_request **link = &engine->delayed;
        while (*link != NULL && (*link)->due_ns < request->due_ns) {
            link = &(*link)->next;
        }
        request->next = *link;
        *link = request;
    }
}

static void run_delayed(struct disk_engine *engine)
{
    date_delayed(engine);
    while (engine->delayed != NULL && engine->delayed->due_ns <= engine->now_ns) {
        struct disk_request *request = engine->delayed;
        engine->delayed = request->next;
        request->next = NULL;
        request->expired(request);
    }
}

/* Those that end because of these `done` calls come with the next run: no caller is kept here. */
static unsigned run_finished(struct disk_engine *engine)
{
    struct disk_request *request = engine->finished_first;
    engine->finished_first = NULL;
    engine->finished_last = &engine->finished_first;
    unsigned count = 0;
    while (request != NULL) {
        struct disk_request *next = request->next;
        request->next = NULL;
        request->disk->in_flight--;
        request->done(request);
        request = next;
        count++;
    }
    return count;
}

void disk_engine_submit(struct disk_engine *engine)
{
    if (engine->ring_ready) {
        hand_over(engine);
    }
    for (struct disk_engine_watch *watch = engine->watches; watch != NULL; watch = watch->next) {
        if (watch->push != NULL) {
            watch->push(watch);
        }
    }
}

unsigned disk_engine_run(struct disk_engine *engine, uint64_t now_ns)
{
    engine->now_ns = now_ns;
    run_delayed(engine);
    if (engine->ring_ready) {
        reap(engine);
    }
    if (engine->watches != NULL) {
        run_watches(engine);
    }
    unsigned count = run_finished(engine);
    disk_engine_submit(engine);
    return count;
}

uint64_t disk_engine_deadline_ns(const struct disk_engine *engine)
{
    if (engine->finished_first != NULL || engine->undated != NULL || engine->prepared > 0) {
        return 0;
    }
    return engine->delayed != NULL ? engine->delayed->due_ns : UINT64_MAX;
}
