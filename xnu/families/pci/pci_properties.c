/* SPDX-License-Identifier: BSD-3-Clause */
/* The properties of a nub, as IOPCIConfigurator's constructProperties makes them. */
#include "xnu/families/pci/pci_private.h"

#include "abi/kpi/libkern.h"
#include "xnu/bsd/format.h"

enum { TEXT_ROOM = 128, NAME_ROOM = 16, CELLS = 5 };

#define SPACE_SHIFT 24
#define SPACE_PREFETCHABLE 0x40000000u
#define SPACE_RELOCATED 0x80000000u

static void set(OSDictionary *properties, const char *key, const void *value)
{
    if (value)
        OSDictionary_setObject_cstring(properties, key, (const OSMetaClassBase *)value);
    object_release(value);
}

static void set_bytes(OSDictionary *properties, const char *key, const void *bytes, size_t size)
{
    set(properties, key, OSData_withBytes(bytes, (uint32_t)size));
}

static void set_word(OSDictionary *properties, const char *key, uint32_t value)
{
    set_bytes(properties, key, &value, sizeof(value));
}

/* ---- names ---- */

/* Classes that have a name of their own; others are named after their ids. */
static const char *class_name(uint32_t class_code)
{
    static const struct {
        const char *name;
        uint32_t mask, value;
    } names[] = {
        {"display", 0xffffff, 0x000100},    {"scsi", 0xffff00, 0x010000},
        {"ethernet", 0xffff00, 0x020000},   {"display", 0xff0000, 0x030000},
        {"pci-bridge", 0xffff00, 0x060400},
    };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if ((class_code & names[i].mask) == names[i].value)
            return names[i].name;
    return NULL;
}

/* A growing list of strings, each with its NUL. */
struct name_list {
    char text[TEXT_ROOM];
    size_t size;
};

static void add_ids(struct name_list *list, uint32_t ids)
{
    list->size += 1 + (size_t)format_text(list->text + list->size, TEXT_ROOM - list->size,
                                          "pci%x,%x", ids & 0xffff, ids >> 16);
}

static void set_names(OSDictionary *properties, uint32_t id, uint32_t subsystem,
                      uint32_t class_code)
{
    struct name_list list = {.size = 0};
    const char *name = class_name(class_code);

    if (subsystem != 0 && subsystem != id)
        add_ids(&list, subsystem);
    if (!name)
        name = list.text + list.size;
    add_ids(&list, id);
    list.size += 1 + (size_t)format_text(list.text + list.size, TEXT_ROOM - list.size,
                                         "pciclass,%06x", class_code);
    set_bytes(properties, "compatible", list.text, list.size);
    set_bytes(properties, "name", name, strlen(name) + 1);
    set(properties, "IOName", OSSymbol_withCString(name));
}

/* ---- addresses ---- */

static uint32_t space_word(IOPCIAddressSpace space, unsigned index, const struct pci_range *range)
{
    uint32_t type = range->kind == PCI_RANGE_PORTS ? kIOPCIIOSpace : kIOPCI32BitMemorySpace;
    uint32_t word = space.bits | pci_range_register(index) | type << SPACE_SHIFT;

    return range->kind == PCI_RANGE_PREFETCHABLE ? word | SPACE_PREFETCHABLE : word;
}

static void append_cells(OSData *data, uint32_t word, uint64_t address, uint64_t size)
{
    uint32_t cells[CELLS] = {word, (uint32_t)(address >> 32), (uint32_t)address,
                             (uint32_t)(size >> 32), (uint32_t)size};

    OSData_appendBytes_pointer(data, cells, sizeof(cells));
}

static void set_addresses(OSDictionary *properties, IOPCIAddressSpace space,
                          const struct pci_range *ranges)
{
    OSData *wanted = OSData_withCapacity(CELLS * sizeof(uint32_t));
    OSData *assigned = OSData_withCapacity(CELLS * sizeof(uint32_t));
    unsigned i;

    if (wanted && assigned) {
        append_cells(wanted, space.bits, 0, 0);
        for (i = 0; i < PCI_RANGES; i++) {
            uint32_t word = space_word(space, i, &ranges[i]);

            if (ranges[i].kind == PCI_RANGE_NONE)
                continue;
            append_cells(wanted, word, 0, ranges[i].size);
            if (ranges[i].start != 0)
                append_cells(assigned, word | SPACE_RELOCATED, ranges[i].start, ranges[i].size);
        }
        OSDictionary_setObject_cstring(properties, "reg", (OSMetaClassBase *)wanted);
        if (OSData_getLength(assigned) > 0)
            OSDictionary_setObject_cstring(properties, "assigned-addresses",
                                           (OSMetaClassBase *)assigned);
    }
    object_release(wanted);
    object_release(assigned);
}

OSDictionary *pci_make_properties(IOPCIBridge *bridge, IOPCIAddressSpace space,
                                  const struct pci_range ranges[PCI_RANGES])
{
    OSDictionary *properties = OSDictionary_withCapacity(12);
    uint32_t id = IOPCIBridge_configRead32(bridge, space, kIOPCIConfigVendorID);
    uint32_t class_revision = IOPCIBridge_configRead32(bridge, space, kIOPCIConfigRevisionID);
    uint32_t subsystem = IOPCIBridge_configRead32(bridge, space, kIOPCIConfigSubSystemVendorID);
    char place[NAME_ROOM];

    if (!properties)
        return NULL;
    format_text(place, sizeof(place), "%u:%u:%u", (unsigned)space.s.busNum,
                (unsigned)space.s.deviceNum, (unsigned)space.s.functionNum);
    set(properties, "pcidebug", OSString_withCString(place));
    set_addresses(properties, space, ranges);
    set_word(properties, "vendor-id", id & 0xffff);
    set_word(properties, "device-id", id >> 16);
    set_word(properties, "revision-id", class_revision & 0xff);
    set_word(properties, "class-code", class_revision >> 8);
    if (subsystem != 0) {
        set_word(properties, "subsystem-vendor-id", subsystem & 0xffff);
        set_word(properties, "subsystem-id", subsystem >> 16);
    }
    set_names(properties, id, subsystem, class_revision >> 8);
    return properties;
}
