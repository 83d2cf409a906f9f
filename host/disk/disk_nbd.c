/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk behind an NBD server, through libnbd's asynchronous calls.
 *
 * NBD knows one buffer a command. A request whose memory is in one piece goes without a copy; a
 * scattered one goes through a buffer of ours, which costs less than a command for each page.
 */
#include "host/disk/disk_nbd_internal.h"

#include <errno.h>
#include <libnbd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "host/disk/disk_open.h"

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

void disk_nbd_socket_ready(struct disk_engine_watch *watch, uint32_t events)
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
    if (error == 0 && (request->operation == DISK_READ || request->operation == DISK_WRITE)) {
        request->disk->counters.bytes_copied +=
            request->length * (request->vector_count > 1 ? 2 : 1);
    }
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

const struct disk_operations disk_nbd_operations = {
    .kind = "nbd",
    .submit = nbd_submit,
    .close = nbd_disk_close,
};
