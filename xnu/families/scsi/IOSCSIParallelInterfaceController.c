/* SPDX-License-Identifier: BSD-3-Clause */
/* IOSCSIParallelInterfaceController.c - life of a parallel SCSI controller: start in the order that
 * drivers rely on, tasks, interrupts, stop (IOSCSIParallelFamily). */
#include "xnu/families/scsi/scsi_private.h"

#include "abi/IOFilterInterruptEventSource.h"
#include "abi/IOInterruptEventSource.h"
#include "abi/kpi/locks.h"
#include "abi/kpi/vm.h"

#include "xnu/machine/log.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"

KERNEL_CLASS(16, SCSIParallelTask, IOCommand, )

static int32_t next_domain;

/* ---- work loop and interrupts --------------------------------------------------------------- */

static void add_source(IOSCSIParallelInterfaceController *me, void *source)
{
    if (source)
        IOWorkLoop_addEventSource(me->fWorkLoop, source);
}

bool IOSCSIParallelInterfaceController_CreateWorkLoop(IOSCSIParallelInterfaceController *me,
                                                      IOService *provider)
{
    me->fWorkLoop = IOWorkLoop_workLoop();
    if (!me->fWorkLoop)
        return false;
    me->fTimerEvent = IOTimerEventSource_timerEventSource_object(
        (OSObject *)me, IOSCSIParallelInterfaceController_TimeoutOccurred);
    add_source(me, me->fTimerEvent);
    me->fDispatchEvent = IOSCSIParallelInterfaceController_CreateDeviceInterrupt(
        me, IOSCSIParallelInterfaceController_ServiceInterrupt,
        IOSCSIParallelInterfaceController_FilterInterrupt, provider);
    add_source(me, me->fDispatchEvent);
    me->fControllerGate = IOCommandGate_commandGate((OSObject *)me, NULL);
    add_source(me, me->fControllerGate);
    if (me->fTimerEvent && me->fControllerGate)
        return true;
    IOSCSIParallelInterfaceController_ReleaseWorkLoop(me);
    return false;
}

static void remove_source(IOSCSIParallelInterfaceController *me, void *source)
{
    if (!source)
        return;
    IOWorkLoop_removeEventSource(me->fWorkLoop, source);
    object_release(source);
}

void IOSCSIParallelInterfaceController_ReleaseWorkLoop(IOSCSIParallelInterfaceController *me)
{
    if (!me->fWorkLoop)
        return;
    remove_source(me, me->fControllerGate);
    remove_source(me, me->fDispatchEvent);
    if (me->fTimerEvent)
        IOTimerEventSource_cancelTimeout(me->fTimerEvent);
    remove_source(me, me->fTimerEvent);
    me->fControllerGate = NULL;
    me->fDispatchEvent = NULL;
    me->fTimerEvent = NULL;
    object_release_clear(&me->fWorkLoop);
}

IOInterruptEventSource *IOSCSIParallelInterfaceController__CreateDeviceInterrupt(
    IOSCSIParallelInterfaceController *me,
    void (*action)(OSObject *, IOInterruptEventSource *, int32_t),
    bool (*filter)(OSObject *, IOFilterInterruptEventSource *), IOService *provider)
{
    return (IOInterruptEventSource *)IOFilterInterruptEventSource_filterInterruptEventSource(
        (OSObject *)me, action, filter, provider, 0);
}

void IOSCSIParallelInterfaceController_ServiceInterrupt(OSObject *owner,
                                                        IOInterruptEventSource *source,
                                                        int32_t count)
{
    IOSCSIParallelInterfaceController_HandleInterruptRequest(
        (IOSCSIParallelInterfaceController *)owner);
}

bool IOSCSIParallelInterfaceController_FilterInterrupt(OSObject *owner,
                                                       IOFilterInterruptEventSource *source)
{
    return IOSCSIParallelInterfaceController_FilterInterruptRequest(
        (IOSCSIParallelInterfaceController *)owner);
}

bool IOSCSIParallelInterfaceController__FilterInterruptRequest(
    IOSCSIParallelInterfaceController *me)
{
    return true;
}

void IOSCSIParallelInterfaceController_EnableInterrupt(IOSCSIParallelInterfaceController *me)
{
    if (me->fDispatchEvent)
        IOEventSource_enable((IOEventSource *)me->fDispatchEvent);
}

void IOSCSIParallelInterfaceController_DisableInterrupt(IOSCSIParallelInterfaceController *me)
{
    if (me->fDispatchEvent)
        IOEventSource_disable((IOEventSource *)me->fDispatchEvent);
}

void IOSCSIParallelInterfaceController_SignalInterrupt(IOSCSIParallelInterfaceController *me)
{
    if (me->fDispatchEvent)
        IOInterruptEventSource_interruptOccurred(me->fDispatchEvent, NULL, NULL, 0);
}

IOWorkLoop *IOSCSIParallelInterfaceController__getWorkLoop(IOSCSIParallelInterfaceController *me)
{
    return me->fWorkLoop;
}

IOWorkLoop *IOSCSIParallelInterfaceController_GetWorkLoop(IOSCSIParallelInterfaceController *me)
{
    return me->fWorkLoop;
}

IOCommandGate *
IOSCSIParallelInterfaceController_GetCommandGate(IOSCSIParallelInterfaceController *me)
{
    return me->fControllerGate;
}

IOService *IOSCSIParallelInterfaceController_GetProvider(IOSCSIParallelInterfaceController *me)
{
    return me->fProvider;
}

int32_t
IOSCSIParallelInterfaceController_GetSCSIDomainIdentifier(IOSCSIParallelInterfaceController *me)
{
    return me->fSCSIDomainIdentifier;
}

/* ---- what drivers may leave to the superclass ------------------------------------------------ */

bool IOSCSIParallelInterfaceController__DoesHBAPerformAutoSense(
    IOSCSIParallelInterfaceController *me)
{
    return true;
}

bool IOSCSIParallelInterfaceController__DoesHBASupportMultiPathing(
    IOSCSIParallelInterfaceController *me)
{
    return false;
}

static void set_number(OSDictionary *dictionary, const char *key, uint64_t value, unsigned bits)
{
    OSNumber *number = OSNumber_withNumber_number(value, bits);

    if (number)
        OSDictionary_setObject_cstring(dictionary, key, (const OSMetaClassBase *)number);
    object_release(number);
}

/* A 32-bit controller with word alignment. */
void IOSCSIParallelInterfaceController__ReportHBAConstraints(IOSCSIParallelInterfaceController *me,
                                                             OSDictionary *constraints)
{
    set_number(constraints, kIOMinimumSegmentAlignmentByteCountKey, 4, 64);
    set_number(constraints, kIOMaximumSegmentAddressableBitCountKey, 32, 64);
    set_number(constraints, kIOMinimumHBADataAlignmentMaskKey, 0xFFFFFFFF, 64);
}

bool IOSCSIParallelInterfaceController__InitializeDMASpecification(
    IOSCSIParallelInterfaceController *me, IODMACommand *command)
{
    return IODMACommand_initWithSpecification_number(command, IODMACommand_OutputHost32, 32, 0,
                                                     kIODMAMapOptionMapped, 0, 1, NULL, NULL);
}

void IOSCSIParallelInterfaceController__SuspendServices(IOSCSIParallelInterfaceController *me)
{
    me->fHBACanAcceptClientRequests = false;
}

void IOSCSIParallelInterfaceController__ResumeServices(IOSCSIParallelInterfaceController *me)
{
    me->fHBACanAcceptClientRequests = true;
    scsi_dispatch_all(me);
}

/* ---- tasks ---------------------------------------------------------------------------------- */

static uint64_t data_alignment_mask(IOSCSIParallelInterfaceController *me)
{
    OSDictionary *constraints = controller_private(me)->constraints;
    OSNumber *mask = as_number(OSDictionary_getObject_cstring(constraints,
                                                              kIOMinimumHBADataAlignmentMaskKey));

    if (!mask)
        machine_panic("%s: ReportHBAConstraints gave no \"" kIOMinimumHBADataAlignmentMaskKey
                      "\"; macOS uses a NULL pointer here", object_class_name(me));
    return OSNumber_unsigned64BitValue(mask);
}

static bool set_up_task(struct SCSIParallelTask *task, IOSCSIParallelInterfaceController *me,
                        uint32_t data_size, uint64_t mask)
{
    if (!OSObject_init((OSObject *)task))
        return false;
    task->controller = me;
    task->dma = object_new(&IODMACommand_gMetaClass);
    if (!task->dma || !IOSCSIParallelInterfaceController_InitializeDMASpecification(me, task->dma))
        return false;
    if (data_size == 0)
        return true;
    task->hba_data_size = data_size;
    task->hba_data = IOBufferMemoryDescriptor_inTaskWithPhysicalMask(
        kernel_task, kIODirectionOutIn | kIOMemoryPhysicallyContiguous, data_size, mask);
    if (!task->hba_data)
        return false;
    __builtin_memset(IOBufferMemoryDescriptor_getBytesNoCopy(task->hba_data), 0, data_size);
    return true;
}

static void publish_constraints(IOSCSIParallelInterfaceController *me)
{
    OSDictionary *constraints = controller_private(me)->constraints;
    OSCollectionIterator *keys = OSCollectionIterator_withCollection((OSCollection *)constraints);
    const OSSymbol *key;

    while (keys && (key = as_symbol(iterator_next((OSIterator *)keys))) != NULL)
        IORegistryEntry_setProperty_symbol_object((IORegistryEntry *)me, key,
                                                  OSDictionary_getObject_symbol(constraints, key));
    object_release(keys);
}

bool IOSCSIParallelInterfaceController_AllocateSCSIParallelTasks(
    IOSCSIParallelInterfaceController *me)
{
    struct IOSCSIParallelInterfaceController_ExpansionData *private = controller_private(me);
    unsigned limit = sizeof private->all_tasks / sizeof private->all_tasks[0];
    uint32_t data_size = IOSCSIParallelInterfaceController_ReportHBASpecificTaskDataSize(me);

    private->constraints = OSDictionary_withCapacity(8);
    if (!private->constraints)
        return false;
    IOSCSIParallelInterfaceController_ReportHBAConstraints(me, private->constraints);
    publish_constraints(me);
    uint64_t mask = data_alignment_mask(me);
    while (private->task_count < me->fSupportedTaskCount && private->task_count < limit) {
        struct SCSIParallelTask *task = SCSIParallelTask_alloc();
        if (!task || !set_up_task(task, me, data_size, mask)) {
            object_release(task ? task->dma : NULL);
            object_release(task ? task->hba_data : NULL);
            object_release(task);
            break;
        }
        private->all_tasks[private->task_count++] = task;
        task->next = private->free_tasks;
        private->free_tasks = task;
    }
    return private->task_count != 0;
}

void IOSCSIParallelInterfaceController_DeallocateSCSIParallelTasks(
    IOSCSIParallelInterfaceController *me)
{
    struct IOSCSIParallelInterfaceController_ExpansionData *private = controller_private(me);

    private->free_tasks = NULL;
    while (private->task_count != 0) {
        struct SCSIParallelTask *task = private->all_tasks[--private->task_count];
        object_release_clear(&task->dma);
        object_release_clear(&task->hba_data);
        object_release(task);
    }
    object_release_clear(&private->constraints);
}

/* ---- start and stop ------------------------------------------------------------------------- */

static void set_identity(IOSCSIParallelInterfaceController *me)
{
    OSDictionary *protocol = OSDictionary_withCapacity(4);
    OSString *interconnect = OSString_withCString(kIOPropertyPhysicalInterconnectTypeSCSIParallel);

    me->fSCSIDomainIdentifier = __atomic_fetch_add(&next_domain, 1, __ATOMIC_RELAXED);
    if (protocol && interconnect) {
        OSDictionary_setObject_cstring(protocol, kIOPropertyPhysicalInterconnectTypeKey,
                                            (const OSMetaClassBase *)interconnect);
        set_number(protocol, kIOPropertySCSIDomainIdentifierKey,
                   (uint32_t)me->fSCSIDomainIdentifier, 32);
        set_number(protocol, kIOPropertySCSIInitiatorIdentifierKey, me->fInitiatorIdentifier, 64);
        IORegistryEntry_setProperty_cstring_object((IORegistryEntry *)me,
                                                   kIOPropertyProtocolCharacteristicsKey,
                                                   (OSObject *)protocol);
    }
    object_release(interconnect);
    object_release(protocol);
}

/* Everything between the driver's InitializeController and StartController. */
static bool bring_up(IOSCSIParallelInterfaceController *me)
{
    me->fInitiatorIdentifier = IOSCSIParallelInterfaceController_ReportInitiatorIdentifier(me);
    me->fHighestSupportedDeviceID =
        IOSCSIParallelInterfaceController_ReportHighestSupportedDeviceID(me);
    me->fSupportedTaskCount = IOSCSIParallelInterfaceController_ReportMaximumTaskCount(me);
    IOSCSIParallelInterfaceController_InitializeDeviceList(me);
    set_identity(me);
    if (IOSCSIParallelInterfaceController_AllocateSCSIParallelTasks(me) &&
        IOSCSIParallelInterfaceController_StartController(me))
        return true;
    IOSCSIParallelInterfaceController_DeallocateSCSIParallelTasks(me);
    IOSCSIParallelInterfaceController_TerminateController(me);
    return false;
}

static bool make_private(IOSCSIParallelInterfaceController *me)
{
    if (!controller_private(me))
        me->fIOSCSIParallelInterfaceControllerExpansionData = machine_allocate_zeroed(
            sizeof *me->fIOSCSIParallelInterfaceControllerExpansionData, 0);
    if (!me->fClients)
        me->fClients = OSSet_withCapacity(1);
    return controller_private(me) && me->fClients;
}

static void create_targets(IOSCSIParallelInterfaceController *me)
{
    for (uint64_t id = 0; id <= me->fHighestSupportedDeviceID; id++)
        IOSCSIParallelInterfaceController_CreateTargetForID(me, id);
}

bool IOSCSIParallelInterfaceController__start(IOSCSIParallelInterfaceController *me,
                                              IOService *provider)
{
    if (!IOService_super_start((IOService *)me, provider) || !make_private(me))
        return false;
    me->fProvider = provider;
    if (!IOService_open(provider, (IOService *)me, 0, NULL))
        return false;
    if (!IOSCSIParallelInterfaceController_CreateWorkLoop(me, provider)) {
        IOService_close(provider, (IOService *)me, 0);
        return false;
    }
    if (!IOSCSIParallelInterfaceController_InitializeController(me) || !bring_up(me)) {
        IOSCSIParallelInterfaceController_ReleaseWorkLoop(me);
        IOService_close(provider, (IOService *)me, 0);
        return false;
    }
    me->fHBAHasBeenInitialized = true;
    me->fHBACanAcceptClientRequests = true;
    /* The driver may have made targets since StartController: their first commands wait. */
    scsi_dispatch_all(me);
    IOWorkLoop_enableAllInterrupts(me->fWorkLoop);
    if (!IOSCSIParallelInterfaceController_DoesHBAPerformDeviceManagement(me))
        create_targets(me);
    IOService_registerService((IOService *)me, 0);
    return true;
}

bool IOSCSIParallelInterfaceController__willTerminate(IOSCSIParallelInterfaceController *me,
                                                      IOService *provider, uint32_t options)
{
    me->fHBACanAcceptClientRequests = false;
    scsi_destroy_all_targets(me);
    return IOService_super_willTerminate((IOService *)me, provider, options);
}

bool IOSCSIParallelInterfaceController__didTerminate(IOSCSIParallelInterfaceController *me,
                                                     IOService *provider, uint32_t options,
                                                     bool *defer)
{
    if (me->fProvider && IOService_isOpen(me->fProvider, (IOService *)me))
        IOService_close(me->fProvider, (IOService *)me, 0);
    return IOService_super_didTerminate((IOService *)me, provider, options, defer);
}

void IOSCSIParallelInterfaceController__stop(IOSCSIParallelInterfaceController *me,
                                             IOService *provider)
{
    if (me->fHBAHasBeenInitialized) {
        IOSCSIParallelInterfaceController_StopController(me);
        IOSCSIParallelInterfaceController_TerminateController(me);
        scsi_units_wait(me);
        IOSCSIParallelInterfaceController_DeallocateSCSIParallelTasks(me);
        me->fHBAHasBeenInitialized = false;
    }
    IOService_super_stop((IOService *)me, provider);
}

void IOSCSIParallelInterfaceController__free(IOSCSIParallelInterfaceController *me)
{
    IOSCSIParallelInterfaceController_ReleaseWorkLoop(me);
    object_release_clear(&me->fClients);
    machine_release(controller_private(me), sizeof *controller_private(me));
    me->fIOSCSIParallelInterfaceControllerExpansionData = NULL;
    IOService_super_free((IOService *)me);
}

/* ---- clients -------------------------------------------------------------------------------- */

bool IOSCSIParallelInterfaceController__handleOpen(IOSCSIParallelInterfaceController *me,
                                                   IOService *client, uint32_t options,
                                                   void *argument)
{
    return OSSet_setObject(me->fClients, (const OSMetaClassBase *)client);
}

void IOSCSIParallelInterfaceController__handleClose(IOSCSIParallelInterfaceController *me,
                                                    IOService *client, uint32_t options)
{
    OSSet_removeObject(me->fClients, (const OSMetaClassBase *)client);
}

bool IOSCSIParallelInterfaceController__handleIsOpen(IOSCSIParallelInterfaceController *me,
                                                     const IOService *client)
{
    if (!client)
        return OSCollection_getCount((OSCollection *)me->fClients) != 0;
    return OSSet_containsObject(me->fClients, (const OSMetaClassBase *)client);
}

bool IOSCSIParallelInterfaceController_SetHBAProperty(IOSCSIParallelInterfaceController *me,
                                                      const char *key, OSObject *value)
{
    return IORegistryEntry_setProperty_cstring_object((IORegistryEntry *)me, key, value);
}

void IOSCSIParallelInterfaceController_RemoveHBAProperty(IOSCSIParallelInterfaceController *me,
                                                         const char *key)
{
    IORegistryEntry_removeProperty_cstring((IORegistryEntry *)me, key);
}
