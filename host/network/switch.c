/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An internal switch between machines of one user. Each port is a datagram socket in the switch's
 * folder, under /run/user or /tmp, which only its owner may enter; a frame goes to the port whose
 * address was seen there, or to all of them. No process is in the middle, none has to be first.
 */
#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "host/network/port.h"

enum { ADDRESSES = 256, FRAMES_A_RUN = 64, NAME_MAX_LENGTH = 32, SEND_BUFFER = 1 << 20 };

struct learnt {
    uint8_t address[FRAME_ADDRESS];
    struct sockaddr_un port; /* sun_path empty: no entry */
};

struct switch_port {
    struct network_port port; /* first */
    int socket;
    char folder[64];
    struct sockaddr_un own;
    struct learnt learnt[ADDRESSES];
    uint64_t flooded, dropped;
    uint8_t buffer[FRAME_SIZE_MAX + FRAME_TAG];
};

static struct learnt *slot(struct switch_port *port, const uint8_t *address)
{
    return &port->learnt[(address[5] ^ address[4] * 7u ^ address[3] * 31u) % ADDRESSES];
}

static void send_to(struct switch_port *port, const struct sockaddr_un *to,
                    const struct frame *frame)
{
    if (sendto(port->socket, frame->bytes, frame->size, MSG_DONTWAIT, (const struct sockaddr *)to,
               sizeof(*to)) < 0) {
        port->dropped++;
        if (errno == ECONNREFUSED) {
            unlink(to->sun_path); /* its owner is gone */
        }
    }
}

static void flood(struct switch_port *port, const struct frame *frame)
{
    DIR *folder = opendir(port->folder);
    if (folder == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        if (entry->d_name[0] == '.') {
            continue;
        }
        int length = snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s", port->folder,
                              entry->d_name);
        if (length < (int)sizeof(to.sun_path) && strcmp(to.sun_path, port->own.sun_path) != 0) {
            send_to(port, &to, frame);
        }
    }
    closedir(folder);
    port->flooded++;
}

static void switch_send(struct network_port *base, struct frame *frame)
{
    struct switch_port *port = (struct switch_port *)base;
    if (frame->size < FRAME_HEADER) {
        return;
    }
    const struct learnt *known = slot(port, frame->bytes);
    if ((frame->bytes[0] & 1) == 0 && known->port.sun_path[0] != '\0' &&
        memcmp(known->address, frame->bytes, FRAME_ADDRESS) == 0 &&
        access(known->port.sun_path, F_OK) == 0) {
        send_to(port, &known->port, frame);
    } else {
        flood(port, frame);
    }
}

/* As a switch whose port is full. Frames that nobody reads would stay on their senders' account,
 * and keep these from sending to others (unix(7), SO_SNDBUF). */
static bool drop_if_full(struct switch_port *port)
{
    const struct network_port *base = &port->port;
    if (base->has_room == NULL || base->has_room(base->adapter)) {
        return false;
    }
    port->dropped++;
    return true;
}

static void switch_run(struct network_port *base, uint64_t now_ns)
{
    struct switch_port *port = (struct switch_port *)base;
    for (int i = 0; i < FRAMES_A_RUN; i++) {
        struct sockaddr_un from = {0};
        socklen_t from_size = sizeof(from);
        ssize_t size = recvfrom(port->socket, port->buffer, FRAME_SIZE_MAX, MSG_DONTWAIT,
                                (struct sockaddr *)&from, &from_size);
        if (size < 0) {
            return;
        }
        if (size < FRAME_HEADER) {
            continue;
        }
        if ((port->buffer[6] & 1) == 0) {
            struct learnt *known = slot(port, port->buffer + FRAME_ADDRESS);
            memcpy(known->address, port->buffer + FRAME_ADDRESS, FRAME_ADDRESS);
            known->port = from;
        }
        struct frame frame = {.bytes = port->buffer, .size = (size_t)size};
        if (!drop_if_full(port)) {
            network_port_receive(base, &frame);
        }
    }
}

static int switch_descriptor(struct network_port *base)
{
    return ((struct switch_port *)base)->socket;
}

static void switch_describe(struct network_port *base, struct json_object *to)
{
    struct switch_port *port = (struct switch_port *)base;
    json_object_object_add(to, "flooded", json_object_new_uint64(port->flooded));
    json_object_object_add(to, "dropped", json_object_new_uint64(port->dropped));
}

static void switch_free(struct network_port *base)
{
    struct switch_port *port = (struct switch_port *)base;
    if (port->own.sun_path[0] != '\0') {
        unlink(port->own.sun_path);
        rmdir(port->folder); /* the last one out */
    }
    if (port->socket >= 0) {
        close(port->socket);
    }
    free(port);
}

static const struct network_port_operations operations = {
    .kind = "switch",
    .send = switch_send,
    .descriptor = switch_descriptor,
    .run = switch_run,
    .describe = switch_describe,
    .free = switch_free,
};

static bool name_is_good(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length <= NAME_MAX_LENGTH &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
               length;
}

/* The folder, which must be ours alone: others could otherwise read or forge frames. */
static int make_folder(struct switch_port *port, const char *name)
{
    struct stat status;
    snprintf(port->folder, sizeof(port->folder), "/run/user/%u", (unsigned)getuid());
    bool runtime = access(port->folder, W_OK) == 0;
    snprintf(port->folder, sizeof(port->folder),
             runtime ? "/run/user/%u/machv-%s" : "/tmp/machv-%u-%s", (unsigned)getuid(), name);
    if (mkdir(port->folder, 0700) != 0 && errno != EEXIST) {
        return -errno;
    }
    if (lstat(port->folder, &status) != 0) {
        return -errno;
    }
    return S_ISDIR(status.st_mode) && status.st_uid == getuid() && (status.st_mode & 077) == 0
               ? 0
               : -EACCES;
}

static int open_port(struct switch_port *port, const char *name)
{
    static unsigned number; /* of this process's ports */
    const int size = SEND_BUFFER;
    int result = make_folder(port, name);
    if (result != 0) {
        return result;
    }
    port->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (port->socket < 0) {
        return -errno;
    }
    setsockopt(port->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    struct sockaddr_un own = {.sun_family = AF_UNIX};
    snprintf(own.sun_path, sizeof(own.sun_path), "%s/%u-%u", port->folder, (unsigned)getpid(),
             number++);
    unlink(own.sun_path);
    if (bind(port->socket, (struct sockaddr *)&own, sizeof(own)) != 0) {
        return -errno;
    }
    port->own = own;
    return 0;
}

struct network_port *network_switch_open(const char *name, char *error, size_t error_size)
{
    struct switch_port *port = calloc(1, sizeof(*port));
    if (port == NULL || !name_is_good(name)) {
        snprintf(error, error_size, "switch %s: letters, digits, '-' and '_' are allowed, 1 to 32",
                 name);
        free(port);
        return NULL;
    }
    port->port.operations = &operations;
    port->socket = -1;
    int result = open_port(port, name);
    if (result != 0) {
        snprintf(error, error_size, "switch %s: %s", name, strerror(-result));
        switch_free(&port->port);
        return NULL;
    }
    return &port->port;
}
