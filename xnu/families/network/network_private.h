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
    bool up;                         /* these two inside the controller's gate */
    bool lost_power;                 /* and disabled for that */
};

static inline struct network_controller *controller_state(const IONetworkController *me)
{
    return (struct network_controller *)(void *)me->_reserved;
}

static inline struct network_interface_state *interface_state(const IONetworkInterface *me)
{
    return (struct network_interface_state *)(void *)me->_reserved;
}

#endif
