/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVVMBusDevice: the nub of one offered device, and its channels. What drivers use of it is
 * in device_channel.h. */
#ifndef KEXT_CORE_DEVICE_H
#define KEXT_CORE_DEVICE_H

#include "abi/runtime.h"
#include "kext/core/channel.h"
#include "kext/core/device_channel.h"
#include "kext/core/vmbus.h"

#define DEVICE_CHANNELS_MAXIMUM 64u     /* the primary and its sub-channels, by index */
#define CHANNEL_MEMORY_MAXIMUM  8u      /* blocks shared on one channel besides the rings */

/* A thread that waits in device_channel_call. */
struct channel_call {
    struct channel_call *next;
    uint64_t id;             /* of its request */
    void *response;
    uint32_t capacity;
    uint32_t length;
    bool done;
    int result;
};

/* A channel as the host offered it; the rest is valid while it is open.
 * `transmit_lock` guards the transmit side of `engine`, the table of requests, `calls`, `closing`
 * and `signals`; the gate of `work_loop` guards the receive side. */
struct device_channel {
    HyperVVMBusDevice *device;
    struct offer offer;
    bool rescinded;                     /* these four are guarded by the device's lock */
    bool opening;
    bool open;
    bool ending;                        /* device_channel_close is at work */
    IOLock *transmit_lock;
    bool closing;
    bool gone_told;
    bool left;                          /* the host was told that the channel is closed */
    bool broken;                        /* the host broke a ring */
    struct device_channel_options options;
    IOWorkLoop *work_loop;
    IOInterruptEventSource *source;
    struct channel engine;
    struct request_slot *slots;
    struct dma_memory rings;
    uint32_t ring_gpadl_id;
    uint8_t *packet;                    /* private copy of the packet being handled */
    struct channel_call *calls;
    struct dma_memory shared[CHANNEL_MEMORY_MAXIMUM];
    uint32_t shared_gpadl_id[CHANNEL_MEMORY_MAXIMUM];
    uint64_t signals;
    uint64_t interrupts;
    uint64_t spurious;
    uint64_t too_large;
};

struct HyperVVMBusDevice {
    IOService super;
    HyperVVMBus *bus;
    IOLock *lock;                       /* guards the table, `gone` and channels' states */
    struct device_channel *channels[DEVICE_CHANNELS_MAXIMUM];
    uint32_t subchannel_count;
    bool gone;
    uint32_t vector;                    /* its interrupt, for drivers that are not ours; 0: none */
};
IOKIT_CLASS_DECLARE(17, HyperVVMBusDevice, IOService);

/* ---- For the bus ----------------------------------------------------------------------------- */

/* Initialises a new nub for the offer of a primary channel. Returns false without memory. */
bool device_init(HyperVVMBusDevice *device, HyperVVMBus *bus, const struct offer *offer);

/* Adds a sub-channel. Returns 0, HV_ERROR_NO_RESOURCES or HV_ERROR_GONE. */
int device_add_channel(HyperVVMBusDevice *device, const struct offer *offer);

/* A channel of the device was rescinded: tells its driver; the whole device goes with its primary.
 * Sub-channels that nobody has open are released at once. */
void device_rescind_channel(HyperVVMBusDevice *device, uint32_t channel_id);

/* The host has confirmed UNLOAD: it knows nothing of the channels any more. Drivers are told as if
 * all were rescinded, so that nobody waits for an answer; the nub stays. */
void device_unloaded(HyperVVMBusDevice *device);

/* Is this the device of this class and instance? */
bool device_is(const HyperVVMBusDevice *device, const struct offer *offer);

/* ---- Between the device's files -------------------------------------------------------------- */

/* Takes a rescinded, closed sub-channel out of the table, frees it and releases its id. */
void device_remove_channel(HyperVVMBusDevice *device, struct device_channel *channel);

/* Action of a channel's event source. */
void channel_interrupt(OSObject *owner, IOInterruptEventSource *source, int32_t count);

/* Rings the doorbell. */
void channel_ring(struct device_channel *channel);

/* From here on nothing is sent: whoever waits for an answer or for room gets HV_ERROR_GONE. */
void channel_stop_sending(struct device_channel *channel);

/* Closes the channel at the host, and asks for the rings back: once the host has said yes it
 * touches no memory that a request named. 0, or the error of that question. May block; does it
 * once. */
int channel_leave(struct device_channel *channel);

/* Hands all outstanding requests back to the driver with HV_ERROR_GONE. */
void channel_end_requests(struct device_channel *channel);

#endif
