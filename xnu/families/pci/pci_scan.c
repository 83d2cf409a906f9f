/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding the functions of a bus. */
#include "xnu/families/pci/pci_private.h"

enum { DEVICES = 32, FUNCTIONS = 8, MULTIPLE_FUNCTIONS = 0x80, NOBODY = 0xffff };

static bool answers(IOPCIBridge *bridge, IOPCIAddressSpace space)
{
    uint16_t vendor = (uint16_t)IOPCIBridge_configRead32(bridge, space, kIOPCIConfigVendorID);

    return vendor != 0 && vendor != NOBODY;
}

static void read_registers(IOPCIBridge *bridge, IOPCIAddressSpace space,
                           struct pci_registers *registers)
{
    registers->id = IOPCIBridge_configRead32(bridge, space, kIOPCIConfigVendorID);
    registers->class_revision = IOPCIBridge_configRead32(bridge, space, kIOPCIConfigRevisionID);
    registers->subsystem = IOPCIBridge_configRead32(bridge, space, kIOPCIConfigSubSystemVendorID);
    registers->known_id = registers->known_class_revision = registers->known_subsystem =
        UINT32_MAX;
}

/* The nub takes over the ranges when this succeeds. */
static bool make_nub(IOPCIBridge *bridge, IOService *provider, IOPCIAddressSpace space,
                     const struct pci_registers *registers, const struct pci_range *ranges)
{
    OSDictionary *properties = pci_make_properties(bridge, space, ranges);
    IOPCIDevice *nub = properties ? IOPCIBridge_createNub(bridge, properties) : NULL;
    bool good = nub && IORegistryEntry_init_dictionary(entry_of(nub), properties) &&
                IORegistryEntry_attachToParent(entry_of(nub), entry_of(provider), gIODTPlane);

    if (good) {
        nub_state(nub)->registers = *registers;
        for (unsigned i = 0; i < PCI_RANGES; i++)
            nub_state(nub)->ranges[i] = ranges[i];
        nub->parent = bridge;
    }
    object_release(properties);
    object_release(nub);
    return good;
}

static void add_function(IOPCIBridge *bridge, IOService *provider, IOPCIAddressSpace space)
{
    struct pci_range ranges[PCI_RANGES] = {{0}};
    struct pci_registers registers;

    read_registers(bridge, space, &registers);
    pci_place_ranges(bridge, space, (uint8_t)(registers.class_revision >> 24), ranges);
    if (!make_nub(bridge, provider, space, &registers, ranges))
        pci_release_ranges(bridge, ranges);
}

static void scan_device(IOPCIBridge *bridge, IOService *provider, IOPCIAddressSpace space)
{
    unsigned functions, function;

    if (!answers(bridge, space))
        return;
    functions = IOPCIBridge_configRead8(bridge, space, kIOPCIConfigHeaderType) &
                        MULTIPLE_FUNCTIONS ? FUNCTIONS : 1;
    for (function = 0; function < functions; function++) {
        space.s.functionNum = function;
        if (answers(bridge, space))
            add_function(bridge, provider, space);
    }
}

void pci_scan_bus(IOPCIBridge *bridge, IOService *provider)
{
    IOPCIAddressSpace space = {.bits = 0};
    unsigned device;

    space.s.busNum = IOPCIBridge_firstBusNum(bridge);
    for (device = 0; device < DEVICES; device++) {
        space.s.deviceNum = device;
        space.s.functionNum = 0;
        scan_device(bridge, provider, space);
    }
}
