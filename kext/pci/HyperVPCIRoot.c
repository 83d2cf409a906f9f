/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVPCIRoot: the machine's root bridge. */
#include "kext/pci/HyperVPCIRoot.h"

#include "abi/OSData.h"
#include "abi/OSDictionary.h"
#include "abi/kpi/globals.h"
#include "kext/core/log.h"
#include "kext/core/processor.h"
#include "kext/core/shared_memory.h"

static const char who[] = "HyperVPCIRoot";

#define PORT_ADDRESS 0xcf8u
#define PORT_DATA    0xcfcu
#define PORT_ENABLE  0x80000000u
#define PORT_SPACE   0x100u             /* the ports reach no extended space */

/* A record of "acpi-address-spaces". */
#define RECORD_SIZE   0x50u
#define RECORD_FIRST  0x18u
#define RECORD_LENGTH 0x30u
#define RECORD_MEMORY 0u
#define RECORD_PORTS  1u

/* ---- Configuration space --------------------------------------------------------------------- */

static void select_port(IOPCIAddressSpace space, uint32_t offset)
{
    processor_out32(PORT_ADDRESS, PORT_ENABLE | (space.bits & 0xffff00u) | (offset & 0xfcu));
}

static uint32_t read_port(uint32_t offset, uint32_t size)
{
    uint16_t port = (uint16_t)(PORT_DATA + offset % 4);

    return size == 4 ? processor_in32(port) : size == 2 ? processor_in16(port)
                                                        : processor_in8(port);
}

static void write_port(uint32_t offset, uint32_t size, uint32_t value)
{
    uint16_t port = (uint16_t)(PORT_DATA + offset % 4);

    if (size == 4)
        processor_out32(port, value);
    else if (size == 2)
        processor_out16(port, (uint16_t)value);
    else
        processor_out8(port, (uint8_t)value);
}

static uint32_t root_read(struct host_bus *me, IOPCIAddressSpace space, uint32_t offset,
                          uint32_t size)
{
    HyperVPCIRoot *root = (HyperVPCIRoot *)me;
    IOInterruptState state = IOSimpleLockLockDisableInterrupt(root->lock);
    struct host_bus *bus = root->busses[space.s.busNum];
    uint32_t value = UINT32_MAX;

    if (bus != NULL) {
        value = bus->read(bus, space, offset, size);
    } else if (root->has_ports && offset < PORT_SPACE) {
        select_port(space, offset);
        value = read_port(offset, size);
    }
    IOSimpleLockUnlockEnableInterrupt(root->lock, state);
    return value;
}

static void root_write(struct host_bus *me, IOPCIAddressSpace space, uint32_t offset,
                       uint32_t size, uint32_t value)
{
    HyperVPCIRoot *root = (HyperVPCIRoot *)me;
    IOInterruptState state = IOSimpleLockLockDisableInterrupt(root->lock);
    struct host_bus *bus = root->busses[space.s.busNum];

    if (bus != NULL) {
        bus->write(bus, space, offset, size, value);
    } else if (root->has_ports && offset < PORT_SPACE) {
        select_port(space, offset);
        write_port(offset, size, value);
    }
    IOSimpleLockUnlockEnableInterrupt(root->lock, state);
}

/* ---- Busses of passed-through devices -------------------------------------------------------- */

HyperVPCIRoot *pci_root_wait(uint32_t seconds)
{
    OSDictionary *matching = IOService_serviceMatching_cstring("HyperVPCIRoot", NULL);
    struct mach_timespec limit = { .tv_sec = seconds };

    return iokit_cast(HyperVPCIRoot, IOService_waitForService(matching, &limit));
}

uint8_t pci_root_add_bus(HyperVPCIRoot *root, struct host_bus *bus)
{
    IOInterruptState state = IOSimpleLockLockDisableInterrupt(root->lock);
    uint32_t number = PCI_ROOT_BUS_FIRST;

    while (number <= PCI_ROOT_BUS_LAST && root->busses[number] != NULL)
        number++;
    if (number <= PCI_ROOT_BUS_LAST)
        root->busses[number] = bus;
    IOSimpleLockUnlockEnableInterrupt(root->lock, state);
    return number <= PCI_ROOT_BUS_LAST ? (uint8_t)number : 0;
}

void pci_root_remove_bus(HyperVPCIRoot *root, uint8_t number)
{
    IOInterruptState state = IOSimpleLockLockDisableInterrupt(root->lock);

    root->busses[number] = NULL;
    IOSimpleLockUnlockEnableInterrupt(root->lock, state);
}

IORegistryEntry *pci_root_device_tree(HyperVPCIRoot *root)
{
    return (IORegistryEntry *)IOService_getProvider((IOService *)root);
}

/* ---- The bridge ------------------------------------------------------------------------------ */

static void add_window(IOPCIBridge *me, const uint8_t *record)
{
    uint64_t first, length;
    uint32_t type;

    memcpy(&type, record, sizeof type);
    memcpy(&first, record + RECORD_FIRST, sizeof first);
    memcpy(&length, record + RECORD_LENGTH, sizeof length);
#if defined(__i386__)
    if (first + length > UINT32_MAX)
        return;                         /* the family knows 32 bits there */
#endif
    if (type == RECORD_PORTS)
        IOPCIBridge_addBridgeIORange(me, first, length);
    else if (type == RECORD_MEMORY)
        IOPCIBridge_addBridgeMemoryRange(me, first, length, true);
}

static bool root_configure(IOPCIBridge *me, IOService *provider)
{
    OSData *spaces = iokit_cast(OSData, IORegistryEntry_getProperty_cstring(
                                            (IORegistryEntry *)provider, "acpi-address-spaces"));
    uint32_t size = spaces != NULL ? OSData_getLength(spaces) : 0;

    for (uint32_t at = 0; size - at >= RECORD_SIZE; at += RECORD_SIZE)
        add_window(me, (const uint8_t *)OSData_getBytesNoCopy(spaces) + at);
    return host_bridge_super(configure)((host_bridge *)me, provider);
}

static bool root_start(IOService *me, IOService *provider)
{
    HyperVPCIRoot *root = (HyperVPCIRoot *)me;
    IORegistryEntry *entry = (IORegistryEntry *)provider;

    root->lock = IOSimpleLockAlloc();
    if (root->lock == NULL)
        return false;
    root->bus.read = root_read;
    root->bus.write = root_write;
    root->has_ports = IORegistryEntry_getProperty_cstring(entry, "acpi-address-spaces") != NULL;
    if (!host_bridge_super(start)((host_bridge *)me, provider))
        return false;
    hv_log(who, "generation %u", root->has_ports ? 1 : 2);
    return true;
}

static void root_free(OSObject *me)
{
    if (((HyperVPCIRoot *)me)->lock != NULL)
        IOSimpleLockFree(((HyperVPCIRoot *)me)->lock);
    host_bridge_super(free)((host_bridge *)me);
}

static uint8_t root_last_bus(IOPCIBridge *me)
{
    return PCI_ROOT_BUS_FIRST - 1;
}

HOST_BRIDGE_CLASS(13, HyperVPCIRoot,
                  .start = root_start,
                  .free = root_free,
                  .configure = root_configure,
                  .lastBusNum = root_last_bus,
                  HOST_BUS_METHODS)
