/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVPCIRoot: the machine's root bridge. Generation 1 machines have one, behind the ports 0xCF8
 * and 0xCFC, which this class drives. Generation 2 machines have none, but macOS wants one before
 * anything of PCI works: there it is a bridge to an empty bus below HyperVPCIProvider.
 *
 * The busses of passed-through devices are numbered here, and accesses to them that macOS makes
 * through the root bridge are handed on. */
#ifndef KEXT_PCI_HYPERVPCIROOT_H
#define KEXT_PCI_HYPERVPCIROOT_H

#include "abi/kpi/locks.h"
#include "kext/pci/host_bridge.h"

#define PCI_ROOT_BUSSES    256u
#define PCI_ROOT_BUS_FIRST 0x10u        /* numbers below are the machine's own */
#define PCI_ROOT_BUS_LAST  0xfeu

struct HyperVPCIRoot {
    struct host_bus bus;
    IOSimpleLock *lock;                 /* guards `busses` and the ports */
    bool has_ports;                     /* generation 1 */
    struct host_bus *busses[PCI_ROOT_BUSSES];   /* not retained */
};
HOST_BRIDGE_DECLARE(13, HyperVPCIRoot);

/* Waits until the root bridge is there, at most `seconds`. Borrowed, or NULL. */
HyperVPCIRoot *pci_root_wait(uint32_t seconds);

/* Gives a bus a number; `bus` must live until it is removed. Returns 0 if there is none left. */
uint8_t pci_root_add_bus(HyperVPCIRoot *root, struct host_bus *bus);

/* On return the root bridge does not use the bus any more. */
void pci_root_remove_bus(HyperVPCIRoot *root, uint8_t number);

/* The registry entry below which PCI lies in the device tree. Borrowed. */
IORegistryEntry *pci_root_device_tree(HyperVPCIRoot *root);

#endif
