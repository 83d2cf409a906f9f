/* SPDX-License-Identifier: BSD-3-Clause */
/* kern_control_private.h - tables shared by the driver's side and the process' side of controls. */
#ifndef XNU_BSD_KERN_CONTROL_PRIVATE_H
#define XNU_BSD_KERN_CONTROL_PRIVATE_H

#include "xnu/bsd/kern_control.h"
#include "xnu/machine/threads.h"

#include "abi/kpi/kern_control.h"
#include "abi/kpi/mbuf.h"

#ifndef EPROTOTYPE
#define EPROTOTYPE 41                /* macOS's number */
#endif

enum {
    CONTROL_SEND_SIZE = 2048,        /* defaults of the kernel */
    CONTROL_RECEIVE_SIZE = 8192,
};

struct control_record {
    struct control_record *next;
    size_t length;
    bool complete;                   /* EOR was given */
    uint8_t data[];
};

struct control_client {
    struct control_client *next;     /* of the same control */
    struct control *control;
    uint32_t unit;
    void *unit_info;
    bool connected;                  /* the driver's connect function has succeeded */
    struct control_record *first, *last;
    size_t queued;                   /* bytes in records */
    void (*notify)(void *context);
    void *notify_context;
    unsigned notifying;              /* calls of it under way */
};

struct control {
    struct control *next;
    struct kern_ctl_reg registration;
    uintptr_t handle;                /* what the driver holds; never reused */
    struct control_client *clients;
};

/* Guards everything above. Never held while a driver's function is called. */
extern struct machine_mutex *control_lock;
extern struct control *controls;

/* Called with the lock held. */
struct control *control_by_handle(kern_ctl_ref handle);
struct control_client *control_client_by_unit(struct control *control, uint32_t unit);

#endif
