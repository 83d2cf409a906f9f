/* SPDX-License-Identifier: BSD-3-Clause */
/* Exits of virtual processors: strictly one request, one reply. */
#include <errno.h>
#include <string.h>

#include "host/server/partition_internal.h"

typedef void exit_handler(struct partition_server *server,
                          struct partition_connection *connection,
                          const union partition_datagram *datagram);

static void send_reply(struct partition_server *server, struct partition_connection *connection,
                       const void *message, size_t size)
{
    int error = partition_send(connection->socket, message, size, NULL, 0);
    if (error != 0 && error != -EPIPE && error != -ECONNRESET) {
        /* Of a closed connection the next receive tells. */
        partition_fail(server, error, "processor %u does not read its replies",
                       connection->processor);
    }
}

/*
 * A write is posted, but what it does to the guest's address space is done before the processor's
 * next reply: as reads flush writes on a bus.
 */
static void reply(struct partition_server *server, struct partition_connection *connection,
                  const union partition_datagram *request, void *message, size_t size)
{
    struct partition_header *header = message;
    header->type = request->header.type | PARTITION_REPLY;
    header->length = (uint32_t)size;
    header->cookie = request->header.cookie;
    if (connection->ranges_under_way == 0) {
        send_reply(server, connection, message, size);
        return;
    }
    memcpy(connection->reply, message, size);
    connection->reply_size = size;
}

void partition_range_settled(struct partition_server *server,
                             struct partition_connection *connection)
{
    const size_t size = connection->reply_size;
    if (--connection->ranges_under_way == 0 && size != 0 && connection->socket >= 0) {
        connection->reply_size = 0;
        send_reply(server, connection, connection->reply, size);
    }
}

static void take_cpuid(struct partition_server *server, struct partition_connection *connection,
                       const union partition_datagram *request)
{
    struct partition_cpuid_reply answer = {0};
    if (request->cpuid.leaf >= PARTITION_CPUID_FIRST &&
        request->cpuid.leaf <= PARTITION_CPUID_LAST) {
        server->operations->cpuid(server->context, connection->processor, request->cpuid.leaf,
                                  request->cpuid.subleaf, &answer);
    }
    reply(server, connection, request, &answer, sizeof(answer));
}

static bool is_forwarded_msr(uint32_t index)
{
    return index >= PARTITION_MSR_FIRST && index <= PARTITION_MSR_LAST;
}

static void take_rdmsr(struct partition_server *server, struct partition_connection *connection,
                       const union partition_datagram *request)
{
    struct partition_rdmsr_reply answer = {.status = PARTITION_MSR_FAULT};
    uint64_t value = 0;
    if (is_forwarded_msr(request->rdmsr.index)) {
        answer.status = server->operations->read_msr(server->context, connection->processor,
                                                     request->rdmsr.index, &value);
        answer.value = answer.status == 0 ? value : 0;
    }
    reply(server, connection, request, &answer, sizeof(answer));
}

static void take_wrmsr(struct partition_server *server, struct partition_connection *connection,
                       const union partition_datagram *request)
{
    struct partition_status_reply answer = {.status = PARTITION_MSR_FAULT};
    if (is_forwarded_msr(request->wrmsr.index)) {
        answer.status =
            server->operations->write_msr(server->context, connection->processor,
                                          request->wrmsr.index, request->wrmsr.value);
    }
    reply(server, connection, request, &answer, sizeof(answer));
}

static void take_hypercall(struct partition_server *server,
                           struct partition_connection *connection,
                           const union partition_datagram *request)
{
    /* What the guest signalled before this call must not be seen after it (a close, an unload). */
    partition_server_poll_signals(server);
    struct partition_hypercall_reply answer = {
        .result = server->operations->hypercall(server->context, connection->processor,
                                                &request->hypercall),
    };
    reply(server, connection, request, &answer, sizeof(answer));
}

static bool is_access(uint64_t address, uint32_t size, uint32_t kind)
{
    return (size == 1 || size == 2 || size == 4 || size == 8) && address + size > address &&
           (kind == PARTITION_SPACE_MEMORY ||
            (kind == PARTITION_SPACE_PORT && address + size <= 0x10000));
}

static void take_read(struct partition_server *server, struct partition_connection *connection,
                      const union partition_datagram *request)
{
    const struct partition_read *access = &request->read;
    struct partition_read_reply answer = {0};
    if (!is_access(access->address, access->size, access->kind)) {
        partition_fail(server, -EINVAL, "READ: no access has address, size and kind like this");
        return;
    }
    answer.value = server->operations->read(server->context, connection->processor, access);
    reply(server, connection, request, &answer, sizeof(answer));
}

static void take_write(struct partition_server *server, struct partition_connection *connection,
                       const union partition_datagram *request)
{
    const struct partition_write *access = &request->write;
    if (!is_access(access->address, access->size, access->kind)) {
        partition_fail(server, -EINVAL, "WRITE: no access has address, size and kind like this");
        return;
    }
    server->cause = connection;
    server->operations->write(server->context, connection->processor, access);
    server->cause = NULL;
}

static const struct {
    size_t size;
    exit_handler *handle;
} exits[] = {
    [PARTITION_CPUID] = {sizeof(struct partition_cpuid), take_cpuid},
    [PARTITION_RDMSR] = {sizeof(struct partition_rdmsr), take_rdmsr},
    [PARTITION_WRMSR] = {sizeof(struct partition_wrmsr), take_wrmsr},
    [PARTITION_HYPERCALL] = {sizeof(struct partition_hypercall), take_hypercall},
    [PARTITION_READ] = {sizeof(struct partition_read), take_read},
    [PARTITION_WRITE] = {sizeof(struct partition_write), take_write},
};

void partition_processor_message(struct partition_server *server,
                                 struct partition_connection *connection,
                                 const union partition_datagram *datagram, int size)
{
    uint32_t type = datagram->header.type;
    if (type >= sizeof(exits) / sizeof(exits[0]) || exits[type].handle == NULL) {
        partition_fail(server, -EPROTO, "processor %u sent a message of type %u",
                       connection->processor, type);
        return;
    }
    if ((size_t)size != exits[type].size) {
        partition_fail(server, -EBADMSG, "processor %u sent a message of type %u with %d bytes "
                       "instead of %zu", connection->processor, type, size, exits[type].size);
        return;
    }
    if (connection->reply_size != 0) {
        partition_fail(server, -EPROTO, "processor %u did not wait for its reply",
                       connection->processor);
        return;
    }
    server->exits++;
    exits[type].handle(server, connection, datagram);
}
