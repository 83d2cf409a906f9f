/* SPDX-License-Identifier: BSD-3-Clause */
/* Dynamic memory: takes the guest's reports, and asks it for memory when told to. */
#ifndef HOST_DEVICES_DYNAMIC_MEMORY_H
#define HOST_DEVICES_DYNAMIC_MEMORY_H

#include "host/devices/virtual_device.h"

struct dynamic_memory_state {
    uint32_t version;                   /* agreed, IC_VERSION(); 0: none yet */
    bool ready;                         /* the capabilities were exchanged */
    uint64_t capabilities;              /* DYNAMIC_MEMORY_CAN_* */
    uint64_t reports;
    uint64_t available_pages, committed_pages; /* of the last report */
    uint64_t ballooned_pages;           /* that the guest gave away */
    uint64_t answers;                   /* to requests for memory */
};

/* version: the newest of the release, host_release's. Returns NULL when memory is short. */
struct virtual_device *dynamic_memory_new(uint32_t version);

void dynamic_memory_state(const struct virtual_device *device, struct dynamic_memory_state *state);

/* Asks for pages, whatever the guest has said it can. Returns 0, -ENOTCONN or -EAGAIN. */
int dynamic_memory_balloon(struct virtual_device *device, uint32_t pages);

#endif
