/* SPDX-License-Identifier: BSD-3-Clause */
/* ethernet_stack.h - the place of the BSD network stack above the interfaces: gives them names (en0
 * ...), brings them up and passes frames between them and whoever observes (a TAP device, a TCP/IP
 * stack, a test). */
#ifndef XNU_FAMILIES_NETWORK_ETHERNET_STACK_H
#define XNU_FAMILIES_NETWORK_ETHERNET_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/IONetworkController.h"
#include "abi/IONetworkInterface.h"
#include "abi/kpi/mbuf.h"
#include "abi/structures.h"

struct ethernet_device {
    char name[16];                 /* "en0" */
    unsigned unit;
    uint8_t address[6];
    uint32_t mtu;                  /* largest IP packet */
    uint32_t features;             /* kIONetworkFeature... */
    uint32_t checksums;            /* MBUF_CSUM_REQ_... that the hardware computes */
    uint32_t tso_mtu;              /* largest IP packet to be segmented; 0: of any size */
    bool link;
    IONetworkInterface *interface; /* retained */
    void *context;                 /* the observer's */
    struct ethernet_device *next;
};

/* Who uses the interfaces. All calls come on kernel threads, without locks. */
struct ethernet_observer {
    /* Up, ready for ethernet_stack_output. */
    void (*added)(struct ethernet_device *device);
    /* Going: no output after this has returned, no input will come. */
    void (*removed)(struct ethernet_device *device);
    /* Frames, linked by mbuf_nextpkt; the observer's from now on. */
    void (*input)(struct ethernet_device *device, mbuf_t packets);
    /* Its link, MTU or largest packet to be segmented is another one now. */
    void (*changed)(struct ethernet_device *device);
};

/* Before the first interface appears. NULL: no observer (any more). */
void ethernet_stack_observe(const struct ethernet_observer *observer);
/* Begins to look for interfaces. */
void ethernet_stack_start(void);

/* Sends frames, linked by mbuf_nextpkt, which are taken over. */
void ethernet_stack_output(struct ethernet_device *device, mbuf_t packets);

/* Settings, as ifconfig makes them; an IOReturn. */
int32_t ethernet_set_promiscuous(struct ethernet_device *device, bool on);
int32_t ethernet_set_multicast(struct ethernet_device *device, bool on);

/* A device by its name, or NULL; valid until the observer's `removed`. */
struct ethernet_device *ethernet_find(const char *name);

/* An interface at a moment. */
struct ethernet_snapshot {
    char name[16];
    unsigned unit;
    uint8_t address[6];
    uint32_t mtu;
    bool link;
    uint64_t speed; /* bit/s, 0 without a link */
    uint64_t input_frames, input_bytes, output_frames, output_bytes;
    IONetworkStats statistics; /* the driver's own */
    IOEthernetStats ethernet_statistics;
};

/* The interface with the least unit of `unit` or more; false: there is none. */
bool ethernet_take_snapshot(unsigned unit, struct ethernet_snapshot *snapshot);

/* All interfaces as text, or as a JSON array (ethernet_report.c). */
void ethernet_report(bool json, void (*print)(void *context, const char *text, size_t length),
                     void *context);

/* ---- for the classes of the family ---- */

/* Whether the stack has taken the interface. */
bool ethernet_stack_has(const IONetworkInterface *interface);
/* Sets one of the interface's two `tso_mtu_...`; false: it is less than the MTU. */
bool ethernet_stack_set_tso_mtu(IONetworkInterface *interface, uint32_t *field, uint32_t bytes);
void ethernet_stack_remove(IONetworkInterface *interface);
void ethernet_stack_input(IONetworkInterface *interface, mbuf_t packets);
void ethernet_stack_link(IONetworkController *controller, bool up);

#endif
