/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon's end of the conversation with the service. */
#include "daemons/common/private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int send_all(int descriptor, const void *message, size_t length)
{
    ssize_t sent;

    do
        sent = send(descriptor, message, length, 0);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)length ? 0 : -1;
}

int conversation_begin(struct conversation *conversation, const struct daemon_program *program,
                       int descriptor)
{
    const struct service_control_hello hello = {
        .header = { .type = SERVICE_CONTROL_HELLO, .size = sizeof hello - sizeof hello.header },
        .version = SERVICE_CONTROL_VERSION,
    };

    *conversation = (struct conversation){ .program = program, .descriptor = descriptor };
    return send_all(descriptor, &hello, sizeof hello);
}

static enum conversation_event take_welcome(struct conversation *conversation,
                                            const void *message, uint32_t length)
{
    struct service_control_hello hello;

    if (length != sizeof hello)
        return CONVERSATION_OVER;
    memcpy(&hello, message, sizeof hello);
    if (hello.version != SERVICE_CONTROL_VERSION) {
        daemon_error("the kernel extension speaks version %u, this daemon %u", hello.version,
                     SERVICE_CONTROL_VERSION);
        return CONVERSATION_OVER;
    }
    conversation->welcomed = true;
    daemon_log("serving %s", conversation->program->control);
    return CONVERSATION_GOES_ON;
}

static enum conversation_event take_request(struct conversation *conversation, void *message,
                                            struct service_control_header *header)
{
    const struct daemon_program *program = conversation->program;
    bool replies = false;
    uint32_t status = IC_STATUS_NOT_SUPPORTED;

    if (program->request != NULL)
        status = program->request((uint8_t *)message + sizeof *header, header->size, &replies);
    header->type = SERVICE_CONTROL_REPLY;
    header->status = status;
    if (!replies)
        header->size = 0;
    memcpy(message, header, sizeof *header);
    if (send_all(conversation->descriptor, message, sizeof *header + header->size) == 0)
        return CONVERSATION_GOES_ON;
    /* The service may have given up on the request in the meantime; that is no reason to go. */
    daemon_debug("a reply was not taken: %s", strerror(errno));
    return errno == EINVAL ? CONVERSATION_GOES_ON : CONVERSATION_OVER;
}

enum conversation_event conversation_take(struct conversation *conversation, void *message,
                                          uint32_t length)
{
    const struct daemon_program *program = conversation->program;
    struct service_control_header header;

    if (length < sizeof header)
        return CONVERSATION_OVER;
    memcpy(&header, message, sizeof header);
    if (header.size != length - sizeof header)
        return CONVERSATION_OVER;
    if (!conversation->welcomed && header.type != SERVICE_CONTROL_WELCOME)
        return CONVERSATION_OVER;
    switch (header.type) {
    case SERVICE_CONTROL_WELCOME:
        return take_welcome(conversation, message, length);
    case SERVICE_CONTROL_REQUEST:
        return take_request(conversation, message, &header);
    case SERVICE_CONTROL_NOTICE:
        if (program->notice != NULL)
            program->notice((uint8_t *)message + sizeof header, header.size);
        return CONVERSATION_GOES_ON;
    case SERVICE_CONTROL_RESET:
        if (program->reset != NULL)
            program->reset();
        return CONVERSATION_GOES_ON;
    default:
        return CONVERSATION_OVER;       /* goodbye, or something newer than we are */
    }
}
