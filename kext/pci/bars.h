/* SPDX-License-Identifier: BSD-3-Clause */
/* Base addresses of a function: what the host's probe masks mean, in which order they are placed,
 * and what goes into the registers. No I/O Kit in here.
 *
 * Sources: PCI Local Bus 3.0, 6.2.5; Linux pci-hyperv (sizes are whole pages, since the hypervisor
 * maps pages; large ones first). */
#ifndef KEXT_PCI_BARS_H
#define KEXT_PCI_BARS_H

#include <stdbool.h>
#include <stdint.h>

#include "kext/core/errors.h"
#include "protocol/pci.h"

#define BARS_ROM   PCI_BARS             /* index of the expansion ROM */
#define BARS_COUNT (PCI_BARS + 1)

#define BAR_SIZE_MINIMUM UINT64_C(0x1000)       /* a page */
#define BAR_SIZE_MAXIMUM (UINT64_C(1) << 46)

struct bar {
    bool present;
    bool wide;                          /* 64 bits: the next register is the upper half */
    bool prefetchable;
    uint64_t size;                      /* a power of two, whole pages */
    uint64_t address;                   /* 0: has no place */
    uint32_t fixed;                     /* bits that are not address, in the low register */
};

struct bars {
    struct bar bar[BARS_COUNT];
    uint32_t refused;                   /* masks that no base address has, dropped */
};

/* Reads the answers of a probe with all ones: one of each register, and of the expansion ROM (0:
 * there is none). Port ranges, which a virtual bus has not, and masks whose size is no power of two
 * are left out and counted. Returns how many were refused. */
uint32_t bars_read(struct bars *bars, const uint32_t masks[PCI_BARS], uint32_t rom_mask);

/* The order in which to place them, indices of `bar`: largest first, so that they pack without
 * holes. Returns how many there are. */
uint32_t bars_placing_order(const struct bars *bars, uint8_t order[BARS_COUNT]);

/* The highest address that any byte of the range may have. */
static inline uint64_t bar_highest(const struct bar *bar)
{
    return bar->wide ? UINT64_MAX : UINT32_MAX;
}

/* Gives it a place. HV_ERROR_INVALID: it is not there, or the address is not a multiple of its
 * size, or too high; nothing changes then. */
int bars_place(struct bars *bars, uint32_t index, uint64_t address);

/* What register `index` (0 .. PCI_BARS - 1, BARS_ROM) reads: address and fixed bits; 0 if there is
 * no such register. The upper half of a wide one has the next index. */
uint32_t bars_register(const struct bars *bars, uint32_t index);

/* Bits of register `index` that can be written. */
uint32_t bars_register_mask(const struct bars *bars, uint32_t index);

/* Takes a value written to the register: the address changes, fixed bits stay. */
void bars_write_register(struct bars *bars, uint32_t index, uint32_t value);

#endif
