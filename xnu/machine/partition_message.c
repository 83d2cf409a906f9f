/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams of the partition socket, with the descriptors that travel along.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "xnu/machine/partition_socket.h"

int partition_open(const char *path, int *descriptor) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return -ENAMETOOLONG;
    }
    strcpy(address.sun_path, path);
    *descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (*descriptor < 0) {
        return -errno;
    }
    if (connect(*descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        int error = -errno;
        close(*descriptor);
        *descriptor = -1;
        return error;
    }
    return 0;
}

int partition_send(int socket, const void *message, size_t length, int descriptor) {
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control = {{0}};
    struct iovec vector = {(void *)(uintptr_t)message, length};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
    if (descriptor >= 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = sizeof control.bytes;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
    }
    ssize_t sent;
    do {
        sent = sendmsg(socket, &header, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)length ? 0 : sent < 0 ? -errno : -EIO;
}

void partition_close_descriptors(const int *descriptors, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (descriptors[i] >= 0) {
            close(descriptors[i]);
        }
    }
}

/* Collects the descriptors of a message; those that do not fit are closed. */
static unsigned collect(struct msghdr *message, int *descriptors) {
    unsigned count = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        unsigned carried = (unsigned)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (unsigned i = 0; i < carried; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof descriptor);
            if (descriptors != NULL && count < PARTITION_DESCRIPTORS_MAX) {
                descriptors[count++] = descriptor;
            } else {
                close(descriptor);
            }
        }
    }
    return count;
}

int partition_receive(int socket, void *buffer, int *descriptors, unsigned *count) {
    union {
        char bytes[CMSG_SPACE(PARTITION_DESCRIPTORS_MAX * sizeof(int))];
        struct cmsghdr header;
    } control;
    struct iovec vector = {buffer, PARTITION_MESSAGE_SIZE_MAX};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t length;
    do {
        length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (length < 0 && errno == EINTR);
    if (length <= 0) {
        return length == 0 || errno == ECONNRESET ? 0 : -errno;
    }
    unsigned carried = collect(&message, descriptors);
    struct partition_header header;
    if ((size_t)length >= sizeof header) {
        memcpy(&header, buffer, sizeof header);
    }
    if ((size_t)length < sizeof header || header.length != (size_t)length ||
        (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        partition_close_descriptors(descriptors, carried);
        return -EPROTO;
    }
    if (count != NULL) {
        *count = carried;
    }
    return (int)length;
}

static void quote_goodbye(const uint8_t *buffer, size_t length, char *message, size_t size) {
    size_t head = sizeof(struct partition_goodbye);
    if (message == NULL || length < head) {
        return;
    }
    snprintf(message, size, "the host says goodbye: %.*s", (int)(length - head),
             (const char *)buffer + head);
    for (char *c = message; *c != '\0'; c++) {
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    }
}

int partition_receive_reply(int socket, uint32_t request, uint64_t cookie, void *reply,
                            size_t length, int *descriptors, unsigned *count, char *message,
                            size_t message_size) {
    uint8_t buffer[PARTITION_MESSAGE_SIZE_MAX];
    struct partition_header header;
    unsigned carried = 0;
    int received = partition_receive(socket, buffer, descriptors, &carried);
    if (received <= 0) {
        return received == 0 ? -EPIPE : received;
    }
    memcpy(&header, buffer, sizeof header);
    if (header.type != (request | PARTITION_REPLY) || header.cookie != cookie ||
        (size_t)received != length) {
        if (header.type == PARTITION_GOODBYE) {
            quote_goodbye(buffer, (size_t)received, message, message_size);
        }
        partition_close_descriptors(descriptors, carried);
        return -EPROTO;
    }
    if (count != NULL) {
        *count = carried;
    }
    memcpy(reply, buffer, length);
    return 0;
}
