/* SPDX-License-Identifier: BSD-3-Clause */
/* kern_control.h - the user-space side of kernel controls.
 *
 * Drivers use ctl_register and friends (abi/kpi/kern_control.h). What a process does with a
 * PF_SYSTEM/SYSPROTO_CONTROL socket is done here by a struct control_client: tests use it directly,
 * the socket server (machine/control_socket.h) for real processes. Functions return 0 or a positive
 * macOS errno (bsd/errno.h). Source: xnu bsd/kern/kern_control.c.
 */
#ifndef XNU_BSD_KERN_CONTROL_H
#define XNU_BSD_KERN_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control_client;

/* Creates the lock of the table. Call once the machine runs, before drivers do. */
int kern_control_start(void);

/* Resolves a control's name to its id (CTLIOCGINFO); ENOENT if it is not registered. */
int control_id(const char *name, uint32_t *id);

/* connect(2): unit 0 takes the lowest free one. `stream` is SOCK_STREAM; `privileged` says that the
 * process' effective user is root. On success *client is the connected socket. */
int control_connect(uint32_t id, uint32_t unit, bool stream, bool privileged,
                    struct control_client **client);

/* send(2): one call of the driver's send function (data copied into mbufs). */
int control_send(struct control_client *client, const void *data, size_t length);

/* Takes the next record (recv(2), never blocks): at most `size` bytes, the rest of a record is lost
 * on a datagram socket. EAGAIN: there is none. *complete (may be NULL) says that the record was
 * ended (EOR); one without an end may still grow while it waits. */
int control_receive(struct control_client *client, void *data, size_t size, size_t *length,
                    bool *complete);

/* setsockopt(2) and getsockopt(2) at level SYSPROTO_CONTROL. */
int control_setopt(struct control_client *client, int option, const void *data, size_t length);
int control_getopt(struct control_client *client, int option, void *data, size_t *length);

/* close(2): the driver's disconnect function, then the client is gone. */
void control_close(struct control_client *client);

/* Called, with no lock held, whenever data was queued for the client; from the driver's thread. */
void control_set_notify(struct control_client *client, void (*notify)(void *context),
                        void *context);

/* Called after a control was registered or deregistered (KEV_CTL_REGISTERED, KEV_CTL_DEREGISTERED),
 * with no lock held. One observer; NULL for none. */
struct control_observer {
    void (*registered)(void *context, const char *name, uint32_t id, uint32_t send_size,
                       bool stream, bool privileged);
    void (*deregistered)(void *context, const char *name, uint32_t id);
    void *context;
};
void kern_control_observe(const struct control_observer *observer);

#endif
