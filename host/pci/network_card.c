/* SPDX-License-Identifier: BSD-3-Clause */
/* A network card's identity, for matching alone: Intel's 82574L, whose registers read as ones. */
#include <stdio.h>
#include <string.h>

#include "host/pci/models.h"

enum { REGISTERS = 0, REGISTERS_SIZE = 0x20000, MSIX = 3, MSIX_SIZE = 0x4000, VECTORS = 5 };

static int make(struct pci_function *function, struct json_object *members,
                const struct pci_resources *resources, char *error, size_t error_size)
{
    int result = pci_add_region(function, REGISTERS, REGISTERS_SIZE, false, false, true);
    if (result == 0) {
        result = pci_add_region(function, MSIX, MSIX_SIZE, false, false, true);
    }
    if (result == 0) {
        result = pci_add_power(function);
    }
    if (result == 0) {
        result = pci_add_msi(function, 1);
    }
    if (result == 0) {
        result = pci_add_express(function);
    }
    if (result == 0) {
        result = pci_add_msix(function, VECTORS, MSIX, 0, MSIX, MSIX_SIZE / 2);
    }
    if (result != 0) {
        snprintf(error, error_size, "the network card cannot be made: %s", strerror(-result));
    }
    return result;
}

const struct pci_model pci_network_card = {
    .name = "network",
    .summary = "the identity of a network card (Intel 82574L), for matching alone",
    .identity = {.vendor = 0x8086, .device = 0x10d3, .subsystem_vendor = 0x8086,
                 .subsystem = 0xa01f, .class_code = 0x020000},
    .make = make,
};
