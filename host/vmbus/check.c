/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold between any two events: for tests, simulations and fuzzers. */
#include "host/vmbus/state.h"

static const struct host_channel *find_channel(const struct vmbus_server *server,
                                               const struct host_channel *wanted)
{
    for (const struct host_device *device = server->devices; device != NULL;
         device = device->next) {
        for (const struct host_channel *channel = device->channels; channel != NULL;
             channel = channel->next) {
            if (channel == wanted) {
                return channel;
            }
        }
    }
    return NULL;
}

static bool gpadl_exists(const struct vmbus_server *server, const struct host_gpadl *wanted)
{
    for (unsigned i = 0; i < VMBUS_GPADL_BUCKETS; i++) {
        for (const struct host_gpadl *gpadl = server->gpadls[i]; gpadl != NULL;
             gpadl = gpadl->next) {
            if (gpadl == wanted) {
                return true;
            }
        }
    }
    return false;
}

static const char *check_channel(const struct vmbus_server *server,
                                 const struct host_channel *channel)
{
    if (channel->id > VMBUS_CHANNEL_MAXIMUM ||
        (channel->id != 0 && server->channels[channel->id] != channel)) {
        return "a channel with an id is in the table of ids";
    }
    if (channel->offered && channel->id == 0) {
        return "an offered channel has an id";
    }
    if (channel->state == HOST_CHANNEL_CLOSED) {
        return channel->ring_gpadl != NULL || channel->reader.packet != NULL ||
                       channel->open_waiting || channel->guest_released
                   ? "a closed channel has no ring and waits for nothing" : NULL;
    }
    if (channel->ring_gpadl == NULL || !gpadl_exists(server, channel->ring_gpadl) ||
        !channel->ring_gpadl->ring || channel->ring_gpadl->channel != channel) {
        return "an open channel's ring lies in a live GPADL of its own";
    }
    if (channel->reader.packet == NULL || channel->writer.memory.control == NULL) {
        return "an open channel has its rings";
    }
    if (channel->state == HOST_CHANNEL_OPEN && channel->rescinded) {
        return "a rescinded channel is not open";
    }
    if (!server->connected && !server->disconnecting && channel->state == HOST_CHANNEL_OPEN &&
        !channel->reserved) {
        return "without a connection only reserved channels are open";
    }
    return NULL;
}

static const char *check_devices(const struct vmbus_server *server)
{
    for (const struct host_device *device = server->devices; device != NULL;
         device = device->next) {
        if (device->channels == NULL) {
            return "a device has a channel";
        }
        for (const struct host_channel *channel = device->channels; channel != NULL;
             channel = channel->next) {
            const char *broken = check_channel(server, channel);
            if (channel->device != device || channel->server != server) {
                broken = "a channel knows its device and server";
            }
            if (broken != NULL) {
                return broken;
            }
        }
    }
    return NULL;
}

static const char *check_gpadls(const struct vmbus_server *server)
{
    unsigned count = 0;
    size_t pages = 0;
    for (unsigned i = 0; i < VMBUS_GPADL_BUCKETS; i++) {
        for (const struct host_gpadl *gpadl = server->gpadls[i]; gpadl != NULL;
             gpadl = gpadl->next) {
            count++;
            pages += gpadl->word_count;
            if (gpadl->id % VMBUS_GPADL_BUCKETS != i || gpadl->id == 0) {
                return "a GPADL is where its id says";
            }
            if (find_channel(server, gpadl->channel) == NULL) {
                return "a GPADL belongs to a channel that exists";
            }
            if (gpadl->ring != (gpadl->channel->ring_gpadl == gpadl)) {
                return "a GPADL is a ring exactly while its channel uses it";
            }
        }
    }
    return count != server->gpadl_count || pages != server->gpadl_pages
               ? "GPADLs are counted" : NULL;
}

const char *vmbus_server_check(const struct vmbus_server *server)
{
    unsigned queued = 0;
    for (const struct vmbus_outgoing *outgoing = server->outbox; outgoing != NULL;
         outgoing = outgoing->next) {
        queued++;
    }
    if (queued != server->outbox_length) {
        return "queued messages are counted";
    }
    if (server->connected && (server->disconnecting || server->version == 0)) {
        return "a connection has a version and is not ending";
    }
    for (uint32_t id = 0; id <= VMBUS_CHANNEL_MAXIMUM; id++) {
        const struct host_channel *channel = server->channels[id];
        if (channel != NULL && (find_channel(server, channel) == NULL || channel->id != id)) {
            return "an id belongs to a channel that exists";
        }
    }
    for (unsigned i = 0; i < VMBUS_MONITORS; i++) {
        const struct host_channel *channel = server->monitors[i];
        if (channel != NULL &&
            (find_channel(server, channel) == NULL || channel->monitor_id != i)) {
            return "a monitor id belongs to a channel that exists";
        }
    }
    const char *broken = check_devices(server);
    return broken != NULL ? broken : check_gpadls(server);
}
