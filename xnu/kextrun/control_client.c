/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kextrun ioreg|stats|log|threads|display|quit: talks to a running kextrun.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "xnu/kextrun/kextrun.h"
#include "xnu/machine/files.h"

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

/* The first line is "ok" or "error" and a text; the rest of a good answer goes to the output. */
static int print_answer(FILE *answer) {
    char line[400], part[4096];
    size_t length;
    if (fgets(line, sizeof line, answer) == NULL) {
        fprintf(stderr, "kextrun: no answer\n");
        return MACHINE_EXIT_FAILURE;
    }
    if (strcmp(line, "ok\n") != 0) {
        fprintf(stderr, "kextrun: %s", strncmp(line, "error ", 6) == 0 ? line + 6 : line);
        return MACHINE_EXIT_FAILURE;
    }
    while ((length = fread(part, 1, sizeof part, answer)) != 0) {
        fwrite(part, 1, length, stdout);
    }
    return fflush(stdout) == 0 ? MACHINE_EXIT_OK : MACHINE_EXIT_FAILURE;
}

int control_send_command(const struct kextrun_options *options) {
    char request[sizeof options->request + 2];
    int descriptor = connect_to(options->control);
    if (descriptor < 0) {
        fprintf(stderr, "kextrun: no kextrun at %s: %s; is one running with --control %s?\n",
                options->control, machine_error_text(descriptor), options->control);
        return MACHINE_EXIT_FAILURE;
    }
    int length = snprintf(request, sizeof request, "%s\n", options->request);
    FILE *answer = fdopen(descriptor, "r");
    if (answer == NULL || send(descriptor, request, (size_t)length, MSG_NOSIGNAL) != length) {
        fprintf(stderr, "kextrun: cannot talk to %s: %s\n", options->control,
                machine_error_text(errno));
        return MACHINE_EXIT_FAILURE;
    }
    int status = print_answer(answer);
    fclose(answer);
    return status;
}
