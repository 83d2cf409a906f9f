/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzz target: any accesses of the PCI configuration ports. Each five bytes are one: port,
 * size and direction in the first, then a value. What is fixed never changes, and no access goes
 * outside a function. */
#include <stdlib.h>
#include <string.h>

#include "host/platform/piix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ACTION_SIZE = 5 };

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check(const struct pci_ports_function *now, const struct pci_ports_function *first)
{
    require(now->device == first->device && now->function == first->function);
    require(memcmp(now->writable, first->writable, sizeof(now->writable)) == 0);
    for (unsigned i = 0; i < sizeof(now->bytes); i++) {
        require(((now->bytes[i] ^ first->bytes[i]) & ~first->writable[i]) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pci_ports_function functions[PIIX_FUNCTIONS], first[PIIX_FUNCTIONS];
    struct pci_ports ports = {.functions = functions, .count = PIIX_FUNCTIONS};
    piix_reset(functions);
    piix_reset(first);
    for (size_t i = 0; i + ACTION_SIZE <= size; i += ACTION_SIZE) {
        const uint16_t port = (uint16_t)(PCI_PORTS_FIRST + (data[i] & 7));
        const uint32_t width = 1u << (data[i] >> 3 & 3) % 3;
        uint32_t value;
        memcpy(&value, data + i + 1, sizeof(value));
        if ((data[i] & 0x80) != 0) {
            require(width == 4 || pci_ports_read(&ports, port, width) < 1u << width * 8);
        } else {
            pci_ports_write(&ports, port, width, value);
        }
    }
    for (unsigned i = 0; i < PIIX_FUNCTIONS; i++) {
        check(&functions[i], &first[i]);
    }
    return 0;
}
