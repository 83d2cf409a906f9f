/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi_task.c - what a driver asks about the task that it was given, and what it tells about it. */
#include "xnu/families/scsi/scsi_private.h"

typedef IOSCSIParallelInterfaceController controller;

static struct SCSIParallelTask *task_of(OSObject *request)
{
    return (struct SCSIParallelTask *)request;
}

static struct scsi_command *command_of(OSObject *request)
{
    return task_of(request)->command;
}

OSObject *IOSCSIParallelInterfaceController_GetSCSITaskIdentifier(controller *me, OSObject *task)
{
    return task;
}

uint64_t IOSCSIParallelInterfaceController_GetTargetIdentifier(controller *me, OSObject *task)
{
    return task_of(task)->target->id;
}

uint64_t IOSCSIParallelInterfaceController_GetLogicalUnitNumber(controller *me, OSObject *task)
{
    return command_of(task)->lun;
}

/* The eight bytes of SAM: peripheral addressing below 256, flat space addressing above. */
void IOSCSIParallelInterfaceController_GetLogicalUnitBytes(controller *me, OSObject *task,
                                                           uint8_t (*bytes)[8])
{
    uint64_t lun = command_of(task)->lun;

    __builtin_memset(*bytes, 0, 8);
    if (lun >= 256)
        (*bytes)[0] = (uint8_t)(0x40 | (lun >> 8 & 0x3F));
    (*bytes)[1] = (uint8_t)lun;
}

uint64_t IOSCSIParallelInterfaceController_GetTaggedTaskIdentifier(controller *me, OSObject *task)
{
    return task_of(task)->target->depth > 1 ? command_of(task)->tag : kSCSIUntaggedTaskIdentifier;
}

SCSITaskAttribute IOSCSIParallelInterfaceController_GetTaskAttribute(controller *me, OSObject *task)
{
    return command_of(task)->attribute;
}

uint8_t IOSCSIParallelInterfaceController_GetCommandDescriptorBlockSize(controller *me,
                                                                        OSObject *task)
{
    return command_of(task)->cdb_size;
}

bool IOSCSIParallelInterfaceController_GetCommandDescriptorBlock(controller *me, OSObject *task,
                                                                 uint8_t (*cdb)[16])
{
    __builtin_memcpy(*cdb, command_of(task)->cdb, SCSI_CDB_SIZE);
    return true;
}

uint8_t IOSCSIParallelInterfaceController_GetDataTransferDirection(controller *me, OSObject *task)
{
    return command_of(task)->direction;
}

uint64_t IOSCSIParallelInterfaceController_GetRequestedDataTransferCount(controller *me,
                                                                         OSObject *task)
{
    return command_of(task)->length;
}

uint64_t IOSCSIParallelInterfaceController_GetRealizedDataTransferCount(controller *me,
                                                                        OSObject *task)
{
    return command_of(task)->realized;
}

bool IOSCSIParallelInterfaceController_SetRealizedDataTransferCount(controller *me, OSObject *task,
                                                                    uint64_t bytes)
{
    struct scsi_command *command = command_of(task);

    command->realized = bytes < command->length ? bytes : command->length;
    return bytes <= command->length;
}

void IOSCSIParallelInterfaceController_IncrementRealizedDataTransferCount(controller *me,
                                                                          OSObject *task,
                                                                          uint64_t bytes)
{
    IOSCSIParallelInterfaceController_SetRealizedDataTransferCount(
        me, task, command_of(task)->realized + bytes);
}

IOMemoryDescriptor *IOSCSIParallelInterfaceController_GetDataBuffer(controller *me, OSObject *task)
{
    return command_of(task)->memory;
}

uint64_t IOSCSIParallelInterfaceController_GetDataBufferOffset(controller *me, OSObject *task)
{
    return command_of(task)->offset;
}

IODMACommand *IOSCSIParallelInterfaceController_GetDMACommand(controller *me, OSObject *task)
{
    return task_of(task)->dma;
}

uint32_t IOSCSIParallelInterfaceController_GetTimeoutDuration(controller *me, OSObject *task)
{
    return command_of(task)->timeout_ms;
}

/* ---- sense data ----------------------------------------------------------------------------- */

bool IOSCSIParallelInterfaceController_SetAutoSenseData(controller *me, OSObject *task,
                                                        SCSI_Sense_Data *sense, uint8_t size)
{
    struct scsi_command *command = command_of(task);

    if (size > SCSI_SENSE_SIZE)
        size = SCSI_SENSE_SIZE;
    __builtin_memcpy(command->sense, sense, size);
    command->sense_size = size;
    return true;
}

bool IOSCSIParallelInterfaceController_GetAutoSenseData(controller *me, OSObject *task,
                                                        SCSI_Sense_Data *sense, uint8_t size)
{
    const struct scsi_command *command = command_of(task);

    if (command->sense_size == 0)
        return false;
    __builtin_memcpy(sense, command->sense,
                     size < command->sense_size ? size : command->sense_size);
    return true;
}

uint8_t IOSCSIParallelInterfaceController_GetAutoSenseDataSize(controller *me, OSObject *task)
{
    return command_of(task)->sense_size;
}

/* ---- the driver's own data ------------------------------------------------------------------- */

void IOSCSIParallelInterfaceController_SetControllerTaskIdentifier(controller *me, OSObject *task,
                                                                   uint64_t identifier)
{
    task_of(task)->controller_identifier = identifier;
}

uint64_t IOSCSIParallelInterfaceController_GetControllerTaskIdentifier(controller *me,
                                                                       OSObject *task)
{
    return task_of(task)->controller_identifier;
}

uint32_t IOSCSIParallelInterfaceController_GetHBADataSize(controller *me, OSObject *task)
{
    return task_of(task)->hba_data_size;
}

/* Zeroed when the tasks were made, and never again. */
void *IOSCSIParallelInterfaceController_GetHBADataPointer(controller *me, OSObject *task)
{
    IOBufferMemoryDescriptor *data = task_of(task)->hba_data;

    return data ? IOBufferMemoryDescriptor_getBytesNoCopy(data) : NULL;
}

IOMemoryDescriptor *IOSCSIParallelInterfaceController_GetHBADataDescriptor(controller *me,
                                                                           OSObject *task)
{
    return (IOMemoryDescriptor *)task_of(task)->hba_data;
}

/* ---- features of a parallel bus, which nothing here negotiates ------------------------------- */

static bool is_feature(SCSIParallelFeature feature)
{
    return feature < kSCSIParallelFeature_TotalFeatureCount;
}

SCSIParallelFeatureRequest IOSCSIParallelInterfaceController_GetSCSIParallelFeatureNegotiation(
    controller *me, OSObject *task, SCSIParallelFeature feature)
{
    return is_feature(feature) ? task_of(task)->feature_requests[feature]
                               : kSCSIParallelFeature_NoNegotiation;
}

static uint64_t count_nonzero(const uint32_t *values)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < kSCSIParallelFeature_TotalFeatureCount; i++)
        count += values[i] != 0;
    return count;
}

uint64_t IOSCSIParallelInterfaceController_GetSCSIParallelFeatureNegotiationCount(controller *me,
                                                                                  OSObject *task)
{
    return count_nonzero(task_of(task)->feature_requests);
}

void IOSCSIParallelInterfaceController_SetSCSIParallelFeatureNegotiationResult(
    controller *me, OSObject *task, SCSIParallelFeature feature, SCSIParallelFeatureResult result)
{
    if (is_feature(feature))
        task_of(task)->feature_results[feature] = result;
}

SCSIParallelFeatureResult IOSCSIParallelInterfaceController_GetSCSIParallelFeatureNegotiationResult(
    controller *me, OSObject *task, SCSIParallelFeature feature)
{
    return is_feature(feature) ? task_of(task)->feature_results[feature]
                               : kSCSIParallelFeature_NegotitiationUnchanged;
}

uint64_t
IOSCSIParallelInterfaceController_GetSCSIParallelFeatureNegotiationResultCount(controller *me,
                                                                               OSObject *task)
{
    return count_nonzero(task_of(task)->feature_results);
}
