/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagrams with descriptors. */
#include "host/server/partition_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Keeps the first descriptor if it is the only one; closes them otherwise. Returns how many. */
static unsigned take_descriptors(struct msghdr *message, int *descriptor)
{
    unsigned count = 0;
    *descriptor = -1;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        unsigned here = (unsigned)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (unsigned i = 0; i < here; i++) {
            int one;
            memcpy(&one, CMSG_DATA(part) + i * sizeof(int), sizeof(one));
            if (count++ == 0) {
                *descriptor = one;
            } else {
                close(one);
            }
        }
    }
    return count;
}

int partition_receive(int socket, union partition_datagram *datagram, int *descriptor)
{
    struct iovec piece = {datagram, sizeof(*datagram)};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int) * 4)];
    } control;
    struct msghdr message = {
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = control.space,
        .msg_controllen = sizeof(control.space),
    };
    ssize_t size;
    *descriptor = -1;
    do {
        size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (size < 0 && errno == EINTR);
    if (size < 0) {
        return -errno;
    }
    unsigned count = take_descriptors(&message, descriptor);
    int result = (int)size;
    if (size == 0) {
        result = -EPIPE;
    } else if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || count > 1 ||
               (size_t)size < sizeof(datagram->header) ||
               datagram->header.length != (size_t)size) {
        result = -EBADMSG;
    }
    if (result < 0 && *descriptor >= 0) {
        close(*descriptor);
        *descriptor = -1;
    }
    return result;
}

int partition_send(int socket, const void *data, size_t size, const int *descriptors,
                   unsigned descriptor_count)
{
    struct iovec piece = {(void *)(uintptr_t)data, size};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int) * PARTITION_DESCRIPTORS_MAX)];
    } control;
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (descriptor_count > 0) {
        memset(&control, 0, sizeof(control));
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptor_count);
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int) * descriptor_count);
        memcpy(CMSG_DATA(part), descriptors, sizeof(int) * descriptor_count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        return -errno;
    }
    return (size_t)sent == size ? 0 : -EMSGSIZE;
}
