/* SPDX-License-Identifier: BSD-3-Clause */
/* Time-outs and resets.
 *
 * The protocol has no abort, and the host promises to complete every request. Until it does, the
 * pages of the task are the host's: a task is never given back on a time-out, or a late write could
 * hit memory that is in use for something else (Linux re-arms its timer for the same reason). The
 * LUN is reset once, which makes real hosts finish what they have. */
#include "kext/storage/HyperVStorage.h"

#include "abi/constants.h"
#include "abi/kpi/time.h"

/* The reset of a LUN; its length, or 0. */
static uint32_t make_reset(struct HyperVStorage *self, uint8_t lun, struct storvsc_packet *packet)
{
    struct storvsc_address address = self->address;

    if (!self->is_ide)
        address.lun = lun;
    return (uint32_t)storvsc_reset_request(&storage_primary(self)->engine, STORVSC_RESET_OF_LUN,
                                           address, packet);
}

static void ask_for_reset(struct HyperVStorage *self, uint8_t lun)
{
    struct device_channel *channel = storage_primary(self)->channel;
    struct storvsc_packet packet;
    struct ring_piece piece = { &packet, make_reset(self, lun, &packet) };
    int error;

    if (piece.length == 0 || device_channel_begin(channel) != 0)
        return;
    /* With a completion, though nobody waits for it: hosts take no storage packet without. */
    self->reset.kind = STORAGE_REQUEST_RESET;
    error = device_channel_append_request(channel, &piece, 1, &self->reset);
    device_channel_commit(channel);
    if (error != 0)
        storage_log(self, "LUN %u: no room for a reset", (unsigned)lun);
}

void storage_task_timed_out(IOSCSIParallelInterfaceController *me, OSObject *parallel)
{
    struct HyperVStorage *self = (struct HyperVStorage *)me;
    struct storage_task *task = IOSCSIParallelInterfaceController_GetHBADataPointer(me, parallel);

    IOSCSIParallelInterfaceController_SetTimeoutForTask(me, parallel, STORAGE_TASK_MILLISECONDS);
    if (!task->in_flight)
        return; /* it waits for room, or for the end of a backup: the host does not have it */
    task->timeouts++;
    storage_log(self, "LUN %u: no answer to command 0x%02x for %u s", (unsigned)task->request.lun,
                (unsigned)task->request.operation_code,
                (unsigned)(task->timeouts * (STORAGE_TASK_MILLISECONDS / 1000)));
    if (task->timeouts == 1)
        ask_for_reset(self, task->request.lun);
}

/* Waits until the host has given back every task of the LUN. */
static bool drain(struct HyperVStorage *self, uint64_t lun)
{
    uint16_t *outstanding = &self->outstanding[lun];
    AbsoluteTime deadline;
    int result = THREAD_AWAKENED;
    bool empty;

    clock_interval_to_deadline(STORAGE_DRAIN_MILLISECONDS, kMillisecondScale, &deadline);
    IOLockLock(self->lock);
    while (*outstanding != 0 && result != THREAD_TIMED_OUT)
        result = IOLockSleepDeadline(self->lock, outstanding, deadline, THREAD_UNINT);
    empty = *outstanding == 0;
    IOLockUnlock(self->lock);
    return empty;
}

SCSIServiceResponse storage_reset_lun(IOSCSIParallelInterfaceController *me, uint64_t target,
                                      uint64_t lun)
{
    struct HyperVStorage *self = (struct HyperVStorage *)me;
    struct storvsc_packet packet;
    struct storvsc_packet reply;
    struct ring_piece piece = { &packet, 0 };
    uint32_t reply_length = sizeof reply;

    if (target >= STORVSC_LUNS_MAX || lun != 0 || self->channel_count == 0)
        return kSCSIServiceResponse_FUNCTION_REJECTED;
    piece.length = make_reset(self, (uint8_t)target, &packet);
    if (piece.length == 0 ||
        device_channel_call(storage_primary(self)->channel, &piece, 1, &reply, &reply_length,
                            STORAGE_ANSWER_MILLISECONDS) != 0 ||
        !storvsc_reset_reply(&storage_primary(self)->engine, &reply, reply_length))
        return kSCSIServiceResponse_FUNCTION_REJECTED;
    return drain(self, target) ? kSCSIServiceResponse_FUNCTION_COMPLETE
                               : kSCSIServiceResponse_FUNCTION_REJECTED;
}

SCSIServiceResponse storage_reset_target(IOSCSIParallelInterfaceController *me, uint64_t target)
{
    return storage_reset_lun(me, target, 0);
}
