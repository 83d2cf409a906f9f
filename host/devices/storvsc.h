/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The synthetic SCSI controller (and, the same with other addresses, the accelerated IDE disk of
 * generation 1): up to 64 LUNs, disks and DVD drives, moved without a copy between disk and guest
 * memory.
 *
 * Requests of all channels and LUNs run independently: a slow disk delays no other.
 */
#ifndef HOST_DEVICES_STORVSC_H
#define HOST_DEVICES_STORVSC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/devices/virtual_device.h"
#include "protocol/storvsc.h"
#include "protocol/wire.h"

struct disk;
struct storvsc;

enum storvsc_kind { STORVSC_SCSI_CONTROLLER, STORVSC_IDE_DISK };

/* Faults of the controller itself, per million SRBs; those of disks are host/disk/disk_faults.h. */
struct storvsc_faults {
    uint32_t busy_ppm;           /* SRB status busy, nothing done */
    uint32_t internal_error_ppm; /* SRB status 0x30, nothing done */
    uint32_t invalid_lun_ppm;    /* SRB status 0x20, as if the disk had gone */
    uint32_t no_autosense_ppm;   /* check condition without its sense */
    uint32_t sense_ppm;          /* check condition with this sense, nothing done: */
    uint8_t sense_key;
    uint16_t sense_additional;   /* code << 8 | qualifier */
};

struct storvsc_settings {
    enum storvsc_kind kind;
    struct guid instance;         /* ignored for IDE: made of channel and device */
    uint8_t ide_channel;          /* 0, 1 */
    uint8_t ide_device;           /* 0, 1 */
    uint32_t order;               /* among the controllers of a machine */
    uint16_t version_max;         /* STORVSC_VERSION_* */
    uint16_t sub_channels_max;
    uint32_t transfer_bytes_max;  /* multiple of 4096 */
    bool echo_address;            /* completions give address and direction back */
    uint64_t seed;                /* of the faults */
};

/* Defaults for a controller of this protocol version: 256 KiB before 5.1, 2 MiB from then on. */
void storvsc_default_settings(uint16_t version_max, struct storvsc_settings *settings);

/* Returns NULL when memory is short or a setting is out of range. */
struct storvsc *storvsc_new(const struct storvsc_settings *settings);

struct virtual_device *storvsc_device(struct storvsc *controller);

/*
 * Puts a disk at a LUN; the guest is told. The controller owns the disk from then on. Returns 0,
 * -ERANGE (LUN 0..63; 0 for IDE), -EEXIST (one is there, or is still on its way out) or -ENOMEM;
 * on failure the disk stays the caller's.
 */
int storvsc_add_disk(struct storvsc *controller, unsigned lun, struct disk *disk);

/* Takes a disk or drive away; it is closed when its last request has ended. 0 or -ENOENT. */
int storvsc_remove_disk(struct storvsc *controller, unsigned lun);

/* True if there is a disk or drive at the LUN. */
bool storvsc_lun_is_taken(const struct storvsc *controller, unsigned lun);

/*
 * Puts a DVD drive at a LUN, with the disc `disc` in it or, if that is NULL, empty. Ownership and
 * errors as of storvsc_add_disk().
 */
int storvsc_add_dvd_drive(struct storvsc *controller, unsigned lun, struct disk *disc);

/* True if there is a DVD drive at the LUN. */
bool storvsc_is_dvd_drive(const struct storvsc *controller, unsigned lun);

/*
 * Puts a disc into the drive, instead of one that is there, and closes the tray. The controller
 * owns it from then on. Returns 0; -ENOENT no drive there; -EBUSY the guest has locked the tray
 * with another disc in it, which it is asked to eject, and `force` is not set; -EAGAIN the disc
 * before the last still has requests in flight; -EINVAL less than one block of 2048 bytes. On
 * failure the disc stays the caller's.
 */
int storvsc_insert_disc(struct storvsc *controller, unsigned lun, struct disk *disc, bool force);

/*
 * Takes the disc out. If the guest has locked the tray, it is asked to eject instead and the disc
 * taken when it does: -EBUSY, unless `force` is set. Also -ENOENT, -EAGAIN as above, -ENOMEDIUM.
 */
int storvsc_eject_disc(struct storvsc *controller, unsigned lun, bool force);

/* The disk's size has changed: the guest gets a unit attention. Returns 0 or -ENOENT. */
int storvsc_disk_resized(struct storvsc *controller, unsigned lun);

/* The disk at a LUN, or the disc in the drive there, or NULL. */
struct disk *storvsc_disk(struct storvsc *controller, unsigned lun);

void storvsc_set_faults(struct storvsc *controller, const struct storvsc_faults *faults);
void storvsc_get_faults(const struct storvsc *controller, struct storvsc_faults *faults);

/*
 * Sets the faults of the disk at a LUN, putting a filter in front of it if it has none yet.
 * Returns 0, -ENOENT or -ENOMEM.
 */
struct disk_fault_settings;
int storvsc_set_disk_faults(struct storvsc *controller, unsigned lun,
                            const struct disk_fault_settings *settings, uint64_t seed);

/* Requests that the guest has sent and not had back. */
unsigned storvsc_in_flight(const struct storvsc *controller);

#endif
