/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi_units.c - what is behind a target: INQUIRY and REPORT LUNS, a disk for each unit that is
 * one. */
#include "xnu/families/scsi/scsi_disk.h"

#include "abi/kpi/vm.h"

#include "xnu/iokit/threads_private.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/log.h"
#include "xnu/machine/memory.h"

enum { UNITS_MAX = 64, RETRIES = 8, WAIT_MS = 200 };

static void sleep_for(unsigned milliseconds)
{
    char nobody_wakes_this;

    machine_sleep(NULL, &nobody_wakes_this, machine_uptime() + milliseconds * UINT64_C(1000000),
                  false);
}

bool scsi_run(struct scsi_target *target, uint64_t lun, struct scsi_cdb cdb, uint8_t direction,
              IOBufferMemoryDescriptor *memory, uint32_t length, uint64_t *realized,
              enum scsi_sense_action *sense)
{
    enum scsi_sense_action action = SCSI_SENSE_FAIL;

    for (unsigned try = 0; try < RETRIES; try++) {
        struct scsi_command command = {
            .cdb_size = cdb.size,
            .direction = direction,
            .attribute = kSCSITask_SIMPLE,
            .lun = lun,
            .memory = (IOMemoryDescriptor *)memory,
            .length = memory ? length : 0,
            .timeout_ms = SCSI_PROBE_TIMEOUT_MS,
        };
        __builtin_memcpy(command.cdb, cdb.bytes, sizeof command.cdb);
        scsi_target_run(target, &command);
        if (realized)
            *realized = command.realized;
        action = SCSI_SENSE_OK;
        if (command.status == kSCSITaskStatus_CHECK_CONDITION)
            action = scsi_sense_action(command.sense, command.sense_size);
        else if (command.status == kSCSITaskStatus_BUSY)
            action = SCSI_SENSE_WAIT;
        else if (command.status != kSCSITaskStatus_GOOD)
            action = SCSI_SENSE_FAIL;
        if (action == SCSI_SENSE_WAIT)
            sleep_for(WAIT_MS);
        else if (action != SCSI_SENSE_RETRY)
            break;
    }
    if (sense)
        *sense = action;
    return action == SCSI_SENSE_OK;
}

/* ---- probing -------------------------------------------------------------------------------- */

static bool inquire(struct scsi_target *target, uint64_t lun, IOBufferMemoryDescriptor *buffer,
                    struct scsi_identity *identity)
{
    const uint8_t *data = IOBufferMemoryDescriptor_getBytesNoCopy(buffer);
    uint64_t realized;

    if (!scsi_run(target, lun, scsi_cdb_inquiry(SCSI_INQUIRY_SHORT),
                  kSCSIDataTransfer_FromTargetToInitiator, buffer, SCSI_INQUIRY_SHORT, &realized,
                  NULL) ||
        !scsi_parse_inquiry(data, realized, identity))
        return false;
    uint8_t length = identity->length < SCSI_INQUIRY_FULL ? SCSI_INQUIRY_FULL : identity->length;
    return scsi_run(target, lun, scsi_cdb_inquiry(length), kSCSIDataTransfer_FromTargetToInitiator,
                    buffer, length, &realized, NULL) &&
           scsi_parse_inquiry(data, realized, identity);
}

static unsigned list_units(struct scsi_target *target, IOBufferMemoryDescriptor *buffer,
                           uint64_t *luns)
{
    uint64_t realized;

    if (!scsi_run(target, 0, scsi_cdb_report_luns(SCSI_LUN_LIST_SIZE),
                  kSCSIDataTransfer_FromTargetToInitiator, buffer, SCSI_LUN_LIST_SIZE, &realized,
                  NULL)) {
        luns[0] = 0;                     /* an old device: unit 0 is all there is */
        return 1;
    }
    return scsi_parse_luns(IOBufferMemoryDescriptor_getBytesNoCopy(buffer), realized, luns,
                           UNITS_MAX);
}

/* ---- threads of disks ------------------------------------------------------------------------ */

struct unit_thread {
    struct scsi_disk *disk;              /* retained */
    void (*body)(struct scsi_disk *disk);
};

/* The controller is there until the last thread has gone. */
static void thread_over(IOSCSIParallelInterfaceController *controller)
{
    struct IOSCSIParallelInterfaceController_ExpansionData *private =
        controller_private(controller);
    bool enabled = machine_spin_lock_disable_interrupts(&private->lock);

    if (--private->unit_threads == 0)
        machine_wakeup(&private->unit_threads, false);
    machine_spin_unlock_restore_interrupts(&private->lock, enabled);
}

static void unit_thread(void *parameter, wait_result_t result)
{
    struct unit_thread thread = *(struct unit_thread *)parameter;
    IOSCSIParallelInterfaceController *controller = thread.disk->target->controller;

    machine_release(parameter, sizeof thread);
    thread.body(thread.disk);
    scsi_disk_release(thread.disk);
    thread_over(controller);
}

bool scsi_disk_start_thread(struct scsi_disk *disk, const char *name,
                            void (*body)(struct scsi_disk *disk))
{
    struct IOSCSIParallelInterfaceController_ExpansionData *private =
        controller_private(disk->target->controller);
    struct unit_thread *parameter = machine_allocate(sizeof *parameter, 0);
    thread_t thread;

    if (!parameter)
        return false;
    *parameter = (struct unit_thread){ disk, body };
    scsi_disk_retain(disk);
    bool enabled = machine_spin_lock_disable_interrupts(&private->lock);
    private->unit_threads++;
    machine_spin_unlock_restore_interrupts(&private->lock, enabled);
    if (kernel_thread_start_named(name, unit_thread, parameter, &thread) == KERN_SUCCESS) {
        thread_deallocate(thread);
        return true;
    }
    thread_over(disk->target->controller);
    scsi_disk_release(disk);
    machine_release(parameter, sizeof *parameter);
    return false;
}

void scsi_units_wait(IOSCSIParallelInterfaceController *controller)
{
    struct IOSCSIParallelInterfaceController_ExpansionData *private =
        controller_private(controller);
    bool enabled = machine_spin_lock_disable_interrupts(&private->lock);

    while (private->unit_threads != 0) {
        machine_wait_prepare(&private->unit_threads, MACHINE_NEVER, false);
        machine_spin_unlock_restore_interrupts(&private->lock, enabled);
        machine_wait_block();
        enabled = machine_spin_lock_disable_interrupts(&private->lock);
    }
    machine_spin_unlock_restore_interrupts(&private->lock, enabled);
}

/* ---- disks ----------------------------------------------------------------------------------- */

static void attach(struct scsi_disk *disk)
{
    if (disk->identity.type == SCSI_TYPE_CD)
        scsi_multimedia_attend(disk);
    else
        scsi_disk_attach(disk);
}

static void start_disk(struct scsi_target *target, uint64_t lun,
                       const struct scsi_identity *identity)
{
    struct scsi_disk *disk = scsi_disk_create(target, lun, identity);

    if (!disk)
        return;
    bool enabled =
        machine_spin_lock_disable_interrupts(&controller_private(target->controller)->lock);
    bool removed = target->removed;      /* meanwhile: nobody would take the unit away any more */
    if (!removed) {
        disk->next = target->units;
        target->units = disk;
    }
    machine_spin_unlock_restore_interrupts(&controller_private(target->controller)->lock, enabled);
    if (removed) {
        scsi_disk_release(disk);
        return;
    }
    if (!scsi_disk_start_thread(disk, "disk attach", attach))
        machine_log("SCSI target %llu unit %llu: no thread for the disk",
                    (unsigned long long)target->id, (unsigned long long)lun);
}

static void describe(struct scsi_target *target, const struct scsi_identity *identity)
{
    IORegistryEntry *nub = (IORegistryEntry *)target->nub;

    IORegistryEntry_setProperty_cstring_cstring(nub, "Vendor Identification", identity->vendor);
    IORegistryEntry_setProperty_cstring_cstring(nub, "Product Identification", identity->product);
    IORegistryEntry_setProperty_cstring_cstring(nub, "Product Revision Level", identity->revision);
    IORegistryEntry_setProperty_cstring_number(nub, "Peripheral Device Type", identity->type, 8);
}

/* Unit 0 is there because the target is, listed or not (as IOSCSITargetDevice has it): the host
 * lists its own LUNs, of which this one need not be 0. */
static void probe_units(struct scsi_target *target, IOBufferMemoryDescriptor *buffer,
                        const struct scsi_identity *first)
{
    uint64_t luns[UNITS_MAX + 1];
    uint64_t highest =
        IOSCSIParallelInterfaceController_ReportHBAHighestLogicalUnitNumber(target->controller);
    unsigned count = list_units(target, buffer, luns);
    bool has_first = false;

    for (unsigned i = 0; i < count; i++)
        has_first |= luns[i] == 0;
    if (!has_first)
        luns[count++] = 0;
    for (unsigned i = 0; i < count; i++) {
        struct scsi_identity identity = *first;
        if (luns[i] > highest || (luns[i] != 0 && !inquire(target, luns[i], buffer, &identity)))
            continue;
        if (identity.present && (identity.type == SCSI_TYPE_DISK || identity.type == SCSI_TYPE_CD))
            start_disk(target, luns[i], &identity);
    }
}

bool scsi_units_probe(struct scsi_target *target)
{
    struct scsi_identity identity;
    IOBufferMemoryDescriptor *buffer = IOBufferMemoryDescriptor_inTaskWithOptions(
        kernel_task, kIODirectionIn, MACHINE_PAGE_SIZE, MACHINE_PAGE_SIZE);
    bool found = buffer && inquire(target, 0, buffer, &identity);

    /* Qualifier 1 or 3 on unit 0: no device there, but a target may have other units. */
    if (found) {
        if (identity.command_queueing)
            target->depth = controller_private(target->controller)->task_count;
        describe(target, &identity);
        scsi_run(target, 0, scsi_cdb_test_unit_ready(), kSCSIDataTransfer_NoDataTransfer, NULL, 0,
                 NULL, NULL);
        probe_units(target, buffer, &identity);
        found = identity.present || target->units;
    }
    object_release(buffer);
    return found;
}

void scsi_units_remove(struct scsi_target *target)
{
    for (;;) {
        struct machine_spin_lock *lock = &controller_private(target->controller)->lock;
        bool enabled = machine_spin_lock_disable_interrupts(lock);
        struct scsi_disk *disk = target->units;
        if (disk) {
            target->units = disk->next;
            disk->removed = true;
        }
        machine_spin_unlock_restore_interrupts(lock, enabled);
        if (!disk)
            break;
        scsi_multimedia_wake(disk);
        scsi_disk_detach(disk);
        scsi_disk_release(disk);
    }
}
