/* SPDX-License-Identifier: BSD-3-Clause */
/* Base addresses: how large they are, and where they go. */
#include "xnu/families/pci/pci_private.h"

#include "abi/kpi/machine.h"

#define ROM_ADDRESS 0xfffff800u
#define MEMORY_ADDRESS 0xfffffff0u
#define PORT_ADDRESS 0xfffffffcu

enum { BAR_PORTS = 1, BAR_TYPE = 6, BAR_TYPE_WIDE = 4, BAR_PREFETCHABLE = 8 };

/* ---- sizing ---- */

struct sizing {
    IOPCIBridge *bridge;
    IOPCIAddressSpace space;
    uint8_t offset;
    uint32_t probe;  /* what to write */
    uint32_t value;  /* what was there */
    uint32_t answer;
};

/* On every processor with interrupts off; one of them works. So a driver's accessors may not wait
 * for anything, as in the kernel. */
static void size_register(void *argument)
{
    struct sizing *sizing = argument;

    if (cpu_number() != 0)
        return;
    sizing->value = IOPCIBridge_configRead32(sizing->bridge, sizing->space, sizing->offset);
    IOPCIBridge_configWrite32(sizing->bridge, sizing->space, sizing->offset, sizing->probe);
    sizing->answer = IOPCIBridge_configRead32(sizing->bridge, sizing->space, sizing->offset);
    IOPCIBridge_configWrite32(sizing->bridge, sizing->space, sizing->offset, sizing->value);
}

static struct sizing probe_register(IOPCIBridge *bridge, IOPCIAddressSpace space, uint8_t offset,
                                    uint32_t probe)
{
    struct sizing sizing = {bridge, space, offset, probe, 0, 0};

    mp_rendezvous_no_intrs(size_register, &sizing);
    return sizing;
}

/* The lowest address bit that can be set is the size; anything but ones above it is no base
 * address. 0: not usable. */
static uint64_t size_of_mask(uint64_t mask)
{
    uint64_t size = mask & (0 - mask);

    return mask + size == 0 ? size : 0;
}

static void size_rom(IOPCIBridge *bridge, IOPCIAddressSpace space, struct pci_range *range)
{
    struct sizing low =
        probe_register(bridge, space, kIOPCIConfigExpansionROMBase, ROM_ADDRESS);
    uint32_t mask = low.answer & ROM_ADDRESS;

    if (mask == 0)
        return;
    range->size = size_of_mask(mask | ~(uint64_t)UINT32_MAX);
    range->start = low.value & ROM_ADDRESS;
    range->kind = range->size ? PCI_RANGE_MEMORY : PCI_RANGE_NONE;
}

static void size_memory(IOPCIBridge *bridge, IOPCIAddressSpace space, unsigned index,
                        const struct sizing *low, struct pci_range *range)
{
    uint64_t mask = (low->answer & MEMORY_ADDRESS) | ~(uint64_t)UINT32_MAX;

    range->start = low->value & MEMORY_ADDRESS;
    range->wide = (low->answer & BAR_TYPE) == BAR_TYPE_WIDE && index + 1 < PCI_BASE_ADDRESSES;
    if (range->wide) {
        struct sizing high =
            probe_register(bridge, space, pci_range_register(index + 1), UINT32_MAX);

        mask = (low->answer & MEMORY_ADDRESS) | (uint64_t)high.answer << 32;
        range->start |= (uint64_t)high.value << 32;
    }
    range->size = size_of_mask(mask);
    if (range->size)
        range->kind = low->answer & BAR_PREFETCHABLE ? PCI_RANGE_PREFETCHABLE : PCI_RANGE_MEMORY;
}

static void size_range(IOPCIBridge *bridge, IOPCIAddressSpace space, unsigned index,
                       struct pci_range *range)
{
    struct sizing low = probe_register(bridge, space, pci_range_register(index), UINT32_MAX);

    if (low.answer == 0 || low.answer == UINT32_MAX)
        return;
    if (low.answer & BAR_PORTS) {
        range->size = size_of_mask((low.answer & PORT_ADDRESS) | ~(uint64_t)0xffff) & 0xffff;
        range->start = low.value & PORT_ADDRESS;
        range->kind = range->size ? PCI_RANGE_PORTS : PCI_RANGE_NONE;
    } else {
        size_memory(bridge, space, index, &low, range);
    }
    if (range->kind == PCI_RANGE_NONE)
        machine_log("IOPCIFamily: base address %u of [%u:%u:%u] has no possible size (0x%x)\n",
                    index, space.s.busNum, space.s.deviceNum, space.s.functionNum, low.answer);
}

/* ---- placing ---- */

static IORangeAllocator *window_of(const struct pci_bridge *state, const struct pci_range *range)
{
    if (range->kind == PCI_RANGE_PORTS)
        return state->ports;
    return range->start > UINT32_MAX ? state->memory_high : state->memory_low;
}

static bool take(IORangeAllocator *window, struct pci_range *range)
{
    return IORangeAllocator_allocate(window, range->size, &range->start, range->size);
}

/* Where the function has it already, if that is in a window; else wherever there is room. */
static bool place(const struct pci_bridge *state, struct pci_range *range)
{
    if (range->start != 0 && range->start % range->size == 0 &&
        IORangeAllocator_allocateRange(window_of(state, range), range->start, range->size))
        return true;
    if (range->kind == PCI_RANGE_PORTS)
        return take(state->ports, range);
    return (range->wide && take(state->memory_high, range)) || take(state->memory_low, range);
}

static void write_address(IOPCIBridge *bridge, IOPCIAddressSpace space, unsigned index,
                          const struct pci_range *range)
{
    IOPCIBridge_configWrite32(bridge, space, pci_range_register(index), (uint32_t)range->start);
    if (range->wide)
        IOPCIBridge_configWrite32(bridge, space, pci_range_register(index + 1),
                                  (uint32_t)(range->start >> 32));
}

static void place_all(IOPCIBridge *bridge, IOPCIAddressSpace space, struct pci_range *ranges)
{
    unsigned i;

    for (i = 0; i < PCI_RANGES; i++) {
        uint64_t old = ranges[i].start;

        if (ranges[i].kind == PCI_RANGE_NONE)
            continue;
        if (!place(bridge_state(bridge), &ranges[i])) {
            machine_log("IOPCIFamily: no room for base address %u of [%u:%u:%u], %llu bytes\n", i,
                        space.s.busNum, space.s.deviceNum, space.s.functionNum,
                        (unsigned long long)ranges[i].size);
            ranges[i].start = 0;
        }
        if (ranges[i].start != old)
            write_address(bridge, space, i, &ranges[i]);
    }
}

void pci_place_ranges(IOPCIBridge *bridge, IOPCIAddressSpace space, uint8_t base_class,
                      struct pci_range ranges[PCI_RANGES])
{
    uint16_t command = IOPCIBridge_configRead16(bridge, space, kIOPCIConfigCommand);
    unsigned i;

    IOPCIBridge_configWrite16(bridge, space, kIOPCIConfigCommand,
                              command & ~(kIOPCICommandIOSpace | kIOPCICommandMemorySpace));
    for (i = 0; i < PCI_BASE_ADDRESSES; i++) {
        size_range(bridge, space, i, &ranges[i]);
        if (ranges[i].wide)
            i++;
    }
    if (base_class == PCI_CLASS_DISPLAY)
        size_rom(bridge, space, &ranges[PCI_ROM]);
    place_all(bridge, space, ranges);
    IOPCIBridge_configWrite16(bridge, space, kIOPCIConfigCommand, command);
}

void pci_release_ranges(IOPCIBridge *bridge, const struct pci_range ranges[PCI_RANGES])
{
    unsigned i;

    for (i = 0; i < PCI_RANGES; i++)
        if (ranges[i].kind != PCI_RANGE_NONE && ranges[i].start != 0)
            IORangeAllocator_deallocate(window_of(bridge_state(bridge), &ranges[i]),
                                        ranges[i].start, ranges[i].size);
}
