/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory. Guest RAM is one memfd. The whole guest-physical address space appears once in the
 * process, as one window: virtual address = window base + guest-physical address, for RAM, for host
 * memory (video RAM, BARs) and for trapped device ranges alike. So translation is an addition, any
 * range of RAM is physically contiguous, and a stray access faults.
 *
 * Layout: RAM from 1 MiB up to at most 3 GiB, the rest from 4 GiB; 3 - 4 GiB is left for devices.
 */
#ifndef MACHV_XNU_MACHINE_MEMORY_H
#define MACHV_XNU_MACHINE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_PAGE_SIZE 4096u
#define MACHINE_PAGE_SHIFT 12u
#define MACHINE_PHYSICAL_LIMIT (UINT64_C(1) << 40) /* size of the window */
#define MACHINE_NO_LIMIT UINT64_MAX
#define MACHINE_NO_ADDRESS UINT64_MAX

/* ---- pages of RAM --------------------------------------------------------------------------- */

/*
 * Allocates zeroed, physically contiguous pages. `size` in bytes is rounded up to pages, > 0.
 * `alignment`: a power of two (0 or 1: page) of the guest-physical address. `physical_limit`: the
 * highest guest-physical address any byte may have (an inclusive mask such as 0xFFFFFFFF), or
 * MACHINE_NO_LIMIT. NULL when there is no such memory (or the failure injection says so).
 */
void *machine_pages_allocate(size_t size, uint64_t alignment, uint64_t physical_limit);
/* Releases a whole allocation by its first address; a wrong address or size panics. */
void machine_pages_release(void *address, size_t size);

enum {
    MACHINE_READ = 1,
    MACHINE_WRITE = 2,
    MACHINE_EXECUTE = 4,
};

/*
 * Changes the protection of whole pages of RAM (MACHINE_READ | ...; 0: no access). RAM starts as
 * read + write; releasing pages restores that. 0 or a negative errno.
 */
int machine_pages_protect(void *address, size_t size, unsigned protection);

/* ---- general allocations -------------------------------------------------------------------- */

/*
 * IOMalloc and everything like it: in guest RAM, 16-byte aligned or `alignment` (a power of two up
 * to the page size), not zeroed (sanitizer builds fill it with 0xA5). Size 0 gives NULL.
 * Above 2048 bytes they are whole pages. NULL: no memory.
 */
void *machine_allocate(size_t size, size_t alignment);
void *machine_allocate_zeroed(size_t size, size_t alignment);
/*
 * `size` must be what was asked for (IOFree gives it), or 0 if the caller does not know; a wrong
 * size, a double release and a foreign address panic with both values. NULL is ignored.
 */
void machine_release(void *address, size_t size);
/* The size asked for, 0 for an address that is not the start of a live allocation. */
size_t machine_allocation_size(const void *address);

/*
 * Failure injection for tests: after machine_allocation_fail_at(n, sticky) the nth allocation from
 * now (1 = the next; pages, general allocations and thread stacks all count) fails, and with
 * `sticky` all after it. 0 turns it off. machine_allocation_failed() says how many were refused.
 */
void machine_allocation_fail_at(uint64_t nth, bool sticky);
uint64_t machine_allocation_failed(void);
/* Caches of allocations keep out of the way then, so that each allocation counts. */
bool machine_allocation_fail_is_on(void);

struct machine_memory_statistics {
    uint64_t ram_bytes;
    uint64_t pages_used;            /* of MACHINE_PAGE_SIZE, by whatever purpose */
    uint64_t allocations;           /* live general allocations */
    uint64_t allocated_bytes;       /* their asked-for sizes */
    uint64_t page_allocations;      /* live page allocations by callers */
};
void machine_memory_statistics(struct machine_memory_statistics *statistics);

/* ---- addresses ------------------------------------------------------------------------------ */

/*
 * Guest-physical address of a virtual address within the window, MACHINE_NO_ADDRESS outside. Any
 * window address translates (MMIO too); machine_is_ram() tells RAM.
 */
uint64_t machine_physical_address(const void *address);
/* Virtual address of a guest-physical one; NULL beyond the window. Not checked for being
 * backed. */
void *machine_virtual_address(uint64_t physical);
/* Whether all of [physical, physical + size) is RAM. */
bool machine_is_ram(uint64_t physical, uint64_t size);

/* RAM ranges, for telling the partition and the platform device tree; index from 0. */
bool machine_ram_range(unsigned index, uint64_t *physical, uint64_t *size, uint64_t *file_offset);
int machine_ram_descriptor(void); /* the memfd; owned by the machine */

/* ---- device and host memory ----------------------------------------------------------------- */

/*
 * Makes [physical, + size) of a host file appear in the window (MAP of the partition protocol).
 * Page aligned, must not overlap RAM or another range. The descriptor stays the caller's.
 * 0, -EINVAL, -EEXIST, -ENOSPC (table full) or the errno of mmap, negative.
 */
int machine_map_host_memory(uint64_t physical, uint64_t size, int descriptor,
                            uint64_t file_offset, bool writable);
/* The whole of a range that was mapped; -ENOENT otherwise. Accesses fault from now on. */
int machine_unmap_host_memory(uint64_t physical, uint64_t size);

#define MACHINE_WATCH_BLOCK UINT64_C(65536)
#define MACHINE_WATCH_BLOCKS_MAX 16384u

/*
 * Which blocks of a range of writable host memory, named exactly, were written since the call
 * before (at the first one: all); from now on writes are noted anew. A bit a block. One range is
 * watched at a time. 0, -ENOENT, or -EFBIG: it has more blocks.
 * Memory that is watched is read-only until it is written: system calls cannot write to it.
 */
int machine_watch_host_memory(uint64_t physical, uint64_t size,
                              uint64_t written[MACHINE_WATCH_BLOCKS_MAX / 64]);
/* Readable (an event descriptor, which the caller reads) after the first write since the call. */
int machine_watch_descriptor(void);
/* Start of the range that is watched, MACHINE_NO_ADDRESS: none is. */
uint64_t machine_watched_range(void);

/*
 * Whether all of [physical, physical + size) is RAM or host memory; if so it stays until
 * machine_memory_let_go(), which the caller calls soon and without blocking: the host may be
 * waiting to take the memory back. Not nested.
 */
bool machine_memory_hold(uint64_t physical, uint64_t size);
void machine_memory_let_go(void);

/*
 * Device ranges whose accesses are trapped and forwarded (traps.h). kind MACHINE_PORT: an x86 port
 * range. Same errors as above. Pages of a trapped MMIO range must not hold RAM.
 */
enum machine_address_kind {
    MACHINE_MMIO = 0,
    MACHINE_PORT = 1,
};
int machine_trap_range(uint64_t start, uint64_t size, enum machine_address_kind kind, bool on);
bool machine_is_trapped(uint64_t address, uint64_t size, enum machine_address_kind kind);
/*
 * Whether an address lies where Hyper-V leaves room for devices, below 4 GiB or above all RAM.
 * Where no device answers there, reads give all ones and writes go nowhere, as on the real machine:
 * a device may be taken away at any time. Everywhere else such an access is a crash.
 */
bool machine_is_device_room(uint64_t physical);

#endif
