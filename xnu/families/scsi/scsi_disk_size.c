/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi_disk_size.c - a disk that grows or shrinks while it is in use.
 *
 * As on a Mac the disk is not asked by itself: its driver says that something has changed
 * (kIOMessageMediaParametersHaveChanged), then its capacity is read on a thread of its own, because
 * whoever tells may be the one that commands need. */
#include "xnu/families/scsi/scsi_disk.h"

#include "abi/kpi/vm.h"

#include "xnu/machine/log.h"
#include "xnu/machine/memory.h"

enum { NOT_LOOKING, LOOKING, LOOK_ONCE_MORE };

/* True: the caller is to look. Otherwise whoever looks now does it once more. */
static bool begin_look(struct scsi_disk *disk)
{
    uint8_t state = NOT_LOOKING, next;

    do
        next = state == NOT_LOOKING ? LOOKING : LOOK_ONCE_MORE;
    while (!__atomic_compare_exchange_n(&disk->looking, &state, next, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE));
    return next == LOOKING;
}

/* False: something has changed meanwhile. */
static bool end_look(struct scsi_disk *disk)
{
    uint8_t state = LOOKING;

    if (__atomic_compare_exchange_n(&disk->looking, &state, NOT_LOOKING, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return true;
    __atomic_store_n(&disk->looking, LOOKING, __ATOMIC_RELEASE);
    return false;
}

static struct block_device *copy_device(struct scsi_disk *disk)
{
    struct machine_spin_lock *lock = &controller_private(disk->target->controller)->lock;
    bool enabled = machine_spin_lock_disable_interrupts(lock);
    struct block_device *device = disk->device;

    if (device)
        block_device_retain(device);
    machine_spin_unlock_restore_interrupts(lock, enabled);
    return device;
}

/* Commands under way count in blocks: with blocks of another size it is another disk. */
static void take_over(struct scsi_disk *disk, const struct scsi_capacity *capacity)
{
    struct block_device *device = copy_device(disk);

    if (!device)
        return;
    if (capacity->block_size == disk->capacity.block_size) {
        block_device_set_size(device, capacity->blocks * capacity->block_size);
    } else {
        machine_log("%s has blocks of %u bytes now instead of %u: taken away", device->name,
                    capacity->block_size, disk->capacity.block_size);
        scsi_disk_detach(disk);
    }
    block_device_release(device);
}

static void look(struct scsi_disk *disk)
{
    struct scsi_capacity capacity;
    IOBufferMemoryDescriptor *buffer = IOBufferMemoryDescriptor_inTaskWithOptions(
        kernel_task, kIODirectionIn, MACHINE_PAGE_SIZE, MACHINE_PAGE_SIZE);

    do {
        if (buffer && scsi_disk_read_capacity(disk, buffer, &capacity))
            take_over(disk, &capacity);
        else
            machine_log("SCSI target %llu unit %llu: its new capacity cannot be read",
                        (unsigned long long)disk->target->id, (unsigned long long)disk->lun);
    } while (!end_look(disk));
    object_release(buffer);
}

void scsi_disk_look_again(void *parameter)
{
    struct scsi_disk *disk = parameter;

    if (begin_look(disk) && !scsi_disk_start_thread(disk, "disk size", look))
        __atomic_store_n(&disk->looking, NOT_LOOKING, __ATOMIC_RELEASE);
}
