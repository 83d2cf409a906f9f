/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration space as the guest reads and writes it, and where regions appear because of it. */
#include <errno.h>
#include <string.h>

#include "host/pci/pci_function.h"

/* ---- Where regions appear ---- */

static bool is_decoding(const struct pci_function *function)
{
    const bool is_awake =
        function->power_offset == 0 ||
        (function->config[function->power_offset + PCI_POWER_CONTROL] & PCI_POWER_STATE) == 0;
    return is_awake && (pci_get16(function, PCI_COMMAND) & PCI_COMMAND_MEMORY) != 0;
}

uint32_t pci_bar_mask(const struct pci_function *function, unsigned index)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < 4; i++) {
        mask |= (uint32_t)function->writable[PCI_BAR(index) + i] << 8 * i;
    }
    return function->regions[index].size != 0
               ? mask | (pci_get32(function, PCI_BAR(index)) & PCI_BAR_ATTRIBUTES)
               : mask;
}

uint64_t pci_bar_address(const struct pci_function *function, unsigned index)
{
    const struct pci_region *region = &function->regions[index];
    if (index == PCI_ROM) {
        return pci_get32(function, PCI_ROM_BAR) & ~PCI_ROM_ATTRIBUTES;
    }
    const uint32_t attributes = region->is_port ? PCI_BAR_PORT_ATTRIBUTES : PCI_BAR_ATTRIBUTES;
    uint64_t address = pci_get32(function, PCI_BAR(index)) & ~attributes;
    if (region->is_64_bit) {
        address |= (uint64_t)pci_get32(function, PCI_BAR(index + 1)) << 32;
    }
    return region->size != 0 ? address : 0;
}

int pci_set_bar_address(struct pci_function *function, unsigned index, uint64_t address)
{
    if (index >= PCI_BARS || function->regions[index].size == 0 ||
        function->regions[index].is_port || address % function->regions[index].size != 0 ||
        (!function->regions[index].is_64_bit && address > UINT32_MAX)) {
        return -EINVAL;
    }
    const uint32_t attributes = pci_get32(function, PCI_BAR(index)) & PCI_BAR_ATTRIBUTES;
    pci_put32(function->config, PCI_BAR(index), (uint32_t)address | attributes);
    if (function->regions[index].is_64_bit) {
        pci_put32(function->config, PCI_BAR(index + 1), (uint32_t)(address >> 32));
    }
    return 0;
}

bool pci_region_address(const struct pci_function *function, unsigned region, uint64_t *address)
{
    if (function->regions[region].size == 0 || function->regions[region].is_port ||
        !is_decoding(function) ||
        (region == PCI_ROM && (function->config[PCI_ROM_BAR] & PCI_ROM_ENABLE) == 0)) {
        return false;
    }
    *address = pci_bar_address(function, region);
    return true;
}

static void tell_decoding(struct pci_function *function)
{
    if (function->owner.decoding_changed != NULL) {
        function->owner.decoding_changed(function->owner.context, function);
    }
}

void pci_set_memory_enable(struct pci_function *function, bool on)
{
    uint16_t command = pci_get16(function, PCI_COMMAND);
    command = on ? command | PCI_COMMAND_MEMORY : command & (uint16_t)~PCI_COMMAND_MEMORY;
    pci_put16(function->config, PCI_COMMAND, command);
    tell_decoding(function);
}

void pci_function_reset(struct pci_function *function)
{
    for (unsigned i = 0; i < PCI_CONFIG_EXTENDED_SIZE; i++) {
        function->config[i] &= (uint8_t)~function->writable[i];
    }
    pci_interrupts_reset(function);
    if (function->operations != NULL && function->operations->reset != NULL) {
        function->operations->reset(function);
    }
    tell_decoding(function);
}

/* ---- Accesses ---- */

uint32_t pci_config_read(const struct pci_function *function, unsigned offset, unsigned size)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value |= (uint32_t)function->config[offset + i] << 8 * i;
    }
    return value;
}

/* Hyper-V ignores writes to a BAR that is in use. */
static bool is_fixed_for_now(const struct pci_function *function, unsigned offset)
{
    return offset >= PCI_BAR(0) && offset < PCI_BAR(PCI_BARS) && is_decoding(function);
}

void pci_config_write(struct pci_function *function, unsigned offset, unsigned size,
                      uint32_t value)
{
    const bool was_decoding = is_decoding(function);
    const uint32_t rom = pci_get32(function, PCI_ROM_BAR);
    for (unsigned i = 0; i < size; i++) {
        const unsigned at = offset + i;
        const uint8_t mask = is_fixed_for_now(function, at) ? 0 : function->writable[at];
        function->config[at] = (uint8_t)((function->config[at] & ~mask) |
                                         ((uint8_t)(value >> 8 * i) & mask));
    }
    const bool rom_moved = rom != pci_get32(function, PCI_ROM_BAR) && was_decoding;
    if (was_decoding != is_decoding(function) || rom_moved) {
        tell_decoding(function);
    }
    pci_interrupts_changed(function);
}

static uint64_t all_ones(unsigned size)
{
    return size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

uint64_t pci_region_read(struct pci_function *function, unsigned region, uint64_t offset,
                         unsigned size)
{
    uint64_t value;
    if (pci_msix_read(function, region, offset, size, &value)) {
        return value;
    }
    if (function->operations == NULL || function->operations->read == NULL) {
        return all_ones(size);
    }
    return function->operations->read(function, region, offset, size);
}

void pci_region_write(struct pci_function *function, unsigned region, uint64_t offset,
                      unsigned size, uint64_t value)
{
    if (!pci_msix_write(function, region, offset, size, value) && function->operations != NULL &&
        function->operations->write != NULL) {
        function->operations->write(function, region, offset, size, value);
    }
}
