/* SPDX-License-Identifier: BSD-3-Clause */
/* A qemu-nbd child process that serves one disk image over a socket. */
#ifndef HOST_DISK_QEMU_NBD_H
#define HOST_DISK_QEMU_NBD_H

#include <stddef.h>
#include <sys/types.h>

struct disk_options;

struct qemu_nbd {
    pid_t process; /* 0: none */
    int errors;    /* what it writes to standard error; -1: none */
};

/*
 * Starts qemu-nbd for options->path in options->format. Returns 0 with *socket connected to it
 * (the caller's), or a negative errno and a line in `error`. The child ends when the socket is
 * closed, and with its parent. That the image cannot be opened shows as the end of the connection;
 * then qemu_nbd_complaint() says why.
 */
int qemu_nbd_start(struct qemu_nbd *child, const struct disk_options *options, int *socket,
                   char *error, size_t error_size);

/* The first line that the child wrote to standard error, without its name; waits up to 2 s. */
void qemu_nbd_complaint(struct qemu_nbd *child, char *text, size_t text_size);

/* Ends a child that does not answer. */
void qemu_nbd_kill(struct qemu_nbd *child);

/* Waits for the child, whose socket is closed, to end; ends it by force after 10 s. */
void qemu_nbd_stop(struct qemu_nbd *child);

#endif
