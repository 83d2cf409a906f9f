/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket from the asking side: one JSON object a line. */
#ifndef HOST_HVCTL_CLIENT_H
#define HOST_HVCTL_CLIENT_H

#include <stdio.h>

struct json_object;

struct hvctl_client {
    FILE *stream;
    char *line; /* getline()'s */
    size_t line_size;
};

/* Returns 0 or a negative errno; -ENOENT and -ECONNREFUSED after waiting two seconds for a host. */
int hvctl_client_open(struct hvctl_client *client, const char *path);
void hvctl_client_close(struct hvctl_client *client);

/* Sends a request (`arguments` is taken over) and waits for its answer, the caller's, or NULL. */
struct json_object *hvctl_client_call(struct hvctl_client *client, const char *verb,
                                      struct json_object *arguments);

/* The same; events that come before the answer are shown to `event`, if that is not NULL. */
struct json_object *hvctl_client_watch(struct hvctl_client *client, const char *verb,
                                       struct json_object *arguments,
                                       void (*event)(struct json_object *event));

/* The next object that comes, the caller's; NULL at the end. */
struct json_object *hvctl_client_receive(struct hvctl_client *client);

#endif
