/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket: how hvctl and other tools talk to a running host. AF_UNIX, SOCK_STREAM, one
 * JSON object a line each way; docs/hvhost.md has the verbs.
 *
 *   request   {"id": 1, "verb": "disk-add", "arguments": {"path": "a.img"}}
 *   answer    {"id": 1, "ok": true, "result": {...}}
 *             {"id": 1, "ok": false, "error": "one line", "code": "ENOENT"}
 *   event     {"event": "violation", ...}     after the verb "events"
 *
 * Answers may come in another order than the requests.
 */
#ifndef HOST_SERVER_CONTROL_SERVER_H
#define HOST_SERVER_CONTROL_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct control_server;
struct control_ticket;
struct json_object;

enum {
    CONTROL_LINE_MAX = 64 << 10,     /* bytes of a request */
    CONTROL_BACKLOG_MAX = 4 << 20,   /* bytes that a client may leave unread; then it is dropped */
    CONTROL_CLIENTS_MAX = 32,
    CONTROL_DEPTH_MAX = 16,
};

/*
 * A request. `arguments` is an object (empty if there was none), borrowed for the call. The ticket
 * must be answered exactly once, now or later, with control_answer() or control_refuse().
 */
typedef void control_handler(void *context, const char *verb, struct json_object *arguments,
                             struct control_ticket *ticket);

/* Returns 0 and *server, or a negative errno and a line in `error`. */
int control_server_open(const char *path, control_handler *handler, void *context,
                        struct control_server **server, char *error, size_t error_size);

/* The same around one connected socket, for tests. Takes the descriptor. */
int control_server_adopt(int socket, control_handler *handler, void *context,
                         struct control_server **server);

/* Tickets that are still open must be answered before. NULL is allowed. */
void control_server_free(struct control_server *server);

/* For epoll: readable when there is something for control_server_run() to do, which never waits
 * and calls the handler for each request that has come. */
int control_server_descriptor(const struct control_server *server);
void control_server_run(struct control_server *server);

/* Sends what is queued, waiting up to a second for slow readers: before the process ends. */
void control_server_flush(struct control_server *server);

/* Keeps what control_answer() will say without a result of its own: for work whose end knows no
 * more than that it went well. `result` is taken over. */
void control_prepare(struct control_ticket *ticket, struct json_object *result);

/* The answers; both free the ticket. `result` is taken over; NULL: what was prepared, or an empty
 * object. */
void control_answer(struct control_ticket *ticket, struct json_object *result);
void control_refuse(struct control_ticket *ticket, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Is the client still there? For long work, which is not done for nobody. */
bool control_is_awaited(const struct control_ticket *ticket);

/* From now on this client gets events too. */
void control_subscribe(struct control_ticket *ticket);

/* Sends an event to all who asked for events. Takes `event` over. */
void control_server_event(struct control_server *server, struct json_object *event);

#endif
