/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reserved opens (4.0): a crash-dump stack opens a channel with its own processor and SINT, so
 * that it works while the rest of the guest is dead. Such a channel survives INITIATE_CONTACT and
 * UNLOAD, and ends with CLOSE_RESERVED_CHANNEL.
 */
#include <string.h>

#include "host/vmbus/state.h"

void vmbus_handle_open_reserved(struct vmbus_server *server, const uint8_t *message)
{
    static const uint8_t no_data[VMBUS_USER_DATA_SIZE];
    struct vmbus_message_open_reserved_channel open;
    memcpy(&open, message, sizeof(open));
    struct host_channel *channel = vmbus_server_channel(server, open.channel_id);
    const char *rule = NULL;
    if (channel == NULL || !channel->offered || channel->rescinded ||
        channel->sub_channel_index != 0) {
        rule = "the channel is an offered primary";
    } else if (channel->state != HOST_CHANNEL_CLOSED) {
        rule = "a channel is opened once";
    } else if (open.target_vp >= server->configuration.processors ||
               open.target_sint >= HV_SYNIC_SINT_COUNT) {
        rule = "the target processor and SINT exist";
    }
    if (rule != NULL) {
        vmbus_violation(server, "OPEN_RESERVED_CHANNEL",
                        channel == NULL ? "unknown channel" : host_channel_state_name(channel),
                        rule, open.channel_id);
        return;
    }
    const struct host_open_parameters parameters = {
        .ring_gpadl_id = open.ring_gpadl_id,
        .downstream_page_offset = open.downstream_page_offset,
        .target_processor = open.target_vp,
        .target_sint = open.target_sint,
        .connection_id = VMBUS_CHANNEL_CONNECTION_BASE + channel->id,
        .event_flag = channel->id,
        .user_data = no_data,
    };
    int result = host_channel_open(channel, &parameters, &rule);
    if (rule != NULL) {
        vmbus_violation(server, "OPEN_RESERVED_CHANNEL", host_channel_state_name(channel), rule,
                        channel->id);
    }
    channel->reserved = result == 0;
    struct vmbus_message_open_result answer = {
        .header.type = VMBUS_MESSAGE_OPEN_RESULT,
        .channel_id = channel->id,
        .status = result < 0 ? VMBUS_STATUS_UNEXPECTED : VMBUS_STATUS_SUCCESS,
    };
    vmbus_send_to(server, open.target_vp, open.target_sint, &answer, sizeof(answer));
    if (result == 0) {
        server->operations->wake_device(server->context, channel);
    }
}

void vmbus_handle_close_reserved(struct vmbus_server *server, const uint8_t *message)
{
    struct vmbus_message_close_reserved_channel close;
    memcpy(&close, message, sizeof(close));
    struct host_channel *channel = vmbus_server_channel(server, close.channel_id);
    if (channel == NULL || !channel->reserved || channel->state != HOST_CHANNEL_OPEN ||
        close.target_vp >= server->configuration.processors ||
        close.target_sint >= HV_SYNIC_SINT_COUNT) {
        vmbus_violation(server, "CLOSE_RESERVED_CHANNEL",
                        channel == NULL ? "unknown channel" : host_channel_state_name(channel),
                        "a reserved open is closed, with an existing target", close.channel_id);
        return;
    }
    channel->reserved_closing = true;
    channel->reserved_processor = close.target_vp;
    channel->reserved_sint = close.target_sint;
    host_channel_begin_close(channel);
}

void host_channel_reserved_closed(struct host_channel *channel)
{
    struct vmbus_server *server = channel->server;
    channel->reserved = false;
    if (channel->reserved_closing) {
        channel->reserved_closing = false;
        struct vmbus_message_channel answer = {
            .header.type = VMBUS_MESSAGE_CLOSE_RESERVED_RESPONSE,
            .channel_id = channel->id,
        };
        vmbus_send_to(server, channel->reserved_processor, channel->reserved_sint, &answer,
                      sizeof(answer));
    }
    if (!channel->offered && !server->disconnecting) {
        /* Its connection has gone meanwhile, which it survived. */
        host_gpadl_drop_channel(channel);
        host_channel_unassign(channel);
    }
}
