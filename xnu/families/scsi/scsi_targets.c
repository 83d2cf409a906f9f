/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi_targets.c - targets come and go: CreateTargetForID and its counterparts, abort and reset. */
#include "xnu/families/scsi/scsi_private.h"

#include "abi/constants/service.h"

#include "xnu/machine/machine.h"
#include "xnu/machine/memory.h"

typedef IOSCSIParallelInterfaceController controller;

static bool lock(controller *me)
{
    return machine_spin_lock_disable_interrupts(&controller_private(me)->lock);
}

static void unlock(controller *me, bool enabled)
{
    machine_spin_unlock_restore_interrupts(&controller_private(me)->lock, enabled);
}

void IOSCSIParallelInterfaceController_InitializeDeviceList(controller *me)
{
    controller_private(me)->targets = NULL;
}

struct scsi_target *scsi_target_find(controller *me, uint64_t id)
{
    struct scsi_target *target = controller_private(me)->targets;

    while (target && target->id != id)
        target = target->next;
    return target;
}

/* The list holds a reference of each nub. */
void IOSCSIParallelInterfaceController_AddDeviceToTargetList(controller *me,
                                                             IOSCSIParallelInterfaceDevice *nub)
{
    bool enabled = lock(me);

    object_retain(nub);
    target_of(nub)->next = controller_private(me)->targets;
    controller_private(me)->targets = target_of(nub);
    unlock(me, enabled);
}

static bool unlist(controller *me, struct scsi_target *target)
{
    bool enabled = lock(me);
    struct scsi_target **link = &controller_private(me)->targets;

    while (*link && *link != target)
        link = &(*link)->next;
    bool found = *link != NULL;
    if (found)
        *link = target->next;
    unlock(me, enabled);
    return found;
}

void IOSCSIParallelInterfaceController_RemoveDeviceFromTargetList(
    controller *me, IOSCSIParallelInterfaceDevice *nub)
{
    if (unlist(me, target_of(nub)))
        object_release(nub);
}

/* Borrowed. */
IOSCSIParallelInterfaceDevice *IOSCSIParallelInterfaceController_GetTargetForID(controller *me,
                                                                                uint64_t id)
{
    bool enabled = lock(me);
    struct scsi_target *target = scsi_target_find(me, id);

    unlock(me, enabled);
    return target ? target->nub : NULL;
}

/* ---- creation ------------------------------------------------------------------------------- */

bool IOSCSIParallelInterfaceController_CreateTargetForID(controller *me, uint64_t id)
{
    return IOSCSIParallelInterfaceController_CreateTargetForID_dictionary(me, id, NULL);
}

static bool probe(controller *me, IOSCSIParallelInterfaceDevice *nub, OSDictionary *properties)
{
    if (!IOSCSIParallelInterfaceController_InitializeTargetForID(me, target_of(nub)->id) ||
        !IOService_attach((IOService *)nub, (IOService *)me))
        return false;
    IOSCSIParallelInterfaceDevice_SetInitialTargetProperties(nub, properties);
    if (IOService_start((IOService *)nub, (IOService *)me))
        return true;
    IOService_detach((IOService *)nub, (IOService *)me);
    return false;
}

/* The target is asked for its identity on the calling thread, which waits for the answers. */
bool IOSCSIParallelInterfaceController_CreateTargetForID_dictionary(controller *me, uint64_t id,
                                                                    OSDictionary *properties)
{
    if (id == me->fInitiatorIdentifier || IOSCSIParallelInterfaceController_GetTargetForID(me, id))
        return false;
    IOSCSIParallelInterfaceDevice *nub = IOSCSIParallelInterfaceDevice_CreateTarget(
        id, IOSCSIParallelInterfaceController_ReportHBASpecificDeviceDataSize(me), NULL);
    if (!nub)
        return false;
    target_of(nub)->controller = me;
    nub->fController = me;
    IOSCSIParallelInterfaceController_AddDeviceToTargetList(me, nub);
    bool found = probe(me, nub, properties);
    if (!found) {
        scsi_target_remove(target_of(nub));
        IOSCSIParallelInterfaceController_RemoveDeviceFromTargetList(me, nub);
    }
    object_release(nub);
    return found;
}

/* ---- removal -------------------------------------------------------------------------------- */

static void destroy(controller *me, struct scsi_target *target)
{
    if (!unlist(me, target))
        return;
    scsi_target_remove(target);
    scsi_units_remove(target);
    IOService_messageClients((IOService *)target->nub, kSCSIProtocolNotification_DeviceRemoved,
                             NULL, 0);
    IOSCSIParallelInterfaceDevice_DestroyTarget(target->nub);
    object_release(target->nub);
}

void IOSCSIParallelInterfaceController_DestroyTargetForID(controller *me, uint64_t id)
{
    IOSCSIParallelInterfaceDevice *nub = IOSCSIParallelInterfaceController_GetTargetForID(me, id);

    if (nub)
        destroy(me, target_of(nub));
}

void scsi_destroy_all_targets(controller *me)
{
    struct scsi_target *target;

    while ((target = controller_private(me)->targets) != NULL)
        destroy(me, target);
}

void IOSCSIParallelInterfaceController_CompleteOutstandingTasksForTarget(
    controller *me, IOSCSIParallelInterfaceDevice *nub)
{
    struct scsi_target *target = target_of(nub);

    for (;;) {
        bool enabled = lock(me);
        OSObject *task = (OSObject *)target->tasks;
        unlock(me, enabled);
        if (!task)
            break;
        IOSCSIParallelInterfaceController_CompleteParallelTask(
            me, task, kSCSITaskStatus_DeviceNotPresent,
            kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE);
    }
}

void IOSCSIParallelInterfaceController_CompleteOutstandingTasksForTargetID(controller *me,
                                                                           uint64_t id)
{
    IOSCSIParallelInterfaceDevice *nub = IOSCSIParallelInterfaceController_GetTargetForID(me, id);

    if (nub)
        IOSCSIParallelInterfaceController_CompleteOutstandingTasksForTarget(me, nub);
}

/* ---- finding outstanding tasks --------------------------------------------------------------- */

static OSObject *find_task(controller *me, uint64_t id, bool (*matches)(struct SCSIParallelTask *,
                                                                        uint64_t, uint64_t),
                           uint64_t first, uint64_t second)
{
    bool enabled = lock(me);
    struct scsi_target *target = scsi_target_find(me, id);
    struct SCSIParallelTask *task = target ? target->tasks : NULL;

    while (task && !matches(task, first, second))
        task = task->next;
    unlock(me, enabled);
    return (OSObject *)task;
}

static bool has_address(struct SCSIParallelTask *task, uint64_t lun, uint64_t tag)
{
    return task->command->lun == lun &&
           (tag == kSCSIUntaggedTaskIdentifier || task->command->tag == tag);
}

static bool has_identifier(struct SCSIParallelTask *task, uint64_t identifier, uint64_t unused)
{
    return task->controller_identifier == identifier;
}

OSObject *IOSCSIParallelInterfaceController_FindTaskForAddress(controller *me, uint64_t id,
                                                               uint64_t lun, uint64_t tag)
{
    return find_task(me, id, has_address, lun, tag);
}

OSObject *IOSCSIParallelInterfaceController_FindTaskForControllerIdentifier(controller *me,
                                                                            uint64_t id,
                                                                            uint64_t identifier)
{
    return find_task(me, id, has_identifier, identifier, 0);
}

/* ---- properties and data of targets ---------------------------------------------------------- */

bool IOSCSIParallelInterfaceController_SetTargetProperty(controller *me, uint64_t id,
                                                         const char *key, OSObject *value)
{
    IOSCSIParallelInterfaceDevice *nub = IOSCSIParallelInterfaceController_GetTargetForID(me, id);

    return nub && IOSCSIParallelInterfaceDevice_SetTargetProperty(nub, key, value);
}

void IOSCSIParallelInterfaceController_RemoveTargetProperty(controller *me, uint64_t id,
                                                            const char *key)
{
    IOSCSIParallelInterfaceDevice *nub = IOSCSIParallelInterfaceController_GetTargetForID(me, id);

    if (nub)
        IOSCSIParallelInterfaceDevice_RemoveTargetProperty(nub, key);
}

uint32_t IOSCSIParallelInterfaceController_GetHBATargetDataSize(controller *me, uint64_t id)
{
    IOSCSIParallelInterfaceDevice *nub = IOSCSIParallelInterfaceController_GetTargetForID(me, id);

    return nub ? nub->fHBADataSize : 0;
}

void *IOSCSIParallelInterfaceController_GetHBATargetDataPointer(controller *me, uint64_t id)
{
    IOSCSIParallelInterfaceDevice *nub = IOSCSIParallelInterfaceController_GetTargetForID(me, id);

    return nub ? nub->fHBAData : NULL;
}

/* ---- the end of aborts and resets, and bus events -------------------------------------------- */

static void function_completed(controller *me, SCSIServiceResponse response)
{
    controller_private(me)->function_response = response;
    machine_wakeup(&controller_private(me)->function_event, false);
}

void IOSCSIParallelInterfaceController_CompleteAbortTask(controller *me, uint64_t id, uint64_t lun,
                                                         uint64_t tag, SCSIServiceResponse response)
{
    function_completed(me, response);
}

void IOSCSIParallelInterfaceController_CompleteAbortTaskSet(controller *me, uint64_t id,
                                                            uint64_t lun,
                                                            SCSIServiceResponse response)
{
    function_completed(me, response);
}

void IOSCSIParallelInterfaceController_CompleteClearACA(controller *me, uint64_t id, uint64_t lun,
                                                        SCSIServiceResponse response)
{
    function_completed(me, response);
}

void IOSCSIParallelInterfaceController_CompleteClearTaskSet(controller *me, uint64_t id,
                                                            uint64_t lun,
                                                            SCSIServiceResponse response)
{
    function_completed(me, response);
}

void IOSCSIParallelInterfaceController_CompleteLogicalUnitReset(controller *me, uint64_t id,
                                                                uint64_t lun,
                                                                SCSIServiceResponse response)
{
    function_completed(me, response);
}

void IOSCSIParallelInterfaceController_CompleteTargetReset(controller *me, uint64_t id,
                                                           SCSIServiceResponse response)
{
    function_completed(me, response);
}

void IOSCSIParallelInterfaceController_NotifyClientsOfBusReset(controller *me)
{
    IOService_messageClients((IOService *)me, kSCSIControllerNotificationBusReset, NULL, 0);
}

void IOSCSIParallelInterfaceController_NotifyClientsOfPortStatusChange(controller *me,
                                                                       uint32_t status)
{
    enum { PORT_STATUS = 0x68000001 };

    IOService_messageClients((IOService *)me, PORT_STATUS, (void *)(uintptr_t)status, 0);
}
