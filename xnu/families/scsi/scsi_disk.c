/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi_disk.c - a disk becomes ready: TEST UNIT READY, MODE SENSE, READ CAPACITY, then a block
 * device. */
#include "xnu/families/scsi/scsi_disk.h"

#include "abi/kpi/vm.h"

#include "xnu/machine/clock.h"
#include "xnu/machine/log.h"
#include "xnu/machine/memory.h"

enum {
    READY_TRIES = 150,                   /* of 200 ms each */
    MODE_CACHING = 0x08,
    VPD_BLOCK_LIMITS = 0xB0,
    VPD_PROVISIONING = 0xB2,
    TRANSFER_DEFAULT = 1 << 20,          /* bytes of a command when the controller has no limit */
};

/* ---- life ----------------------------------------------------------------------------------- */

struct scsi_disk *scsi_disk_create(struct scsi_target *target, uint64_t lun,
                                   const struct scsi_identity *identity)
{
    struct scsi_disk *disk = machine_allocate_zeroed(sizeof *disk, 0);

    if (!disk)
        return NULL;
    disk->delay_call = thread_call_allocate(scsi_disk_delayed, disk);
    if (!disk->delay_call) {
        machine_release(disk, sizeof *disk);
        return NULL;
    }
    object_retain(target->nub);
    object_retain(target->controller);  /* whose lock and queues its requests use to the last */
    disk->target = target;
    disk->lun = lun;
    disk->identity = *identity;
    disk->references = 1;
    return disk;
}

void scsi_disk_retain(struct scsi_disk *disk)
{
    __atomic_fetch_add(&disk->references, 1, __ATOMIC_RELAXED);
}

void scsi_disk_release(struct scsi_disk *disk)
{
    if (__atomic_sub_fetch(&disk->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    thread_call_free(disk->delay_call);
    scsi_disk_free_ios(disk);
    object_release(disk->zeroes);
    IOSCSIParallelInterfaceController *controller = disk->target->controller;
    object_release(disk->target->nub);
    object_release(controller);
    machine_release(disk, sizeof *disk);
}

static void release_device(void *disk)
{
    scsi_disk_release(disk);
}

static const struct block_device_operations operations = {
    .submit = scsi_disk_submit, .look_again = scsi_disk_look_again, .release = release_device,
};

/* ---- learning about the disk ----------------------------------------------------------------- */

static bool ask(struct scsi_disk *disk, struct scsi_cdb cdb, IOBufferMemoryDescriptor *buffer,
                uint32_t length, uint64_t *realized)
{
    return scsi_run(disk->target, disk->lun, cdb, kSCSIDataTransfer_FromTargetToInitiator, buffer,
                    length, realized, NULL);
}

static bool wait_until_ready(struct scsi_disk *disk)
{
    enum scsi_sense_action sense;

    for (unsigned try = 0; try < READY_TRIES && !disk->removed; try++) {
        if (scsi_run(disk->target, disk->lun, scsi_cdb_test_unit_ready(),
                     kSCSIDataTransfer_NoDataTransfer, NULL, 0, NULL, &sense))
            return true;
        if (sense != SCSI_SENSE_WAIT && sense != SCSI_SENSE_RETRY)
            return false;
    }
    return false;
}

bool scsi_disk_read_capacity(struct scsi_disk *disk, IOBufferMemoryDescriptor *buffer,
                             struct scsi_capacity *capacity)
{
    const uint8_t *data = IOBufferMemoryDescriptor_getBytesNoCopy(buffer);
    struct scsi_capacity longer;
    uint64_t size;

    if (!ask(disk, scsi_cdb_read_capacity_10(), buffer, SCSI_CAPACITY_10_SIZE, &size) ||
        !scsi_parse_capacity_10(data, size, capacity))
        return false;
    /* The long form also tells the physical block size and whether UNMAP may work. */
    if (ask(disk, scsi_cdb_read_capacity_16(SCSI_CAPACITY_16_SIZE), buffer, SCSI_CAPACITY_16_SIZE,
            &size) && scsi_parse_capacity_16(data, size, &longer)) {
        *capacity = longer;
        return true;
    }
    return !capacity->too_large;
}

static void read_mode(struct scsi_disk *disk, IOBufferMemoryDescriptor *buffer)
{
    uint64_t size;

    if (ask(disk, scsi_cdb_mode_sense(MODE_CACHING, SCSI_MODE_SIZE), buffer, SCSI_MODE_SIZE, &size))
        scsi_parse_mode(IOBufferMemoryDescriptor_getBytesNoCopy(buffer), size, &disk->mode);
}

static void read_limits(struct scsi_disk *disk, IOBufferMemoryDescriptor *buffer)
{
    const uint8_t *data = IOBufferMemoryDescriptor_getBytesNoCopy(buffer);
    uint64_t size;

    if (!disk->capacity.provisioning)
        return;
    if (ask(disk, scsi_cdb_inquiry_page(VPD_BLOCK_LIMITS, SCSI_PAGE_SIZE_LIMIT), buffer,
            SCSI_PAGE_SIZE_LIMIT, &size))
        scsi_parse_block_limits(data, size, &disk->limits);
    if (ask(disk, scsi_cdb_inquiry_page(VPD_PROVISIONING, SCSI_PAGE_SIZE_LIMIT), buffer,
            SCSI_PAGE_SIZE_LIMIT, &size))
        disk->can_unmap_same = scsi_parse_provisioning(data, size);
}

/* ---- how much a command may move ------------------------------------------------------------- */

static uint64_t constraint(const struct scsi_disk *disk, const char *key)
{
    OSDictionary *constraints = controller_private(disk->target->controller)->constraints;
    OSNumber *number = as_number(OSDictionary_getObject_cstring(constraints, key));

    return number ? OSNumber_unsigned64BitValue(number) : 0;
}

static void limit(uint64_t *bytes, uint64_t most)
{
    if (most != 0 && most < *bytes)
        *bytes = most;
}

/* Memory may be one page a segment in the worst case, and need not begin on a page. */
static uint64_t segments_limit(const struct scsi_disk *disk, const char *count_key,
                               const char *size_key)
{
    uint64_t count = constraint(disk, count_key), size = constraint(disk, size_key);

    if (count == 0)
        return 0;
    if (size == 0 || size > MACHINE_PAGE_SIZE)
        size = MACHINE_PAGE_SIZE;
    return count > 1 ? (count - 1) * size : size;
}

static uint32_t transfer_blocks(const struct scsi_disk *disk)
{
    uint32_t block_size = disk->capacity.block_size;
    uint64_t bytes = TRANSFER_DEFAULT;
    struct SCSIParallelTask *task = controller_private(disk->target->controller)->all_tasks[0];

    limit(&bytes, constraint(disk, kIOMaximumByteCountReadKey));
    limit(&bytes, constraint(disk, kIOMaximumByteCountWriteKey));
    limit(&bytes, constraint(disk, kIOMaximumBlockCountReadKey) * block_size);
    limit(&bytes, constraint(disk, kIOMaximumBlockCountWriteKey) * block_size);
    limit(&bytes, segments_limit(disk, kIOMaximumSegmentCountReadKey,
                                 kIOMaximumSegmentByteCountReadKey));
    limit(&bytes, segments_limit(disk, kIOMaximumSegmentCountWriteKey,
                                 kIOMaximumSegmentByteCountWriteKey));
    limit(&bytes, task->dma->fMaxTransferSize);
    return bytes < block_size ? 1 : (uint32_t)(bytes / block_size);
}

static struct block_device_information information(const struct scsi_disk *disk)
{
    struct block_device_information result = {
        .size = disk->capacity.blocks * disk->capacity.block_size,
        .block_size = disk->capacity.block_size,
        .physical_block_size = disk->capacity.physical_block_size,
        .read_only = disk->mode.write_protected || disk->identity.type == SCSI_TYPE_CD,
        .removable = disk->identity.removable,
        .has_cache = disk->mode.write_cache,
        .can_discard = disk->capacity.provisioning && disk->limits.unmap_blocks != 0,
        .can_write_zeroes = disk->zeroes != NULL,
        .queue_depth = disk->target->depth,
    };

    __builtin_memcpy(result.vendor, disk->identity.vendor, sizeof result.vendor);
    __builtin_memcpy(result.product, disk->identity.product, sizeof result.product);
    return result;
}

static void make_zeroes(struct scsi_disk *disk)
{
    if (!disk->capacity.provisioning || disk->limits.write_same_blocks == 0)
        return;
    disk->zeroes = IOBufferMemoryDescriptor_inTaskWithOptions(
        kernel_task, kIODirectionOut, disk->capacity.block_size, MACHINE_PAGE_SIZE);
}

/* ---- publishing ----------------------------------------------------------------------------- */

/* Whoever removes the disk finds the device in it before anybody else can see the device. */
static void publish(struct scsi_disk *disk)
{
    struct block_device_information about = information(disk);
    struct machine_spin_lock *lock = &controller_private(disk->target->controller)->lock;

    scsi_disk_retain(disk);              /* the block device's */
    struct block_device *device = block_device_create(&about, &operations, disk);
    if (!device) {
        scsi_disk_release(disk);
        return;
    }
    block_device_retain(device);
    bool enabled = machine_spin_lock_disable_interrupts(lock);
    bool removed = disk->removed;
    if (!removed)
        disk->device = device;
    machine_spin_unlock_restore_interrupts(lock, enabled);
    if (removed)
        block_device_release(device);
    else
        block_device_publish(device, (IOService *)disk->target->nub);
    block_device_release(device);
}

void scsi_disk_detach(struct scsi_disk *disk)
{
    struct machine_spin_lock *lock = &controller_private(disk->target->controller)->lock;
    bool enabled = machine_spin_lock_disable_interrupts(lock);
    struct block_device *device = disk->device;

    disk->device = NULL;
    machine_spin_unlock_restore_interrupts(lock, enabled);
    if (device)
        block_device_retract(device);
}

void scsi_disk_attach(struct scsi_disk *disk)
{
    IOBufferMemoryDescriptor *buffer = IOBufferMemoryDescriptor_inTaskWithOptions(
        kernel_task, kIODirectionIn, MACHINE_PAGE_SIZE, MACHINE_PAGE_SIZE);

    if (!buffer)
        return;
    if (!wait_until_ready(disk) || !scsi_disk_read_capacity(disk, buffer, &disk->capacity)) {
        machine_log("SCSI target %llu unit %llu (%s %s): no medium, or its capacity cannot be read",
                    (unsigned long long)disk->target->id, (unsigned long long)disk->lun,
                    disk->identity.vendor, disk->identity.product);
    } else {
        read_mode(disk, buffer);
        read_limits(disk, buffer);
        make_zeroes(disk);
        disk->transfer_blocks = transfer_blocks(disk);
        publish(disk);
    }
    object_release(buffer);
}
