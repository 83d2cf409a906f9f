/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Host files.
 */
#include "xnu/machine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_open_file(int descriptor, size_t limit, uint8_t **data, size_t *size) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return -EINVAL;
    }
    if ((uint64_t)status.st_size > limit) {
        return -EFBIG;
    }
    size_t length = (size_t)status.st_size, done = 0;
    uint8_t *buffer = malloc(length + 1);
    if (buffer == NULL) {
        return -ENOMEM;
    }
    while (done < length) {
        ssize_t count = read(descriptor, buffer + done, length - done);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            int error = count < 0 ? -errno : -EIO; /* it became shorter meanwhile */
            free(buffer);
            return error;
        }
        done += (size_t)count;
    }
    buffer[length] = 0;
    *data = buffer;
    *size = length;
    return 0;
}

int machine_file_read(const char *path, size_t limit, uint8_t **data, size_t *size) {
    /* O_NONBLOCK: a FIFO must be refused, not waited for. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return -errno;
    }
    int error = read_open_file(descriptor, limit, data, size);
    close(descriptor);
    return error;
}

void machine_file_free(uint8_t *data) {
    free(data);
}

bool machine_is_directory(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

const char *machine_error_text(int error) {
    const char *text = strerrordesc_np(error < 0 ? -error : error);
    return text != NULL ? text : "unknown error";
}
