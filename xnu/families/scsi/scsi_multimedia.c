/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi_multimedia.c - a drive with a tray: its medium becomes a block device when it is put in, and
 * goes when it is taken out.
 *
 * As on a Mac the drive is asked once a second, the tray is locked while the medium is in use, and
 * a wish to eject ends the use first. A drive that knows no media events is asked whether it is
 * ready; a medium that was changed between two looks is missed then. */
#include "xnu/families/scsi/scsi_disk.h"

#include "abi/kpi/vm.h"

#include "xnu/machine/clock.h"
#include "xnu/machine/memory.h"

enum { EVENTS_MAX = 8 };

#define POLL_INTERVAL UINT64_C(1000000000)

static void tell(struct scsi_disk *disk, struct scsi_cdb cdb)
{
    scsi_run(disk->target, disk->lun, cdb, kSCSIDataTransfer_NoDataTransfer, NULL, 0, NULL, NULL);
}

static bool is_ready(struct scsi_disk *disk)
{
    return scsi_run(disk->target, disk->lun, scsi_cdb_test_unit_ready(),
                    kSCSIDataTransfer_NoDataTransfer, NULL, 0, NULL, NULL);
}

static bool next_event(struct scsi_disk *disk, IOBufferMemoryDescriptor *buffer,
                       struct scsi_media_event *event)
{
    uint64_t size;

    return scsi_run(disk->target, disk->lun, scsi_cdb_media_event(),
                    kSCSIDataTransfer_FromTargetToInitiator, buffer, SCSI_MEDIA_EVENT_SIZE, &size,
                    NULL) &&
           scsi_parse_media_event(IOBufferMemoryDescriptor_getBytesNoCopy(buffer), size, event);
}

/* Everything that happened since the last look, in one; the state is that of now. */
static struct scsi_media_event look(struct scsi_disk *disk, IOBufferMemoryDescriptor *buffer)
{
    struct scsi_media_event all = { false }, one;

    for (unsigned i = 0; i < EVENTS_MAX; i++) {
        if (!next_event(disk, buffer, &one)) {
            all.medium_present = is_ready(disk);
            break;
        }
        all.removed |= one.removed;
        all.inserted |= one.inserted;
        all.eject_wanted |= one.eject_wanted;
        all.medium_present = one.medium_present;
        if (!one.removed && !one.inserted && !one.eject_wanted)
            break;
    }
    return all;
}

/* Does what the drive's state asks for. *in_use: there is a medium, and it has been looked at. */
static void follow(struct scsi_disk *disk, const struct scsi_media_event *event, bool *in_use)
{
    if (*in_use && (event->removed || event->inserted || !event->medium_present)) {
        scsi_disk_detach(disk);
        *in_use = false;
    }
    if (event->eject_wanted) {
        scsi_disk_detach(disk);
        tell(disk, scsi_cdb_prevent_removal(false));
        tell(disk, scsi_cdb_eject());
        *in_use = false;
    } else if (!*in_use && event->medium_present) {
        tell(disk, scsi_cdb_prevent_removal(true));
        scsi_disk_attach(disk);
        *in_use = true;
    }
}

static void wait(struct scsi_disk *disk)
{
    machine_wait_prepare(&disk->removed, machine_uptime() + POLL_INTERVAL, false);
    if (__atomic_load_n(&disk->removed, __ATOMIC_ACQUIRE))
        machine_wait_cancel();
    else
        machine_wait_block();
}

void scsi_multimedia_attend(struct scsi_disk *disk)
{
    IOBufferMemoryDescriptor *buffer = IOBufferMemoryDescriptor_inTaskWithOptions(
        kernel_task, kIODirectionIn, MACHINE_PAGE_SIZE, MACHINE_PAGE_SIZE);
    bool in_use = false;

    while (buffer && !__atomic_load_n(&disk->removed, __ATOMIC_ACQUIRE)) {
        struct scsi_media_event event = look(disk, buffer);
        follow(disk, &event, &in_use);
        wait(disk);
    }
    object_release(buffer);
}

void scsi_multimedia_wake(struct scsi_disk *disk)
{
    machine_wakeup(&disk->removed, false);
}
