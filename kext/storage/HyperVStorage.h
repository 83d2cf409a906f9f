/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic SCSI (and accelerated IDE) controller as an IOSCSIParallelInterfaceController.
 *
 * Each LUN of the controller is a SCSI target of its own with LUN 0, as startup disk selection
 * needs. The files:
 *   HyperVStorage.c     the class: limits, start and stop
 *   storage_channels.c  the primary channel and its sub-channels: opening, agreement, closing
 *   storage_tasks.c     tasks of the SCSI stack: to a ring, and back from it
 *   storage_resets.c    time-outs and resets
 *   storage_targets.c   which LUNs are there: scans, hot add and removal; new sizes */
#ifndef KEXT_STORAGE_HYPERVSTORAGE_H
#define KEXT_STORAGE_HYPERVSTORAGE_H

#include "abi/IOSCSIParallelInterfaceController.h"
#include "abi/OSNumber.h"
#include "abi/kpi/locks.h"
#include "abi/kpi/threads.h"
#include "abi/runtime.h"
#include "kext/core/device_channel.h"
#include "kext/core/dma_memory.h"
#include "kext/core/log.h"
#include "kext/core/write_hold.h"
#include "kext/storage/page_list.h"
#include "kext/storage/storvsc_engine.h"

enum {
    STORAGE_TASKS_MAX = 256,               /* tasks in flight on one controller */
    STORAGE_TRANSFER_MAX = 2 << 20,        /* bytes of one task; less if the host says so */
    STORAGE_CHANNELS_MAX = 8,              /* the primary and its sub-channels */
    STORAGE_TRANSMIT_PAGES = 256,          /* ring for requests: 256 tasks of 2 MiB just fit */
    STORAGE_RECEIVE_PAGES = 64,
    STORAGE_SUB_TRANSMIT_PAGES = 64,       /* of a sub-channel; tasks without room there wait */
    STORAGE_SUB_RECEIVE_PAGES = 16,
    STORAGE_ANSWER_MILLISECONDS = 5000,    /* for initialisation and resets, as Linux, FreeBSD */
    STORAGE_DRAIN_MILLISECONDS = 10000,    /* for what is outstanding when a LUN is reset */
    STORAGE_TASK_MILLISECONDS = 60000,     /* before a task is asked after */
};

/* What waits for a completion: a task of the SCSI stack, or a probe or reset of ours. */
enum storage_request_kind { STORAGE_REQUEST_TASK, STORAGE_REQUEST_PROBE, STORAGE_REQUEST_RESET };

struct storage_request {
    enum storage_request_kind kind;
    uint8_t operation_code; /* of the CDB */
    uint8_t lun;
    uint32_t requested;     /* bytes */
};

/* One INQUIRY of a scan. It belongs to the controller, not to the scanning thread, because a host
 * that answers late still owns it. */
struct storage_probe {
    struct storage_request request;
    bool outstanding;           /* the host has it */
    bool present;               /* what it answered */
};

/* The HBA-specific data of one parallel task; memory and zeroing are the superclass's. */
struct storage_task {
    struct storage_request request;
    OSObject *parallel;         /* the task itself, borrowed */
    struct storage_task *next;  /* among those that wait for room in the ring, or are held */
    bool writes;                /* data go to the disk */
    bool dma_prepared;
    bool in_flight;             /* the host has it */
    uint32_t timeouts;          /* of this use */
};

struct HyperVStorage;

/* One channel of the controller. A task goes by any, and comes back on the one it went by. */
struct storage_channel {
    struct HyperVStorage *controller;
    struct device_channel *channel;     /* NULL when closed */
    struct storvsc_engine engine;       /* as agreed; its counters are this channel's work loop's */
    uint64_t failures;                  /* requests that the host failed; the work loop's */

    /* Under the channel's transmit lock (device_channel_begin): */
    uint64_t *pages;                    /* scratch for one page list */
    struct storage_task *waiting_first; /* tasks for which the ring had no room */
    struct storage_task *waiting_last;
};

struct HyperVStorage {
    IOSCSIParallelInterfaceController super;
    HyperVVMBusDevice *device;          /* the provider, borrowed */
    struct storage_channel channels[STORAGE_CHANNELS_MAX]; /* the first is the primary */
    uint32_t channel_count;             /* open ones; does not change while tasks are accepted */
    uint32_t first_processor;           /* that of the primary's interrupts */
    struct storvsc_address address;     /* of an IDE disk; zero for SCSI */
    bool is_ide;
    uint32_t transfer_bytes_max;
    OSNumber *alignment_mask;           /* for ReportHBAConstraints, which must not fail */

    /* Under `lock`: */
    IOLock *lock;
    uint16_t outstanding[STORVSC_LUNS_MAX]; /* tasks that the host has, per LUN */
    bool holding;                       /* writes wait; also read without the lock */
    struct storage_task *held_first;
    struct storage_task *held_last;
    uint64_t present;                   /* LUNs that have a target */
    uint64_t resized;                   /* LUNs whose new size the system is to be told of */
    bool scan_wanted;
    bool scanning;
    bool stopping;

    struct storage_request reset;       /* of any LUN that was slow; its completion says nothing */
    struct storage_probe probe;         /* under `lock` */
    struct dma_memory probe_memory;     /* one page for INQUIRY data */
    thread_call_t scan_call;
    struct write_hold_queue hold_queue;
};

IOKIT_CLASS_DECLARE(13, HyperVStorage, IOSCSIParallelInterfaceController);

/* One line in the kernel log, with the controller's channel. */
#define storage_log(self, format, ...)                                                            \
    hv_log("HyperVStorage", "channel %u: " format,                                                \
           (unsigned)device_offer((self)->device)->channel_id, ##__VA_ARGS__)

static inline struct storage_channel *storage_primary(struct HyperVStorage *self)
{
    return &self->channels[0];
}

/* ---- storage_channels.c ---- */

/* Opens the primary channel, agrees with the host on a protocol version, opens as many
 * sub-channels as host and processors make useful. False, with a line in the log, when the host
 * does not serve us. */
bool storage_channels_open(struct HyperVStorage *self);
/* Closes all; ends what waits for room. */
void storage_channels_close(struct HyperVStorage *self);
/* The channel for a task that is sent from the processor we are on. */
struct storage_channel *storage_channel_choose(struct HyperVStorage *self);

/* ---- storage_tasks.c ---- */

SCSIServiceResponse storage_process_task(IOSCSIParallelInterfaceController *me,
                                         OSObject *parallel);
/* Handlers of a channel; `owner` is the storage_channel. */
void storage_completion(void *owner, struct device_channel *channel, void *request, int error,
                        const struct packet_view *packet);
void storage_room(void *owner, struct device_channel *channel);
/* Ends what waits for room, after the channel is closed. */
void storage_fail_waiting(struct storage_channel *channel);
/* Sends a task that was held, or ends it. */
void storage_resume(struct HyperVStorage *self, struct storage_task *task);

/* ---- storage_holds.c ---- */

/* Takes part in holds of the backup service (kext/core/write_hold.h); not any more, and what was
 * held is resumed. Stopping what was not started is allowed. */
void storage_holds_start(struct HyperVStorage *self);
void storage_holds_stop(struct HyperVStorage *self);
/* True: the task is a write and waits for the end of the hold. */
bool storage_hold(struct HyperVStorage *self, struct storage_task *task);

/* ---- storage_resets.c ---- */

void storage_task_timed_out(IOSCSIParallelInterfaceController *me, OSObject *parallel);
SCSIServiceResponse storage_reset_lun(IOSCSIParallelInterfaceController *me, uint64_t target,
                                      uint64_t lun);
SCSIServiceResponse storage_reset_target(IOSCSIParallelInterfaceController *me, uint64_t target);

/* ---- storage_targets.c ---- */

/* Allocates what scans need, before the channel is opened. */
bool storage_targets_init(struct HyperVStorage *self);
/* Asks for a scan, from any context that may take a mutex. */
void storage_scan(struct HyperVStorage *self);
/* The host says that the disk at this LUN has another size; same context. Whoever is above the
 * target is told to ask for it, on another thread. */
void storage_capacity_changed(struct HyperVStorage *self, uint8_t lun);
/* Forbids scans and waits for one that runs. */
void storage_targets_stop(struct HyperVStorage *self);
void storage_targets_free(struct HyperVStorage *self);
/* The completion of a probe. */
void storage_probe_completed(struct HyperVStorage *self, struct storage_request *request,
                             int error, const struct packet_view *packet);

#endif
