/* SPDX-License-Identifier: BSD-3-Clause */
/* The heartbeat service: the host sends a sequence number about every two seconds and expects
 * number + 1 in the same message. Sources: Linux hv_util, Windows symbols (application state). */
#ifndef KEXT_SERVICES_HEARTBEAT_H
#define KEXT_SERVICES_HEARTBEAT_H

#include "kext/services/integration.h"

struct heartbeat {
    uint64_t last_sequence;         /* of the host's last request */
    uint64_t beats;
};

/* The service's row; the engine's context is a struct heartbeat. */
extern const struct integration_service heartbeat_service;

#endif
