/* SPDX-License-Identifier: BSD-3-Clause */
/* The superclass of our bridges. Before macOS 12 that is IOPCIBridge; from then on a bridge without
 * a PCI device above it must be an IOPCIHostBridge. */
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

/* Offset in configuration space that an accessor means. */
static inline uint32_t host_bridge_offset(IOPCIAddressSpace space, uint8_t offset)
{
    return (uint32_t)space.es.registerNumExtended << 8 | offset;
}

#endif
