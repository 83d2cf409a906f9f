/* SPDX-License-Identifier: BSD-3-Clause */
/* Between disk_nbd.c (commands) and disk_nbd_open.c (how it begins). */
#ifndef HOST_DISK_DISK_NBD_INTERNAL_H
#define HOST_DISK_DISK_NBD_INTERNAL_H

#include "host/disk/disk.h"
#include "host/disk/disk_engine.h"
#include "host/disk/disk_nbd.h"
#include "host/disk/qemu_nbd.h"

struct nbd_command;
struct nbd_handle;

struct nbd_disk {
    struct disk disk;
    struct nbd_handle *nbd;
    struct disk_engine_watch watch;
    bool watched;
    struct qemu_nbd child;
    bool can_flush, can_trim, can_zero, can_fua;
    struct nbd_command *starting; /* being handed to libnbd, and not done yet */
    struct nbd_command *to_flush; /* written, and waiting for their flush */
};

extern const struct disk_operations disk_nbd_operations;

/* The `ready` of an open disk's watch. */
void disk_nbd_socket_ready(struct disk_engine_watch *watch, uint32_t events);

#endif
