/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NBD servers on Unix sockets: one for each disk. This side owns sockets, threads and the protocol;
 * the kernel's side (families/nbd_export.c) owns the data buffers and the disk.
 *
 * Requests are read by the connection's thread, which hands each to the disk and reads on. Replies
 * are written by whoever ends a request, unless the connection's thread is busy anyway: then that
 * one writes all of them at once before it waits.
 */
#ifndef MACHV_XNU_MACHINE_NBD_SOCKET_H
#define MACHV_XNU_MACHINE_NBD_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xnu/families/nbd_protocol.h"

struct nbd_server;
struct nbd_connection_io;

/* One request of a client, from its header to its reply. Owned by the server. */
struct nbd_job {
    struct nbd_request request;
    void *data;                      /* request.length bytes, reads and writes; set by `prepare` */
    void *buffer;                    /* the kernel side's handle of it */
    /* The server's. */
    struct nbd_connection_io *connection;
    struct nbd_job *next;
    uint32_t error;
    uint8_t reply[NBD_REPLY_MAX];
    size_t reply_length;
    size_t sent;                     /* of reply and data together */
};

/* All are called on kernel threads, without locks. */
struct nbd_server_operations {
    /* Gives the job what it needs to be submitted, for reads and writes a data buffer. False: no
     * memory at the moment; the client is told. */
    bool (*prepare)(void *context, struct nbd_job *job);
    /* Starts the request; ends with nbd_server_complete, on any thread, perhaps before this
     * returns. */
    void (*submit)(void *context, struct nbd_job *job);
    /* Takes back what prepare gave, after the reply has been sent or given up. */
    void (*finish)(void *context, struct nbd_job *job);
};

/*
 * Listens at `path` (removed first if it is a socket that nobody serves, and at the end). `export`,
 * `operations` and `context` must stay valid until nbd_server_stop has returned. Call on a kernel
 * thread. NULL with one line in the log: the socket or the memory could not be had.
 */
struct nbd_server *nbd_server_start(const char *path, const struct nbd_export *export,
                                    const struct nbd_server_operations *operations, void *context);

/* [blocks] Disconnects all clients, waits for their requests to end, frees the server. */
void nbd_server_stop(struct nbd_server *server);

/* Clients that are connected. */
unsigned nbd_server_connections(const struct nbd_server *server);

/* Ends a request with NBD_SUCCESS or an NBD_E code. Not in interrupt context. */
void nbd_server_complete(struct nbd_job *job, uint32_t error);

#endif
