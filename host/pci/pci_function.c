/* SPDX-License-Identifier: BSD-3-Clause */
/* Making PCI functions: identity, regions, capabilities. */
#include "host/pci/pci_function.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/guest_memory.h"

enum { CAPABILITIES_END = 0x100, DWORD = 4 };

void pci_put16(uint8_t *bytes, unsigned offset, uint16_t value)
{
    bytes[offset] = (uint8_t)value;
    bytes[offset + 1] = (uint8_t)(value >> 8);
}

void pci_put32(uint8_t *bytes, unsigned offset, uint32_t value)
{
    pci_put16(bytes, offset, (uint16_t)value);
    pci_put16(bytes, offset + 2, (uint16_t)(value >> 16));
}

/* ---- Identity ---- */

void pci_set_identity(struct pci_function *function, const struct pci_identity *identity)
{
    uint8_t *config = function->config;
    pci_put16(config, PCI_VENDOR_ID, identity->vendor);
    pci_put16(config, PCI_DEVICE_ID, identity->device);
    config[PCI_REVISION_ID] = identity->revision;
    config[PCI_PROGRAMMING] = (uint8_t)identity->class_code;
    config[PCI_SUBCLASS] = (uint8_t)(identity->class_code >> 8);
    config[PCI_BASE_CLASS] = (uint8_t)(identity->class_code >> 16);
    pci_put16(config, PCI_SUBSYSTEM_VENDOR, identity->subsystem_vendor);
    pci_put16(config, PCI_SUBSYSTEM_ID, identity->subsystem);
}

void pci_get_identity(const struct pci_function *function, struct pci_identity *identity)
{
    *identity = (struct pci_identity){
        .vendor = pci_get16(function, PCI_VENDOR_ID),
        .device = pci_get16(function, PCI_DEVICE_ID),
        .subsystem_vendor = pci_get16(function, PCI_SUBSYSTEM_VENDOR),
        .subsystem = pci_get16(function, PCI_SUBSYSTEM_ID),
        .revision = function->config[PCI_REVISION_ID],
        .class_code = pci_get32(function, PCI_REVISION_ID) >> 8,
    };
}

struct pci_function *pci_function_new(const struct pci_identity *identity)
{
    struct pci_function *function = calloc(1, sizeof(*function));
    if (function == NULL) {
        return NULL;
    }
    for (unsigned i = 0; i < PCI_REGIONS; i++) {
        function->regions[i].descriptor = -1;
    }
    function->numa_node = -1;
    function->capability_end = PCI_HEADER_END;
    pci_set_identity(function, identity);
    pci_put16(function->writable, PCI_COMMAND,
              PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX);
    function->writable[PCI_CACHE_LINE_SIZE] = function->writable[PCI_INTERRUPT_LINE] = 0xff;
    return function;
}

void pci_function_free(struct pci_function *function)
{
    if (function == NULL) {
        return;
    }
    if (function->operations != NULL && function->operations->free != NULL) {
        function->operations->free(function);
    }
    for (unsigned i = 0; i < PCI_REGIONS; i++) {
        struct pci_region *region = &function->regions[i];
        if (region->memory != NULL) {
            munmap(region->memory, pci_region_span(region));
        }
        if (region->descriptor >= 0) {
            close(region->descriptor);
        }
    }
    free(function->msix.entries);
    free(function->msix.pending);
    free(function);
}

/* ---- Regions ---- */

static bool is_taken(const struct pci_function *function, unsigned index)
{
    const struct pci_region *regions = function->regions;
    return regions[index].size != 0 ||
           (index > 0 && index < PCI_BARS && regions[index - 1].is_64_bit);
}

uint64_t pci_region_span(const struct pci_region *region)
{
    return region->size < PCI_PAGE ? PCI_PAGE : region->size;
}

static int back_with_memory(struct pci_region *region)
{
    int descriptor = memfd_create("bar", MFD_CLOEXEC);
    if (descriptor < 0) {
        return -errno;
    }
    void *memory = MAP_FAILED;
    if (ftruncate(descriptor, (off_t)pci_region_span(region)) == 0) {
        memory = mmap(NULL, pci_region_span(region), PROT_READ | PROT_WRITE, MAP_SHARED,
                      descriptor, 0);
    }
    if (memory == MAP_FAILED) {
        int error = -errno;
        close(descriptor);
        return error;
    }
    region->descriptor = descriptor;
    region->memory = memory;
    return 0;
}

/* The address bits that the guest may write: those above the size. */
static void make_writable(struct pci_function *function, unsigned index)
{
    const struct pci_region *region = &function->regions[index];
    const uint64_t mask = ~(region->size - 1);
    if (index == PCI_ROM) {
        pci_put32(function->writable, PCI_ROM_BAR, (uint32_t)mask | PCI_ROM_ENABLE);
        return;
    }
    pci_put32(function->config, PCI_BAR(index),
              (region->is_64_bit ? PCI_BAR_64 : 0) |
                  (region->is_prefetchable ? PCI_BAR_PREFETCHABLE : 0));
    pci_put32(function->writable, PCI_BAR(index), (uint32_t)mask);
    if (region->is_64_bit) {
        pci_put32(function->writable, PCI_BAR(index + 1), (uint32_t)(mask >> 32));
    }
}

int pci_add_region(struct pci_function *function, unsigned index, uint64_t size, bool is_64_bit,
                   bool is_prefetchable, bool is_trapped)
{
    const uint64_t most = is_64_bit ? PCI_REGION_SIZE_MAXIMUM : UINT64_C(1) << 31;
    const uint64_t least = index == PCI_ROM ? PCI_ROM_SIZE_MINIMUM : PCI_REGION_SIZE_MINIMUM;
    if (index >= PCI_REGIONS || size < least || (size & (size - 1)) != 0 ||
        size > most || (is_64_bit && index >= PCI_BARS - 1)) {
        return -EINVAL;
    }
    if (is_taken(function, index) || (is_64_bit && function->regions[index + 1].size != 0)) {
        return -EEXIST;
    }
    struct pci_region region = {
        .size = size,
        .is_64_bit = is_64_bit,
        .is_prefetchable = is_prefetchable,
        .is_trapped = is_trapped,
        .descriptor = -1,
    };
    int result = is_trapped ? 0 : back_with_memory(&region);
    if (result == 0) {
        function->regions[index] = region;
        make_writable(function, index);
    }
    return result;
}

int pci_add_ports(struct pci_function *function, unsigned index, unsigned count)
{
    if (index >= PCI_BARS || count < 4 || count > PCI_PORTS_MAXIMUM ||
        (count & (count - 1)) != 0) {
        return -EINVAL;
    }
    if (is_taken(function, index)) {
        return -EEXIST;
    }
    function->regions[index] =
        (struct pci_region){.size = count, .is_port = true, .is_trapped = true, .descriptor = -1};
    pci_put32(function->config, PCI_BAR(index), PCI_BAR_PORT);
    pci_put32(function->writable, PCI_BAR(index), ~(count - 1));
    return 0;
}

/* ---- Capabilities ---- */

/* Room for a capability, linked to those before. Returns its offset, 0: there is no more room. */
static uint8_t add_capability(struct pci_function *function, uint8_t id, unsigned size)
{
    const uint8_t offset = function->capability_end;
    const unsigned end = (offset + size + DWORD - 1) / DWORD * DWORD;
    if (offset == 0 || end > CAPABILITIES_END) {
        return 0;
    }
    function->config[offset] = id;
    if (function->last_capability == 0) {
        function->config[PCI_CAPABILITIES] = offset;
        function->config[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
    } else {
        function->config[function->last_capability + 1] = offset;
    }
    function->last_capability = offset;
    function->capability_end = (uint8_t)end; /* 0: full */
    return offset;
}

int pci_add_power(struct pci_function *function)
{
    if (function->power_offset != 0) {
        return -EEXIST;
    }
    const uint8_t offset = add_capability(function, PCI_CAPABILITY_POWER, PCI_POWER_SIZE);
    if (offset == 0) {
        return -ENOSPC;
    }
    function->power_offset = offset;
    pci_put16(function->config, offset + 2u, 3); /* version 1.2 */
    function->config[offset + PCI_POWER_CONTROL] = PCI_POWER_NO_RESET;
    function->writable[offset + PCI_POWER_CONTROL] = PCI_POWER_STATE;
    return 0;
}

int pci_add_express(struct pci_function *function)
{
    enum { DEVICE_CONTROL = 8, CONTROL_WRITABLE = 0x70ff, VERSION = 2 };
    const uint8_t offset = add_capability(function, PCI_CAPABILITY_EXPRESS, PCI_EXPRESS_SIZE);
    if (offset == 0) {
        return -ENOSPC;
    }
    pci_put16(function->config, offset + PCI_EXPRESS_FLAGS, VERSION | PCI_EXPRESS_INTEGRATED << 4);
    pci_put16(function->writable, offset + DEVICE_CONTROL, CONTROL_WRITABLE);
    return 0;
}

int pci_add_msi(struct pci_function *function, unsigned messages)
{
    if (function->msi_offset != 0) {
        return -EEXIST;
    }
    if (messages == 0 || messages > 32 || (messages & (messages - 1)) != 0) {
        return -EINVAL;
    }
    const uint8_t offset = add_capability(function, PCI_CAPABILITY_MSI, PCI_MSI_SIZE_64);
    if (offset == 0) {
        return -ENOSPC;
    }
    function->msi_offset = offset;
    pci_put16(function->config, offset + PCI_MSI_CONTROL,
              (uint16_t)(PCI_MSI_64 | (unsigned)__builtin_ctz(messages) << PCI_MSI_CAPABLE_SHIFT));
    pci_put16(function->writable, offset + PCI_MSI_CONTROL,
              PCI_MSI_ENABLE | 7 << PCI_MSI_ENABLED_SHIFT);
    pci_put32(function->writable, offset + PCI_MSI_ADDRESS, ~3u);
    pci_put32(function->writable, offset + PCI_MSI_ADDRESS_HIGH, ~0u);
    pci_put16(function->writable, offset + PCI_MSI_DATA_64, 0xffff);
    return 0;
}

static bool fits(const struct pci_function *function, unsigned region, uint64_t offset,
                 uint64_t size)
{
    return region < PCI_BARS && function->regions[region].is_trapped &&
           !function->regions[region].is_port && offset % 8 == 0 &&
           offset + size <= function->regions[region].size;
}

int pci_add_msix(struct pci_function *function, unsigned messages, unsigned table_region,
                 uint32_t table_offset, unsigned pending_region, uint32_t pending_offset)
{
    const uint64_t table_size = (uint64_t)messages * sizeof(struct pci_msix_entry);
    const uint64_t pending_size = (messages + 63) / 64 * sizeof(uint64_t);
    if (function->msix_offset != 0) {
        return -EEXIST;
    }
    if (messages == 0 || messages > PCI_MSIX_VECTORS_MAXIMUM ||
        !fits(function, table_region, table_offset, table_size) ||
        !fits(function, pending_region, pending_offset, pending_size) ||
        (table_region == pending_region && table_offset < pending_offset + pending_size &&
         pending_offset < table_offset + table_size)) {
        return -EINVAL;
    }
    struct pci_msix msix = {
        .count = messages,
        .table_region = table_region,
        .pending_region = pending_region,
        .table_offset = table_offset,
        .pending_offset = pending_offset,
        .entries = calloc(messages, sizeof(struct pci_msix_entry)),
        .pending = calloc(1, pending_size),
    };
    const uint8_t offset = msix.entries != NULL && msix.pending != NULL
                               ? add_capability(function, PCI_CAPABILITY_MSIX, PCI_MSIX_SIZE)
                               : 0;
    if (offset == 0) {
        free(msix.entries);
        free(msix.pending);
        return -ENOSPC;
    }
    function->msix = msix;
    function->msix_offset = offset;
    pci_put16(function->config, offset + PCI_MSIX_CONTROL, (uint16_t)(messages - 1));
    pci_put32(function->config, offset + PCI_MSIX_TABLE, table_offset | table_region);
    pci_put32(function->config, offset + PCI_MSIX_PENDING, pending_offset | pending_region);
    pci_put16(function->writable, offset + PCI_MSIX_CONTROL, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
    return 0;
}

/* ---- What models do ---- */

bool pci_is_master(const struct pci_function *function)
{
    return (pci_get16(function, PCI_COMMAND) & PCI_COMMAND_MASTER) != 0;
}

int pci_dma_read(const struct pci_function *function, uint64_t gpa, void *to, size_t size)
{
    if (!pci_is_master(function)) {
        return -EACCES;
    }
    return function->memory != NULL ? guest_memory_read(function->memory, gpa, to, size) : -EFAULT;
}

int pci_dma_write(const struct pci_function *function, uint64_t gpa, const void *from, size_t size)
{
    if (!pci_is_master(function)) {
        return -EACCES;
    }
    return function->memory != NULL ? guest_memory_write(function->memory, gpa, from, size)
                                    : -EFAULT;
}

void pci_violation(struct pci_function *function, const char *rule)
{
    if (function->owner.violation != NULL) {
        function->owner.violation(function->owner.context, function, rule);
    }
}
