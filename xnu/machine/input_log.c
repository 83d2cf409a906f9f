/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file of input events.
 */
#include "xnu/machine/input_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int file = -1;

int machine_input_log_open(const char *path) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor < 0) {
        return -errno;
    }
    int old = atomic_exchange(&file, descriptor);
    if (old >= 0) {
        close(old);
    }
    return 0;
}

void machine_input_log_close(void) {
    int descriptor = atomic_exchange(&file, -1);
    if (descriptor >= 0) {
        close(descriptor);
    }
}

/* One call a line, so that lines of different threads stay whole. A full disk loses lines. */
void machine_input_log_write(const char *line, size_t length) {
    struct iovec pieces[2] = {{(void *)line, length}, {"\n", 1}};
    int descriptor = atomic_load(&file);
    if (descriptor >= 0) {
        (void)!writev(descriptor, pieces, 2);
    }
}
