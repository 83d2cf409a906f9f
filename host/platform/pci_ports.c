/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI configuration mechanism 1. */
#include "host/platform/pci_ports.h"

#include <stddef.h>

#define ADDRESS_ENABLE 0x80000000u
#define ADDRESS_KEPT 0x80fffffcu /* the other bits read as zero */
#define RESET_NOW 0x04u

static uint32_t ones(uint32_t size)
{
    return size >= 4 ? UINT32_MAX : (1u << size * 8) - 1;
}

/* Where the access goes: the function and the offset in it; NULL: to nothing. */
static struct pci_ports_function *target(const struct pci_ports *ports, uint16_t port,
                                         uint32_t size, uint32_t *offset)
{
    const uint32_t address = ports->address;
    if ((address & ADDRESS_ENABLE) == 0 || (address >> 16 & 0xff) != 0 || port < PCI_PORTS_DATA ||
        (port & 3u) + size > 4) {
        return NULL;
    }
    *offset = (address & 0xfc) + (port & 3u);
    for (unsigned i = 0; i < ports->count; i++) {
        struct pci_ports_function *function = &ports->functions[i];
        if (function->device == (address >> 11 & 0x1f) &&
            function->function == (address >> 8 & 7)) {
            return function;
        }
    }
    return NULL;
}

uint32_t pci_ports_read(const struct pci_ports *ports, uint16_t port, uint32_t size)
{
    uint32_t offset, value = 0;
    if (port == PCI_PORTS_FIRST && size == 4) {
        return ports->address;
    }
    const struct pci_ports_function *function = target(ports, port, size, &offset);
    if (function == NULL) {
        return ones(size);
    }
    for (uint32_t i = 0; i < size; i++) {
        value |= (uint32_t)function->bytes[offset + i] << i * 8;
    }
    return value;
}

void pci_ports_write(struct pci_ports *ports, uint16_t port, uint32_t size, uint32_t value)
{
    uint32_t offset;
    if (port == PCI_PORTS_FIRST && size == 4) {
        ports->address = value & ADDRESS_KEPT;
        return;
    }
    if (port == PCI_PORTS_RESET && size == 1) {
        ports->reset_wanted |= (value & RESET_NOW) != 0;
        return;
    }
    struct pci_ports_function *function = target(ports, port, size, &offset);
    for (uint32_t i = 0; function != NULL && i < size; i++) {
        const uint8_t mask = function->writable[offset + i];
        uint8_t *byte = &function->bytes[offset + i];
        *byte = (uint8_t)((*byte & ~mask) | (value >> i * 8 & mask));
    }
}
