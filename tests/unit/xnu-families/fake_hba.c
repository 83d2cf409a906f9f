/* SPDX-License-Identifier: BSD-3-Clause */
/* fake_hba.c - the driver, and the disks behind it. */
#include "tests/unit/xnu-families/fake_hba.h"

#include <stdlib.h>
#include <string.h>

#include "abi/IOCommandGate.h"
#include "abi/IOInterruptEventSource.h"
#include "abi/IOWorkLoop.h"

#include "xnu/libkern/module.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/threads.h"

struct fake_hba fake_hba;

typedef struct FakeHBA FakeHBA;
struct FakeHBA {
    IOSCSIParallelInterfaceController super;
};

typedef IOSCSIParallelInterfaceController controller;

static void note(const char *call)
{
    if (fake_hba.call_count < FAKE_LOG)
        fake_hba.calls[fake_hba.call_count++] = call;
}

/* ---- what the superclass asks ---------------------------------------------------------------- */

static bool initialize_controller(controller *me)
{
    note("InitializeController");
    return !fake_hba.fail_initialize;
}
static void terminate_controller(controller *me) { note("TerminateController"); }
static void scan(void *argument)
{
    IOSCSIParallelInterfaceController_CreateTargetForID(argument, 0);
}

static bool start_controller(controller *me)
{
    note("StartController");
    if (fake_hba.scans_early) {
        machine_thread_release(machine_thread_start("early scan", scan, me));
        machine_sleep(NULL, &fake_hba, machine_uptime() + 1000000, false);
    }
    return !fake_hba.fail_start;
}
static void stop_controller(controller *me) { note("StopController"); }
static uint64_t initiator(controller *me)
{
    note("ReportInitiatorIdentifier");
    return fake_hba.initiator_id;
}
static uint64_t highest_id(controller *me)
{
    note("ReportHighestSupportedDeviceID");
    return fake_hba.highest_id;
}
static uint32_t task_count(controller *me)
{
    note("ReportMaximumTaskCount");
    return fake_hba.task_count;
}
static uint32_t task_data_size(controller *me) { note("ReportHBASpecificTaskDataSize"); return 64; }
static uint32_t device_data_size(controller *me) { return 16; }
static uint64_t highest_lun(controller *me) { return 7; }
static bool manages(controller *me)
{
    note("DoesHBAPerformDeviceManagement");
    return fake_hba.manages_targets;
}
static bool feature(controller *me, SCSIParallelFeature which) { return false; }
static bool initialize_target(controller *me, uint64_t id)
{
    note("InitializeTargetForID");
    return true;
}
static void handle_interrupt(controller *me) { }

static IOInterruptEventSource *
create_interrupt(controller *me, void (*action)(OSObject *, IOInterruptEventSource *, int32_t),
                 bool (*filter)(OSObject *, IOFilterInterruptEventSource *), IOService *provider)
{
    note("CreateDeviceInterrupt");
    return NULL;
}

static void constraints(controller *me, OSDictionary *dictionary)
{
    OSNumber *mask = OSNumber_withNumber_number(0xFFFFFFFFFFFFFFF0, 64);
    OSNumber *bytes = OSNumber_withNumber_number(fake_hba.max_bytes, 64);

    note("ReportHBAConstraints");
    if (!fake_hba.no_alignment_mask)
        OSDictionary_setObject_cstring(dictionary, kIOMinimumHBADataAlignmentMaskKey,
                                       (const OSMetaClassBase *)mask);
    if (fake_hba.max_bytes) {
        OSDictionary_setObject_cstring(dictionary, kIOMaximumByteCountReadKey,
                                       (const OSMetaClassBase *)bytes);
        OSDictionary_setObject_cstring(dictionary, kIOMaximumByteCountWriteKey,
                                       (const OSMetaClassBase *)bytes);
    }
    object_release(mask);
    object_release(bytes);
}

static bool dma_specification(controller *me, IODMACommand *command)
{
    note("InitializeDMASpecification");
    return IODMACommand_initWithSpecification_number(command, IODMACommand_OutputHost64, 64, 4096,
                                                     kIODMAMapOptionMapped, 0, 4, NULL, NULL);
}

/* ---- data ----------------------------------------------------------------------------------- */

static uint64_t move_data(controller *me, OSObject *request, uint8_t *device, uint64_t size)
{
    IODMACommand *dma = IOSCSIParallelInterfaceController_GetDMACommand(me, request);
    uint64_t wanted = IOSCSIParallelInterfaceController_GetRequestedDataTransferCount(me, request);
    uint64_t start = IOSCSIParallelInterfaceController_GetDataBufferOffset(me, request);
    bool write = IOSCSIParallelInterfaceController_GetDataTransferDirection(me, request) ==
                 kSCSIDataTransfer_FromInitiatorToTarget;
    uint64_t offset = 0, done = 0;

    if (wanted == 0 || IODMACommand_prepare(dma, start, wanted, true, true) != 0)
        return 0;
    if (size > wanted)
        size = wanted;
    while (offset < wanted && done < size) {
        IODMACommand_Segment64 segment;
        uint32_t count = 1;
        if (IODMACommand_genIOVMSegments_numbers_pointer(dma, &offset, &segment, &count) != 0)
            break;
        uint64_t part = segment.fLength < size - done ? segment.fLength : size - done;
        void *memory = machine_virtual_address(segment.fIOVMAddr);
        if (write)
            memcpy(device + done, memory, part);
        else
            memcpy(memory, device + done, part);
        done += part;
    }
    IODMACommand_complete(dma, true, true);
    return done;
}

static uint64_t big_endian(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;

    while (size-- > 0)
        value = value << 8 | *at++;
    return value;
}

static void put_big_endian(uint8_t *at, uint64_t value, unsigned size)
{
    while (size-- > 0)
        at[size] = (uint8_t)value, value >>= 8;
}

static uint64_t answer_inquiry(controller *me, OSObject *request, const uint8_t *cdb)
{
    uint8_t data[64] = { 0, 0, 5, 2, 31, 0, 0, fake_hba.command_queueing ? 2 : 0 };
    unsigned size = 36;

    memcpy(data + 8, "MACHV   FAKE DISK       1.0 ", 28);
    if (cdb[1] & 1) {
        memset(data, 0, sizeof data);
        data[1] = cdb[2];
        data[3] = cdb[2] == 0xB0 ? 60 : 4;
        size = 4u + data[3];
        if (cdb[2] == 0xB0) {
            put_big_endian(data + 20, 128, 4);   /* blocks of an UNMAP */
            put_big_endian(data + 36, 256, 8);   /* of a WRITE SAME */
        } else {
            data[5] = 0xC0;
        }
    }
    return move_data(me, request, data, size < cdb[4] ? size : cdb[4]);
}

static uint32_t told_block_size(void)
{
    return fake_hba.told_block_size != 0 ? fake_hba.told_block_size : FAKE_BLOCK;
}

static uint64_t execute(controller *me, OSObject *request, const uint8_t *cdb)
{
    uint64_t id = IOSCSIParallelInterfaceController_GetTargetIdentifier(me, request);
    uint8_t data[64] = { 0 };
    uint8_t *media = fake_hba.media[id];

    switch (cdb[0]) {
    case kSCSICmd_INQUIRY:
        return answer_inquiry(me, request, cdb);
    case kSCSICmd_REPORT_LUNS:
        data[3] = 8;
        return move_data(me, request, data, 16);
    case kSCSICmd_READ_CAPACITY:
        put_big_endian(data, fake_hba.blocks - 1, 4);
        put_big_endian(data + 4, told_block_size(), 4);
        return move_data(me, request, data, 8);
    case kSCSICmd_SERVICE_ACTION_IN:
        put_big_endian(data, fake_hba.blocks - 1, 8);
        put_big_endian(data + 8, told_block_size(), 4);
        data[13] = 3;
        data[14] = fake_hba.provisioning ? 0x80 : 0;
        return move_data(me, request, data, 32);
    case kSCSICmd_MODE_SENSE_6:
        data[0] = 23;
        data[4] = 8;
        data[5] = 18;
        data[6] = fake_hba.write_cache ? 4 : 0;
        return move_data(me, request, data, 24);
    case kSCSICmd_READ_10: case kSCSICmd_WRITE_10:
        return move_data(me, request, media + big_endian(cdb + 2, 4) * FAKE_BLOCK,
                         big_endian(cdb + 7, 2) * FAKE_BLOCK);
    case kSCSICmd_UNMAP: {
        uint8_t list[24];
        uint64_t moved = move_data(me, request, list, sizeof list);
        memset(media + big_endian(list + 8, 8) * FAKE_BLOCK, 0,
               big_endian(list + 16, 4) * FAKE_BLOCK);
        fake_hba.unmapped_blocks += big_endian(list + 16, 4);
        return moved;
    }
    case 0x93: {
        uint64_t block = big_endian(cdb + 2, 8), count = big_endian(cdb + 10, 4);
        uint64_t moved = move_data(me, request, media + block * FAKE_BLOCK, FAKE_BLOCK);
        for (uint64_t i = 1; i < count; i++)
            memcpy(media + (block + i) * FAKE_BLOCK, media + block * FAKE_BLOCK, FAKE_BLOCK);
        return moved;
    }
    default:
        return 0;
    }
}

/* ---- tasks ---------------------------------------------------------------------------------- */

static struct fake_fault *fault_for(uint8_t operation)
{
    for (unsigned i = 0; i < 4; i++)
        if (fake_hba.faults[i].count != 0 && fake_hba.faults[i].operation == operation)
            return &fake_hba.faults[i];
    return NULL;
}

static void complete(controller *me, OSObject *request, SCSITaskStatus status)
{
    __atomic_fetch_sub(&fake_hba.outstanding, 1, __ATOMIC_RELAXED);
    IOSCSIParallelInterfaceController_CompleteParallelTask(me, request, status,
                                                           kSCSIServiceResponse_TASK_COMPLETE);
}

static void complete_with_fault(controller *me, OSObject *request, const struct fake_fault *fault)
{
    if (fault->status == kSCSITaskStatus_CHECK_CONDITION) {
        uint8_t sense[18] = { 0x70, 0, fault->sense_key, 0, 0, 0, 0, 10, 0, 0, 0, 0, fault->code,
                              fault->qualifier };
        IOSCSIParallelInterfaceController_SetAutoSenseData(me, request, (SCSI_Sense_Data *)sense,
                                                           sizeof sense);
    }
    complete(me, request, fault->status);
}

static void finish(controller *me, OSObject *request)
{
    uint8_t cdb[16];

    IOSCSIParallelInterfaceController_GetCommandDescriptorBlock(me, request, &cdb);
    IOSCSIParallelInterfaceController_SetRealizedDataTransferCount(me, request,
                                                                   execute(me, request, cdb));
    complete(me, request, kSCSITaskStatus_GOOD);
}

static void count_task(controller *me, OSObject *request, uint8_t operation)
{
    uint64_t size = IOSCSIParallelInterfaceController_GetRequestedDataTransferCount(me, request);
    unsigned now = __atomic_add_fetch(&fake_hba.outstanding, 1, __ATOMIC_RELAXED);

    if (now > fake_hba.most_outstanding)
        fake_hba.most_outstanding = now;
    if (size > fake_hba.largest_transfer)
        fake_hba.largest_transfer = size;
    unsigned at = __atomic_fetch_add(&fake_hba.operation_count, 1, __ATOMIC_RELAXED);
    fake_hba.operations[at % FAKE_LOG] = operation;
    fake_hba.in_gate = IOWorkLoop_inGate(IOSCSIParallelInterfaceController_GetWorkLoop(me));
    fake_hba.on_loop_thread =
        IOWorkLoop_onThread(IOSCSIParallelInterfaceController_GetWorkLoop(me));
}

static SCSIServiceResponse process(controller *me, OSObject *request)
{
    uint64_t id = IOSCSIParallelInterfaceController_GetTargetIdentifier(me, request);
    uint8_t cdb[16];

    IOSCSIParallelInterfaceController_GetCommandDescriptorBlock(me, request, &cdb);
    count_task(me, request, cdb[0]);
    if (fake_hba.set_timeouts)
        IOSCSIParallelInterfaceController_SetTimeoutForTask(me, request, 0);
    struct fake_fault *fault = fault_for(cdb[0]);
    if (fault) {
        fault->count--;
        if (fault->refuse) {
            __atomic_fetch_sub(&fake_hba.outstanding, 1, __ATOMIC_RELAXED);
            return kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
        }
        if (fault->lose)
            fake_hba.lost = request;
        else
            complete_with_fault(me, request, fault);
        return kSCSIServiceResponse_Request_In_Process;
    }
    if (id >= FAKE_TARGETS || !fake_hba.present[id] ||
        IOSCSIParallelInterfaceController_GetLogicalUnitNumber(me, request) != 0)
        complete(me, request, kSCSITaskStatus_DeviceNotPresent);
    else if (fake_hba.hold && fake_hba.held_count < FAKE_QUEUE)
        fake_hba.held[fake_hba.held_count++] = request;
    else
        finish(me, request);
    return kSCSIServiceResponse_Request_In_Process;
}

void fake_hba_release(void)
{
    unsigned count = fake_hba.held_count;
    OSObject *held[FAKE_QUEUE];

    memcpy(held, fake_hba.held, sizeof held);
    fake_hba.held_count = 0;
    for (unsigned i = 0; i < count; i++)
        finish(fake_hba.controller, held[i]);
}

static void handle_timeout(controller *me, OSObject *request)
{
    fake_hba.timeouts++;
    __atomic_fetch_sub(&fake_hba.outstanding, 1, __ATOMIC_RELAXED);
    IOSCSIParallelInterfaceController_super_HandleTimeout(me, request);
}

static SCSIServiceResponse abort_task(controller *me, uint64_t id, uint64_t lun, uint64_t tag)
{
    fake_hba.aborts++;
    return kSCSIServiceResponse_FUNCTION_COMPLETE;
}

static SCSIServiceResponse abort_task_set(controller *me, uint64_t id, uint64_t lun)
{
    return kSCSIServiceResponse_FUNCTION_REJECTED;
}

static SCSIServiceResponse reset_target(controller *me, uint64_t id)
{
    fake_hba.resets++;
    return kSCSIServiceResponse_FUNCTION_COMPLETE;
}

IOKIT_CLASS(7, FakeHBA, IOSCSIParallelInterfaceController,
    .InitializeController = initialize_controller,
    .TerminateController = terminate_controller,
    .StartController = start_controller,
    .StopController = stop_controller,
    .ReportInitiatorIdentifier = initiator,
    .ReportHighestSupportedDeviceID = highest_id,
    .ReportMaximumTaskCount = task_count,
    .ReportHBASpecificTaskDataSize = task_data_size,
    .ReportHBASpecificDeviceDataSize = device_data_size,
    .ReportHBAHighestLogicalUnitNumber = highest_lun,
    .ReportHBAConstraints = constraints,
    .InitializeDMASpecification = dma_specification,
    .DoesHBAPerformDeviceManagement = manages,
    .DoesHBASupportSCSIParallelFeature = feature,
    .InitializeTargetForID = initialize_target,
    .CreateDeviceInterrupt = create_interrupt,
    .HandleInterruptRequest = handle_interrupt,
    .ProcessParallelTask = process,
    .HandleTimeout = handle_timeout,
    .AbortTaskRequest = abort_task,
    .AbortTaskSetRequest = abort_task_set,
    .ClearACARequest = abort_task_set,
    .ClearTaskSetRequest = abort_task_set,
    .LogicalUnitResetRequest = abort_task_set,
    .TargetResetRequest = reset_target)

/* ---- for the tests -------------------------------------------------------------------------- */

extern module_function *const first_constructor[] __asm("__start_kext_constructors");
extern module_function *const last_constructor[] __asm("__stop_kext_constructors");

static IOService *provider;

void fake_hba_reset(void)
{
    struct module_code code = {
        .identifier = "org.machv.test.fake-hba",
        .constructors = first_constructor,
        .constructor_count = (size_t)(last_constructor - first_constructor),
    };

    module_start(&code);
    memset(&fake_hba, 0, sizeof fake_hba);
    fake_hba.task_count = 8;
    fake_hba.highest_id = FAKE_TARGETS - 1;
    fake_hba.initiator_id = FAKE_TARGETS - 1;
    fake_hba.present[0] = true;
    fake_hba.command_queueing = true;
    fake_hba.set_timeouts = true;
    fake_hba_resize(FAKE_BLOCKS);
}

void fake_hba_resize(uint64_t blocks)
{
    fake_hba.blocks = blocks;
    for (unsigned i = 0; i < FAKE_TARGETS; i++) {
        free(fake_hba.media[i]);
        fake_hba.media[i] = calloc(blocks, FAKE_BLOCK);
    }
}

bool fake_hba_start(void)
{
    provider = object_new(&IOService_gMetaClass);
    IORegistryEntry_init_dictionary((IORegistryEntry *)provider, NULL);
    FakeHBA *hba = FakeHBA_alloc();
    IORegistryEntry_init_dictionary((IORegistryEntry *)hba, NULL);
    fake_hba.controller = &hba->super;
    if (!IOService_attach((IOService *)hba, provider))
        return false;
    if (IOService_start((IOService *)hba, provider))
        return true;
    IOService_detach((IOService *)hba, provider);
    object_release(hba);
    object_release(provider);
    return false;
}

void fake_hba_stop(void)
{
    IOService *hba = (IOService *)fake_hba.controller;

    IOService_willTerminate(hba, provider, 0);
    IOService_stop(hba, provider); /* not by didTerminate(), which leaves it to another thread */
    IOService_close(provider, hba, 0);
    IOService_detach(hba, provider);
    object_release(hba);
    object_release(provider);
    for (unsigned i = 0; i < FAKE_TARGETS; i++)
        free(fake_hba.media[i]);
}

unsigned fake_hba_operations(uint8_t operation)
{
    unsigned count = 0;

    for (unsigned i = 0; i < fake_hba.operation_count && i < FAKE_LOG; i++)
        count += fake_hba.operations[i] == operation;
    return count;
}
