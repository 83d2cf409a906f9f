/* SPDX-License-Identifier: BSD-3-Clause */
/* Negative answers to requests that were never tried: for test benches. */
#include <string.h>

#include "host/vmbus/state.h"

static void fail_open(struct vmbus_server *server, const uint8_t *message)
{
    struct vmbus_message_open_channel open;
    memcpy(&open, message, sizeof(open));
    const struct vmbus_message_open_result result = {
        .header.type = VMBUS_MESSAGE_OPEN_RESULT,
        .channel_id = open.channel_id,
        .open_id = open.open_id,
        .status = VMBUS_STATUS_UNEXPECTED,
    };
    vmbus_send(server, &result, sizeof(result));
}

static void fail_gpadl(struct vmbus_server *server, const uint8_t *message)
{
    struct vmbus_message_gpadl_header header;
    memcpy(&header, message, sizeof(header));
    const struct vmbus_message_gpadl_created created = {
        .header.type = VMBUS_MESSAGE_GPADL_CREATED,
        .channel_id = header.channel_id,
        .gpadl_id = header.gpadl_id,
        .status = VMBUS_STATUS_UNEXPECTED,
    };
    vmbus_send(server, &created, sizeof(created));
}

static void fail_modify(struct vmbus_server *server, const uint8_t *message)
{
    struct vmbus_message_modify_channel modify;
    memcpy(&modify, message, sizeof(modify));
    const struct vmbus_message_modify_channel_response response = {
        .header.type = VMBUS_MESSAGE_MODIFY_CHANNEL_RESPONSE,
        .channel_id = modify.channel_id,
        .status = VMBUS_STATUS_UNEXPECTED,
    };
    if (server->version >= VMBUS_VERSION_5_3) {
        vmbus_send(server, &response, sizeof(response));
    }
}

static void fail_contact(struct vmbus_server *server, const uint8_t *message)
{
    struct vmbus_message_initiate_contact contact;
    memcpy(&contact, message, sizeof(contact));
    const struct vmbus_message_version_response response = {
        .header.type = VMBUS_MESSAGE_VERSION_RESPONSE,
    };
    uint32_t processor = contact.version >= VMBUS_VERSION_3_0 &&
                                 contact.target_vp < server->configuration.processors
                             ? contact.target_vp : 0;
    vmbus_send_to(server, processor, HV_SINT_VMBUS, &response, sizeof(response));
}

bool vmbus_server_fail(struct vmbus_server *server, const void *message, size_t size)
{
    static const struct {
        uint32_t type;
        size_t size;
        void (*fail)(struct vmbus_server *server, const uint8_t *message);
    } requests[] = {
        {VMBUS_MESSAGE_OPEN_CHANNEL, sizeof(struct vmbus_message_open_channel), fail_open},
        {VMBUS_MESSAGE_GPADL_HEADER, sizeof(struct vmbus_message_gpadl_header), fail_gpadl},
        {VMBUS_MESSAGE_MODIFY_CHANNEL, sizeof(struct vmbus_message_modify_channel), fail_modify},
        {VMBUS_MESSAGE_INITIATE_CONTACT, sizeof(struct vmbus_message_initiate_contact),
         fail_contact},
    };
    uint32_t type = 0;
    memcpy(&type, message, size < sizeof(type) ? size : sizeof(type));
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        if (requests[i].type == type && size >= requests[i].size) {
            requests[i].fail(server, message);
            return true;
        }
    }
    return false;
}
