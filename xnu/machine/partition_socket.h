/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between the files of the socket partition: the connection's state and how datagrams travel.
 */
#ifndef MACHV_XNU_MACHINE_PARTITION_SOCKET_H
#define MACHV_XNU_MACHINE_PARTITION_SOCKET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/partition.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/partition.h"

#define PARTITION_DESCRIPTORS_MAX (2 + MACHINE_PROCESSORS_MAX)

/* A processor's connection is used in lockstep: one request at a time. */
struct processor_connection {
    pthread_mutex_t lock;
    int socket;
    int event; /* host -> monitor: vectors are pending */
    uint64_t cookie;
};

struct socket_partition {
    int control;
    unsigned processors;
    struct processor_connection connections[MACHINE_PROCESSORS_MAX];
    size_t shared_size;
    struct partition_signal_page *signals;
    struct partition_vector_page *vectors; /* one a processor */
    int signal_event;
    uint32_t signal_base, signal_count;
    pthread_t control_thread;
    int close_event; /* wakes the control thread */
    atomic_bool closing; /* we are ending it */
    atomic_bool lost;    /* the host ended it or broke the protocol */
    /* The answer to START; the condition is for it and for `lost`. */
    pthread_mutex_t start_lock;
    pthread_cond_t start_answered;
    bool started;
    int start_status;
    /* Reference time: host value = base + (uptime - base_uptime) / 100 once it was read. */
    atomic_bool time_known;
    uint64_t time_base, time_base_uptime;
};

/* ---- datagrams (partition_message.c) -------------------------------------------------------- */

/* Connects a SOCK_SEQPACKET socket. 0 or a negative errno. */
int partition_open(const char *path, int *descriptor);
/* Sends one datagram, with a descriptor unless it is -1. 0 or a negative errno. */
int partition_send(int socket, const void *message, size_t length, int descriptor);
/*
 * Receives one datagram of at most PARTITION_MESSAGE_SIZE_MAX bytes whose header is consistent; its
 * length, 0 when the peer closed, or a negative errno. descriptors: room for
 * PARTITION_DESCRIPTORS_MAX, the caller closes them; NULL: any that come are closed.
 */
int partition_receive(int socket, void *buffer, int *descriptors, unsigned *count);
/*
 * Receives the reply to a request: exactly `length` bytes, type and cookie as expected. Otherwise a
 * negative errno, and one line in `message` (may be NULL) when the host said GOODBYE instead.
 */
int partition_receive_reply(int socket, uint32_t request, uint64_t cookie, void *reply,
                            size_t length, int *descriptors, unsigned *count, char *message,
                            size_t message_size);
void partition_close_descriptors(const int *descriptors, unsigned count);

/* The host is lost: reports it once. */
void socket_partition_lost(struct socket_partition *partition, int status, const char *reason);

/* ---- what a processor does (partition_processor.c), see struct partition_operations --------- */

void socket_cpuid(void *partition, unsigned processor, uint32_t leaf, uint32_t subleaf,
                  uint32_t registers[4]);
bool socket_rdmsr(void *partition, unsigned processor, uint32_t index, uint64_t *value);
bool socket_wrmsr(void *partition, unsigned processor, uint32_t index, uint64_t value);
uint64_t socket_hypercall(void *partition, unsigned processor, uint64_t control, uint64_t input,
                          uint64_t output, const uint64_t fast[PARTITION_FAST_WORDS]);
bool socket_signal(void *partition, uint32_t connection_id);
uint64_t socket_read(void *partition, unsigned processor, uint64_t address, unsigned size,
                     enum machine_address_kind kind);
void socket_write(void *partition, unsigned processor, uint64_t address, unsigned size,
                  enum machine_address_kind kind, uint64_t value);
int socket_interrupt_descriptor(void *partition, unsigned processor);
bool socket_vectors_pending(void *partition, unsigned processor);
void socket_watch_vectors(void *partition, unsigned processor, bool on);
void socket_take_vectors(void *partition, unsigned processor,
                         uint64_t words[PARTITION_VECTOR_WORDS]);

#endif
