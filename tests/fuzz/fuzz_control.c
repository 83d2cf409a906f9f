/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: the control socket. Bytes of a client; every line that is not empty gets exactly one
 * answer, which is JSON.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/server/control_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition) {
        abort();
    }
}

static void handle(void *context, const char *verb, struct json_object *arguments,
                   struct control_ticket *ticket)
{
    require(json_object_is_type(arguments, json_type_object));
    if (strcmp(verb, "no") == 0) {
        control_refuse(ticket, -1, "%s", verb);
    } else {
        control_answer(ticket, json_object_get(arguments));
    }
}

/* Reads what has come, and counts the lines. */
static unsigned count_answers(int socket)
{
    static char text[1 << 20];
    size_t used = 0;
    ssize_t got;
    while ((got = recv(socket, text + used, sizeof(text) - 1 - used, MSG_DONTWAIT)) > 0) {
        used += (size_t)got;
    }
    text[used] = '\0';
    unsigned lines = 0;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        struct json_object *answer = json_tokener_parse(line), *ok;
        require(json_object_object_get_ex(answer, "ok", &ok));
        json_object_put(answer);
        lines++;
    }
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_server *server;
    int pair[2];
    unsigned lines = 0;
    if (size > 16384) {
        return 0;
    }
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    require(control_server_adopt(pair[1], handle, NULL, &server) == 0);
    for (size_t i = 0, start = 0; i < size; i++) {
        if (data[i] == '\n') {
            lines += i > start;
            start = i + 1;
        }
    }
    for (size_t sent = 0; sent < size;) {
        size_t piece = size - sent > 700 ? 700 : size - sent;
        require(send(pair[0], data + sent, piece, MSG_NOSIGNAL) == (ssize_t)piece);
        sent += piece;
        control_server_run(server);
    }
    require(count_answers(pair[0]) == lines);
    control_server_free(server);
    close(pair[0]);
    return 0;
}
