/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A DVD drive with its tray, as Hyper-V's virtual DVD-ROM: part of a SCSI target
 * (host/devices/scsi_target.h), whose commands begin here instead.
 *
 * A disc lies in the tray or not; the tray is closed or open, and locked if the guest wants it so.
 * The guest opens and closes it with START STOP UNIT, the host puts discs in and takes them out.
 *
 * Facts: OpenVMM scsidisk (scsidvd), Linux drivers/scsi/sr.c and drivers/cdrom/cdrom.c, MMC-3.
 */
#ifndef HOST_DEVICES_DVD_DRIVE_H
#define HOST_DEVICES_DVD_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/mmc.h"

enum { DVD_BLOCK_SIZE = MMC_BLOCK_SIZE };

struct scsi_action;
struct scsi_command;
struct scsi_target;

struct dvd_drive {
    bool has_disc;      /* in the tray, whether open or not */
    bool tray_open;
    bool locked;        /* PREVENT MEDIUM REMOVAL */
    bool disc_changed;  /* a unit attention waits to be told */
    bool eject_wanted;  /* by the host, while it is locked: the guest has been asked */
    uint8_t events;     /* not yet told: 1 << enum mmc_media_event */
};

/* Called by scsi_target_initialise() and scsi_target_begin(). */
void dvd_drive_initialise(struct scsi_target *target);
void dvd_drive_begin(struct scsi_target *target, const struct scsi_command *command,
                     struct scsi_action *action);

/* True if the guest can read: a disc in a closed tray. */
bool dvd_drive_is_ready(const struct scsi_target *target);

/* Puts a disc of block_count blocks into the tray, instead of one that lies there,
 * and closes it. */
void dvd_drive_insert(struct scsi_target *target, uint64_t block_count);

/* Takes the disc out, whatever the guest thinks of it. The tray stays as it is. */
void dvd_drive_remove(struct scsi_target *target);

/* Asks the guest to let go of the disc: it reads of it in the next event poll. */
void dvd_drive_ask_to_eject(struct scsi_target *target);

#endif
