/* SPDX-License-Identifier: BSD-3-Clause */
/* Listening on a socket in the file system. */
#ifndef HOST_SERVER_LISTEN_H
#define HOST_SERVER_LISTEN_H

#include <stddef.h>
#include <sys/socket.h>

/*
 * Makes an AF_UNIX socket of `type` at `path`, for its owner only (mode 0600), and listens. One
 * that a dead process left behind is replaced; one that is alive is not. Returns 0 and *descriptor
 * (non-blocking), or a negative errno and a line in `error` that says what to do.
 */
int listen_open(const char *path, int type, int backlog, int *descriptor, char *error,
                size_t error_size);

/* A new connection, non-blocking, or a negative errno (-EAGAIN: none waits). */
int listen_accept(int descriptor);

#endif
