/* SPDX-License-Identifier: BSD-3-Clause */
/* What a PCI bus shows in the guest's address space: the window on configuration space, BARs, ROM. */
#include <errno.h>
#include <string.h>

#include "host/devices/vpci_internal.h"

static uint64_t all_ones(uint32_t size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

/* ---- Showing and hiding; the machine may answer from within a call ---- */

static bool trap(struct vpci *bus, uint64_t address, uint64_t size, bool on)
{
    const struct device_machine *machine = bus->machine;
    bus->ranges_under_way++;
    const bool is_asked = machine->trap(machine->context, &bus->device, DEVICE_SPACE_MEMORY,
                                        address, size, on) == 0;
    bus->ranges_under_way -= !is_asked;
    return is_asked;
}

static bool map(struct vpci *bus, const struct pci_region *region, bool is_writable,
                uint64_t address)
{
    const struct device_machine *machine = bus->machine;
    bus->ranges_under_way++;
    const bool is_asked =
        machine->map(machine->context, &bus->device, address, region->size, region->descriptor, 0,
                     is_writable ? DEVICE_MAP_WRITABLE : 0) == 0;
    bus->ranges_under_way -= !is_asked;
    return is_asked;
}

static bool unmap(struct vpci *bus, uint64_t address, uint64_t size)
{
    const struct device_machine *machine = bus->machine;
    bus->ranges_under_way++;
    const bool is_asked =
        machine->unmap(machine->context, &bus->device, address, size) == 0;
    bus->ranges_under_way -= !is_asked;
    return is_asked;
}

void vpci_hide_window(struct vpci *bus)
{
    if (bus->window.is_asked) {
        bus->window.is_asked = false;
        trap(bus, bus->window.address, VPCI_WINDOW_SIZE, false);
    }
}

void vpci_show_window(struct vpci *bus, uint64_t address)
{
    bus->window = (struct vpci_range){true, address};
    if (!trap(bus, address, VPCI_WINDOW_SIZE, true)) {
        bus->window.is_asked = false;
        vpci_violation(bus, "the window on configuration space is where nothing else is");
    }
}

static void hide(struct vpci *bus, struct vpci_slot *slot, unsigned index)
{
    struct vpci_range *range = &slot->ranges[index];
    const struct pci_region *region = &slot->function->regions[index];
    range->is_asked = false;
    if (region->is_trapped) {
        trap(bus, range->address, region->size, false);
    } else {
        unmap(bus, range->address, region->size);
    }
}

static void show(struct vpci *bus, struct vpci_slot *slot, unsigned index, uint64_t address)
{
    struct vpci_range *range = &slot->ranges[index];
    const struct pci_region *region = &slot->function->regions[index];
    *range = (struct vpci_range){true, address};
    const bool is_asked = region->is_trapped ? trap(bus, address, region->size, true)
                                             : map(bus, region, index != PCI_ROM, address);
    if (!is_asked) {
        range->is_asked = false;
        vpci_violation(bus, "a BAR is where nothing else is");
    }
}

void vpci_update_ranges(struct vpci *bus, struct vpci_slot *slot)
{
    uint64_t address[PCI_REGIONS] = {0};
    bool is_wanted[PCI_REGIONS];
    if (bus->machine == NULL) {
        return;
    }
    /* All that goes, goes first: another BAR may take its place. */
    for (unsigned i = 0; i < PCI_REGIONS; i++) {
        is_wanted[i] = slot->state != VPCI_GONE &&
                       pci_region_address(slot->function, i, &address[i]);
        if (slot->ranges[i].is_asked && (!is_wanted[i] || slot->ranges[i].address != address[i])) {
            hide(bus, slot, i);
        }
    }
    for (unsigned i = 0; i < PCI_REGIONS; i++) {
        if (is_wanted[i] && !slot->ranges[i].is_asked) {
            show(bus, slot, i, address[i]);
        }
    }
}

/*
 * A range could not be had: it is not there, and nobody has to take it away. With the monitor gone
 * that is not the guest's fault.
 */
static void forget(struct vpci *bus, uint64_t start, bool is_violation)
{
    if (bus->window.is_asked && bus->window.address == start) {
        bus->window.is_asked = bus->in_d0 = false;
        bus->d0_refused = true;
        if (is_violation) {
            vpci_violation(bus, "the window on configuration space is where nothing else is");
        }
        return;
    }
    for (unsigned i = 0; i < bus->slot_count; i++) {
        for (unsigned region = 0; region < PCI_REGIONS; region++) {
            struct vpci_range *range = &bus->slots[i].ranges[region];
            if (range->is_asked && range->address == start) {
                range->is_asked = false;
                if (is_violation) {
                    vpci_violation(bus, "a BAR is where nothing else is");
                }
                return;
            }
        }
    }
}

void vpci_range_ready(struct virtual_device *device, uint64_t start, int status)
{
    struct vpci *bus = (struct vpci *)device;
    bus->ranges_under_way--;
    if (status != 0) {
        forget(bus, start, status != -ENOTCONN);
    }
    if (bus->ranges_under_way == 0 && bus->channel != NULL && !bus->is_serving) {
        vpci_serve(bus);
        host_channel_flush(bus->channel);
    }
}

/* ---- Accesses ---- */

/* The region that an address lies in, and where in it. NULL: none. */
static struct vpci_slot *region_at(struct vpci *bus, uint64_t address, unsigned *index,
                                   uint64_t *offset)
{
    for (unsigned i = 0; i < bus->slot_count; i++) {
        struct vpci_slot *slot = &bus->slots[i];
        for (*index = 0; *index < PCI_REGIONS; (*index)++) {
            const struct vpci_range *range = &slot->ranges[*index];
            *offset = address - range->address;
            if (range->is_asked && address >= range->address &&
                *offset < slot->function->regions[*index].size) {
                return slot;
            }
        }
    }
    return NULL;
}

static bool is_in_window(const struct vpci *bus, uint64_t address)
{
    return bus->window.is_asked && address >= bus->window.address &&
           address - bus->window.address < VPCI_WINDOW_SIZE;
}

/* An access that configuration space has: within a dword. */
static bool is_config_access(uint64_t offset, uint32_t size)
{
    return size <= 4 && offset % 4 + size <= 4;
}

static uint64_t read_window(struct vpci *bus, uint64_t offset, uint32_t size)
{
    bus->counters.config_reads++;
    if (offset < VPCI_WINDOW_CONFIG || !is_config_access(offset, size)) {
        vpci_violation(bus, "configuration space is read within a dword, its selector never");
        return all_ones(size);
    }
    const struct vpci_slot *slot = vpci_find(bus, bus->selected);
    return slot != NULL ? pci_config_read(slot->function, (unsigned)(offset - VPCI_WINDOW_CONFIG),
                                          size)
                        : all_ones(size);
}

static void write_window(struct vpci *bus, uint64_t offset, uint32_t size, uint64_t value)
{
    bus->counters.config_writes++;
    if (offset == VPCI_WINDOW_SELECTOR && size == sizeof(bus->selected)) {
        bus->selected = (uint32_t)value;
        return;
    }
    if (offset < VPCI_WINDOW_CONFIG || !is_config_access(offset, size)) {
        vpci_violation(bus, "configuration space is written within a dword, its selector at once");
        return;
    }
    const struct vpci_slot *slot = vpci_find(bus, bus->selected);
    if (slot != NULL) {
        pci_config_write(slot->function, (unsigned)(offset - VPCI_WINDOW_CONFIG), size,
                         (uint32_t)value);
    }
}

uint64_t vpci_space_read(struct virtual_device *device, enum device_space space, uint64_t address,
                         uint32_t size)
{
    struct vpci *bus = (struct vpci *)device;
    unsigned index;
    uint64_t offset;
    if (is_in_window(bus, address)) {
        return read_window(bus, address - bus->window.address, size);
    }
    struct vpci_slot *slot = region_at(bus, address, &index, &offset);
    return slot != NULL ? pci_region_read(slot->function, index, offset, size) : all_ones(size);
}

void vpci_space_write(struct virtual_device *device, enum device_space space, uint64_t address,
                      uint32_t size, uint64_t value)
{
    struct vpci *bus = (struct vpci *)device;
    unsigned index;
    uint64_t offset;
    if (is_in_window(bus, address)) {
        write_window(bus, address - bus->window.address, size, value);
        return;
    }
    struct vpci_slot *slot = region_at(bus, address, &index, &offset);
    if (slot != NULL) {
        pci_region_write(slot->function, index, offset, size, value);
    }
}
