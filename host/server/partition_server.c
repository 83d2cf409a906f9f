/* SPDX-License-Identifier: BSD-3-Clause */
/* The partition server's connections: who comes, who says what, and the end of it all. */
#include "host/server/partition_server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/server/listen.h"
#include "host/server/partition_internal.h"

enum {
    EVENT_BATCH = PARTITION_PROCESSORS_MAX + 16,
    NEW_CONNECTIONS_MAX = 256, /* connections that have not said yet what they are */
    LISTEN_BACKLOG = 64,
};

/* ---- The end ---- */

static void forget(struct partition_server *server, struct partition_connection *connection)
{
    if (connection->socket >= 0) {
        epoll_ctl(server->epoll, EPOLL_CTL_DEL, connection->socket, NULL);
        if (connection->kind != CONNECTION_SIGNALS) { /* that one is partition_pages.c's */
            close(connection->socket);
        }
        connection->socket = -1;
    }
}

static void end_pending(struct partition_server *server)
{
    while (server->pending != NULL) {
        struct partition_pending *pending = server->pending;
        server->pending = pending->next;
        partition_settle(pending, -ENOTCONN, NULL);
        free(pending);
    }
}

void partition_end(struct partition_server *server, enum partition_end how, int status,
                   const char *text)
{
    if (server->ended) {
        return;
    }
    server->ended = true;
    end_pending(server);
    for (uint32_t i = 0; i < PARTITION_PROCESSORS_MAX; i++) {
        forget(server, &server->processors[i]);
    }
    forget(server, &server->signals);
    forget(server, &server->control);
    server->operations->ended(server->context, how, status, text);
}

void partition_fail(struct partition_server *server, int status, const char *format, ...)
{
    char text[PARTITION_TEXT_MAX];
    struct {
        struct partition_header header;
        int32_t status;
        char text[PARTITION_TEXT_MAX];
    } __attribute__((packed)) message = {
        .header = {.type = PARTITION_GOODBYE, .cookie = ++server->cookie},
        .status = status,
    };
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (server->ended) {
        return;
    }
    size_t length = strlen(text);
    memcpy(message.text, text, length);
    message.header.length = (uint32_t)(sizeof(struct partition_goodbye) + length);
    if (server->control.socket >= 0) {
        partition_send(server->control.socket, &message, message.header.length, NULL, 0);
    }
    partition_end(server, PARTITION_END_PROTOCOL, status, text);
}

/* ---- Connections ---- */

int partition_watch(struct partition_server *server, struct partition_connection *connection)
{
    /* Each signal is told once, so that its counter needs no reading. */
    const uint32_t once = connection->kind == CONNECTION_SIGNALS ? EPOLLET : 0;
    struct epoll_event event = {.events = EPOLLIN | once, .data.ptr = connection};
    return epoll_ctl(server->epoll, EPOLL_CTL_ADD, connection->socket, &event) == 0 ? 0 : -errno;
}

static void unlink_new(struct partition_server *server, struct partition_connection *connection)
{
    for (struct partition_connection **link = &server->new_connections; *link != NULL;
         link = &(*link)->next) {
        if (*link == connection) {
            *link = connection->next;
            server->new_count--;
            free(connection);
            return;
        }
    }
}

static void drop_new(struct partition_server *server, struct partition_connection *connection)
{
    forget(server, connection);
    unlink_new(server, connection);
}

void partition_server_adopt(struct partition_server *server, int socket)
{
    struct partition_connection *connection =
        server->new_count < NEW_CONNECTIONS_MAX ? calloc(1, sizeof(*connection)) : NULL;
    if (connection == NULL) {
        close(socket);
        return;
    }
    connection->server = server;
    connection->socket = socket;
    connection->kind = CONNECTION_NEW;
    if (partition_watch(server, connection) != 0) {
        close(socket);
        free(connection);
        return;
    }
    connection->next = server->new_connections;
    server->new_connections = connection;
    server->new_count++;
}

/* Turns somebody away who is not (or not yet) part of the session; the session goes on. */
static void turn_away(int socket, int status, const char *text)
{
    struct {
        struct partition_header header;
        int32_t status;
        char text[PARTITION_TEXT_MAX];
    } __attribute__((packed)) message = {.header = {.type = PARTITION_GOODBYE}, .status = status};
    size_t length = strnlen(text, PARTITION_TEXT_MAX);
    memcpy(message.text, text, length);
    message.header.length = (uint32_t)(sizeof(struct partition_goodbye) + length);
    partition_send(socket, &message, message.header.length, NULL, 0);
}

/* Moves the socket of a new connection to its place. */
static int settle(struct partition_server *server, struct partition_connection *from,
                  struct partition_connection *to)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = to};
    if (epoll_ctl(server->epoll, EPOLL_CTL_MOD, from->socket, &event) != 0) {
        return -errno;
    }
    to->socket = from->socket;
    from->socket = -1;
    unlink_new(server, from);
    return 0;
}

static void attach_processor(struct partition_server *server,
                             struct partition_connection *connection,
                             const struct partition_attach *attach)
{
    struct partition_status_reply reply = {
        .header = {PARTITION_ATTACH | PARTITION_REPLY, sizeof(reply), attach->header.cookie},
    };
    int socket = connection->socket;
    const uint32_t index = attach->processor;
    if (!server->greeted || server->ended) {
        reply.status = -ENOTCONN;
    } else if (index >= server->processor_count) {
        reply.status = -EINVAL;
    } else if (server->processors[index].socket >= 0) {
        reply.status = -EBUSY;
    } else {
        reply.status = settle(server, connection, &server->processors[index]);
    }
    partition_send(socket, &reply, sizeof(reply), NULL, 0);
    if (reply.status != 0) {
        drop_new(server, connection);
    } else {
        server->attached_count++;
    }
}

static void first_message(struct partition_server *server,
                          struct partition_connection *connection,
                          union partition_datagram *datagram, int size, int descriptor)
{
    const uint32_t type = datagram->header.type;
    if (type == PARTITION_HELLO && size == (int)sizeof(datagram->hello) && descriptor < 0) {
        if (server->control.socket >= 0 || server->ended) {
            turn_away(connection->socket, -EBUSY, "HELLO: this host has its monitor");
            drop_new(server, connection);
        } else if (settle(server, connection, &server->control) == 0) {
            partition_hello(server, &datagram->hello);
        }
    } else if (type == PARTITION_ATTACH && size == (int)sizeof(datagram->attach) &&
               descriptor < 0) {
        attach_processor(server, connection, &datagram->attach);
    } else {
        turn_away(connection->socket, -EPROTO, "a connection starts with HELLO or ATTACH");
        drop_new(server, connection);
    }
}

static void new_readable(struct partition_server *server, struct partition_connection *connection)
{
    union partition_datagram datagram;
    int descriptor;
    int size = partition_receive(connection->socket, &datagram, &descriptor);
    if (size == -EAGAIN) {
        return;
    }
    if (size < 0) {
        if (size == -EBADMSG) {
            turn_away(connection->socket, size, "malformed message");
        }
        drop_new(server, connection);
        return;
    }
    first_message(server, connection, &datagram, size, descriptor);
    if (descriptor >= 0) {
        close(descriptor);
    }
}

/* ---- Messages ---- */

static void report_receive_error(struct partition_server *server, int error, const char *who)
{
    if (error == -EPIPE || error == -ECONNRESET) {
        char text[64];
        snprintf(text, sizeof(text), "%s: the connection was closed", who);
        partition_end(server, PARTITION_END_VANISHED, -EPIPE, text);
    } else if (error != -EAGAIN) {
        partition_fail(server, error, "%s: malformed message (%s)", who, strerror(-error));
    }
}

/* Everything that is there: what the monitor did before a processor's exit is done before it. */
static unsigned drain_control(struct partition_server *server)
{
    union partition_datagram datagram;
    unsigned count = 0;
    int descriptor;
    while (!server->ended && server->control.socket >= 0) {
        int size = partition_receive(server->control.socket, &datagram, &descriptor);
        if (size < 0) {
            report_receive_error(server, size, "control connection");
            break;
        }
        partition_control_message(server, &datagram, size, descriptor);
        if (descriptor >= 0) {
            close(descriptor);
        }
        count++;
    }
    return count;
}

static void processor_readable(struct partition_server *server,
                               struct partition_connection *connection)
{
    union partition_datagram datagram;
    char who[32];
    int descriptor;
    int size = partition_receive(connection->socket, &datagram, &descriptor);
    if (size < 0) {
        snprintf(who, sizeof(who), "processor %u", connection->processor);
        report_receive_error(server, size, who);
        return;
    }
    if (descriptor >= 0) {
        close(descriptor);
        partition_fail(server, -EBADMSG, "a processor's message carries no descriptor");
        return;
    }
    partition_processor_message(server, connection, &datagram, size);
}

static void accept_connections(struct partition_server *server)
{
    int socket;
    while ((socket = listen_accept(server->listener.socket)) >= 0) {
        partition_server_adopt(server, socket);
    }
}

static void handle(struct partition_server *server, struct partition_connection *connection)
{
    if (connection->socket < 0) {
        return; /* closed by an earlier event of the same batch */
    }
    switch (connection->kind) {
    case CONNECTION_NEW:
        new_readable(server, connection);
        break;
    case CONNECTION_PROCESSOR:
        processor_readable(server, connection);
        break;
    case CONNECTION_SIGNALS:
        partition_server_poll_signals(server);
        break;
    case CONNECTION_LISTENER:
        accept_connections(server);
        break;
    case CONNECTION_CONTROL:
        break; /* drained before the others */
    }
}

unsigned partition_server_run(struct partition_server *server)
{
    struct epoll_event events[EVENT_BATCH];
    int count = epoll_wait(server->epoll, events, EVENT_BATCH, 0);
    unsigned handled = 0;
    if (server->lines != server->lines_sent && !server->ended) {
        partition_send_lines(server);
    }
    for (int i = 0; i < count; i++) {
        struct partition_connection *connection = events[i].data.ptr;
        if (connection->kind == CONNECTION_CONTROL) {
            handled += drain_control(server);
        }
    }
    for (int i = 0; i < count; i++) {
        handle(server, events[i].data.ptr);
        handled++;
    }
    return handled;
}

/* ---- Making and freeing ---- */

static struct partition_server *make_server(const struct partition_settings *settings,
                                            const struct partition_operations *operations,
                                            void *context)
{
    struct partition_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        return NULL;
    }
    server->settings = *settings;
    server->settings.path = NULL;
    server->operations = operations;
    server->context = context;
    server->listener = (struct partition_connection){server, -1, CONNECTION_LISTENER, 0, NULL};
    server->control = (struct partition_connection){server, -1, CONNECTION_CONTROL, 0, NULL};
    server->signals = (struct partition_connection){server, -1, CONNECTION_SIGNALS, 0, NULL};
    server->page_file = server->signal_event = -1;
    for (uint32_t i = 0; i < PARTITION_PROCESSORS_MAX; i++) {
        server->processors[i] =
            (struct partition_connection){server, -1, CONNECTION_PROCESSOR, i, NULL};
        server->interrupt_events[i] = -1;
    }
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll < 0) {
        free(server);
        return NULL;
    }
    return server;
}

int partition_server_open(const struct partition_settings *settings,
                          const struct partition_operations *operations, void *context,
                          struct partition_server **result, char *error, size_t error_size)
{
    struct partition_server *server = make_server(settings, operations, context);
    if (server == NULL) {
        snprintf(error, error_size, "partition socket: %s", strerror(errno));
        return -ENOMEM;
    }
    int status = listen_open(settings->path, SOCK_SEQPACKET, LISTEN_BACKLOG,
                             &server->listener.socket, error, error_size);
    if (status == 0) {
        server->path = strdup(settings->path);
        status = server->path == NULL ? -ENOMEM : partition_watch(server, &server->listener);
        if (status != 0) {
            snprintf(error, error_size, "%s: %s", settings->path, strerror(-status));
        }
    }
    if (status != 0) {
        partition_server_free(server);
        return status;
    }
    *result = server;
    return 0;
}

int partition_server_adopt_control(const struct partition_settings *settings,
                                   const struct partition_operations *operations, void *context,
                                   int control, struct partition_server **result)
{
    struct partition_server *server = make_server(settings, operations, context);
    if (server == NULL) {
        close(control);
        return -ENOMEM;
    }
    partition_server_adopt(server, control);
    *result = server;
    return 0;
}

void partition_server_free(struct partition_server *server)
{
    if (server == NULL) {
        return;
    }
    server->ended = true;
    while (server->new_connections != NULL) {
        drop_new(server, server->new_connections);
    }
    end_pending(server);
    for (uint32_t i = 0; i < PARTITION_PROCESSORS_MAX; i++) {
        forget(server, &server->processors[i]);
    }
    forget(server, &server->signals);
    forget(server, &server->control);
    forget(server, &server->listener);
    partition_pages_close(server);
    for (unsigned i = 0; i < server->ram_count; i++) {
        munmap(server->ram[i].host, server->ram[i].size);
    }
    if (server->path != NULL) {
        unlink(server->path);
        free(server->path);
    }
    close(server->epoll);
    free(server);
}

int partition_server_descriptor(const struct partition_server *server)
{
    return server->epoll;
}

void partition_server_report(const struct partition_server *server,
                             struct partition_report *report)
{
    *report = (struct partition_report){
        .connected = server->greeted && !server->ended,
        .started = server->started && !server->ended,
        .processors = server->processor_count,
        .processors_attached = server->attached_count,
        .guest_mode = server->guest_mode,
        .flags = server->flags,
        .ram_bytes = server->ram_bytes,
        .exits = server->exits,
        .signals = server->signals_seen,
        .interrupts = server->interrupts,
    };
}
