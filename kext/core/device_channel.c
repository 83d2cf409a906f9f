/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening and closing the channels of a device, and memory shared on them. */
#include "abi/OSDictionary.h"
#include "abi/OSNumber.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/libkern.h"
#include "kext/core/device.h"
#include "kext/core/log.h"

static const char who[] = "HyperVVMBusDevice";

#define PACKET_MAXIMUM_DEFAULT 4096u

IOWorkLoop *device_channel_work_loop(const struct device_channel *channel)
{
    return channel->work_loop;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static bool options_valid(const struct device_channel_options *options)
{
    return options->transmit_pages != 0 && options->transmit_pages <= 4094 &&
           options->receive_pages != 0 && options->receive_pages <= 4094 &&
           options->request_maximum != 0 && options->request_maximum <= REQUESTS_MAXIMUM &&
           options->packet_maximum <= VMBUS_PACKET_LENGTH_MAXIMUM;
}

static void reset(struct device_channel *channel, const struct device_channel_options *options)
{
    channel->options = *options;
    if (channel->options.packet_maximum < sizeof(struct vmbus_packet_header))
        channel->options.packet_maximum = PACKET_MAXIMUM_DEFAULT;
    channel->gone_told = false;
    channel->left = false;
    channel->broken = false;
    channel->ring_gpadl_id = 0;
    channel->calls = NULL;
    channel->signals = channel->interrupts = channel->spurious = channel->too_large = 0;
}

static int allocate(struct device_channel *channel)
{
    const struct device_channel_options *options = &channel->options;
    uint32_t transmit = options->transmit_pages + 1, receive = options->receive_pages + 1;
    int error = dma_memory_allocate(&channel->rings, (transmit + receive) * HV_PAGE_SIZE, false);

    if (error != 0)
        return error;
    channel->packet = IOMalloc(options->packet_maximum);
    channel->slots = IOMalloc(options->request_maximum * sizeof *channel->slots);
    channel->work_loop = options->work_loop;
    iokit_retain(channel->work_loop);
    if (channel->work_loop == NULL)
        channel->work_loop = IOWorkLoop_workLoop();
    if (channel->packet == NULL || channel->slots == NULL || channel->work_loop == NULL)
        return HV_ERROR_NO_RESOURCES;
    return channel_init(&channel->engine, channel->rings.bytes, transmit, receive, channel->slots,
                        options->request_maximum);
}

static int add_event_source(struct device_channel *channel)
{
    channel->source = IOInterruptEventSource_interruptEventSource((OSObject *)channel->device,
                                                                  channel_interrupt, NULL, 0);
    if (channel->source == NULL)
        return HV_ERROR_NO_RESOURCES;
    if (IOWorkLoop_addEventSource(channel->work_loop, (IOEventSource *)channel->source) ==
        kIOReturnSuccess)
        return 0;
    iokit_release_clear(channel->source);
    return HV_ERROR_NO_RESOURCES;
}

/* Virtual processor for the channel's interrupts. */
static uint32_t target_vp(const struct device_channel *channel)
{
    uint32_t count = device_target_processors(channel->device);
    uint32_t wanted = channel->options.target_processor;

    if (wanted >= count)
        wanted = channel->offer.channel_id % count;
    return controller_vp_index(channel->device->bus->controller, wanted);
}

static int open_channel(struct device_channel *channel)
{
    HyperVVMBus *bus = channel->device->bus;
    uint32_t id = channel->offer.channel_id;
    struct connection_open_parameters parameters;
    int error;

    if ((error = allocate(channel)) != 0 || (error = add_event_source(channel)) != 0 ||
        (error = vmbus_create_gpadl(bus, id, &channel->rings, &channel->ring_gpadl_id)) != 0)
        return error;
    vmbus_set_target(bus, id, channel->source);
    IOLockLock(channel->transmit_lock);
    channel->closing = channel->rescinded;
    IOLockUnlock(channel->transmit_lock);
    parameters.ring_gpadl_id = channel->ring_gpadl_id;
    parameters.downstream_page_offset = channel->options.transmit_pages + 1;
    parameters.target_vp = target_vp(channel);
    parameters.user_data = channel->options.user_data;
    return vmbus_open_channel(bus, id, &parameters);
}

/* ---- Closing --------------------------------------------------------------------------------- */

/* Frees memory that the host knew as `gpadl_id` (0 = it never did), or leaks it. */
static void take_back(struct device_channel *channel, struct dma_memory *memory, uint32_t gpadl_id)
{
    if (gpadl_id == 0 || vmbus_teardown_gpadl(channel->device->bus, gpadl_id) == 0)
        dma_memory_free(memory);
    else
        dma_memory_leak(memory, who);
}

static void close_at_host(struct device_channel *channel)
{
    if (!channel->left)
        vmbus_close_channel(channel->device->bus, channel->offer.channel_id);
    channel->left = true;
}

int channel_leave(struct device_channel *channel)
{
    int error = 0;

    close_at_host(channel);
    if (channel->ring_gpadl_id != 0)
        error = vmbus_teardown_gpadl(channel->device->bus, channel->ring_gpadl_id);
    if (error == 0)
        channel->ring_gpadl_id = 0;
    return error;
}

/* Undoes open_channel, however far it got. */
static void dismantle(struct device_channel *channel)
{
    HyperVVMBus *bus = channel->device->bus;

    channel_stop_sending(channel);
    vmbus_set_target(bus, channel->offer.channel_id, NULL);
    if (channel->source != NULL)
        IOWorkLoop_removeEventSource(channel->work_loop, (IOEventSource *)channel->source);
    iokit_release_clear(channel->source);
    close_at_host(channel);
    for (uint32_t i = 0; i < CHANNEL_MEMORY_MAXIMUM; i++)
        if (channel->shared[i].descriptor != NULL)
            take_back(channel, &channel->shared[i], channel->shared_gpadl_id[i]);
    take_back(channel, &channel->rings, channel->ring_gpadl_id);
    if (channel->slots != NULL && channel->engine.requests.slots != NULL)
        channel_end_requests(channel);
    if (channel->slots != NULL)
        IOFree(channel->slots, channel->options.request_maximum * sizeof *channel->slots);
    if (channel->packet != NULL)
        IOFree(channel->packet, channel->options.packet_maximum);
    channel->slots = NULL;
    channel->packet = NULL;
    memset(&channel->engine, 0, sizeof channel->engine);
    iokit_release_clear(channel->work_loop);
}

int device_channel_open(HyperVVMBusDevice *device, uint32_t index,
                        const struct device_channel_options *options,
                        struct device_channel **opened)
{
    struct device_channel *channel = NULL;
    int error = 0;

    if (!options_valid(options))
        return HV_ERROR_INVALID;
    IOLockLock(device->lock);
    if (index < DEVICE_CHANNELS_MAXIMUM)
        channel = device->channels[index];
    if (channel == NULL)
        error = HV_ERROR_NOT_FOUND;
    else if (device->gone || channel->rescinded)
        error = HV_ERROR_GONE;
    else if (channel->open || channel->opening)
        error = HV_ERROR_STATE;
    else
        channel->opening = true;
    IOLockUnlock(device->lock);
    if (error != 0)
        return error;

    reset(channel, options);
    error = open_channel(channel);
    if (error != 0)
        dismantle(channel);
    IOLockLock(device->lock);
    channel->opening = false;
    channel->open = error == 0;
    /* A rescind that came just now found no one to tell; the first interrupt will. */
    if (channel->open && channel->rescinded)
        IOInterruptEventSource_interruptOccurred(channel->source, NULL, NULL, 0);
    IOLockUnlock(device->lock);
    if (error == 0)
        *opened = channel;
    else if (channel->rescinded && index != 0)
        device_remove_channel(device, channel);
    return error;
}

static void set_counter(OSDictionary *dictionary, const char *name, uint64_t value)
{
    OSNumber *number = OSNumber_withNumber_number(value, 64);

    if (number != NULL)
        OSDictionary_setObject_cstring(dictionary, name, (const OSMetaClassBase *)number);
    iokit_release(number);
}

static void publish_counters(struct device_channel *channel)
{
    OSDictionary *dictionary = OSDictionary_withCapacity(8);
    struct device_channel_counters counters;

    if (dictionary == NULL)
        return;
    device_channel_counters(channel, &counters);
    set_counter(dictionary, "PacketsSent", counters.packets_sent);
    set_counter(dictionary, "PacketsReceived", counters.packets_received);
    set_counter(dictionary, "SignalsSent", counters.signals_sent);
    set_counter(dictionary, "Interrupts", counters.interrupts);
    set_counter(dictionary, "Spurious", counters.spurious);
    set_counter(dictionary, "TransmitFull", counters.transmit_full);
    set_counter(dictionary, "UnknownCompletions", counters.unknown_completions);
    set_counter(dictionary, "Dropped", counters.dropped);
    set_counter(dictionary, "Corrupt", counters.corrupt);
    IORegistryEntry_setProperty_cstring_object((IORegistryEntry *)channel->device, "HVCounters",
                                               (OSObject *)dictionary);
    iokit_release(dictionary);
}

void device_channel_close(struct device_channel *channel)
{
    HyperVVMBusDevice *device = channel->device;
    bool remove;

    IOLockLock(device->lock);
    if (!channel->open || channel->ending) {
        IOLockUnlock(device->lock);
        return;
    }
    channel->ending = true;
    IOLockUnlock(device->lock);
    publish_counters(channel);
    dismantle(channel);
    IOLockLock(device->lock);
    channel->ending = false;
    channel->open = false;
    remove = channel->rescinded && channel->offer.subchannel_index != 0;
    IOLockUnlock(device->lock);
    if (remove)
        device_remove_channel(device, channel);
}

/* ---- Memory shared with the host ------------------------------------------------------------- */

int device_channel_share(struct device_channel *channel, uint32_t size,
                         struct device_channel_memory *memory)
{
    uint32_t slot = 0;
    struct dma_memory *block;
    int error;

    while (slot < CHANNEL_MEMORY_MAXIMUM && channel->shared[slot].descriptor != NULL)
        slot++;
    if (slot == CHANNEL_MEMORY_MAXIMUM)
        return HV_ERROR_NO_RESOURCES;
    block = &channel->shared[slot];
    if ((error = dma_memory_allocate(block, size, false)) != 0)
        return error;
    error = vmbus_create_gpadl(channel->device->bus, channel->offer.channel_id, block,
                               &channel->shared_gpadl_id[slot]);
    if (error != 0) {
        take_back(channel, block, channel->shared_gpadl_id[slot]);
        return error;
    }
    memory->descriptor = block->descriptor;
    memory->bytes = block->bytes;
    memory->size = block->size;
    memory->gpadl_id = channel->shared_gpadl_id[slot];
    return 0;
}

void device_channel_unshare(struct device_channel *channel, struct device_channel_memory *memory)
{
    for (uint32_t i = 0; i < CHANNEL_MEMORY_MAXIMUM; i++)
        if (memory->descriptor != NULL && channel->shared[i].descriptor == memory->descriptor)
            take_back(channel, &channel->shared[i], channel->shared_gpadl_id[i]);
    memset(memory, 0, sizeof *memory);
}
