/* SPDX-License-Identifier: BSD-3-Clause */
/* Tasks of the SCSI stack on their way to the host and back. */
#include "kext/storage/HyperVStorage.h"

#include "abi/IODMACommand.h"
#include "abi/constants.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/time.h"
#include "protocol/scsi.h"

static IOSCSIParallelInterfaceController *hba(struct HyperVStorage *self)
{
    return &self->super;
}

/* ---- counting what the host has ---- */

static void note_in_flight(struct HyperVStorage *self, struct storage_task *task)
{
    IOLockLock(self->lock);
    self->outstanding[task->request.lun]++;
    IOLockUnlock(self->lock);
    task->in_flight = true;
}

static void note_back(struct HyperVStorage *self, struct storage_task *task)
{
    uint16_t *outstanding = &self->outstanding[task->request.lun];

    if (!task->in_flight)
        return;
    task->in_flight = false;
    IOLockLock(self->lock);
    (*outstanding)--;
    IOLockWakeup(self->lock, outstanding, false);
    IOLockUnlock(self->lock);
}

/* ---- back to the stack ---- */

static void complete_task(struct HyperVStorage *self, struct storage_task *task, SCSITaskStatus status,
                          SCSIServiceResponse response)
{
    OSObject *parallel = task->parallel;

    if (task->dma_prepared) {
        task->dma_prepared = false;
        IODMACommand_complete(IOSCSIParallelInterfaceController_GetDMACommand(hba(self), parallel), true, true);
    }
    note_back(self, task);
    task->parallel = NULL;
    IOSCSIParallelInterfaceController_CompleteParallelTask(hba(self), parallel, status, response);
}

static void fail_task(struct HyperVStorage *self, struct storage_task *task, SCSITaskStatus why)
{
    complete_task(self, task, why, kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE);
}

static void set_sense(struct HyperVStorage *self, struct storage_task *task, const void *sense, uint8_t length)
{
    SCSI_Sense_Data data = { 0 };

    if (length > sizeof data)
        length = sizeof data;
    __builtin_memcpy(&data, sense, length);
    IOSCSIParallelInterfaceController_SetAutoSenseData(hba(self), task->parallel, &data, length);
}

/* For requests that the host itself does not know. */
static void set_invalid_operation_sense(struct HyperVStorage *self, struct storage_task *task)
{
    static const uint8_t sense[18] = { SCSI_SENSE_RESPONSE_FIXED, 0, SCSI_SENSE_ILLEGAL_REQUEST, 0, 0, 0, 0,
                                       SCSI_SENSE_FIXED_ADDITIONAL_LENGTH, 0, 0, 0, 0, 0x20 };

    set_sense(self, task, sense, sizeof sense);
}

static void finish_task(struct HyperVStorage *self, struct storage_task *task, const struct storvsc_result *result)
{
    switch (result->outcome) {
    case STORVSC_OUTCOME_GOOD:
        IOSCSIParallelInterfaceController_SetRealizedDataTransferCount(hba(self), task->parallel,
                                                                      result->transferred);
        complete_task(self, task, kSCSITaskStatus_GOOD, kSCSIServiceResponse_TASK_COMPLETE);
        return;
    case STORVSC_OUTCOME_STATUS:
    case STORVSC_OUTCOME_CAPACITY_CHANGED:
        if (result->sense_length > 0)
            set_sense(self, task, result->sense, result->sense_length);
        complete_task(self, task, result->scsi_status, kSCSIServiceResponse_TASK_COMPLETE);
        return;
    case STORVSC_OUTCOME_BUSY:
        complete_task(self, task, kSCSITaskStatus_BUSY, kSCSIServiceResponse_TASK_COMPLETE);
        return;
    case STORVSC_OUTCOME_REFUSED:
        set_invalid_operation_sense(self, task);
        complete_task(self, task, kSCSITaskStatus_CHECK_CONDITION, kSCSIServiceResponse_TASK_COMPLETE);
        return;
    case STORVSC_OUTCOME_ABSENT:
        storage_scan(self);
        fail_task(self, task, kSCSITaskStatus_DeviceNotPresent);
        return;
    case STORVSC_OUTCOME_FAILED:
    case STORVSC_OUTCOME_BROKEN:
        if (hv_log_now(++self->failures))
            storage_log(self, "LUN %u: command 0x%02x failed in the host, SRB status 0x%02x; %u so far",
                        (unsigned)task->request.lun, (unsigned)task->request.operation_code,
                        (unsigned)result->srb_status, (unsigned)self->failures);
        fail_task(self, task, kSCSITaskStatus_DeliveryFailure);
        return;
    }
}

void storage_completion(void *owner, struct device_channel *channel, void *pointer, int error,
                        const struct packet_view *packet)
{
    struct HyperVStorage *self = owner;
    struct storage_request *request = pointer;
    struct storage_task *task = pointer; /* `request` is its first member */
    struct storvsc_result result;

    (void)channel;
    if (request->kind == STORAGE_REQUEST_RESET)
        return; /* what counts is that the tasks come back */
    if (request->kind == STORAGE_REQUEST_PROBE) {
        storage_probe_completed(self, request, error, packet);
        return;
    }
    if (error != 0) {
        fail_task(self, task, kSCSITaskStatus_DeviceNotPresent);
        return;
    }
    result = storvsc_completion(&self->engine, request->operation_code, request->requested, packet->data,
                                packet->length);
    finish_task(self, task, &result);
}

/* ---- to the host ---- */

/* Gathers the pages of the task's prepared DMA command into the scratch list. */
static int gather(struct HyperVStorage *self, struct storage_task *task, struct page_list *list)
{
    IODMACommand *command = IOSCSIParallelInterfaceController_GetDMACommand(hba(self), task->parallel);
    IODMACommand_Segment64 segments[16];
    uint64_t offset = 0;
    uint32_t count;
    uint32_t index;
    int error = 0;

    page_list_begin(list, self->pages, page_list_capacity(STORAGE_TRANSFER_MAX));
    while (offset < task->request.requested && error == 0) {
        count = sizeof segments / sizeof *segments;
        if (IODMACommand_genIOVMSegments_numbers_pointer(command, &offset, segments, &count) != kIOReturnSuccess ||
            count == 0)
            return HV_ERROR_INVALID;
        for (index = 0; index < count && error == 0; index++)
            error = page_list_add(list, segments[index].fIOVMAddr, segments[index].fLength);
    }
    return error != 0 || list->length != task->request.requested ? HV_ERROR_INVALID : 0;
}

static const enum storvsc_direction directions[] = {
    [kSCSIDataTransfer_NoDataTransfer] = STORVSC_NO_DATA,
    [kSCSIDataTransfer_FromInitiatorToTarget] = STORVSC_TO_DEVICE,
    [kSCSIDataTransfer_FromTargetToInitiator] = STORVSC_FROM_DEVICE,
};

static size_t build(struct HyperVStorage *self, struct storage_task *task, struct storvsc_packet *packet)
{
    uint8_t cdb[kSCSICDBSize_Maximum];
    struct storvsc_command command = {
        .address = self->address,
        .direction = directions[IOSCSIParallelInterfaceController_GetDataTransferDirection(hba(self),
                                                                                          task->parallel)],
        .transfer_bytes = task->request.requested,
        .cdb = cdb,
        .cdb_length = IOSCSIParallelInterfaceController_GetCommandDescriptorBlockSize(hba(self), task->parallel),
        .tagged = true,
    };

    if (command.transfer_bytes == 0)
        command.direction = STORVSC_NO_DATA;
    if (!self->is_ide)
        command.address.lun = task->request.lun;
    IOSCSIParallelInterfaceController_GetCommandDescriptorBlock(hba(self), task->parallel, &cdb);
    return storvsc_request(&self->engine, &command, packet);
}

/* Appends the task's packet to the ring. Inside device_channel_begin and commit. Errors of the append,
 * HV_ERROR_INVALID when no packet can be made of it. */
static int append(struct HyperVStorage *self, struct storage_task *task)
{
    struct storvsc_packet packet;
    struct ring_piece piece = { &packet, (uint32_t)build(self, task, &packet) };
    struct page_list list;
    struct gpa_range range;
    int error;

    if (piece.length == 0)
        return HV_ERROR_INVALID;
    note_in_flight(self, task);
    if (task->request.requested == 0) {
        error = device_channel_append_request(self->channel, &piece, 1, task);
    } else {
        error = gather(self, task, &list);
        range = (struct gpa_range){ list.length, list.offset, list.pages };
        if (error == 0)
            error = device_channel_append_gpa_direct(self->channel, &range, 1, &piece, 1, task);
    }
    if (error != 0)
        note_back(self, task);
    return error;
}

static void wait_for_room(struct HyperVStorage *self, struct storage_task *task)
{
    task->next = NULL;
    if (self->waiting_first == NULL)
        self->waiting_first = task;
    else
        self->waiting_last->next = task;
    self->waiting_last = task;
}

/* Sends the tasks that waited for room, oldest first, as far as the room goes. Inside begin and commit.
 * Returns tasks that can never be sent, as a list. */
static struct storage_task *resume_waiting(struct HyperVStorage *self)
{
    struct storage_task *hopeless = NULL;

    while (self->waiting_first != NULL) {
        struct storage_task *task = self->waiting_first;
        struct storage_task *next = task->next;
        int error = append(self, task);

        if (error == HV_ERROR_FULL)
            break;
        self->waiting_first = next;
        if (error != 0) {
            task->next = hopeless;
            hopeless = task;
        }
    }
    return hopeless;
}

static void fail_list(struct HyperVStorage *self, struct storage_task *list, SCSITaskStatus why)
{
    while (list != NULL) {
        struct storage_task *next = list->next;

        fail_task(self, list, why);
        list = next;
    }
}

void storage_room(void *owner, struct device_channel *channel)
{
    struct HyperVStorage *self = owner;
    struct storage_task *hopeless;

    if (device_channel_begin(channel) != 0)
        return; /* storage_fail_waiting() will end them */
    hopeless = resume_waiting(self);
    device_channel_commit(channel);
    fail_list(self, hopeless, kSCSITaskStatus_DeliveryFailure);
}

void storage_fail_waiting(struct HyperVStorage *self)
{
    struct storage_task *list = self->waiting_first;

    self->waiting_first = NULL;
    fail_list(self, list, kSCSITaskStatus_DeviceNotPresent);
}

static int submit(struct HyperVStorage *self, struct storage_task *task)
{
    int error = device_channel_begin(self->channel);

    if (error != 0)
        return error;
    error = self->waiting_first != NULL ? HV_ERROR_FULL : append(self, task);
    if (error == HV_ERROR_FULL) {
        wait_for_room(self, task);
        error = 0;
    }
    device_channel_commit(self->channel);
    return error;
}

static bool prepare_data(struct HyperVStorage *self, struct storage_task *task)
{
    IODMACommand *command = IOSCSIParallelInterfaceController_GetDMACommand(hba(self), task->parallel);
    uint64_t offset = IOSCSIParallelInterfaceController_GetDataBufferOffset(hba(self), task->parallel);

    if (task->request.requested == 0)
        return true;
    task->dma_prepared = command != NULL && IODMACommand_prepare(command, offset, task->request.requested, true,
                                                                 true) == kIOReturnSuccess;
    return task->dma_prepared;
}

/* Fills the task's record. Returns false for a task that cannot be meant for this controller. */
static bool describe(struct HyperVStorage *self, struct storage_task *task, OSObject *parallel)
{
    uint64_t target = IOSCSIParallelInterfaceController_GetTargetIdentifier(hba(self), parallel);
    uint64_t bytes = IOSCSIParallelInterfaceController_GetRequestedDataTransferCount(hba(self), parallel);
    uint8_t direction = IOSCSIParallelInterfaceController_GetDataTransferDirection(hba(self), parallel);
    uint8_t cdb[kSCSICDBSize_Maximum] = { 0 };

    IOSCSIParallelInterfaceController_GetCommandDescriptorBlock(hba(self), parallel, &cdb);
    if (target >= STORVSC_LUNS_MAX || bytes > self->transfer_bytes_max ||
        direction > kSCSIDataTransfer_FromTargetToInitiator ||
        IOSCSIParallelInterfaceController_GetLogicalUnitNumber(hba(self), parallel) != 0)
        return false;
    if (direction == kSCSIDataTransfer_NoDataTransfer)
        bytes = 0;
    *task = (struct storage_task){
        .request = { STORAGE_REQUEST_TASK, cdb[0], (uint8_t)target, (uint32_t)bytes },
        .parallel = parallel,
    };
    return true;
}

SCSIServiceResponse storage_process_task(IOSCSIParallelInterfaceController *me, OSObject *parallel)
{
    struct HyperVStorage *self = (struct HyperVStorage *)me;
    struct storage_task *task = IOSCSIParallelInterfaceController_GetHBADataPointer(me, parallel);

    /* Returning a failure makes the superclass complete the task. */
    if (task == NULL || self->channel == NULL || !describe(self, task, parallel))
        return kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
    IOSCSIParallelInterfaceController_SetTimeoutForTask(me, parallel, STORAGE_TASK_MILLISECONDS);
    if (prepare_data(self, task) && submit(self, task) == 0)
        return kSCSIServiceResponse_Request_In_Process;
    if (task->dma_prepared)
        IODMACommand_complete(IOSCSIParallelInterfaceController_GetDMACommand(me, parallel), true, true);
    task->dma_prepared = false;
    return kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
}

/* ---- time-outs and resets ----
 *
 * The protocol has no abort, and the host promises to complete every request. Until it does, the pages of the
 * task are the host's: a task is never given back on a time-out, or a late write could hit memory that is in
 * use for something else (Linux re-arms its timer for the same reason). The LUN is reset once, which makes real
 * hosts finish what they have. */

static void ask_for_reset(struct HyperVStorage *self, uint8_t lun)
{
    struct storvsc_address address = self->address;
    struct storvsc_packet packet;
    struct ring_piece piece = { &packet, 0 };
    int error;

    if (!self->is_ide)
        address.lun = lun;
    piece.length = (uint32_t)storvsc_reset_request(&self->engine, STORVSC_RESET_OF_LUN, address, &packet);
    if (piece.length == 0 || device_channel_begin(self->channel) != 0)
        return;
    /* With a completion, though nobody waits for it: hosts take no storage packet without. */
    self->reset.kind = STORAGE_REQUEST_RESET;
    error = device_channel_append_request(self->channel, &piece, 1, &self->reset);
    device_channel_commit(self->channel);
    if (error != 0)
        storage_log(self, "LUN %u: no room for a reset", (unsigned)lun);
}

void storage_task_timed_out(IOSCSIParallelInterfaceController *me, OSObject *parallel)
{
    struct HyperVStorage *self = (struct HyperVStorage *)me;
    struct storage_task *task = IOSCSIParallelInterfaceController_GetHBADataPointer(me, parallel);

    task->timeouts++;
    storage_log(self, "LUN %u: no answer to command 0x%02x for %u s", (unsigned)task->request.lun,
                (unsigned)task->request.operation_code,
                (unsigned)(task->timeouts * (STORAGE_TASK_MILLISECONDS / 1000)));
    if (task->timeouts == 1)
        ask_for_reset(self, task->request.lun);
    IOSCSIParallelInterfaceController_SetTimeoutForTask(me, parallel, STORAGE_TASK_MILLISECONDS);
}

/* Waits until the host has given back every task of the LUN. */
static bool drain(struct HyperVStorage *self, uint64_t lun)
{
    uint16_t *outstanding = &self->outstanding[lun];
    AbsoluteTime deadline;
    int result = THREAD_AWAKENED;
    bool empty;

    clock_interval_to_deadline(STORAGE_DRAIN_MILLISECONDS, kMillisecondScale, &deadline);
    IOLockLock(self->lock);
    while (*outstanding != 0 && result != THREAD_TIMED_OUT)
        result = IOLockSleepDeadline(self->lock, outstanding, deadline, THREAD_UNINT);
    empty = *outstanding == 0;
    IOLockUnlock(self->lock);
    return empty;
}

SCSIServiceResponse storage_reset_lun(IOSCSIParallelInterfaceController *me, uint64_t target, uint64_t lun)
{
    struct HyperVStorage *self = (struct HyperVStorage *)me;
    struct storvsc_address address = self->address;
    struct storvsc_packet packet;
    struct storvsc_packet reply;
    struct ring_piece piece = { &packet, 0 };
    uint32_t reply_length = sizeof reply;

    if (target >= STORVSC_LUNS_MAX || lun != 0 || self->channel == NULL)
        return kSCSIServiceResponse_FUNCTION_REJECTED;
    if (!self->is_ide)
        address.lun = (uint8_t)target;
    piece.length = (uint32_t)storvsc_reset_request(&self->engine, STORVSC_RESET_OF_LUN, address, &packet);
    if (piece.length == 0 || device_channel_call(self->channel, &piece, 1, &reply, &reply_length,
                                                 STORAGE_ANSWER_MILLISECONDS) != 0)
        return kSCSIServiceResponse_FUNCTION_REJECTED;
    return drain(self, target) ? kSCSIServiceResponse_FUNCTION_COMPLETE : kSCSIServiceResponse_FUNCTION_REJECTED;
}

SCSIServiceResponse storage_reset_target(IOSCSIParallelInterfaceController *me, uint64_t target)
{
    return storage_reset_lun(me, target, 0);
}
