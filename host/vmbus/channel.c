/* SPDX-License-Identifier: BSD-3-Clause */
/* A channel's life: open, close, moving its interrupt. */
#include <string.h>

#include "host/vmbus/state.h"

const char *host_channel_state_name(const struct host_channel *channel)
{
    if (channel->rescinded) {
        return "rescinded";
    }
    switch (channel->state) {
    case HOST_CHANNEL_OPEN:
        return channel->reserved ? "open (reserved)" : "open";
    case HOST_CHANNEL_CLOSING:
        return "closing";
    default:
        return channel->offered ? "offered" : "not offered";
    }
}

static void send_open_result(struct host_channel *channel, uint32_t open_id, int result)
{
    struct vmbus_message_open_result message = {
        .header.type = VMBUS_MESSAGE_OPEN_RESULT,
        .channel_id = channel->id,
        .open_id = open_id,
        .status = result < 0 ? VMBUS_STATUS_UNEXPECTED : VMBUS_STATUS_SUCCESS,
    };
    vmbus_send(channel->server, &message, sizeof(message));
}

/* Opens a closed channel and answers. */
static void open_and_answer(struct host_channel *channel,
                            const struct vmbus_message_open_channel_6_0 *message)
{
    struct vmbus_server *server = channel->server;
    const struct vmbus_message_open_channel *open = &message->base;
    struct host_open_parameters parameters = {
        .ring_gpadl_id = open->ring_gpadl_id,
        .downstream_page_offset = open->downstream_page_offset,
        .target_processor = server->version < VMBUS_VERSION_2_4 ? 0 : open->target_vp,
        .target_sint = HV_SINT_VMBUS,
        .connection_id = VMBUS_CHANNEL_CONNECTION_BASE + channel->id,
        .event_flag = channel->id,
        .user_data = open->user_data,
    };
    if ((server->features & VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS) != 0) {
        parameters.connection_id = message->connection_id;
        parameters.event_flag = message->event_flag;
    }
    uint32_t open_id = open->open_id;
    const char *rule = NULL;
    int result = host_channel_open(channel, &parameters, &rule);
    if (rule != NULL) {
        vmbus_violation(server, "OPEN_CHANNEL", host_channel_state_name(channel), rule,
                        channel->id);
    }
    send_open_result(channel, open_id, result);
    if (result == 0) {
        server->operations->wake_device(server->context, channel);
    }
}

void vmbus_handle_open(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    struct vmbus_message_open_channel_6_0 open = {0};
    memcpy(&open, message, size < sizeof(open) ? size : sizeof(open));
    struct host_channel *channel = vmbus_server_channel(server, open.base.channel_id);
    if (channel != NULL && channel->rescinded) {
        return; /* the guest cannot have known; it waits for our RESCIND */
    }
    const char *rule = NULL;
    if (channel == NULL || !channel->offered) {
        rule = "the channel is offered";
    } else if (channel->state == HOST_CHANNEL_OPEN || channel->open_waiting) {
        rule = "a channel is opened once";
    } else if ((server->features & VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS) != 0 &&
               size < sizeof(open)) {
        rule = "with guest-specified signals the message has 156 bytes";
    }
    if (rule != NULL) {
        vmbus_violation(server, "OPEN_CHANNEL",
                        channel == NULL ? "unknown channel" : host_channel_state_name(channel),
                        rule, open.base.channel_id);
        return;
    }
    if (channel->state == HOST_CHANNEL_CLOSING) {
        channel->open_waiting = true;
        channel->waiting_open = open;
        return;
    }
    open_and_answer(channel, &open);
}

void vmbus_handle_close(struct vmbus_server *server, const uint8_t *message)
{
    struct vmbus_message_channel close;
    memcpy(&close, message, sizeof(close));
    struct host_channel *channel = vmbus_server_channel(server, close.channel_id);
    if (channel != NULL && channel->rescinded) {
        return; /* our RESCIND crossed it, or the guest tidies up */
    }
    if (channel == NULL || channel->state != HOST_CHANNEL_OPEN || channel->reserved) {
        vmbus_violation(server, "CLOSE_CHANNEL",
                        channel == NULL ? "unknown channel" : host_channel_state_name(channel),
                        "an open channel is closed", close.channel_id);
        return;
    }
    host_channel_begin_close(channel);
}

void host_channel_begin_close(struct host_channel *channel)
{
    channel->state = HOST_CHANNEL_CLOSING;
    atomic_store(&channel->running, false);
    channel->device->operations->closed(channel->device->device, channel);
}

void host_channel_released(struct host_channel *channel)
{
    struct vmbus_server *server = channel->server;
    if (channel->state != HOST_CHANNEL_CLOSING) {
        return;
    }
    channel->state = HOST_CHANNEL_CLOSED;
    channel->connection_id = VMBUS_CHANNEL_CONNECTION_BASE + channel->id;
    channel->ring_gpadl = NULL;
    host_channel_free_rings(channel);
    host_gpadl_channel_closed(channel);
    if (channel->reserved) {
        host_channel_reserved_closed(channel);
    }
    if (channel->sub_channel_index == 0 && server->connected) {
        /* Sub-channels live as long as their primary is open. */
        host_channel_rescind_sub_channels(channel->device);
    }
    if (channel->guest_released) {
        channel->guest_released = false;
        if (channel->rescinded) {
            host_channel_destroy(channel);
        } else {
            host_gpadl_drop_channel(channel);
            host_channel_unassign(channel);
        }
    } else if (channel->open_waiting) {
        channel->open_waiting = false;
        open_and_answer(channel, &channel->waiting_open);
    }
    vmbus_disconnect_progress(server);
}

void vmbus_handle_modify_channel(struct vmbus_server *server, const uint8_t *message)
{
    struct vmbus_message_modify_channel modify;
    memcpy(&modify, message, sizeof(modify));
    struct host_channel *channel = vmbus_server_channel(server, modify.channel_id);
    if (channel != NULL && channel->rescinded) {
        return;
    }
    const char *rule = NULL;
    if (channel == NULL || channel->state != HOST_CHANNEL_OPEN) {
        rule = "only an open channel is modified";
    } else if (modify.target_vp >= server->configuration.processors) {
        rule = "the target processor exists";
    }
    if (rule != NULL) {
        vmbus_violation(server, "MODIFY_CHANNEL",
                        channel == NULL ? "unknown channel" : host_channel_state_name(channel),
                        rule, modify.channel_id);
    } else {
        atomic_store(&channel->target_processor, modify.target_vp);
        if (channel->device->operations->target_changed != NULL) {
            channel->device->operations->target_changed(channel->device->device, channel,
                                                        modify.target_vp);
        }
    }
    if (server->version >= VMBUS_VERSION_5_3) {
        struct vmbus_message_modify_channel_response response = {
            .header.type = VMBUS_MESSAGE_MODIFY_CHANNEL_RESPONSE,
            .channel_id = modify.channel_id,
            .status = rule != NULL ? VMBUS_STATUS_UNEXPECTED : VMBUS_STATUS_SUCCESS,
        };
        vmbus_send(server, &response, sizeof(response));
    }
}
