/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: descriptions of PCI buses. What is refused has one line of why; what is taken can be
 * probed by a guest, and each BAR's mask is that of a power of two.
 */
#include <stdlib.h>
#include <string.h>

#include "host/disk/disk_engine.h"
#include "host/pci/description.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 4096 };

static void probe(struct pci_function *function)
{
    for (unsigned i = 0; i < PCI_CONFIG_SIZE; i += 4) {
        pci_config_write(function, i, 4, 0xffffffff);
        pci_config_read(function, i, 4);
    }
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const uint32_t mask = pci_bar_mask(function, i) & ~PCI_BAR_ATTRIBUTES;
        if (function->regions[i].size == 0 || function->regions[i].is_port) {
            continue;
        }
        const uint64_t upper = function->regions[i].is_64_bit
                                   ? (uint64_t)pci_bar_mask(function, i + 1) << 32
                                   : UINT64_C(0xffffffff) << 32;
        if (~(mask | upper) + 1 != function->regions[i].size) {
            abort();
        }
    }
    pci_function_reset(function);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX] = "{", error[512] = "";
    struct pci_description description;
    if (size >= sizeof(text) - 1) {
        return 0;
    }
    memcpy(text + 1, data, size);
    if (strpbrk(text, "/\\") != NULL || strstr(text, "nbd") != NULL) {
        return 0; /* no files, no servers */
    }
    struct disk_engine *disks = disk_engine_new();
    const struct pci_resources resources = {.disks = disks};
    if (pci_describe(text, &resources, &description, error, sizeof(error)) != 0) {
        if (error[0] == '\0' || description.function_count != 0) {
            abort();
        }
    } else {
        for (unsigned i = 0; i < description.function_count; i++) {
            probe(description.functions[i]);
        }
        pci_description_free(&description);
    }
    disk_engine_free(disks);
    return 0;
}
