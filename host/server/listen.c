/* SPDX-License-Identifier: BSD-3-Clause */
/* Listening on a socket in the file system. */
#include "host/server/listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int fill_address(const char *path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (path[0] == '\0' || strlen(path) >= sizeof(address->sun_path)) {
        return -ENAMETOOLONG;
    }
    strcpy(address->sun_path, path);
    return 0;
}

/* Removes a socket that refuses connections. Anything else stays: 0 or a negative errno. */
static int remove_stale(const struct sockaddr_un *address, int type)
{
    struct stat status;
    if (lstat(address->sun_path, &status) != 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (!S_ISSOCK(status.st_mode)) {
        return -EEXIST;
    }
    int probe = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) {
        return -errno;
    }
    int alive = connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
                errno != ECONNREFUSED;
    close(probe);
    if (alive) {
        return -EADDRINUSE;
    }
    return unlink(address->sun_path) == 0 ? 0 : -errno;
}

static int open_socket(const struct sockaddr_un *address, int type, int backlog, int *descriptor)
{
    int listening = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listening < 0) {
        return -errno;
    }
    mode_t before = umask(0177);
    int bound = bind(listening, (const struct sockaddr *)address, sizeof(*address));
    int error = errno;
    umask(before);
    if (bound != 0 || listen(listening, backlog) != 0) {
        error = bound != 0 ? error : errno;
        close(listening);
        return -error;
    }
    *descriptor = listening;
    return 0;
}

int listen_open(const char *path, int type, int backlog, int *descriptor, char *error,
                size_t error_size)
{
    struct sockaddr_un address;
    const char *remedy = "";
    int result = fill_address(path, &address);
    if (result == 0) {
        result = remove_stale(&address, type);
    }
    if (result == 0) {
        result = open_socket(&address, type, backlog, descriptor);
    }
    if (result == 0) {
        return 0;
    }
    if (result == -EADDRINUSE) {
        remedy = "; another program listens there: stop it or choose another path";
    } else if (result == -EEXIST) {
        remedy = "; it is not a socket: choose another path";
    } else if (result == -ENAMETOOLONG) {
        remedy = "; a socket's path has 1 to 107 bytes";
    }
    snprintf(error, error_size, "socket %s: %s%s", path, strerror(-result), remedy);
    return result;
}

int listen_accept(int descriptor)
{
    int connection;
    do {
        connection = accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (connection < 0 && (errno == EINTR || errno == ECONNABORTED));
    return connection < 0 ? -errno : connection;
}
