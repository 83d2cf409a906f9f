/* SPDX-License-Identifier: BSD-3-Clause */
/* The five functions. Facts: lspci of generation 1 machines, as Linux users publish it; Intel's
 * 440BX and 82371AB data sheets. */
#include "host/platform/piix.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum {
    VENDOR_INTEL = 0x8086,
    VENDOR_MICROSOFT = 0x1414,
    NO_BAR = 0xff,
    BUS_MASTER_IDE_BAR = 4,
    COMMAND_WRITABLE = PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
};

struct piix_row {
    uint8_t device, function;
    uint16_t vendor, id;
    uint8_t revision;
    uint32_t class_code;      /* base << 16 | sub << 8 | programming interface */
    uint8_t header;
    uint8_t command;          /* as firmware leaves it */
    uint8_t bar;              /* index of the one base address, or NO_BAR */
    uint32_t bar_value, bar_size;
    uint8_t pin, line;        /* interrupt */
};

static const struct piix_row rows[PIIX_FUNCTIONS] = {
    {0, 0, VENDOR_INTEL, 0x7192, 3, 0x060000, 0, 0x06, NO_BAR, 0, 0, 0, 0},
    {7, 0, VENDOR_INTEL, 0x7110, 1, 0x060100, PCI_HEADER_MULTIFUNCTION, 0x07, NO_BAR, 0, 0, 0, 0},
    {7, 1, VENDOR_INTEL, 0x7111, 1, 0x010180, PCI_HEADER_MULTIFUNCTION, 0x05, BUS_MASTER_IDE_BAR,
     0xffa0 | PCI_BAR_PORT, 16, 0, 0},
    {7, 3, VENDOR_INTEL, 0x7113, 2, 0x068000, PCI_HEADER_MULTIFUNCTION, 0x01, NO_BAR, 0, 0, 0, 0},
    {8, 0, VENDOR_MICROSOFT, 0x5353, 0, 0x030000, 0, 0x07, 0, 0xf8000000, 64 << 20, 1, 11},
};

static void put(uint8_t *bytes, unsigned offset, uint32_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        bytes[offset + i] = (uint8_t)(value >> i * 8);
    }
}

static void reset_function(const struct piix_row *row, struct pci_ports_function *function)
{
    memset(function, 0, sizeof(*function));
    function->device = row->device;
    function->function = row->function;
    put(function->bytes, PCI_VENDOR_ID, row->vendor, 2);
    put(function->bytes, PCI_DEVICE_ID, row->id, 2);
    put(function->bytes, PCI_COMMAND, row->command, 2);
    put(function->bytes, PCI_STATUS, 0x0200, 2); /* medium timing */
    put(function->bytes, PCI_REVISION_ID, row->class_code << 8 | row->revision, 4);
    put(function->bytes, PCI_HEADER_TYPE, row->header, 1);
    put(function->bytes, PCI_INTERRUPT_LINE, row->line, 1);
    put(function->bytes, PCI_INTERRUPT_PIN, row->pin, 1);
    put(function->writable, PCI_COMMAND, COMMAND_WRITABLE, 2);
    put(function->writable, PCI_LATENCY_TIMER, 0xf8, 1);
    put(function->writable, PCI_INTERRUPT_LINE, row->pin != 0 ? 0xff : 0, 1);
    if (row->bar != NO_BAR) {
        put(function->bytes, PCI_BAR(row->bar), row->bar_value, 4);
        put(function->writable, PCI_BAR(row->bar), ~(row->bar_size - 1), 4);
    }
}

void piix_reset(struct pci_ports_function functions[PIIX_FUNCTIONS])
{
    for (unsigned i = 0; i < PIIX_FUNCTIONS; i++) {
        reset_function(&rows[i], &functions[i]);
    }
}

/* ---- The virtual device ---- */

struct piix {
    struct virtual_device device; /* first */
    const struct device_machine *machine;
    struct pci_ports_function functions[PIIX_FUNCTIONS];
    struct pci_ports ports;
    uint64_t reads, writes;
};

static void attach(struct virtual_device *device, const struct device_machine *machine)
{
    ((struct piix *)device)->machine = machine;
}

static int plug(struct virtual_device *device, struct vmbus_server *server)
{
    return 0;
}

static int power_on(struct virtual_device *device)
{
    const struct device_machine *machine = ((struct piix *)device)->machine;
    return machine->trap(machine->context, device, DEVICE_SPACE_PORT, PCI_PORTS_FIRST,
                         PCI_PORTS_COUNT, true);
}

static void reset(struct virtual_device *device)
{
    struct piix *piix = (struct piix *)device;
    piix_reset(piix->functions);
    piix->ports.address = 0;
}

static uint64_t read_port(struct virtual_device *device, enum device_space space,
                          uint64_t address, uint32_t size)
{
    struct piix *piix = (struct piix *)device;
    piix->reads++;
    return pci_ports_read(&piix->ports, (uint16_t)address, size);
}

static void write_port(struct virtual_device *device, enum device_space space, uint64_t address,
                       uint32_t size, uint64_t value)
{
    struct piix *piix = (struct piix *)device;
    piix->writes++;
    pci_ports_write(&piix->ports, (uint16_t)address, size, (uint32_t)value);
    if (piix->ports.reset_wanted) {
        piix->ports.reset_wanted = false;
        piix->machine->reset(piix->machine->context);
    }
}

static void describe(struct virtual_device *device, struct json_object *to)
{
    const struct piix *piix = (const struct piix *)device;
    json_object_object_add(to, "functions", json_object_new_int(PIIX_FUNCTIONS));
    json_object_object_add(to, "reads", json_object_new_uint64(piix->reads));
    json_object_object_add(to, "writes", json_object_new_uint64(piix->writes));
}

static void free_piix(struct virtual_device *device)
{
    free(device);
}

static const struct virtual_device_operations operations = {
    .kind = "piix",
    .attach = attach,
    .plug = plug,
    .power_on = power_on,
    .reset = reset,
    .read = read_port,
    .write = write_port,
    .describe = describe,
    .free = free_piix,
};

struct virtual_device *piix_new(void)
{
    struct piix *piix = calloc(1, sizeof(*piix));
    if (piix == NULL) {
        return NULL;
    }
    piix->device.operations = &operations;
    piix->ports = (struct pci_ports){.functions = piix->functions, .count = PIIX_FUNCTIONS};
    piix_reset(piix->functions);
    return &piix->device;
}
