/* SPDX-License-Identifier: BSD-3-Clause */
/* Which macOS this kernel pretends to be, and what it does differently for that.
 *
 * The one place for behaviour that depends on the release; a slot's occupant is the business of the
 * generated tables (abi/). */
#ifndef MACHV_XNU_LIBKERN_RELEASE_H
#define MACHV_XNU_LIBKERN_RELEASE_H

#include <stdbool.h>

/* Comparable numbers: 10.6.8 is 100608, 12.0.1 is 120001. */
#define RELEASE(major, minor, patch) ((major) * 10000u + (minor) * 100u + (patch))

enum {
    RELEASE_OLDEST = RELEASE(10, 6, 0),  /* first x86_64 kernel */
    RELEASE_DEFAULT = RELEASE(12, 5, 0),
};

struct release_behaviour {
    unsigned darwin;                    /* version_major of the kernel */
    unsigned configuration_threads;     /* most that match at one time */
    bool immutable_collections_panic;   /* else a line in the log */
    bool msix;                          /* 10.7: functions that have MSI-X use it */
    bool catalogue_by_class;            /* 10.9: personalities kept by provider class */
    bool resources_match_anything;      /* 10.9: IOResources driver without IOResourceMatch */
    bool will_terminate_notification;   /* 10.13: gIOWillTerminateNotification is delivered */
    bool resource_match_array;          /* 14: IOResourceMatch may be an array */
    bool gate_checks_work_loop;         /* 10.11: a command gate without work loop says NotReady */
    bool keyboard_event_device;         /* 10.12: a HID device stands between keyboard and system */
    bool panic_actions;                 /* 10.11: IOPlatformPanicAction */
    bool client_closes_once;            /* 10.11: a user client hears of one end only */
    bool client_locking;                /* 11: user clients have a lock around their methods */
    bool client_entitlements;           /* 13: IOUserClientEntitlements is asked for */
    bool first_processor_only;          /* 12: devices' interrupts for other processors are lost */
    bool host_bridge_class;             /* 12: a host bridge must be an IOPCIHostBridge */
};

/* Chooses the release by its name: "10.6.8", "11", "12.5". False: not a number, or older than 10.6.
 * Before xnu_libkern_start. */
bool release_select(const char *name);
void release_select_number(unsigned release);

/* The selected release, RELEASE_DEFAULT if none was. */
unsigned release_number(void);
/* What it does. */
const struct release_behaviour *release_behaviour(void);
/* Kernel version as version_major, version_minor, version_revision have it. */
void release_kernel_version(unsigned *major, unsigned *minor, unsigned *revision);

#endif
