/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine that moves all disks of a process: one io_uring, the sockets of NBD disks, and the
 * completions that are due. It owns no thread and reads no clock: its caller says what time it is.
 *
 * A burst: disk_submit() for each request, one disk_engine_submit(), then disk_engine_run()
 * whenever disk_engine_descriptor() is readable or disk_engine_deadline_ns() has come.
 */
#ifndef HOST_DISK_DISK_ENGINE_H
#define HOST_DISK_DISK_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

struct disk_engine;
struct disk_request;
struct io_uring_sqe;

/* Returns NULL when memory or descriptors are short (errno is set). */
struct disk_engine *disk_engine_new(void);

/* Every disk has been closed. NULL is allowed. */
void disk_engine_free(struct disk_engine *engine);

/* A descriptor for poll or epoll: readable when the kernel or an NBD server has news. */
int disk_engine_descriptor(const struct disk_engine *engine);

/* Hands everything prepared to the kernel: one system call for the whole burst. */
void disk_engine_submit(struct disk_engine *engine);

/* Calls `done` of all requests that have ended or are due. Returns how many that were. */
unsigned disk_engine_run(struct disk_engine *engine, uint64_t now_ns);

/* When to call disk_engine_run() even without news: 0 at once, UINT64_MAX never. */
uint64_t disk_engine_deadline_ns(const struct disk_engine *engine);

/* True while a request of any disk has not been done. */
bool disk_engine_busy(const struct disk_engine *engine);

/* ---- For back ends ---- */

/* Queues a finished request: its `done` is called by the next disk_engine_run(). */
void disk_engine_defer(struct disk_engine *engine, struct disk_request *request);

/* Calls `expired` with the request when the caller's clock has passed due_ns from now on. */
void disk_engine_delay(struct disk_engine *engine, struct disk_request *request,
                       uint64_t delay_ns, void (*expired)(struct disk_request *request));

/* One operation of the kernel's; `finished` gets the kernel's answer: >= 0, or a negative errno. */
struct disk_engine_operation {
    void (*finished)(struct disk_engine_operation *operation, int result);
};

/*
 * A submission entry for `operation`, to be filled with one of the io_uring_prep functions, which
 * reset it: so disk_engine_start() must follow. NULL: the ring cannot be had (*error is set).
 */
struct io_uring_sqe *disk_engine_entry(struct disk_engine *engine, int *error);
void disk_engine_start(struct disk_engine *engine, struct io_uring_sqe *entry,
                       struct disk_engine_operation *operation);

/* A descriptor the engine watches for a back end. `events` are epoll's. */
struct disk_engine_watch {
    int descriptor;
    uint32_t events; /* as last set */
    void (*ready)(struct disk_engine_watch *watch, uint32_t events);
    /* Called at disk_engine_submit(), to push out what is queued. May be NULL. */
    void (*push)(struct disk_engine_watch *watch);
    struct disk_engine_watch *next;
};

/* Returns 0 or a negative errno. The watch stays the caller's, until removed. */
int disk_engine_watch_add(struct disk_engine *engine, struct disk_engine_watch *watch);
int disk_engine_watch_change(struct disk_engine *engine, struct disk_engine_watch *watch,
                             uint32_t events);
void disk_engine_watch_remove(struct disk_engine *engine, struct disk_engine_watch *watch);

#endif
