/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/pair/pair_pci.h"

#include "host/devices/vpci_internal.h"
#include "host/hypervisor/hypervisor.h"
#include "tests/pair/pair_host.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/threads.h"

#include <errno.h>
#include <stdio.h>

enum { BUSSES_MAX = 24, RANGES_MAX = 128 };

static struct vpci *busses[BUSSES_MAX];
static unsigned made;
static struct range {
    struct virtual_device *device; /* NULL: free */
    uint64_t start, size;
    bool is_trapped;
} ranges[RANGES_MAX];

/* ---- the guest's address space ---- */

static struct range *range_at(uint64_t address, uint64_t size)
{
    for (struct range *range = ranges; range < ranges + RANGES_MAX; range++)
        if (range->device != NULL && address < range->start + range->size &&
            range->start < address + size)
            return range;
    return NULL;
}

static int appear(struct virtual_device *device, uint64_t start, uint64_t size, bool is_trapped,
                  int status)
{
    struct range *range = ranges;

    if (status != 0)
        return status;
    while (range < ranges + RANGES_MAX && range->device != NULL)
        range++;
    if (range == ranges + RANGES_MAX)
        return -ENOSPC;
    *range = (struct range){ device, start, size, is_trapped };
    device->operations->range_ready(device, start, 0);
    return 0;
}

static int disappear(struct virtual_device *device, uint64_t start, int status)
{
    if (status == 0) {
        range_at(start, 1)->device = NULL;
        device->operations->range_ready(device, start, 0);
    }
    return status;
}

static int map(void *context, struct virtual_device *device, uint64_t start, uint64_t size,
               int descriptor, uint64_t offset, uint32_t flags)
{
    (void)context;
    return appear(device, start, size, false,
                  range_at(start, size) != NULL
                      ? -EEXIST
                      : machine_map_host_memory(start, size, descriptor, offset,
                                                (flags & DEVICE_MAP_WRITABLE) != 0));
}

static int unmap(void *context, struct virtual_device *device, uint64_t start, uint64_t size)
{
    (void)context;
    return disappear(device, start, machine_unmap_host_memory(start, size));
}

static int trap(void *context, struct virtual_device *device, enum device_space space,
                uint64_t start, uint64_t size, bool on)
{
    (void)context;
    if (space != DEVICE_SPACE_MEMORY)
        return -ENOTSUP;
    if (on)
        return appear(device, start, size, true,
                      range_at(start, size) != NULL
                          ? -EEXIST
                          : machine_trap_range(start, size, MACHINE_MMIO, true));
    return disappear(device, start, machine_trap_range(start, size, MACHINE_MMIO, false));
}

static void interrupt(void *context, uint32_t processor, uint8_t vector)
{
    (void)context;
    machine_interrupt_raise(processor, vector);
}

uint64_t pair_pci_read(uint64_t address, uint32_t size)
{
    const struct range *range = range_at(address, size);

    if (range == NULL || !range->is_trapped)
        return size == 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;
    return range->device->operations->read(range->device, DEVICE_SPACE_MEMORY, address, size);
}

void pair_pci_write(uint64_t address, uint32_t size, uint64_t value)
{
    const struct range *range = range_at(address, size);

    if (range != NULL && range->is_trapped)
        range->device->operations->write(range->device, DEVICE_SPACE_MEMORY, address, size, value);
}

unsigned pair_pci_ranges(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < RANGES_MAX; i++)
        count += ranges[i].device != NULL;
    return count;
}

uint32_t pair_pci_retarget(void *context, const struct hypervisor_retarget *retarget)
{
    (void)context;
    for (unsigned i = 0; i < made; i++)
        if (busses[i] != NULL && vpci_has_device(busses[i], retarget->device))
            return vpci_retarget(busses[i], retarget->device, retarget->address, retarget->data,
                                 retarget->vector, retarget->processor);
    return HV_STATUS_INVALID_PARAMETER;
}

/* ---- making and losing them ---- */

static unsigned free_place(void)
{
    unsigned place = 0;

    while (place < made && busses[place] != NULL)
        place++;
    return place;
}

struct virtual_device *pair_pci_new(const char *text)
{
    static struct device_machine machine = {
        .map = map, .unmap = unmap, .trap = trap, .interrupt = interrupt
    };
    static const struct pci_resources resources;
    unsigned place = free_place();
    struct pci_description description;
    struct virtual_device *device;
    char problem[256];

    if (pci_describe(text, &resources, &description, problem, sizeof problem) != 0 ||
        place == BUSSES_MAX) {
        fprintf(stderr, "pair host: %s\n", place == BUSSES_MAX ? "too many busses" : problem);
        return NULL;
    }
    const struct vpci_settings settings = {
        .name = description.name[0] != '\0' ? description.name : "pci",
        .instance = description.has_instance
                        ? description.instance
                        : (struct guid){ 0x6d616368 + place, (uint16_t)(0x100 + place), 0x4000,
                                         { 0xa0, 0x5d, 'P', 'C', 'I', '0', '0', '0' } },
        .version_min = description.version_min != 0 ? description.version_min : VPCI_VERSION_1_1,
        .version_max = description.version_max != 0 ? description.version_max : VPCI_VERSION_1_4,
        .order = place,
        .first_d0_fails = description.first_d0_fails,
        .functions = description.functions,
        .function_count = description.function_count,
    };
    for (unsigned i = 0; i < description.function_count; i++)
        if (description.functions[i]->serial == 0)
            description.functions[i]->serial = settings.instance.data1 + i;
    busses[place] = vpci_new(&settings);
    if (busses[place] == NULL)
        return NULL;
    made = place == made ? made + 1 : made;
    machine.processors = machine_processor_count();
    device = vpci_device(busses[place]);
    device->operations->attach(device, &machine);
    return device;
}

struct virtual_device *pair_pci_plug(struct pair_host *host, const char *description)
{
    struct virtual_device *device = pair_pci_new(description);

    return device != NULL && pair_host_plug(host, device) ? device : NULL;
}

struct virtual_device *pair_pci_bus(unsigned index)
{
    return index < made && busses[index] != NULL ? vpci_device(busses[index]) : NULL;
}

void pair_pci_forget(struct pair_host *host, struct virtual_device *bus)
{
    for (unsigned i = 0; i < made; i++)
        if (busses[i] == (struct vpci *)bus)
            busses[i] = NULL;
    pair_host_forget(host, bus);
}

/* ---- what people do to them ---- */

bool pair_pci_eject(struct virtual_device *bus)
{
    return vpci_eject((struct vpci *)bus, 0, machine_uptime()) == 0;
}

bool pair_pci_remove(struct virtual_device *bus)
{
    return vpci_remove((struct vpci *)bus, 0) == 0;
}

bool pair_pci_restore(struct virtual_device *bus)
{
    return vpci_restore((struct vpci *)bus, 0) == 0;
}

void pair_pci_invalidate(struct virtual_device *bus)
{
    vpci_invalidate((struct vpci *)bus);
}

void pair_pci_unplug(struct virtual_device *bus)
{
    bus->operations->unplug(bus);
}

bool pair_pci_is_gone(const struct virtual_device *bus)
{
    return vpci_is_gone((const struct vpci *)bus);
}

uint32_t pair_pci_channel(const struct virtual_device *bus)
{
    return host_channel_id(((const struct vpci *)bus)->primary);
}

uint32_t pair_pci_version(const struct virtual_device *bus)
{
    return ((const struct vpci *)bus)->version;
}

uint64_t pair_pci_messages(const struct virtual_device *device)
{
    const struct vpci *bus = (const struct vpci *)device;
    uint64_t messages = 0;

    for (unsigned i = 0; i < bus->slot_count; i++)
        messages += bus->slots[i].function->interrupts;
    return messages;
}

unsigned pair_pci_targets(const struct virtual_device *device, uint64_t *processors)
{
    const struct vpci *bus = (const struct vpci *)device;
    unsigned count = 0;

    *processors = 0;
    for (unsigned i = 0; i < bus->slot_count; i++) {
        for (unsigned target = 0; target < VPCI_TARGETS; target++) {
            if (!bus->slots[i].targets[target].is_live)
                continue;
            *processors |= UINT64_C(1) << bus->slots[i].targets[target].processor % 64;
            count++;
        }
    }
    return count;
}
