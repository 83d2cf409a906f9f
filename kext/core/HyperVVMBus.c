/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVVMBus: the class, its interrupts and its message thread. */
#include "kext/core/vmbus.h"

#include "abi/kpi/iolib.h"
#include "abi/kpi/libkern.h"
#include "kext/core/device.h"
#include "kext/core/errors.h"
#include "kext/core/event_flags.h"
#include "kext/core/log.h"

static const char who[] = "HyperVVMBus";

/* ---- Interrupt context ----------------------------------------------------------------------- */

static void signal_channel(void *context, uint32_t channel_id)
{
    HyperVVMBus *bus = context;
    IOInterruptEventSource *source;

    if (channel_id > VMBUS_CHANNEL_MAXIMUM)
        return;
    IOSimpleLockLock(bus->target_lock);
    source = bus->targets[channel_id];
    if (source != NULL)
        IOInterruptEventSource_interruptOccurred(source, NULL, NULL, 0);
    else if (bus->vectors[channel_id] != 0)
        interrupt_controller_raise(bus->interrupts, bus->vectors[channel_id]);
    IOSimpleLockUnlock(bus->target_lock);
}

static void event_occurred(void *context, uint32_t flag)
{
    HyperVVMBus *bus = context;

    if (flag != 0)
        signal_channel(bus, flag);
    else if (bus->shared_interrupts)
        event_flags_take_page(bus->interrupt_page.bytes, signal_channel, bus);
}

static void message_occurred(void *context)
{
    HyperVVMBus *bus = context;

    IOInterruptEventSource_interruptOccurred(bus->message_source, NULL, NULL, 0);
}

void vmbus_set_target(HyperVVMBus *bus, uint32_t channel_id, IOInterruptEventSource *source)
{
    IOInterruptState state = IOSimpleLockLockDisableInterrupt(bus->target_lock);

    bus->targets[channel_id] = source;
    IOSimpleLockUnlockEnableInterrupt(bus->target_lock, state);
}

void vmbus_set_vector(HyperVVMBus *bus, uint32_t channel_id, uint32_t vector)
{
    IOInterruptState state = IOSimpleLockLockDisableInterrupt(bus->target_lock);

    bus->vectors[channel_id] = (uint8_t)vector;
    IOSimpleLockUnlockEnableInterrupt(bus->target_lock, state);
}

void vmbus_signal(HyperVVMBus *bus, const struct offer *offer)
{
    OSIncrementAtomic(&bus->signalling);
    if (!bus->unloading) {
        if (!offer->dedicated_interrupt)
            event_flags_set_page(bus->interrupt_page.bytes, offer->channel_id);
        controller_signal_event(bus->controller, offer->connection_id);
    }
    OSDecrementAtomic(&bus->signalling);
}

void vmbus_stop_signals(HyperVVMBus *bus)
{
    bus->unloading = true;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    while (bus->signalling != 0)    /* a few instructions in another thread */
        IODelay(1);
}

/* ---- Message thread -------------------------------------------------------------------------- */

static void log_dropped(HyperVVMBus *bus, const struct hv_message *message, int error)
{
    const struct connection_counters *counters = &bus->connection->counters;
    uint64_t dropped = counters->unknown_type + counters->too_short + counters->bad_offer +
                       counters->duplicate_offer + counters->bad_rescind + counters->unexpected;
    uint32_t type;

    memcpy(&type, message->payload, sizeof type);
    if (hv_log_now(dropped))
        hv_log(who, "dropped control message type %u of %u bytes (error %d), %llu so far", type,
               message->payload_size, error, (unsigned long long)dropped);
}

static void handle_event(HyperVVMBus *bus, const struct connection_output *output)
{
    switch (output->event) {
    case CONNECTION_EVENT_OFFER:
        vmbus_offer_received(bus, &output->offer);
        break;
    case CONNECTION_EVENT_RESCIND:
        vmbus_rescind_received(bus, output->channel_id);
        break;
    case CONNECTION_EVENT_OFFERS_DELIVERED:
        IORegistryEntry_setProperty_cstring_bool((IORegistryEntry *)bus, "HVOffersDelivered", true);
        break;
    default:            /* those who wait for the others have been woken */
        break;
    }
}

void vmbus_handle_messages(HyperVVMBus *bus)
{
    struct hv_message message;
    struct connection_output output;

    while (controller_next_message(bus->controller, &message)) {
        bool proposal;
        int error;

        IOLockLock(bus->lock);
        error = connection_receive(bus->connection, message.payload, message.payload_size, &output);
        /* Another version is proposed by the thread that connects, which knows about retries. */
        proposal = output.post.size != 0 && bus->connection->state == CONNECTION_CONTACTING;
        if (proposal) {
            bus->proposal = output.post;
            bus->proposal_ready = true;
        }
        if (output.event == CONNECTION_EVENT_CONNECTED) {
            bus->shared_interrupts = bus->connection->version < VMBUS_VERSION_2_4;
            bus->was_connected = true;
        }
        if (output.event == CONNECTION_EVENT_UNLOADED)
            bus->unloaded = true;
        IOLockWakeup(bus->lock, bus->connection, false);
        IOLockUnlock(bus->lock);
        if (output.post.size != 0 && !proposal)
            vmbus_post(bus, &output.post);
        if (error != 0)
            log_dropped(bus, &message, error);
        else
            handle_event(bus, &output);
    }
}

static void messages_arrived(OSObject *owner, IOInterruptEventSource *source, int32_t count)
{
    vmbus_handle_messages((HyperVVMBus *)owner);
}

/* ---- Start and stop -------------------------------------------------------------------------- */

static int allocate(HyperVVMBus *bus)
{
    bus->lock = IOLockAlloc();
    bus->target_lock = IOSimpleLockAlloc();
    bus->connection = IOMalloc(sizeof *bus->connection);
    bus->interrupts = interrupt_controller_start();
    bus->work_loop = IOWorkLoop_workLoop();
    bus->message_source =
        IOInterruptEventSource_interruptEventSource((OSObject *)bus, messages_arrived, NULL, 0);
    if (bus->lock == NULL || bus->target_lock == NULL || bus->connection == NULL ||
        bus->interrupts == NULL || bus->work_loop == NULL || bus->message_source == NULL)
        return HV_ERROR_NO_RESOURCES;
    connection_init(bus->connection);
    if (IOWorkLoop_addEventSource(bus->work_loop, (IOEventSource *)bus->message_source) !=
        kIOReturnSuccess)
        return HV_ERROR_NO_RESOURCES;
    return dma_memory_allocate(&bus->interrupt_page, HV_PAGE_SIZE, true);
}

static void stop_messages(HyperVVMBus *bus)
{
    controller_set_client(bus->controller, NULL);
    if (bus->work_loop != NULL && bus->message_source != NULL)
        IOWorkLoop_removeEventSource(bus->work_loop, (IOEventSource *)bus->message_source);
}

static void stop_interrupts(HyperVVMBus *bus)
{
    if (bus->interrupts != NULL)
        interrupt_controller_stop(bus->interrupts, bus->controller->line_controller);
}

static bool bus_start(IOService *me, IOService *provider)
{
    HyperVVMBus *bus = (HyperVVMBus *)me;
    struct controller_client client = { bus, event_occurred, message_occurred };
    int error;

    bus->controller = (HyperVController *)provider;
    if (!IOService_super_start(me, provider))
        return false;
    if ((error = allocate(bus)) == 0) {
        vmbus_find_mmio(bus);
        controller_set_client(bus->controller, &client);
        error = vmbus_connect(bus);
    }
    if (error != 0) {
        hv_log(who, "cannot connect to the host (error %d)", error);
        if (bus->lock != NULL && bus->connection != NULL)
            stop_messages(bus);
        stop_interrupts(bus);
        IOService_super_stop(me, provider);
        return false;
    }
    IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)me, "HVVersion",
                                               vmbus_version(bus), 32);
    vmbus_await_early_devices(bus);
    IOService_registerService(me, 0);
    return true;
}

static void bus_stop(IOService *me, IOService *provider)
{
    HyperVVMBus *bus = (HyperVVMBus *)me;

    if (vmbus_disconnect(bus) != 0)
        dma_memory_leak(&bus->interrupt_page, who);
    stop_messages(bus);
    stop_interrupts(bus);
    IOService_super_stop(me, provider);
}

static void bus_free(OSObject *me)
{
    HyperVVMBus *bus = (HyperVVMBus *)me;

    dma_memory_free(&bus->interrupt_page);
    iokit_release_clear(bus->message_source);
    iokit_release_clear(bus->work_loop);
    iokit_release_clear(bus->interrupts);
    if (bus->connection != NULL)
        IOFree(bus->connection, sizeof *bus->connection);
    if (bus->target_lock != NULL)
        IOSimpleLockFree(bus->target_lock);
    if (bus->lock != NULL)
        IOLockFree(bus->lock);
    IOService_super_free((IOService *)me);
}

IOKIT_CLASS(11, HyperVVMBus, IOService,
            .start = bus_start,
            .stop = bus_stop,
            .free = bus_free)
