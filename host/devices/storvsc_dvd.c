/* SPDX-License-Identifier: BSD-3-Clause */
/* DVD drives of the storage controller: discs that come and go while requests are in flight. */
#include <errno.h>
#include <json-c/json.h>

#include "host/devices/storvsc_internal.h"
#include "host/disk/disk_faults.h"

static uint64_t blocks_of(const struct disk *disc)
{
    return disc != NULL ? disc->geometry.size / DVD_BLOCK_SIZE : 0;
}

int storvsc_add_dvd_drive(struct storvsc *controller, unsigned number, struct disk *disc)
{
    const struct scsi_target_settings settings = {
        .type = SCSI_TARGET_DVD_DRIVE,
        .block_count = blocks_of(disc),
        .block_size = DVD_BLOCK_SIZE,
        .transfer_bytes_max = controller->settings.transfer_bytes_max,
        .read_only = true,
    };
    return disc != NULL && settings.block_count == 0
               ? -EINVAL
               : storvsc_add_lun(controller, number, disc, &settings);
}

bool storvsc_is_dvd_drive(const struct storvsc *controller, unsigned number)
{
    return number < STORVSC_LUNS_MAX && controller->luns[number] != NULL &&
           controller->luns[number]->target.settings.type == SCSI_TARGET_DVD_DRIVE;
}

/* Closes the disc that was taken out before, if its requests have ended. */
static void settle(struct storvsc_lun *lun)
{
    if (lun->retired != NULL && lun->retired->in_flight == 0) {
        disk_close(lun->retired);
        lun->retired = NULL;
    }
}

/* Takes the disc out of the LUN; `retired` is free. */
static void retire(struct storvsc_lun *lun)
{
    lun->retired = lun->disk;
    lun->disk = NULL;
    if (lun->retired != NULL && disk_is_faulty(lun->retired)) {
        disk_faults_release_lost(lun->retired);
    }
    settle(lun);
}

static bool is_locked(const struct storvsc_lun *lun)
{
    return lun->target.drive.locked && dvd_drive_is_ready(&lun->target);
}

int storvsc_insert_disc(struct storvsc *controller, unsigned number, struct disk *disc, bool force)
{
    if (!storvsc_is_dvd_drive(controller, number)) {
        return -ENOENT;
    }
    struct storvsc_lun *lun = controller->luns[number];
    if (blocks_of(disc) == 0) {
        return -EINVAL;
    }
    if (is_locked(lun) && !force) {
        dvd_drive_ask_to_eject(&lun->target);
        return -EBUSY;
    }
    settle(lun);
    if (lun->retired != NULL) {
        return -EAGAIN;
    }
    retire(lun);
    lun->disk = disc;
    dvd_drive_insert(&lun->target, blocks_of(disc));
    return 0;
}

int storvsc_eject_disc(struct storvsc *controller, unsigned number, bool force)
{
    if (!storvsc_is_dvd_drive(controller, number)) {
        return -ENOENT;
    }
    struct storvsc_lun *lun = controller->luns[number];
    if (lun->disk == NULL) {
        return -ENOMEDIUM;
    }
    if (is_locked(lun) && !force) {
        dvd_drive_ask_to_eject(&lun->target);
        return -EBUSY;
    }
    settle(lun);
    if (lun->retired != NULL) {
        return -EAGAIN;
    }
    dvd_drive_remove(&lun->target);
    retire(lun);
    return 0;
}

void storvsc_dvd_request_ended(struct storvsc_lun *lun)
{
    settle(lun);
    if (lun->target.drive.eject_wanted && lun->target.drive.tray_open && lun->retired == NULL) {
        dvd_drive_remove(&lun->target);
        retire(lun);
    }
}

void storvsc_describe_drive(const struct storvsc_lun *lun, struct json_object *object)
{
    const struct dvd_drive *drive = &lun->target.drive;
    json_object_object_add(object, "drive", json_object_new_string("dvd"));
    json_object_object_add(object, "tray",
                           json_object_new_string(drive->tray_open ? "open" : "closed"));
    json_object_object_add(object, "locked", json_object_new_boolean(drive->locked));
    json_object_object_add(object, "disc", json_object_new_boolean(drive->has_disc));
}
