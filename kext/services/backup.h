/* SPDX-License-Identifier: BSD-3-Clause */
/* Backup (VSS): the host asks for a moment in which the disks are consistent. The daemon brings the
 * file systems to rest, and lets go by itself when the host does not come back in time; when it has
 * done that, and before the host hears of it, writes to the disks are held back here.
 * Sources: Linux hv_snapshot and hv_vss_daemon, FreeBSD hv_vss. */
#ifndef KEXT_SERVICES_BACKUP_H
#define KEXT_SERVICES_BACKUP_H

#include "kext/services/daemon_port.h"
#include "kext/services/integration.h"

/* Holds writes back. NULL functions: the disks are not ours to hold. */
struct backup_hold {
    void *context;
    bool (*begin)(void *context);       /* false: it cannot */
    bool (*end)(void *context);         /* false: it had ended before, by its limit */
};

struct backup {
    const struct daemon_port *port;
    struct backup_hold hold;
    uint8_t operation;          /* that the daemon has */
    bool holding;               /* begun and not ended by us */
    bool spoilt;                /* the thaw came after the end of the hold */
    uint64_t freezes;           /* handed to the daemon */
    uint64_t thaws;
};

/* The daemon's answer is about to go to the host: what the host shall see of it. */
uint32_t backup_answering(void *context, uint32_t status);
/* The daemon has gone, or we are going: writes go on. */
void backup_let_go(void *context);

/* The service's row; the engine's context is a struct backup. */
extern const struct integration_service backup_service;

#endif
