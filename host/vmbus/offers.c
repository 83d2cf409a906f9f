/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices coming and going, and the offers that tell the guest of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmbus/state.h"

/* ---- Ids ---- */

static bool assign_id(struct host_channel *channel)
{
    struct vmbus_server *server = channel->server;
    for (uint32_t id = 1; id <= VMBUS_CHANNEL_MAXIMUM; id++) {
        if (server->channels[id] == NULL) {
            server->channels[id] = channel;
            channel->id = id;
            channel->connection_id = VMBUS_CHANNEL_CONNECTION_BASE + id;
            return true;
        }
    }
    return false;
}

void host_channel_unassign(struct host_channel *channel)
{
    host_channel_release_monitor(channel);
    if (channel->id != 0) {
        channel->server->channels[channel->id] = NULL;
        channel->id = 0;
    }
}

/* ---- Channels ---- */

static struct host_channel *add_channel(struct host_device *device, uint16_t sub_channel_index)
{
    struct host_channel *channel = calloc(1, sizeof(*channel));
    if (channel == NULL) {
        return NULL;
    }
    channel->server = device->server;
    channel->device = device;
    channel->sub_channel_index = sub_channel_index;
    channel->monitor_id = VMBUS_MONITOR_NONE;
    struct host_channel **end = &device->channels;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = channel;
    return channel;
}

void host_channel_destroy(struct host_channel *channel)
{
    struct host_device *device = channel->device;
    host_gpadl_drop_channel(channel);
    host_channel_free_rings(channel);
    host_channel_unassign(channel);
    struct host_channel **link = &device->channels;
    while (*link != channel) {
        link = &(*link)->next;
    }
    *link = channel->next;
    free(channel);
    if (device->channels == NULL) {
        struct host_device **device_link = &device->server->devices;
        while (*device_link != device) {
            device_link = &(*device_link)->next;
        }
        *device_link = device->next;
        if (device->operations->removed != NULL) {
            device->operations->removed(device->device);
        }
        free(device);
    }
}

/* ---- Offers ---- */

static uint16_t offer_flags(const struct host_channel *channel)
{
    uint16_t flags = channel->device->offer.flags;
    if (channel->server->version < VMBUS_VERSION_4_0) {
        flags &= (uint16_t)~VMBUS_OFFER_TL_PROVIDER;
    }
    if (channel->server->version >= VMBUS_VERSION_6_0) {
        /* They mean confidential memory now, which an ordinary machine has not. */
        flags &= (uint16_t)~(VMBUS_OFFER_CONFIDENTIAL_RING | VMBUS_OFFER_CONFIDENTIAL_EXTERNAL);
    }
    return flags;
}

/* Tells the guest of a channel. Returns false if no id is free. */
static bool send_offer(struct host_channel *channel)
{
    struct vmbus_server *server = channel->server;
    const struct vmbus_device_offer *offer = &channel->device->offer;
    if (channel->id == 0 && !assign_id(channel)) {
        return false;
    }
    host_channel_assign_monitor(channel);
    channel->offered = true;
    struct vmbus_message_offer_channel message = {
        .header.type = VMBUS_MESSAGE_OFFER_CHANNEL,
        .class_id = offer->class_id,
        .instance_id = offer->instance_id,
        .flags = offer_flags(channel),
        .mmio_megabytes = offer->mmio_megabytes,
        .mmio_megabytes_optional = offer->optional_mmio_megabytes,
        .subchannel_index = channel->sub_channel_index,
        .channel_id = channel->id,
        .monitor_id = channel->monitor_id,
        .monitor_allocated = channel->monitor_id != VMBUS_MONITOR_NONE
                                 ? VMBUS_OFFER_MONITOR_ALLOCATED : 0,
        .dedicated_interrupt = VMBUS_OFFER_DEDICATED_INTERRUPT,
        .connection_id = VMBUS_CHANNEL_CONNECTION_BASE + channel->id,
    };
    memcpy(message.user_data, offer->user_data, sizeof(message.user_data));
    vmbus_send(server, &message, server->version < VMBUS_VERSION_1_1 ? VMBUS_OFFER_SIZE_0_13
                                                                     : sizeof(message));
    return true;
}

static int compare_guids(const struct guid *a, const struct guid *b)
{
    if (a->data1 != b->data1) {
        return a->data1 < b->data1 ? -1 : 1;
    }
    if (a->data2 != b->data2) {
        return a->data2 < b->data2 ? -1 : 1;
    }
    if (a->data3 != b->data3) {
        return a->data3 < b->data3 ? -1 : 1;
    }
    return memcmp(a->data4, b->data4, sizeof(a->data4));
}

/* The order of offers: by class, then as the devices wish, then by instance. */
static int compare_offers(const struct vmbus_device_offer *a, const struct vmbus_device_offer *b)
{
    int order = compare_guids(&a->class_id, &b->class_id);
    if (order == 0 && a->order != b->order) {
        order = a->order < b->order ? -1 : 1;
    }
    return order != 0 ? order : compare_guids(&a->instance_id, &b->instance_id);
}

void vmbus_handle_request_offers(struct vmbus_server *server)
{
    if (server->offers_requested) {
        vmbus_violation(server, "REQUEST_OFFERS", "offers delivered",
                        "offers are requested once a connection", 0);
        return;
    }
    server->offers_requested = true;
    for (struct host_device *device = server->devices; device != NULL; device = device->next) {
        if (!device->removing) {
            send_offer(device->channels);
        }
    }
    struct vmbus_message_header delivered = {.type = VMBUS_MESSAGE_ALL_OFFERS_DELIVERED};
    vmbus_send(server, &delivered, sizeof(delivered));
}

void vmbus_handle_relid_released(struct vmbus_server *server, const uint8_t *message)
{
    struct vmbus_message_channel released;
    memcpy(&released, message, sizeof(released));
    struct host_channel *channel = vmbus_server_channel(server, released.channel_id);
    const char *rule = NULL;
    if (channel == NULL || !channel->offered) {
        rule = "the channel was offered";
    } else if (channel->state == HOST_CHANNEL_OPEN) {
        rule = "a channel is closed before its id is given back";
    }
    if (rule != NULL) {
        vmbus_violation(server, "RELID_RELEASED",
                        channel == NULL ? "unknown channel" : host_channel_state_name(channel),
                        rule, released.channel_id);
        return;
    }
    channel->offered = false;
    channel->open_waiting = false;
    if (channel->state == HOST_CHANNEL_CLOSING) {
        channel->guest_released = true;
        return;
    }
    if (channel->rescinded) {
        host_channel_destroy(channel);
    } else {
        host_gpadl_drop_channel(channel);
        host_channel_unassign(channel);
    }
}

/* ---- Coming ---- */

static struct host_device *find_device(const struct vmbus_server *server,
                                       const struct vmbus_device_offer *offer)
{
    struct host_device *device = server->devices;
    while (device != NULL && (!guid_equal(&device->offer.class_id, &offer->class_id) ||
                              !guid_equal(&device->offer.instance_id, &offer->instance_id))) {
        device = device->next;
    }
    return device;
}

int host_device_plug(struct vmbus_server *server, const struct vmbus_device_offer *offer,
                     const struct vmbus_device_operations *operations, void *device_pointer,
                     struct host_channel **channel)
{
    if (operations->opened == NULL || operations->closed == NULL) {
        return -EINVAL;
    }
    if (find_device(server, offer) != NULL) {
        return -EEXIST;
    }
    struct host_device *device = calloc(1, sizeof(*device));
    if (device == NULL) {
        return -ENOMEM;
    }
    device->server = server;
    device->offer = *offer;
    device->operations = operations;
    device->device = device_pointer;
    struct host_channel *primary = add_channel(device, 0);
    if (primary == NULL) {
        free(device);
        return -ENOMEM;
    }
    if (server->offers_requested && !send_offer(primary)) {
        free(primary);
        free(device);
        return -ENOSPC;
    }
    struct host_device **link = &server->devices;
    while (*link != NULL && compare_offers(&(*link)->offer, offer) < 0) {
        link = &(*link)->next;
    }
    device->next = *link;
    *link = device;
    *channel = primary;
    return 0;
}

int host_channel_add_sub_channels(struct host_channel *primary, unsigned count)
{
    struct vmbus_server *server = primary->server;
    if (primary->sub_channel_index != 0 || primary->state != HOST_CHANNEL_OPEN ||
        primary->rescinded || !server->offers_requested) {
        return -EINVAL;
    }
    if (server->version < VMBUS_VERSION_2_4) {
        return -EOPNOTSUPP;
    }
    uint16_t last = 0;
    for (const struct host_channel *sub = primary->next; sub != NULL; sub = sub->next) {
        last = sub->rescinded ? last : sub->sub_channel_index;
    }
    if (count > (unsigned)(primary->device->offer.sub_channels_max - last)) {
        return -ENOSPC;
    }
    for (unsigned i = 1; i <= count; i++) {
        struct host_channel *sub = add_channel(primary->device, (uint16_t)(last + i));
        if (sub == NULL) {
            return -ENOMEM;
        }
        if (!send_offer(sub)) {
            host_channel_destroy(sub);
            return -ENOSPC;
        }
    }
    return 0;
}

/* ---- Going ---- */

void host_channel_rescind(struct host_channel *channel)
{
    if (channel->rescinded) {
        return;
    }
    channel->rescinded = true;
    channel->open_waiting = false;
    bool known = channel->offered;
    if (known) {
        host_gpadl_channel_rescinded(channel);
        struct vmbus_message_channel rescind = {
            .header.type = VMBUS_MESSAGE_RESCIND_CHANNEL,
            .channel_id = channel->id,
        };
        vmbus_send(channel->server, &rescind, sizeof(rescind));
    } else {
        channel->guest_released = true; /* nobody will */
    }
    if (channel->state == HOST_CHANNEL_OPEN) {
        host_channel_begin_close(channel);
    } else if (channel->state == HOST_CHANNEL_CLOSED && !known) {
        host_channel_destroy(channel);
    }
}

void host_channel_rescind_sub_channels(struct host_device *device)
{
    struct host_channel *channel = device->channels;
    while (channel != NULL) {
        struct host_channel *next = channel->next;
        if (channel->sub_channel_index != 0) {
            host_channel_rescind(channel);
        }
        channel = next;
    }
}

void host_device_unplug(struct host_channel *primary)
{
    struct host_device *device = primary->device;
    device->removing = true;
    host_channel_rescind_sub_channels(device);
    host_channel_rescind(primary);
}
