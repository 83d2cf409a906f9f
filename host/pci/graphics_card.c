/* SPDX-License-Identifier: BSD-3-Clause */
/* A graphics card's identity with the BARs of one: AMD's Polaris 10. Its memory is memory. */
#include <stdio.h>
#include <string.h>

#include "host/pci/models.h"

enum {
    FRAME_BUFFER = 0, FRAME_BUFFER_SIZE = 256 << 20,
    DOORBELLS = 2, DOORBELLS_SIZE = 2 << 20,
    REGISTERS = 5, REGISTERS_SIZE = 256 << 10,
    ROM_SIZE = 128 << 10,
};

/* What firmware looks for: the mark, the length in 512 bytes, and where the data structure is. */
static void fill_rom(struct pci_function *function)
{
    uint8_t *rom = function->regions[PCI_ROM].memory;
    struct pci_identity identity;
    pci_get_identity(function, &identity);
    pci_put16(rom, 0, 0xaa55);
    rom[2] = ROM_SIZE / 512 - 1;
    pci_put16(rom, 0x18, 0x1c);
    memcpy(rom + 0x1c, "PCIR", 4);
    pci_put16(rom, 0x20, identity.vendor);
    pci_put16(rom, 0x22, identity.device);
    pci_put16(rom, 0x26, 0x18); /* length of the structure */
    rom[0x2b] = 0x03;           /* class: display */
    pci_put16(rom, 0x2c, ROM_SIZE / 512);
    rom[0x31] = 0x80;           /* the last image */
}

static int make(struct pci_function *function, struct json_object *members,
                const struct pci_resources *resources, char *error, size_t error_size)
{
    int result = pci_add_region(function, FRAME_BUFFER, FRAME_BUFFER_SIZE, true, true, false);
    if (result == 0) {
        result = pci_add_region(function, DOORBELLS, DOORBELLS_SIZE, true, true, false);
    }
    if (result == 0) {
        result = pci_add_region(function, REGISTERS, REGISTERS_SIZE, false, false, true);
    }
    if (result == 0) {
        result = pci_add_region(function, PCI_ROM, ROM_SIZE, false, false, false);
    }
    if (result == 0) {
        result = pci_add_power(function);
    }
    if (result == 0) {
        result = pci_add_express(function);
    }
    if (result == 0) {
        result = pci_add_msi(function, 1);
    }
    if (result != 0) {
        snprintf(error, error_size, "the graphics card cannot be made: %s", strerror(-result));
        return result;
    }
    fill_rom(function);
    return 0;
}

const struct pci_model pci_graphics_card = {
    .name = "graphics",
    .summary = "the identity of a graphics card (AMD Polaris 10) with BARs of 256 MiB",
    .identity = {.vendor = 0x1002, .device = 0x67df, .subsystem_vendor = 0x1da2,
                 .subsystem = 0xe353, .revision = 0xe7, .class_code = 0x030000},
    .make = make,
};
