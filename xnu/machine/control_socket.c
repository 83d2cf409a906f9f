/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel controls as Unix sockets: the listening side. */
#include "xnu/machine/control_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "xnu/machine/clock.h"
#include "xnu/machine/control_private.h"
#include "xnu/machine/log.h"

struct control_sockets *control_sockets_start(const char *directory,
                                              const struct control_socket_operations *operations)
{
    struct control_sockets *sockets = calloc(1, sizeof *sockets);

    if (!sockets)
        return NULL;
    snprintf(sockets->directory, sizeof sockets->directory, "%s", directory);
    sockets->operations = operations;
    pthread_mutex_init(&sockets->lock, NULL);
    return sockets;
}

/* A '/' in a name would be another directory. */
static bool make_path(const struct control_sockets *sockets, const char *name, char *path,
                      size_t size)
{
    int length = snprintf(path, size, "%s/%s", sockets->directory, name);

    if (length < 0 || (size_t)length >= size)
        return false;
    for (char *at = path + strlen(sockets->directory) + 1; *at != '\0'; at++)
        if (*at == '/')
            *at = '_';
    return true;
}

static int listen_at(const char *path, bool stream)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat status;
    int type = (stream ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC | SOCK_NONBLOCK;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
        unlink(path);                    /* the directory is ours alone */
    int listener = socket(AF_UNIX, type, 0);
    if (listener >= 0 && (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
                          listen(listener, 8) != 0)) {
        int error = errno;
        close(listener);
        errno = error;
        return -1;
    }
    return listener;
}

static bool peer_is_privileged(int descriptor)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static void accept_loop(void *argument)
{
    struct control_listener *listener = argument;

    while (!atomic_load(&listener->stopping)) {
        if (machine_poll(listener->descriptor, false, MACHINE_NEVER, true) != 1)
            continue;
        int descriptor = accept4(listener->descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (descriptor >= 0)
            control_client_start(listener, descriptor, peer_is_privileged(descriptor));
    }
}

static void link_listener(struct control_sockets *sockets, struct control_listener *listener)
{
    pthread_mutex_lock(&sockets->lock);
    listener->next = sockets->listeners;
    sockets->listeners = listener;
    pthread_mutex_unlock(&sockets->lock);
}

void control_sockets_publish(struct control_sockets *sockets, const char *name, uint32_t control,
                             uint32_t message_size, bool stream, bool privileged)
{
    struct control_listener *listener = calloc(1, sizeof *listener);

    if (!listener)
        return;
    listener->sockets = sockets;
    listener->control = control;
    listener->message_size = message_size;
    listener->stream = stream;
    listener->descriptor = -1;
    snprintf(listener->name, sizeof listener->name, "%s", name);
    if (make_path(sockets, name, listener->path, sizeof listener->path))
        listener->descriptor = listen_at(listener->path, stream);
    else
        errno = ENAMETOOLONG;
    if (listener->descriptor >= 0)
        listener->thread = machine_thread_start("control accept", accept_loop, listener);
    if (listener->thread) {
        link_listener(sockets, listener);
        return;
    }
    machine_log("kernel control %s: no socket in %s: %s", name, sockets->directory,
                strerror(errno));
    if (listener->descriptor >= 0)
        close(listener->descriptor);
    free(listener);
}

static void stop_listener(struct control_listener *listener)
{
    atomic_store(&listener->stopping, true);
    shutdown(listener->descriptor, SHUT_RDWR);
    machine_interrupt_thread(listener->thread);
    machine_thread_join(listener->thread);
    machine_thread_release(listener->thread);
    close(listener->descriptor);
    unlink(listener->path);
    free(listener);
}

static struct control_listener *take_listener(struct control_sockets *sockets, const char *name)
{
    pthread_mutex_lock(&sockets->lock);
    struct control_listener **link = &sockets->listeners;
    while (*link && name && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    struct control_listener *listener = *link;
    if (listener)
        *link = listener->next;
    pthread_mutex_unlock(&sockets->lock);
    return listener;
}

void control_sockets_withdraw(struct control_sockets *sockets, const char *name)
{
    struct control_listener *listener = take_listener(sockets, name);

    if (listener)
        stop_listener(listener);
}

void control_sockets_stop(struct control_sockets *sockets)
{
    struct control_listener *listener;

    while ((listener = take_listener(sockets, NULL)) != NULL)
        stop_listener(listener);
    for (;;) {
        char event;
        pthread_mutex_lock(&sockets->lock);
        for (struct control_connection *c = sockets->connections; c; c = c->next)
            shutdown(c->descriptor, SHUT_RDWR);
        bool none = sockets->connection_count == 0;
        pthread_mutex_unlock(&sockets->lock);
        if (none)
            break;
        machine_sleep(NULL, &event, machine_uptime() + 1000000, false);
    }
    pthread_mutex_destroy(&sockets->lock);
    free(sockets);
}
