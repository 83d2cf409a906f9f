/* SPDX-License-Identifier: BSD-3-Clause */
/* The shutdown service: the host asks for an orderly end or a restart. The daemon is asked whether
 * it can, the host is told, and only then the daemon is told to do it, so that the answer gets out.
 * Sources: Linux hv_util, OpenVMM hyperv_ic, Windows symbols. */
#ifndef KEXT_SERVICES_SHUTDOWN_H
#define KEXT_SERVICES_SHUTDOWN_H

#include "kext/services/daemon_port.h"
#include "kext/services/integration.h"

struct shutdown {
    const struct daemon_port *port;
    bool in_progress;                       /* the host was told "yes" */
    uint8_t request[IC_SHUTDOWN_SIZE_MINIMUM];  /* reason, time-out, flags of what was asked */
};

/* The service's row; the engine's context is a struct shutdown. */
extern const struct integration_service shutdown_service;

/* The host has been told `status`. */
void shutdown_answered(void *context, uint32_t status);
/* A daemon has come (again): whatever was in progress did not happen. */
void shutdown_daemon_ready(void *context);

#endif
