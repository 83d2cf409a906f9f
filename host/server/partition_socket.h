/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagrams with descriptors on a SOCK_SEQPACKET socket. */
#ifndef HOST_SERVER_PARTITION_SOCKET_H
#define HOST_SERVER_PARTITION_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/partition.h"

enum { PARTITION_DESCRIPTORS_MAX = PARTITION_PROCESSORS_MAX + 2 };

/* A received datagram: a private copy, so its fields do not change under our eyes. */
union partition_datagram {
    struct partition_header header;
    struct partition_hello hello;
    struct partition_ram ram;
    struct partition_power power;
    struct partition_goodbye goodbye;
    struct partition_status_reply status_reply;
    struct partition_watch_reply watch_reply;
    struct partition_written written;
    struct partition_attach attach;
    struct partition_cpuid cpuid;
    struct partition_rdmsr rdmsr;
    struct partition_wrmsr wrmsr;
    struct partition_hypercall hypercall;
    struct partition_read read;
    struct partition_write write;
    uint8_t bytes[PARTITION_MESSAGE_SIZE_MAX];
};

/*
 * Receives one datagram without waiting. Returns its size, or -EAGAIN, -EPIPE (the other side has
 * closed), -EBADMSG (shorter than a header, longer than allowed, or its length field is wrong;
 * more than one descriptor), or another negative errno. *descriptor is the one that came along,
 * the caller's, or -1; whatever came with a bad datagram has been closed.
 */
int partition_receive(int socket, union partition_datagram *datagram, int *descriptor);

/*
 * Sends one datagram without waiting; `message` starts with its header, whose length is filled in
 * by the caller. Returns 0 or a negative errno; -EAGAIN: the other side does not read.
 */
int partition_send(int socket, const void *message, size_t size, const int *descriptors,
                   unsigned descriptor_count);

#endif
