/* SPDX-License-Identifier: BSD-3-Clause */
/* A channel offer of the host, checked and in a form that is the same for every version.
 *
 * Sources: Linux channel_mgmt.c, OpenVMM vmbus_core. */
#ifndef KEXT_CORE_OFFER_H
#define KEXT_CORE_OFFER_H

#include "protocol/vmbus.h"

struct offer {
    struct guid class_id;
    struct guid instance_id;        /* the device's identity across rescind and reboot */
    uint32_t channel_id;            /* 1 .. VMBUS_CHANNEL_MAXIMUM */
    uint32_t connection_id;         /* for HvCallSignalEvent */
    uint16_t flags;                 /* VMBUS_OFFER_* */
    uint16_t subchannel_index;      /* 0 = primary */
    uint16_t mmio_megabytes;
    uint8_t monitor_id;
    bool monitored;                 /* monitor_id is valid */
    bool dedicated_interrupt;
    bool message_pipe;              /* VMBUS_OFFER_PIPE, in message mode */
    uint8_t user_data[VMBUS_USER_DATA_SIZE];
};

/* Reads the OFFER_CHANNEL message of `size` bytes at `message` (private memory) as a host of
 * `version` means it. Returns 0, or HV_ERROR_MALFORMED: too short, or a channel id that cannot be
 * (0, above VMBUS_CHANNEL_MAXIMUM, above VMBUS_CHANNEL_MAXIMUM_SHARED before 2.4). */
int offer_parse(const void *message, uint32_t size, uint32_t version, struct offer *offer);

#endif
