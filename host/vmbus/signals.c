/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals between guest and host: connection ids, event flags and the interrupt page. */
#include "host/vmbus/state.h"

static uint64_t *interrupt_words(uint8_t *page, unsigned offset)
{
    return (uint64_t *)(void *)(page + offset);
}

void host_channel_signal_guest(struct host_channel *channel)
{
    struct vmbus_server *server = channel->server;
    uint32_t processor = atomic_load(&channel->target_processor);
    if (processor == VMBUS_VP_NONE) {
        return;
    }
    uint16_t flag = channel->event_flag;
    if (channel->interrupt_page != NULL) {
        uint64_t *words = interrupt_words(channel->interrupt_page, VMBUS_INTERRUPT_PAGE_RECEIVE);
        __atomic_or_fetch(&words[channel->id / 64], UINT64_C(1) << channel->id % 64,
                          __ATOMIC_SEQ_CST);
        flag = 0;
    }
    server->operations->signal_guest(server->context, processor, channel->target_sint, flag);
}

static void wake(struct vmbus_server *server, struct host_channel *channel)
{
    server->operations->wake_device(server->context, channel);
}

/* Version 0.13: one connection for all channels, whose bits are in the interrupt page. */
static uint32_t shared_signal(struct vmbus_server *server)
{
    if (!server->connected || server->interrupt_page == NULL) {
        return HV_STATUS_INVALID_CONNECTION_ID;
    }
    uint64_t *words = interrupt_words(server->interrupt_page, VMBUS_INTERRUPT_PAGE_SEND);
    for (uint32_t word = 0; word < (VMBUS_CHANNEL_MAXIMUM + 1) / 64; word++) {
        uint64_t bits = __atomic_exchange_n(&words[word], 0, __ATOMIC_SEQ_CST);
        while (bits != 0) {
            struct host_channel *channel =
                vmbus_server_channel(server, word * 64 + (uint32_t)__builtin_ctzll(bits));
            bits &= bits - 1;
            if (channel != NULL && channel->state == HOST_CHANNEL_OPEN) {
                wake(server, channel);
            } else {
                vmbus_violation(server, "interrupt page", "connected",
                                "a send bit belongs to an open channel", 0);
            }
        }
    }
    return HV_STATUS_SUCCESS;
}

/* The channel whose signals come through this connection: by default BASE + id. */
static struct host_channel *channel_of_connection(struct vmbus_server *server,
                                                  uint32_t connection_id)
{
    struct host_channel *channel =
        vmbus_server_channel(server, connection_id - VMBUS_CHANNEL_CONNECTION_BASE);
    if (channel != NULL && channel->connection_id == connection_id) {
        return channel;
    }
    if ((server->features & VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS) == 0) {
        return NULL;
    }
    for (uint32_t id = 1; id <= VMBUS_CHANNEL_MAXIMUM; id++) {
        channel = server->channels[id];
        if (channel != NULL && channel->connection_id == connection_id) {
            return channel;
        }
    }
    return NULL;
}

uint32_t vmbus_server_signal_event(struct vmbus_server *server, uint32_t connection_id,
                                   uint16_t flag)
{
    if (flag != 0) {
        vmbus_violation(server, "HvSignalEvent", "connected", "VMBus uses flag number 0", 0);
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (connection_id == VMBUS_CONNECTION_EVENT) {
        return shared_signal(server);
    }
    if (connection_id == VMBUS_CONNECTION_MONITOR) {
        vmbus_server_poll_monitors(server);
        return HV_STATUS_SUCCESS;
    }
    struct host_channel *channel = channel_of_connection(server, connection_id);
    if (channel == NULL || channel->state != HOST_CHANNEL_OPEN) {
        /* A signal may cross the host's own closing of a channel, and its removal of a device. */
        if (channel == NULL || (channel->state == HOST_CHANNEL_CLOSED && !channel->rescinded)) {
            vmbus_violation(server, "HvSignalEvent",
                            channel == NULL ? "unknown connection"
                                            : host_channel_state_name(channel),
                            "a signal goes to an open channel", channel == NULL ? 0 : channel->id);
        }
        return HV_STATUS_INVALID_CONNECTION_ID;
    }
    wake(server, channel);
    return HV_STATUS_SUCCESS;
}
