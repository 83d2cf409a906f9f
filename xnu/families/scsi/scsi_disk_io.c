/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi_disk_io.c - block requests become SCSI commands; errors are repeated or told. */
#include "xnu/families/scsi/scsi_disk.h"

#include "abi/constants/errno.h"
#include "abi/kpi/vm.h"

#include "xnu/machine/clock.h"
#include "xnu/machine/memory.h"

enum { RETRIES_MAX = 8, TIMEOUT_MS = 30000, FLUSH_TIMEOUT_MS = 60000 };

#define DELAY (UINT64_C(200) * 1000000)

/* One command of a request. */
struct disk_io {
    struct scsi_command command;
    struct scsi_disk *disk;
    struct block_request *request;
    IOBufferMemoryDescriptor *list;      /* of an UNMAP */
    unsigned retries;
    struct disk_io *next;
};

static struct disk_io *io_get(struct scsi_disk *disk)
{
    bool enabled = machine_spin_lock_disable_interrupts(&disk->lock);
    struct disk_io *io = disk->free_ios;

    if (io)
        disk->free_ios = io->next;
    machine_spin_unlock_restore_interrupts(&disk->lock, enabled);
    if (!io)
        io = machine_allocate(sizeof *io, 0);
    return io;
}

static void io_put(struct disk_io *io)
{
    struct scsi_disk *disk = io->disk;

    object_release_clear(&io->list);
    bool enabled = machine_spin_lock_disable_interrupts(&disk->lock);
    io->next = disk->free_ios;
    disk->free_ios = io;
    machine_spin_unlock_restore_interrupts(&disk->lock, enabled);
}

void scsi_disk_free_ios(struct scsi_disk *disk)
{
    while (disk->free_ios) {
        struct disk_io *io = disk->free_ios;
        disk->free_ios = io->next;
        machine_release(io, sizeof *io);
    }
}

/* ---- the end of a request -------------------------------------------------------------------- */

static void submit_flush(struct scsi_disk *disk, struct block_request *request);

static bool needs_flush(const struct scsi_disk *disk, const struct block_request *request)
{
    return request->fua && request->error == 0 && disk->mode.write_cache &&
           (request->operation == BLOCK_WRITE_ZEROES ||
            (request->operation == BLOCK_WRITE && !disk->mode.fua));
}

/* One part is done; the last one ends the request, after a flush if it has to be stable and the
 * disk could not be told so. */
static void part_done(struct scsi_disk *disk, struct block_request *request, int error)
{
    int none = 0;

    if (error != 0)
        __atomic_compare_exchange_n(&request->error, &none, error, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED);
    if (__atomic_sub_fetch(&request->pending, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    if (needs_flush(disk, request)) {
        request->fua = false;
        submit_flush(disk, request);
        return;
    }
    request->done(request);
}

static int error_of(const struct scsi_command *command, enum scsi_sense_action sense)
{
    switch (command->status) {
    case kSCSITaskStatus_CHECK_CONDITION:
        return sense == SCSI_SENSE_NO_MEDIUM ? ENXIO : sense == SCSI_SENSE_PROTECTED ? EROFS :
               sense == SCSI_SENSE_ILLEGAL ? ENOTSUP : EIO;
    case kSCSITaskStatus_TaskTimeoutOccurred:
        return ETIMEDOUT;
    case kSCSITaskStatus_DeviceNotPresent:
        return ENXIO;
    case kSCSITaskStatus_RESERVATION_CONFLICT:
        return EBUSY;
    default:
        return EIO;
    }
}

/* ---- repeating ------------------------------------------------------------------------------ */

static void send(struct disk_io *io)
{
    scsi_target_submit(io->disk->target, &io->command);
}

static void send_later(struct disk_io *io)
{
    struct scsi_disk *disk = io->disk;
    bool enabled = machine_spin_lock_disable_interrupts(&disk->lock);
    bool first = !disk->delayed;

    io->next = disk->delayed;
    disk->delayed = io;
    if (first)
        scsi_disk_retain(disk);          /* the call's */
    machine_spin_unlock_restore_interrupts(&disk->lock, enabled);
    if (first)
        thread_call_enter_delayed(disk->delay_call, machine_uptime() + DELAY);
}

void scsi_disk_delayed(void *parameter, void *unused)
{
    struct scsi_disk *disk = parameter;
    bool enabled = machine_spin_lock_disable_interrupts(&disk->lock);
    struct disk_io *io = disk->delayed;

    disk->delayed = NULL;
    machine_spin_unlock_restore_interrupts(&disk->lock, enabled);
    while (io) {
        struct disk_io *next = io->next;
        send(io);
        io = next;
    }
    scsi_disk_release(disk);
}

static enum scsi_sense_action judge(const struct scsi_command *command)
{
    switch (command->status) {
    case kSCSITaskStatus_GOOD:
        /* A short transfer that the device calls good is no success for a block request. */
        return command->realized == command->length ? SCSI_SENSE_OK : SCSI_SENSE_FAIL;
    case kSCSITaskStatus_CHECK_CONDITION: {
        enum scsi_sense_action action = scsi_sense_action(command->sense, command->sense_size);
        if (action == SCSI_SENSE_OK && command->realized != command->length)
            action = SCSI_SENSE_RETRY;
        return action;
    }
    case kSCSITaskStatus_BUSY:
        return SCSI_SENSE_WAIT;
    case kSCSITaskStatus_TaskTimeoutOccurred:
    case kSCSITaskStatus_DeliveryFailure:
        return SCSI_SENSE_RETRY;
    default:
        return SCSI_SENSE_FAIL;
    }
}

static void io_done(struct scsi_command *command)
{
    struct disk_io *io = command->context;
    struct scsi_disk *disk = io->disk;
    struct block_request *request = io->request;
    enum scsi_sense_action action = judge(command);

    if ((action == SCSI_SENSE_RETRY || action == SCSI_SENSE_WAIT) && !disk->removed &&
        io->retries++ < RETRIES_MAX) {
        if (action == SCSI_SENSE_WAIT)
            send_later(io);
        else
            send(io);
        return;
    }
    /* A disk that does not know SYNCHRONIZE CACHE and has no cache has nothing to flush. */
    if (action == SCSI_SENSE_ILLEGAL && command->cdb[0] == kSCSICmd_SYNCHRONIZE_CACHE &&
        !disk->mode.write_cache)
        action = SCSI_SENSE_OK;
    int error = action == SCSI_SENSE_OK ? 0 : error_of(command, action);
    io_put(io);
    part_done(disk, request, error);
}

/* ---- making commands ------------------------------------------------------------------------- */

static struct disk_io *make_io(struct scsi_disk *disk, struct block_request *request,
                               struct scsi_cdb cdb)
{
    struct disk_io *io = io_get(disk);

    if (!io)
        return NULL;
    /* The sense buffer is written by the driver before it is read: no need to clear it. */
    __builtin_memset(&io->command, 0, offsetof(struct scsi_command, sense));
    io->command.sense_size = 0;
    io->disk = disk;
    io->request = request;
    io->list = NULL;
    io->retries = 0;
    __builtin_memcpy(io->command.cdb, cdb.bytes, sizeof io->command.cdb);
    io->command.cdb_size = cdb.size;
    io->command.direction = kSCSIDataTransfer_NoDataTransfer;
    io->command.attribute = kSCSITask_SIMPLE;
    io->command.lun = disk->lun;
    io->command.timeout_ms = TIMEOUT_MS;
    io->command.done = io_done;
    io->command.context = io;
    return io;
}

/* Each part that is sent has been counted in `pending` before; one that cannot be made ends here.
 */
static void send_or_fail(struct scsi_disk *disk, struct block_request *request, struct disk_io *io)
{
    if (io)
        send(io);
    else
        part_done(disk, request, ENOMEM);
}

static void submit_flush(struct scsi_disk *disk, struct block_request *request)
{
    struct disk_io *io = make_io(disk, request, scsi_cdb_synchronize_cache());

    request->pending = 1;
    if (io)
        io->command.timeout_ms = FLUSH_TIMEOUT_MS;
    send_or_fail(disk, request, io);
}

static struct disk_io *transfer_io(struct scsi_disk *disk, struct block_request *request,
                                   uint64_t offset, uint32_t blocks)
{
    bool write = request->operation == BLOCK_WRITE;
    uint32_t size = disk->capacity.block_size;
    struct scsi_cdb cdb = scsi_cdb_transfer(write, (request->offset + offset) / size, blocks,
                                            write && request->fua && disk->mode.fua);
    struct disk_io *io = make_io(disk, request, cdb);

    if (!io)
        return NULL;
    io->command.direction = write ? kSCSIDataTransfer_FromInitiatorToTarget
                                  : kSCSIDataTransfer_FromTargetToInitiator;
    io->command.memory = request->memory;
    io->command.offset = request->memory_offset + offset;
    io->command.length = (uint64_t)blocks * size;
    return io;
}

static struct disk_io *discard_io(struct scsi_disk *disk, struct block_request *request,
                                  uint64_t offset, uint32_t blocks)
{
    uint8_t list[SCSI_UNMAP_LIST_SIZE];
    struct disk_io *io = make_io(disk, request, scsi_cdb_unmap(sizeof list));

    if (!io)
        return NULL;
    scsi_unmap_list(list, (request->offset + offset) / disk->capacity.block_size, blocks);
    io->list = IOBufferMemoryDescriptor_inTaskWithOptions(kernel_task, kIODirectionOut, sizeof list,
                                                          MACHINE_PAGE_SIZE);
    if (!io->list) {
        io_put(io);
        return NULL;
    }
    IOMemoryDescriptor_writeBytes((IOMemoryDescriptor *)io->list, 0, list, sizeof list);
    io->command.direction = kSCSIDataTransfer_FromInitiatorToTarget;
    io->command.memory = (IOMemoryDescriptor *)io->list;
    io->command.length = sizeof list;
    return io;
}

static struct disk_io *zeroes_io(struct scsi_disk *disk, struct block_request *request,
                                 uint64_t offset, uint32_t blocks)
{
    uint32_t size = disk->capacity.block_size;
    struct disk_io *io = make_io(disk, request,
                                 scsi_cdb_write_same((request->offset + offset) / size, blocks,
                                                     request->may_discard && disk->can_unmap_same));

    if (!io)
        return NULL;
    io->command.direction = kSCSIDataTransfer_FromInitiatorToTarget;
    io->command.memory = (IOMemoryDescriptor *)disk->zeroes;
    io->command.length = size;
    return io;
}

/* ---- requests ------------------------------------------------------------------------------- */

static uint64_t most_blocks(const struct scsi_disk *disk, enum block_operation operation)
{
    uint64_t most = operation == BLOCK_DISCARD ? disk->limits.unmap_blocks
                    : operation == BLOCK_WRITE_ZEROES ? disk->limits.write_same_blocks
                                                      : disk->transfer_blocks;

    return most < UINT32_MAX ? most : UINT32_MAX;
}

void scsi_disk_submit(void *context, struct block_request *request)
{
    struct scsi_disk *disk = context;

    if (request->operation == BLOCK_FLUSH) {
        submit_flush(disk, request);
        return;
    }
    uint32_t size = disk->capacity.block_size;
    uint64_t total = request->length / size;
    uint64_t most = most_blocks(disk, request->operation);
    /* The request is not over before the last part has been sent, whatever comes back meanwhile. */
    request->pending = (uint32_t)((total + most - 1) / most);
    enum block_operation operation = request->operation;
    for (uint64_t done = 0; done < total;) {
        uint32_t blocks = (uint32_t)(total - done < most ? total - done : most);
        uint64_t offset = done * size;
        struct disk_io *io = operation == BLOCK_DISCARD ? discard_io(disk, request, offset, blocks)
                             : operation == BLOCK_WRITE_ZEROES
                                 ? zeroes_io(disk, request, offset, blocks)
                                 : transfer_io(disk, request, offset, blocks);
        done += blocks;
        send_or_fail(disk, request, io);
    }
}
