/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of daemons/common. */
#ifndef DAEMONS_COMMON_PRIVATE_H
#define DAEMONS_COMMON_PRIVATE_H

#include "daemons/common/daemon.h"

/* Where lines go: standard error, or the system log and until daemon_log_started() standard error
 * too, where who has started the daemon by hand sees why it does not run. `name` is kept. */
void daemon_log_open(const char *name, bool to_terminal, bool debug);
void daemon_log_started(void);

/* Connects to the control `name`: a kernel control on macOS; elsewhere a socket of that name in
 * `folder`, as kextrun --kernel-controls makes it. A descriptor, or -1 with errno; ENOENT and
 * ECONNREFUSED: the service is not there, EBUSY: another client has it. */
int service_socket_open(const char *name, const char *folder);

/* What a message of the service was. */
enum conversation_event {
    CONVERSATION_GOES_ON,
    CONVERSATION_OVER       /* the service said goodbye, or makes no sense */
};

/* One connection. */
struct conversation {
    const struct daemon_program *program;
    int descriptor;
    bool welcomed;
};

/* Says HELLO. 0, or -1: the connection is of no use. */
int conversation_begin(struct conversation *conversation, const struct daemon_program *program,
                       int descriptor);
/* Takes one message of `length` bytes in `message` (SERVICE_CONTROL_MAXIMUM bytes are there). */
enum conversation_event conversation_take(struct conversation *conversation, void *message,
                                          uint32_t length);

#endif
