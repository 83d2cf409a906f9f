/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCI configuration through ports 0xCF8 to 0xCFF ("mechanism 1") for functions that are nothing but
 * their configuration space, and the reset control register at 0xCF9. Only the model; after each
 * write the owner looks at `reset_wanted`.
 *
 * Source: PCI Local Bus 3.0, 3.2.2.3.2; Intel 82371AB data sheet (reset control).
 */
#ifndef HOST_PLATFORM_PCI_PORTS_H
#define HOST_PLATFORM_PCI_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/pci.h"

enum {
    PCI_PORTS_FIRST = 0xcf8,
    PCI_PORTS_COUNT = 8,
    PCI_PORTS_RESET = 0xcf9,
    PCI_PORTS_DATA = 0xcfc,
};

/* A function of bus 0. */
struct pci_ports_function {
    uint8_t device, function;
    uint8_t bytes[PCI_CONFIG_SIZE];
    uint8_t writable[PCI_CONFIG_SIZE]; /* bits that the guest can change */
};

struct pci_ports {
    struct pci_ports_function *functions; /* the owner's */
    unsigned count;
    uint32_t address; /* register 0xCF8 */
    bool reset_wanted; /* the owner clears it */
};

/* Accesses of the guest at `port` of the eight; size is 1, 2 or 4. What answers to nothing reads as
 * ones, and writes to it are nothing. */
uint32_t pci_ports_read(const struct pci_ports *ports, uint16_t port, uint32_t size);
void pci_ports_write(struct pci_ports *ports, uint16_t port, uint32_t size, uint32_t value);

#endif
