/* SPDX-License-Identifier: BSD-3-Clause */
/* The receiving side of a device's channel: what its interrupt does on the work loop. */
#include "abi/kpi/libkern.h"
#include "kext/core/device.h"
#include "kext/core/log.h"

static const char who[] = "HyperVVMBusDevice";

#define PACKETS_A_BATCH 32u             /* between two publications of the read index */
#define PACKETS_A_ROUND 4096u           /* before others on the work loop get their turn */

/* The host broke the channel's rings. */
static void found_broken(struct device_channel *channel)
{
    if (channel->broken)
        return;
    channel->broken = true;
    hv_log(who, "channel %u: the host broke the ring, it is not used any more",
           channel->offer.channel_id);
    channel_stop_sending(channel);
}

/* The call that waits with this record as its request, or NULL; the transmit lock is held. */
static struct channel_call *find_call(struct device_channel *channel, const void *request)
{
    struct channel_call *call = channel->calls;

    while (call != NULL && call != request)
        call = call->next;
    return call;
}

static void completion_arrived(struct device_channel *channel, const struct packet_view *packet)
{
    const struct device_channel_handlers *handlers = &channel->options.handlers;
    const struct requests *requests = &channel->engine.requests;
    struct channel_call *call;
    void *request;

    IOLockLock(channel->transmit_lock);
    if (requests->outstanding == requests->count)       /* someone may wait for a place */
        IOLockWakeup(channel->transmit_lock, &channel->engine, false);
    request = channel_take_completion(&channel->engine, packet->transaction_id);
    call = request != NULL ? find_call(channel, request) : NULL;
    if (call != NULL && !call->done) {
        call->length = packet->length < call->capacity ? packet->length : call->capacity;
        memcpy(call->response, packet->data, call->length);
        call->result = 0;
        call->done = true;
        IOLockWakeup(channel->transmit_lock, call, false);
    }
    IOLockUnlock(channel->transmit_lock);
    if (request == NULL) {
        if (hv_log_now(channel->engine.requests.unknown))
            hv_log(who, "channel %u: completion of an unknown request", channel->offer.channel_id);
    } else if (call == NULL && handlers->completion != NULL) {
        handlers->completion(channel->options.owner, channel, request, 0, packet);
    }
}

/* Handles the next packet. Returns 0 or why there was none to handle. */
static int handle_packet(struct device_channel *channel)
{
    const struct device_channel_handlers *handlers = &channel->options.handlers;
    enum channel_packet_kind kind;
    struct packet_view packet;
    int error = channel_receive(&channel->engine, channel->packet,
                                channel->options.packet_maximum, &packet, &kind);

    if (error == HV_ERROR_TOO_LARGE) {
        if (hv_log_now(++channel->too_large))
            hv_log(who, "channel %u: dropped a packet of %u bytes", channel->offer.channel_id,
                   packet.length);
        return ring_receive_skip(&channel->engine.receive);
    }
    if (error != 0)
        return error;
    if (kind == CHANNEL_COMPLETION)
        completion_arrived(channel, &packet);
    else if (kind == CHANNEL_PACKET && handlers->packet != NULL)
        handlers->packet(channel->options.owner, channel, &packet);
    return 0;
}

static void publish(struct device_channel *channel)
{
    if (ring_receive_publish(&channel->engine.receive))
        channel_ring(channel);
}

/* Handles packets until there are none. Returns how many there were. */
static uint32_t drain(struct device_channel *channel)
{
    struct ring_receive *ring = &channel->engine.receive;
    uint32_t handled = 0;
    int error;

    do {
        ring_receive_mask(ring);
        while ((error = handle_packet(channel)) == 0 && ++handled < PACKETS_A_ROUND)
            if (handled % PACKETS_A_BATCH == 0)
                publish(channel);
        publish(channel);
    } while (ring_receive_unmask(ring) && handled < PACKETS_A_ROUND && error == HV_ERROR_EMPTY);
    if (error == HV_ERROR_CORRUPT)
        found_broken(channel);
    else if (handled >= PACKETS_A_ROUND)
        IOInterruptEventSource_interruptOccurred(channel->source, NULL, NULL, 0);
    return handled;
}

/* Room that a sender waits for. Returns true if there is now. */
static bool check_room(struct device_channel *channel)
{
    const struct device_channel_handlers *handlers = &channel->options.handlers;
    bool room, corrupt;

    IOLockLock(channel->transmit_lock);
    room = ring_transmit_room_returned(&channel->engine.transmit);
    corrupt = channel->engine.transmit.corrupt;
    if (room)
        IOLockWakeup(channel->transmit_lock, &channel->engine, false);
    IOLockUnlock(channel->transmit_lock);
    if (corrupt)
        found_broken(channel);
    if (room && handlers->room != NULL)
        handlers->room(channel->options.owner, channel);
    return room;
}

/* What a rescinded channel's host has not answered it never will. Whoever waits for it may be whom
 * the end of the device waits for, so this cannot be left to device_channel_close. */
static void end_unanswered(struct device_channel *channel)
{
    if (channel->engine.requests.outstanding != 0 && channel_leave(channel) == 0)
        channel_end_requests(channel);
}

static void service(struct device_channel *channel)
{
    const struct device_channel_handlers *handlers = &channel->options.handlers;
    uint32_t handled = 0;
    bool room = false;

    channel->interrupts++;
    if (!channel->broken) {
        room = check_room(channel);
        handled = drain(channel);
    }
    if (handled != 0 && handlers->drained != NULL)
        handlers->drained(channel->options.owner, channel);
    if ((channel->rescinded || channel->broken) && !channel->gone_told) {
        channel->gone_told = true;
        if (handlers->gone != NULL)
            handlers->gone(channel->options.owner, channel);
        if (channel->rescinded)
            end_unanswered(channel);
    } else if (handled == 0 && !room) {
        channel->spurious++;
    }
}

/* The channel that the event source belongs to; it is open as long as its source has an action. */
static struct device_channel *channel_of(HyperVVMBusDevice *device,
                                         const IOInterruptEventSource *source)
{
    struct device_channel *found = NULL;

    IOLockLock(device->lock);
    for (uint32_t i = 0; i < DEVICE_CHANNELS_MAXIMUM && found == NULL; i++)
        if (device->channels[i] != NULL && device->channels[i]->source == source)
            found = device->channels[i];
    IOLockUnlock(device->lock);
    return found;
}

void channel_interrupt(OSObject *owner, IOInterruptEventSource *source, int32_t count)
{
    struct device_channel *channel = channel_of((HyperVVMBusDevice *)owner, source);

    if (channel != NULL)
        service(channel);
}

void device_channel_poll(struct device_channel *channel)
{
    service(channel);
}

void channel_end_requests(struct device_channel *channel)
{
    const struct device_channel_handlers *handlers = &channel->options.handlers;
    void *request;

    IOWorkLoop_closeGate(channel->work_loop);
    while ((request = requests_take_any(&channel->engine.requests)) != NULL)
        if (handlers->completion != NULL)
            handlers->completion(channel->options.owner, channel, request, HV_ERROR_GONE, NULL);
    IOWorkLoop_openGate(channel->work_loop);
}

void device_channel_counters(struct device_channel *channel,
                             struct device_channel_counters *counters)
{
    const struct channel *engine = &channel->engine;

    counters->packets_sent = engine->transmit.counters.packets;
    counters->packets_received = engine->receive.counters.packets;
    counters->signals_sent = channel->signals;
    counters->interrupts = channel->interrupts;
    counters->spurious = channel->spurious;
    counters->transmit_full = engine->transmit.counters.full;
    counters->unknown_completions = engine->requests.unknown;
    counters->dropped = engine->dropped + channel->too_large;
    counters->corrupt = engine->transmit.counters.corrupt + engine->receive.counters.corrupt;
}
