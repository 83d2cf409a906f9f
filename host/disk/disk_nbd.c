/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk behind an NBD server, through libnbd's asynchronous calls.
 *
 * NBD knows one buffer a command. A request whose memory is in one piece goes without a copy; a
 * scattered one goes through a buffer of ours, which costs less than a command for each page.
 */
#include "host/disk/disk_nbd.h"

#include <errno.h>
#include <libnbd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "host/disk/disk.h"
#include "host/disk/disk_engine.h"
#include "host/disk/disk_open.h"
#include "host/disk/qemu_nbd.h"

enum { CONNECT_WAIT_MS = 15000, POLL_STEP_MS = 100 };

struct nbd_disk {
    struct disk disk;
    struct nbd_handle *nbd;
    struct disk_engine_watch watch;
    bool watched;
    struct qemu_nbd child;
    bool can_flush, can_trim, can_zero, can_fua;
    struct nbd_command *starting; /* being handed to libnbd, and not done yet */
    struct nbd_command *to_flush; /* written, and waiting for their flush */
};

/* A command on its way. */
struct nbd_command {
    struct disk_request *request;
    bool flush_next; /* FUA for a server that does not know it */
    struct nbd_command *next;
    uint8_t bounce[];
};

/* ---- Watching the socket ---- */

static void update_watch(struct nbd_disk *disk)
{
    if (!disk->watched) {
        return;
    }
    if (nbd_aio_is_dead(disk->nbd) > 0 || nbd_aio_is_closed(disk->nbd) > 0) {
        disk_engine_watch_remove(disk->disk.engine, &disk->watch);
        disk->watched = false;
        return;
    }
    unsigned direction = nbd_aio_get_direction(disk->nbd);
    uint32_t events = 0;
    if (direction & LIBNBD_AIO_DIRECTION_READ) {
        events |= EPOLLIN;
    }
    if (direction & LIBNBD_AIO_DIRECTION_WRITE) {
        events |= EPOLLOUT;
    }
    disk_engine_watch_change(disk->disk.engine, &disk->watch, events);
}

static void start_flushes(struct nbd_disk *disk);

static void socket_ready(struct disk_engine_watch *watch, uint32_t events)
{
    struct nbd_disk *disk = (struct nbd_disk *)((char *)watch - offsetof(struct nbd_disk, watch));
    unsigned direction = nbd_aio_get_direction(disk->nbd);
    /* Errors of these calls end commands through their callbacks; nothing to do here. */
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && (direction & LIBNBD_AIO_DIRECTION_READ)) {
        nbd_aio_notify_read(disk->nbd);
    } else if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) &&
               (direction & LIBNBD_AIO_DIRECTION_WRITE)) {
        nbd_aio_notify_write(disk->nbd);
    }
    start_flushes(disk);
    update_watch(disk);
}

/* ---- Commands ---- */

static void finish(struct nbd_command *command, int error)
{
    struct disk_request *request = command->request;
    struct nbd_disk *disk = (struct nbd_disk *)request->disk;
    if (disk->starting == command) {
        disk->starting = NULL;
    }
    if (error == 0 && request->operation == DISK_READ && request->vector_count > 1) {
        const uint8_t *from = command->bounce;
        for (unsigned i = 0; i < request->vector_count; i++) {
            memcpy(request->vector[i].iov_base, from, request->vector[i].iov_len);
            from += request->vector[i].iov_len;
        }
    }
    free(command);
    disk_complete(request, -error, error == 0 ? request->length : 0);
}

static int command_done(void *user_data, int *error)
{
    struct nbd_command *command = user_data;
    struct nbd_disk *disk = (struct nbd_disk *)command->request->disk;
    if (*error == 0 && command->flush_next) {
        /* libnbd's handle is locked here: the flush starts when this call is over. */
        command->flush_next = false;
        command->next = disk->to_flush;
        disk->to_flush = command;
        if (disk->starting == command) {
            disk->starting = NULL;
        }
        return 1;
    }
    finish(command, *error);
    return 1; /* libnbd may forget the command */
}

static void *command_buffer(struct nbd_command *command)
{
    struct disk_request *request = command->request;
    if (request->vector_count == 1) {
        return request->vector[0].iov_base;
    }
    if (request->operation == DISK_WRITE) {
        uint8_t *to = command->bounce;
        for (unsigned i = 0; i < request->vector_count; i++) {
            memcpy(to, request->vector[i].iov_base, request->vector[i].iov_len);
            to += request->vector[i].iov_len;
        }
    }
    return command->bounce;
}

static int64_t start_flush(struct nbd_disk *disk, struct nbd_command *command)
{
    nbd_completion_callback callback = {.callback = command_done, .user_data = command};
    return nbd_aio_flush(disk->nbd, callback, 0);
}

static int64_t start_command(struct nbd_disk *disk, struct nbd_command *command)
{
    const struct disk_request *request = command->request;
    nbd_completion_callback callback = {.callback = command_done, .user_data = command};
    uint32_t flags = request->force_unit_access && disk->can_fua ? LIBNBD_CMD_FLAG_FUA : 0;
    switch (request->operation) {
    case DISK_READ:
        return nbd_aio_pread(disk->nbd, command_buffer(command), request->length,
                             request->offset, callback, 0);
    case DISK_WRITE:
        return nbd_aio_pwrite(disk->nbd, command_buffer(command), request->length,
                              request->offset, callback, flags);
    case DISK_FLUSH:
        return start_flush(disk, command);
    case DISK_DISCARD:
        return nbd_aio_trim(disk->nbd, request->length, request->offset, callback, 0);
    case DISK_WRITE_ZEROES:
        return nbd_aio_zero(disk->nbd, request->length, request->offset, callback, flags);
    }
    return -1;
}

/*
 * When the connection breaks within the call, libnbd (1.14) ends the command through its callback
 * and returns what it reads from the freed command: only the callback tells.
 */
static void issue(struct nbd_disk *disk, struct nbd_command *command,
                  int64_t (*start)(struct nbd_disk *disk, struct nbd_command *command))
{
    disk->starting = command;
    if (start(disk, command) < 0 && disk->starting == command) {
        finish(command, EIO);
    }
    disk->starting = NULL;
}

static void start_flushes(struct nbd_disk *disk)
{
    while (disk->to_flush != NULL) {
        struct nbd_command *command = disk->to_flush;
        disk->to_flush = command->next;
        issue(disk, command, start_flush);
    }
}

static void nbd_submit(struct disk *base, struct disk_request *request)
{
    struct nbd_disk *disk = (struct nbd_disk *)base;
    if ((request->operation == DISK_DISCARD && !disk->can_trim) ||
        (request->operation == DISK_FLUSH && !disk->can_flush)) {
        disk_complete(request, 0, request->length); /* a hint; or nothing that could be lost */
        return;
    }
    if (request->operation == DISK_WRITE_ZEROES && !disk->can_zero) {
        disk_complete(request, -EOPNOTSUPP, 0);
        return;
    }
    bool scattered = request->vector_count > 1 &&
                     (request->operation == DISK_READ || request->operation == DISK_WRITE);
    struct nbd_command *command =
        malloc(sizeof(*command) + (scattered ? (size_t)request->length : 0));
    if (command == NULL) {
        disk_complete(request, -ENOMEM, 0);
        return;
    }
    command->request = request;
    command->flush_next = request->force_unit_access && !disk->can_fua && disk->can_flush;
    issue(disk, command, start_command);
    start_flushes(disk);
    update_watch(disk);
}

static void nbd_disk_close(struct disk *base)
{
    struct nbd_disk *disk = (struct nbd_disk *)base;
    if (disk->watched) {
        disk_engine_watch_remove(base->engine, &disk->watch);
    }
    if (nbd_aio_is_ready(disk->nbd) > 0) {
        nbd_shutdown(disk->nbd, 0);
    }
    nbd_close(disk->nbd);
    qemu_nbd_stop(&disk->child);
    disk_release(base);
    free(disk);
}

static const struct disk_operations nbd_operations = {
    .kind = "nbd",
    .submit = nbd_submit,
    .close = nbd_disk_close,
};

/* ---- Opening ---- */

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
    int result = disk_initialise(&disk->disk, engine, &nbd_operations, options->path,
                                 disk_format_text(options->format), &geometry);
    if (result == 0) {
        disk->watch.descriptor = nbd_aio_get_fd(disk->nbd);
        disk->watch.events = EPOLLIN;
        disk->watch.ready = socket_ready;
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

/* The end of opening: the disk goes to the caller, or away when `result` is an error. */
static int finish_opening(struct nbd_disk *disk, int result, struct disk **result_disk)
{
    if (result != 0) {
        give_up(disk);
        return result;
    }
    *result_disk = &disk->disk;
    return 0;
}

int disk_nbd_open_image(struct disk_engine *engine, const struct disk_options *options,
                        struct disk **result_disk, char *error, size_t error_size)
{
    int socket;
    struct nbd_disk *disk = new_nbd_disk(options, error, error_size);
    if (disk == NULL) {
        return -ENOMEM;
    }
    int result = qemu_nbd_start(&disk->child, options, &socket, error, error_size);
    if (result != 0) {
        give_up(disk);
        return result;
    }
    result = nbd_aio_connect_socket(disk->nbd, socket) == 0 ? wait_until_ready(disk->nbd)
                                                            : -ECONNRESET;
    if (result != 0) {
        char complaint[400];
        qemu_nbd_complaint(&disk->child, complaint, sizeof(complaint));
        snprintf(error, error_size,
                 "disk %s (%s): %s; if it is damaged, take a good copy, or try: qemu-img check %s",
                 options->path, disk_format_text(options->format), complaint, options->path);
    } else {
        result = take_over(disk, engine, options, error, error_size);
    }
    return finish_opening(disk, result, result_disk);
}

int disk_nbd_open_uri(struct disk_engine *engine, const struct disk_options *options,
                      struct disk **result_disk, char *error, size_t error_size)
{
    struct nbd_disk *disk = new_nbd_disk(options, error, error_size);
    if (disk == NULL) {
        return -ENOMEM;
    }
    int result = 0;
    if (nbd_aio_connect_uri(disk->nbd, options->path) != 0 || wait_until_ready(disk->nbd) != 0) {
        const char *why = nbd_get_error();
        snprintf(error, error_size, "disk %s: %s", options->path,
                 why != NULL ? why : "the server does not answer");
        result = -ENOTCONN;
    } else {
        result = take_over(disk, engine, options, error, error_size);
    }
    return finish_opening(disk, result, result_disk);
}
