/* SPDX-License-Identifier: BSD-3-Clause */
/* The controller's channels. The primary carries the agreement with the host and its events; tasks
 * go by all of them, from each processor by its own where there are enough. */
#include "kext/storage/HyperVStorage.h"

#include "abi/kpi/iolib.h"
#include "abi/kpi/machine.h"

static uint32_t pages_bytes(void)
{
    return page_list_capacity(STORAGE_TRANSFER_MAX) * (uint32_t)sizeof(uint64_t);
}

/* ---- opening one ---- */

static void packet_arrived(void *owner, struct device_channel *unused,
                           const struct packet_view *packet)
{
    struct storage_channel *channel = owner;

    (void)unused;
    if (storvsc_event_asks_for_scan(&channel->engine, packet->data, packet->length))
        storage_scan(channel->controller);
}

/* What is held would wait for a host that is no more. */
static void controller_gone(void *owner, struct device_channel *device_channel)
{
    struct storage_channel *channel = owner;

    (void)device_channel;
    if (channel == storage_primary(channel->controller))
        storage_holds_stop(channel->controller);
}

static uint32_t processors(void)
{
    return real_ncpus != 0 ? real_ncpus : 1;
}

static uint32_t processor_of(const struct HyperVStorage *self, uint32_t index)
{
    return (self->first_processor + index) % device_target_processors(self->device);
}

static int open_channel(struct HyperVStorage *self, uint32_t index)
{
    static const uint8_t no_properties[VMBUS_USER_DATA_SIZE];
    struct storage_channel *channel = &self->channels[index];
    struct device_channel_options options = {
        .transmit_pages = index == 0 ? STORAGE_TRANSMIT_PAGES : STORAGE_SUB_TRANSMIT_PAGES,
        .receive_pages = index == 0 ? STORAGE_RECEIVE_PAGES : STORAGE_SUB_RECEIVE_PAGES,
        .request_maximum = STORAGE_TASKS_MAX + 8, /* and probes and resets */
        .target_processor = processor_of(self, index),
        .user_data = no_properties,
        .owner = channel,
        .handlers = {
            .packet = packet_arrived,
            .completion = storage_completion,
            .room = storage_room,
            .gone = controller_gone,
        },
    };
    int error;

    *channel = (struct storage_channel){
        .controller = self,
        .engine = storage_primary(self)->engine,
        .pages = IOMalloc(pages_bytes()),
    };
    if (channel->pages == NULL)
        return HV_ERROR_NO_RESOURCES;
    error = device_channel_open(self->device, index, &options, &channel->channel);
    if (error != 0) {
        IOFree(channel->pages, pages_bytes());
        channel->pages = NULL;
    }
    return error;
}

static void close_channel(struct storage_channel *channel)
{
    if (channel->channel == NULL)
        return;
    device_channel_close(channel->channel);
    channel->channel = NULL;
    storage_fail_waiting(channel);
    IOFree(channel->pages, pages_bytes());
    channel->pages = NULL;
}

/* ---- the agreement ---- */

/* One message on the primary channel and its reply. 0, or why there is none. */
static int exchange(struct HyperVStorage *self, const struct storvsc_packet *packet,
                    size_t length, struct storvsc_packet *reply, uint32_t *reply_length)
{
    struct ring_piece piece = { packet, (uint32_t)length };
    int error;

    *reply_length = sizeof *reply;
    error = device_channel_call(storage_primary(self)->channel, &piece, 1, reply, reply_length,
                                STORAGE_ANSWER_MILLISECONDS);
    if (error != 0)
        storage_log(self, "the host does not answer operation %u: error %d",
                    (unsigned)packet->operation, error);
    return error;
}

/* One step of the initialisation. Returns what storvsc_initialization_reply says. */
static enum storvsc_progress converse(struct HyperVStorage *self, struct storvsc_packet *packet,
                                      size_t *length)
{
    struct storvsc_packet reply;
    uint32_t reply_length;

    if (exchange(self, packet, *length, &reply, &reply_length) != 0)
        return STORVSC_PROGRESS_FAILED;
    return storvsc_initialization_reply(&storage_primary(self)->engine, &reply, reply_length,
                                        packet, length);
}

static bool negotiate(struct HyperVStorage *self)
{
    struct storvsc_engine *engine = &storage_primary(self)->engine;
    struct storvsc_packet packet;
    size_t length = storvsc_begin(engine, &packet);
    enum storvsc_progress progress;

    do {
        progress = converse(self, &packet, &length);
    } while (progress == STORVSC_PROGRESS_SEND);
    if (progress != STORVSC_PROGRESS_READY) {
        storage_log(self, "no agreement on a protocol version, %u refused",
                    (unsigned)engine->counters.versions_refused);
        return false;
    }
    self->transfer_bytes_max = engine->transfer_bytes_max < STORAGE_TRANSFER_MAX
                                   ? engine->transfer_bytes_max : STORAGE_TRANSFER_MAX;
    storage_log(self, "protocol %u.%u, %u KiB a request", (unsigned)(engine->version >> 8),
                (unsigned)(engine->version & 0xff), (unsigned)(self->transfer_bytes_max >> 10));
    return true;
}

/* ---- sub-channels ---- */

/* As many as there are processors besides one, if the host has them: it has a thread for each
 * channel, even where all interrupts come to one processor. */
static uint16_t wanted_sub_channels(const struct HyperVStorage *self)
{
    uint32_t wanted = processors() - 1;
    uint32_t offered = self->channels[0].engine.sub_channels_max;

    if (wanted > STORAGE_CHANNELS_MAX - 1)
        wanted = STORAGE_CHANNELS_MAX - 1;
    return (uint16_t)(wanted < offered ? wanted : offered);
}

static bool ask_for_sub_channels(struct HyperVStorage *self, uint16_t count)
{
    struct storvsc_packet packet;
    struct storvsc_packet reply;
    size_t length = storvsc_sub_channel_request(&storage_primary(self)->engine, count, &packet);
    uint32_t reply_length;

    return length != 0 && exchange(self, &packet, length, &reply, &reply_length) == 0 &&
           storvsc_sub_channel_reply(&storage_primary(self)->engine, &reply, reply_length);
}

/* Opens what the host offers, as far as it offers it in time: the controller works with fewer, and
 * with none. */
static void open_sub_channels(struct HyperVStorage *self)
{
    uint16_t count = wanted_sub_channels(self);
    int error = 0;

    if (count == 0)
        return;
    if (!ask_for_sub_channels(self, count)) {
        storage_log(self, "the host refuses %u sub-channels", (unsigned)count);
        return;
    }
    device_wait_for_subchannels(self->device, count, STORAGE_ANSWER_MILLISECONDS);
    while (self->channel_count <= count && error == 0) {
        error = open_channel(self, self->channel_count);
        if (error == 0)
            self->channel_count++;
    }
    storage_log(self, "%u of %u sub-channels open", (unsigned)(self->channel_count - 1),
                (unsigned)count);
}

bool storage_channels_open(struct HyperVStorage *self)
{
    self->first_processor =
        device_offer(self->device)->channel_id % device_target_processors(self->device);
    if (open_channel(self, 0) != 0)
        return false;
    self->channel_count = 1;
    if (!negotiate(self))
        return false;
    open_sub_channels(self);
    return true;
}

void storage_channels_close(struct HyperVStorage *self)
{
    while (self->channel_count > 0)
        close_channel(&self->channels[--self->channel_count]);
}

struct storage_channel *storage_channel_choose(struct HyperVStorage *self)
{
    /* We may be moved to another one meanwhile: then the channel is only a little less good. */
    uint32_t distance = (uint32_t)cpu_number() + processors() - self->first_processor;

    return &self->channels[distance % processors() % self->channel_count];
}
