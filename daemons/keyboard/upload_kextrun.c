/* SPDX-License-Identifier: BSD-3-Clause */
/* Gives a layout to the driver in kextrun: the table in a file beside the control socket, and the
 * command that sets a property to a file's bytes. */
#include "daemons/keyboard/agent.h"

#ifndef __APPLE__
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemons/common/daemon.h"

#define ANSWER_MAXIMUM 256u

static int write_table(const char *path, const uint8_t *table, size_t size)
{
    FILE *file = fopen(path, "wb");
    int failed;

    if (file == NULL)
        return -1;
    failed = fwrite(table, 1, size, file) != size;
    return fclose(file) != 0 || failed ? -1 : 0;
}

static int connect_to(const char *control)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int descriptor;

    if (strlen(control) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, control);
    descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0 &&
        connect(descriptor, (const struct sockaddr *)&address, sizeof address) == 0)
        return descriptor;
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

/* Sends the command and takes the answer: "ok", or "error" and a reason. */
static int ask(int descriptor, const char *path)
{
    char request[PATH_MAX + 64], answer[ANSWER_MAXIMUM];
    size_t got = 0;
    ssize_t count;
    int length = snprintf(request, sizeof request, "set " AGENT_DRIVER " " KEY_LAYOUT_PROPERTY
                          " @%s\n", path);

    if (send(descriptor, request, (size_t)length, MSG_NOSIGNAL) != length)
        return -1;
    while (got + 1 < sizeof answer &&
           (count = read(descriptor, answer + got, sizeof answer - 1 - got)) > 0)
        got += (size_t)count;
    answer[got] = '\0';
    if (strcmp(answer, "ok\n") == 0)
        return 0;
    daemon_error("kextrun says: %.*s", (int)strcspn(answer, "\n"), answer);
    return 1;
}

int layout_upload(const char *control, const uint8_t *table, size_t size)
{
    char path[PATH_MAX], whole[PATH_MAX];
    int descriptor, result = -1;

    snprintf(path, sizeof path, "%s.layout", control);
    if (write_table(path, table, size) != 0 || realpath(path, whole) == NULL) {
        daemon_error("%s: %s", path, strerror(errno));
        return -1;
    }
    descriptor = connect_to(control);
    if (descriptor >= 0) {
        result = ask(descriptor, whole);
        close(descriptor);
    }
    if (result < 0)
        daemon_error("no kextrun at %s: %s", control, strerror(errno));
    unlink(path);
    return result == 0 ? 0 : -1;
}
#endif
