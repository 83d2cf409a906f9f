/* SPDX-License-Identifier: BSD-3-Clause */
/* The heartbeat service: asks the guest every two seconds whether it is alive. */
#ifndef HOST_DEVICES_HEARTBEAT_H
#define HOST_DEVICES_HEARTBEAT_H

#include <stdint.h>

#include "host/devices/virtual_device.h"

/* As PowerShell's VMHeartbeatStatus has them. */
enum heartbeat_status {
    HEARTBEAT_NO_CONTACT,            /* never answered since the machine started */
    HEARTBEAT_OK_UNKNOWN,            /* answers; says nothing of its applications */
    HEARTBEAT_OK_HEALTHY,
    HEARTBEAT_OK_CRITICAL,
    HEARTBEAT_LOST_COMMUNICATION,    /* answered once, and has missed two beats */
    HEARTBEAT_ERROR,                 /* broke the protocol */
};

struct heartbeat_report {
    enum heartbeat_status status;
    uint64_t beats;            /* sent */
    uint64_t answers;
    uint64_t sequence;         /* of the last answer */
    uint32_t application_state; /* of the last answer */
    uint64_t last_answer_ns;   /* by the clock of run(); 0: none */
    uint64_t round_trip_ns;    /* of the last answer: up to the burst it came in */
    unsigned missed;           /* beats in a row without an answer */
};

/* framework and version are host_release's. Returns NULL when memory is short. */
struct virtual_device *heartbeat_new(uint32_t framework, uint32_t version);

/* The versions are agreed anew. Returns as integration_renegotiate(). */
int heartbeat_renegotiate(struct virtual_device *device);

void heartbeat_report(const struct virtual_device *device, struct heartbeat_report *report);

/* "OkApplicationsUnknown", "NoContact", ... */
const char *heartbeat_status_name(enum heartbeat_status status);

#endif
