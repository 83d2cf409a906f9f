/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVVMBus: the connection to the host's VMBus. Owns the connection engine, turns offers into
 * HyperVVMBusDevice nubs, and lets threads wait for the host's replies.
 *
 * Control messages are handled on the bus's own work loop thread, which never waits for anything
 * but posting. `lock` guards the connection engine; a thread that waits for a reply sleeps on the
 * lock and looks at its own request each time it is woken. Lock order: device, then bus. */
#ifndef KEXT_CORE_VMBUS_H
#define KEXT_CORE_VMBUS_H

#include "abi/IOInterruptEventSource.h"
#include "abi/IOService.h"
#include "abi/IOWorkLoop.h"
#include "abi/kpi/locks.h"
#include "abi/runtime.h"
#include "kext/core/HyperVInterruptController.h"
#include "kext/core/connection.h"
#include "kext/core/controller.h"
#include "kext/core/mmio.h"

#define VMBUS_CONTACT_TIMEOUT_MS 1000u      /* for one proposed version */
#define VMBUS_REPLY_TIMEOUT_MS   10000u     /* opening, GPADLs */
#define VMBUS_UNLOAD_TIMEOUT_MS  10000u
#define VMBUS_OFFERS_TIMEOUT_MS  2000u      /* all of them, after connecting */

typedef struct HyperVVMBusDevice HyperVVMBusDevice;

struct HyperVVMBus {
    IOService super;
    HyperVController *controller;           /* the provider */
    IOLock *lock;
    struct connection *connection;
    struct connection_message proposal;     /* the next version to propose, when `proposal_ready` */
    bool proposal_ready;
    volatile bool unloading;                /* UNLOAD is to be sent, or was: no signal may follow */
    volatile int32_t signalling;            /* threads between `unloading` read and the doorbell */
    uint32_t posting;                       /* messages being posted; guarded by `lock` */
    bool was_connected;                     /* from then on there may be devices */
    bool unload_over;                       /* its outcome is known */
    bool unloaded;                          /* the host has confirmed that it forgot everything */
    bool shared_interrupts;                 /* a host before 2.4: flags are in the interrupt page */
    IOWorkLoop *work_loop;                  /* of control messages only */
    IOInterruptEventSource *message_source;
    struct dma_memory interrupt_page;       /* of hosts before 2.4; given to the host for good */
    /* Which event source a channel's flag signals, or which vector it raises if there is none.
     * Looked at in interrupt context. */
    IOSimpleLock *target_lock;
    IOInterruptEventSource *targets[VMBUS_CHANNEL_MAXIMUM + 1];
    uint8_t vectors[VMBUS_CHANNEL_MAXIMUM + 1];
    HyperVInterruptController *interrupts;  /* calls to add and remove are made with `lock` held */
    /* Whose channel it is; guarded by `lock`. Not retained: a device takes itself out. */
    HyperVVMBusDevice *devices[VMBUS_CHANNEL_MAXIMUM + 1];
    struct mmio_space mmio;                 /* guarded by `lock` */
};
IOKIT_CLASS_DECLARE(11, HyperVVMBus, IOService);

/* ---- For devices: errors of the connection engine, HV_ERROR_TIMED_OUT and HV_ERROR_IO besides  */

/* VMBus version in use. */
uint32_t vmbus_version(HyperVVMBus *bus);

/* Opens the channel on its ring GPADL and waits for the host's word. */
int vmbus_open_channel(HyperVVMBus *bus, uint32_t channel_id,
                       const struct connection_open_parameters *parameters);

/* Closes the channel if the host has it open, or may have. */
int vmbus_close_channel(HyperVVMBus *bus, uint32_t channel_id);

/* Gives `memory` (wired until vmbus_teardown_gpadl returns 0) to the host. If this fails with
 * anything but HV_ERROR_REFUSED, `*gpadl_id` may be known to the host all the same: it is not 0
 * then and must be torn down, or the memory leaked. */
int vmbus_create_gpadl(HyperVVMBus *bus, uint32_t channel_id, struct dma_memory *memory,
                       uint32_t *gpadl_id);

/* Takes memory back. Only 0 means that the host does not touch it any more. */
int vmbus_teardown_gpadl(HyperVVMBus *bus, uint32_t gpadl_id);

/* Gives the channel id back to the host after a rescind. */
void vmbus_release_channel(HyperVVMBus *bus, uint32_t channel_id);

/* Aims the channel's interrupts at `source`, NULL for nowhere. On return no interrupt handler uses
 * the old one any more. */
void vmbus_set_target(HyperVVMBus *bus, uint32_t channel_id, IOInterruptEventSource *source);

/* Flags of the channel raise this vector of the interrupt controller while they have no target; 0:
 * no longer. On return no interrupt handler uses the old one any more. */
void vmbus_set_vector(HyperVVMBus *bus, uint32_t channel_id, uint32_t vector);

/* Signals the host on a channel; any context. */
void vmbus_signal(HyperVVMBus *bus, const struct offer *offer);

/* From now on no channel rings the doorbell; returns when none is about to any more. */
void vmbus_stop_signals(HyperVVMBus *bus);

/* Takes a device out of the bus's table, before it goes away. */
void vmbus_forget_device(HyperVVMBus *bus, HyperVVMBusDevice *device);

/* ---- Between the bus's files ----------------------------------------------------------------- */

/* Learns where devices may have memory, from the machine's ACPI tables. */
void vmbus_find_mmio(HyperVVMBus *bus);

/* Connects to the host; blocks until it has said yes to some version. */
int vmbus_connect(HyperVVMBus *bus);

/* Waits until the host has offered what it has, and until passed-through PCI devices are in the
 * registry: other kexts look for such once, early in the boot. A few seconds at most. */
void vmbus_await_early_devices(HyperVVMBus *bus);

/* Posts a message, unless the host is being left: then it must hear nothing more, and the error is
 * HV_ERROR_GONE. Otherwise as controller_post_message. */
int vmbus_post(HyperVVMBus *bus, const struct connection_message *message);

/* Asks the host to forget everything and waits for its word. Returns 0 or HV_ERROR_TIMED_OUT. */
int vmbus_disconnect(HyperVVMBus *bus);

/* Handles every message in the controller's queue; on the bus's work loop. */
void vmbus_handle_messages(HyperVVMBus *bus);

/* An offer or a rescind has been received; on the bus's work loop, without the lock. */
void vmbus_offer_received(HyperVVMBus *bus, const struct offer *offer);
void vmbus_rescind_received(HyperVVMBus *bus, uint32_t channel_id);
/* The host has confirmed UNLOAD: tells every device; any thread, without the lock. */
void vmbus_devices_unloaded(HyperVVMBus *bus);

/* In a crash: tells the host to let go, without locks, waiting at most a few seconds. */
void vmbus_crash_unload(HyperVVMBus *bus);

#endif
