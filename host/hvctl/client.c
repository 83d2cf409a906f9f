/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket from the asking side. */
#include "host/hvctl/client.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The host may have been started in the same breath. */
enum { HOST_START_MS = 2000, LOOK_AGAIN_MS = 20 };

/* Returns a descriptor or a negative errno. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        return -ENAMETOOLONG;
    }
    strcpy(address.sun_path, path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return -errno;
    }
    if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)) != 0) {
        int error = -errno;
        close(descriptor);
        return error;
    }
    return descriptor;
}

int hvctl_client_open(struct hvctl_client *client, const char *path)
{
    int descriptor = connect_to(path);
    for (int waited = 0;
         (descriptor == -ENOENT || descriptor == -ECONNREFUSED) && waited < HOST_START_MS;
         waited += LOOK_AGAIN_MS) {
        poll(NULL, 0, LOOK_AGAIN_MS);
        descriptor = connect_to(path);
    }
    if (descriptor < 0) {
        return descriptor;
    }
    *client = (struct hvctl_client){.stream = fdopen(descriptor, "r+")};
    if (client->stream == NULL) {
        close(descriptor);
        return -ENOMEM;
    }
    return 0;
}

void hvctl_client_close(struct hvctl_client *client)
{
    fclose(client->stream);
    free(client->line);
}

struct json_object *hvctl_client_receive(struct hvctl_client *client)
{
    ssize_t length = getline(&client->line, &client->line_size, client->stream);
    return length > 0 ? json_tokener_parse(client->line) : NULL;
}

struct json_object *hvctl_client_watch(struct hvctl_client *client, const char *verb,
                                       struct json_object *arguments,
                                       void (*event)(struct json_object *event))
{
    struct json_object *request = json_object_new_object();
    json_object_object_add(request, "id", json_object_new_int(1));
    json_object_object_add(request, "verb", json_object_new_string(verb));
    json_object_object_add(request, "arguments", arguments);
    int written = fprintf(client->stream, "%s\n",
                          json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
    json_object_put(request);
    if (written < 0 || fflush(client->stream) != 0) {
        return NULL;
    }
    struct json_object *answer, *id;
    while ((answer = hvctl_client_receive(client)) != NULL &&
           !json_object_object_get_ex(answer, "id", &id)) {
        if (event != NULL) {
            event(answer);
        }
        json_object_put(answer);
    }
    return answer;
}

struct json_object *hvctl_client_call(struct hvctl_client *client, const char *verb,
                                      struct json_object *arguments)
{
    return hvctl_client_watch(client, verb, arguments, NULL);
}
