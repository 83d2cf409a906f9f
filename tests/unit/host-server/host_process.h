/* SPDX-License-Identifier: BSD-3-Clause */
/* A real hvhost process (the program that $HVHOST names) with its files in a folder of its own. */
#ifndef TESTS_HOST_SERVER_HOST_PROCESS_H
#define TESTS_HOST_SERVER_HOST_PROCESS_H

#include <sys/types.h>

#include "tests/unit/host-server/guest.h"

struct host_process {
    char folder[64], socket[96], control[96], disk[96];
    pid_t process;
    int errors;
    struct guest guest;
};

enum { HOST_DISK_SIZE = 4 << 20 };

/* cmocka's: the state is a struct host_process with an empty disk file. */
int host_set_up(void **state);
int host_tear_down(void **state);

/* Starts it with these arguments more (NULL-terminated, or NULL), and waits until it listens. */
void host_start(struct host_process *host, const char *const *more);

/* The same with the disk as LUN 0, and a guest whose storage handshake is done. */
void host_start_with_storage(struct host_process *host, struct guest_channel *channel,
                             const char *const *more);

/* The guest powers off in an orderly way. */
void host_power_off(struct host_process *host);

/* Waits for its end: the exit code, or minus the signal. */
int host_exit_code(struct host_process *host);

#endif
