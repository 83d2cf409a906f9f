/* SPDX-License-Identifier: BSD-3-Clause */
/* The kext's end of the conversation with a daemon. */
#include "kext/services/daemon_link.h"

#include "kext/core/shared_memory.h"

int daemon_link_connect(struct daemon_link *link)
{
    if (link->connected)
        return HV_ERROR_STATE;
    link->connected = true;
    link->ready = false;
    link->waiting = false;
    return 0;
}

bool daemon_link_disconnect(struct daemon_link *link)
{
    bool waiting = link->waiting;

    link->connected = false;
    link->ready = false;
    link->waiting = false;
    return waiting;
}

static int malformed(struct daemon_link *link)
{
    link->counters.malformed++;
    return HV_ERROR_MALFORMED;
}

static int take_hello(struct daemon_link *link, const void *message, uint32_t length)
{
    struct service_control_hello hello;

    if (link->ready || length != sizeof hello)
        return malformed(link);
    memcpy(&hello, message, sizeof hello);
    if (hello.version != SERVICE_CONTROL_VERSION) {
        link->counters.malformed++;
        return HV_ERROR_NOT_SUPPORTED;
    }
    link->ready = true;
    return DAEMON_HELLO;
}

static int take_reply(struct daemon_link *link, const struct service_control_header *header,
                      const void *message, struct daemon_reply *reply)
{
    if (!link->ready)
        return malformed(link);
    if (!link->waiting || header->sequence != link->sequence) {
        link->counters.late++;
        return HV_ERROR_UNEXPECTED;
    }
    if (header->size != 0 && header->size != link->request_size)
        return malformed(link);
    link->waiting = false;
    link->counters.replies++;
    reply->status = header->status;
    reply->body = (const uint8_t *)message + sizeof *header;
    reply->size = header->size;
    return DAEMON_REPLY;
}

int daemon_link_receive(struct daemon_link *link, const void *message, uint32_t length,
                        struct daemon_reply *reply)
{
    struct service_control_header header;

    if (length < sizeof header)
        return malformed(link);
    memcpy(&header, message, sizeof header);
    if (header.size != length - sizeof header)
        return malformed(link);
    switch (header.type) {
    case SERVICE_CONTROL_HELLO: return take_hello(link, message, length);
    case SERVICE_CONTROL_REPLY: return take_reply(link, &header, message, reply);
    default:                    return malformed(link);
    }
}

void daemon_link_notice(enum service_control_type type, uint32_t size,
                        struct service_control_header *header)
{
    *header = (struct service_control_header){ .type = (uint32_t)type, .size = size };
}

void daemon_link_welcome(uint32_t message_version, struct service_control_hello *hello)
{
    daemon_link_notice(SERVICE_CONTROL_WELCOME, sizeof *hello - sizeof hello->header,
                       &hello->header);
    hello->version = SERVICE_CONTROL_VERSION;
    hello->message_version = message_version;
}

void daemon_link_request(struct daemon_link *link, uint32_t size,
                         struct service_control_header *header)
{
    daemon_link_notice(SERVICE_CONTROL_REQUEST, size, header);
    header->sequence = ++link->sequence;
    link->request_size = size;
    link->waiting = true;
    link->counters.requests++;
}

bool daemon_link_give_up(struct daemon_link *link)
{
    bool waiting = link->waiting;

    link->waiting = false;
    return waiting;
}
