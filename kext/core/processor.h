/* SPDX-License-Identifier: BSD-3-Clause */
/* The instructions that only a kernel may execute, or whose answer is the hypervisor's.
 *
 * Nothing else in the kext contains any of them: a user-space kernel that replaces or emulates
 * them has to look at these functions only. */
#ifndef KEXT_CORE_PROCESSOR_H
#define KEXT_CORE_PROCESSOR_H

#include <stdint.h>

struct processor_cpuid {
    uint32_t eax, ebx, ecx, edx;
};

/* Registers after CPUID; leaves beyond the highest give what the processor likes. */
void processor_cpuid(uint32_t leaf, uint32_t subleaf, struct processor_cpuid *result);

/* Model-specific registers; an unknown one raises #GP. */
uint64_t processor_read_msr(uint32_t index);
void processor_write_msr(uint32_t index, uint64_t value);

/* I/O ports. */
uint8_t processor_in8(uint16_t port);
uint16_t processor_in16(uint16_t port);
uint32_t processor_in32(uint16_t port);
void processor_out8(uint16_t port, uint8_t value);
void processor_out16(uint16_t port, uint16_t value);
void processor_out32(uint16_t port, uint32_t value);

/* Makes a hypercall through the hypervisor's code at `page`. `control` is the input value; `input`
 * and `output` are guest-physical addresses, or the two values of a fast call. Returns the result
 * value. Source: TLFS, "Hypercall interface". */
uint64_t processor_hypercall(const void *page, uint64_t control, uint64_t input, uint64_t output);

#endif
