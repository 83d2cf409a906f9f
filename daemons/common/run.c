/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that a daemon runs. */
#include "daemons/common/daemon.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(const char *command, const char *first, const char *second, int input)
{
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    if (dup2(input, STDIN_FILENO) < 0)
        _exit(126);
    execl("/bin/sh", "sh", "-c", command, "sh", first, first != NULL ? second : NULL, (char *)NULL);
    _exit(127);
}

static void feed(int descriptor, const char *text)
{
    size_t length = text != NULL ? strlen(text) : 0;

    while (length > 0) {
        ssize_t written = write(descriptor, text, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;                     /* the command does not want it */
        text += written;
        length -= (size_t)written;
    }
}

int daemon_run(const char *command, const char *first, const char *second, const char *input)
{
    int ends[2], status = 0;
    pid_t child;

    if (pipe(ends) != 0)
        return -1;
    child = fork();
    if (child == 0) {
        close(ends[1]);
        become(command, first, second, ends[0]);
    }
    close(ends[0]);
    if (child > 0)
        feed(ends[1], input);
    close(ends[1]);
    if (child < 0)
        return -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
