/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of IOService share: the private state of a service and the steps that call each
 * other.
 *
 * One lock, service_lock, protects the states, busy counts, notifiers and queues of all
 * services. It is recursive and is never held while a driver or a notification handler runs, nor
 * while properties are read. Order: service_lock before registry_lock. Source of the rules: xnu
 * iokit/Kernel/IOService.cpp. */
#ifndef MACHV_XNU_IOKIT_SERVICE_H
#define MACHV_XNU_IOKIT_SERVICE_H

#include "abi/IONotifier.h"
#include "abi/IOService.h"

#include "xnu/iokit/registry.h"
#include "xnu/iokit/symbols.h"
#include "xnu/libkern/object.h"

/* Bits of service_private.flags, which drivers cannot see (getState gives those of __state[0]). */
enum service_flags {
    SERVICE_NEEDS_CONFIGURATION = 1 << 0, /* registered again: one more matching pass */
    SERVICE_CONFIGURING = 1 << 1,         /* a thread is matching it */
    SERVICE_SYNCHRONOUS = 1 << 2,         /* registered synchronously */
    SERVICE_STARTING = 1 << 3,            /* inside its start() */
    SERVICE_RECURSING = 1 << 4,           /* its terminate() went through to IOService */
    SERVICE_PHASE2 = 1 << 5,              /* its clients have been told willTerminate */
    SERVICE_PHASE3 = 1 << 6,              /* ... and didTerminate */
    SERVICE_FINALIZED = 1 << 7,           /* queued for finalize, once */
    SERVICE_TERMINATION_BUSY = 1 << 8,    /* holds the busy count of phase 1 */
    SERVICE_PHASE1 = 1 << 9,              /* phase 1 of what it goes with is not over */
};

/* One provider of a service, made by attach. Waits in the stop queue when its turn comes. */
struct attachment {
    struct attachment *next;      /* of the same client */
    IOService *client, *provider; /* not retained: the registry does while they are attached */
    struct attachment *queue_next;
    bool queued;
};

struct interest;

struct service_private {
    unsigned flags;
    unsigned busy;                  /* own reasons and one for each busy client */
    struct machine_thread *arbiter; /* holds the arbitration lock */
    unsigned arbiter_depth;
    struct attachment *attachments;
    struct interest *interests;
    IOService *phase2_next, *finalize_next; /* queues of the termination */
    IOService *did_next;            /* victims of one phase 1, then of one phase 2 */
    bool phase2_queued;
    uint32_t terminate_options;
    struct service_power *power;
};

extern struct kernel_lock service_lock;

static inline struct service_private *service_private(const IOService *service)
{
    return (struct service_private *)service->reserved;
}

static inline bool service_inactive(const IOService *service)
{
    return service->__state[0] & kIOServiceInactiveState;
}

static inline IORegistryEntry *entry_of(const void *service)
{
    return (IORegistryEntry *)service;
}

/* IOService_state.c */
/* Adds to the busy count and, on each edge between 0 and 1, to that of the provider, and so on. */
void service_adjust_busy(IOService *me, int delta);
bool service_has_clients(const IOService *me);
/* Clients or providers at this moment, +1, never NULL unless memory is out. */
OSArray *service_copy_clients(const IOService *me);
OSArray *service_copy_providers(const IOService *me);

/* IOService_matching.c */
/* Whether the service fits a matching dictionary or personality. With `changes` the dictionary gets
 * IONameMatched and the family's IOProbeScore. */
bool service_matches(IOService *me, OSDictionary *table, bool changes);

/* IOService_configuration.c */
/* Waits until no matching job is queued or running; true when it got that far before the
 * deadline. */
bool service_configuration_idle(uint64_t deadline);
void service_configuration_stop(void);

/* IOService_notifications.c */
/* Sets and clears state bits and tells those who asked for notifications of the type. `set` and
 * `keep` work on __state[0]; nothing happens for an inactive service unless the type is about
 * termination. */
void service_deliver(IOService *me, const OSSymbol *type, uint32_t set, uint32_t keep);

/* IOService_interest.c */
/* Sends kIOMessageServiceBusyStateChange to those interested. */
void service_busy_changed(IOService *me, unsigned busy);
void service_drop_interests(IOService *me);

/* IOService_termination.c */
void service_schedule_phase2(IOService *me, uint32_t options);
void service_schedule_finalize(IOService *me);
void service_schedule_stop(IOService *client, IOService *provider);
bool service_termination_idle(void);
void service_termination_stop(void);

/* IOService_power.c */
void service_power_free(IOService *me);
/* The power of a service's domain comes or goes: takes it to the state that it asked for, or to the
 * highest that needs no power, and waits until it is there. */
void service_power_domain(IOService *me, bool on);

#endif
