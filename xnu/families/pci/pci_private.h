/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the PCI family share: private states of bridges and nubs, and the steps of
 * configuring a bus.
 *
 * A bridge scans its bus through its own virtual accessors, sizes and places base addresses, makes
 * a nub for each function and registers it. There is no configurator for the whole machine: each
 * host bridge has the windows that its driver declares. Source of the rules: Apple's IOPCIFamily
 * (IOPCIBridge.cpp, IOPCIConfigurator.cpp, IOPCIDevice.cpp, IOPCIMessagedInterruptController.cpp).
 */
#ifndef MACHV_XNU_FAMILIES_PCI_PRIVATE_H
#define MACHV_XNU_FAMILIES_PCI_PRIVATE_H

#include "abi/IOPCIBridge.h"
#include "abi/IOPCIDevice.h"
#include "abi/IORangeAllocator.h"
#include "abi/constants/pci.h"
#include "abi/kpi/globals.h"

#include "match/pci_registers.h"
#include "xnu/iokit/service.h"

enum {
    PCI_BASE_ADDRESSES = 6,
    PCI_ROM = PCI_BASE_ADDRESSES, /* index of the expansion ROM */
    PCI_RANGES = 7,
    PCI_SAVED_REGISTERS = 16,
    PCI_CLASS_DISPLAY = 0x03,
};

enum pci_range_kind { PCI_RANGE_NONE, PCI_RANGE_MEMORY, PCI_RANGE_PREFETCHABLE, PCI_RANGE_PORTS };

/* One base address of a function. */
struct pci_range {
    enum pci_range_kind kind;
    bool wide;      /* 64 bits: the next register is the upper half */
    uint64_t start; /* 0: has no place */
    uint64_t size;  /* a power of two */
};

struct pci_messages; /* pci_messages.c */

/* Hangs on IOPCIDevice's `reserved`. */
struct pci_nub {
    struct pci_registers registers; /* for matching, as they were when the nub was made */
    struct pci_range ranges[PCI_RANGES];
    uint32_t saved[PCI_SAVED_REGISTERS]; /* `savedConfig` */
    bool resourced;
    bool interrupts_resolved;
    struct pci_messages *messages; /* NULL: none allocated */
};

/* Hangs on IOPCIBridge's `reserved`. */
struct pci_bridge {
    IORangeAllocator *memory_low;  /* below 4 GiB */
    IORangeAllocator *memory_high;
    IORangeAllocator *ports;
};

static inline struct pci_nub *nub_state(const IOPCIDevice *nub)
{
    return (struct pci_nub *)nub->reserved;
}

static inline struct pci_bridge *bridge_state(const IOPCIBridge *bridge)
{
    return (struct pci_bridge *)bridge->reserved;
}

static inline uint8_t pci_range_register(unsigned index)
{
    return index == PCI_ROM ? kIOPCIConfigExpansionROMBase
                            : (uint8_t)(kIOPCIConfigBaseAddress0 + 4 * index);
}

/* pci_scan.c */
/* Makes a nub for each function that answers on the bridge's first bus and hangs it into the
 * device tree below `provider`; publishing is probeBus's. */
void pci_scan_bus(IOPCIBridge *bridge, IOService *provider);

/* pci_ranges.c */
/* Sizes and places the base addresses of the function at `space`. */
void pci_place_ranges(IOPCIBridge *bridge, IOPCIAddressSpace space, uint8_t base_class,
                      struct pci_range ranges[PCI_RANGES]);
/* Gives the ranges back to the bridge's windows. */
void pci_release_ranges(IOPCIBridge *bridge, const struct pci_range ranges[PCI_RANGES]);

/* pci_properties.c */
/* Properties of a nub for the function at `space`: +1, or NULL without memory. */
OSDictionary *pci_make_properties(IOPCIBridge *bridge, IOPCIAddressSpace space,
                                  const struct pci_range ranges[PCI_RANGES]);

/* pci_messages.c */
/* Gives the nub message-signalled interrupts if it has a capability for them: properties
 * IOInterruptControllers and IOInterruptSpecifiers. kIOReturnUnsupported: it has none. */
int32_t pci_messages_allocate(IOPCIDevice *nub);
/* Takes them back; nothing arrives at the nub's handlers any more. */
void pci_messages_free(IOPCIDevice *nub);

#endif
