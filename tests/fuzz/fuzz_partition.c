/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: the partition server. Datagrams of a monitor on the control connection, a processor
 * connection or a new one. Whatever comes, the machine behind it sees checked values only.
 *
 * Input: per datagram one byte (which connection, with a descriptor or not, header mended or not),
 * one byte of length, the bytes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/server/partition_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CONNECTIONS = 3, DATAGRAMS_MAX = 64, RAM_FILE = 64 << 10 };

static void require(int condition)
{
    if (!condition) {
        abort();
    }
}

static int take_hello(void *context, const struct partition_hello *hello)
{
    require(hello->processors >= 1 && hello->processors <= PARTITION_PROCESSORS_MAX);
    return 0;
}

static int take_ram(void *context, uint64_t gpa, uint64_t size, void *host)
{
    require(gpa % 4096 == 0 && size % 4096 == 0 && size > 0 && size <= RAM_FILE);
    ((volatile uint8_t *)host)[size - 1] = 1; /* it is really there */
    return 0;
}

static int take_start(void *context)
{
    return 0;
}

static void take_cpuid(void *context, uint32_t processor, uint32_t leaf, uint32_t subleaf,
                       struct partition_cpuid_reply *reply)
{
    require(processor < PARTITION_PROCESSORS_MAX && leaf >> 8 == 0x400000);
}

static int take_read_msr(void *context, uint32_t processor, uint32_t index, uint64_t *value)
{
    require(index >= PARTITION_MSR_FIRST && index <= PARTITION_MSR_LAST);
    *value = index;
    return 0;
}

static int take_write_msr(void *context, uint32_t processor, uint32_t index, uint64_t value)
{
    require(index >= PARTITION_MSR_FIRST && index <= PARTITION_MSR_LAST);
    return 0;
}

static uint64_t take_hypercall(void *context, uint32_t processor,
                               const struct partition_hypercall *call)
{
    return call->control;
}

static uint64_t take_read(void *context, uint32_t processor, const struct partition_read *access)
{
    require(access->size <= 8 && access->kind <= 1);
    return 0;
}

static void take_write(void *context, uint32_t processor, const struct partition_write *access)
{
    require(access->size <= 8 && access->kind <= 1);
}

static void take_signal(void *context, uint32_t connection_id)
{
    require(connection_id >= 0x2000 && connection_id < 0x2000 + 128);
}

static void take_power(void *context, uint32_t what, const uint64_t crash[5])
{
    require(what <= PARTITION_POWER_CRASHED);
}

static void take_end(void *context, enum partition_end how, int status, const char *text)
{
    require(strlen(text) <= PARTITION_TEXT_MAX);
    (*(unsigned *)context)++;
}

static void take_written(void *context, uint64_t gpa)
{
}

static const struct partition_operations operations = {
    take_hello, take_ram, take_start, take_cpuid, take_read_msr, take_write_msr, take_hypercall,
    take_read, take_write, take_signal, take_power, take_written, take_end,
};

static void drain(int socket)
{
    char bytes[PARTITION_MESSAGE_SIZE_MAX], control[2048];
    struct iovec piece = {bytes, sizeof(bytes)};
    ssize_t size;
    do {
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1,
                                 .msg_control = control, .msg_controllen = sizeof(control)};
        size = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        struct cmsghdr *part = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
        if (part != NULL && part->cmsg_type == SCM_RIGHTS) {
            unsigned count = (unsigned)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            for (unsigned i = 0; i < count; i++) {
                int descriptor;
                memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof(descriptor));
                close(descriptor);
            }
        }
    } while (size > 0);
}

static void send_datagram(int socket, uint8_t *bytes, size_t length, int descriptor, int mend)
{
    struct iovec piece = {bytes, length};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (mend && length >= sizeof(struct partition_header)) {
        uint32_t type = bytes[0], size = (uint32_t)length; /* small types, the right length */
        memcpy(bytes, &type, sizeof(type));
        memcpy(bytes + 4, &size, sizeof(size));
    }
    if (descriptor >= 0) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(part), &descriptor, sizeof(int));
    }
    sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void run_datagrams(struct partition_server *server, const int *sockets, int ram,
                          const uint8_t *data, size_t size)
{
    for (unsigned i = 0; i < DATAGRAMS_MAX && size >= 2; i++) {
        uint8_t bytes[255];
        const uint8_t how = data[0];
        size_t length = data[1] < size - 2 ? data[1] : size - 2;
        memcpy(bytes, data + 2, length);
        data += 2 + length;
        size -= 2 + length;
        int socket = sockets[how % CONNECTIONS];
        send_datagram(socket, bytes, length, how & 0x40 ? ram : -1, how & 0x80);
        partition_server_run(server);
        partition_server_run(server);
        drain(socket);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct partition_settings settings = {NULL, 2, 0x2000, 128};
    struct partition_server *server;
    int pairs[CONNECTIONS][2], sockets[CONNECTIONS];
    unsigned ends = 0;
    int ram = memfd_create("ram", MFD_CLOEXEC);
    require(ram >= 0 && ftruncate(ram, RAM_FILE) == 0);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pairs[i]) == 0);
        sockets[i] = pairs[i][0];
    }
    require(partition_server_adopt_control(&settings, &operations, &ends, pairs[0][1],
                                           &server) == 0);
    for (unsigned i = 1; i < CONNECTIONS; i++) {
        partition_server_adopt(server, pairs[i][1]);
    }
    run_datagrams(server, sockets, ram, data, size);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        close(sockets[i]);
    }
    partition_server_run(server);
    require(ends <= 1); /* a session ends once */
    partition_server_free(server);
    close(ram);
    return 0;
}
