/* SPDX-License-Identifier: BSD-3-Clause */
/* How a disk behind an NBD server begins: a child or a server, a connection, and what it says. */
#include "host/disk/disk_nbd_internal.h"

#include <errno.h>
#include <libnbd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "host/disk/disk_open.h"

enum { CONNECT_WAIT_MS = 15000, POLL_STEP_MS = 100 };

bool disk_nbd_is_uri(const char *path)
{
    return strncmp(path, "nbd:", 4) == 0 || strncmp(path, "nbd+unix:", 9) == 0 ||
           strncmp(path, "nbds:", 5) == 0;
}

/* ---- Beginning ---- */

static void give_up(struct nbd_disk *disk)
{
    if (disk->nbd != NULL) {
        nbd_close(disk->nbd);
    }
    qemu_nbd_stop(&disk->child);
    free(disk);
}

static struct nbd_disk *new_nbd_disk(const struct disk_options *options, char *error,
                                     size_t error_size)
{
    struct nbd_disk *disk = calloc(1, sizeof(*disk));
    if (disk != NULL) {
        disk->child.errors = -1;
        disk->nbd = nbd_create();
    }
    if (disk == NULL || disk->nbd == NULL) {
        snprintf(error, error_size, "disk %s: out of memory", options->path);
        free(disk);
        return NULL;
    }
    return disk;
}

/* Why connecting failed, in a line. */
static void complain(struct nbd_disk *disk, const struct disk_options *options, int result,
                     char *error, size_t error_size)
{
    char complaint[400];
    if (disk_nbd_is_uri(options->path)) {
        const char *why = nbd_get_error();
        snprintf(error, error_size, "disk %s: %s", options->path,
                 why != NULL ? why : "the server does not answer");
        return;
    }
    if (result == -ETIMEDOUT) {
        qemu_nbd_kill(&disk->child); /* so that nothing waits for it any longer */
        snprintf(error, error_size, "disk %s (%s): qemu-nbd does not answer", options->path,
                 disk_format_text(options->format));
        return;
    }
    qemu_nbd_complaint(&disk->child, complaint, sizeof(complaint));
    if (strstr(complaint, "\" lock") != NULL) { /* Failed to get "write" lock */
        snprintf(error, error_size, "disk %s (%s): %s: another program uses it; end that one, or "
                 "take a copy", options->path, disk_format_text(options->format), complaint);
        return;
    }
    snprintf(error, error_size,
             "disk %s (%s): %s; if it is damaged, take a good copy, or try: qemu-img check %s",
             options->path, disk_format_text(options->format), complaint, options->path);
}

/* Starts qemu-nbd for the image. NULL, *result and a line in `error` when it cannot be. */
static struct nbd_disk *start_image(const struct disk_options *options, int *result, char *error,
                                    size_t error_size)
{
    int socket;
    struct nbd_disk *disk = new_nbd_disk(options, error, error_size);
    *result = -ENOMEM;
    if (disk == NULL) {
        return NULL;
    }
    *result = qemu_nbd_start(&disk->child, options, &socket, error, error_size);
    if (*result == 0 && nbd_aio_connect_socket(disk->nbd, socket) != 0) {
        *result = -ECONNRESET;
        complain(disk, options, *result, error, error_size); /* it has ended already */
    }
    if (*result != 0) {
        give_up(disk);
        return NULL;
    }
    return disk;
}

static struct nbd_disk *start_uri(const struct disk_options *options, int *result, char *error,
                                  size_t error_size)
{
    struct nbd_disk *disk = new_nbd_disk(options, error, error_size);
    *result = -ENOMEM;
    if (disk != NULL && nbd_aio_connect_uri(disk->nbd, options->path) != 0) {
        *result = -ENOTCONN;
        snprintf(error, error_size, "disk %s: %s", options->path, nbd_get_error());
        give_up(disk);
        disk = NULL;
    }
    return disk;
}

static struct nbd_disk *start(const struct disk_options *options, int *result, char *error,
                              size_t error_size)
{
    return disk_nbd_is_uri(options->path) ? start_uri(options, result, error, error_size)
                                          : start_image(options, result, error, error_size);
}

/* ---- Ending ---- */

static int take_over(struct nbd_disk *disk, struct disk_engine *engine,
                     const struct disk_options *options, char *error, size_t error_size)
{
    int64_t size = nbd_get_size(disk->nbd);
    bool server_read_only = nbd_is_read_only(disk->nbd) > 0;
    if (server_read_only && !options->read_only) {
        snprintf(error, error_size, "disk %s: it can only be read; add ,readonly", options->path);
        return -EROFS;
    }
    if (size <= 0 || size % options->block_size != 0) {
        snprintf(error, error_size, "disk %s: its size of %lld bytes is not a whole number of "
                 "%u-byte blocks", options->path, (long long)size, options->block_size);
        return -EINVAL;
    }
    disk->can_flush = nbd_can_flush(disk->nbd) > 0;
    disk->can_trim = nbd_can_trim(disk->nbd) > 0;
    disk->can_zero = nbd_can_zero(disk->nbd) > 0;
    disk->can_fua = nbd_can_fua(disk->nbd) > 0;
    const struct disk_geometry geometry = {
        .size = (uint64_t)size,
        .block_size = options->block_size,
        .physical_block_size = 4096,
        .read_only = options->read_only,
        .can_discard = disk->can_trim,
    };
    int result = disk_initialise(&disk->disk, engine, &disk_nbd_operations, options->path,
                                 disk_format_text(options->format), &geometry);
    if (result == 0) {
        disk->watch.descriptor = nbd_aio_get_fd(disk->nbd);
        disk->watch.events = EPOLLIN;
        disk->watch.ready = disk_nbd_socket_ready;
        result = disk_engine_watch_add(engine, &disk->watch);
        disk->watched = result == 0;
        if (result != 0) {
            disk_release(&disk->disk);
        }
    }
    if (result != 0) {
        snprintf(error, error_size, "disk %s: %s", options->path, strerror(-result));
    }
    return result;
}

/* The end of opening, with the result of connecting: the disk goes to the caller, or away. */
static int end(struct nbd_disk *disk, struct disk_engine *engine,
               const struct disk_options *options, int result, struct disk **result_disk,
               char *error, size_t error_size)
{
    if (result != 0) {
        complain(disk, options, result, error, error_size);
    } else {
        result = take_over(disk, engine, options, error, error_size);
    }
    if (result != 0) {
        give_up(disk);
        return result;
    }
    *result_disk = &disk->disk;
    return 0;
}

/* ---- Waiting for it ---- */

static int wait_until_ready(struct nbd_handle *nbd)
{
    int waited_ms = 0;
    while (nbd_aio_is_ready(nbd) <= 0) {
        if (nbd_aio_is_dead(nbd) > 0 || nbd_aio_is_closed(nbd) > 0) {
            return -ECONNRESET;
        }
        int answer = nbd_poll(nbd, POLL_STEP_MS);
        if (answer < 0) {
            return -ECONNRESET;
        }
        waited_ms += answer == 0 ? POLL_STEP_MS : 0;
        if (waited_ms >= CONNECT_WAIT_MS) {
            return -ETIMEDOUT;
        }
    }
    return 0;
}

int disk_nbd_open(struct disk_engine *engine, const struct disk_options *options,
                  struct disk **result_disk, char *error, size_t error_size)
{
    int result;
    struct nbd_disk *disk = start(options, &result, error, error_size);
    if (disk == NULL) {
        return result;
    }
    result = wait_until_ready(disk->nbd);
    return end(disk, engine, options, result, result_disk, error, error_size);
}

/* ---- Not waiting for it ---- */

/* The engine watches `set`, in which are the connection and the timer: one event, whatever it
 * was, so that nothing is called of an opening that has ended. */
struct disk_opening {
    struct disk_engine *engine;
    struct nbd_disk *disk;
    struct disk_options options;
    char *path; /* of the options */
    int set, timer;
    struct disk_engine_watch watch;
    disk_opened *opened;
    void *context;
};

static void free_opening(struct disk_opening *opening)
{
    if (opening->watch.ready != NULL) {
        disk_engine_watch_remove(opening->engine, &opening->watch);
    }
    if (opening->set >= 0) {
        close(opening->set);
    }
    if (opening->timer >= 0) {
        close(opening->timer);
    }
    free(opening->path);
    free(opening);
}

static void end_opening(struct disk_opening *opening, int result)
{
    struct disk *disk = NULL;
    char error[1024] = "";
    disk_opened *opened = opening->opened;
    void *context = opening->context;
    result = end(opening->disk, opening->engine, &opening->options, result, &disk, error,
                 sizeof(error));
    free_opening(opening);
    opened(context, result, disk, error);
}

/* A connection may go on with another socket: a host name can have several addresses. */
static void watch_connection(struct disk_opening *opening)
{
    struct nbd_handle *nbd = opening->disk->nbd;
    const unsigned direction = nbd_aio_get_direction(nbd);
    struct epoll_event event = {
        .events = ((direction & LIBNBD_AIO_DIRECTION_READ) ? EPOLLIN : 0) |
                  ((direction & LIBNBD_AIO_DIRECTION_WRITE) ? EPOLLOUT : 0),
    };
    const int socket = nbd_aio_get_fd(nbd);
    if (epoll_ctl(opening->set, EPOLL_CTL_MOD, socket, &event) != 0) {
        epoll_ctl(opening->set, EPOLL_CTL_ADD, socket, &event);
    }
}

static void notify(struct nbd_handle *nbd)
{
    if (nbd_aio_get_direction(nbd) & LIBNBD_AIO_DIRECTION_READ) {
        nbd_aio_notify_read(nbd);
    } else {
        nbd_aio_notify_write(nbd);
    }
}

static void opening_ready(struct disk_engine_watch *watch, uint32_t events)
{
    struct disk_opening *opening =
        (struct disk_opening *)((char *)watch - offsetof(struct disk_opening, watch));
    struct nbd_handle *nbd = opening->disk->nbd;
    uint64_t expirations;
    if (read(opening->timer, &expirations, sizeof(expirations)) > 0) {
        end_opening(opening, -ETIMEDOUT);
        return;
    }
    notify(nbd);
    if (nbd_aio_is_ready(nbd) > 0) {
        end_opening(opening, 0);
    } else if (nbd_aio_is_dead(nbd) > 0 || nbd_aio_is_closed(nbd) > 0) {
        end_opening(opening, -ECONNRESET);
    } else {
        watch_connection(opening);
    }
}

static int watch_opening(struct disk_opening *opening)
{
    const struct itimerspec limit = {.it_value.tv_sec = CONNECT_WAIT_MS / 1000};
    struct epoll_event event = {.events = EPOLLIN};
    opening->set = epoll_create1(EPOLL_CLOEXEC);
    opening->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (opening->set < 0 || opening->timer < 0 ||
        timerfd_settime(opening->timer, 0, &limit, NULL) != 0 ||
        epoll_ctl(opening->set, EPOLL_CTL_ADD, opening->timer, &event) != 0) {
        return -errno;
    }
    watch_connection(opening);
    opening->watch.descriptor = opening->set;
    opening->watch.events = EPOLLIN;
    int result = disk_engine_watch_add(opening->engine, &opening->watch);
    if (result == 0) {
        opening->watch.ready = opening_ready;
    }
    return result;
}

struct disk_opening *disk_nbd_begin(struct disk_engine *engine,
                                    const struct disk_options *options, disk_opened *opened,
                                    void *context)
{
    char error[1024] = "out of memory";
    int result = -ENOMEM;
    struct disk_opening *opening = calloc(1, sizeof(*opening));
    if (opening != NULL) {
        *opening = (struct disk_opening){.engine = engine, .options = *options, .set = -1,
                                         .timer = -1, .opened = opened, .context = context,
                                         .path = strdup(options->path)};
        opening->options.path = opening->path;
        opening->disk = opening->path != NULL ? start(options, &result, error, sizeof(error))
                                              : NULL;
        if (opening->disk != NULL) {
            result = watch_opening(opening);
            if (result == 0) {
                return opening;
            }
            snprintf(error, sizeof(error), "disk %s: %s", options->path, strerror(-result));
            give_up(opening->disk);
        }
        free_opening(opening);
    }
    opened(context, result, NULL, error);
    return NULL;
}

void disk_opening_cancel(struct disk_opening *opening)
{
    qemu_nbd_kill(&opening->disk->child); /* it has nothing yet that could be lost */
    give_up(opening->disk);
    free_opening(opening);
}
