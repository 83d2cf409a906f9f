/* SPDX-License-Identifier: BSD-3-Clause */
/* MSI and MSI-X: capability, table, pending bits, and the messages that come of them. */
#include <string.h>

#include "host/pci/pci_function.h"

static void send(struct pci_function *function, uint64_t address, uint32_t data)
{
    function->interrupts++;
    if (function->owner.message != NULL) {
        function->owner.message(function->owner.context, function, address, data);
    }
}

/* ---- MSI-X ---- */

static uint16_t msix_control(const struct pci_function *function)
{
    return function->msix_offset != 0
               ? pci_get16(function, function->msix_offset + PCI_MSIX_CONTROL)
               : 0;
}

static bool is_pending(const struct pci_msix *msix, unsigned vector)
{
    return (msix->pending[vector / 64] >> vector % 64 & 1) != 0;
}

static void set_pending(struct pci_msix *msix, unsigned vector, bool pending)
{
    const uint64_t bit = UINT64_C(1) << vector % 64;
    if (pending) {
        msix->pending[vector / 64] |= bit;
    } else {
        msix->pending[vector / 64] &= ~bit;
    }
}

static bool is_masked(const struct pci_function *function, unsigned vector)
{
    return (msix_control(function) & PCI_MSIX_MASK_ALL) != 0 ||
           (function->msix.entries[vector].control & PCI_MSIX_ENTRY_MASKED) != 0;
}

static void msix_interrupt(struct pci_function *function, unsigned vector)
{
    struct pci_msix *msix = &function->msix;
    if (is_masked(function, vector)) {
        set_pending(msix, vector, true);
        return;
    }
    set_pending(msix, vector, false);
    send(function, msix->entries[vector].address, msix->entries[vector].data);
}

/* Sends what waited for a mask to go. */
static void send_pending(struct pci_function *function, unsigned vector)
{
    if ((msix_control(function) & PCI_MSIX_ENABLE) != 0 && is_pending(&function->msix, vector) &&
        !is_masked(function, vector) && pci_is_master(function)) {
        msix_interrupt(function, vector);
    }
}

static bool is_within(uint64_t offset, unsigned size, uint64_t start, uint64_t length)
{
    return offset >= start && offset + size <= start + length;
}

static bool is_in_table(const struct pci_msix *msix, unsigned region, uint64_t offset,
                        unsigned size)
{
    return msix->count != 0 && region == msix->table_region &&
           is_within(offset, size, msix->table_offset,
                     msix->count * sizeof(struct pci_msix_entry));
}

static bool is_in_pending(const struct pci_msix *msix, unsigned region, uint64_t offset,
                          unsigned size)
{
    return msix->count != 0 && region == msix->pending_region &&
           is_within(offset, size, msix->pending_offset, (msix->count + 63) / 64 * 8);
}

bool pci_msix_read(struct pci_function *function, unsigned region, uint64_t offset, unsigned size,
                   uint64_t *value)
{
    const struct pci_msix *msix = &function->msix;
    *value = 0;
    if (is_in_table(msix, region, offset, size)) {
        memcpy(value, (const uint8_t *)msix->entries + (offset - msix->table_offset), size);
        return true;
    }
    if (is_in_pending(msix, region, offset, size)) {
        memcpy(value, (const uint8_t *)msix->pending + (offset - msix->pending_offset), size);
        return true;
    }
    return false;
}

bool pci_msix_write(struct pci_function *function, unsigned region, uint64_t offset, unsigned size,
                    uint64_t value)
{
    struct pci_msix *msix = &function->msix;
    if (is_in_pending(msix, region, offset, size)) {
        return true; /* read-only */
    }
    if (!is_in_table(msix, region, offset, size)) {
        return false;
    }
    const uint64_t at = offset - msix->table_offset;
    if (size < 4 || at % 4 != 0) {
        pci_violation(function, "the MSI-X table is written in 4 or 8 bytes");
        return true;
    }
    memcpy((uint8_t *)msix->entries + at, &value, size);
    send_pending(function, (unsigned)(at / sizeof(struct pci_msix_entry)));
    return true;
}

/* ---- MSI ---- */

static uint16_t msi_control(const struct pci_function *function)
{
    return function->msi_offset != 0
               ? pci_get16(function, function->msi_offset + PCI_MSI_CONTROL)
               : 0;
}

/* The device puts the vector into the low bits of the data, as many as it was given. */
static void msi_interrupt(struct pci_function *function, unsigned vector)
{
    const unsigned offset = function->msi_offset;
    const unsigned given = 1u << (msi_control(function) >> PCI_MSI_ENABLED_SHIFT & 7);
    const uint64_t address = pci_get32(function, offset + PCI_MSI_ADDRESS) |
                             (uint64_t)pci_get32(function, offset + PCI_MSI_ADDRESS_HIGH) << 32;
    const uint32_t data = pci_get16(function, offset + PCI_MSI_DATA_64);
    send(function, address, (data & ~(given - 1)) | (vector & (given - 1)));
}

/* ---- Both ---- */

unsigned pci_vectors(const struct pci_function *function)
{
    if (function->msix.count != 0) {
        return function->msix.count;
    }
    return function->msi_offset != 0
               ? 1u << (msi_control(function) >> PCI_MSI_CAPABLE_SHIFT & 7)
               : 0;
}

void pci_interrupt(struct pci_function *function, unsigned vector)
{
    if (!pci_is_master(function) || vector >= pci_vectors(function)) {
        return;
    }
    if ((msix_control(function) & PCI_MSIX_ENABLE) != 0) {
        msix_interrupt(function, vector);
    } else if ((msi_control(function) & PCI_MSI_ENABLE) != 0) {
        msi_interrupt(function, vector);
    }
}

void pci_interrupts_changed(struct pci_function *function)
{
    if ((msix_control(function) & (PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL)) != PCI_MSIX_ENABLE) {
        return;
    }
    for (unsigned i = 0; i < function->msix.count; i++) {
        send_pending(function, i);
    }
}

void pci_interrupts_reset(struct pci_function *function)
{
    struct pci_msix *msix = &function->msix;
    for (unsigned i = 0; i < msix->count; i++) {
        msix->entries[i] = (struct pci_msix_entry){.control = PCI_MSIX_ENTRY_MASKED};
        set_pending(msix, i, false);
    }
}
