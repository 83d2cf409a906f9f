/* SPDX-License-Identifier: BSD-3-Clause */
/* Data exchange (key-value pairs and network addresses). The engine checks operation, pool and
 * sizes; the daemon has the pairs. Versions up to 4.0, as Linux and FreeBSD: 5.0 differs in its
 * address blocks only, whose layout no guest of today has tried.
 * Sources: Linux hv_kvp and its daemon, FreeBSD hv_kvp, OpenVMM hyperv_ic. */
#ifndef KEXT_SERVICES_KVP_H
#define KEXT_SERVICES_KVP_H

#include "kext/services/daemon_port.h"
#include "kext/services/integration.h"

struct kvp {
    const struct daemon_port *port;
    uint64_t refused;           /* requests that the engine did not let through */
};

/* The service's row; the engine's context is a struct kvp. */
extern const struct integration_service kvp_service;

#endif
