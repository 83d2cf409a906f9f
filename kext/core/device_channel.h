/* SPDX-License-Identifier: BSD-3-Clause */
/* How a driver uses its VMBus channel. The driver's provider is a HyperVVMBusDevice: one device as
 * the host offers it, with its primary channel and, for network and SCSI, sub-channels.
 *
 * Receiving: the channel's interrupt drains the ring on the channel's work loop, gate closed. Each
 * packet is copied to private memory first; handlers get that copy, valid until they return.
 * Sending: packets are appended in bursts between device_channel_begin and device_channel_commit,
 * from any thread that may block; one doorbell at most for a burst.
 *
 * All functions return 0 or a negative code of kext/core/errors.h (turn it into an IOReturn with
 * kext/core/ioreturn.h). HV_ERROR_GONE: the host took the channel away, or it is being closed;
 * HV_ERROR_CORRUPT: the host broke the ring, close it. */
#ifndef KEXT_CORE_DEVICE_CHANNEL_H
#define KEXT_CORE_DEVICE_CHANNEL_H

#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/IOService.h"
#include "abi/IOWorkLoop.h"
#include "kext/core/errors.h"
#include "kext/core/offer.h"
#include "kext/core/packet.h"

typedef struct HyperVVMBusDevice HyperVVMBusDevice;
struct device_channel;

/* ---- The device ------------------------------------------------------------------------------ */

/* Properties of the nub that personalities match on, and informational ones. */
#define DEVICE_PROPERTY_CLASS      "HVType"         /* class GUID, lower-case text */
#define DEVICE_PROPERTY_INSTANCE   "HVInstance"     /* instance GUID, lower-case text */
#define DEVICE_PROPERTY_CHANNEL    "HVChannel"      /* channel id */
#define DEVICE_PROPERTY_FLAGS      "HVFlags"        /* VMBUS_OFFER_* */
#define DEVICE_PROPERTY_MMIO       "HVMMIOMegabytes"

/* The provider as a HyperVVMBusDevice, or NULL if it is something else. */
HyperVVMBusDevice *device_of_provider(IOService *provider);

/* The primary channel's offer; lives as long as the device. */
const struct offer *device_offer(const HyperVVMBusDevice *device);

/* VMBus version in use, VMBUS_VERSION_*. */
uint32_t device_protocol_version(const HyperVVMBusDevice *device);

/* True once the host has taken the device away. */
bool device_is_gone(const HyperVVMBusDevice *device);

/* Processors of the machine (at least 1); more channels than that are of no use. */
uint32_t device_processors(const HyperVVMBusDevice *device);

/* Processors that channel interrupts can be aimed at (at least 1). */
uint32_t device_target_processors(const HyperVVMBusDevice *device);

/* ---- Opening and closing --------------------------------------------------------------------- */

struct device_channel_handlers {
    /* A packet that is no completion arrived. NULL: such packets are dropped. */
    void (*packet)(void *owner, struct device_channel *channel, const struct packet_view *packet);
    /* The request of device_channel_append_request or ..._gpa_direct has ended: `error` is 0 and
     * `packet` the host's completion (its contents unchecked), or `error` is HV_ERROR_GONE and
     * `packet` NULL: the channel is being closed, or the host took it away and has let go of its
     * rings, and the host will not answer any more. Called exactly once for each request. With
     * HV_ERROR_GONE memory that the request named may be touched by the host until
     * device_channel_close has returned. */
    void (*completion)(void *owner, struct device_channel *channel, void *request, int error,
                       const struct packet_view *packet);
    /* All packets that were there have been handled; publish results in one go. May be NULL. */
    void (*drained)(void *owner, struct device_channel *channel);
    /* There is room after an append said HV_ERROR_FULL. May be NULL. */
    void (*room)(void *owner, struct device_channel *channel);
    /* The host took the device away, or broke the ring. The nub is being terminated: stop using
     * the channel, close it in willTerminate or stop. May be NULL. */
    void (*gone)(void *owner, struct device_channel *channel);
};

#define DEVICE_CHANNEL_ANY_PROCESSOR 0xFFFFFFFFu

struct device_channel_options {
    uint32_t transmit_pages;        /* pages of data, guest to host; 1 .. 4094 */
    uint32_t receive_pages;         /* pages of data, host to guest */
    uint32_t request_maximum;       /* requests outstanding at a time; 1 .. REQUESTS_MAXIMUM */
    uint32_t packet_maximum;        /* largest packet received, header included; larger ones are
                                     * dropped and counted. 0 = 4096 */
    uint32_t target_processor;      /* 0 .. device_target_processors() - 1 or ..._ANY_PROCESSOR */
    const uint8_t *user_data;       /* VMBUS_USER_DATA_SIZE bytes for OPEN_CHANNEL, or NULL */
    IOWorkLoop *work_loop;          /* retained; NULL = the channel makes its own */
    void *owner;                    /* first argument of the handlers */
    struct device_channel_handlers handlers;
};

/* Opens channel `index` of the device: 0 is the primary, others are sub-channels (by the host's
 * sub-channel index). Blocks until the host has answered; not on `work_loop`'s thread.
 * Returns 0 with `*channel`, to be ended with device_channel_close; HV_ERROR_NOT_FOUND (no such
 * sub-channel offered), HV_ERROR_STATE (open already), HV_ERROR_REFUSED, HV_ERROR_GONE,
 * HV_ERROR_TIMED_OUT, HV_ERROR_NO_RESOURCES, HV_ERROR_INVALID. */
int device_channel_open(HyperVVMBusDevice *device, uint32_t index,
                        const struct device_channel_options *options,
                        struct device_channel **channel);

/* Closes the channel: no handler runs any more when this returns (except that it calls `completion`
 * with HV_ERROR_GONE for what is outstanding, on the calling thread with the gate closed), and
 * memory that the host did not give back has been leaked for good. Blocks; not on the channel's
 * work loop thread and not inside its gate. Sub-channels first, the primary last. */
void device_channel_close(struct device_channel *channel);

/* Number of sub-channels that the host has offered so far. */
uint32_t device_subchannel_count(HyperVVMBusDevice *device);

/* Waits until `count` sub-channels have been offered, at most `milliseconds`. Returns 0,
 * HV_ERROR_TIMED_OUT or HV_ERROR_GONE. Not on the VMBus's thread. */
int device_wait_for_subchannels(HyperVVMBusDevice *device, uint32_t count, uint32_t milliseconds);

/* The channel's work loop; borrowed. */
IOWorkLoop *device_channel_work_loop(const struct device_channel *channel);

/* ---- Sending in bursts ----------------------------------------------------------------------- */

/* Begins a burst: takes the channel's transmit lock (a mutex), which device_channel_commit
 * releases. Between the two only device_channel_append... may be called. Returns 0 or
 * HV_ERROR_GONE (no lock is held then, and no commit must follow). */
int device_channel_begin(struct device_channel *channel);

/* Shows the burst to the host and rings the doorbell if the host may be asleep. */
void device_channel_commit(struct device_channel *channel);

/* Appends an in-band packet without completion. HV_ERROR_FULL: nothing was appended; the `room`
 * handler will be called. HV_ERROR_TOO_LARGE, HV_ERROR_CORRUPT besides. */
int device_channel_append(struct device_channel *channel, const struct ring_piece *pieces,
                          uint32_t count);

/* Appends an in-band packet whose completion goes to the `completion` handler with `request` (not
 * NULL). HV_ERROR_FULL also if request_maximum are outstanding; `room` is not called for that,
 * but the next completion means room. */
int device_channel_append_request(struct device_channel *channel, const struct ring_piece *pieces,
                                  uint32_t count, void *request);

/* The same for a packet with ranges of guest memory, which must stay wired until the completion. */
int device_channel_append_gpa_direct(struct device_channel *channel,
                                     const struct gpa_range *ranges, uint32_t range_count,
                                     const struct ring_piece *data, uint32_t data_count,
                                     void *request);

/* Appends the completion of a packet that had VMBUS_PACKET_FLAG_COMPLETION_REQUESTED. */
int device_channel_append_completion(struct device_channel *channel, uint64_t transaction_id,
                                     const struct ring_piece *pieces, uint32_t count);

/* Appends an in-band packet with a transaction id that the host chose (integration services echo
 * the request's id). */
int device_channel_append_echo(struct device_channel *channel, uint64_t transaction_id,
                               const struct ring_piece *pieces, uint32_t count);

/* ---- Sending one packet ---------------------------------------------------------------------- */

/* begin, append, commit in one call. With `milliseconds` above 0 waits that long for room (then
 * not on the channel's work loop thread: HV_ERROR_STATE). */
int device_channel_send(struct device_channel *channel, const struct ring_piece *pieces,
                        uint32_t count, uint32_t milliseconds);

/* Sends an in-band request and waits for its completion, whose data is copied to `response`:
 * `*length` is its capacity before and the number of bytes copied after (the rest of a longer one
 * is cut off). Not on the channel's work loop thread (HV_ERROR_STATE). HV_ERROR_TIMED_OUT: the
 * host may still answer; that will be counted as unknown. */
int device_channel_call(struct device_channel *channel, const struct ring_piece *pieces,
                        uint32_t count, void *response, uint32_t *length, uint32_t milliseconds);

/* Waits until the host has taken every packet out of the ring, at most `milliseconds`: for the last
 * ones before memory is taken back, which have no answer. Returns 0, HV_ERROR_TIMED_OUT,
 * HV_ERROR_GONE or HV_ERROR_CORRUPT. Blocks, and looks every millisecond: no host signals it. */
int device_channel_wait_taken(struct device_channel *channel, uint32_t milliseconds);

/* ---- Polling --------------------------------------------------------------------------------- */

/* Drains the ring on the calling thread, as an interrupt would, for when there are none (polled
 * I/O of a kernel that is going down). The caller is inside the work loop's gate. */
void device_channel_poll(struct device_channel *channel);

/* ---- Memory shared with the host ------------------------------------------------------------- */

/* Memory that the host knows under an id, on this channel. */
struct device_channel_memory {
    IOBufferMemoryDescriptor *descriptor;
    uint8_t *bytes;                 /* kernel address; the host reads and writes it at any time */
    uint32_t size;                  /* bytes, whole pages */
    uint32_t gpadl_id;
};

/* Allocates `size` bytes (rounded up to pages, at most 32 MB - 8 KB, zeroed, wired, not necessarily
 * contiguous) and gives them to the host. Blocks; not on the VMBus's thread. Errors of
 * device_channel_open. */
int device_channel_share(struct device_channel *channel, uint32_t size,
                         struct device_channel_memory *memory);

/* Takes the memory back and frees it, or leaks it if the host does not confirm. To be called before
 * device_channel_close; what is still shared then is taken back there. */
void device_channel_unshare(struct device_channel *channel, struct device_channel_memory *memory);

/* ---- Device memory in the physical address space -------------------------------------------- */

/* Takes this very range out of the room for devices. HV_ERROR_NOT_FOUND: it lies outside of it;
 * HV_ERROR_REFUSED: part of it belongs to another device; HV_ERROR_INVALID, ..._NO_RESOURCES. */
int device_reserve_mmio(HyperVVMBusDevice *device, uint64_t address, uint64_t size);

/* Takes `size` bytes at a multiple of `alignment` (a power of two) with no byte above `highest`.
 * HV_ERROR_NOT_FOUND: there is no such room. */
int device_allocate_mmio(HyperVVMBusDevice *device, uint64_t size, uint64_t alignment,
                         uint64_t highest, uint64_t *address);

/* Gives back what begins at `address`. */
void device_release_mmio(HyperVVMBusDevice *device, uint64_t address);

/* ---- Counters -------------------------------------------------------------------------------- */

struct device_channel_counters {
    uint64_t packets_sent;
    uint64_t packets_received;
    uint64_t signals_sent;          /* doorbells */
    uint64_t interrupts;
    uint64_t spurious;              /* interrupts with nothing to do */
    uint64_t transmit_full;
    uint64_t unknown_completions;
    uint64_t dropped;               /* packets of an unknown kind, or too large */
    uint64_t corrupt;
};

/* Copies the counters; they are also in the nub's property "HVCounters", brought up to date when
 * the channel is closed. */
void device_channel_counters(struct device_channel *channel,
                             struct device_channel_counters *counters);

#endif
