/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/pair/pair_sink.h"

#include "host/devices/virtual_device.h"
#include "host/vmbus/state.h"
#include "protocol/vmbus_classes.h"

#include <stdlib.h>
#include <string.h>

struct sink {
    struct virtual_device device; /* first */
    struct host_channel *primary;
    struct host_channel *open;    /* NULL: it is not */
    bool asleep;
    uint32_t taken[SINK_WRITERS];
    uint32_t wrong;
};

static bool is_next(const struct sink *sink, const struct host_packet *packet,
                    struct sink_packet *head)
{
    const uint8_t *fill = packet->payload + sizeof *head;

    if (packet->payload_size < sizeof *head)
        return false;
    memcpy(head, packet->payload, sizeof *head);
    if (head->writer >= SINK_WRITERS || head->sequence != sink->taken[head->writer] ||
        packet->payload_size != ((sizeof *head + head->fill + 7) & ~(size_t)7))
        return false;
    for (uint32_t i = 0; i < head->fill; i++)
        if (fill[i] != sink_fill(head->writer, head->sequence))
            return false;
    return true;
}

static void ready(void *context, struct host_channel *channel)
{
    struct sink *sink = context;
    struct host_packet packet;
    struct sink_packet head;

    while (!sink->asleep && host_channel_receive(channel, &packet) == 1) {
        struct iovec answer = { &head, sizeof head };

        if (is_next(sink, &packet, &head))
            sink->taken[head.writer]++;
        else
            sink->wrong++;
        if (packet.completion_requested)
            host_channel_complete(channel, packet.transaction_id, &answer, 1);
    }
}

static int opened(void *context, struct host_channel *channel,
                  const struct vmbus_open_request *request)
{
    ((struct sink *)context)->open = channel;
    return 0;
}

static void closed(void *context, struct host_channel *channel)
{
    ((struct sink *)context)->open = NULL;
    host_channel_released(channel);
}

static const struct vmbus_device_operations bus_operations = {
    .name = "sink", .opened = opened, .closed = closed, .ready = ready,
};

static int sink_plug(struct virtual_device *device, struct vmbus_server *server)
{
    static const struct vmbus_device_offer offer = {
        .class_id = VMBUS_CLASS_SERIAL, .instance_id = VMBUS_CLASS_SERIAL,
    };
    struct sink *sink = (struct sink *)device;

    return host_device_plug(server, &offer, &bus_operations, sink, &sink->primary);
}

static void sink_unplug(struct virtual_device *device)
{
    host_device_unplug(((struct sink *)device)->primary);
}

static void sink_free(struct virtual_device *device)
{
    free(device);
}

static const struct virtual_device_operations operations = {
    .kind = "sink", .plug = sink_plug, .unplug = sink_unplug, .free = sink_free,
};

struct virtual_device *pair_sink_new(void)
{
    struct sink *sink = calloc(1, sizeof *sink);

    if (sink == NULL)
        return NULL;
    sink->device.operations = &operations;
    return &sink->device;
}

void pair_sink_unplug(struct virtual_device *device)
{
    sink_unplug(device);
}

void pair_sink_sleep(struct virtual_device *device, bool asleep)
{
    struct sink *sink = (struct sink *)device;

    sink->asleep = asleep;
    if (!asleep && sink->open != NULL)
        host_channel_run(sink->open);
}

uint32_t pair_sink_taken(const struct virtual_device *device, uint32_t writer)
{
    return ((const struct sink *)device)->taken[writer];
}

uint32_t pair_sink_wrong(const struct virtual_device *device)
{
    return ((const struct sink *)device)->wrong;
}

void pair_sink_break(struct virtual_device *device)
{
    struct host_channel *channel = ((struct sink *)device)->open;

    channel->reader.memory.control->read_index = 4;
    host_channel_signal_guest(channel);
}
