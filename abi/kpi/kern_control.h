/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel controls: sockets between the kernel and root processes.
 *
 * Source: xnu bsd/sys/kern_control.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/types.h"

typedef void *kern_ctl_ref;

struct sockaddr_ctl {
    uint8_t sc_len;
    uint8_t sc_family;      /* AF_SYSTEM, 32 */
    uint16_t ss_sysaddr;    /* AF_SYS_CONTROL, 2 */
    uint32_t sc_id;
    uint32_t sc_unit;
    uint32_t sc_reserved[5];
};

typedef errno_t (*ctl_connect_func)(kern_ctl_ref ref, struct sockaddr_ctl *address,
                                    void **unit_info);
typedef errno_t (*ctl_disconnect_func)(kern_ctl_ref ref, uint32_t unit, void *unit_info);
/* The mbuf chain belongs to the callback, also on error. */
typedef errno_t (*ctl_send_func)(kern_ctl_ref ref, uint32_t unit, void *unit_info, mbuf_t packet,
                                 int flags);
typedef errno_t (*ctl_setopt_func)(kern_ctl_ref ref, uint32_t unit, void *unit_info, int option,
                                   void *data, size_t length);
typedef errno_t (*ctl_getopt_func)(kern_ctl_ref ref, uint32_t unit, void *unit_info, int option,
                                   void *data, size_t *length);

/* Newer kernels read fields behind the public ones (bind is called unless NULL, 10.13 and later),
 * so the structure is as large as theirs; leave the tail zero. */
struct kern_ctl_reg {
    char ctl_name[96];
    uint32_t ctl_id;        /* written back unless CTL_FLAG_REG_ID_UNIT */
    uint32_t ctl_unit;
    uint32_t ctl_flags;     /* CTL_FLAG_* */
    uint32_t ctl_sendsize;  /* bytes; 0 for the default */
    uint32_t ctl_recvsize;
    ctl_connect_func ctl_connect;
    ctl_disconnect_func ctl_disconnect;
    ctl_send_func ctl_send;
    ctl_setopt_func ctl_setopt;
    ctl_getopt_func ctl_getopt;
    void *newer_kernels[4];
};
#if !defined(__i386__)
_Static_assert(sizeof(struct kern_ctl_reg) == 192, "kern_ctl_reg");
_Static_assert(offsetof(struct kern_ctl_reg, ctl_connect) == 120, "kern_ctl_reg");
#endif

/* May block; never in interrupt context or with a spin lock. Errors: EINVAL, EEXIST, EBUSY
 * (deregister with sockets attached), ENOBUFS (no space; nothing was queued). */
errno_t ctl_register(struct kern_ctl_reg *userkctl, kern_ctl_ref *kctlref) __asm("_ctl_register");
errno_t ctl_deregister(kern_ctl_ref kctlref) __asm("_ctl_deregister");
/* Copies; without CTL_DATA_EOR messages that follow each other merge. */
errno_t ctl_enqueuedata(kern_ctl_ref kctlref, uint32_t unit, void *data, size_t len, uint32_t flags)
    __asm("_ctl_enqueuedata");
/* Takes the chain only on success. */
errno_t ctl_enqueuembuf(kern_ctl_ref kctlref, uint32_t unit, mbuf_t m, uint32_t flags)
    __asm("_ctl_enqueuembuf");
errno_t ctl_getenqueuespace(kern_ctl_ref kctlref, uint32_t unit, size_t *space)
    __asm("_ctl_getenqueuespace");
