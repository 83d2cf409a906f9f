/* SPDX-License-Identifier: BSD-3-Clause */
/* What a PCI bus shows in the guest's address space: window on configuration space, BARs, ROM. */
#include <errno.h>
#include <stdlib.h>

#include "host/devices/vpci_internal.h"

static uint64_t all_ones(uint32_t size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

/* ---- Requests to the machine, which may answer from within a call ---- */

/* Notes a request before it is made; NULL: no memory. */
static struct vpci_request *new_request(struct vpci *bus, uint64_t start, struct vpci_range *range)
{
    struct vpci_request *request = calloc(1, sizeof(*request));
    struct vpci_request **link = &bus->requests;
    if (request == NULL) {
        return NULL;
    }
    *request = (struct vpci_request){++bus->request_number, start, range, NULL};
    if (range != NULL) {
        *range = (struct vpci_range){true, start, request->number};
    }
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = request;
    return request;
}

static void drop_request(struct vpci *bus, uint64_t number)
{
    for (struct vpci_request **link = &bus->requests; *link != NULL; link = &(*link)->next) {
        struct vpci_request *request = *link;
        if (request->number == number) {
            *link = request->next;
            free(request);
            return;
        }
    }
}

void vpci_forget_requests(struct vpci *bus)
{
    while (bus->requests != NULL) {
        drop_request(bus, bus->requests->number);
    }
}

/* `region` NULL: the window. */
static int ask(struct vpci *bus, const struct pci_region *region, bool is_writable, uint64_t start,
               bool on)
{
    const struct device_machine *machine = bus->machine;
    const uint64_t size = region != NULL ? pci_region_span(region) : VPCI_WINDOW_SIZE;
    if (region == NULL || region->is_trapped) {
        return machine->trap(machine->context, &bus->device, DEVICE_SPACE_MEMORY, start, size, on);
    }
    return on ? machine->map(machine->context, &bus->device, start, size, region->descriptor, 0,
                             is_writable ? DEVICE_MAP_WRITABLE : 0)
              : machine->unmap(machine->context, &bus->device, start, size);
}

static void hide(struct vpci *bus, struct vpci_range *range, const struct pci_region *region)
{
    struct vpci_request *request = new_request(bus, range->address, NULL);
    range->is_asked = false;
    if (request == NULL) {
        return; /* it stays, and nothing else can be there */
    }
    const uint64_t number = request->number;
    if (ask(bus, region, false, range->address, false) != 0) {
        drop_request(bus, number);
    }
}

static void show(struct vpci *bus, struct vpci_range *range, const struct pci_region *region,
                 bool is_writable, uint64_t address)
{
    if (address % PCI_PAGE != 0) {
        vpci_violation(bus, "a BAR, a small one too, begins at a page");
        return;
    }
    struct vpci_request *request = new_request(bus, address, range);
    const uint64_t number = request != NULL ? request->number : 0;
    if (request == NULL || ask(bus, region, is_writable, address, true) != 0) {
        drop_request(bus, number);
        range->is_asked = false;
        vpci_violation(bus, "a window or BAR is where nothing else is");
    }
}

void vpci_hide_window(struct vpci *bus)
{
    if (bus->window.is_asked) {
        hide(bus, &bus->window, NULL);
    }
}

void vpci_show_window(struct vpci *bus, uint64_t address)
{
    show(bus, &bus->window, NULL, true, address);
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
        struct vpci_range *range = &slot->ranges[i];
        is_wanted[i] = slot->state != VPCI_GONE &&
                       pci_region_address(slot->function, i, &address[i]);
        if (range->is_asked && (!is_wanted[i] || range->address != address[i])) {
            hide(bus, range, &slot->function->regions[i]);
        }
    }
    for (unsigned i = 0; i < PCI_REGIONS; i++) {
        if (is_wanted[i] && !slot->ranges[i].is_asked) {
            show(bus, &slot->ranges[i], &slot->function->regions[i], i != PCI_ROM, address[i]);
        }
    }
}

/*
 * A range could not be had: it is not there, and nobody has to take it away. With the monitor gone
 * that is not the guest's fault.
 */
static void refused(struct vpci *bus, const struct vpci_request *request, int status)
{
    struct vpci_range *range = request->range;
    if (range == NULL || !range->is_asked || range->request != request->number) {
        return; /* taken away, or somewhere else, meanwhile */
    }
    range->is_asked = false;
    if (range == &bus->window) {
        bus->d0_refused = true;
    }
    if (status != -ENOTCONN) {
        vpci_violation(bus, "a window or BAR is where nothing else is");
    }
}

void vpci_range_ready(struct virtual_device *device, uint64_t start, int status)
{
    struct vpci *bus = (struct vpci *)device;
    const struct vpci_request *request = bus->requests;
    while (request != NULL && request->start != start) {
        request = request->next;
    }
    if (request == NULL) {
        return; /* of before the machine was reset */
    }
    if (status != 0) {
        refused(bus, request, status);
    }
    drop_request(bus, request->number);
    if (bus->requests == NULL && bus->channel != NULL && !bus->is_closing && !bus->is_serving) {
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
