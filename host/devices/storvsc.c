/* SPDX-License-Identifier: BSD-3-Clause */
/* The storage controller: its channels, its LUNs, and the protocol on them. */
#include "host/devices/storvsc.h"

#include <assert.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/storvsc_internal.h"
#include "protocol/vmbus_classes.h"
#include "protocol/vmbus_ring.h"

enum {
    TRANSFER_BYTES_BEFORE_5_1 = 256 << 10,
    TRANSFER_BYTES = 2 << 20,
    PAGE = 4096,
    IDE_INSTANCE_DATA3 = 0x8899,
    PACKETS_A_TURN = 512, /* then other channels have theirs */
};

/* ---- Sending ---- */

int storvsc_send_completion(struct storvsc_channel *channel, uint64_t transaction_id,
                            const struct storvsc_message *message)
{
    if (channel->closing) {
        return 0; /* nobody is there to read it */
    }
    const struct iovec piece = {(void *)(uintptr_t)&message->packet, message->size};
    channel->dirty = true;
    channel->controller->counters.message_bytes +=
        sizeof(struct vmbus_packet_header) + message->size;
    int result = host_channel_complete(channel->channel, transaction_id, &piece, 1);
    return result == -EAGAIN ? -EAGAIN : 0; /* of a broken ring the bus has told already */
}

static struct storvsc_channel *channel_of(const struct storvsc *controller,
                                          const struct host_channel *wanted)
{
    struct storvsc_channel *channel = controller->channels;
    while (channel != NULL && channel->channel != wanted) {
        channel = channel->next;
    }
    return channel;
}

/* Several changes of the bus in one burst make one event. */
static void send_event(struct storvsc *controller)
{
    struct storvsc_message event;
    struct storvsc_channel *channel = channel_of(controller, controller->primary);
    if (!controller->event_wanted) {
        return;
    }
    if (channel == NULL || channel->closing ||
        !storvsc_enumerate_bus_event(&controller->session, &event)) {
        controller->event_wanted = false;
        return;
    }
    if (host_channel_send_bytes(channel->channel, &event.packet, event.size) == -EAGAIN) {
        return; /* the guest will signal when there is room */
    }
    channel->dirty = true;
    controller->event_wanted = false;
    controller->counters.events++;
}

/* ---- Channels ---- */

static int channel_opened(void *device, struct host_channel *host_channel,
                          const struct vmbus_open_request *request)
{
    struct storvsc *controller = device;
    struct storvsc_channel *channel = calloc(1, sizeof(*channel));
    if (channel == NULL) {
        return -ENOMEM;
    }
    channel->controller = controller;
    channel->channel = host_channel;
    channel->blocked_last = &channel->blocked_first;
    channel->next = controller->channels;
    controller->channels = channel;
    host_channel_set_context(host_channel, channel);
    if (host_channel_sub_channel_index(host_channel) == 0) {
        storvsc_session_reset(&controller->session);
        controller->event_wanted = false; /* the guest will look at the bus anyway */
    }
    return 0;
}

static void release_channel(struct storvsc_channel *channel)
{
    struct storvsc_channel **link = &channel->controller->channels;
    while (*link != channel) {
        link = &(*link)->next;
    }
    *link = channel->next;
    struct host_channel *host_channel = channel->channel;
    host_channel_set_context(host_channel, NULL);
    free(channel);
    host_channel_released(host_channel);
}

void storvsc_channel_request_ended(struct storvsc_channel *channel)
{
    channel->in_flight--;
    if (channel->closing && channel->in_flight == 0) {
        release_channel(channel);
    }
}

static void channel_closed(void *device, struct host_channel *host_channel)
{
    struct storvsc *controller = device;
    struct storvsc_channel *channel = host_channel_context(host_channel);
    channel->closing = true;
    if (host_channel_sub_channel_index(host_channel) == 0) {
        storvsc_session_reset(&controller->session);
    }
    /* Completions that waited for room go nowhere now; each may be the last that is in flight. */
    channel->in_flight++;
    storvsc_send_blocked(channel);
    storvsc_release_held_back(controller);
    storvsc_channel_request_ended(channel);
}

static void stop_channel(struct storvsc_channel *channel, const char *rule)
{
    channel->stopped = true;
    host_channel_violation(channel->channel, rule);
}

static void wake_sub_channels(struct storvsc *controller);

/* NULL: nothing is there, and so nothing is held back. */
static void reset_lun(const struct storvsc_lun *lun)
{
    if (lun != NULL) {
        storvsc_lun_release_held_back(lun);
    }
}

static void obey(struct storvsc_channel *channel, const struct host_packet *packet,
                 struct storvsc_decision *decision)
{
    struct storvsc *controller = channel->controller;
    const char *rule = NULL;
    if (decision->complaint != NULL) {
        host_channel_violation(channel->channel, decision->complaint);
    }
    switch (decision->verdict) {
    case STORVSC_STOP:
        stop_channel(channel, decision->rule);
        return;
    case STORVSC_EXECUTE:
        if (!storvsc_request_start(channel, packet, decision, &rule)) {
            stop_channel(channel, rule);
        }
        return;
    case STORVSC_CREATE:
        if (host_channel_add_sub_channels(controller->primary, decision->sub_channel_count) != 0) {
            controller->session.sub_channels_created = false;
            decision->completion.packet.status = STORVSC_STATUS_INVALID_PARAMETER;
        }
        break;
    case STORVSC_RESET:
        controller->counters.resets++;
        storvsc_release_held_back(controller);
        break;
    case STORVSC_RESET_ONE:
        controller->counters.resets++;
        reset_lun(storvsc_addressed_lun(controller, &decision->srb));
        break;
    case STORVSC_ANSWER:
    case STORVSC_ANSWER_READY:
        break;
    }
    if (storvsc_send_completion(channel, packet->transaction_id, &decision->completion) ==
        -EAGAIN) {
        stop_channel(channel, "the ring has room for the answer to a control packet");
    } else if (decision->verdict == STORVSC_ANSWER_READY) {
        wake_sub_channels(controller);
    }
}

/* That the packet had in the ring. */
static uint64_t bytes_of(const struct host_packet *packet)
{
    const size_t head = packet->type == VMBUS_PACKET_GPA_DIRECT
                            ? sizeof(struct vmbus_packet_gpa_direct)
                            : sizeof(struct vmbus_packet_header);
    return head + packet->ranges_size + packet->payload_size;
}

static void take_packets(struct storvsc_channel *channel)
{
    struct storvsc *controller = channel->controller;
    const bool on_primary = channel->channel == controller->primary;
    struct host_packet packet;
    struct storvsc_decision decision;
    /* Packets of a sub-channel wait until the primary's handshake is over. */
    if (!on_primary && controller->session.state != STORVSC_STATE_READY) {
        return;
    }
    channel->more = false;
    unsigned budget = PACKETS_A_TURN;
    /* A guest that does not take its completions gets no new work done: memory stays bounded. */
    while (!channel->stopped && channel->blocked_first == NULL &&
           host_channel_receive(channel->channel, &packet) == 1) {
        if (packet.type != VMBUS_PACKET_IN_BAND && packet.type != VMBUS_PACKET_GPA_DIRECT) {
            stop_channel(channel, "a guest sends storage packets in-band or GPA-direct");
            return;
        }
        controller->counters.message_bytes += bytes_of(&packet);
        storvsc_session_handle(&controller->session, packet.payload, packet.payload_size,
                               packet.completion_requested, on_primary, &decision);
        obey(channel, &packet, &decision);
        if (--budget == 0) {
            channel->more = true;
            return;
        }
    }
}

static void channel_ready(void *device, struct host_channel *host_channel)
{
    struct storvsc_channel *channel = host_channel_context(host_channel);
    if (channel == NULL || channel->closing) {
        return;
    }
    if (storvsc_send_blocked(channel)) {
        take_packets(channel);
    }
}

static void wake_sub_channels(struct storvsc *controller)
{
    for (struct storvsc_channel *channel = controller->channels; channel != NULL;
         channel = channel->next) {
        if (channel->channel != controller->primary && !channel->closing) {
            take_packets(channel);
        }
    }
}

static void device_removed(void *device)
{
    struct storvsc *controller = device;
    controller->primary = NULL;
}

static const struct vmbus_device_operations bus_operations = {
    .name = "storvsc",
    .opened = channel_opened,
    .closed = channel_closed,
    .ready = channel_ready,
    .removed = device_removed,
};

/* ---- The device ---- */

static struct vmbus_device_offer make_offer(const struct storvsc *controller)
{
    static const struct guid scsi_class = VMBUS_CLASS_SCSI;
    static const struct guid ide_class = VMBUS_CLASS_IDE;
    const struct storvsc_settings *settings = &controller->settings;
    struct vmbus_device_offer offer = {
        .class_id = scsi_class,
        .instance_id = settings->instance,
        .sub_channels_max = settings->sub_channels_max,
        .order = settings->order,
    };
    if (settings->kind == STORVSC_IDE_DISK) {
        const struct vmbus_offer_ide data = {
            .path = settings->ide_channel,
            .target = settings->ide_device,
            .flags = VMBUS_OFFER_IDE_DEVICE,
        };
        offer.class_id = ide_class;
        offer.flags = VMBUS_OFFER_ENUMERATE_INTERFACE;
        memcpy(offer.user_data, &data, sizeof(data));
    }
    return offer;
}

static int storvsc_plug(struct virtual_device *device, struct vmbus_server *server)
{
    struct storvsc *controller = (struct storvsc *)device;
    const struct vmbus_device_offer offer = make_offer(controller);
    return host_device_plug(server, &offer, &bus_operations, controller, &controller->primary);
}

static void storvsc_unplug(struct virtual_device *device)
{
    struct storvsc *controller = (struct storvsc *)device;
    if (controller->primary != NULL) {
        host_device_unplug(controller->primary);
    }
}

static void storvsc_run(struct virtual_device *device, uint64_t now_ns)
{
    struct storvsc *controller = (struct storvsc *)device;
    send_event(controller);
    for (struct storvsc_channel *channel = controller->channels; channel != NULL;
         channel = channel->next) {
        if (channel->more && !channel->closing) {
            take_packets(channel);
        }
        if (channel->dirty && !channel->closing) {
            channel->dirty = false;
            host_channel_flush(channel->channel);
        }
    }
}

static uint64_t storvsc_deadline_ns(struct virtual_device *device)
{
    const struct storvsc *controller = (struct storvsc *)device;
    for (struct storvsc_channel *channel = controller->channels; channel != NULL;
         channel = channel->next) {
        if (channel->more && !channel->closing) {
            return 0;
        }
    }
    return UINT64_MAX;
}

static struct json_object *describe_channels(const struct storvsc *controller)
{
    struct json_object *channels = json_object_new_array();
    for (const struct storvsc_channel *channel = controller->channels; channel != NULL;
         channel = channel->next) {
        struct json_object *object = json_object_new_object();
        unsigned index = host_channel_sub_channel_index(channel->channel);
        json_object_object_add(object, "sub_channel", json_object_new_int((int)index));
        json_object_object_add(object, "srbs", json_object_new_uint64(channel->srbs));
        json_object_object_add(object, "in_flight", json_object_new_int((int)channel->in_flight));
        json_object_array_add(channels, object);
    }
    return channels;
}

static void storvsc_describe(struct virtual_device *device, struct json_object *to)
{
    const struct storvsc *controller = (struct storvsc *)device;
    const uint16_t version = controller->session.version;
    char text[16] = "none";
    if (version != 0) {
        snprintf(text, sizeof(text), "%u.%u", version >> 8, version & 0xff);
    }
    json_object_object_add(to, "version", json_object_new_string(text));
    json_object_object_add(
        to, "state", json_object_new_string(storvsc_state_name(controller->session.state)));
    json_object_object_add(to, "srbs", json_object_new_uint64(controller->counters.srbs));
    json_object_object_add(to, "srb_errors", json_object_new_uint64(controller->counters.errors));
    json_object_object_add(to, "resets", json_object_new_uint64(controller->counters.resets));
    json_object_object_add(to, "faults", json_object_new_uint64(controller->counters.faults));
    json_object_object_add(to, "message_bytes",
                           json_object_new_uint64(controller->counters.message_bytes));
    json_object_object_add(to, "in_flight", json_object_new_int((int)controller->in_flight));
    json_object_object_add(to, "channels", describe_channels(controller));
    json_object_object_add(to, "luns", storvsc_describe_luns(controller));
}

static void storvsc_free(struct virtual_device *device)
{
    struct storvsc *controller = (struct storvsc *)device;
    assert(controller->in_flight == 0);
    for (unsigned i = 0; i < STORVSC_LUNS_MAX; i++) {
        storvsc_remove_disk(controller, i);
    }
    while (controller->channels != NULL) {
        struct storvsc_channel *channel = controller->channels;
        controller->channels = channel->next;
        free(channel);
    }
    while (controller->spare != NULL) {
        struct storvsc_request *request = controller->spare;
        controller->spare = request->next;
        free(request->many);
        free(request);
    }
    free(controller);
}

static const struct virtual_device_operations device_operations = {
    .kind = "scsi",
    .plug = storvsc_plug,
    .unplug = storvsc_unplug,
    .deadline_ns = storvsc_deadline_ns,
    .run = storvsc_run,
    .describe = storvsc_describe,
    .free = storvsc_free,
};

void storvsc_default_settings(uint16_t version_max, struct storvsc_settings *settings)
{
    bool before_5_1 = version_max < STORVSC_VERSION_5_1;
    *settings = (struct storvsc_settings){
        .version_max = version_max,
        .sub_channels_max = before_5_1 ? 0 : 8,
        .transfer_bytes_max = before_5_1 ? TRANSFER_BYTES_BEFORE_5_1 : TRANSFER_BYTES,
    };
}

struct storvsc *storvsc_new(const struct storvsc_settings *settings)
{
    if (settings->transfer_bytes_max < PAGE || settings->transfer_bytes_max % PAGE != 0 ||
        settings->ide_channel > 1 || settings->ide_device > 1) {
        return NULL;
    }
    struct storvsc *controller = calloc(1, sizeof(*controller));
    if (controller == NULL) {
        return NULL;
    }
    controller->device.operations = &device_operations;
    controller->settings = *settings;
    controller->pieces_max = settings->transfer_bytes_max / PAGE + 1;
    controller->random = settings->seed != 0 ? settings->seed : 0x9e3779b97f4a7c15ull;
    controller->session.version_max = settings->version_max;
    controller->session.sub_channels_max = settings->sub_channels_max;
    controller->session.transfer_bytes_max = settings->transfer_bytes_max;
    storvsc_session_reset(&controller->session);
    if (settings->kind == STORVSC_IDE_DISK) {
        controller->settings.instance = (struct guid){
            .data1 = settings->ide_channel,
            .data2 = settings->ide_device,
            .data3 = IDE_INSTANCE_DATA3,
        };
    }
    return controller;
}

struct virtual_device *storvsc_device(struct storvsc *controller)
{
    return &controller->device;
}

void storvsc_set_faults(struct storvsc *controller, const struct storvsc_faults *faults)
{
    controller->faults = *faults;
}

void storvsc_get_faults(const struct storvsc *controller, struct storvsc_faults *faults)
{
    *faults = controller->faults;
}

unsigned storvsc_in_flight(const struct storvsc *controller)
{
    return controller->in_flight;
}
