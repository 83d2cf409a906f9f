/* SPDX-License-Identifier: BSD-3-Clause */
/* The channels of the adapter: the primary one, and sub-channels that share its work, each with a
 * thread of its own; with -hvspread their interrupts go to different processors as well. Frames of
 * one flow stay on one channel, so they stay in order. */
#include "kext/network/HyperVNetwork.h"

#include "abi/kpi/libkern.h"
#include "kext/network/rss.h"

/* ---- opening and closing one ---- */

static void queue_gone(void *owner, struct device_channel *channel)
{
    struct network_queue *queue = owner;

    (void)channel;
    queue->gone = true;
    if (queue->index == 0)
        network_control_end(queue->adapter);
}

static int open_channel(struct network_queue *queue)
{
    static const uint8_t no_properties[VMBUS_USER_DATA_SIZE];
    HyperVVMBusDevice *device = queue->adapter->device;
    const struct device_channel_options options = {
        .transmit_pages = NETWORK_RING_PAGES,
        .receive_pages = NETWORK_RING_PAGES,
        .request_maximum = NETWORK_REQUESTS_MAX,
        .packet_maximum = 16384, /* a header with the 562 ranges that RSC allows is 4512 bytes */
        .target_processor = queue->index == 0 ? DEVICE_CHANNEL_ANY_PROCESSOR
                                              : queue->index % device_target_processors(device),
        .user_data = no_properties,
        .owner = queue,
        .handlers = {
            .packet = network_packet,
            .completion = network_completion,
            .drained = network_drained,
            .room = network_room,
            .gone = queue_gone,
        },
    };

    return device_channel_open(device, queue->index, &options, &queue->channel);
}

static void free_queue(struct network_queue *queue)
{
    if (queue->lock != NULL)
        IOLockFree(queue->lock);
    IOFree(queue, sizeof *queue);
}

/* Opens channel `index`, which is the next one. */
static int open_queue(struct HyperVNetwork *self, uint32_t index)
{
    struct network_queue *queue = IOMalloc(sizeof *queue);
    int error = HV_ERROR_NO_RESOURCES;

    if (queue == NULL)
        return error;
    memset(queue, 0, sizeof *queue);
    queue->adapter = self;
    queue->index = index;
    queue->section = SEND_SECTION_NONE;
    queue->lock = IOLockAlloc();
    self->queues[index] = queue; /* its handlers may run before device_channel_open returns */
    if (queue->lock != NULL)
        error = open_channel(queue);
    if (error != 0) {
        self->queues[index] = NULL;
        free_queue(queue);
        return error;
    }
    self->queue_count = index + 1;
    return 0;
}

/* Closes the last channel. Nobody sends any more, so its handlers are the only users. */
static void close_queue(struct HyperVNetwork *self, uint32_t index)
{
    struct network_queue *queue = self->queues[index];

    if (queue == NULL)
        return;
    self->queue_count = index;
    device_channel_close(queue->channel);
    queue->channel = NULL;
    network_receive_end(queue);
    self->queues[index] = NULL;
    free_queue(queue);
}

int network_open_primary(struct HyperVNetwork *self)
{
    for (uint32_t i = 0; i < NVSP_INDIRECTION_ENTRIES; i++)
        self->send_table[i] = (uint8_t)i; /* until the host says otherwise */
    return open_queue(self, 0);
}

void network_close_others(struct HyperVNetwork *self)
{
    for (uint32_t i = NETWORK_QUEUES_MAX; i-- > 1;)
        close_queue(self, i);
}

void network_close_primary(struct HyperVNetwork *self)
{
    close_queue(self, 0);
}

/* ---- sub-channels ---- */

/* How many channels host and guest can use. */
static uint32_t channels_wanted(struct HyperVNetwork *self)
{
    struct ndis_rss_capabilities query, answer;
    uint32_t length = sizeof answer, channels = 1;
    uint32_t processors = device_processors(self->device);

    if (self->nvs.version < NVSP_VERSION_5 || processors < 2)
        return 1;
    rss_query(&query);
    if (network_query(self, RNDIS_OID_RSS_CAPABILITIES, &query, sizeof query, &answer,
                      &length) != 0 ||
        rss_parse_capabilities(&answer, length, &channels) != 0)
        return 1;
    if (channels > processors)
        channels = processors;
    return channels < NETWORK_QUEUES_MAX ? channels : NETWORK_QUEUES_MAX;
}

/* Sub-channels that the host offers when asked for so many. */
static uint32_t ask_for_others(struct HyperVNetwork *self, uint32_t count)
{
    struct nvsp_message message, reply;
    uint32_t length, granted = 0;
    int error;

    nvs_sub_channel_message(count, &message);
    error = network_call(self, &message, &reply, &length);
    if (error == 0)
        error = nvs_sub_channel_reply(&self->nvs, &reply, length, count, &granted);
    if (error == 0 && granted != 0)
        error = device_wait_for_subchannels(self->device, granted, NETWORK_ANSWER_MILLISECONDS);
    if (error != 0)
        network_log(self, "no sub-channels: error %d", error);
    return error == 0 ? granted : 0;
}

/* From now on the host spreads frames. */
static int start_spreading(struct HyperVNetwork *self)
{
    uint8_t message[RSS_MESSAGE_BYTES];

    rss_parameters(self->queue_count, message);
    return network_set(self, RNDIS_OID_RSS_PARAMETERS, message, sizeof message);
}

void network_open_others(struct HyperVNetwork *self)
{
    uint32_t wanted = channels_wanted(self);
    uint32_t granted = wanted > 1 ? ask_for_others(self, wanted - 1) : 0;
    int error = 0;

    for (uint32_t i = 1; i <= granted && error == 0; i++)
        error = open_queue(self, i);
    if (error != 0)
        network_log(self, "%u of %u channels open: error %d", (unsigned)self->queue_count,
                    (unsigned)granted + 1, error);
    if (self->queue_count > 1 && (error = start_spreading(self)) != 0)
        network_log(self, "the host does not spread frames: error %d", error);
}

/* ---- which one ---- */

struct network_queue *network_queue_for(struct HyperVNetwork *self, uint32_t hash)
{
    uint32_t count = self->queue_count;
    struct network_queue *queue;

    if (count < 2)
        return self->queues[0];
    queue = self->queues[self->send_table[hash % NVSP_INDIRECTION_ENTRIES] % count];
    return queue == NULL || queue->gone ? self->queues[0] : queue;
}

void network_take_table(struct HyperVNetwork *self, const struct packet_view *packet)
{
    uint8_t table[NVSP_INDIRECTION_ENTRIES];

    if (nvs_indirection_table(&self->nvs, packet->data, packet->length, NVSP_CHANNELS_MAX,
                              table) != 0)
        return;
    for (uint32_t i = 0; i < NVSP_INDIRECTION_ENTRIES; i++)
        self->send_table[i] = table[i];
}
