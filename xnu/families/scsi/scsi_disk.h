/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi_disk.h - a logical unit that is a disk, from its first command to the block device. */
#ifndef XNU_FAMILIES_SCSI_DISK_H
#define XNU_FAMILIES_SCSI_DISK_H

#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/kpi/threads.h"

#include "xnu/families/block_device.h"
#include "xnu/families/scsi/scsi_commands.h"
#include "xnu/families/scsi/scsi_private.h"

struct disk_io;

struct scsi_disk {
    struct scsi_disk *next;              /* of the same target */
    struct scsi_target *target;          /* its nub is retained */
    uint64_t lun;
    struct scsi_identity identity;
    struct scsi_capacity capacity;
    struct scsi_mode mode;
    struct scsi_limits limits;
    bool can_unmap_same;                 /* WRITE SAME may deallocate */
    uint32_t transfer_blocks;            /* most blocks of one command */
    IOBufferMemoryDescriptor *zeroes;    /* one block, for WRITE SAME */
    struct block_device *device;
    bool removed;
    uint32_t references;
    struct machine_spin_lock lock;       /* guards the two lists */
    struct disk_io *free_ios;
    struct disk_io *delayed;
    thread_call_t delay_call;
    uint8_t looking;                     /* for its size: enum in scsi_disk_size.c */
};

/* Runs one command and waits for its end, repeating it as its sense data ask for. `memory` may be
 * NULL. Returns true when the device did it; *sense (may be NULL) says what it said at last. */
bool scsi_run(struct scsi_target *target, uint64_t lun, struct scsi_cdb cdb, uint8_t direction,
              IOBufferMemoryDescriptor *memory, uint32_t length, uint64_t *realized,
              enum scsi_sense_action *sense);

/* A disk with one reference, or NULL. */
struct scsi_disk *scsi_disk_create(struct scsi_target *target, uint64_t lun,
                                   const struct scsi_identity *identity);
void scsi_disk_retain(struct scsi_disk *disk);
void scsi_disk_release(struct scsi_disk *disk);

/* Runs `body(disk)` on a thread of its own, which the controller waits for when it stops. False: no
 * thread could be had. */
bool scsi_disk_start_thread(struct scsi_disk *disk, const char *name,
                            void (*body)(struct scsi_disk *disk));

/* Waits until the disk is ready, learns its size and publishes it; on the calling thread. */
void scsi_disk_attach(struct scsi_disk *disk);
/* Asks for the capacity, with a buffer of a page. False: it cannot be read. */
bool scsi_disk_read_capacity(struct scsi_disk *disk, IOBufferMemoryDescriptor *buffer,
                             struct scsi_capacity *capacity);
/* The look_again function of its block device (scsi_disk_size.c). */
void scsi_disk_look_again(void *disk);
/* Takes its block device away: the medium, or the whole disk, is gone. */
void scsi_disk_detach(struct scsi_disk *disk);

/* Looks after a drive whose medium comes and goes, until it is removed; on the calling thread. */
void scsi_multimedia_attend(struct scsi_disk *disk);
/* Ends that soon; call with `removed` set. */
void scsi_multimedia_wake(struct scsi_disk *disk);

/* The submit function of its block device (scsi_disk_io.c). */
void scsi_disk_submit(void *disk, struct block_request *request);
void scsi_disk_delayed(void *disk, void *unused);
void scsi_disk_free_ios(struct scsi_disk *disk);

#endif
