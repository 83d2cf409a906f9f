/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket's server: lines of JSON. */
#include "host/server/control_server.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/server/listen.h"

enum { EVENT_BATCH = 16, LISTEN_BACKLOG = 8, FLUSH_WAIT_MS = 1000, TEXT_MAX = 512 };

struct control_client {
    struct control_server *server;
    struct control_client *next;
    int socket;
    unsigned tickets; /* open ones */
    bool gone;        /* socket closed; freed when the last ticket is answered */
    bool events;
    char *in;         /* CONTROL_LINE_MAX + 1 bytes */
    size_t in_used;
    bool skipping;    /* the rest of a line that was too long */
    char *out;
    size_t out_used, out_size;
};

struct control_ticket {
    struct control_client *client;
    struct json_object *id; /* owned; NULL: null */
    struct json_object *prepared; /* owned; NULL: nothing was */
};

struct control_server {
    control_handler *handler;
    void *context;
    int epoll;
    int listener;
    char *path;
    struct control_client *clients;
    unsigned client_count;
};

/* ---- Clients ---- */

static void free_client(struct control_client *client)
{
    struct control_server *server = client->server;
    for (struct control_client **link = &server->clients; *link != NULL; link = &(*link)->next) {
        if (*link == client) {
            *link = client->next;
            break;
        }
    }
    server->client_count--;
    free(client->in);
    free(client->out);
    free(client);
}

static void close_client(struct control_client *client)
{
    if (client->gone) {
        return;
    }
    client->gone = true;
    epoll_ctl(client->server->epoll, EPOLL_CTL_DEL, client->socket, NULL);
    close(client->socket);
    client->socket = -1;
}

static void reap_clients(struct control_server *server)
{
    struct control_client *client = server->clients;
    while (client != NULL) {
        struct control_client *next = client->next;
        if (client->gone && client->tickets == 0) {
            free_client(client);
        }
        client = next;
    }
}

static void add_client(struct control_server *server, int socket)
{
    struct control_client *client =
        server->client_count < CONTROL_CLIENTS_MAX ? calloc(1, sizeof(*client)) : NULL;
    if (client != NULL) {
        client->in = malloc(CONTROL_LINE_MAX + 1);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (client == NULL || client->in == NULL ||
        epoll_ctl(server->epoll, EPOLL_CTL_ADD, socket, &event) != 0) {
        if (client != NULL) {
            free(client->in);
        }
        free(client);
        close(socket);
        return;
    }
    client->server = server;
    client->socket = socket;
    client->next = server->clients;
    server->clients = client;
    server->client_count++;
}

/* ---- Sending ---- */

static void watch_output(struct control_client *client)
{
    struct epoll_event event = {
        .events = EPOLLIN | (client->out_used > 0 ? EPOLLOUT : 0),
        .data.ptr = client,
    };
    epoll_ctl(client->server->epoll, EPOLL_CTL_MOD, client->socket, &event);
}

static void write_out(struct control_client *client)
{
    while (client->out_used > 0) {
        ssize_t sent = send(client->socket, client->out, client->out_used,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0) {
            if (errno != EAGAIN) {
                close_client(client);
                return;
            }
            break;
        }
        client->out_used -= (size_t)sent;
        memmove(client->out, client->out + sent, client->out_used);
    }
    watch_output(client);
}

static void queue_line(struct control_client *client, const char *text)
{
    size_t length = strlen(text);
    size_t wanted = client->out_used + length + 1;
    if (client->gone) {
        return;
    }
    if (wanted > client->out_size) {
        size_t size = wanted * 2;
        char *out = wanted > CONTROL_BACKLOG_MAX ? NULL : realloc(client->out, size);
        if (out == NULL) {
            close_client(client); /* it does not read what it asked for */
            return;
        }
        client->out = out;
        client->out_size = size;
    }
    memcpy(client->out + client->out_used, text, length);
    client->out[client->out_used + length] = '\n';
    client->out_used = wanted;
    write_out(client);
}

static void send_object(struct control_client *client, struct json_object *object)
{
    queue_line(client, json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
                                                                  JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void finish(struct control_ticket *ticket, struct json_object *answer)
{
    struct control_client *client = ticket->client;
    send_object(client, answer);
    json_object_put(answer);
    json_object_put(ticket->prepared);
    client->tickets--;
    free(ticket);
}

void control_prepare(struct control_ticket *ticket, struct json_object *result)
{
    json_object_put(ticket->prepared);
    ticket->prepared = result;
}

void control_answer(struct control_ticket *ticket, struct json_object *result)
{
    if (result == NULL) {
        result = json_object_get(ticket->prepared);
    }
    struct json_object *answer = json_object_new_object();
    json_object_object_add(answer, "id", ticket->id);
    json_object_object_add(answer, "ok", json_object_new_boolean(true));
    json_object_object_add(answer, "result", result != NULL ? result : json_object_new_object());
    finish(ticket, answer);
}

void control_refuse(struct control_ticket *ticket, int status, const char *format, ...)
{
    char text[TEXT_MAX];
    const char *code = strerrorname_np(-status);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    struct json_object *answer = json_object_new_object();
    json_object_object_add(answer, "id", ticket->id);
    json_object_object_add(answer, "ok", json_object_new_boolean(false));
    json_object_object_add(answer, "error", json_object_new_string(text));
    json_object_object_add(answer, "code", json_object_new_string(code != NULL ? code : "EIO"));
    finish(ticket, answer);
}

bool control_is_awaited(const struct control_ticket *ticket)
{
    return !ticket->client->gone;
}

void control_subscribe(struct control_ticket *ticket)
{
    ticket->client->events = true;
}

void control_server_event(struct control_server *server, struct json_object *event)
{
    for (struct control_client *client = server->clients; client != NULL; client = client->next) {
        if (client->events && !client->gone) {
            send_object(client, event);
        }
    }
    json_object_put(event);
}

/* ---- Receiving ---- */

static struct control_ticket *make_ticket(struct control_client *client, struct json_object *id)
{
    struct control_ticket *ticket = calloc(1, sizeof(*ticket));
    if (ticket != NULL) {
        ticket->client = client;
        ticket->id = json_object_get(id);
        client->tickets++;
    }
    return ticket;
}

static bool is_scalar(struct json_object *value)
{
    return !json_object_is_type(value, json_type_object) &&
           !json_object_is_type(value, json_type_array);
}

static void take_object(struct control_client *client, struct json_object *request)
{
    struct control_server *server = client->server;
    struct json_object *id = NULL, *verb = NULL, *arguments = NULL;
    if (json_object_is_type(request, json_type_object)) {
        json_object_object_get_ex(request, "id", &id);
        json_object_object_get_ex(request, "verb", &verb);
        json_object_object_get_ex(request, "arguments", &arguments);
    }
    struct control_ticket *ticket = make_ticket(client, is_scalar(id) ? id : NULL);
    if (ticket == NULL) {
        close_client(client);
        return;
    }
    if (!json_object_is_type(verb, json_type_string) ||
        (arguments != NULL && !json_object_is_type(arguments, json_type_object))) {
        control_refuse(ticket, -EINVAL, "a request is an object with a string \"verb\" and, if "
                                        "wanted, an object \"arguments\"");
        return;
    }
    struct json_object *given = arguments != NULL ? json_object_get(arguments)
                                                  : json_object_new_object();
    server->handler(server->context, json_object_get_string(verb), given, ticket);
    json_object_put(given);
}

static void refuse_line(struct control_client *client, const char *why)
{
    struct control_ticket *ticket = make_ticket(client, NULL);
    if (ticket == NULL) {
        close_client(client);
        return;
    }
    control_refuse(ticket, -EINVAL, "%s", why);
}

static void take_line(struct control_client *client, const char *line, size_t length)
{
    struct json_tokener *tokener = json_tokener_new_ex(CONTROL_DEPTH_MAX);
    if (tokener == NULL) {
        close_client(client);
        return;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *request = json_tokener_parse_ex(tokener, line, (int)length);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    if (error == json_tokener_continue) { /* a bare number ends only here */
        json_object_put(request);
        request = json_tokener_parse_ex(tokener, "", 1);
        error = json_tokener_get_error(tokener);
    }
    if (error != json_tokener_success) {
        char why[TEXT_MAX];
        snprintf(why, sizeof(why), "not JSON: %s", json_tokener_error_desc(error));
        refuse_line(client, why);
    } else {
        take_object(client, request);
    }
    json_object_put(request);
    json_tokener_free(tokener);
}

static void take_lines(struct control_client *client)
{
    char *end;
    while (!client->gone && (end = memchr(client->in, '\n', client->in_used)) != NULL) {
        size_t length = (size_t)(end - client->in);
        if (client->skipping) {
            client->skipping = false;
        } else if (length > 0) {
            *end = '\0';
            take_line(client, client->in, length);
        }
        client->in_used -= length + 1;
        memmove(client->in, end + 1, client->in_used);
    }
    if (client->in_used == CONTROL_LINE_MAX && !client->gone) {
        if (!client->skipping) {
            refuse_line(client, "the line is too long");
        }
        client->skipping = true;
        client->in_used = 0;
    }
}

static void client_readable(struct control_client *client)
{
    ssize_t size = recv(client->socket, client->in + client->in_used,
                        CONTROL_LINE_MAX - client->in_used, MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
        close_client(client);
    } else if (size > 0) {
        client->in_used += (size_t)size;
        take_lines(client);
    }
}

void control_server_run(struct control_server *server)
{
    struct epoll_event events[EVENT_BATCH];
    int count = epoll_wait(server->epoll, events, EVENT_BATCH, 0);
    for (int i = 0; i < count; i++) {
        struct control_client *client = events[i].data.ptr;
        if (client == NULL) {
            int socket;
            while ((socket = listen_accept(server->listener)) >= 0) {
                add_client(server, socket);
            }
            continue;
        }
        if (!client->gone && (events[i].events & EPOLLOUT) != 0) {
            write_out(client);
        }
        if (!client->gone && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
            client_readable(client);
        }
    }
    reap_clients(server);
}

void control_server_flush(struct control_server *server)
{
    for (struct control_client *client = server->clients; client != NULL; client = client->next) {
        struct pollfd entry = {.fd = client->socket, .events = POLLOUT};
        while (!client->gone && client->out_used > 0 && poll(&entry, 1, FLUSH_WAIT_MS) > 0) {
            write_out(client);
        }
    }
}

/* ---- Making and freeing ---- */

static struct control_server *make_server(control_handler *handler, void *context)
{
    struct control_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        return NULL;
    }
    server->handler = handler;
    server->context = context;
    server->listener = -1;
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll < 0) {
        free(server);
        return NULL;
    }
    return server;
}

int control_server_open(const char *path, control_handler *handler, void *context,
                        struct control_server **result, char *error, size_t error_size)
{
    struct control_server *server = make_server(handler, context);
    if (server == NULL) {
        snprintf(error, error_size, "control socket: %s", strerror(errno));
        return -ENOMEM;
    }
    int status = listen_open(path, SOCK_STREAM, LISTEN_BACKLOG, &server->listener, error,
                             error_size);
    if (status == 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
        server->path = strdup(path);
        if (server->path == NULL ||
            epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &event) != 0) {
            status = -ENOMEM;
            snprintf(error, error_size, "socket %s: %s", path, strerror(-status));
        }
    }
    if (status != 0) {
        control_server_free(server);
        return status;
    }
    *result = server;
    return 0;
}

int control_server_adopt(int socket, control_handler *handler, void *context,
                         struct control_server **result)
{
    struct control_server *server = make_server(handler, context);
    if (server == NULL) {
        close(socket);
        return -ENOMEM;
    }
    add_client(server, socket);
    *result = server;
    return 0;
}

void control_server_free(struct control_server *server)
{
    if (server == NULL) {
        return;
    }
    while (server->clients != NULL) {
        close_client(server->clients);
        free_client(server->clients);
    }
    if (server->listener >= 0) {
        close(server->listener);
    }
    if (server->path != NULL) {
        unlink(server->path);
        free(server->path);
    }
    close(server->epoll);
    free(server);
}

int control_server_descriptor(const struct control_server *server)
{
    return server->epoll;
}
