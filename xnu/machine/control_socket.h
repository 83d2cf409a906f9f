/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel controls for processes: one AF_UNIX SOCK_SEQPACKET (or, for stream controls, SOCK_STREAM)
 * socket a control, at <directory>/<control name>. A message is one send() of the process; a record
 * that the driver queued is one recv(). A record that the driver did not end (no CTL_DATA_EOR) is
 * handed over after a short while, so that it merges with what follows at once, as on macOS.
 *
 * There are no socket options; the unit is always the lowest free one. A privileged control takes
 * clients of the kernel process' own user and of root.
 */
#ifndef MACHV_XNU_MACHINE_CONTROL_SOCKET_H
#define MACHV_XNU_MACHINE_CONTROL_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's side (bsd/kern_control.h). Functions return 0 or a positive error; EAGAIN's place is
 * taken by -1 of receive. All are called on kernel threads. */
struct control_socket_operations {
    int (*connect)(uint32_t control, bool stream, bool privileged, void **client);
    int (*send)(void *client, const void *data, size_t length);
    /* The next record: 0, or -1 when there is none. */
    int (*receive)(void *client, void *data, size_t size, size_t *length, bool *complete);
    void (*set_notify)(void *client, void (*notify)(void *context), void *context);
    void (*close)(void *client);
};

struct control_sockets;

/* `directory` must exist; `operations` must stay valid. NULL: no memory. */
struct control_sockets *control_sockets_start(const char *directory,
                                              const struct control_socket_operations *operations);
/* [blocks] Closes all sockets and waits for the clients' threads. */
void control_sockets_stop(struct control_sockets *sockets);

/* A control appeared or disappeared. `message_size`: the most that one send may carry. On a kernel
 * thread; withdraw [blocks] until the control's listening thread has ended. */
void control_sockets_publish(struct control_sockets *sockets, const char *name, uint32_t control,
                             uint32_t message_size, bool stream, bool privileged);
void control_sockets_withdraw(struct control_sockets *sockets, const char *name);

#endif
