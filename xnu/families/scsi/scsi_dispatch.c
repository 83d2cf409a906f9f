/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi_dispatch.c - from commands to tasks, to the driver and back: execution, completion,
 * timeouts. */
#include "xnu/families/scsi/scsi_private.h"

#include "xnu/machine/clock.h"
#include "xnu/machine/log.h"
#include "xnu/machine/panic.h"

#define MILLISECOND UINT64_C(1000000)

typedef IOSCSIParallelInterfaceController controller;

static bool lock(controller *me)
{
    return machine_spin_lock_disable_interrupts(&controller_private(me)->lock);
}

static void unlock(controller *me, bool enabled)
{
    machine_spin_unlock_restore_interrupts(&controller_private(me)->lock, enabled);
}

/* ---- tasks, with the lock held --------------------------------------------------------------- */

static struct SCSIParallelTask *take_task(controller *me)
{
    struct SCSIParallelTask *task = controller_private(me)->free_tasks;

    if (!task)
        return NULL;
    controller_private(me)->free_tasks = task->next;
    task->state = SCSI_TASK_ALLOCATED;
    task->next = task->previous = NULL;
    task->deadline = 0;
    task->controller_identifier = 0;
    __builtin_memset(task->feature_requests, 0, sizeof task->feature_requests);
    __builtin_memset(task->feature_results, 0, sizeof task->feature_results);
    return task;
}

static void give_task(struct SCSIParallelTask *task)
{
    struct IOSCSIParallelInterfaceController_ExpansionData *private =
        controller_private(task->controller);

    task->state = SCSI_TASK_FREE;
    task->target = NULL;
    task->command = NULL;
    task->next = private->free_tasks;
    private->free_tasks = task;
    machine_wakeup(&private->free_event, true);
}

static void add_outstanding(struct SCSIParallelTask *task)
{
    struct scsi_target *target = task->target;

    task->state = SCSI_TASK_OUTSTANDING;
    task->previous = NULL;
    task->next = target->tasks;
    if (target->tasks)
        target->tasks->previous = task;
    target->tasks = task;
    target->outstanding++;
}

static void remove_outstanding(struct SCSIParallelTask *task)
{
    struct scsi_target *target = task->target;

    if (task->previous)
        task->previous->next = task->next;
    else
        target->tasks = task->next;
    if (task->next)
        task->next->previous = task->previous;
    task->next = task->previous = NULL;
    task->state = SCSI_TASK_ALLOCATED;
    task->deadline = 0;
    target->outstanding--;
    target->held = false;
}

struct SCSIParallelTask *scsi_task_get(controller *me)
{
    bool enabled = lock(me);
    struct SCSIParallelTask *task = take_task(me);

    unlock(me, enabled);
    return task;
}

void scsi_task_put(struct SCSIParallelTask *task)
{
    controller *me = task->controller;

    IODMACommand_clearMemoryDescriptor(task->dma, true);
    bool enabled = lock(me);
    give_task(task);
    unlock(me, enabled);
}

OSObject *IOSCSIParallelInterfaceController_GetSCSIParallelTask(controller *me, bool block)
{
    bool enabled = lock(me);
    struct SCSIParallelTask *task;

    while ((task = take_task(me)) == NULL && block) {
        machine_wait_prepare(&controller_private(me)->free_event, MACHINE_NEVER, false);
        unlock(me, enabled);
        machine_wait_block();
        enabled = lock(me);
    }
    unlock(me, enabled);
    return (OSObject *)task;
}

void IOSCSIParallelInterfaceController_FreeSCSIParallelTask(controller *me, OSObject *task)
{
    scsi_task_put((struct SCSIParallelTask *)task);
    scsi_dispatch_all(me);
}

/* ---- queues of commands, with the lock held -------------------------------------------------- */

static void queue_append(struct scsi_command_queue *queue, struct scsi_command *command)
{
    command->next = NULL;
    if (queue->last)
        queue->last->next = command;
    else
        queue->first = command;
    queue->last = command;
}

static void queue_prepend(struct scsi_command_queue *queue, struct scsi_command *command)
{
    command->next = queue->first;
    queue->first = command;
    if (!queue->last)
        queue->last = command;
}

static struct scsi_command *queue_take(struct scsi_command_queue *queue)
{
    struct scsi_command *command = queue->first;

    queue->first = command->next;
    if (!queue->first)
        queue->last = NULL;
    command->next = NULL;
    return command;
}

/* ---- sending -------------------------------------------------------------------------------- */

static void finish(struct scsi_command *command, uint8_t status, uint8_t response)
{
    command->status = status;
    command->response = response;
    command->task = NULL;
    command->done(command);
}

static bool may_send(const struct scsi_target *target)
{
    return !target->removed && !target->held && target->outstanding < target->depth &&
           target->controller->fHBACanAcceptClientRequests;
}

/* The next command of the target with a task for it, or NULL. */
static struct SCSIParallelTask *next_task(struct scsi_target *target)
{
    struct SCSIParallelTask *task = NULL;

    if (target->waiting.first && may_send(target))
        task = take_task(target->controller);
    if (!task)
        return NULL;
    task->target = target;
    task->command = queue_take(&target->waiting);
    task->command->task = task;
    task->command->realized = 0;
    task->command->sense_size = 0;
    task->command->tag = ++controller_private(target->controller)->next_tag;
    add_outstanding(task);
    return task;
}

static bool set_buffer(struct SCSIParallelTask *task)
{
    return !task->command->memory ||
           IODMACommand_setMemoryDescriptor(task->dma, task->command->memory, false) ==
               kIOReturnSuccess;
}

/* The driver did not take the task: it comes back at once, as a delivery failure. */
static void refuse(struct SCSIParallelTask *task, struct scsi_command *command)
{
    controller *me = task->controller;
    bool enabled = lock(me);
    bool still_ours = task->state == SCSI_TASK_OUTSTANDING && task->command == command;

    if (still_ours)
        remove_outstanding(task);
    unlock(me, enabled);
    if (!still_ours) {
        machine_log("%s: ProcessParallelTask completed a task and then refused it",
                    object_class_name(me));
        return;
    }
    scsi_task_put(task);
    finish(command, kSCSITaskStatus_DeliveryFailure,
           kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE);
}

static void send_task(struct SCSIParallelTask *task)
{
    struct scsi_command *command = task->command;

    if (!set_buffer(task) ||
        IOSCSIParallelInterfaceController_ProcessParallelTask(task->controller, (OSObject *)task) !=
            kSCSIServiceResponse_Request_In_Process)
        refuse(task, command);
}

/* One thread at a time hands out a target's tasks, so that they reach the driver in order. */
static void dispatch(struct scsi_target *target)
{
    controller *me = target->controller;
    struct SCSIParallelTask *task;
    bool enabled = lock(me);

    if (target->dispatching) {
        unlock(me, enabled);
        return;
    }
    target->dispatching = true;
    while ((task = next_task(target)) != NULL) {
        unlock(me, enabled);
        send_task(task);
        enabled = lock(me);
    }
    target->dispatching = false;
    unlock(me, enabled);
}

void scsi_target_submit(struct scsi_target *target, struct scsi_command *command)
{
    bool enabled = lock(target->controller);

    if (target->removed) {
        unlock(target->controller, enabled);
        finish(command, kSCSITaskStatus_DeviceNotPresent,
               kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE);
        return;
    }
    queue_append(&target->waiting, command);
    unlock(target->controller, enabled);
    dispatch(target);
}

void scsi_dispatch_all(controller *me)
{
    struct scsi_target *target;
    bool enabled = lock(me);

    for (target = controller_private(me)->targets; target; target = target->next) {
        if (!target->waiting.first || target->dispatching || !may_send(target))
            continue;
        object_retain(target->nub);
        unlock(me, enabled);
        dispatch(target);
        enabled = lock(me);
        struct scsi_target *same = scsi_target_find(me, target->id);
        unlock(me, enabled);
        object_release(target->nub);
        enabled = lock(me);
        if (same != target)
            break;                       /* removed meanwhile: the next completion goes on */
    }
    unlock(me, enabled);
}

/* ---- waiting for one command ----------------------------------------------------------------- */

struct waiter {
    struct machine_spin_lock lock;
    bool done;
};

static void wake_waiter(struct scsi_command *command)
{
    struct waiter *waiter = command->context;

    /* The waiter's memory is gone as soon as it sees `done`, which the lock delays until here. */
    bool enabled = machine_spin_lock_disable_interrupts(&waiter->lock);
    waiter->done = true;
    machine_wakeup(waiter, false);
    machine_spin_unlock_restore_interrupts(&waiter->lock, enabled);
}

void scsi_target_run(struct scsi_target *target, struct scsi_command *command)
{
    struct waiter waiter = { .done = false };

    command->done = wake_waiter;
    command->context = &waiter;
    scsi_target_submit(target, command);
    bool enabled = machine_spin_lock_disable_interrupts(&waiter.lock);
    while (!waiter.done) {
        machine_wait_prepare(&waiter, MACHINE_NEVER, false);
        machine_spin_unlock_restore_interrupts(&waiter.lock, enabled);
        machine_wait_block();
        enabled = machine_spin_lock_disable_interrupts(&waiter.lock);
    }
    machine_spin_unlock_restore_interrupts(&waiter.lock, enabled);
}

void scsi_target_remove(struct scsi_target *target)
{
    bool enabled = lock(target->controller);

    target->removed = true;
    while (target->waiting.first) {
        struct scsi_command *command = queue_take(&target->waiting);
        unlock(target->controller, enabled);
        finish(command, kSCSITaskStatus_DeviceNotPresent,
               kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE);
        enabled = lock(target->controller);
    }
    unlock(target->controller, enabled);
}

SCSIServiceResponse IOSCSIParallelInterfaceController_ExecuteParallelTask(controller *me,
                                                                          OSObject *task)
{
    return IOSCSIParallelInterfaceController_ProcessParallelTask(me, task);
}

/* ---- completion ----------------------------------------------------------------------------- */

static bool is_task(controller *me, const OSObject *object)
{
    struct IOSCSIParallelInterfaceController_ExpansionData *private = controller_private(me);

    for (unsigned i = 0; i < private->task_count; i++)
        if (object == (const OSObject *)private->all_tasks[i])
            return true;
    return false;
}

/* The target is full: the command is sent again when another of its tasks has come back. If none is
 * outstanding nothing would, and the client hears "busy". */
static bool resend_later(struct scsi_target *target, struct scsi_command *command)
{
    if (target->outstanding == 0 || target->removed)
        return false;
    target->held = true;
    queue_prepend(&target->waiting, command);
    return true;
}

struct completion {
    struct SCSIParallelTask *task;
    uint8_t status, response;
    struct scsi_command *finished;       /* NULL: nothing to tell */
    struct scsi_target *target;
};

/* Runs in the controller's gate. */
static int32_t complete_gated(OSObject *owner, void *argument, void *a1, void *a2, void *a3)
{
    controller *me = (controller *)owner;
    struct completion *completion = argument;
    struct SCSIParallelTask *task = completion->task;
    bool enabled = lock(me);

    if (!is_task(me, (OSObject *)task) || task->state != SCSI_TASK_OUTSTANDING) {
        controller_private(me)->stray_completions++;
        unlock(me, enabled);
        machine_log("%s: CompleteParallelTask(%p) of a task that is not outstanding",
                    object_class_name(me), (void *)task);
        return kIOReturnNotFound;
    }
    struct scsi_command *command = task->command;
    completion->target = task->target;
    object_retain(task->target->nub);
    remove_outstanding(task);
    task->command = NULL;
    unlock(me, enabled);
    IODMACommand_clearMemoryDescriptor(task->dma, true);

    enabled = lock(me);
    give_task(task);
    if (completion->status != kSCSITaskStatus_TASK_SET_FULL ||
        !resend_later(completion->target, command))
        completion->finished = command;
    if (completion->finished && completion->status == kSCSITaskStatus_TASK_SET_FULL)
        completion->status = kSCSITaskStatus_BUSY;
    unlock(me, enabled);
    return kIOReturnSuccess;
}

void IOSCSIParallelInterfaceController_CompleteParallelTask(controller *me, OSObject *request,
                                                            SCSITaskStatus status,
                                                            SCSIServiceResponse response)
{
    struct completion completion = {
        .task = (struct SCSIParallelTask *)request,
        .status = (uint8_t)status,
        .response = (uint8_t)response,
    };

    IOCommandGate_runAction(me->fControllerGate, complete_gated, &completion, NULL, NULL, NULL);
    if (!completion.target)
        return;
    /* New work goes out before the client is told, so that the device stays busy. */
    scsi_dispatch_all(me);
    if (completion.finished)
        finish(completion.finished, completion.status, completion.response);
    object_release(completion.target->nub);
}

/* ---- timeouts ------------------------------------------------------------------------------- */

void IOSCSIParallelInterfaceController_SetTimeoutForTask(controller *me, OSObject *request,
                                                         uint32_t milliseconds)
{
    struct IOSCSIParallelInterfaceController_ExpansionData *private = controller_private(me);
    struct SCSIParallelTask *task = (struct SCSIParallelTask *)request;
    bool enabled = lock(me);
    uint64_t deadline = 0;

    if (milliseconds == 0 && task->command)
        milliseconds = task->command->timeout_ms;
    if (milliseconds != 0 && task->state == SCSI_TASK_OUTSTANDING)
        deadline = machine_uptime() + milliseconds * MILLISECOND;
    task->deadline = deadline;
    bool earlier = deadline != 0 &&
                   (private->timer_deadline == 0 || deadline < private->timer_deadline);
    if (earlier)
        private->timer_deadline = deadline;
    unlock(me, enabled);
    if (earlier)
        IOTimerEventSource_wakeAtTime_number(me->fTimerEvent, deadline);
}

/* An outstanding task whose time is over, or else in *next the earliest deadline there is. */
static struct SCSIParallelTask *expired_task(controller *me, uint64_t now, uint64_t *next)
{
    struct IOSCSIParallelInterfaceController_ExpansionData *private = controller_private(me);

    *next = 0;
    for (unsigned i = 0; i < private->task_count; i++) {
        struct SCSIParallelTask *task = private->all_tasks[i];
        if (task->state != SCSI_TASK_OUTSTANDING || task->deadline == 0)
            continue;
        if (task->deadline <= now) {
            task->deadline = 0;
            return task;
        }
        if (*next == 0 || task->deadline < *next)
            *next = task->deadline;
    }
    return NULL;
}

void IOSCSIParallelInterfaceController_TimeoutOccurred(OSObject *owner, IOTimerEventSource *timer)
{
    controller *me = (controller *)owner;
    struct SCSIParallelTask *task;
    uint64_t next;
    bool enabled = lock(me);

    while ((task = expired_task(me, machine_uptime(), &next)) != NULL) {
        unlock(me, enabled);
        IOSCSIParallelInterfaceController_HandleTimeout(me, (OSObject *)task);
        enabled = lock(me);
    }
    controller_private(me)->timer_deadline = next;
    unlock(me, enabled);
    if (next != 0)
        IOTimerEventSource_wakeAtTime_number(timer, next);
}

void IOSCSIParallelInterfaceController__HandleTimeout(controller *me, OSObject *request)
{
    IOSCSIParallelInterfaceController_CompleteParallelTask(
        me, request, kSCSITaskStatus_TaskTimeoutOccurred,
        kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE);
}
