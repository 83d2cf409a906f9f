/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host side of virtual PCI: a bus of assigned functions (host/pci), one VMBus channel.
 *
 * Facts: Linux pci-hyperv, FreeBSD vmbus_pcib, OpenVMM vpci; docs/pci.md.
 */
#ifndef HOST_DEVICES_VPCI_H
#define HOST_DEVICES_VPCI_H

#include "host/devices/virtual_device.h"
#include "host/pci/description.h"
#include "protocol/vpci.h"

struct vpci;

struct vpci_settings {
    const char *name;      /* for people; copied */
    struct guid instance;  /* also decides on the device id of hypercalls */
    uint32_t version_min, version_max; /* VPCI_VERSION_*, inclusive */
    uint32_t order;
    bool first_d0_fails;   /* as a host does that still has resources of a crashed guest */
    struct pci_function *const *functions; /* taken over when vpci_new() succeeds */
    unsigned function_count;
};

/* NULL when memory is short. */
struct vpci *vpci_new(const struct vpci_settings *settings);
struct virtual_device *vpci_device(struct vpci *bus);

const char *vpci_name(const struct vpci *bus);
/* Function number `index`, from 0, whether or not the guest still has it; NULL: there is none. */
struct pci_function *vpci_function(struct vpci *bus, unsigned index);

/*
 * Asks the guest to let go of a function; after its answer, or 60 s, it is taken away, and with the
 * last one the bus. Returns 0, -ENOENT (no such function), -EALREADY (asked before) or -ENOTCONN
 * (no driver to ask: it is taken away at once).
 */
int vpci_eject(struct vpci *bus, uint32_t slot, uint64_t now_ns);

/* Takes a function away without asking. 0 or -ENOENT. The last one takes the bus with it. */
int vpci_remove(struct vpci *bus, uint32_t slot);

/*
 * Puts a function back that went while its bus stayed, as after power on. Returns 0, -ENOENT (no
 * such function ever was, or the bus went with it), -EEXIST (it is there), or -EBUSY (the guest has
 * not been told yet that it went).
 */
int vpci_restore(struct vpci *bus, uint32_t slot);

/* Tells the guest that blocks (a bit each) of a function's side channel changed; 0 or -ENOENT. */
int vpci_invalidate_blocks(struct vpci *bus, uint32_t slot, uint64_t blocks);
/* Tells it that something on the bus changed. */
void vpci_invalidate(struct vpci *bus);

/* The guest has let go of the bus after unplug, and nothing is in flight: it may be freed. */
bool vpci_is_gone(const struct vpci *bus);

/* True if the hypercall's device id names a function of this bus. */
bool vpci_has_device(const struct vpci *bus, uint64_t device_id);
/* HvCallRetargetDeviceInterrupt for one of the bus's functions; an HV_STATUS_* code. */
uint32_t vpci_retarget(struct vpci *bus, uint64_t device_id, uint32_t address, uint32_t data,
                       uint8_t vector, uint32_t processor);

#endif
