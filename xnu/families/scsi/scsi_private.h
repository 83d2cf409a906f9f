/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi_private.h - controllers, targets and tasks behind the public SCSI classes.
 *
 * A command (struct scsi_command) is what the upper layer wants done. To be sent it needs a task
 * (SCSIParallelTask), of which a controller has as many as its driver supports. Commands that find
 * no task, or whose target has as many outstanding as it takes, wait in the target's queue.
 *
 * One spin lock a controller guards lists and states; it is never held while a driver's function or
 * a command's completion is called.
 */
#ifndef XNU_FAMILIES_SCSI_PRIVATE_H
#define XNU_FAMILIES_SCSI_PRIVATE_H

#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/IOCommand.h"
#include "abi/IOCommandGate.h"
#include "abi/IODMACommand.h"
#include "abi/IOSCSIParallelInterfaceController.h"
#include "abi/IOSCSIParallelInterfaceDevice.h"
#include "abi/IOTimerEventSource.h"
#include "abi/IOWorkLoop.h"

#include "xnu/libkern/class.h"
#include "xnu/machine/threads.h"

enum {
    SCSI_SENSE_SIZE = 252,
    SCSI_CDB_SIZE = 16,
    SCSI_PROBE_TIMEOUT_MS = 10000,
};

struct scsi_target;

/* One command for one logical unit. Owned by who submits it, until `done` is called. */
struct scsi_command {
    uint8_t cdb[SCSI_CDB_SIZE];
    uint8_t cdb_size;                /* 6, 10, 12 or 16 */
    uint8_t direction;               /* kSCSIDataTransfer_* */
    uint8_t attribute;               /* kSCSITask_SIMPLE ... */
    uint64_t lun;
    IOMemoryDescriptor *memory;      /* prepared; NULL without data */
    uint64_t offset, length;         /* bytes of `memory` */
    uint32_t timeout_ms;             /* what GetTimeoutDuration tells the driver; 0: none */
    /* Called once, without any lock, on any thread; it may submit again or free the command. */
    void (*done)(struct scsi_command *command);
    void *context;
    /* The result. */
    uint8_t status;                  /* kSCSITaskStatus_* */
    uint8_t response;                /* kSCSIServiceResponse_* */
    uint64_t realized;               /* bytes that were transferred */
    uint8_t sense[SCSI_SENSE_SIZE];
    uint8_t sense_size;              /* 0: none */
    /* The target's. */
    struct scsi_command *next;
    struct SCSIParallelTask *task;
    uint64_t tag;
};

enum scsi_task_state {
    SCSI_TASK_FREE,
    SCSI_TASK_ALLOCATED,
    SCSI_TASK_OUTSTANDING,           /* with the driver */
};

struct SCSIParallelTask {
    IOCommand super;
    IOSCSIParallelInterfaceController *controller;
    struct SCSIParallelTask *next;       /* in the free list, or among the target's outstanding */
    struct SCSIParallelTask *previous;
    enum scsi_task_state state;
    struct scsi_target *target;
    struct scsi_command *command;
    IODMACommand *dma;
    IOBufferMemoryDescriptor *hba_data;  /* NULL when the driver wants none */
    uint32_t hba_data_size;
    uint64_t controller_identifier;
    uint64_t deadline;                   /* 0: none */
    uint32_t feature_requests[kSCSIParallelFeature_TotalFeatureCount];
    uint32_t feature_results[kSCSIParallelFeature_TotalFeatureCount];
};
IOKIT_CLASS_DECLARE(16, SCSIParallelTask, IOCommand);

struct scsi_command_queue {
    struct scsi_command *first, *last;
};

/* Behind a target nub. Lives as long as the nub. */
struct scsi_target {
    IOSCSIParallelInterfaceDevice *nub;
    IOSCSIParallelInterfaceController *controller;
    uint64_t id;
    unsigned depth;                      /* most tasks outstanding at a time */
    unsigned outstanding;
    struct SCSIParallelTask *tasks;      /* outstanding */
    struct scsi_command_queue waiting;
    bool removed;                        /* new commands fail at once */
    bool dispatching;                    /* somebody hands out tasks */
    bool held;                           /* task set full: wait for a completion */
    struct scsi_target *next;            /* in the controller's list */
    void *units;                         /* the disk layer's */
};

/* Behind a controller. */
struct IOSCSIParallelInterfaceController_ExpansionData {
    struct machine_spin_lock lock;
    struct SCSIParallelTask *free_tasks;
    struct SCSIParallelTask *all_tasks[256];
    unsigned task_count;
    struct scsi_target *targets;
    uint64_t timer_deadline;             /* of fTimerEvent; 0: not set */
    uint64_t next_tag;
    OSDictionary *constraints;
    char free_event;                     /* a task came back */
    char function_event;                 /* an abort or reset came to an end */
    uint32_t function_response;
    uint64_t stray_completions;
    unsigned unit_threads;               /* look after disks; its address is the last one's event */
};

static inline struct IOSCSIParallelInterfaceController_ExpansionData *
controller_private(const IOSCSIParallelInterfaceController *me)
{
    return me->fIOSCSIParallelInterfaceControllerExpansionData;
}

static inline struct scsi_target *target_of(const IOSCSIParallelInterfaceDevice *nub)
{
    return (struct scsi_target *)nub->fIOSCSIProtocolServicesReserved;
}

/* ---- scsi_dispatch.c ------------------------------------------------------------------------ */

/* Sends a command, or queues it; never blocks for a task. */
void scsi_target_submit(struct scsi_target *target, struct scsi_command *command);

/* The same, and waits for the end. The calling thread must not be the controller's work loop's. */
void scsi_target_run(struct scsi_target *target, struct scsi_command *command);

/* Refuses all commands from now on and fails those that wait. */
void scsi_target_remove(struct scsi_target *target);

/* Hands waiting commands of all targets to tasks that have become free. */
void scsi_dispatch_all(IOSCSIParallelInterfaceController *controller);

/* A task for the caller, or NULL when all are in use. */
struct SCSIParallelTask *scsi_task_get(IOSCSIParallelInterfaceController *controller);
void scsi_task_put(struct SCSIParallelTask *task);

/* ---- scsi_targets.c ------------------------------------------------------------------------- */

/* The target with this id, retained by the lock only: call with the lock held. */
struct scsi_target *scsi_target_find(IOSCSIParallelInterfaceController *controller, uint64_t id);

/* Removes all targets, as DestroyTargetForID does with one. */
void scsi_destroy_all_targets(IOSCSIParallelInterfaceController *controller);

/* ---- scsi_units.c --------------------------------------------------------------------------- */

/* Looks for logical units and makes block devices of the disks among them. False: no device
 * answers. Blocks until INQUIRY and REPORT LUNS are answered; disks come up on threads of their
 * own. */
bool scsi_units_probe(struct scsi_target *target);

/* Takes the target's block devices away. */
void scsi_units_remove(struct scsi_target *target);

/* Waits for the threads that look after disks; nothing answers their commands any more. */
void scsi_units_wait(IOSCSIParallelInterfaceController *controller);

#endif
