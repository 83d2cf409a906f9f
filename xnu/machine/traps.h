/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a driver does to the processor directly. RDMSR, WRMSR, IN, OUT, CLI, STI, HLT and accesses
 * to trapped device ranges fault in a Linux process: signal handlers decode the instruction and
 * emulate it, forwarding what is Hyper-V's to the partition. CPUID, PUSHF and POPF do not fault: at
 * load time they are replaced by instructions of the same length that do, and the place is
 * remembered.
 *
 * Any other fault is a panic of the kernel: one report (what, where as kext symbol + offset,
 * registers, calls), the panic actions, the last log lines, and the process ends with
 * MACHINE_EXIT_CRASH.
 */
#ifndef MACHV_XNU_MACHINE_TRAPS_H
#define MACHV_XNU_MACHINE_TRAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Replaces CPUID, PUSHF and POPF in a function's code by trapping instructions. Follows control
 * flow from `start` (jump tables included), so that bytes inside other instructions or data between
 * them are not touched: give one function at a time. The code must be writable (see
 * traps_replace_cpuid for code that is not). Returns the number of places, -ENOSPC when too many
 * are remembered, or -ENOMEM. *undecoded (may be NULL) is set to a reachable byte that is no
 * instruction, NULL if there is none.
 */
int traps_replace_instructions(uint8_t *start, size_t size, const uint8_t **undecoded);
/* CPUID only, in one function of this program (native kexts); its pages are writable meanwhile. */
int traps_replace_cpuid(const void *start, const void *end);
/* Forgets replaced places in [start, start + size) when code is unloaded. */
void traps_forget(const void *start, size_t size);

/*
 * The same operations as functions, for the kernel's own use (rdmsr_carefully, cpuid_info ...).
 * MSR accessors return false where the instruction would raise #GP. registers: eax, ebx, ecx, edx.
 */
void machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t registers[4]);
bool machine_rdmsr(uint32_t index, uint64_t *value);
bool machine_wrmsr(uint32_t index, uint64_t value);
/* size 1, 2, 4 (ports also: 1, 2, 4). Ports that nobody traps read as all ones. */
uint32_t machine_port_read(uint16_t port, unsigned size);
void machine_port_write(uint16_t port, unsigned size, uint32_t value);
/* MMIO by guest-physical address, size 1, 2, 4, 8; RAM and host memory too. */
uint64_t machine_mmio_read(uint64_t physical, unsigned size);
void machine_mmio_write(uint64_t physical, unsigned size, uint64_t value);

/*
 * Code ranges that reports can name. `symbol` finds the symbol an address of the image lies in
 * (NULL and *offset undefined if none); called in a signal handler: no allocation, no lock.
 */
struct machine_image {
    const char *name;
    uintptr_t start;
    size_t size;
    const char *(*symbol)(void *context, uintptr_t address, uint64_t *offset);
    void *context;
};
/* The structure stays the caller's and must live until it is removed. -ENOSPC: too many. */
int machine_image_add(const struct machine_image *image);
void machine_image_remove(const struct machine_image *image);
/* Writes "symbol + 0x12 in image" or the bare address. Safe in signal handlers. */
void machine_describe_address(uintptr_t address, char *text, size_t size);

#endif
