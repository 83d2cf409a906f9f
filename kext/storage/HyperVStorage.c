/* SPDX-License-Identifier: BSD-3-Clause */
/* The controller class: start and stop, and what the SCSI stack is told of its limits. */
#include "kext/storage/HyperVStorage.h"

#include "abi/IODMACommand.h"
#include "abi/OSDictionary.h"
#include "abi/constants.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/platform.h"
#include "kext/core/boot_arguments.h"
#include "protocol/vmbus_classes.h"

static struct HyperVStorage *from(IOSCSIParallelInterfaceController *me)
{
    return (struct HyperVStorage *)me;
}

/* ---- start and stop ---- */

/* An accelerated IDE disk is addressed by its instance GUID (protocol/storvsc.h). */
static void find_address(struct HyperVStorage *self)
{
    static const struct guid ide = VMBUS_CLASS_IDE;
    const struct offer *offer = device_offer(self->device);
    const uint8_t *instance = (const uint8_t *)&offer->instance_id;

    self->is_ide = guid_equal(&offer->class_id, &ide);
    if (self->is_ide) {
        self->address.path = instance[0];
        self->address.target = instance[4];
    }
}

static void release_all(struct HyperVStorage *self)
{
    storage_holds_stop(self);
    storage_channels_close(self);
    storage_targets_free(self);
    if (self->lock != NULL)
        IOLockFree(self->lock);
    self->lock = NULL;
    iokit_release_clear(self->alignment_mask);
}

static bool initialize_controller(IOSCSIParallelInterfaceController *me)
{
    struct HyperVStorage *self = from(me);

    self->device = device_of_provider(IOSCSIParallelInterfaceController_GetProvider(me));
    if (self->device == NULL || boot_argument_given("-hvstoroff"))
        return false;
    find_address(self);
    self->lock = IOLockAlloc();
    self->alignment_mask = OSNumber_withNumber_number(UINT64_MAX, 64);
    if (self->lock != NULL && self->alignment_mask != NULL && storage_targets_init(self) &&
        storage_channels_open(self))
        return true;
    /* The superclass does not call TerminateController after this. */
    release_all(self);
    return false;
}

static bool start_controller(IOSCSIParallelInterfaceController *me)
{
    storage_holds_start(from(me));
    storage_scan(from(me));
    return true;
}

static void stop_controller(IOSCSIParallelInterfaceController *me)
{
    storage_targets_stop(from(me));
}

static void terminate_controller(IOSCSIParallelInterfaceController *me)
{
    release_all(from(me));
}

/* ---- limits ---- */

static uint64_t highest_lun(IOSCSIParallelInterfaceController *me)
{
    (void)me;
    return 0; /* each of the host's LUNs is a target */
}

static bool supports_feature(IOSCSIParallelInterfaceController *me, SCSIParallelFeature feature)
{
    (void)me;
    (void)feature;
    return false;
}

static bool initialize_target(IOSCSIParallelInterfaceController *me, uint64_t target)
{
    (void)me;
    return target < STORVSC_LUNS_MAX;
}

static uint64_t initiator_identifier(IOSCSIParallelInterfaceController *me)
{
    (void)me;
    return STORVSC_LUNS_MAX;
}

static uint64_t highest_device(IOSCSIParallelInterfaceController *me)
{
    return from(me)->is_ide ? 0 : STORVSC_LUNS_MAX - 1;
}

static uint32_t maximum_task_count(IOSCSIParallelInterfaceController *me)
{
    (void)me;
    return STORAGE_TASKS_MAX;
}

static uint32_t task_data_size(IOSCSIParallelInterfaceController *me)
{
    (void)me;
    return sizeof(struct storage_task);
}

static uint32_t device_data_size(IOSCSIParallelInterfaceController *me)
{
    (void)me;
    return 0;
}

static bool performs_device_management(IOSCSIParallelInterfaceController *me)
{
    (void)me;
    return true; /* targets come and go with scans */
}

static bool performs_autosense(IOSCSIParallelInterfaceController *me)
{
    (void)me;
    return true;
}

static void set_number(OSDictionary *dictionary, const char *key, uint64_t value)
{
    OSNumber *number = OSNumber_withNumber_number(value, 64);

    if (number == NULL)
        return;
    OSDictionary_setObject_cstring(dictionary, key, (const OSMetaClassBase *)number);
    iokit_release(number);
}

static void report_constraints(IOSCSIParallelInterfaceController *me, OSDictionary *constraints)
{
    uint64_t bytes = from(me)->transfer_bytes_max;
    uint64_t segments = bytes / PAGE_LIST_PAGE_SIZE;

    /* Without this one the superclass uses a null pointer, so it was made at the start. */
    OSDictionary_setObject_cstring(constraints, kIOMinimumHBADataAlignmentMaskKey,
                                   (const OSMetaClassBase *)from(me)->alignment_mask);
    set_number(constraints, kIOMaximumSegmentCountReadKey, segments);
    set_number(constraints, kIOMaximumSegmentCountWriteKey, segments);
    set_number(constraints, kIOMaximumSegmentByteCountReadKey, bytes);
    set_number(constraints, kIOMaximumSegmentByteCountWriteKey, bytes);
    set_number(constraints, kIOMaximumByteCountReadKey, bytes);
    set_number(constraints, kIOMaximumByteCountWriteKey, bytes);
    set_number(constraints, kIOMinimumSegmentAlignmentByteCountKey, 4);
    set_number(constraints, kIOMaximumSegmentAddressableBitCountKey, 64);
}

/* A request may begin and end inside a page, but its inner boundaries must be page boundaries.
 * Releases before 10.11 know one alignment for all three; there the system copies what does not
 * begin at a page. */
static bool initialize_dma_specification(IOSCSIParallelInterfaceController *me,
                                         IODMACommand *command)
{
    uint64_t bytes = from(me)->transfer_bytes_max;

#if defined(__x86_64__)
    if (version_major >= 15) {
        IODMACommand_SegmentOptions options = {
            .fStructSize = sizeof options,
            .fNumAddressBits = 64,
            .fMaxTransferSize = bytes,
            .fAlignment = 4,
            .fAlignmentLength = 1,
            .fAlignmentInternalSegments = PAGE_LIST_PAGE_SIZE,
        };

        return IODMACommand_initWithSpecification_dmacommandsegmentoptions(
            command, IODMACommand_OutputHost64, &options, IODMACommand_kMapped, NULL, NULL);
    }
#endif
    return IODMACommand_initWithSpecification_number(command, IODMACommand_OutputHost64, 64, 0,
                                                     IODMACommand_kMapped, bytes,
                                                     PAGE_LIST_PAGE_SIZE, NULL, NULL);
}

/* ---- interrupts: those of the channel are handled on its own work loop ---- */

static void handle_interrupt(IOSCSIParallelInterfaceController *me)
{
    (void)me;
}

static IOInterruptEventSource *create_interrupt(
    IOSCSIParallelInterfaceController *me,
    void (*action)(OSObject *, IOInterruptEventSource *, int32_t),
    bool (*filter)(OSObject *, IOFilterInterruptEventSource *), IOService *provider)
{
    (void)me;
    (void)action;
    (void)filter;
    (void)provider;
    return NULL;
}

/* ---- task management that the protocol does not have ---- */

static SCSIServiceResponse reject_task(IOSCSIParallelInterfaceController *me, uint64_t target,
                                       uint64_t lun, uint64_t tag)
{
    (void)me;
    (void)target;
    (void)lun;
    (void)tag;
    return kSCSIServiceResponse_FUNCTION_REJECTED;
}

static SCSIServiceResponse reject_task_set(IOSCSIParallelInterfaceController *me, uint64_t target,
                                           uint64_t lun)
{
    (void)me;
    (void)target;
    (void)lun;
    return kSCSIServiceResponse_FUNCTION_REJECTED;
}

IOKIT_CLASS(13, HyperVStorage, IOSCSIParallelInterfaceController,
    .ReportHBAHighestLogicalUnitNumber = highest_lun,
    .DoesHBASupportSCSIParallelFeature = supports_feature,
    .InitializeTargetForID = initialize_target,
    .AbortTaskRequest = reject_task,
    .AbortTaskSetRequest = reject_task_set,
    .ClearACARequest = reject_task_set,
    .ClearTaskSetRequest = reject_task_set,
    .LogicalUnitResetRequest = storage_reset_lun,
    .TargetResetRequest = storage_reset_target,
    .DoesHBAPerformAutoSense = performs_autosense,
    .ReportHBAConstraints = report_constraints,
    .ReportInitiatorIdentifier = initiator_identifier,
    .ReportHighestSupportedDeviceID = highest_device,
    .ReportMaximumTaskCount = maximum_task_count,
    .ReportHBASpecificTaskDataSize = task_data_size,
    .ReportHBASpecificDeviceDataSize = device_data_size,
    .DoesHBAPerformDeviceManagement = performs_device_management,
    .InitializeController = initialize_controller,
    .TerminateController = terminate_controller,
    .StartController = start_controller,
    .StopController = stop_controller,
    .HandleInterruptRequest = handle_interrupt,
    .ProcessParallelTask = storage_process_task,
    .HandleTimeout = storage_task_timed_out,
    .InitializeDMASpecification = initialize_dma_specification,
    .CreateDeviceInterrupt = create_interrupt)
