/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVVMBusDevice: the nub of one offered device. */
#include "abi/OSDictionary.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/threads.h"
#include "abi/kpi/time.h"
#include "kext/core/device.h"
#include "kext/core/errors.h"
#include "kext/core/log.h"

/* ---- Properties ------------------------------------------------------------------------------ */

static void publish_properties(HyperVVMBusDevice *device, const struct offer *offer)
{
    IORegistryEntry *entry = (IORegistryEntry *)device;
    char text[GUID_TEXT_SIZE];
    uint8_t built_in = 0;
    char location[8];

    guid_format(&offer->class_id, text);
    IORegistryEntry_setProperty_cstring_cstring(entry, DEVICE_PROPERTY_CLASS, text);
    guid_format(&offer->instance_id, text);
    IORegistryEntry_setProperty_cstring_cstring(entry, DEVICE_PROPERTY_INSTANCE, text);
    IORegistryEntry_setProperty_cstring_number(entry, DEVICE_PROPERTY_CHANNEL, offer->channel_id,
                                               32);
    IORegistryEntry_setProperty_cstring_number(entry, DEVICE_PROPERTY_FLAGS, offer->flags, 16);
    IORegistryEntry_setProperty_cstring_number(entry, DEVICE_PROPERTY_MMIO, offer->mmio_megabytes,
                                               16);
    /* Makes the network adapter en0, which Apple's services insist on. */
    IORegistryEntry_setProperty_cstring_pointer(entry, "built-in", &built_in, sizeof built_in);
    snprintf(location, sizeof location, "%x", offer->channel_id);
    IORegistryEntry_setLocation_cstring(entry, location, NULL);
}

static bool device_match_property_table(IOService *me, OSDictionary *table, int32_t *score)
{
    return IOService_super_matchPropertyTable_numbers(me, table, score) &&
           IOService_compareProperty_cstring(me, table, DEVICE_PROPERTY_CLASS) &&
           IOService_compareProperty_cstring(me, table, DEVICE_PROPERTY_INSTANCE);
}

HyperVVMBusDevice *device_of_provider(IOService *provider)
{
    return iokit_cast(HyperVVMBusDevice, provider);
}

const struct offer *device_offer(const HyperVVMBusDevice *device)
{
    return &device->channels[0]->offer;
}

uint32_t device_protocol_version(const HyperVVMBusDevice *device)
{
    return vmbus_version(device->bus);
}

bool device_is_gone(const HyperVVMBusDevice *device)
{
    return device->gone || device->bus->unloading;  /* or is about to forget everything */
}

uint32_t device_processors(const HyperVVMBusDevice *device)
{
    uint32_t count = device->bus->controller->processor_count;

    return count != 0 ? count : 1;
}

uint32_t device_target_processors(const HyperVVMBusDevice *device)
{
    const HyperVController *controller = device->bus->controller;
    uint32_t count = 0;

    /* Hosts before 2.4 aim everything at processor 0. Later ones are free to choose, but on some
     * macOS releases interrupts of other processors never arrive, so spreading is asked for. */
    if (vmbus_version(device->bus) < VMBUS_VERSION_2_4 || !controller->spread_interrupts)
        return 1;
    while (count < controller->processor_count && controller->processors[count].ready)
        count++;
    return count != 0 ? count : 1;
}

bool device_is(const HyperVVMBusDevice *device, const struct offer *offer)
{
    const struct offer *own = device_offer(device);

    return guid_equal(&own->class_id, &offer->class_id) &&
           guid_equal(&own->instance_id, &offer->instance_id);
}

/* ---- Channels -------------------------------------------------------------------------------- */

static struct device_channel *new_channel(HyperVVMBusDevice *device, const struct offer *offer)
{
    struct device_channel *channel = IOMalloc(sizeof *channel);

    if (channel == NULL)
        return NULL;
    memset(channel, 0, sizeof *channel);
    channel->device = device;
    channel->offer = *offer;
    channel->transmit_lock = IOLockAlloc();
    if (channel->transmit_lock == NULL) {
        IOFree(channel, sizeof *channel);
        return NULL;
    }
    channel->closing = true;            /* nobody can send until it is open */
    return channel;
}

bool device_init(HyperVVMBusDevice *device, HyperVVMBus *bus, const struct offer *offer)
{
    if (!IORegistryEntry_init_dictionary((IORegistryEntry *)device, NULL))
        return false;
    device->bus = bus;
    iokit_retain(bus);
    device->lock = IOLockAlloc();
    device->channels[0] = new_channel(device, offer);
    if (device->lock == NULL || device->channels[0] == NULL)
        return false;
    publish_properties(device, offer);
    return true;
}

int device_add_channel(HyperVVMBusDevice *device, const struct offer *offer)
{
    struct device_channel *channel;
    uint32_t index = offer->subchannel_index;
    int error = 0;

    if (index == 0 || index >= DEVICE_CHANNELS_MAXIMUM)
        return HV_ERROR_NO_RESOURCES;
    channel = new_channel(device, offer);
    if (channel == NULL)
        return HV_ERROR_NO_RESOURCES;
    IOLockLock(device->lock);
    if (device->gone)
        error = HV_ERROR_GONE;
    else if (device->channels[index] != NULL)
        error = HV_ERROR_NO_RESOURCES;
    if (error == 0) {
        device->channels[index] = channel;
        device->subchannel_count++;
        IOLockWakeup(device->lock, &device->subchannel_count, false);
    }
    IOLockUnlock(device->lock);
    if (error != 0) {
        IOLockFree(channel->transmit_lock);
        IOFree(channel, sizeof *channel);
    }
    return error;
}

uint32_t device_subchannel_count(HyperVVMBusDevice *device)
{
    uint32_t count;

    IOLockLock(device->lock);
    count = device->subchannel_count;
    IOLockUnlock(device->lock);
    return count;
}

int device_wait_for_subchannels(HyperVVMBusDevice *device, uint32_t count, uint32_t milliseconds)
{
    uint64_t deadline;
    int error = 0;

    clock_interval_to_deadline(milliseconds, kMillisecondScale, &deadline);
    IOLockLock(device->lock);
    while (device->subchannel_count < count && !device->gone && error == 0)
        if (IOLockSleepDeadline(device->lock, &device->subchannel_count, deadline,
                                THREAD_UNINT) == THREAD_TIMED_OUT)
            error = HV_ERROR_TIMED_OUT;
    if (device->gone)
        error = HV_ERROR_GONE;
    else if (device->subchannel_count >= count)
        error = 0;
    IOLockUnlock(device->lock);
    return error;
}

void device_remove_channel(HyperVVMBusDevice *device, struct device_channel *channel)
{
    uint32_t channel_id = channel->offer.channel_id;

    IOLockLock(device->lock);
    device->channels[channel->offer.subchannel_index] = NULL;
    device->subchannel_count--;
    IOLockUnlock(device->lock);
    IOLockFree(channel->transmit_lock);
    IOFree(channel, sizeof *channel);
    vmbus_release_channel(device->bus, channel_id);
}

/* Marks a channel and wakes whoever uses it: the driver on its work loop, waiting calls here. */
static void mark_rescinded(struct device_channel *channel)
{
    channel->rescinded = true;
    channel_stop_sending(channel);
    if (channel->open && !channel->ending)
        IOInterruptEventSource_interruptOccurred(channel->source, NULL, NULL, 0);
}

void device_unloaded(HyperVVMBusDevice *device)
{
    IOLockLock(device->lock);
    device->gone = true;
    for (uint32_t i = 0; i < DEVICE_CHANNELS_MAXIMUM; i++)
        if (device->channels[i] != NULL)
            mark_rescinded(device->channels[i]);
    IOLockWakeup(device->lock, &device->subchannel_count, false);
    IOLockUnlock(device->lock);
}

void device_rescind_channel(HyperVVMBusDevice *device, uint32_t channel_id)
{
    bool primary = channel_id == device_offer(device)->channel_id;
    struct device_channel *unused = NULL;

    IOLockLock(device->lock);
    device->gone = device->gone || primary;
    for (uint32_t i = 0; i < DEVICE_CHANNELS_MAXIMUM; i++) {
        struct device_channel *channel = device->channels[i];

        if (channel == NULL || (channel->offer.channel_id != channel_id && !primary))
            continue;
        mark_rescinded(channel);
        if (!primary && !channel->open && !channel->opening)
            unused = channel;
    }
    IOLockWakeup(device->lock, &device->subchannel_count, false);
    IOLockUnlock(device->lock);
    if (unused != NULL)
        device_remove_channel(device, unused);
    if (primary)
        IOService_terminate((IOService *)device, 0);
}

/* ---- End ------------------------------------------------------------------------------------- */

/* All drivers have stopped: what they left open is closed, and the ids go back to the host. */
static bool device_finalize(IOService *me, uint32_t options)
{
    HyperVVMBusDevice *device = (HyperVVMBusDevice *)me;

    for (uint32_t i = DEVICE_CHANNELS_MAXIMUM; i-- > 0;) {
        if (device->channels[i] != NULL && device->channels[i]->open)
            device_channel_close(device->channels[i]);      /* may take it out of the table */
        if (device->channels[i] != NULL && device->channels[i]->rescinded)
            vmbus_release_channel(device->bus, device->channels[i]->offer.channel_id);
    }
    vmbus_forget_device(device->bus, device);
    return IOService_super_finalize(me, options);
}

static void device_free(OSObject *me)
{
    HyperVVMBusDevice *device = (HyperVVMBusDevice *)me;

    for (uint32_t i = 0; i < DEVICE_CHANNELS_MAXIMUM; i++) {
        if (device->channels[i] == NULL)
            continue;
        IOLockFree(device->channels[i]->transmit_lock);
        IOFree(device->channels[i], sizeof *device->channels[i]);
    }
    if (device->lock != NULL)
        IOLockFree(device->lock);
    iokit_release_clear(device->bus);
    IOService_super_free((IOService *)me);
}

IOKIT_CLASS(17, HyperVVMBusDevice, IOService,
            .matchPropertyTable_numbers = device_match_property_table,
            .finalize = device_finalize,
            .free = device_free)
