/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic network adapter as an IOEthernetController.
 *
 *   HyperVNetwork.c      the class: start and stop, what the networking family asks for
 *   network_session.c    versions, buffers, RNDIS, what the host indicates
 *   network_control.c    RNDIS requests and their replies
 *   network_queues.c     the channels, and which of them a frame takes
 *   network_transmit.c   frames to the host: what has to be done to each
 *   network_send.c       frames to the host: memory, messages, completions
 *   network_receive.c    frames from the host, and acknowledgements
 *   network_power.c      sleep and wake
 *
 * Each channel has a work loop of its own: the family's commands (enable, filters) run inside the
 * controller's gate and wait there for the host's answers, which the primary channel's thread has
 * to take in meanwhile. */
#ifndef KEXT_NETWORK_HYPERVNETWORK_H
#define KEXT_NETWORK_HYPERVNETWORK_H

#include "abi/IOBasicOutputQueue.h"
#include "abi/IOEthernetController.h"
#include "abi/IOEthernetInterface.h"
#include "abi/constants.h"
#include "abi/kpi/locks.h"
#include "abi/kpi/mbuf.h"
#include "abi/runtime.h"
#include "abi/structures.h"
#include "kext/core/device_channel.h"
#include "kext/core/dma_memory.h"
#include "kext/core/log.h"
#include "kext/network/batch.h"
#include "kext/network/headers.h"
#include "kext/network/nvs.h"
#include "kext/network/rndis.h"
#include "kext/network/send_sections.h"

/* Stacks before 10.6, and those of 32-bit kernels, leave no segmentation to a driver. */
#if ABI_OLDEST >= 1006 && !defined(__i386__)
#define NETWORK_SEGMENTS 1
#else
#define NETWORK_SEGMENTS 0
#endif

enum {
    NETWORK_RING_PAGES = 128,            /* each way, as Linux and FreeBSD */
    NETWORK_RECEIVE_BYTES = 16 << 20,
    NETWORK_SEND_BYTES = 4 << 20,        /* some 680 frames on their way */
    NETWORK_LARGE_MAX = 32,              /* frames on their way that do not fit a section */
    NETWORK_LARGE_BYTES = 68 << 10,      /* header and the largest frame to be segmented */
    NETWORK_REQUESTS_MAX = 1024,
    NETWORK_ACKNOWLEDGEMENTS_MAX = 2048, /* receive packets not yet acknowledged */
    NETWORK_ACKNOWLEDGE_AFTER = 64,      /* of them are acknowledged before the burst ends */
    NETWORK_QUEUES_MAX = 8,              /* channels, as Linux; never more than processors */
    NETWORK_ANSWER_MILLISECONDS = 5000,
    NETWORK_LINGER_MILLISECONDS = 200,   /* between a revocation and the memory's end */
    NETWORK_HEADER = 14,                 /* bytes of the Ethernet header */
    NETWORK_MTU = 9000 + 14,             /* largest frame; hosts before 2008 R2 know 1514 only */
    NETWORK_MTU_OLD = 1514,
    NETWORK_CRC = 4,                     /* the family counts it */
    NETWORK_QUEUE_CAPACITY = 1024,       /* frames that wait for room */
    NETWORK_CONTROL_BYTES = 4096,
};

enum network_request_kind {
    NETWORK_REQUEST_SECTION,
    NETWORK_REQUEST_LARGE,
    NETWORK_REQUEST_CONTROL
};

/* What waits for a completion. */
struct network_request {
    enum network_request_kind kind;
    uint32_t index; /* of the section or the large buffer */
};

/* One frame that does not fit a section: its headers in memory of ours, and the rest where it is;
 * or all in memory of ours if the rest is in too many places. */
struct network_large {
    struct network_request request;
    struct dma_memory memory;
    mbuf_t body; /* that the host reads, or NULL */
    bool taken;  /* under send_lock */
};

/* Of the adapter; the output queue hands over one frame at a time. */
struct network_counters {
    uint64_t transmit_frames, transmit_bytes, transmit_errors, transmit_stalls, transmit_segmented;
    uint64_t control_unexpected, control_malformed, indications;
};

/* Of a channel; its thread's. */
struct network_queue_counters {
    uint64_t receive_frames, receive_bytes, receive_packets, receive_coalesced;
    uint64_t receive_malformed, receive_no_memory, receive_dropped;
    uint64_t acknowledgements_lost, transmit_refused;
};

struct HyperVNetwork;

/* A channel of the adapter; index 0 is the primary one. */
struct network_queue {
    struct HyperVNetwork *adapter;
    uint32_t index;
    struct device_channel *channel; /* NULL when closed */
    volatile bool gone;             /* the host took this one away */

    IOLock *lock;                   /* protects the next two */
    uint32_t section;               /* being filled, or SEND_SECTION_NONE */
    struct batch batch;

    /* The channel's thread only: */
    uint64_t acknowledgements[NETWORK_ACKNOWLEDGEMENTS_MAX];
    uint32_t acknowledgement_first, acknowledgement_count;
    mbuf_t coalescing;              /* frame that comes in several pieces, or NULL */
    uint32_t coalesced_bytes;
    struct rndis_receive coalesced;
    mbuf_t first, last;             /* received, not yet delivered; linked by mbuf_nextpkt */
    struct nvs_counters nvs_counters;
    struct network_queue_counters counters;
    struct network_queue_counters published; /* what the interface's statistics know of them */
};

/* The one RNDIS request that may be under way. */
struct network_control {
    IOLock *turn;               /* held by whoever makes a request, from its start to its end */
    bool begun;                 /* INITIALIZE was sent: hosts take nothing else before */
    IOLock *lock;               /* protects what follows */
    struct dma_memory memory;   /* the request; the host reads it until `carried` */
    struct network_request request;
    bool outstanding;           /* the carrier's completion has not come */
    bool waiting;
    bool answered;
    uint32_t request_id, reply_type;
    uint32_t status;
    uint32_t length;            /* of the answer's data */
    uint32_t max_packets, max_transfer, alignment_factor;
    uint8_t data[RNDIS_CONTROL_MAX];
};

struct HyperVNetwork {
    IOEthernetController super;
    HyperVVMBusDevice *device;      /* the provider, borrowed */
    IOWorkLoop *work_loop;          /* the controller's */
    IOEthernetInterface *interface; /* ours; not changed while the channels' handlers use it */
    IOOutputQueue *queue;           /* the superclass's */
    IOEthernetAddress address;
    struct network_queue *queues[NETWORK_QUEUES_MAX]; /* NULL beyond queue_count */
    volatile uint32_t queue_count;  /* channels open; 0: none */
    /* Hash to channel, as the host wants it. */
    volatile uint8_t send_table[NVSP_INDIRECTION_ENTRIES];
    struct nvs nvs;
    struct rndis_offload offload;
    struct network_control control;
    struct device_channel_memory receive, send;
    volatile bool enabled;          /* frames go up */
    volatile bool gone;             /* the host took the device away */
    bool started;                   /* start() has ended well */
    /* Inside the controller's gate: */
    bool suspended;                 /* no channel is open until the machine wakes */
    bool enable_on_wake;            /* and the family will not do it */
    bool promiscuous, multicast;
    uint32_t mtu;
    uint64_t link_speed;            /* bit/s */
    OSDictionary *media;

    IOLock *input_lock;             /* the family takes frames from one thread at a time */
    struct batch_limits limits;
    IOLock *send_lock;              /* sections, large buffers, stalled, draining */
    struct send_sections sections;
    struct network_request *section_requests;
    struct network_large large[NETWORK_LARGE_MAX];
    bool stalled;                   /* the output queue waits for room */
    bool draining;                  /* network_drain waits for what comes back */
    struct network_counters counters;
    /* The interface's, or NULL; the input lock protects what is received, and what is sent is the
     * output queue's one thread's. */
    IONetworkStats *statistics;
    IOEthernetStats *ethernet_statistics;
};

IOKIT_CLASS_DECLARE(13, HyperVNetwork, IOEthernetController);

/* One line in the kernel log, with the adapter's channel. */
#define network_log(self, format, ...)                                                            \
    hv_log("HyperVNetwork", "channel %u: " format,                                                \
           (unsigned)device_offer((self)->device)->channel_id, ##__VA_ARGS__)

/* ---- network_session.c ---- */

/* Opens the channels and comes to terms with the host. Returns 0 or an error; network_disconnect in
 * either case. */
int network_connect(struct HyperVNetwork *self);
void network_disconnect(struct HyperVNetwork *self);
/* Sets the packet filter that `enabled`, `promiscuous` and `multicast` ask for. */
int network_set_filter(struct HyperVNetwork *self);
/* An NVSP request on the primary channel that has an answer, or one that has none. */
int network_call(struct HyperVNetwork *self, const struct nvsp_message *message,
                 struct nvsp_message *reply, uint32_t *length);
int network_tell(struct HyperVNetwork *self, const struct nvsp_message *message);
/* What the host indicates, in private memory. */
void network_indicated(struct HyperVNetwork *self, const struct rndis_control *indication);

/* ---- network_control.c ---- */

bool network_control_init(struct HyperVNetwork *self);
void network_control_free(struct HyperVNetwork *self);
/* RNDIS INITIALIZE: its answer is in `control`. */
int network_control_initialize(struct HyperVNetwork *self);
/* RNDIS HALT, which has no answer. */
void network_control_halt(struct HyperVNetwork *self);
/* Asks for an OID: `*length` is the capacity of `data` before, the answer's bytes after. `input`
 * may be NULL. */
int network_query(struct HyperVNetwork *self, uint32_t oid, const void *input,
                  uint32_t input_length, void *data, uint32_t *length);
int network_set(struct HyperVNetwork *self, uint32_t oid, const void *data, uint32_t length);
/* A control message from the host, in private memory. */
void network_control_arrived(struct HyperVNetwork *self, const void *message, uint32_t size);
/* The completion of a carrier, or its end with the channel. */
void network_control_carried(struct HyperVNetwork *self);
/* Whoever waits for an answer waits no more. */
void network_control_end(struct HyperVNetwork *self);

/* ---- network_queues.c ---- */

/* Opens the primary channel. */
int network_open_primary(struct HyperVNetwork *self);
/* Asks for sub-channels and opens what the host offers; with fewer, or none, the adapter works. */
void network_open_others(struct HyperVNetwork *self);
/* Closes all channels but the primary, or the primary and what is left. */
void network_close_others(struct HyperVNetwork *self);
void network_close_primary(struct HyperVNetwork *self);
/* The channel for a frame with this hash. */
struct network_queue *network_queue_for(struct HyperVNetwork *self, uint32_t hash);
/* The host's table of message 134. */
void network_take_table(struct HyperVNetwork *self, const struct packet_view *packet);

static inline struct device_channel *network_primary(const struct HyperVNetwork *self)
{
    return self->queues[0] == NULL ? NULL : self->queues[0]->channel;
}

/* ---- network_transmit.c ---- */

uint32_t network_output_packet(IONetworkController *me, mbuf_t packet, void *parameter);

/* A frame to be sent, and what the host is to do to it. */
struct network_plan {
    struct rndis_transmit transmit;
    uint32_t head_length;      /* bytes of `head` that replace the frame's */
    uint32_t body;             /* where in the frame the rest begins */
    struct headers headers;    /* if `found` */
    bool found;
    uint32_t segment_size;     /* of a frame to be segmented */
    bool part;                 /* of a frame that goes in several: others need it too */
    uint8_t head[HEADERS_MAX];
};

/* ---- network_send.c ---- */

bool network_send_init(struct HyperVNetwork *self);
void network_send_free(struct HyperVNetwork *self);
enum { NETWORK_SENT_KEPT = 1 };
/* 0: the frame is on its way, or in a message that network_flush sends; HV_ERROR_FULL: there is no
 * room, nothing was taken; or another error. NETWORK_SENT_KEPT: as 0, and the host reads the packet
 * where it is, so that it is freed when the host has; the caller has it no longer. */
int network_send(struct network_queue *queue, mbuf_t packet, const struct network_plan *plan);
/* Sends the messages that are not full; what the ring has no room for is sent later. */
void network_flush(struct HyperVNetwork *self);
/* Waits until the host has completed all that was sent; nobody sends meanwhile. A host that does
 * not is waited for NETWORK_ANSWER_MILLISECONDS. */
void network_drain(struct HyperVNetwork *self);
/* Handlers of the channels. */
void network_completion(void *owner, struct device_channel *channel, void *request, int error,
                        const struct packet_view *packet);
void network_room(void *owner, struct device_channel *channel);
/* Lets the output queue go on if it waits and there is room. */
void network_resume(struct HyperVNetwork *self);

/* ---- network_receive.c ---- */

void network_packet(void *owner, struct device_channel *channel, const struct packet_view *packet);
void network_drained(void *owner, struct device_channel *channel);
void network_acknowledge(struct network_queue *queue);
void network_receive_end(struct network_queue *queue);

/* ---- network_power.c ---- */

/* Methods of the class. The family calls the first one when it has published the properties. */
int32_t network_register_power(IONetworkController *me, IOService *policy_maker);
int32_t network_set_power_state(IOService *me, unsigned long state, IOService *policy_maker);

/* ---- HyperVNetwork.c ---- */

/* Tells the system the state of the link. */
void network_link_changed(struct HyperVNetwork *self, bool up);
/* Asks the host for it first. */
void network_read_link(struct HyperVNetwork *self);
/* Frames go up and down, or no more; inside the controller's gate. */
int network_enable(struct HyperVNetwork *self);
void network_disable(struct HyperVNetwork *self);

#endif
