/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVPCIBridge: a bus of passed-through devices, one VMBus channel a bus. It brings the bus up,
 * hands macOS's configuration accesses to the functions, and gives them interrupts.
 *
 * `lock` guards the protocol's state, the functions' states and the table of interrupts, and is
 * never held while the host is waited for. `busy` keeps interrupts from being made while their
 * function is given back. `config_lock` guards the window and the functions' configuration spaces
 * and is taken with interrupts off: accessors are called where nothing may block. Lock order: busy,
 * lock, config_lock. */
#ifndef KEXT_PCI_HYPERVPCIBRIDGE_H
#define KEXT_PCI_HYPERVPCIBRIDGE_H

#include "abi/IOMemoryMap.h"
#include "abi/kpi/threads.h"
#include "kext/core/device_channel.h"
#include "kext/pci/HyperVPCIRoot.h"
#include "kext/pci/interrupts.h"
#include "kext/pci/vpci.h"

#define BRIDGE_ANSWER_MILLISECONDS 10000u

struct bridge_function {
    bool present;                       /* has resources at the host; under config_lock */
    struct config config;               /* under config_lock */
};

struct HyperVPCIBridge {
    struct host_bus bus;
    HyperVVMBusDevice *device;          /* the provider */
    struct device_channel *channel;
    IOLock *busy;
    IOLock *lock;
    struct vpci vpci;
    struct interrupts interrupts;
    bool gone;                          /* the host took the bus away: no ring, no window */
    bool published;                     /* macOS has the bus: changes are the worker's */
    bool removing;                      /* stop has begun: nothing new */
    bool restart;                       /* functions came that this bus cannot show: begin anew */
    bool powered;                       /* D0 */
    thread_call_t worker;
    bool worker_queued;                 /* or running */
    bool worker_wanted;                 /* there is something new for it */
    IOSimpleLock *config_lock;
    struct config_port port;            /* the window as the configuration engine uses it */
    volatile uint8_t *window;           /* NULL: not there */
    uint64_t window_address;
    IOMemoryMap *window_map;
    struct bridge_function functions[VPCI_BUS_FUNCTIONS];   /* as in `vpci` */
    bool left_out[VPCI_BUS_FUNCTIONS];  /* did not come up; under lock */
    bool leaving[VPCI_BUS_FUNCTIONS];   /* its nub is being terminated; the worker's */
};
HOST_BRIDGE_DECLARE(15, HyperVPCIBridge);

/* ---- bridge_bus.c: the bus at the host; all return 0 or a negative code ---------------------- */

/* Sends a request and reads the status of its answer. */
int bridge_request(HyperVPCIBridge *bridge, const void *message, uint32_t size);

/* Sends a message that is not answered. */
int bridge_tell(HyperVPCIBridge *bridge, const void *message, uint32_t size);

/* The host has not taken the function away: messages may name it. */
bool bridge_host_has(HyperVPCIBridge *bridge, uint32_t slot);

/* From the open channel to functions that have resources and can be configured. */
int bridge_bring_up(HyperVPCIBridge *bridge);

/* Takes a function's resources back; macOS has no nub of it any more. `index` is of `functions`. */
void bridge_release_function(HyperVPCIBridge *bridge, uint32_t index);

/* Everything that bring_up did, in reverse; also after it failed. */
void bridge_take_down(HyperVPCIBridge *bridge);

/* ---- bridge_config.c: configuration space ---------------------------------------------------- */

/* Maps the window, before D0 entry. */
int bridge_map_window(HyperVPCIBridge *bridge);
void bridge_unmap_window(HyperVPCIBridge *bridge);

/* From now on nothing touches the window. */
void bridge_shut_window(HyperVPCIBridge *bridge);

/* Any context, interrupts may be off. */
uint32_t bridge_config_read(struct host_bus *me, IOPCIAddressSpace space, uint32_t offset,
                            uint32_t size);
void bridge_config_write(struct host_bus *me, IOPCIAddressSpace space, uint32_t offset,
                         uint32_t size, uint32_t value);

/* The index of the function at this place, or VPCI_BUS_FUNCTIONS. */
uint32_t bridge_function_at(const HyperVPCIBridge *bridge, IOPCIAddressSpace space);

/* ---- bridge_interrupts.c --------------------------------------------------------------------- */

/* Makes interrupts with `vector` as the first for the nub's function, in place of those that it
 * has. `message` gets the address's halves and the data. */
int bridge_create_interrupts(HyperVPCIBridge *bridge, IOPCIDevice *nub, uint32_t vector,
                             uint32_t message[3]);
void bridge_delete_interrupts(HyperVPCIBridge *bridge, uint32_t slot);

/* Tells macOS how many vectors the nub may have. */
void bridge_offer_vectors(HyperVPCIBridge *bridge, IOPCIDevice *nub);

/* ---- bridge_events.c ------------------------------------------------------------------------- */

/* Handlers of the channel. */
void bridge_packet_arrived(void *owner, struct device_channel *channel,
                           const struct packet_view *packet);
void bridge_channel_gone(void *owner, struct device_channel *channel);

/* The worker's function: removes functions that the host has taken away or wants back. */
void bridge_work(void *bridge, void *unused);

/* Has the worker look, if the bus is published. The lock is held. */
void bridge_wake_worker(HyperVPCIBridge *bridge);

/* Counters to the registry. */
void bridge_publish_counters(HyperVPCIBridge *bridge);

/* ---- bridge_properties.c --------------------------------------------------------------------- */

/* Sets properties that the boot loader has for this device. */
void bridge_inject_properties(HyperVPCIBridge *bridge, IOPCIDevice *nub);

#endif
