/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs qemu-nbd by socket activation: we make the listening socket, so there is no moment at which
 * the server is not there yet, and no name that another process could connect to.
 */
#include "host/disk/qemu_nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/disk/disk_open.h"

enum { COMPLAINT_WAIT_MS = 2000, END_WAIT_MS = 10000, ACTIVATION_DESCRIPTOR = 3 };

static const char *qemu_format(enum disk_format format)
{
    return format == DISK_FORMAT_VHD ? "vpc" : disk_format_text(format);
}

/* A listening socket with a connection to it, and no name left in the file system. */
static int make_sockets(int *listening, int *connected)
{
    const char *directory = getenv("TMPDIR");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[80];
    int length = snprintf(folder, sizeof(folder), "%s/hvhost-nbd-XXXXXX",
                          directory != NULL ? directory : "/tmp");
    if (length >= (int)sizeof(folder) || mkdtemp(folder) == NULL) {
        return length >= (int)sizeof(folder) ? -ENAMETOOLONG : -errno;
    }
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
    *listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *connected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = 0;
    if (*listening < 0 || *connected < 0 ||
        bind(*listening, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(*listening, 1) != 0 ||
        connect(*connected, (struct sockaddr *)&address, sizeof(address)) != 0) {
        result = -errno;
        close(*listening);
        close(*connected);
    }
    unlink(address.sun_path);
    rmdir(folder);
    return result;
}

/* In the child: never returns. */
static void become_qemu_nbd(const struct disk_options *options, int listening, int errors,
                            pid_t parent)
{
    char process[16];
    char file_option[PATH_MAX + 16];
    sigset_t nothing;
    sigemptyset(&nothing);
    sigprocmask(SIG_SETMASK, &nothing, NULL); /* hvhost blocks what it takes from a signalfd */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
        _exit(1);
    }
    dup2(errors, STDERR_FILENO);
    if (listening == ACTIVATION_DESCRIPTOR) {
        fcntl(listening, F_SETFD, 0);
    } else {
        dup2(listening, ACTIVATION_DESCRIPTOR);
    }
    snprintf(process, sizeof(process), "%d", (int)getpid());
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_PID", process, 1);
    signal(SIGINT, SIG_IGN); /* the terminal's interrupt is for hvhost to deal with */
    /* "./" keeps QEMU from taking "nbd:..." and the like for a protocol. */
    snprintf(file_option, sizeof(file_option), "%s%s", options->path[0] == '/' ? "" : "./",
             options->path);
    execlp("qemu-nbd", "qemu-nbd", "--format", qemu_format(options->format), "--cache=writeback",
           "--discard=unmap", "--shared=1", file_option,
           options->read_only ? "--read-only" : NULL, (char *)NULL);
    dprintf(STDERR_FILENO, "qemu-nbd: cannot be run (%s); install it: apt-get install qemu-utils\n",
            strerror(errno));
    _exit(127);
}

int qemu_nbd_start(struct qemu_nbd *child, const struct disk_options *options, int *socket,
                   char *error, size_t error_size)
{
    int listening, errors[2];
    child->process = 0;
    child->errors = -1;
    int result = make_sockets(&listening, socket);
    if (result != 0) {
        snprintf(error, error_size, "disk %s: no socket for qemu-nbd: %s", options->path,
                 strerror(-result));
        return result;
    }
    pid_t parent = getpid();
    pid_t process = -1;
    if (pipe2(errors, O_CLOEXEC) == 0) {
        /* A child that complains a lot must not block: what does not fit is lost. */
        fcntl(errors[1], F_SETFL, O_NONBLOCK);
        process = fork();
        if (process == 0) {
            become_qemu_nbd(options, listening, errors[1], parent);
        }
        result = process < 0 ? -errno : 0;
        close(errors[1]);
        if (process < 0) {
            close(errors[0]);
        }
    } else {
        result = -errno;
    }
    close(listening);
    if (result != 0) {
        close(*socket);
        snprintf(error, error_size, "disk %s: cannot start qemu-nbd: %s", options->path,
                 strerror(-result));
        return result;
    }
    child->process = process;
    child->errors = errors[0];
    return 0;
}

void qemu_nbd_complaint(struct qemu_nbd *child, char *text, size_t text_size)
{
    static const char prefix[] = "qemu-nbd: ";
    char line[512];
    size_t used = 0;
    struct pollfd poll_entry = {.fd = child->errors, .events = POLLIN};
    while (used < sizeof(line) - 1 && memchr(line, '\n', used) == NULL &&
           poll(&poll_entry, 1, COMPLAINT_WAIT_MS) > 0) {
        ssize_t count = read(child->errors, line + used, sizeof(line) - 1 - used);
        if (count <= 0) {
            break;
        }
        used += (size_t)count;
    }
    line[used] = '\0';
    line[strcspn(line, "\n")] = '\0';
    const char *start = strncmp(line, prefix, strlen(prefix)) == 0 ? line + strlen(prefix) : line;
    snprintf(text, text_size, "%s", *start != '\0' ? start : "qemu-nbd ended without a word");
}

void qemu_nbd_kill(struct qemu_nbd *child)
{
    if (child->process > 0) {
        kill(child->process, SIGKILL);
    }
}

void qemu_nbd_stop(struct qemu_nbd *child)
{
    if (child->process > 0) {
        const struct timespec pause = {.tv_nsec = 5000000};
        int waited_ms = 0;
        while (waitpid(child->process, NULL, WNOHANG) == 0) {
            if (waited_ms >= END_WAIT_MS) {
                kill(child->process, SIGKILL);
                waitpid(child->process, NULL, 0);
                break;
            }
            nanosleep(&pause, NULL);
            waited_ms += 5;
        }
        child->process = 0;
    }
    if (child->errors >= 0) {
        close(child->errors);
        child->errors = -1;
    }
}
