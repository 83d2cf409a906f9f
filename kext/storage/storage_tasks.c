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

static IODMACommand *dma_command(struct HyperVStorage *self, const struct storage_task *task)
{
    return IOSCSIParallelInterfaceController_GetDMACommand(hba(self), task->parallel);
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

static void release_data(struct HyperVStorage *self, struct storage_task *task)
{
    if (task->dma_prepared)
        IODMACommand_complete(dma_command(self, task), true, true);
    task->dma_prepared = false;
}

static void complete_task(struct HyperVStorage *self, struct storage_task *task,
                          SCSITaskStatus status, SCSIServiceResponse response)
{
    OSObject *parallel = task->parallel;

    release_data(self, task);
    note_back(self, task);
    task->parallel = NULL;
    IOSCSIParallelInterfaceController_CompleteParallelTask(hba(self), parallel, status, response);
}

static void fail_task(struct HyperVStorage *self, struct storage_task *task, SCSITaskStatus why)
{
    complete_task(self, task, why, kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE);
}

static void set_sense(struct HyperVStorage *self, struct storage_task *task, const void *sense,
                      uint8_t length)
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
    static const struct scsi_sense_fixed sense = {
        .response_code = SCSI_SENSE_RESPONSE_FIXED,
        .sense_key = SCSI_SENSE_ILLEGAL_REQUEST,
        .additional_length = SCSI_SENSE_FIXED_ADDITIONAL_LENGTH,
        .additional_sense_code = SCSI_ASC_INVALID_OPERATION_CODE >> 8,
    };

    set_sense(self, task, &sense, sizeof sense);
}

static void log_failure(struct storage_channel *channel, const struct storage_task *task,
                        const struct storvsc_result *result)
{
    if (hv_log_now(++channel->failures))
        storage_log(channel->controller,
                    "LUN %u: command 0x%02x failed in the host, SRB status 0x%02x; %u so far",
                    (unsigned)task->request.lun, (unsigned)task->request.operation_code,
                    (unsigned)result->srb_status, (unsigned)channel->failures);
}

static void finish_task(struct storage_channel *channel, struct storage_task *task,
                        const struct storvsc_result *result)
{
    struct HyperVStorage *self = channel->controller;
    const SCSIServiceResponse complete = kSCSIServiceResponse_TASK_COMPLETE;

    switch (result->outcome) {
    case STORVSC_OUTCOME_GOOD:
        IOSCSIParallelInterfaceController_SetRealizedDataTransferCount(hba(self), task->parallel,
                                                                      result->transferred);
        complete_task(self, task, kSCSITaskStatus_GOOD, complete);
        return;
    case STORVSC_OUTCOME_CAPACITY_CHANGED:
        storage_capacity_changed(self, task->request.lun);
        __attribute__((fallthrough));
    case STORVSC_OUTCOME_STATUS:
        if (result->sense_length > 0)
            set_sense(self, task, result->sense, result->sense_length);
        complete_task(self, task, result->scsi_status, complete);
        return;
    case STORVSC_OUTCOME_BUSY:
        complete_task(self, task, kSCSITaskStatus_BUSY, complete);
        return;
    case STORVSC_OUTCOME_REFUSED:
        set_invalid_operation_sense(self, task);
        complete_task(self, task, kSCSITaskStatus_CHECK_CONDITION, complete);
        return;
    case STORVSC_OUTCOME_ABSENT:
        storage_scan(self);
        fail_task(self, task, kSCSITaskStatus_DeviceNotPresent);
        return;
    case STORVSC_OUTCOME_FAILED:
    case STORVSC_OUTCOME_BROKEN:
        log_failure(channel, task, result);
        fail_task(self, task, kSCSITaskStatus_DeliveryFailure);
        return;
    }
}

void storage_completion(void *owner, struct device_channel *unused, void *pointer, int error,
                        const struct packet_view *packet)
{
    struct storage_channel *channel = owner;
    struct storage_request *request = pointer;
    struct storage_task *task = pointer; /* `request` is its first member */
    struct storvsc_result result;

    (void)unused;
    if (request->kind == STORAGE_REQUEST_RESET)
        return; /* what counts is that the tasks come back */
    if (request->kind == STORAGE_REQUEST_PROBE) {
        storage_probe_completed(channel->controller, request, error, packet);
        return;
    }
    if (error != 0) {
        fail_task(channel->controller, task, kSCSITaskStatus_DeviceNotPresent);
        return;
    }
    result = storvsc_completion(&channel->engine, request->operation_code, request->requested,
                                packet->data, packet->length);
    finish_task(channel, task, &result);
}

/* ---- to the host ---- */

/* Gathers the pages of the task's prepared DMA command into the scratch list. */
static int gather(struct storage_channel *channel, struct storage_task *task,
                  struct page_list *list)
{
    IODMACommand *command = dma_command(channel->controller, task);
    IODMACommand_Segment64 segments[16];
    uint64_t offset = 0;
    uint32_t count;
    uint32_t index;
    int error = 0;

    page_list_begin(list, channel->pages, page_list_capacity(STORAGE_TRANSFER_MAX));
    while (offset < task->request.requested && error == 0) {
        count = sizeof segments / sizeof *segments;
        if (IODMACommand_genIOVMSegments_numbers_pointer(command, &offset, segments, &count) !=
                kIOReturnSuccess || count == 0)
            return HV_ERROR_INVALID;
        for (index = 0; index < count && error == 0; index++)
            error = page_list_add(list, segments[index].fIOVMAddr, segments[index].fLength);
    }
    return error != 0 || list->length != task->request.requested ? HV_ERROR_INVALID : 0;
}

static enum storvsc_direction direction_of(struct HyperVStorage *self,
                                           const struct storage_task *task)
{
    static const enum storvsc_direction directions[] = {
        [kSCSIDataTransfer_NoDataTransfer] = STORVSC_NO_DATA,
        [kSCSIDataTransfer_FromInitiatorToTarget] = STORVSC_TO_DEVICE,
        [kSCSIDataTransfer_FromTargetToInitiator] = STORVSC_FROM_DEVICE,
    };

    if (task->request.requested == 0)
        return STORVSC_NO_DATA;
    return directions[IOSCSIParallelInterfaceController_GetDataTransferDirection(
        hba(self), task->parallel)];
}

static size_t build(struct storage_channel *channel, struct storage_task *task,
                    struct storvsc_packet *packet)
{
    struct HyperVStorage *self = channel->controller;
    uint8_t cdb[kSCSICDBSize_Maximum];
    struct storvsc_command command = {
        .address = self->address,
        .direction = direction_of(self, task),
        .transfer_bytes = task->request.requested,
        .cdb = cdb,
        .cdb_length = IOSCSIParallelInterfaceController_GetCommandDescriptorBlockSize(
            hba(self), task->parallel),
        .tagged = true,
    };

    if (!self->is_ide)
        command.address.lun = task->request.lun;
    IOSCSIParallelInterfaceController_GetCommandDescriptorBlock(hba(self), task->parallel, &cdb);
    return storvsc_request(&channel->engine, &command, packet);
}

/* Appends the task's packet to the ring. Inside device_channel_begin and commit. Errors of the
 * append, HV_ERROR_INVALID when no packet can be made of it. */
static int append(struct storage_channel *channel, struct storage_task *task)
{
    struct storvsc_packet packet;
    struct ring_piece piece = { &packet, (uint32_t)build(channel, task, &packet) };
    struct page_list list;
    struct gpa_range range;
    int error;

    if (piece.length == 0)
        return HV_ERROR_INVALID;
    note_in_flight(channel->controller, task);
    if (task->request.requested == 0) {
        error = device_channel_append_request(channel->channel, &piece, 1, task);
    } else {
        error = gather(channel, task, &list);
        range = (struct gpa_range){ list.length, list.offset, list.pages };
        if (error == 0)
            error = device_channel_append_gpa_direct(channel->channel, &range, 1, &piece, 1, task);
    }
    if (error != 0)
        note_back(channel->controller, task);
    return error;
}

static void wait_for_room(struct storage_channel *channel, struct storage_task *task)
{
    task->next = NULL;
    if (channel->waiting_first == NULL)
        channel->waiting_first = task;
    else
        channel->waiting_last->next = task;
    channel->waiting_last = task;
}

/* Sends the tasks that waited for room, oldest first, as far as the room goes. Inside begin and
 * commit. Returns tasks that can never be sent, as a list. */
static struct storage_task *resume_waiting(struct storage_channel *channel)
{
    struct storage_task *hopeless = NULL;

    while (channel->waiting_first != NULL) {
        struct storage_task *task = channel->waiting_first;
        struct storage_task *next = task->next;
        int error = append(channel, task);

        if (error == HV_ERROR_FULL)
            break;
        channel->waiting_first = next;
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

void storage_room(void *owner, struct device_channel *device_channel)
{
    struct storage_channel *channel = owner;
    struct storage_task *hopeless;

    if (device_channel_begin(device_channel) != 0)
        return; /* storage_fail_waiting() will end them */
    hopeless = resume_waiting(channel);
    device_channel_commit(device_channel);
    fail_list(channel->controller, hopeless, kSCSITaskStatus_DeliveryFailure);
}

void storage_fail_waiting(struct storage_channel *channel)
{
    struct storage_task *list = channel->waiting_first;

    channel->waiting_first = NULL;
    fail_list(channel->controller, list, kSCSITaskStatus_DeviceNotPresent);
}

static int submit_on(struct storage_channel *channel, struct storage_task *task)
{
    int error = device_channel_begin(channel->channel);

    if (error != 0)
        return error;
    error = channel->waiting_first != NULL ? HV_ERROR_FULL : append(channel, task);
    if (error == HV_ERROR_FULL) {
        wait_for_room(channel, task);
        error = 0;
    }
    device_channel_commit(channel->channel);
    return error;
}

/* A sub-channel that the host took back, or broke, is out of use; the primary decides. */
static int submit(struct HyperVStorage *self, struct storage_task *task)
{
    struct storage_channel *chosen = storage_channel_choose(self);
    int error = submit_on(chosen, task);

    if (error == HV_ERROR_GONE && chosen != storage_primary(self))
        error = submit_on(storage_primary(self), task);
    return error;
}

void storage_resume(struct HyperVStorage *self, struct storage_task *task)
{
    if (submit(self, task) != 0)
        fail_task(self, task, kSCSITaskStatus_DeviceNotPresent);
}

static bool prepare_data(struct HyperVStorage *self, struct storage_task *task)
{
    IODMACommand *command = dma_command(self, task);
    uint64_t offset =
        IOSCSIParallelInterfaceController_GetDataBufferOffset(hba(self), task->parallel);

    if (task->request.requested == 0)
        return true;
    task->dma_prepared =
        command != NULL && IODMACommand_prepare(command, offset, task->request.requested, true,
                                                true) == kIOReturnSuccess;
    return task->dma_prepared;
}

/* Fills the task's record. Returns false for a task that cannot be meant for this controller. */
static bool describe(struct HyperVStorage *self, struct storage_task *task, OSObject *parallel)
{
    IOSCSIParallelInterfaceController *me = hba(self);
    uint64_t target = IOSCSIParallelInterfaceController_GetTargetIdentifier(me, parallel);
    uint64_t lun = IOSCSIParallelInterfaceController_GetLogicalUnitNumber(me, parallel);
    uint64_t bytes =
        IOSCSIParallelInterfaceController_GetRequestedDataTransferCount(me, parallel);
    uint8_t direction =
        IOSCSIParallelInterfaceController_GetDataTransferDirection(me, parallel);
    uint8_t cdb[kSCSICDBSize_Maximum] = { 0 };

    IOSCSIParallelInterfaceController_GetCommandDescriptorBlock(me, parallel, &cdb);
    if (target >= STORVSC_LUNS_MAX || lun != 0 || bytes > self->transfer_bytes_max ||
        direction > kSCSIDataTransfer_FromTargetToInitiator)
        return false;
    if (direction == kSCSIDataTransfer_NoDataTransfer)
        bytes = 0;
    *task = (struct storage_task){
        .request = { STORAGE_REQUEST_TASK, cdb[0], (uint8_t)target, (uint32_t)bytes },
        .parallel = parallel,
        .writes = direction == kSCSIDataTransfer_FromInitiatorToTarget && bytes > 0,
    };
    return true;
}

SCSIServiceResponse storage_process_task(IOSCSIParallelInterfaceController *me,
                                         OSObject *parallel)
{
    struct HyperVStorage *self = (struct HyperVStorage *)me;
    struct storage_task *task = IOSCSIParallelInterfaceController_GetHBADataPointer(me, parallel);

    /* Returning a failure makes the superclass complete the task. */
    if (task == NULL || self->channel_count == 0 || !describe(self, task, parallel))
        return kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
    IOSCSIParallelInterfaceController_SetTimeoutForTask(me, parallel, STORAGE_TASK_MILLISECONDS);
    if (prepare_data(self, task) && (storage_hold(self, task) || submit(self, task) == 0))
        return kSCSIServiceResponse_Request_In_Process;
    release_data(self, task);
    return kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
}
