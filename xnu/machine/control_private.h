/* SPDX-License-Identifier: BSD-3-Clause */
/* Between control_socket.c (listening) and control_client.c (one process). */
#ifndef MACHV_XNU_MACHINE_CONTROL_PRIVATE_H
#define MACHV_XNU_MACHINE_CONTROL_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "xnu/machine/control_socket.h"
#include "xnu/machine/threads.h"

struct control_listener {
    struct control_listener *next;
    struct control_sockets *sockets;
    char name[96];
    char path[108];
    uint32_t control, message_size;
    bool stream;
    int descriptor;
    atomic_bool stopping;
    struct machine_thread *thread;
};

struct control_connection {
    struct control_connection *next;
    struct control_sockets *sockets;
    uint32_t control, message_size;
    bool stream, privileged;
    int descriptor, epoll, event;
    void *client;                        /* the kernel's side */
    uint8_t *incoming, *outgoing;
    pthread_mutex_t sending;             /* guards what follows */
    bool write_wanted;                   /* the thread waits for room in the socket */
    size_t outgoing_size;                /* a record that the socket has not taken yet */
    bool outgoing_complete;
    uint64_t outgoing_deadline;          /* when an unfinished record is sent all the same */
};

struct control_sockets {
    char directory[80];
    const struct control_socket_operations *operations;
    pthread_mutex_t lock;                /* guards the lists */
    struct control_listener *listeners;
    struct control_connection *connections;
    unsigned connection_count;
};

/* Starts the thread of a process that has connected; closes the descriptor when that cannot be. */
void control_client_start(struct control_listener *listener, int descriptor, bool privileged);

#endif
