/* SPDX-License-Identifier: BSD-3-Clause */
/* The instructions that only a kernel may execute, or whose answer is the hypervisor's. */
#include "kext/core/processor.h"

__attribute__((noinline)) void processor_cpuid(uint32_t leaf, uint32_t subleaf,
                                               struct processor_cpuid *result)
{
    __asm__ volatile("cpuid"
                     : "=a"(result->eax), "=b"(result->ebx), "=c"(result->ecx), "=d"(result->edx)
                     : "0"(leaf), "2"(subleaf));
}

__attribute__((noinline)) uint64_t processor_read_msr(uint32_t index)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return (uint64_t)high << 32 | low;
}

__attribute__((noinline)) void processor_write_msr(uint32_t index, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

__attribute__((noinline)) uint8_t processor_in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "d"(port));
    return value;
}

__attribute__((noinline)) uint16_t processor_in16(uint16_t port)
{
    uint16_t value;

    __asm__ volatile("inw %1, %0" : "=a"(value) : "d"(port));
    return value;
}

__attribute__((noinline)) uint32_t processor_in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "d"(port));
    return value;
}

__attribute__((noinline)) void processor_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "d"(port));
}

__attribute__((noinline)) void processor_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "d"(port));
}

__attribute__((noinline)) void processor_out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "d"(port));
}

#if defined(__x86_64__)

/* C passes page, control, input, output in rdi, rsi, rdx, rcx; the page wants them in rcx, rdx, r8
 * and returns to our caller with the result in rax. All it may change is the caller's to save. */
__attribute__((naked)) uint64_t processor_hypercall(const void *page, uint64_t control,
                                                    uint64_t input, uint64_t output)
{
    __asm__ volatile("movq %rcx, %r8\n\t"
                     "movq %rsi, %rcx\n\t"
                     "jmpq *%rdi");
}

#else

/* The page wants control in edx:eax, input in ebx:ecx, output in edi:esi; result in edx:eax. */
__attribute__((naked)) uint64_t processor_hypercall(const void *page, uint64_t control,
                                                    uint64_t input, uint64_t output)
{
    __asm__ volatile("pushl %ebx\n\t"
                     "pushl %esi\n\t"
                     "pushl %edi\n\t"
                     "movl 20(%esp), %eax\n\t"
                     "movl 24(%esp), %edx\n\t"
                     "movl 28(%esp), %ecx\n\t"
                     "movl 32(%esp), %ebx\n\t"
                     "movl 36(%esp), %esi\n\t"
                     "movl 40(%esp), %edi\n\t"
                     "calll *16(%esp)\n\t"
                     "popl %edi\n\t"
                     "popl %esi\n\t"
                     "popl %ebx\n\t"
                     "retl");
}

#endif
