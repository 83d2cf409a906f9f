/* SPDX-License-Identifier: BSD-3-Clause */
/* What the host says when its guest breaks a rule of the hypervisor or of VMBus. */
#ifndef HOST_VIOLATION_H
#define HOST_VIOLATION_H

#include <stdint.h>

struct host_violation {
    const char *message; /* what arrived: "OPEN_CHANNEL", "packet", "WRMSR HYPERCALL" */
    const char *state;   /* what the object was doing: "open", "disconnected" */
    const char *rule;    /* the rule that was broken, as a true sentence */
    uint32_t channel;    /* channel id, or 0 */
};

/* Called with the strings valid for the call only (they are constants, in fact). Any context. */
typedef void host_violation_function(void *context, const struct host_violation *violation);

#endif
