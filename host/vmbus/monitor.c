/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Monitor pages: the guest triggers a channel by setting a bit instead of making a hypercall. The
 * page also describes each monitor id to the guest; what we act on is our own table.
 */
#include <string.h>

#include "host/vmbus/state.h"

enum { MONITOR_LATENCY_100NS = 1000 }; /* what Windows aims at: 100 microseconds */

void host_channel_assign_monitor(struct host_channel *channel)
{
    struct vmbus_server *server = channel->server;
    if (!channel->device->offer.monitored || server->monitor_page == NULL ||
        channel->monitor_id != VMBUS_MONITOR_NONE) {
        return;
    }
    unsigned id = 0;
    while (id < VMBUS_MONITORS && server->monitors[id] != NULL) {
        id++;
    }
    if (id == VMBUS_MONITORS) {
        return; /* the guest makes hypercalls for this one */
    }
    server->monitors[id] = channel;
    channel->monitor_id = (uint8_t)id;
    uint8_t *page = server->monitor_page;
    const struct vmbus_monitor_parameter parameter = {
        .connection_id = VMBUS_CHANNEL_CONNECTION_BASE + channel->id,
    };
    const uint16_t latency = MONITOR_LATENCY_100NS;
    memcpy(page + offsetof(struct vmbus_monitor_page, parameters) + id * sizeof(parameter),
           &parameter, sizeof(parameter));
    memcpy(page + offsetof(struct vmbus_monitor_page, latency) + id * sizeof(latency), &latency,
           sizeof(latency));
    __atomic_or_fetch((uint32_t *)(void *)page, 1u << id / VMBUS_MONITOR_PER_GROUP,
                      __ATOMIC_SEQ_CST);
}

void host_channel_release_monitor(struct host_channel *channel)
{
    if (channel->monitor_id != VMBUS_MONITOR_NONE) {
        channel->server->monitors[channel->monitor_id] = NULL;
        channel->monitor_id = VMBUS_MONITOR_NONE;
    }
}

void vmbus_server_poll_monitors(struct vmbus_server *server)
{
    if (server->monitor_page == NULL) {
        return;
    }
    uint32_t *groups =
        (uint32_t *)(void *)(server->monitor_page + offsetof(struct vmbus_monitor_page, groups));
    for (unsigned group = 0; group < VMBUS_MONITOR_GROUPS; group++) {
        uint32_t pending = __atomic_exchange_n(&groups[2 * group], 0, __ATOMIC_SEQ_CST);
        while (pending != 0) {
            unsigned bit = (unsigned)__builtin_ctz(pending);
            pending &= pending - 1;
            struct host_channel *channel =
                server->monitors[group * VMBUS_MONITOR_PER_GROUP + bit];
            if (channel == NULL) {
                vmbus_violation(server, "monitor page", "connected",
                                "a pending bit belongs to a monitor that was offered", 0);
            } else if (channel->state == HOST_CHANNEL_OPEN) {
                server->operations->wake_device(server->context, channel);
            }
        }
    }
}
