/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a virtual device sees of VMBus: how it is offered to the guest, what it is told, and how
 * it exchanges packets with the guest's driver.
 *
 * Who may call what, from where:
 *
 * - Everything about one virtual machine's bus (offers, opens, closes, GPADLs, removal) is
 *   serialised by one lock that belongs to the caller of the library, the "machine lock". The
 *   library never takes it. A single-threaded simulator needs none.
 * - All operations of struct vmbus_device_operations except `ready` are called with the machine
 *   lock held. They must not block.
 * - `ready` is called by host_channel_run(), which the machine's driver calls from the channel's
 *   worker (a thread, or the simulator's loop) after the server asked for it through its
 *   `wake_device` call. It runs WITHOUT the machine lock. At most one thread at a time may be
 *   inside the functions marked [data path] of one channel; different channels are independent.
 * - From `opened` until the device calls host_channel_released(), the channel's rings and GPADLs
 *   stay valid, whatever the guest does; so a worker that is late never touches freed memory.
 * - The functions marked [machine lock] need that lock.
 *
 * Facts: Linux drivers/hv, OpenVMM vmbus_server and vmbus_ring, mu_msvm EmclDxe.
 */
#ifndef HOST_VMBUS_DEVICE_H
#define HOST_VMBUS_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "protocol/vmbus.h"

struct guest_memory;
struct host_channel;
struct host_gpadl;
struct vmbus_server;

/* How a device is offered. Copied by host_device_plug(). */
struct vmbus_device_offer {
    struct guid class_id;
    struct guid instance_id; /* unique among the plugged devices of one machine */
    uint16_t flags;                /* VMBUS_OFFER_*; VMBUS_OFFER_PIPE: see receive and send */
    uint16_t mmio_megabytes;
    uint16_t optional_mmio_megabytes;
    uint16_t sub_channels_max; /* how many sub-channels may be added, 0 for most classes */
    uint32_t order;            /* devices of one class are offered in this order */
    bool monitored;            /* offer a monitor id (guest may trigger through monitor pages) */
    uint8_t user_data[VMBUS_USER_DATA_SIZE]; /* as in the OFFER message, from offset 60 */
};

/* What the guest asked for with OPEN_CHANNEL. Valid during the call only. */
struct vmbus_open_request {
    uint32_t target_processor;  /* VMBUS_VP_NONE: the guest polls */
    const uint8_t *user_data;   /* 120 bytes, all zero for a reserved open */
    size_t to_host_ring_size;   /* bytes of the data area of the guest -> host ring */
    size_t to_guest_ring_size;  /* bytes of the data area of the host -> guest ring */
};

/*
 * What the bus tells a device. `opened` and `closed` are required, the others may be NULL.
 * `device` is the pointer given to host_device_plug(); `channel` the primary or a sub-channel.
 */
struct vmbus_device_operations {
    const char *name; /* for reports: "storvsc", "heartbeat" */

    /* The guest opens the channel. Returns 0, or negative errno: the guest gets a failure. */
    int (*opened)(void *device, struct host_channel *channel,
                  const struct vmbus_open_request *request);

    /*
     * The channel is to close (CLOSE message, removal, new contact, unload, reset). The device
     * stops its work on the channel and calls host_channel_released(), at once from within this
     * call or later. Requests in flight may be dropped, not completed. The guest gets no memory
     * back before that.
     */
    void (*closed)(void *device, struct host_channel *channel);

    /*
     * [data path] The guest signalled: packets may have come, or room in a full ring. Also called
     * once after each opening, so that a device that speaks first starts here, not in `opened`.
     * The device receives until there is nothing left; one that stops earlier (its own queue is
     * full) gets no signal for what remains and has host_channel_run() called again later.
     */
    void (*ready)(void *device, struct host_channel *channel);

    /*
     * A GPADL was created on this open channel (one created before, such as the ring, is not
     * reported). Negative errno refuses it.
     */
    int (*gpadl_created)(void *device, struct host_channel *channel, struct host_gpadl *gpadl);

    /*
     * The guest wants a GPADL's memory back. The device must call host_gpadl_released() once it
     * has let go of the memory. NULL: released at once; only right for a device that never
     * looks at GPADLs. Not called for a channel that was reported `closed`: released with it.
     */
    void (*gpadl_torn_down)(void *device, struct host_channel *channel, struct host_gpadl *gpadl);

    /* The guest moved the channel's interrupt to another virtual processor. For information. */
    void (*target_changed)(void *device, struct host_channel *channel, uint32_t processor);

    /* After host_device_unplug(): the guest has let go of every channel; last call ever. */
    void (*removed)(void *device);
};

/* ---- Coming and going [machine lock] ---- */

/*
 * Adds a device to the bus; if a guest is connected it gets the offer at once. `operations` and
 * `device` stay the caller's and must live until `removed`, or until the server is freed.
 * On success *channel is the primary channel. Returns 0, -EEXIST (the class and instance are
 * plugged already, or removed and not let go by the guest yet), -ENOSPC (all 2047 channel ids
 * used), -EINVAL (a required operation missing) or -ENOMEM.
 */
int host_device_plug(struct vmbus_server *server, const struct vmbus_device_offer *offer,
                     const struct vmbus_device_operations *operations, void *device,
                     struct host_channel **channel);

/* Takes the device away: RESCIND for each of its channels. `removed` is called when all is over. */
void host_device_unplug(struct host_channel *primary);

/*
 * Offers `count` more sub-channels of an open primary (the guest asked for them in the device's
 * own protocol). Returns 0, -EINVAL (not an open primary), -ENOSPC (sub_channels_max exceeded or
 * no channel id left), -EOPNOTSUPP (connection older than 2.4) or -ENOMEM.
 */
int host_channel_add_sub_channels(struct host_channel *primary, unsigned count);

/* The device is done with a channel, and its GPADLs, that was reported `closed`. */
void host_channel_released(struct host_channel *channel);

/* The device is done with a GPADL that was reported `gpadl_torn_down`. */
void host_gpadl_released(struct host_gpadl *gpadl);

/* The GPADL of this channel's device with this guest-chosen id, or NULL. Never the ring's. */
struct host_gpadl *host_channel_gpadl(struct host_channel *channel, uint32_t gpadl_id);

/* ---- Facts about a channel (any context between opened and released) ---- */

uint32_t host_channel_id(const struct host_channel *channel);
uint16_t host_channel_sub_channel_index(const struct host_channel *channel); /* 0: primary */
struct host_channel *host_channel_primary(struct host_channel *channel);
void host_channel_set_context(struct host_channel *channel, void *context); /* device's own */
void *host_channel_context(const struct host_channel *channel);
const struct guest_memory *host_channel_memory(const struct host_channel *channel);
uint32_t host_channel_protocol_version(const struct host_channel *channel); /* VMBUS_VERSION_* */

/* ---- GPADL memory [data path]; byte offsets into the described buffer ---- */

uint32_t host_gpadl_id(const struct host_gpadl *gpadl);
size_t host_gpadl_size(const struct host_gpadl *gpadl); /* bytes, over all ranges */
/* Return 0 or -EINVAL when [offset, offset + size) is not inside the buffer. */
int host_gpadl_read(const struct host_gpadl *gpadl, size_t offset, void *to, size_t size);
int host_gpadl_write(struct host_gpadl *gpadl, size_t offset, const void *from, size_t size);
/*
 * The same piece as scatter list. Returns the number of elements used, or -EINVAL, or -E2BIG
 * (more than `capacity` elements).
 */
int host_gpadl_map(const struct host_gpadl *gpadl, size_t offset, size_t size,
                   struct iovec *vector, unsigned capacity);

/* ---- Packets [data path] ---- */

/* A packet from the guest. Header and payload are private copies: checked, and stable. */
struct host_packet {
    uint16_t type;               /* VMBUS_PACKET_* */
    bool completion_requested;
    uint64_t transaction_id;     /* to be given back in the completion, no meaning to the host */
    const uint8_t *payload;      /* points into the channel, valid until the next receive */
    size_t payload_size;         /* pipes: what the pipe header says; else padded to 8 bytes */
    const uint8_t *ranges;       /* GPA direct: the raw range list; use host_packet_map() */
    size_t ranges_size;
    uint32_t range_count;        /* 0 for the other types */
};

/*
 * Takes the next packet. Returns 1 and fills *packet; 0 if there is none (interrupts from the
 * guest are on again); -EPIPE if the guest broke the ring: nothing can be received any more until
 * the guest re-opens. A malformed packet that leaves the ring usable is reported and skipped.
 * For offers with VMBUS_OFFER_PIPE the pipe header is checked and removed.
 */
int host_channel_receive(struct host_channel *channel, struct host_packet *packet);

/*
 * host_channel_receive() for devices that are spoken to in in-band packets alone: a packet of
 * another type is reported and skipped, and a completion is sent at once where one is asked for.
 */
int host_channel_receive_in_band(struct host_channel *channel, struct host_packet *packet);

/*
 * The guest memory behind one range (0 .. range_count - 1) of a GPA-direct packet, or behind all
 * of them one after the other (range = HOST_ALL_RANGES), as host pointers; pages that are
 * neighbours in host memory are merged. *size gets the bytes described. Returns the number of
 * elements, -EFAULT (not guest RAM), -E2BIG (capacity), or -EINVAL (no such range).
 */
enum { HOST_ALL_RANGES = -1 };
int host_packet_map(const struct host_channel *channel, const struct host_packet *packet,
                    int range, struct iovec *vector, unsigned capacity, size_t *size);

/*
 * The senders gather the pieces into one packet and return 0; -EAGAIN if the ring is full (nothing
 * is sent; the guest will signal room and `ready` is called), -EMSGSIZE if it can never fit, -EPIPE
 * if the guest broke the ring, -EINVAL for arguments that cannot be sent.
 * For pipe offers host_channel_send() prepends the pipe header.
 */
int host_channel_send(struct host_channel *channel, uint64_t transaction_id,
                      bool request_completion, const struct iovec *pieces, unsigned count);

/* Answers a packet that had completion_requested set. */
int host_channel_complete(struct host_channel *channel, uint64_t transaction_id,
                          const struct iovec *pieces, unsigned count);

/* One piece of a GPADL'd buffer, as transfer-page packets name it (netvsc receive). */
struct host_transfer_range {
    uint32_t byte_count;
    uint32_t byte_offset;
};
int host_channel_send_transfer_pages(struct host_channel *channel, uint64_t transaction_id,
                                     uint16_t set_id, const struct host_transfer_range *ranges,
                                     unsigned range_count, const struct iovec *pieces,
                                     unsigned count);

/* Convenience: one contiguous payload, no completion wanted. */
static inline int host_channel_send_bytes(struct host_channel *channel, const void *data,
                                          size_t size)
{
    struct iovec piece = {(void *)(uintptr_t)data, size};
    return host_channel_send(channel, 0, false, &piece, 1);
}

/*
 * Shows the guest everything sent and taken since the last flush, and signals it if the ring rules
 * say so: call it once per burst. host_channel_run() does it after `ready`; code that sends on its
 * own account (a timer, a disk that has finished) calls it itself.
 */
void host_channel_flush(struct host_channel *channel);

/* The worker's entry: calls `ready`, then flushes. Harmless on a channel that is not open. */
void host_channel_run(struct host_channel *channel);

/*
 * [data path] For a worker that looks for packets itself, for a while. From poll_begin on the guest
 * is told not to signal when the ring is empty. host_channel_poll() is true when packets have come
 * that the device has not been told of: then host_channel_run() is to be called. poll_end asks for
 * signals again; true: packets came meanwhile, for which there is no signal.
 */
void host_channel_poll_begin(struct host_channel *channel);
bool host_channel_poll(struct host_channel *channel);
bool host_channel_poll_end(struct host_channel *channel);

/* True if everything sent so far has been taken by the guest (indices equal). */
bool host_channel_sent_all_taken(const struct host_channel *channel);

/* Reports that the guest broke a rule of the device's own protocol. */
void host_channel_violation(struct host_channel *channel, const char *rule);

#endif
