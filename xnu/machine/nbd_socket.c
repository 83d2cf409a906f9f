/* SPDX-License-Identifier: BSD-3-Clause */
/* The listening side of an NBD server. */
#include "xnu/machine/nbd_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "xnu/machine/clock.h"
#include "xnu/machine/log.h"
#include "xnu/machine/nbd_private.h"

/* A socket file that is left over from a process that has gone. */
static void remove_stale(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat status;

    if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe >= 0 && connect(probe, (struct sockaddr *)&address, sizeof address) != 0 &&
        errno == ECONNREFUSED)
        unlink(path);
    if (probe >= 0)
        close(probe);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    remove_stale(path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0)
        return -1;
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, NBD_CONNECTIONS_MAX) != 0) {
        int error = errno;
        close(listener);
        errno = error;
        return -1;
    }
    return listener;
}

static void accept_one(struct nbd_server *server)
{
    int descriptor = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (descriptor < 0)
        return;
    pthread_mutex_lock(&server->lock);
    bool full = server->count >= NBD_CONNECTIONS_MAX || atomic_load(&server->stopping);
    pthread_mutex_unlock(&server->lock);
    if (full)
        close(descriptor);
    else
        nbd_connection_start(server, descriptor);
}

static void accept_loop(void *argument)
{
    struct nbd_server *server = argument;

    while (!atomic_load(&server->stopping))
        if (machine_poll(server->listener, false, MACHINE_NEVER, true) == 1)
            accept_one(server);
}

struct nbd_server *nbd_server_start(const char *path, const struct nbd_export *export,
                                    const struct nbd_server_operations *operations, void *context)
{
    struct nbd_server *server = calloc(1, sizeof *server);

    if (!server)
        return NULL;
    server->export = export;
    server->operations = operations;
    server->context = context;
    pthread_mutex_init(&server->lock, NULL);
    server->listener = listen_at(path);
    if (server->listener >= 0)
        server->thread = machine_thread_start("nbd accept", accept_loop, server);
    if (!server->thread) {
        machine_log("NBD: cannot listen at %s: %s", path, strerror(errno));
        if (server->listener >= 0) {
            close(server->listener);
            unlink(path);
        }
        free(server);
        return NULL;
    }
    snprintf(server->path, sizeof server->path, "%s", path);
    return server;
}

/* The threads of connections take themselves off the list when they are over. */
static void wait_for_connections(struct nbd_server *server)
{
    for (;;) {
        char event;
        pthread_mutex_lock(&server->lock);
        for (struct nbd_connection_io *c = server->connections; c; c = nbd_connection_next(c))
            nbd_connection_shut_down(c);
        bool none = server->count == 0;
        pthread_mutex_unlock(&server->lock);
        if (none)
            return;
        machine_sleep(NULL, &event, machine_uptime() + 1000000, false);
    }
}

void nbd_server_stop(struct nbd_server *server)
{
    atomic_store(&server->stopping, true);
    shutdown(server->listener, SHUT_RDWR);
    machine_interrupt_thread(server->thread);
    machine_thread_join(server->thread);
    machine_thread_release(server->thread);
    close(server->listener);
    unlink(server->path);
    wait_for_connections(server);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

unsigned nbd_server_connections(const struct nbd_server *server)
{
    pthread_mutex_lock((pthread_mutex_t *)&server->lock);
    unsigned count = server->count;
    pthread_mutex_unlock((pthread_mutex_t *)&server->lock);
    return count;
}
