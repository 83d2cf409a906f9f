/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel controls as Unix sockets: one connected process. The driver's functions run on its thread,
 * as they run on the process' own thread on macOS. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xnu/machine/clock.h"
#include "xnu/machine/control_private.h"

enum { RECORD_MAX = 256 << 10 };

#define MERGE_TIME UINT64_C(20000000)    /* ns: how long an unfinished record may grow */

/* ---- from the driver to the process ---------------------------------------------------------- */

static void fetch(struct control_connection *c)
{
    size_t length;
    bool complete;

    while (!c->outgoing_complete && c->outgoing_size < RECORD_MAX &&
           c->sockets->operations->receive(c->client, c->outgoing + c->outgoing_size,
                                           RECORD_MAX - c->outgoing_size, &length,
                                           &complete) == 0) {
        if (c->outgoing_size == 0)
            c->outgoing_deadline = machine_uptime() + MERGE_TIME;
        c->outgoing_size += length;
        c->outgoing_complete = complete || c->outgoing_size == RECORD_MAX || c->stream;
    }
}

static void want_write(struct control_connection *c, bool wanted)
{
    struct epoll_event interest = { .events = EPOLLIN | (wanted ? EPOLLOUT : 0u) };

    if (wanted != c->write_wanted)
        epoll_ctl(c->epoll, EPOLL_CTL_MOD, c->descriptor, &interest);
    c->write_wanted = wanted;
}

static void sent(struct control_connection *c, size_t size)
{
    memmove(c->outgoing, c->outgoing + size, c->outgoing_size - size);
    c->outgoing_size -= size;
    c->outgoing_complete = c->outgoing_size != 0;
}

/* Sends finished records while the socket takes them, with `sending` held. Returns when the thread
 * has to look again. */
static uint64_t drain(struct control_connection *c)
{
    want_write(c, false);
    for (;;) {
        fetch(c);
        if (c->outgoing_size == 0 && !c->outgoing_complete)
            return MACHINE_NEVER;
        if (!c->outgoing_complete && machine_uptime() < c->outgoing_deadline)
            return c->outgoing_deadline;
        ssize_t taken =
            send(c->descriptor, c->outgoing, c->outgoing_size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (taken < 0 && errno == EAGAIN) {
            want_write(c, true);
            return MACHINE_NEVER;
        }
        if (taken < 0 && errno != EINTR)
            return MACHINE_NEVER;        /* the reading side will see the end */
        if (taken >= 0)
            sent(c, c->stream ? (size_t)taken : c->outgoing_size);
    }
}

/* On the driver's thread, which does not wait: it sends what there is, as the kernel would. The
 * connection's thread is woken for what only it can do, and when it is sending itself. */
static void notify(void *context)
{
    struct control_connection *c = context;
    uint64_t one = 1;
    bool left = true;

    if (pthread_mutex_trylock(&c->sending) == 0) {
        left = drain(c) != MACHINE_NEVER;
        pthread_mutex_unlock(&c->sending);
    }
    if (left) {
        ssize_t written = write(c->event, &one, sizeof one);

        (void)written;                   /* a full counter wakes the thread as well */
    }
}

/* ---- from the process to the driver ---------------------------------------------------------- */

/* Hands one message over. False: the process has gone. */
static bool take_message(struct control_connection *c)
{
    /* One byte more than is allowed shows that a message is too long; it is the driver's table that
     * says so to the kernel's side. */
    ssize_t got = recv(c->descriptor, c->incoming, (size_t)c->message_size + 1, MSG_DONTWAIT);

    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0)
        return false;
    c->sockets->operations->send(c->client, c->incoming, (size_t)got);
    return true;
}

static void serve(struct control_connection *c)
{
    for (;;) {
        uint64_t deadline, count;

        pthread_mutex_lock(&c->sending);
        deadline = drain(c);
        pthread_mutex_unlock(&c->sending);
        machine_poll(c->epoll, false, deadline, false);
        if (read(c->event, &count, sizeof count) < 0 && errno != EAGAIN)
            return;
        if (!take_message(c))
            return;
    }
}

/* ---- life ----------------------------------------------------------------------------------- */

static void destroy(struct control_connection *c)
{
    if (c->epoll >= 0)
        close(c->epoll);
    if (c->event >= 0)
        close(c->event);
    pthread_mutex_destroy(&c->sending);
    free(c->incoming);
    free(c->outgoing);
    free(c);
}

static void unlist(struct control_connection *c)
{
    struct control_sockets *sockets = c->sockets;

    pthread_mutex_lock(&sockets->lock);
    struct control_connection **link = &sockets->connections;
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    close(c->descriptor);
    pthread_mutex_unlock(&sockets->lock);
}

static void connection_thread(void *argument)
{
    struct control_connection *c = argument;
    struct control_sockets *sockets = c->sockets;

    if (sockets->operations->connect(c->control, c->stream, c->privileged, &c->client) == 0) {
        sockets->operations->set_notify(c->client, notify, c);
        serve(c);
        sockets->operations->set_notify(c->client, NULL, NULL);
        sockets->operations->close(c->client);
    }
    unlist(c);
    destroy(c);
    pthread_mutex_lock(&sockets->lock);
    sockets->connection_count--;         /* the last touch of the sockets */
    pthread_mutex_unlock(&sockets->lock);
}

static bool set_up(struct control_connection *c)
{
    struct epoll_event interest = { .events = EPOLLIN };

    c->incoming = malloc((size_t)c->message_size + 1);
    c->outgoing = malloc(RECORD_MAX);
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    c->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return c->incoming && c->outgoing && c->epoll >= 0 && c->event >= 0 &&
           epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->descriptor, &interest) == 0 &&
           epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->event, &interest) == 0;
}

void control_client_start(struct control_listener *listener, int descriptor, bool privileged)
{
    struct control_sockets *sockets = listener->sockets;
    struct control_connection *c = calloc(1, sizeof *c);

    if (!c) {
        close(descriptor);
        return;
    }
    *c = (struct control_connection){
        .sockets = sockets,
        .control = listener->control,
        .message_size = listener->message_size,
        .stream = listener->stream,
        .privileged = privileged,
        .descriptor = descriptor,
        .epoll = -1,
        .event = -1,
        .sending = PTHREAD_MUTEX_INITIALIZER,
    };
    struct machine_thread *thread = NULL;
    if (set_up(c)) {
        pthread_mutex_lock(&sockets->lock);
        c->next = sockets->connections;
        sockets->connections = c;
        sockets->connection_count++;
        pthread_mutex_unlock(&sockets->lock);
        thread = machine_thread_start("control client", connection_thread, c);
        if (thread) {
            machine_thread_release(thread);
            return;
        }
        pthread_mutex_lock(&sockets->lock);
        sockets->connection_count--;
        pthread_mutex_unlock(&sockets->lock);
        unlist(c);
    } else {
        close(descriptor);
    }
    destroy(c);
}
