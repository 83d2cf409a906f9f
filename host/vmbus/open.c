/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening a channel's rings on the memory that the guest described. */
#include <errno.h>
#include <string.h>

#include "host/vmbus/state.h"

/* The GPADL that the guest names for its rings, or NULL and the rule that it breaks. */
static struct host_gpadl *ring_gpadl(struct host_channel *channel,
                                     const struct host_open_parameters *parameters,
                                     const char **rule)
{
    struct host_gpadl *gpadl = host_gpadl_find(channel->server, parameters->ring_gpadl_id);
    *rule = NULL;
    if (gpadl == NULL || gpadl->channel != channel || gpadl->state != HOST_GPADL_CREATED) {
        *rule = "the ring's GPADL was created on this channel";
    } else if (!gpadl->whole_pages) {
        *rule = "the ring's GPADL is one range of whole pages";
    } else if (parameters->downstream_page_offset < 2 ||
               parameters->downstream_page_offset >= gpadl->page_count ||
               gpadl->page_count - parameters->downstream_page_offset < 2) {
        *rule = "each ring has a control page and at least one data page";
    }
    return *rule == NULL ? gpadl : NULL;
}

static int set_rings(struct host_channel *channel, const struct host_gpadl *gpadl,
                     uint32_t downstream, const char **rule)
{
    struct host_ring_memory to_host, to_guest;
    int result = host_ring_memory_set(&to_host, gpadl->pages, downstream);
    if (result == 0) {
        result = host_ring_memory_set(&to_guest, gpadl->pages + downstream,
                                      gpadl->page_count - downstream);
    }
    if (result == 0) {
        result = host_ring_reader_initialise(&channel->reader, &to_host);
    }
    if (result == 0) {
        result = host_ring_writer_initialise(&channel->writer, &to_guest);
    }
    if (result == -EINVAL) {
        *rule = "a ring's indices are multiples of 8 inside the ring";
    }
    if (result < 0) {
        host_channel_free_rings(channel);
    }
    return result;
}

void host_channel_free_rings(struct host_channel *channel)
{
    atomic_store(&channel->running, false);
    host_ring_reader_free(&channel->reader);
    memset(&channel->writer, 0, sizeof(channel->writer));
}

/* The rule that the open's targets break, or NULL. */
static const char *target_fault(struct host_channel *channel,
                                const struct host_open_parameters *parameters)
{
    struct vmbus_server *server = channel->server;
    if (parameters->target_processor != VMBUS_VP_NONE &&
        parameters->target_processor >= server->configuration.processors) {
        return "the target processor exists, or is -1";
    }
    if (parameters->target_sint >= HV_SYNIC_SINT_COUNT) {
        return "the target SINT exists";
    }
    if (parameters->event_flag >= HV_EVENT_FLAGS_PER_SINT) {
        return "the event flag is below 2048";
    }
    for (uint32_t id = 1; id <= VMBUS_CHANNEL_MAXIMUM; id++) {
        const struct host_channel *other = server->channels[id];
        if (other != NULL && other != channel &&
            other->connection_id == parameters->connection_id) {
            return "a connection id belongs to one channel";
        }
    }
    return NULL;
}

int host_channel_open(struct host_channel *channel, const struct host_open_parameters *parameters,
                      const char **rule)
{
    struct vmbus_server *server = channel->server;
    struct host_gpadl *gpadl = ring_gpadl(channel, parameters, rule);
    if (gpadl == NULL) {
        return -EINVAL;
    }
    *rule = target_fault(channel, parameters);
    if (*rule != NULL) {
        return -EINVAL;
    }
    int result = set_rings(channel, gpadl, parameters->downstream_page_offset, rule);
    if (result < 0) {
        return result;
    }
    channel->version = server->version;
    channel->pipe = (channel->device->offer.flags & VMBUS_OFFER_PIPE) != 0;
    atomic_store(&channel->target_processor, parameters->target_processor);
    channel->target_sint = parameters->target_sint;
    channel->event_flag = (uint16_t)parameters->event_flag;
    channel->connection_id = parameters->connection_id;
    channel->signal_guest = channel->polled = channel->rested = false;
    channel->reported_rule = NULL;
    channel->interrupt_page =
        server->version < VMBUS_VERSION_2_4 ? server->interrupt_page : NULL;
    channel->ring_gpadl = gpadl;
    gpadl->ring = true;
    channel->state = HOST_CHANNEL_OPEN;
    const struct vmbus_open_request request = {
        .target_processor = parameters->target_processor,
        .user_data = parameters->user_data,
        .to_host_ring_size = channel->reader.memory.size,
        .to_guest_ring_size = channel->writer.memory.size,
    };
    result = channel->device->operations->opened(channel->device->device, channel, &request);
    if (result < 0) {
        channel->state = HOST_CHANNEL_CLOSED;
        channel->connection_id = VMBUS_CHANNEL_CONNECTION_BASE + channel->id;
        channel->ring_gpadl = NULL;
        gpadl->ring = false;
        host_channel_free_rings(channel);
        return result;
    }
    atomic_store(&channel->running, true);
    return 0;
}
