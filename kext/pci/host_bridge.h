/* SPDX-License-Identifier: BSD-3-Clause */
/* Our bridges: their superclass and what they have in common. Before macOS 12 the superclass is
 * IOPCIBridge; from then on a bridge without a PCI device above it must be an IOPCIHostBridge. */
#ifndef KEXT_PCI_HOST_BRIDGE_H
#define KEXT_PCI_HOST_BRIDGE_H

#include "abi/IOPCIBridge.h"
#include "abi/IOPCIDevice.h"
#include "abi/constants.h"
#include "abi/runtime.h"

#if ABI_OLDEST >= 1200
#include "abi/IOPCIHostBridge.h"
typedef IOPCIHostBridge host_bridge;
#define HOST_BRIDGE_CLASS(length, Class, ...) \
    IOKIT_CLASS(length, Class, IOPCIHostBridge, __VA_ARGS__)
#define HOST_BRIDGE_DECLARE(length, Class)    IOKIT_CLASS_DECLARE(length, Class, IOPCIHostBridge)
#define host_bridge_super(method)             IOPCIHostBridge_super_##method
#else
typedef IOPCIBridge host_bridge;
#define HOST_BRIDGE_CLASS(length, Class, ...) \
    IOKIT_CLASS(length, Class, IOPCIBridge, __VA_ARGS__)
#define HOST_BRIDGE_DECLARE(length, Class)    IOKIT_CLASS_DECLARE(length, Class, IOPCIBridge)
#define host_bridge_super(method)             IOPCIBridge_super_##method
#endif

struct HyperVPCIRoot;

/* What our bridges have in common; the first member of each. */
struct host_bus {
    host_bridge super;
    /* Configuration space of the bus: any context, interrupts may be off. Set before start. */
    uint32_t (*read)(struct host_bus *bus, IOPCIAddressSpace space, uint32_t offset, uint32_t size);
    void (*write)(struct host_bus *bus, IOPCIAddressSpace space, uint32_t offset, uint32_t size,
                  uint32_t value);
    struct HyperVPCIRoot *root;         /* NULL: this is the root bridge, or it has not joined it */
    IORegistryEntry *tree;              /* where the provider is below, in the device tree */
    uint8_t number;                     /* 0: none yet, or the root's */
};

/* Gives the bus a number of the root bridge's, and its provider a place below that in the device
 * tree, where other kexts look for PCI. False: there is none, or the root bridge is on its way out;
 * host_bus_leave undoes it in either case. */
bool host_bus_join(struct host_bus *bus, struct HyperVPCIRoot *root, IOService *provider);
void host_bus_leave(struct host_bus *bus, IOService *provider);

/* Methods of IOPCIBridge, the same for all. */
uint32_t host_bus_read32(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset);
uint16_t host_bus_read16(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset);
uint8_t host_bus_read8(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset);
void host_bus_write32(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset, uint32_t value);
void host_bus_write16(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset, uint16_t value);
void host_bus_write8(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset, uint8_t value);
uint8_t host_bus_number(IOPCIBridge *me);
IODeviceMemory *host_bus_ports(IOPCIBridge *me);
IOPCIAddressSpace host_bus_space(IOPCIBridge *me);

#define HOST_BUS_METHODS                                                                          \
    .firstBusNum = host_bus_number, .ioDeviceMemory = host_bus_ports,                             \
    .getBridgeSpace = host_bus_space, .configRead32 = host_bus_read32,                            \
    .configRead16 = host_bus_read16, .configRead8 = host_bus_read8,                               \
    .configWrite32 = host_bus_write32, .configWrite16 = host_bus_write16,                         \
    .configWrite8 = host_bus_write8

#endif
