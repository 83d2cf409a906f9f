/* SPDX-License-Identifier: BSD-3-Clause */
/* Time synchronisation: the host says what time it is. What it said is kept with the reference time
 * at which it was true, so that a daemon which comes later hears the right time of then.
 * Sources: Linux hv_util, OpenVMM hyperv_ic. */
#ifndef KEXT_SERVICES_TIME_SYNC_H
#define KEXT_SERVICES_TIME_SYNC_H

#include "kext/services/daemon_port.h"
#include "kext/services/integration.h"
#include "protocol/service_control.h"

/* Times outside are taken for a broken host clock and refused: no machine that runs macOS is older
 * than 2001-01-01, and dates behind 2200-01-01 break software on the guest. */
#define TIME_SYNC_EARLIEST UINT64_C(126227808000000000)
#define TIME_SYNC_LATEST   UINT64_C(189025920000000000)

/* The host's reading of the reference time and ours need not agree to the last microsecond. */
#define TIME_SYNC_REFERENCE_SLACK UINT64_C(10000000)    /* 1 s */

struct time_sync {
    const struct daemon_port *port;
    uint64_t (*reference_now)(void *context);   /* partition reference time, 100 ns */
    void *reference_context;
    bool known;                     /* the host has said a time */
    uint64_t host_time;             /* 100 ns since 1601 ... */
    uint64_t reference_time;        /* ... when the reference time was this */
    uint8_t leap;
    uint8_t stratum;
    uint64_t syncs, samples;        /* taken from the host */
    uint64_t refused;               /* impossible times */
};

/* The service's row; the engine's context is a struct time_sync. */
extern const struct integration_service time_sync_service;

/* A daemon has come: it is told the time at once, if it is known. */
void time_sync_daemon_ready(void *context);

#endif
