/* SPDX-License-Identifier: BSD-3-Clause */
/* The network adapter: its channels, the messages on them, its link. */
#include "host/devices/netvsc.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/netvsc_internal.h"
#include "protocol/vmbus_classes.h"

enum {
    PACKETS_A_TURN = 512, /* then other channels have theirs */
    SPEED_UNIT = 100,     /* bit/s */
    SEND_BUFFER_MAX = 15 << 20,
    NETWORK_CHANGE_CABLE = 1,
};

/* ---- Completions ---- */

struct netvsc_channel *netvsc_channel(const struct netvsc *adapter, uint16_t index)
{
    struct netvsc_channel *channel = adapter->channels;
    while (channel != NULL && channel->index != index) {
        channel = channel->next;
    }
    return channel;
}

static bool send_completion(struct netvsc_channel *channel, uint64_t transaction_id,
                            const struct nvsp_message *message, uint32_t size)
{
    const struct iovec piece = {(void *)(uintptr_t)message, size};
    channel->dirty = true;
    return host_channel_complete(channel->channel, transaction_id, &piece, size > 0 ? 1 : 0) !=
           -EAGAIN;
}

void netvsc_complete(struct netvsc_channel *channel, uint64_t transaction_id,
                     const struct nvsp_message *message, uint32_t size)
{
    if (!send_completion(channel, transaction_id, message, size)) {
        /* One at a time: nothing more is taken from the ring until this one is away. */
        channel->blocked = true;
        channel->blocked_id = transaction_id;
        channel->blocked_message = *message;
        channel->blocked_size = size;
    }
}

static bool send_blocked(struct netvsc_channel *channel)
{
    if (channel->blocked && send_completion(channel, channel->blocked_id,
                                            &channel->blocked_message, channel->blocked_size)) {
        channel->blocked = false;
    }
    return !channel->blocked;
}

/* ---- Messages ---- */

static void stop_channel(struct netvsc_channel *channel, const char *rule)
{
    channel->stopped = true;
    host_channel_violation(channel->channel, rule);
}

static void lend_receive_buffer(struct netvsc *adapter, struct netvsc_decision *decision)
{
    struct nvsp_receive_buffer_complete *complete = &decision->answer.receive_buffer_complete;
    struct host_gpadl *gpadl = host_channel_gpadl(adapter->primary, decision->gpadl_id);
    complete->status = NVSP_STATUS_FAILURE;
    if (gpadl == NULL || netvsc_receive_open(adapter, gpadl) != 0) {
        return;
    }
    adapter->session.receive_buffer = true;
    complete->status = NVSP_STATUS_SUCCESS;
    complete->section_count = 1;
    complete->unit_size = adapter->unit_size;
    complete->unit_count = adapter->unit_count;
    complete->end_offset = adapter->unit_size * adapter->unit_count;
}

static void lend_send_buffer(struct netvsc *adapter, struct netvsc_decision *decision)
{
    struct nvsp_send_buffer_complete *complete = &decision->answer.send_buffer_complete;
    struct host_gpadl *gpadl = host_channel_gpadl(adapter->primary, decision->gpadl_id);
    complete->status = NVSP_STATUS_FAILURE;
    if (gpadl == NULL || host_gpadl_size(gpadl) < NVSP_SECTION_SIZE ||
        host_gpadl_size(gpadl) > SEND_BUFFER_MAX) {
        return;
    }
    adapter->send = gpadl;
    adapter->send_sections = (uint32_t)(host_gpadl_size(gpadl) / NVSP_SECTION_SIZE);
    adapter->session.send_buffer = true;
    complete->status = NVSP_STATUS_SUCCESS;
    complete->section_size = NVSP_SECTION_SIZE;
}

static void add_sub_channels(struct netvsc *adapter, struct netvsc_decision *decision)
{
    struct nvsp_sub_channel_complete *complete = &decision->answer.sub_channel_complete;
    if (host_channel_add_sub_channels(adapter->primary, decision->sub_channels) != 0) {
        adapter->session.sub_channels_told = false;
        complete->status = NVSP_STATUS_FAILURE;
        complete->count = 0;
    }
}

/* Returns true if the decision's answer is to be sent, false for an empty completion. */
static bool obey(struct netvsc *adapter, struct netvsc_decision *decision)
{
    switch (decision->verdict) {
    case NETVSC_RECEIVE_BUFFER:
        lend_receive_buffer(adapter, decision);
        return true;
    case NETVSC_SEND_BUFFER:
        lend_send_buffer(adapter, decision);
        return true;
    case NETVSC_SUB_CHANNELS:
        add_sub_channels(adapter, decision);
        return true;
    case NETVSC_REVOKE_RECEIVE_BUFFER:
        netvsc_receive_close(adapter);
        return false;
    case NETVSC_REVOKE_SEND_BUFFER:
        adapter->send = NULL;
        return false;
    default:
        return decision->verdict == NETVSC_ANSWER;
    }
}

static void handle_message(struct netvsc_channel *channel, const struct host_packet *packet)
{
    struct netvsc *adapter = channel->adapter;
    struct netvsc_decision decision;
    netvsc_session_handle(&adapter->session, packet->payload, packet->payload_size,
                          channel->index == 0, &decision);
    if (decision.verdict == NETVSC_STOP) {
        stop_channel(channel, decision.rule);
        return;
    }
    if (decision.verdict == NETVSC_RNDIS) {
        const char *rule = netvsc_transmit(channel, packet, &decision.rndis);
        if (rule != NULL) {
            stop_channel(channel, rule);
        }
        return;
    }
    bool answers = obey(adapter, &decision);
    adapter->version_seen = adapter->session.version;
    adapter->mtu_seen = adapter->session.mtu;
    if (packet->completion_requested) {
        netvsc_complete(channel, packet->transaction_id, &decision.answer,
                        answers ? nvsp_message_size(adapter->session.version) : 0);
    }
}

static void handle_packet(struct netvsc_channel *channel, const struct host_packet *packet)
{
    if (packet->type != VMBUS_PACKET_COMPLETION) {
        handle_message(channel, packet);
        return;
    }
    const char *rule = netvsc_acknowledged(channel, packet);
    if (rule != NULL) {
        host_channel_violation(channel->channel, rule);
    }
}

static void take_packets(struct netvsc_channel *channel)
{
    struct host_packet packet;
    unsigned budget = PACKETS_A_TURN;
    channel->more = false;
    while (!channel->stopped && !channel->more && send_blocked(channel) &&
           host_channel_receive(channel->channel, &packet) == 1) {
        handle_packet(channel, &packet);
        channel->more = --budget == 0;
    }
    network_port_flush(channel->adapter->port);
}

/* ---- Channels ---- */

static void count_queues(struct netvsc *adapter)
{
    uint16_t queues = 0;
    while (netvsc_channel(adapter, queues) != NULL) {
        queues++;
    }
    adapter->control.queues = queues > 0 ? queues : 1;
    if (queues > adapter->queues_seen) {
        adapter->queues_seen = queues;
    }
}

static void reset(struct netvsc *adapter)
{
    netvsc_receive_close(adapter);
    adapter->send = NULL;
    adapter->table_wanted = false;
    netvsc_session_reset(&adapter->session);
    netvsc_control_reset(&adapter->control);
}

static int channel_opened(void *device, struct host_channel *host_channel,
                          const struct vmbus_open_request *request)
{
    struct netvsc *adapter = device;
    struct netvsc_channel *channel = calloc(1, sizeof(*channel));
    if (channel == NULL) {
        return -ENOMEM;
    }
    channel->adapter = adapter;
    channel->channel = host_channel;
    channel->index = host_channel_sub_channel_index(host_channel);
    channel->next = adapter->channels;
    adapter->channels = channel;
    host_channel_set_context(host_channel, channel);
    if (channel->index == 0) {
        reset(adapter);
        adapter->queues_seen = 0;
    }
    count_queues(adapter);
    return 0;
}

static void channel_closed(void *device, struct host_channel *host_channel)
{
    struct netvsc *adapter = device;
    struct netvsc_channel *channel = host_channel_context(host_channel);
    struct netvsc_channel **link = &adapter->channels;
    netvsc_receive_forget(channel);
    if (channel->index == 0) {
        reset(adapter);
    }
    while (*link != channel) {
        link = &(*link)->next;
    }
    *link = channel->next;
    count_queues(adapter);
    host_channel_set_context(host_channel, NULL);
    free(channel);
    host_channel_released(host_channel);
}

static void channel_ready(void *device, struct host_channel *host_channel)
{
    struct netvsc_channel *channel = host_channel_context(host_channel);
    if (channel != NULL) {
        take_packets(channel);
        netvsc_receive_flush(device);
    }
}

static void gpadl_torn_down(void *device, struct host_channel *channel, struct host_gpadl *gpadl)
{
    struct netvsc *adapter = device;
    if (gpadl == adapter->receive || gpadl == adapter->send) {
        host_channel_violation(channel, "a buffer is revoked before its memory is taken back");
        if (gpadl == adapter->receive) {
            netvsc_receive_close(adapter);
            adapter->session.receive_buffer = false;
        } else {
            adapter->send = NULL;
            adapter->session.send_buffer = false;
        }
    }
    host_gpadl_released(gpadl);
}

static void device_removed(void *device)
{
    struct netvsc *adapter = device;
    adapter->primary = NULL;
}

static const struct vmbus_device_operations bus_operations = {
    .name = "netvsc",
    .opened = channel_opened,
    .closed = channel_closed,
    .ready = channel_ready,
    .gpadl_torn_down = gpadl_torn_down,
    .removed = device_removed,
};

/* ---- The device ---- */

static int netvsc_plug(struct virtual_device *device, struct vmbus_server *server)
{
    static const struct guid class_id = VMBUS_CLASS_NETWORK;
    struct netvsc *adapter = (struct netvsc *)device;
    const struct vmbus_device_offer offer = {
        .class_id = class_id,
        .instance_id = adapter->settings.instance,
        .sub_channels_max = adapter->settings.sub_channels_max,
        .order = adapter->settings.order,
    };
    return host_device_plug(server, &offer, &bus_operations, adapter, &adapter->primary);
}

static void netvsc_unplug(struct virtual_device *device)
{
    struct netvsc *adapter = (struct netvsc *)device;
    if (adapter->primary != NULL) {
        host_device_unplug(adapter->primary);
    }
}

static void netvsc_run(struct virtual_device *device, uint64_t now_ns)
{
    struct netvsc *adapter = (struct netvsc *)device;
    for (struct netvsc_channel *channel = adapter->channels; channel != NULL;
         channel = channel->next) {
        if (channel->more) {
            take_packets(channel);
        }
    }
    if (adapter->port->operations->run != NULL) {
        adapter->port->coalesce = netvsc_takes_coalesced(adapter);
        adapter->port->operations->run(adapter->port, now_ns);
    }
    netvsc_receive_flush(adapter);
    for (struct netvsc_channel *channel = adapter->channels; channel != NULL;
         channel = channel->next) {
        if (channel->dirty) {
            channel->dirty = false;
            host_channel_flush(channel->channel);
        }
    }
}

static uint64_t netvsc_deadline_ns(struct virtual_device *device)
{
    const struct netvsc *adapter = (struct netvsc *)device;
    for (struct netvsc_channel *channel = adapter->channels; channel != NULL;
         channel = channel->next) {
        if (channel->more) {
            return 0;
        }
    }
    return adapter->port->operations->deadline_ns != NULL
               ? adapter->port->operations->deadline_ns(adapter->port)
               : UINT64_MAX;
}

static int netvsc_descriptor(struct virtual_device *device)
{
    const struct netvsc *adapter = (struct netvsc *)device;
    return adapter->port->operations->descriptor != NULL
               ? adapter->port->operations->descriptor(adapter->port)
               : -1;
}

static bool netvsc_listens(struct virtual_device *device)
{
    const struct netvsc *adapter = (struct netvsc *)device;
    return !adapter->port->operations->waits || netvsc_has_room(device);
}

static void add_number(struct json_object *to, const char *name, uint64_t value)
{
    json_object_object_add(to, name, json_object_new_uint64(value));
}

/* What each open channel carried, the primary one first. */
static void describe_channels(const struct netvsc *adapter, struct json_object *to)
{
    struct json_object *list = json_object_new_array();
    const struct netvsc_channel *channel;
    for (uint16_t i = 0; (channel = netvsc_channel(adapter, i)) != NULL; i++) {
        struct json_object *entry = json_object_new_object();
        add_number(entry, "transmitted_frames", channel->transmitted_frames);
        add_number(entry, "received", channel->received_frames);
        json_object_array_add(list, entry);
    }
    json_object_object_add(to, "open_channels", list);
}

static void netvsc_describe(struct virtual_device *device, struct json_object *to)
{
    const struct netvsc *adapter = (struct netvsc *)device;
    const struct netvsc_counters *counters = &adapter->counters;
    const uint8_t *address = adapter->control.address;
    char text[18];
    snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", address[0], address[1],
             address[2], address[3], address[4], address[5]);
    json_object_object_add(to, "mac", json_object_new_string(text));
    json_object_object_add(to, "version",
                           json_object_new_string(netvsc_version_name(adapter->version_seen)));
    json_object_object_add(to, "link",
                           json_object_new_string(adapter->control.link_up ? "up" : "down"));
    add_number(to, "link_speed", adapter->control.link_speed);
    add_number(to, "mtu", adapter->mtu_seen > 0 ? adapter->mtu_seen - FRAME_HEADER : 0);
    add_number(to, "filter", adapter->control.filter);
    add_number(to, "channels", adapter->queues_seen);
    add_number(to, "transmitted_frames", counters->transmitted_frames);
    add_number(to, "transmitted_bytes", counters->transmitted_bytes);
    add_number(to, "transmitted_messages", counters->transmitted_messages);
    add_number(to, "transmit_invalid", counters->transmit_invalid);
    add_number(to, "received", counters->received_frames);
    add_number(to, "received_in_bytes", counters->received_bytes);
    add_number(to, "received_packets", counters->received_packets);
    add_number(to, "coalesced", counters->coalesced);
    add_number(to, "filtered", counters->filtered);
    add_number(to, "no_room", counters->no_room);
    add_number(to, "too_large", counters->too_large);
    add_number(to, "control_messages", counters->control_messages);
    add_number(to, "indications", counters->indications);
    add_number(to, "transmit_copied_bytes", counters->transmit_copied);
    add_number(to, "receive_copied_bytes", counters->receive_copied);
    describe_channels(adapter, to);
    add_number(to, "units", adapter->unit_count);
    add_number(to, "units_free", adapter->units_free);
    network_port_describe(adapter->port, to);
}

static void netvsc_free(struct virtual_device *device)
{
    struct netvsc *adapter = (struct netvsc *)device;
    netvsc_receive_close(adapter);
    while (adapter->channels != NULL) {
        struct netvsc_channel *channel = adapter->channels;
        adapter->channels = channel->next;
        free(channel);
    }
    if (adapter->port != NULL) {
        network_port_free(adapter->port);
    }
    free(adapter->transmit);
    free(adapter->segment);
    free(adapter);
}

static const struct virtual_device_operations device_operations = {
    .kind = "network",
    .plug = netvsc_plug,
    .unplug = netvsc_unplug,
    .deadline_ns = netvsc_deadline_ns,
    .descriptor = netvsc_descriptor,
    .listens = netvsc_listens,
    .run = netvsc_run,
    .describe = netvsc_describe,
    .free = netvsc_free,
};

/* ---- Making it ---- */

uint32_t netvsc_version(uint32_t release_version)
{
    static const struct {
        uint32_t release, wire;
    } versions[] = {
        {0x10000, NVSP_VERSION_1}, {0x20000, NVSP_VERSION_2}, {0x40000, NVSP_VERSION_4},
        {0x50000, NVSP_VERSION_5}, {0x60000, NVSP_VERSION_6}, {0x60001, NVSP_VERSION_6_1},
    };
    for (unsigned i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        if (versions[i].release == release_version) {
            return versions[i].wire;
        }
    }
    return 0;
}

void netvsc_default_settings(uint32_t version_max, struct netvsc_settings *settings)
{
    *settings = (struct netvsc_settings){
        .version_max = version_max,
        .sub_channels_max = version_max >= NVSP_VERSION_5 ? 8 : 0,
        .link_speed = 10000000000ull,
    };
}

struct netvsc *netvsc_new(const struct netvsc_settings *settings, struct network_port *port)
{
    struct netvsc *adapter = calloc(1, sizeof(*adapter));
    if (adapter == NULL) {
        return NULL;
    }
    adapter->device.operations = &device_operations;
    adapter->settings = *settings;
    adapter->queued_last = &adapter->queued_first;
    adapter->transmit = malloc(NETVSC_TRANSMIT_MAX);
    adapter->segment = malloc(FRAME_SIZE_MAX + FRAME_TAG);
    if (adapter->transmit == NULL || adapter->segment == NULL) {
        netvsc_free(&adapter->device);
        return NULL;
    }
    adapter->session.version_max = settings->version_max;
    adapter->session.sub_channels_max = settings->sub_channels_max;
    memcpy(adapter->control.permanent_address, settings->address, FRAME_ADDRESS);
    adapter->control.link_speed = settings->link_speed;
    adapter->control.link_up = true;
    adapter->control.queues_max = (uint16_t)(settings->sub_channels_max + 1);
    reset(adapter);
    adapter->port = port;
    network_port_attach(port, netvsc_take_frame, netvsc_has_room, adapter);
    port->space = netvsc_space;
    return adapter;
}

struct virtual_device *netvsc_device(struct netvsc *adapter)
{
    return &adapter->device;
}

struct network_port *netvsc_port(struct netvsc *adapter)
{
    return adapter->port;
}

const struct netvsc_settings *netvsc_settings(const struct netvsc *adapter)
{
    return &adapter->settings;
}

/* ---- The link ---- */

static void indicate(struct netvsc *adapter, uint32_t status, const void *data, uint32_t size)
{
    uint8_t message[NETVSC_CONTROL_REPLY_MAX];
    if (adapter->control.initialised) {
        netvsc_queue(adapter, message, netvsc_control_indicate(status, data, size, message));
        adapter->counters.indications++;
    }
}

void netvsc_set_link(struct netvsc *adapter, bool up)
{
    if (adapter->control.link_up == up) {
        return;
    }
    adapter->control.link_up = up;
    indicate(adapter, up ? RNDIS_STATUS_MEDIA_CONNECT : RNDIS_STATUS_MEDIA_DISCONNECT, NULL, 0);
}

bool netvsc_link(const struct netvsc *adapter)
{
    return adapter->control.link_up;
}

void netvsc_set_speed(struct netvsc *adapter, uint64_t bits_per_second)
{
    uint32_t units = (uint32_t)(bits_per_second / SPEED_UNIT);
    adapter->control.link_speed = bits_per_second;
    indicate(adapter, RNDIS_STATUS_LINK_SPEED_CHANGE, &units, sizeof(units));
}

void netvsc_change_network(struct netvsc *adapter)
{
    const uint32_t kind = NETWORK_CHANGE_CABLE;
    indicate(adapter, RNDIS_STATUS_NETWORK_CHANGE, &kind, sizeof(kind));
}
