/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kextrun ioreg|stats|log|threads|display|net|sleep|wake|quit: talks to a running kextrun.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "xnu/kextrun/kextrun.h"
#include "xnu/kextrun/net_client.h"
#include "xnu/machine/files.h"

enum { KEXTRUN_START_MS = 2000, LOOK_AGAIN_MS = 20 };

static int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return -ENAMETOOLONG;
    }
    strcpy(address.sun_path, path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0 &&
        connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) {
        return descriptor;
    }
    int error = -errno;
    if (descriptor >= 0) {
        close(descriptor);
    }
    return error;
}

/* The kextrun that is asked may have been started in the same breath. */
static int connect_when_it_listens(const char *path) {
    int descriptor = connect_to(path);
    for (int waited = 0;
         (descriptor == -ENOENT || descriptor == -ECONNREFUSED) && waited < KEXTRUN_START_MS;
         waited += LOOK_AGAIN_MS) {
        poll(NULL, 0, LOOK_AGAIN_MS);
        descriptor = connect_to(path);
    }
    return descriptor;
}

/* Byte by byte: what follows the line may be a conversation. */
static bool read_line(int connection, char *line, size_t size) {
    size_t length = 0;
    while (length + 1 < size && read(connection, line + length, 1) == 1) {
        if (line[length++] == '\n') {
            break;
        }
    }
    line[length] = '\0';
    return length != 0;
}

/* The first line is "ok", or "error" or "usage" and a text. */
static int check_answer(int connection) {
    char line[400];
    if (!read_line(connection, line, sizeof line)) {
        fprintf(stderr, "kextrun: no answer\n");
        return MACHINE_EXIT_FAILURE;
    }
    if (strcmp(line, "ok\n") == 0) {
        return MACHINE_EXIT_OK;
    }
    const bool usage = strncmp(line, "usage ", 6) == 0;
    fprintf(stderr, "kextrun: %s",
            usage || strncmp(line, "error ", 6) == 0 ? line + 6 : line);
    return usage ? MACHINE_EXIT_USAGE : MACHINE_EXIT_FAILURE;
}

/* The rest of a good answer goes to the output. */
static int print_answer(int connection) {
    char part[4096];
    ssize_t length;
    while ((length = read(connection, part, sizeof part)) > 0) {
        fwrite(part, 1, (size_t)length, stdout);
    }
    return fflush(stdout) == 0 ? MACHINE_EXIT_OK : MACHINE_EXIT_FAILURE;
}

int control_send_command(const struct kextrun_options *options) {
    char request[sizeof options->request + 2];
    int descriptor = connect_when_it_listens(options->control);
    if (descriptor < 0) {
        fprintf(stderr, "kextrun: no kextrun at %s: %s; is one running with --control %s?\n",
                options->control, machine_error_text(descriptor), options->control);
        return MACHINE_EXIT_FAILURE;
    }
    int length = snprintf(request, sizeof request, "%s\n", options->request);
    if (send(descriptor, request, (size_t)length, MSG_NOSIGNAL) != length) {
        fprintf(stderr, "kextrun: cannot talk to %s: %s\n", options->control,
                machine_error_text(errno));
        close(descriptor);
        return MACHINE_EXIT_FAILURE;
    }
    int status = check_answer(descriptor);
    if (status == MACHINE_EXIT_OK) {
        status = net_client_converses(options) ? net_client_converse(options, descriptor)
                                               : print_answer(descriptor);
    }
    close(descriptor);
    return status;
}
