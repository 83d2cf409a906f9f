/* SPDX-License-Identifier: BSD-3-Clause */
/* Child processes. */
#include "setup/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Keeps the last non-empty line of what the descriptor gives until it is closed. */
static void read_last_line(int descriptor, char *line, size_t capacity)
{
    size_t length = 0;
    char byte;
    bool fresh = true;
    while (read(descriptor, &byte, 1) == 1) {
        if (byte == '\n' || byte == '\r') {
            fresh = true;
            continue;
        }
        if (fresh) {
            length = 0;
            fresh = false;
        }
        if (length + 1 < capacity) {
            line[length++] = byte;
            line[length] = '\0';
        }
    }
}

bool run_program(char *const argv[], struct setup_error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return setup_fail(error, "%s: %s", argv[0], strerror(errno));
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    pid_t child;
    int number = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    char line[400] = "";
    if (number == 0) {
        read_last_line(ends[0], line, sizeof line);
    }
    close(ends[0]);
    if (number == ENOENT) {
        return setup_fail(
            error, "%s is not installed; on Debian: apt-get install mtools qemu-utils", argv[0]);
    }
    int status = 0;
    if (number != 0 || waitpid(child, &status, 0) < 0) {
        return setup_fail(error, "%s: %s", argv[0], strerror(number != 0 ? number : errno));
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return setup_fail(error, "%s failed: %s", argv[0],
                          line[0] == '\0' ? "no reason given" : line);
    }
    return true;
}
