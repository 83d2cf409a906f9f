/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic network adapter as an IOEthernetController.
 *
 *   HyperVNetwork.c      the class: start and stop, what the networking family asks for
 *   network_session.c    the channel: version, buffers, RNDIS requests, what the host indicates
 *   network_transmit.c   frames to the host
 *   network_receive.c    frames from the host, and acknowledgements
 *
 * The channel has a work loop of its own: the family's commands (enable, filters) run inside the controller's gate
 * and wait there for the host's answers, which the channel's thread has to take in meanwhile. */
#ifndef KEXT_NETWORK_HYPERVNETWORK_H
#define KEXT_NETWORK_HYPERVNETWORK_H

#include "abi/IOBasicOutputQueue.h"
#include "abi/IOEthernetController.h"
#include "abi/IOEthernetInterface.h"
#include "abi/constants.h"
#include "abi/kpi/locks.h"
#include "abi/kpi/mbuf.h"
#include "abi/runtime.h"
#include "kext/core/device_channel.h"
#include "kext/core/dma_memory.h"
#include "kext/core/log.h"
#include "kext/network/nvs.h"
#include "kext/network/rndis.h"
#include "kext/network/send_sections.h"

enum {
    NETWORK_RING_PAGES = 128,            /* each way, as Linux and FreeBSD */
    NETWORK_RECEIVE_BYTES = 16 << 20,
    NETWORK_SEND_BYTES = 4 << 20,        /* some 680 frames on their way */
    NETWORK_LARGE_MAX = 16,              /* frames on their way that do not fit a section */
    NETWORK_LARGE_BYTES = 68 << 10,      /* header and the largest frame to be segmented */
    NETWORK_REQUESTS_MAX = 1024,
    NETWORK_ACKNOWLEDGEMENTS_MAX = 2048, /* receive packets not yet acknowledged */
    NETWORK_ANSWER_MILLISECONDS = 5000,
    NETWORK_MTU = 9000 + 14,             /* largest frame; hosts before 2008 R2 know 1514 only */
    NETWORK_MTU_OLD = 1514,
    NETWORK_CRC = 4,                     /* the family counts it */
    NETWORK_QUEUE_CAPACITY = 1024,       /* frames that wait for room */
    NETWORK_CONTROL_BYTES = 4096,
};

enum network_request_kind { NETWORK_REQUEST_SECTION, NETWORK_REQUEST_LARGE, NETWORK_REQUEST_CONTROL };

/* What waits for a completion. */
struct network_request {
    enum network_request_kind kind;
    uint32_t index; /* of the section or the large buffer */
};

/* Memory for one frame that does not fit a section. */
struct network_large {
    struct network_request request;
    struct dma_memory memory;
    bool taken; /* under send_lock */
};

struct network_counters {
    uint64_t transmit_frames, transmit_bytes, transmit_errors, transmit_stalls, transmit_segmented;
    uint64_t receive_frames, receive_bytes, receive_packets, receive_coalesced;
    uint64_t receive_malformed, receive_no_memory, receive_dropped;
    uint64_t control_unexpected, acknowledgements_lost, indications;
};

/* The one RNDIS request that may be under way. */
struct network_control {
    IOLock *turn;               /* held by whoever makes a request, from its start to its end */
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
    IOEthernetInterface *interface; /* ours; set and cleared while the channel's handlers do not use it */
    IOOutputQueue *queue;           /* the superclass's */
    IOEthernetAddress address;
    struct device_channel *channel; /* NULL when closed */
    struct nvs nvs;
    struct rndis_offload offload;
    struct network_control control;
    struct device_channel_memory receive, send;
    volatile bool enabled;          /* frames go up */
    volatile bool gone;             /* the host took the device away */
    bool promiscuous, multicast;
    uint32_t mtu;
    uint64_t link_speed;            /* bit/s */
    OSDictionary *media;

    IOLock *send_lock;              /* sections, large buffers, stalled */
    struct send_sections sections;
    struct network_request *section_requests;
    struct network_large large[NETWORK_LARGE_MAX];
    bool stalled;                   /* the output queue waits for room */

    /* The channel's thread only: */
    uint64_t acknowledgements[NETWORK_ACKNOWLEDGEMENTS_MAX];
    uint32_t acknowledgement_first, acknowledgement_count;
    mbuf_t coalescing;              /* frame that comes in several pieces, or NULL */
    uint32_t coalesced_bytes;
    struct rndis_receive coalesced;
    struct network_counters counters;
};

IOKIT_CLASS_DECLARE(13, HyperVNetwork, IOEthernetController);

/* One line in the kernel log, with the adapter's channel. */
#define network_log(self, format, ...)                                                            \
    hv_log("HyperVNetwork", "channel %u: " format,                                                \
           (unsigned)device_offer((self)->device)->channel_id, ##__VA_ARGS__)

/* ---- network_session.c ---- */

/* Opens the channel and comes to terms with the host. Returns 0 or an error; network_disconnect in either case. */
int network_connect(struct HyperVNetwork *self);
void network_disconnect(struct HyperVNetwork *self);
/* Asks for an OID: `*length` is the capacity of `data` before, the answer's bytes after. `input` may be NULL. */
int network_query(struct HyperVNetwork *self, uint32_t oid, const void *input, uint32_t input_length, void *data,
                  uint32_t *length);
int network_set(struct HyperVNetwork *self, uint32_t oid, const void *data, uint32_t length);
/* Sets the packet filter that `enabled`, `promiscuous` and `multicast` ask for. */
int network_set_filter(struct HyperVNetwork *self);
/* A control message from the host, in private memory. */
void network_control_arrived(struct HyperVNetwork *self, const void *message, uint32_t size);
/* The completion of a carrier, or its end with the channel. */
void network_control_carried(struct HyperVNetwork *self);

/* ---- network_transmit.c ---- */

bool network_transmit_init(struct HyperVNetwork *self);
void network_transmit_free(struct HyperVNetwork *self);
uint32_t network_output_packet(IONetworkController *me, mbuf_t packet, void *parameter);
/* Handlers of the channel. */
void network_completion(void *owner, struct device_channel *channel, void *request, int error,
                        const struct packet_view *packet);
void network_room(void *owner, struct device_channel *channel);
/* Lets the output queue go on if it waits and there is room. */
void network_resume(struct HyperVNetwork *self);

/* ---- network_receive.c ---- */

void network_packet(void *owner, struct device_channel *channel, const struct packet_view *packet);
void network_drained(void *owner, struct device_channel *channel);
void network_acknowledge(struct HyperVNetwork *self);
void network_receive_end(struct HyperVNetwork *self);

/* ---- HyperVNetwork.c ---- */

/* Tells the system the state of the link. */
void network_link_changed(struct HyperVNetwork *self, bool up);

#endif
