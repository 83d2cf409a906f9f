/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVVMBus: offers become nubs, rescinds end them. Runs on the bus's message thread,
 * but for the end of all. */
#include "abi/kpi/iolib.h"
#include "kext/core/device.h"
#include "kext/core/errors.h"
#include "kext/core/log.h"

static const char who[] = "HyperVVMBus";

/* The device with this class and instance, retained, or NULL. */
static HyperVVMBusDevice *copy_device(HyperVVMBus *bus, const struct offer *offer)
{
    HyperVVMBusDevice *found = NULL;

    IOLockLock(bus->lock);
    for (uint32_t id = 1; id <= VMBUS_CHANNEL_MAXIMUM && found == NULL; id++)
        if (bus->devices[id] != NULL && device_is(bus->devices[id], offer))
            found = bus->devices[id];
    iokit_retain(found);
    IOLockUnlock(bus->lock);
    return found;
}

static void set_device(HyperVVMBus *bus, uint32_t channel_id, HyperVVMBusDevice *device)
{
    IOLockLock(bus->lock);
    bus->devices[channel_id] = device;
    IOLockUnlock(bus->lock);
}

void vmbus_forget_device(HyperVVMBus *bus, HyperVVMBusDevice *device)
{
    vmbus_set_vector(bus, device_offer(device)->channel_id, 0);
    IOLockLock(bus->lock);
    interrupt_controller_remove(bus->interrupts, device->vector);
    for (uint32_t id = 1; id <= VMBUS_CHANNEL_MAXIMUM; id++)
        if (bus->devices[id] == device)
            bus->devices[id] = NULL;
    IOLockUnlock(bus->lock);
}

void vmbus_devices_unloaded(HyperVVMBus *bus)
{
    for (uint32_t id = 1; id <= VMBUS_CHANNEL_MAXIMUM; id++) {
        HyperVVMBusDevice *device;

        IOLockLock(bus->lock);
        device = bus->devices[id];
        if (device != NULL && device_offer(device)->channel_id != id)
            device = NULL;          /* one of its sub-channels */
        iokit_retain(device);
        IOLockUnlock(bus->lock);
        if (device != NULL)
            device_unloaded(device);
        iokit_release(device);
    }
}

static int add_subchannel(HyperVVMBus *bus, const struct offer *offer)
{
    HyperVVMBusDevice *device = copy_device(bus, offer);
    int error = HV_ERROR_NOT_FOUND;

    if (device != NULL && (error = device_add_channel(device, offer)) == 0)
        set_device(bus, offer->channel_id, device);
    iokit_release(device);
    return error;
}

/* The nub has no interrupt before it has this, and none at all without memory. */
static void add_interrupt(HyperVVMBus *bus, HyperVVMBusDevice *device, uint32_t channel_id)
{
    IOLockLock(bus->lock);
    device->vector = interrupt_controller_add(bus->interrupts, (IOService *)device);
    IOLockUnlock(bus->lock);
    vmbus_set_vector(bus, channel_id, device->vector);
    if (device->vector == 0)
        hv_log(who, "channel %u has no interrupt for other drivers: no vector is left",
               channel_id);
}

static int add_device(HyperVVMBus *bus, const struct offer *offer)
{
    HyperVVMBusDevice *device = HyperVVMBusDevice_alloc();
    IOService *service = (IOService *)device;

    if (device == NULL)
        return HV_ERROR_NO_RESOURCES;
    if (!device_init(device, bus, offer) || !IOService_attach(service, (IOService *)bus)) {
        iokit_release(device);
        return HV_ERROR_NO_RESOURCES;
    }
    set_device(bus, offer->channel_id, device);
    add_interrupt(bus, device, offer->channel_id);
    IOService_registerService(service, 0);
    iokit_release(device);          /* the registry keeps it */
    return 0;
}

void vmbus_offer_received(HyperVVMBus *bus, const struct offer *offer)
{
    int error = offer->subchannel_index == 0 ? add_device(bus, offer) : add_subchannel(bus, offer);
    char text[GUID_TEXT_SIZE];

    if (error == 0)
        return;
    guid_format(&offer->class_id, text);
    hv_log(who, "channel %u of class %s is not used (error %d)", offer->channel_id, text, error);
    vmbus_release_channel(bus, offer->channel_id);
}

void vmbus_rescind_received(HyperVVMBus *bus, uint32_t channel_id)
{
    HyperVVMBusDevice *device;

    IOLockLock(bus->lock);
    device = bus->devices[channel_id];
    iokit_retain(device);
    IOLockUnlock(bus->lock);
    if (device == NULL)
        vmbus_release_channel(bus, channel_id);
    else
        device_rescind_channel(device, channel_id);
    iokit_release(device);
}
