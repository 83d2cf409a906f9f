/* SPDX-License-Identifier: BSD-3-Clause */
/* The address space that Hyper-V leaves for devices: windows below and above 4 GiB, of which the
 * video device and passed-through PCI devices get their parts. No I/O Kit in here; calls are
 * serialised by the caller. */
#ifndef KEXT_CORE_MMIO_H
#define KEXT_CORE_MMIO_H

#include <stddef.h>
#include <stdint.h>

#include "kext/core/errors.h"

#define MMIO_WINDOWS_MAXIMUM 8u
#define MMIO_RANGES_MAXIMUM  256u

/* Where every Hyper-V machine has room, also when its tables cannot be read: the window below
 * 4 GiB of Hyper-V's own tables. */
#define MMIO_LOW_FIRST UINT64_C(0xF8000000)
#define MMIO_LOW_LAST  UINT64_C(0xFEBFFFFF)

struct mmio_range {
    uint64_t first;
    uint64_t last;                      /* inclusive */
};

struct mmio_space {
    struct mmio_range windows[MMIO_WINDOWS_MAXIMUM];
    uint32_t window_count;
    struct mmio_range taken[MMIO_RANGES_MAXIMUM];
    uint32_t taken_count;
    struct mmio_range kept;             /* given away last; none if `last` is 0 */
};

/* Adds a window. HV_ERROR_INVALID: empty, or it overlaps another; HV_ERROR_NO_RESOURCES. */
int mmio_add_window(struct mmio_space *space, uint64_t first, uint64_t last);

/* Adds the memory windows of a root device's "acpi-address-spaces": records of 0x50 bytes with the
 * type at 0 (0: memory), first and last address at 0x18 and 0x20. Those that are malformed, or lie
 * below 1 MiB (the VGA window), are left out. Returns how many were added. */
uint32_t mmio_add_address_spaces(struct mmio_space *space, const uint8_t *records, size_t size);

/* Takes [address, address + size) itself. HV_ERROR_INVALID: size 0 or beyond the address space;
 * HV_ERROR_NOT_FOUND: not within one window; HV_ERROR_REFUSED: part of it is taken;
 * HV_ERROR_NO_RESOURCES. */
int mmio_reserve(struct mmio_space *space, uint64_t address, uint64_t size);

/* Keeps [address, address + size) for whoever reserves it, as long as there is room elsewhere. One
 * such range at a time; size 0 ends it. */
void mmio_keep(struct mmio_space *space, uint64_t address, uint64_t size);

/* Takes `size` bytes, the lowest that are free, at a multiple of `alignment` (a power of two), with
 * no byte above `highest`. Errors as above; HV_ERROR_NOT_FOUND: there is no such room. */
int mmio_allocate(struct mmio_space *space, uint64_t size, uint64_t alignment, uint64_t highest,
                  uint64_t *address);

/* Gives back what begins at `address`; HV_ERROR_NOT_FOUND. */
int mmio_release(struct mmio_space *space, uint64_t address);

#endif
