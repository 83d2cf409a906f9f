/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CPUID, MSRs, ports and device memory as the guest sees them: the partition's part is forwarded,
 * the rest is a plain PC.
 */
#include <cpuid.h>
#include <string.h>
#include <x86intrin.h>

#include "xnu/machine/machine_private.h"

#define HYPERVISOR_CPUID_FIRST 0x40000000u
#define HYPERVISOR_CPUID_LAST 0x400000FFu
#define HYPERVISOR_MSR_FIRST 0x40000000u
#define HYPERVISOR_MSR_LAST 0x400001FFu
#define MSR_HYPERCALL_PAGE 0x40000001u

/* Architectural MSRs (Intel SDM volume 4) that drivers and libraries read. */
#define MSR_TSC 0x10u
#define MSR_APIC_BASE 0x1Bu
#define MSR_MICROCODE 0x8Bu
#define MSR_MTRR_CAPABILITY 0xFEu
#define MSR_MISC_ENABLE 0x1A0u
#define MSR_PAT 0x277u
#define MSR_EFER 0xC0000080u

static const struct partition_operations *operations(void) {
    return partition_current.operations;
}

void machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t registers[4]) {
    unsigned processor = machine_processor_number();
    memset(registers, 0, 4 * sizeof registers[0]);
    if (leaf >= HYPERVISOR_CPUID_FIRST && leaf < 0x50000000u) {
        if (operations() != NULL && leaf <= HYPERVISOR_CPUID_LAST) {
            operations()->cpuid(partition_current.context, processor, leaf, subleaf, registers);
        }
        return;
    }
    __cpuid_count(leaf, subleaf, registers[0], registers[1], registers[2], registers[3]);
    if (leaf == 1) {
        registers[1] = (registers[1] & 0x0000FFFFu) | machine_processors_used << 16 |
                       processor << 24;
        registers[2] &= ~(1u << 31);
        registers[2] |= operations() != NULL ? 1u << 31 : 0;
    }
}

static bool read_pc_msr(uint32_t index, uint64_t *value) {
    switch (index) {
    case MSR_TSC:
        *value = __rdtsc();
        return true;
    case MSR_APIC_BASE: /* enabled, at its usual place; bit 8: the boot processor */
        *value = 0xFEE00800u | (machine_processor_number() == 0 ? 0x100u : 0);
        return true;
    case MSR_EFER: /* SYSCALL, long mode enabled and active, no-execute */
        *value = 0xD01u;
        return true;
    case MSR_PAT:
        *value = UINT64_C(0x0007040600070406);
        return true;
    case MSR_MICROCODE:
    case MSR_MTRR_CAPABILITY:
    case MSR_MISC_ENABLE:
        *value = 0;
        return true;
    default:
        return false;
    }
}

bool machine_rdmsr(uint32_t index, uint64_t *value) {
    *value = 0;
    if (index < HYPERVISOR_MSR_FIRST || index > HYPERVISOR_MSR_LAST) {
        return read_pc_msr(index, value);
    }
    return operations() != NULL &&
           operations()->rdmsr(partition_current.context, machine_processor_number(), index,
                               value);
}

bool machine_wrmsr(uint32_t index, uint64_t value) {
    if (index < HYPERVISOR_MSR_FIRST || index > HYPERVISOR_MSR_LAST) {
        uint64_t same;
        /* What the PC has may be written with what it is. */
        return index != MSR_TSC && read_pc_msr(index, &same) && same == value;
    }
    if (operations() == NULL ||
        !operations()->wrmsr(partition_current.context, machine_processor_number(), index,
                             value)) {
        return false;
    }
    if (index == MSR_HYPERCALL_PAGE && machine_rdmsr(index, &value)) {
        hypercall_page_update(value); /* with what the partition accepted */
    }
    return true;
}

static uint64_t all_ones(unsigned size) {
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << (size * 8)) - 1;
}

uint32_t machine_port_read(uint16_t port, unsigned size) {
    if (operations() == NULL || !machine_is_trapped(port, size, MACHINE_PORT)) {
        return (uint32_t)all_ones(size);
    }
    uint64_t value = operations()->read(partition_current.context, machine_processor_number(),
                                        port, size, MACHINE_PORT);
    return (uint32_t)(value & all_ones(size));
}

void machine_port_write(uint16_t port, unsigned size, uint32_t value) {
    if (operations() != NULL && machine_is_trapped(port, size, MACHINE_PORT)) {
        operations()->write(partition_current.context, machine_processor_number(), port, size,
                            MACHINE_PORT, value & all_ones(size));
    }
}

uint64_t machine_mmio_read(uint64_t physical, unsigned size) {
    uint64_t value = 0;
    if (machine_is_trapped(physical, size, MACHINE_MMIO)) {
        if (operations() == NULL) {
            return all_ones(size);
        }
        value = operations()->read(partition_current.context, machine_processor_number(),
                                   physical, size, MACHINE_MMIO);
        return value & all_ones(size);
    }
    if (machine_is_device_room(physical)) {
        return memory_copy_device(physical, &value, size, false) ? value : all_ones(size);
    }
    void *address = machine_virtual_address(physical);
    if (address == NULL) {
        machine_panic("read of %u bytes at guest-physical 0x%llx: no such memory", size,
                      (unsigned long long)physical);
    }
    memcpy(&value, address, size);
    return value;
}

void machine_mmio_write(uint64_t physical, unsigned size, uint64_t value) {
    if (machine_is_trapped(physical, size, MACHINE_MMIO)) {
        if (operations() != NULL) {
            operations()->write(partition_current.context, machine_processor_number(), physical,
                                size, MACHINE_MMIO, value & all_ones(size));
        }
        return;
    }
    if (machine_is_device_room(physical)) {
        memory_copy_device(physical, &value, size, true);
        return;
    }
    void *address = machine_virtual_address(physical);
    if (address == NULL) {
        machine_panic("write of %u bytes at guest-physical 0x%llx: no such memory", size,
                      (unsigned long long)physical);
    }
    memcpy(address, &value, size);
}
