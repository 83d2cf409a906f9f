/* SPDX-License-Identifier: BSD-3-Clause */
/* IOPCIDevice: the nub of a PCI function. */
#include "xnu/families/pci/pci_private.h"

#include "abi/IODeviceMemory.h"
#include "abi/IOMemoryMap.h"
#include "abi/kpi/libkern.h"
#include "xnu/libkern/release.h"
#include "xnu/machine/traps.h"

/* ---- life ---- */

bool IOPCIDevice_initReserved(IOPCIDevice *me)
{
    struct pci_nub *state = nub_state(me);

    if (state)
        return true;
    state = kernel_allocate(sizeof(*state));
    if (!state)
        return false;
    me->reserved = (void *)state;
    me->savedConfig = state->saved;
    return true;
}

bool IOPCIDevice__init_dictionary(IOPCIDevice *me, OSDictionary *properties)
{
    return IOService_super_init_dictionary((IOService *)me, properties) &&
           IOPCIDevice_initReserved(me);
}

bool IOPCIDevice__init_entry_plane(IOPCIDevice *me, IORegistryEntry *from,
                                   const IORegistryPlane *plane)
{
    return IOService_super_init_entry_plane((IOService *)me, from, plane) &&
           IOPCIDevice_initReserved(me);
}

void IOPCIDevice__free(IOPCIDevice *me)
{
    object_release(me->ioMap);
    kernel_free(me->reserved, sizeof(struct pci_nub));
    me->reserved = NULL;
    IOService_super_free((IOService *)me);
}

bool IOPCIDevice__attach(IOPCIDevice *me, IOService *provider)
{
    return IOService_super_attach((IOService *)me, provider);
}

/* Leaving the bridge: interrupts end, addresses are free, the device tree forgets it. */
void IOPCIDevice__detach(IOPCIDevice *me, IOService *provider)
{
    pci_messages_free(me);
    if (me->parent)
        IOPCIBridge_removeDevice(me->parent, me, 0);
    IOService_super_detach((IOService *)me, provider);
    IORegistryEntry_detachAbove(entry_of(me), gIODTPlane);
}

void IOPCIDevice__detachAbove(IOPCIDevice *me, const IORegistryPlane *plane)
{
    IOService_super_detachAbove((IOService *)me, plane);
}

/* ---- matching and resources ---- */

bool IOPCIDevice__compareName(IOPCIDevice *me, OSString *name, OSString **matched)
{
    if (!me->parent)
        return IOService_super_compareName((IOService *)me, name, matched);
    return IOPCIBridge_compareNubName(me->parent, (IOService *)me, name, matched);
}

bool IOPCIDevice__matchPropertyTable_numbers(IOPCIDevice *me, OSDictionary *table, int32_t *score)
{
    return me->parent &&
           IOPCIBridge_matchNubWithPropertyTable(me->parent, (IOService *)me, table, score);
}

bool IOPCIDevice__matchPropertyTable(IOPCIDevice *me, OSDictionary *table)
{
    return IOService_super_matchPropertyTable((IOService *)me, table);
}

IOService *IOPCIDevice__matchLocation(IOPCIDevice *me, IOService *client)
{
    return (IOService *)me;
}

int32_t IOPCIDevice__getResources(IOPCIDevice *me)
{
    return me->parent ? IOPCIBridge_getNubResources(me->parent, (IOService *)me)
                      : kIOReturnNotAttached;
}

/* From macOS 12 on: interrupts are allocated when somebody wants to know them. */
OSObject *IOPCIDevice__getProperty_symbol(IOPCIDevice *me, const OSSymbol *key)
{
    struct pci_nub *state = nub_state(me);

    if ((key == gIOInterruptSpecifiersKey || key == gIOInterruptControllersKey) && state &&
        state->resourced && !state->interrupts_resolved) {
        state->interrupts_resolved = true;
        pci_messages_allocate(me);
    }
    return IOService_super_getProperty_symbol((IOService *)me, key);
}

/* ---- configuration space: `offset` is the low byte, extended bits are in `space` ---- */

uint32_t IOPCIDevice__configRead32_space(IOPCIDevice *me, IOPCIAddressSpace space, uint8_t offset)
{
    return IOPCIBridge_configRead32(me->parent, space, offset);
}

uint16_t IOPCIDevice__configRead16_space(IOPCIDevice *me, IOPCIAddressSpace space, uint8_t offset)
{
    return IOPCIBridge_configRead16(me->parent, space, offset);
}

uint8_t IOPCIDevice__configRead8_space(IOPCIDevice *me, IOPCIAddressSpace space, uint8_t offset)
{
    return IOPCIBridge_configRead8(me->parent, space, offset);
}

void IOPCIDevice__configWrite32_space(IOPCIDevice *me, IOPCIAddressSpace space, uint8_t offset,
                                      uint32_t value)
{
    IOPCIBridge_configWrite32(me->parent, space, offset, value);
}

void IOPCIDevice__configWrite16_space(IOPCIDevice *me, IOPCIAddressSpace space, uint8_t offset,
                                      uint16_t value)
{
    IOPCIBridge_configWrite16(me->parent, space, offset, value);
}

void IOPCIDevice__configWrite8_space(IOPCIDevice *me, IOPCIAddressSpace space, uint8_t offset,
                                     uint8_t value)
{
    IOPCIBridge_configWrite8(me->parent, space, offset, value);
}

static IOPCIAddressSpace space_at(const IOPCIDevice *me, uint64_t offset)
{
    IOPCIAddressSpace space = me->space;

    space.es.registerNumExtended = (unsigned)(offset >> 8) & 0xf;
    return space;
}

uint32_t IOPCIDevice_extendedConfigRead32(IOPCIDevice *me, uint64_t offset)
{
    return IOPCIDevice_configRead32_space(me, space_at(me, offset), (uint8_t)offset);
}

uint16_t IOPCIDevice_extendedConfigRead16(IOPCIDevice *me, uint64_t offset)
{
    return IOPCIDevice_configRead16_space(me, space_at(me, offset), (uint8_t)offset);
}

uint8_t IOPCIDevice_extendedConfigRead8(IOPCIDevice *me, uint64_t offset)
{
    return IOPCIDevice_configRead8_space(me, space_at(me, offset), (uint8_t)offset);
}

void IOPCIDevice_extendedConfigWrite32(IOPCIDevice *me, uint64_t offset, uint32_t value)
{
    IOPCIDevice_configWrite32_space(me, space_at(me, offset), (uint8_t)offset, value);
}

void IOPCIDevice_extendedConfigWrite16(IOPCIDevice *me, uint64_t offset, uint16_t value)
{
    IOPCIDevice_configWrite16_space(me, space_at(me, offset), (uint8_t)offset, value);
}

void IOPCIDevice_extendedConfigWrite8(IOPCIDevice *me, uint64_t offset, uint8_t value)
{
    IOPCIDevice_configWrite8_space(me, space_at(me, offset), (uint8_t)offset, value);
}

/* Up to 10.8.4 these are virtual. */
uint32_t IOPCIDevice__reserved_IOPCIDevice_16__until_10_8_4(IOPCIDevice *me, uint8_t offset)
{
    return IOPCIDevice_extendedConfigRead32(me, offset);
}

uint16_t IOPCIDevice__reserved_IOPCIDevice_17__until_10_8_4(IOPCIDevice *me, uint8_t offset)
{
    return IOPCIDevice_extendedConfigRead16(me, offset);
}

uint8_t IOPCIDevice__reserved_IOPCIDevice_18__until_10_8_4(IOPCIDevice *me, uint8_t offset)
{
    return IOPCIDevice_extendedConfigRead8(me, offset);
}

void IOPCIDevice__reserved_IOPCIDevice_19__until_10_8_4(IOPCIDevice *me, uint8_t offset,
                                                        uint32_t value)
{
    IOPCIDevice_extendedConfigWrite32(me, offset, value);
}

void IOPCIDevice__reserved_IOPCIDevice_20__until_10_8_4(IOPCIDevice *me, uint8_t offset,
                                                        uint16_t value)
{
    IOPCIDevice_extendedConfigWrite16(me, offset, value);
}

void IOPCIDevice__reserved_IOPCIDevice_21__until_10_8_4(IOPCIDevice *me, uint8_t offset,
                                                        uint8_t value)
{
    IOPCIDevice_extendedConfigWrite8(me, offset, value);
}

/* Sets the bits of `mask` to those of `value`; returns the old ones. */
uint32_t IOPCIDevice__setConfigBits(IOPCIDevice *me, uint8_t offset, uint32_t mask, uint32_t value)
{
    uint32_t old = IOPCIDevice_extendedConfigRead32(me, offset);

    IOPCIDevice_extendedConfigWrite32(me, offset, (old & ~mask) | (value & mask));
    return old & mask;
}

static bool set_command(IOPCIDevice *me, uint32_t bit, bool on)
{
    return IOPCIDevice_setConfigBits(me, kIOPCIConfigCommand, bit, on ? bit : 0) != 0;
}

bool IOPCIDevice__setMemoryEnable(IOPCIDevice *me, bool enable)
{
    return set_command(me, kIOPCICommandMemorySpace, enable);
}

bool IOPCIDevice__setIOEnable(IOPCIDevice *me, bool enable, bool exclusive)
{
    return set_command(me, kIOPCICommandIOSpace, enable);
}

bool IOPCIDevice__setBusMasterEnable(IOPCIDevice *me, bool enable)
{
    return set_command(me, kIOPCICommandBusMaster, enable);
}

uint32_t IOPCIDevice__findPCICapability(IOPCIDevice *me, uint8_t kind, uint8_t *offset)
{
    return IOPCIBridge_findPCICapability(me->parent, me->space, kind, offset);
}

uint32_t IOPCIDevice__extendedFindPCICapability(IOPCIDevice *me, uint32_t kind, uint64_t *offset)
{
    return IOPCIBridge_extendedFindPCICapability_space(me->parent, me->space, kind, offset);
}

uint8_t IOPCIDevice__getBusNumber(IOPCIDevice *me)
{
    return (uint8_t)me->space.s.busNum;
}

uint8_t IOPCIDevice__getDeviceNumber(IOPCIDevice *me)
{
    return (uint8_t)me->space.s.deviceNum;
}

uint8_t IOPCIDevice__getFunctionNumber(IOPCIDevice *me)
{
    return (uint8_t)me->space.s.functionNum;
}

int32_t IOPCIDevice__saveDeviceState(IOPCIDevice *me, uint32_t options)
{
    return IOPCIBridge_saveDeviceState(me->parent, me, options);
}

int32_t IOPCIDevice__restoreDeviceState(IOPCIDevice *me, uint32_t options)
{
    return IOPCIBridge_restoreDeviceState(me->parent, me, options);
}

/* ---- memory ---- */

IODeviceMemory *IOPCIDevice__getDeviceMemoryWithRegister(IOPCIDevice *me, uint8_t offset)
{
    OSArray *array = IOService_getDeviceMemory((IOService *)me);

    for (unsigned i = 0; array && i < array_count(array); i++) {
        IODeviceMemory *memory = array_at(array, i);

        if ((IOMemoryDescriptor_getTag((IOMemoryDescriptor *)memory) & 0xff) == offset)
            return memory;
    }
    return NULL;
}

/* +1, or NULL. */
IOMemoryMap *IOPCIDevice__mapDeviceMemoryWithRegister(IOPCIDevice *me, uint8_t offset,
                                                      uint32_t options)
{
    IODeviceMemory *memory = IOPCIDevice_getDeviceMemoryWithRegister(me, offset);

    return memory ? IOMemoryDescriptor_map_number((IOMemoryDescriptor *)memory, options) : NULL;
}

IODeviceMemory *IOPCIDevice__getDeviceMemoryWithIndex(IOPCIDevice *me, uint32_t index)
{
    return IOService_super_getDeviceMemoryWithIndex((IOService *)me, index);
}

IODeviceMemory *IOPCIDevice__ioDeviceMemory(IOPCIDevice *me)
{
    return me->parent ? IOPCIBridge_ioDeviceMemory(me->parent) : NULL;
}

/* ---- ports: of `map`, or of the bridge ---- */

static uint16_t port_of(const IOPCIDevice *me, uint16_t offset, IOMemoryMap *map)
{
    if (!map)
        map = me->ioMap;
    return (uint16_t)((map ? IOMemoryMap_getPhysicalAddress(map) : 0) + offset);
}

void IOPCIDevice__ioWrite32(IOPCIDevice *me, uint16_t offset, uint32_t value, IOMemoryMap *map)
{
    machine_port_write(port_of(me, offset, map), 4, value);
}

void IOPCIDevice__ioWrite16(IOPCIDevice *me, uint16_t offset, uint16_t value, IOMemoryMap *map)
{
    machine_port_write(port_of(me, offset, map), 2, value);
}

void IOPCIDevice__ioWrite8(IOPCIDevice *me, uint16_t offset, uint8_t value, IOMemoryMap *map)
{
    machine_port_write(port_of(me, offset, map), 1, value);
}

uint32_t IOPCIDevice__ioRead32(IOPCIDevice *me, uint16_t offset, IOMemoryMap *map)
{
    return machine_port_read(port_of(me, offset, map), 4);
}

uint16_t IOPCIDevice__ioRead16(IOPCIDevice *me, uint16_t offset, IOMemoryMap *map)
{
    return (uint16_t)machine_port_read(port_of(me, offset, map), 2);
}

uint8_t IOPCIDevice__ioRead8(IOPCIDevice *me, uint16_t offset, IOMemoryMap *map)
{
    return (uint8_t)machine_port_read(port_of(me, offset, map), 1);
}
