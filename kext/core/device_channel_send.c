/* SPDX-License-Identifier: BSD-3-Clause */
/* The sending side of a device's channel: bursts, single packets, calls that wait. */
#include "abi/kpi/iolib.h"
#include "abi/kpi/threads.h"
#include "abi/kpi/time.h"
#include "kext/core/device.h"

void channel_ring(struct device_channel *channel)
{
    channel->signals++;
    vmbus_signal(channel->device->bus, &channel->offer);
}

/* ---- Bursts ---------------------------------------------------------------------------------- */

int device_channel_begin(struct device_channel *channel)
{
    IOLockLock(channel->transmit_lock);
    if (!channel->closing && !device_is_gone(channel->device))
        return 0;
    IOLockUnlock(channel->transmit_lock);
    return HV_ERROR_GONE;
}

void device_channel_commit(struct device_channel *channel)
{
    bool ring = channel_flush(&channel->engine);

    IOLockUnlock(channel->transmit_lock);
    if (ring)
        channel_ring(channel);
}

int device_channel_append(struct device_channel *channel, const struct ring_piece *pieces,
                          uint32_t count)
{
    return channel_append(&channel->engine, pieces, count, 0);
}

int device_channel_append_echo(struct device_channel *channel, uint64_t transaction_id,
                               const struct ring_piece *pieces, uint32_t count)
{
    return channel_append(&channel->engine, pieces, count, transaction_id);
}

int device_channel_append_request(struct device_channel *channel, const struct ring_piece *pieces,
                                  uint32_t count, void *request)
{
    uint64_t id;

    return channel_append_request(&channel->engine, pieces, count, request, &id);
}

int device_channel_append_gpa_direct(struct device_channel *channel,
                                     const struct gpa_range *ranges, uint32_t range_count,
                                     const struct ring_piece *data, uint32_t data_count,
                                     void *request)
{
    uint64_t id;

    return channel_append_gpa_direct(&channel->engine, ranges, range_count, data, data_count,
                                     request, &id);
}

int device_channel_append_completion(struct device_channel *channel, uint64_t transaction_id,
                                     const struct ring_piece *pieces, uint32_t count)
{
    return channel_append_completion(&channel->engine, transaction_id, pieces, count);
}

/* ---- One packet ------------------------------------------------------------------------------ */

/* Sleeps, with the transmit lock held, until the host has made room or something ends. */
static int wait_for_room(struct device_channel *channel, uint64_t deadline)
{
    if (IOLockSleepDeadline(channel->transmit_lock, &channel->engine, deadline, THREAD_UNINT) ==
        THREAD_TIMED_OUT)
        return HV_ERROR_TIMED_OUT;
    return channel->closing ? HV_ERROR_GONE : 0;
}

int device_channel_send(struct device_channel *channel, const struct ring_piece *pieces,
                        uint32_t count, uint32_t milliseconds)
{
    uint64_t deadline;
    int error;

    if ((error = device_channel_begin(channel)) != 0)
        return error;
    if (milliseconds != 0 && IOWorkLoop_onThread(channel->work_loop)) {
        IOLockUnlock(channel->transmit_lock);
        return HV_ERROR_STATE;
    }
    clock_interval_to_deadline(milliseconds, kMillisecondScale, &deadline);
    while ((error = channel_append(&channel->engine, pieces, count, 0)) == HV_ERROR_FULL &&
           milliseconds != 0 && (error = wait_for_room(channel, deadline)) == 0)
        ;
    device_channel_commit(channel);
    return error;
}

/* HV_ERROR_FULL: not yet. */
static int all_taken(struct device_channel *channel)
{
    struct ring_transmit *ring = &channel->engine.transmit;
    int error = device_channel_begin(channel);

    if (error != 0)
        return error;
    if (ring_transmit_free(ring) != ring->size)
        error = ring->corrupt ? HV_ERROR_CORRUPT : HV_ERROR_FULL;
    device_channel_commit(channel);
    return error;
}

int device_channel_wait_taken(struct device_channel *channel, uint32_t milliseconds)
{
    int error = all_taken(channel);

    for (; error == HV_ERROR_FULL && milliseconds != 0; milliseconds--) {
        IOSleep(1);
        error = all_taken(channel);
    }
    return error == HV_ERROR_FULL ? HV_ERROR_TIMED_OUT : error;
}

/* Appends the request of a call, waiting for room; the transmit lock is held. Not once the channel
 * is closing, even if there is room now: nobody would end the call. */
static int append_call(struct device_channel *channel, const struct ring_piece *pieces,
                       uint32_t count, struct channel_call *call, uint64_t deadline, uint64_t *id)
{
    int error;

    while ((error = channel_append_request(&channel->engine, pieces, count, call, id)) ==
               HV_ERROR_FULL && (error = wait_for_room(channel, deadline)) == 0)
        ;
    return error;
}

static void unlink_call(struct device_channel *channel, struct channel_call *call)
{
    struct channel_call **link = &channel->calls;

    while (*link != NULL && *link != call)
        link = &(*link)->next;
    if (*link == call)
        *link = call->next;
}

int device_channel_call(struct device_channel *channel, const struct ring_piece *pieces,
                        uint32_t count, void *response, uint32_t *length, uint32_t milliseconds)
{
    struct channel_call call = { .response = response, .capacity = *length };
    uint64_t deadline, id;
    int error;

    if ((error = device_channel_begin(channel)) != 0)
        return error;
    if (IOWorkLoop_onThread(channel->work_loop)) {
        IOLockUnlock(channel->transmit_lock);
        return HV_ERROR_STATE;
    }
    clock_interval_to_deadline(milliseconds, kMillisecondScale, &deadline);
    error = append_call(channel, pieces, count, &call, deadline, &id);
    if (error != 0) {
        device_channel_commit(channel);
        return error;
    }
    call.id = id;
    call.next = channel->calls;
    channel->calls = &call;
    /* The doorbell is rung with the lock held, so that the reply finds us asleep or done. */
    if (channel_flush(&channel->engine))
        channel_ring(channel);
    while (!call.done)
        if (IOLockSleepDeadline(channel->transmit_lock, &call, deadline, THREAD_UNINT) ==
                THREAD_TIMED_OUT && !call.done) {
            channel_take_completion(&channel->engine, id);      /* a late answer finds nothing */
            call.result = HV_ERROR_TIMED_OUT;
            call.done = true;
        }
    unlink_call(channel, &call);
    IOLockUnlock(channel->transmit_lock);
    *length = call.length;
    return call.result;
}

static void end_calls(struct device_channel *channel)
{
    for (struct channel_call *call = channel->calls; call != NULL; call = call->next) {
        if (call->done)
            continue;
        channel_take_completion(&channel->engine, call->id); /* a late answer finds nothing */
        call->result = HV_ERROR_GONE;
        call->done = true;
        IOLockWakeup(channel->transmit_lock, call, false);
    }
}

void channel_stop_sending(struct device_channel *channel)
{
    IOLockLock(channel->transmit_lock);
    channel->closing = true;
    end_calls(channel);
    IOLockWakeup(channel->transmit_lock, &channel->engine, false);     /* who waits for room */
    IOLockUnlock(channel->transmit_lock);
}
