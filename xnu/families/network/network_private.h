/* SPDX-License-Identifier: BSD-3-Clause */
/* network_private.h - what is behind the public classes of IONetworkingFamily. Their own fields
 * moved between releases, so the state hangs on the pointer that each class reserves for that. */
#ifndef XNU_FAMILIES_NETWORK_PRIVATE_H
#define XNU_FAMILIES_NETWORK_PRIVATE_H

#include "abi/IOBasicOutputQueue.h"
#include "abi/IOCommandGate.h"
#include "abi/IOEthernetController.h"
#include "abi/IOEthernetInterface.h"
#include "abi/IONetworkController.h"
#include "abi/IONetworkData.h"
#include "abi/IONetworkInterface.h"
#include "abi/IONetworkMedium.h"
#include "abi/IOOutputQueue.h"
#include "abi/IOWorkLoop.h"
#include "abi/constants.h"
#include "abi/kpi/mbuf.h"
#include "abi/runtime.h"
#include "abi/structures.h"

#include "xnu/libkern/object.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/threads.h"

struct network_controller {
    IOWorkLoop *work_loop;         /* retained */
    IOCommandGate *gate;
    IOOutputQueue *queue;          /* NULL: frames go to outputPacket directly */
    OSDictionary *media;
    const IONetworkMedium *medium; /* in `media` */
    bool published;                /* its properties */
    uint32_t link_status;
    uint64_t link_speed;
};

/* Output that the driver fetches (network_pull.c). All but the first three under the lock. */
struct network_pull {
    bool frozen;                   /* the stack has the interface: no more configuration */
    bool wanted, gated;            /* the driver asked for it, and for calls in its gate */
    uint32_t capacity, size;
    struct machine_mutex *lock;
    struct machine_thread *thread; /* NULL: frames go to outputPacket or the queue */
    const struct machine_thread *in_driver; /* NULL: nobody is in outputStart */
    mbuf_t first, last;
    bool halted, stopping, ending; /* the thread calls no driver; is to halt; is to end */
    bool purging;                  /* stopped and flushed: frames are dropped */
    bool starved;                  /* the driver has no room until it signals */
    bool signalled;                /* frames or a signal came since the call began */
};

struct network_interface_state {
    IONetworkController *controller; /* retained */
    struct machine_spin_lock lock;
    mbuf_t first, last;              /* input queue, by mbuf_nextpkt */
    uint32_t queued;
    uint64_t input_frames, input_bytes, output_frames, output_bytes;
    OSDictionary *data;              /* IONetworkData by key; the driver counts in these two */
    IONetworkStats statistics;
    IOEthernetStats ethernet_statistics;
    uint16_t unit;
    uint32_t tso_mtu_ipv4, tso_mtu_ipv6; /* largest packets to be segmented; 0: of any size */
    bool up;                         /* these two inside the controller's gate */
    bool lost_power;                 /* and disabled for that */
    struct network_pull pull;
};

/* Output by pull. start: the stack takes the interface; false without memory. output: true, the
 * frames are taken over; false: the driver does not pull. stop: no call of the driver follows. */
bool network_pull_start(IONetworkInterface *me);
bool network_pull_output(IONetworkInterface *me, mbuf_t packets);
void network_pull_stop(IONetworkInterface *me);
void network_pull_free(IONetworkInterface *me);

static inline struct network_controller *controller_state(const IONetworkController *me)
{
    return (struct network_controller *)(void *)me->_reserved;
}

static inline struct network_interface_state *interface_state(const IONetworkInterface *me)
{
    return (struct network_interface_state *)(void *)me->_reserved;
}

#endif
