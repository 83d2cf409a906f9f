/* SPDX-License-Identifier: BSD-3-Clause */
/* What our bridges have in common: accessors of configuration space, and their place at the root
 * bridge. */
#include "abi/kpi/globals.h"
#include "kext/pci/HyperVPCIRoot.h"

static struct host_bus *from(IOPCIBridge *me)
{
    return (struct host_bus *)me;
}

/* ---- Configuration space --------------------------------------------------------------------- */

static uint32_t read_space(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset, uint32_t size)
{
    return from(me)->read(from(me), space, (uint32_t)space.es.registerNumExtended << 8 | offset,
                          size);
}

static void write_space(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset, uint32_t size,
                        uint32_t value)
{
    from(me)->write(from(me), space, (uint32_t)space.es.registerNumExtended << 8 | offset, size,
                    value);
}

uint32_t host_bus_read32(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset)
{
    return read_space(me, space, offset, 4);
}

uint16_t host_bus_read16(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset)
{
    return (uint16_t)read_space(me, space, offset, 2);
}

uint8_t host_bus_read8(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset)
{
    return (uint8_t)read_space(me, space, offset, 1);
}

void host_bus_write32(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset, uint32_t value)
{
    write_space(me, space, offset, 4, value);
}

void host_bus_write16(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset, uint16_t value)
{
    write_space(me, space, offset, 2, value);
}

void host_bus_write8(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset, uint8_t value)
{
    write_space(me, space, offset, 1, value);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

uint8_t host_bus_number(IOPCIBridge *me)
{
    return from(me)->number;
}

/* No bus of ours has ports that functions could be moved to. */
IODeviceMemory *host_bus_ports(IOPCIBridge *me)
{
    return NULL;
}

IOPCIAddressSpace host_bus_space(IOPCIBridge *me)
{
    IOPCIAddressSpace space = { .bits = 0 };

    space.s.busNum = from(me)->number;
    return space;
}

/* ---- At the root bridge ---------------------------------------------------------------------- */

bool host_bus_join(struct host_bus *bus, HyperVPCIRoot *root, IOService *provider)
{
    iokit_retain(root);
    bus->root = root;
    bus->number = pci_root_add_bus(root, bus);
    bus->tree = pci_root_device_tree(root);
    if (bus->tree == NULL)
        return false;                   /* the root bridge is on its way out */
    iokit_retain(bus->tree);
    return bus->number != 0 &&
           IORegistryEntry_attachToParent((IORegistryEntry *)provider, bus->tree, gIODTPlane);
}

void host_bus_leave(struct host_bus *bus, IOService *provider)
{
    if (bus->root == NULL)
        return;
    if (bus->number != 0)
        pci_root_remove_bus(bus->root, bus->number);
    if (bus->tree != NULL)
        IORegistryEntry_detachFromParent((IORegistryEntry *)provider, bus->tree, gIODTPlane);
    iokit_release_clear(bus->tree);
    bus->number = 0;
    iokit_release_clear(bus->root);
}
