/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration space of a PCI display that is not there: machines of generation 2 have none,
 * and macOS looks for screens among PCI devices. It has the identity of the one that machines of
 * generation 1 have, and one base address, that of the VRAM. No I/O Kit in here.
 *
 * Source: PCI Local Bus 3.0, section 6; the identity from lspci of a generation 1 machine. */
#ifndef KEXT_GRAPHICS_DISPLAY_CONFIG_H
#define KEXT_GRAPHICS_DISPLAY_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define DISPLAY_CONFIG_VENDOR 0x1414u
#define DISPLAY_CONFIG_DEVICE 0x5353u

struct display_config {
    uint32_t address;                   /* of the VRAM */
    uint32_t size;                      /* of the base address's range, a power of two */
    uint16_t command;                   /* as written */
    uint8_t interrupt_line;             /* as written; there is no interrupt */
    bool is_sizing;                     /* all ones have been written to the base address */
};

/* `size` bytes at `address`, of which as many are shown as a base address can: a power of two that
 * divides the address. Returns their number, or 0 (no such range below 4 GiB). */
uint32_t display_config_make(struct display_config *config, uint64_t address, uint32_t size);

/* An access of 1, 2 or 4 bytes at a multiple of its size; calls are serialised by the caller. */
uint32_t display_config_read(const struct display_config *config, uint32_t offset, uint32_t size);
void display_config_write(struct display_config *config, uint32_t offset, uint32_t size,
                          uint32_t value);

#endif
