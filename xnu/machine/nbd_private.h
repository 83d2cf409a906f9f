/* SPDX-License-Identifier: BSD-3-Clause */
/* Between nbd_socket.c (listening) and nbd_connection.c (one client). */
#ifndef MACHV_XNU_MACHINE_NBD_PRIVATE_H
#define MACHV_XNU_MACHINE_NBD_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "xnu/machine/nbd_socket.h"
#include "xnu/machine/threads.h"

enum { NBD_CONNECTIONS_MAX = 16 };

struct nbd_server {
    const struct nbd_export *export;
    const struct nbd_server_operations *operations;
    void *context;
    char path[108];
    int listener;
    atomic_bool stopping;
    struct machine_thread *thread;
    pthread_mutex_t lock;                        /* guards the list */
    struct nbd_connection_io *connections;
    unsigned count;
};

/* Starts the thread of a new client; closes the descriptor when that cannot be. */
void nbd_connection_start(struct nbd_server *server, int descriptor);

/* Makes the connection's thread see the end of the stream. With the server's lock held. */
void nbd_connection_shut_down(struct nbd_connection_io *connection);

/* The connection's thread, with a reference; NULL until it is known. */
struct nbd_connection_io *nbd_connection_next(struct nbd_connection_io *connection);

#endif
