/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVPCIBridge: the window, and configuration space through it. */
#include "abi/IOMemoryDescriptor.h"
#include "abi/constants/memory.h"
#include "kext/pci/HyperVPCIBridge.h"

/* The selector and then the access, without anything in between: the config lock is held. The
 * fences keep the processor from passing one by the other (Linux pci-hyperv does the same). */
static void select_slot(const HyperVPCIBridge *bridge, uint32_t slot)
{
    *(volatile uint32_t *)(bridge->window + VPCI_WINDOW_SELECTOR) = slot;
    __sync_synchronize();
}

static uint32_t window_read(void *context, uint32_t slot, uint32_t offset, uint32_t size)
{
    const HyperVPCIBridge *bridge = context;
    volatile uint8_t *at;
    uint32_t value;

    if (bridge->window == NULL)
        return UINT32_MAX;
    at = bridge->window + VPCI_WINDOW_CONFIG + offset;
    select_slot(bridge, slot);
    value = size == 4 ? *(volatile uint32_t *)at : size == 2 ? *(volatile uint16_t *)at : *at;
    __sync_synchronize();
    return value;
}

static void window_write(void *context, uint32_t slot, uint32_t offset, uint32_t size,
                         uint32_t value)
{
    const HyperVPCIBridge *bridge = context;
    volatile uint8_t *at;

    if (bridge->window == NULL)
        return;
    at = bridge->window + VPCI_WINDOW_CONFIG + offset;
    select_slot(bridge, slot);
    if (size == 4)
        *(volatile uint32_t *)at = value;
    else if (size == 2)
        *(volatile uint16_t *)at = (uint16_t)value;
    else
        *at = (uint8_t)value;
    __sync_synchronize();
}

/* ---- The window ------------------------------------------------------------------------------ */

int bridge_map_window(HyperVPCIBridge *bridge)
{
    IOMemoryDescriptor *memory;
    int error = device_allocate_mmio(bridge->device, VPCI_WINDOW_SIZE, 0x1000, UINT32_MAX,
                                     &bridge->window_address);

    if (error != 0)
        return error;
    memory = IOMemoryDescriptor_withPhysicalAddress(bridge->window_address, VPCI_WINDOW_SIZE,
                                                    kIODirectionInOut);
    if (memory != NULL)
        bridge->window_map = IOMemoryDescriptor_map_number(memory, kIOMapInhibitCache);
    iokit_release(memory);
    if (bridge->window_map == NULL) {
        bridge_unmap_window(bridge);
        return HV_ERROR_NO_RESOURCES;
    }
    bridge->port = (struct config_port){ bridge, window_read, window_write };
    bridge->window = (volatile uint8_t *)IOMemoryMap_getVirtualAddress(bridge->window_map);
    return 0;
}

void bridge_shut_window(HyperVPCIBridge *bridge)
{
    IOInterruptState state = IOSimpleLockLockDisableInterrupt(bridge->config_lock);

    bridge->window = NULL;
    IOSimpleLockUnlockEnableInterrupt(bridge->config_lock, state);
}

void bridge_unmap_window(HyperVPCIBridge *bridge)
{
    bridge_shut_window(bridge);
    iokit_release_clear(bridge->window_map);
    if (bridge->window_address != 0)
        device_release_mmio(bridge->device, bridge->window_address);
    bridge->window_address = 0;
}

/* ---- Accesses of macOS ----------------------------------------------------------------------- */

uint32_t bridge_function_at(const HyperVPCIBridge *bridge, IOPCIAddressSpace space)
{
    uint32_t slot = VPCI_SLOT(space.s.deviceNum, space.s.functionNum), i = 0;

    while (i < VPCI_BUS_FUNCTIONS && !(bridge->functions[i].present &&
                                       bridge->functions[i].config.function.slot == slot))
        i++;
    return i;
}

static uint32_t all_ones(uint32_t size)
{
    return size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
}

uint32_t bridge_config_read(struct host_bus *me, IOPCIAddressSpace space, uint32_t offset,
                            uint32_t size)
{
    HyperVPCIBridge *bridge = (HyperVPCIBridge *)me;
    IOInterruptState state = IOSimpleLockLockDisableInterrupt(bridge->config_lock);
    uint32_t index = bridge_function_at(bridge, space), value = all_ones(size);

    if (index < VPCI_BUS_FUNCTIONS && bridge->window != NULL)
        value = config_read(&bridge->functions[index].config, &bridge->port, offset, size);
    IOSimpleLockUnlockEnableInterrupt(bridge->config_lock, state);
    return value;
}

void bridge_config_write(struct host_bus *me, IOPCIAddressSpace space, uint32_t offset,
                         uint32_t size, uint32_t value)
{
    HyperVPCIBridge *bridge = (HyperVPCIBridge *)me;
    IOInterruptState state = IOSimpleLockLockDisableInterrupt(bridge->config_lock);
    uint32_t index = bridge_function_at(bridge, space);

    if (index < VPCI_BUS_FUNCTIONS)
        config_write(&bridge->functions[index].config, &bridge->port, offset, size, value);
    IOSimpleLockUnlockEnableInterrupt(bridge->config_lock, state);
}
