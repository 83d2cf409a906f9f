/* SPDX-License-Identifier: BSD-3-Clause */
/* Backup (VSS): the host asks for a moment in which the disks are consistent. Freezing and thawing
 * is the daemon's, which also thaws by itself when the host does not come back in time.
 * Sources: Linux hv_snapshot and hv_vss_daemon, FreeBSD hv_vss. */
#ifndef KEXT_SERVICES_BACKUP_H
#define KEXT_SERVICES_BACKUP_H

#include "kext/services/daemon_port.h"
#include "kext/services/integration.h"

struct backup {
    const struct daemon_port *port;
    uint64_t freezes;           /* handed to the daemon */
    uint64_t thaws;
};

/* The service's row; the engine's context is a struct backup. */
extern const struct integration_service backup_service;

#endif
