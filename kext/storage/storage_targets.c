/* SPDX-License-Identifier: BSD-3-Clause */
/* Which LUNs are there. A scan asks each one with INQUIRY, on a thread of its own because creating
 * a target makes the SCSI stack probe it, which needs completions. So does telling the stack that a
 * disk has another size. */
#include "kext/storage/HyperVStorage.h"

#include "abi/OSIterator.h"
#include "abi/constants.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/time.h"
#include "protocol/scsi.h"

enum { INQUIRY_BYTES = 36, LEVELS_BETWEEN = 2 };

/* ---- one probe ---- */

void storage_probe_completed(struct HyperVStorage *self, struct storage_request *request, int error,
                             const struct packet_view *packet)
{
    struct storvsc_result result = { .outcome = STORVSC_OUTCOME_ABSENT };

    if (error == 0)
        result = storvsc_completion(&storage_primary(self)->engine, request->operation_code,
                                    request->requested, packet->data, packet->length);
    IOLockLock(self->lock);
    self->probe.present = result.outcome == STORVSC_OUTCOME_GOOD && result.transferred > 0;
    self->probe.outstanding = false;
    IOLockWakeup(self->lock, &self->probe, false);
    IOLockUnlock(self->lock);
}

static int send_inquiry(struct HyperVStorage *self)
{
    static const uint8_t cdb[6] = { SCSI_INQUIRY, 0, 0, 0, INQUIRY_BYTES, 0 };
    struct storvsc_command command = {
        .address = self->address, .direction = STORVSC_FROM_DEVICE, .transfer_bytes = INQUIRY_BYTES,
        .cdb = cdb, .cdb_length = sizeof cdb,
    };
    uint64_t page = dma_memory_page_number(&self->probe_memory, 0);
    struct gpa_range range = { INQUIRY_BYTES, 0, &page };
    struct storage_channel *primary = storage_primary(self);
    struct storvsc_packet packet;
    struct ring_piece piece = { &packet, 0 };
    int error;

    if (!self->is_ide)
        command.address.lun = self->probe.request.lun;
    piece.length = (uint32_t)storvsc_request(&primary->engine, &command, &packet);
    if (piece.length == 0)
        return HV_ERROR_STATE;
    error = device_channel_begin(primary->channel);
    if (error != 0)
        return error;
    error = device_channel_append_gpa_direct(primary->channel, &range, 1, &piece, 1, &self->probe);
    device_channel_commit(primary->channel);
    return error;
}

/* Takes the probe into use. Returns false while the host still has not answered an earlier one. */
static bool begin_probe(struct HyperVStorage *self, uint8_t lun)
{
    bool idle;

    IOLockLock(self->lock);
    idle = !self->probe.outstanding;
    if (idle)
        self->probe = (struct storage_probe){
            .request = { STORAGE_REQUEST_PROBE, SCSI_INQUIRY, lun, INQUIRY_BYTES },
            .outstanding = true,
        };
    IOLockUnlock(self->lock);
    return idle;
}

static void cancel_probe(struct HyperVStorage *self)
{
    IOLockLock(self->lock);
    self->probe.outstanding = false;
    IOLockUnlock(self->lock);
}

/* Returns 0 with the answer in `probe.present`, or HV_ERROR_TIMED_OUT: it may still be answered.
 * The end is not held up by it: from UNLOAD on the host is not told of what is in the ring. */
static int wait_for_probe(struct HyperVStorage *self)
{
    AbsoluteTime deadline;
    int result = THREAD_AWAKENED;
    bool answered;

    clock_interval_to_deadline(STORAGE_ANSWER_MILLISECONDS, kMillisecondScale, &deadline);
    IOLockLock(self->lock);
    while (self->probe.outstanding && !self->stopping && result != THREAD_TIMED_OUT)
        result = IOLockSleepDeadline(self->lock, &self->probe, deadline, THREAD_UNINT);
    answered = !self->probe.outstanding;
    IOLockUnlock(self->lock);
    return answered ? 0 : HV_ERROR_TIMED_OUT;
}

/* Asks for the device at this LUN. Returns 0 with `*there`, or an error: nothing is known. */
static int ask(struct HyperVStorage *self, uint8_t lun, bool *there)
{
    volatile uint8_t *inquiry = self->probe_memory.bytes;
    int error;

    if (!begin_probe(self, lun))
        return HV_ERROR_TIMED_OUT;
    error = send_inquiry(self);
    if (error != 0) {
        cancel_probe(self);
        return error;
    }
    error = wait_for_probe(self);
    if (error != 0)
        return error;
    *there = self->probe.present && inquiry[0] != SCSI_PERIPHERAL_ABSENT;
    return 0;
}

/* ---- targets ---- */

static void update_target(struct HyperVStorage *self, uint8_t lun, bool there)
{
    uint64_t bit = UINT64_C(1) << lun;

    if (there == ((self->present & bit) != 0))
        return;
    if (there) {
        storage_log(self, "LUN %u is there", (unsigned)lun);
        if (IOSCSIParallelInterfaceController_CreateTargetForID(&self->super, lun))
            self->present |= bit;
    } else {
        storage_log(self, "LUN %u went away", (unsigned)lun);
        self->present &= ~bit;
        IOSCSIParallelInterfaceController_DestroyTargetForID(&self->super, lun);
    }
}

static bool may_go_on(struct HyperVStorage *self)
{
    bool stopping;

    IOLockLock(self->lock);
    stopping = self->stopping;
    IOLockUnlock(self->lock);
    return !stopping && !device_is_gone(self->device);
}

static void scan_once(struct HyperVStorage *self)
{
    uint8_t count = self->is_ide ? 1 : STORVSC_LUNS_MAX;
    bool there = false;
    uint8_t lun;
    int error;

    for (lun = 0; lun < count && may_go_on(self); lun++) {
        error = ask(self, lun, &there);
        if (error != 0) {
            if (!may_go_on(self))
                return;
            storage_log(self, "scan ends at LUN %u: error %d", (unsigned)lun, error);
            return;
        }
        update_target(self, lun, there);
    }
}

/* ---- sizes ---- */

/* The driver of disks (IOSCSIBlockCommandsDevice) asks for the capacity anew when it gets this
 * message, which does not pass through what lies between it and the target's nub by itself: a
 * target device and a nub of the logical unit. */
static void tell_new_size(IOService *service, unsigned levels_between)
{
    OSIterator *clients;
    OSObject *client;

    IOService_messageClients(service, kIOMessageMediaParametersHaveChanged, NULL, 0);
    clients = levels_between > 0 ? IOService_getClientIterator(service) : NULL;
    while (clients != NULL && (client = OSIterator_getNextObject(clients)) != NULL)
        tell_new_size((IOService *)client, levels_between - 1);
    iokit_release(clients);
}

static void tell_new_sizes(struct HyperVStorage *self, uint64_t luns)
{
    IOSCSIParallelInterfaceDevice *nub;
    uint8_t lun;

    for (lun = 0; lun < STORVSC_LUNS_MAX; lun++) {
        if ((luns & self->present & UINT64_C(1) << lun) == 0)
            continue;
        nub = IOSCSIParallelInterfaceController_GetTargetForID(&self->super, lun);
        storage_log(self, "LUN %u has another size", (unsigned)lun);
        if (nub != NULL)
            tell_new_size((IOService *)nub, LEVELS_BETWEEN);
    }
}

/* ---- the thread ---- */

static void scan_thread(void *parameter, void *unused)
{
    struct HyperVStorage *self = parameter;
    uint64_t resized;
    bool scan;

    (void)unused;
    IOLockLock(self->lock);
    while ((self->scan_wanted || self->resized != 0) && !self->stopping) {
        scan = self->scan_wanted;
        resized = self->resized;
        self->scan_wanted = false;
        self->resized = 0;
        IOLockUnlock(self->lock);
        tell_new_sizes(self, resized);
        if (scan)
            scan_once(self);
        IOLockLock(self->lock);
    }
    self->scanning = false;
    IOLockWakeup(self->lock, &self->scanning, false);
    IOLockUnlock(self->lock);
}

static void want(struct HyperVStorage *self, bool scan, uint64_t resized)
{
    bool start;

    IOLockLock(self->lock);
    start = !self->scanning && !self->stopping;
    self->scan_wanted |= scan;
    self->resized |= resized;
    if (start)
        self->scanning = true;
    IOLockUnlock(self->lock);
    if (start)
        thread_call_enter(self->scan_call);
}

void storage_scan(struct HyperVStorage *self)
{
    want(self, true, 0);
}

void storage_capacity_changed(struct HyperVStorage *self, uint8_t lun)
{
    want(self, false, UINT64_C(1) << lun);
}

void storage_targets_stop(struct HyperVStorage *self)
{
    IOLockLock(self->lock);
    self->stopping = true;
    IOLockWakeup(self->lock, &self->probe, false);
    while (self->scanning)
        IOLockSleep(self->lock, &self->scanning, THREAD_UNINT);
    IOLockUnlock(self->lock);
}

bool storage_targets_init(struct HyperVStorage *self)
{
    self->scan_call = thread_call_allocate(scan_thread, self);
    return self->scan_call != NULL &&
           dma_memory_allocate(&self->probe_memory, PAGE_LIST_PAGE_SIZE, true) == 0;
}

void storage_targets_free(struct HyperVStorage *self)
{
    if (self->scan_call != NULL)
        thread_call_free(self->scan_call);
    self->scan_call = NULL;
    dma_memory_free(&self->probe_memory); /* the channel is closed: nothing is outstanding */
}
