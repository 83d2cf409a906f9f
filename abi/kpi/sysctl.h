/* SPDX-License-Identifier: BSD-3-Clause */
/* sysctl nodes.
 *
 * Source: xnu bsd/sys/sysctl.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/types.h"

struct sysctl_oid;
struct sysctl_req;
struct sysctl_oid_list {
    struct sysctl_oid *slh_first;
};

typedef int (*sysctl_handler)(struct sysctl_oid *oid, void *arg1, int arg2, struct sysctl_req *req);

struct sysctl_oid {
    struct sysctl_oid_list *oid_parent;
    struct sysctl_oid *oid_link;
    int oid_number;         /* OID_AUTO */
    int oid_kind;           /* CTLTYPE_* | CTLFLAG_*, with CTLFLAG_OID2 */
    void *oid_arg1;
    int oid_arg2;
    const char *oid_name;
    sysctl_handler oid_handler;
    const char *oid_fmt;
    const char *oid_descr;
    int oid_version;        /* 1 */
    int oid_refcnt;
};

extern struct sysctl_oid_list sysctl__children __asm("_sysctl__children");
extern struct sysctl_oid_list sysctl__kern_children __asm("_sysctl__kern_children");
extern struct sysctl_oid_list sysctl__debug_children __asm("_sysctl__debug_children");
extern struct sysctl_oid_list sysctl__machdep_children __asm("_sysctl__machdep_children");
extern struct sysctl_oid_list sysctl__vm_children __asm("_sysctl__vm_children");

/* Unregister before the module is unloaded. Handlers run on the thread of the process that asks. */
void sysctl_register_oid(struct sysctl_oid *oidp) __asm("_sysctl_register_oid");
void sysctl_unregister_oid(struct sysctl_oid *oidp) __asm("_sysctl_unregister_oid");
int sysctl_handle_int(struct sysctl_oid *oidp, void *arg1, int arg2, struct sysctl_req *req)
    __asm("_sysctl_handle_int");
int sysctl_handle_long(struct sysctl_oid *oidp, void *arg1, int arg2, struct sysctl_req *req)
    __asm("_sysctl_handle_long");
int sysctl_handle_quad(struct sysctl_oid *oidp, void *arg1, int arg2, struct sysctl_req *req)
    __asm("_sysctl_handle_quad");
int sysctl_handle_string(struct sysctl_oid *oidp, void *arg1, int arg2, struct sysctl_req *req)
    __asm("_sysctl_handle_string");
int sysctl_handle_opaque(struct sysctl_oid *oidp, void *arg1, int arg2, struct sysctl_req *req)
    __asm("_sysctl_handle_opaque");
int sysctlbyname(const char *name, void *old, size_t *old_size, void *new_value, size_t new_size)
    __asm("_sysctlbyname");
