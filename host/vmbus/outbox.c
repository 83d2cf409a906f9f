/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages on their way to the guest: in order, also when no buffer is free for a while. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmbus/state.h"

static int deliver(struct vmbus_server *server, const struct vmbus_outgoing *outgoing)
{
    return server->operations->send_message(server->context, outgoing->processor, outgoing->sint,
                                            outgoing->bytes, outgoing->size);
}

void vmbus_send_to(struct vmbus_server *server, uint32_t processor, uint32_t sint,
                   const void *message, size_t size)
{
    struct vmbus_outgoing outgoing = {.processor = processor, .sint = sint, .size = size};
    memcpy(outgoing.bytes, message, size);
    if (server->outbox == NULL && !server->paused && deliver(server, &outgoing) != -EAGAIN) {
        return;
    }
    struct vmbus_outgoing *queued = malloc(sizeof(*queued));
    if (queued == NULL) {
        return; /* as a host short of memory: the guest will miss the message */
    }
    *queued = outgoing;
    *server->outbox_end = queued;
    server->outbox_end = &queued->next;
    server->outbox_length++;
}

void vmbus_send(struct vmbus_server *server, const void *message, size_t size)
{
    if (server->connected) {
        vmbus_send_to(server, server->message_processor, HV_SINT_VMBUS, message, size);
    }
}

static void take_first(struct vmbus_server *server)
{
    struct vmbus_outgoing *first = server->outbox;
    server->outbox = first->next;
    if (server->outbox == NULL) {
        server->outbox_end = &server->outbox;
    }
    server->outbox_length--;
    free(first);
}

void vmbus_server_port_ready(struct vmbus_server *server)
{
    while (server->outbox != NULL && !server->paused) {
        if (deliver(server, server->outbox) == -EAGAIN) {
            return;
        }
        take_first(server);
    }
}

void vmbus_outbox_clear(struct vmbus_server *server)
{
    while (server->outbox != NULL) {
        take_first(server);
    }
    server->paused = false;
}
