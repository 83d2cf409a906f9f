/* SPDX-License-Identifier: BSD-3-Clause */
/* A service that has a daemon: the channel to the host, the kernel control to the daemon, and the
 * time-out between them. A class begins with struct daemon_service_object and calls start and stop.
 *
 * Everything runs in the gate of the channel's work loop: the host's messages, the daemon's (on the
 * daemon's own thread) and the time-out. A request that no daemon answers in time, because there is
 * none, or it died, is slow or asleep, is answered with a failure; nothing waits for a daemon. */
#ifndef KEXT_SERVICES_DAEMON_SERVICE_H
#define KEXT_SERVICES_DAEMON_SERVICE_H

#include "abi/IOService.h"
#include "abi/IOTimerEventSource.h"
#include "abi/kpi/kern_control.h"
#include "abi/kpi/locks.h"
#include "abi/kpi/threads.h"
#include "kext/services/daemon_link.h"
#include "kext/services/daemon_port.h"
#include "kext/services/integration_channel.h"

struct daemon_service;

struct daemon_service_description {
    const char *class_name;             /* for the log */
    const char *off_switch;             /* boot argument that keeps the service out */
    const char *control_name;           /* SERVICE_CONTROL_* */
    const struct integration_service *service;
    uint32_t ring_pages;                /* of data, each way */
    uint32_t message_maximum;           /* largest message of the host, header included */
    uint32_t queue_maximum;             /* largest messages that may wait for the daemon; 0: 4 */
    uint32_t timeout_ms;                /* for one request to the daemon */
    uint32_t timeout_status;            /* IC_STATUS_* when that is over */
    /* In the gate; each may be NULL. */
    void (*daemon_ready)(void *context);
    void (*daemon_gone)(void *context);
    /* An answer of the daemon's, or for it, is about to go to the host: returns the status that the
     * host shall see. */
    uint32_t (*answering)(void *context, uint32_t status);
    /* The answer to a request of the daemon's has been sent to the host. */
    void (*answered)(void *context, uint32_t status);
};

/* Fields are private to daemon_service.c; `port` is for the engine. */
struct daemon_service {
    const struct daemon_service_description *description;
    struct integration_channel integration;
    struct daemon_link link;
    struct daemon_port port;
    IOService *owner;
    IOWorkLoop *work_loop;              /* the channel's, retained */
    IOTimerEventSource *timer;
    IOLock *lock;                       /* guards `closing` and the wait for the client */
    bool closing;
    bool deaf;                          /* in the gate: the channel is being closed */
    kern_ctl_ref control;               /* NULL: could not be registered */
    uint32_t unit;                      /* of the client */
    uint8_t *daemon_message;            /* message from or to the daemon, in the gate */
    uint64_t daemon_lost_count;
};

/* How every class with a daemon begins. */
struct daemon_service_object {
    IOService super;
    struct daemon_service daemon;
};

/* From the class's start: super's start, channel, control, registerService. `context` is the
 * engine's. Undoes everything and returns false if there is no channel to be had, or the boot
 * arguments forbid it; without a control the service runs as if its daemon never came. */
bool daemon_service_start(struct daemon_service_object *object, IOService *provider,
                          const struct daemon_service_description *description, void *context);

/* From the class's stop. Blocks until the daemon has let go, at most a few seconds; the object of
 * a service whose daemon does not is kept for good, because the kernel may still call it. */
void daemon_service_stop(struct daemon_service_object *object, IOService *provider);

#endif
