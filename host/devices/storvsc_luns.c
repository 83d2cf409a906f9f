/* SPDX-License-Identifier: BSD-3-Clause */
/* The storage controller's LUNs: which disk is where, coming and going. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/storvsc_internal.h"
#include "host/disk/disk_faults.h"

uint8_t storvsc_spc_version(const struct storvsc *controller)
{
    return controller->settings.version_max < STORVSC_VERSION_6_2 ? SCSI_VERSION_SPC2
                                                                  : SCSI_VERSION_SPC3;
}

/* A name for the disk that stays the same from run to run: controller, LUN, and a constant. */
static void make_identity(const struct storvsc *controller, unsigned lun, uint8_t identity[16])
{
    memcpy(identity, &controller->settings.instance, 16);
    identity[0] ^= (uint8_t)(lun + 1);
    identity[15] ^= 0x5d;
}

int storvsc_add_disk(struct storvsc *controller, unsigned number, struct disk *disk)
{
    const struct disk_geometry *geometry = &disk->geometry;
    const struct scsi_target_settings settings = {
        .block_count = geometry->size / geometry->block_size,
        .block_size = geometry->block_size,
        .physical_block_size = geometry->physical_block_size,
        .transfer_bytes_max = controller->settings.transfer_bytes_max,
        .read_only = geometry->read_only,
        .unmap = geometry->can_discard && !geometry->read_only &&
                 controller->settings.version_max >= STORVSC_VERSION_5_1,
        .write_cache = true,
        .spc_version = storvsc_spc_version(controller),
    };
    return storvsc_add_lun(controller, number, disk, &settings);
}

int storvsc_add_lun(struct storvsc *controller, unsigned number, struct disk *disk,
                    const struct scsi_target_settings *settings)
{
    unsigned limit = controller->settings.kind == STORVSC_IDE_DISK ? 1 : STORVSC_LUNS_MAX;
    if (number >= limit) {
        return -ERANGE;
    }
    if (controller->luns[number] != NULL) {
        return -EEXIST;
    }
    struct storvsc_lun *lun = calloc(1, sizeof(*lun));
    if (lun == NULL) {
        return -ENOMEM;
    }
    lun->controller = controller;
    lun->number = number;
    lun->disk = disk;
    struct scsi_target_settings named = *settings;
    make_identity(controller, number, named.identity);
    int result = scsi_target_initialise(&lun->target, &named);
    if (result != 0) {
        free(lun);
        return result;
    }
    controller->luns[number] = lun;
    controller->event_wanted = true;
    return 0;
}

static void release_lun(struct storvsc_lun *lun)
{
    disk_close(lun->disk);
    disk_close(lun->retired);
    free(lun);
}

void storvsc_lun_request_ended(struct storvsc_lun *lun)
{
    lun->in_flight--;
    if (lun->removed && lun->in_flight == 0) {
        release_lun(lun);
    } else if (lun->target.settings.type == SCSI_TARGET_DVD_DRIVE) {
        storvsc_dvd_request_ended(lun);
    }
}

void storvsc_lun_release_held_back(const struct storvsc_lun *lun)
{
    struct disk *const disks[] = {lun->disk, lun->retired};
    for (unsigned i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
        if (disks[i] != NULL && disk_is_faulty(disks[i])) {
            disk_faults_release_lost(disks[i]);
        }
    }
}

static struct storvsc_lun *lun_at(const struct storvsc *controller, unsigned number)
{
    return number < STORVSC_LUNS_MAX ? controller->luns[number] : NULL;
}

bool storvsc_is_addressed(const struct storvsc *controller, const struct storvsc_srb *srb)
{
    if (controller->settings.kind == STORVSC_IDE_DISK) {
        return srb->target == controller->settings.ide_device;
    }
    return srb->path == 0 && srb->target == 0;
}

struct storvsc_lun *storvsc_addressed_lun(const struct storvsc *controller,
                                          const struct storvsc_srb *srb)
{
    return storvsc_is_addressed(controller, srb) ? lun_at(controller, srb->lun) : NULL;
}

bool storvsc_lun_is_taken(const struct storvsc *controller, unsigned number)
{
    return lun_at(controller, number) != NULL;
}

int storvsc_remove_disk(struct storvsc *controller, unsigned number)
{
    struct storvsc_lun *lun = lun_at(controller, number);
    if (lun == NULL) {
        return -ENOENT;
    }
    controller->luns[number] = NULL;
    controller->event_wanted = true;
    lun->removed = true;
    storvsc_lun_release_held_back(lun);
    if (lun->in_flight == 0) {
        release_lun(lun);
    }
    return 0;
}

int storvsc_disk_resized(struct storvsc *controller, unsigned number)
{
    struct storvsc_lun *lun = lun_at(controller, number);
    if (lun == NULL || lun->target.settings.type != SCSI_TARGET_DISK) {
        return -ENOENT;
    }
    const struct disk_geometry *geometry = &lun->disk->geometry;
    scsi_target_set_block_count(&lun->target, geometry->size / geometry->block_size);
    return 0;
}

struct disk *storvsc_disk(struct storvsc *controller, unsigned number)
{
    struct storvsc_lun *lun = lun_at(controller, number);
    return lun != NULL ? lun->disk : NULL;
}

int storvsc_set_disk_faults(struct storvsc *controller, unsigned number,
                            const struct disk_fault_settings *settings, uint64_t seed)
{
    struct storvsc_lun *lun = lun_at(controller, number);
    if (lun == NULL || lun->disk == NULL) {
        return -ENOENT;
    }
    if (disk_is_faulty(lun->disk)) {
        disk_faults_set(lun->disk, settings);
        return 0;
    }
    /* Requests that are with the disk below end there; the next ones go through the filter. */
    struct disk *filter = disk_faults_open(lun->disk, settings, seed);
    if (filter == NULL) {
        return -ENOMEM;
    }
    lun->disk = filter;
    return 0;
}

void storvsc_release_held_back(struct storvsc *controller)
{
    for (unsigned i = 0; i < STORVSC_LUNS_MAX; i++) {
        if (controller->luns[i] != NULL) {
            storvsc_lun_release_held_back(controller->luns[i]);
        }
    }
}

static void describe_disk(const struct disk *disk, struct json_object *object)
{
    json_object_object_add(object, "path", json_object_new_string(disk->name));
    json_object_object_add(object, "format", json_object_new_string(disk->format));
    json_object_object_add(object, "size", json_object_new_uint64(disk->geometry.size));
    json_object_object_add(object, "block_size",
                           json_object_new_int((int)disk->geometry.block_size));
    json_object_object_add(object, "read_only", json_object_new_boolean(disk->geometry.read_only));
    json_object_object_add(object, "bytes_read",
                           json_object_new_uint64(disk->counters.bytes_read));
    json_object_object_add(object, "bytes_written",
                           json_object_new_uint64(disk->counters.bytes_written));
    json_object_object_add(object, "bytes_copied",
                           json_object_new_uint64(disk->counters.bytes_copied));
    json_object_object_add(object, "flushes", json_object_new_uint64(disk->counters.flushes));
    json_object_object_add(object, "errors", json_object_new_uint64(disk->counters.errors));
}

static void describe_lun(const struct storvsc_lun *lun, struct json_object *luns)
{
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "lun", json_object_new_int((int)lun->number));
    json_object_object_add(object, "in_flight", json_object_new_int((int)lun->in_flight));
    if (lun->target.settings.type == SCSI_TARGET_DVD_DRIVE) {
        storvsc_describe_drive(lun, object);
    }
    if (lun->disk != NULL) {
        describe_disk(lun->disk, object);
    }
    json_object_array_add(luns, object);
}

struct json_object *storvsc_describe_luns(const struct storvsc *controller)
{
    struct json_object *luns = json_object_new_array();
    for (unsigned i = 0; i < STORVSC_LUNS_MAX; i++) {
        if (controller->luns[i] != NULL) {
            describe_lun(controller->luns[i], luns);
        }
    }
    return luns;
}
