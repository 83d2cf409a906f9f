/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hypercall page. The guest names a page of its RAM in MSR 0x40000001; while it is enabled the
 * machine lays code over it that jumps to the function below. Registers: RCX control, RDX input,
 * R8 output, RAX result; RCX, RDX, R8 - R11 and flags may change, everything else is preserved
 * (Hyper-V TLFS, "Hypercall Interface").
 */
#include <string.h>

#include "xnu/machine/machine_private.h"

#define HYPERCALL_ENABLE UINT64_C(1)
#define HYPERCALL_PAGE_MASK (~UINT64_C(0xFFF))

#define CALL_FAST UINT64_C(0x10000)
#define CALL_SIGNAL_EVENT_FAST UINT64_C(0x1005D) /* HvCallSignalEvent, input in the register */
#define STATUS_INVALID_CODE UINT64_C(2)

static uint8_t *page; /* where the code lies now, NULL: nowhere */
static uint8_t underneath[MACHINE_PAGE_SIZE];

/* What hypercall_entry has saved of XMM0 - XMM5, low and high halves. */
struct saved_registers {
    uint64_t xmm[12];
};

__attribute__((used)) static uint64_t hypercall(uint64_t control, uint64_t input, uint64_t output,
                                                const struct saved_registers *saved) {
    const struct partition_operations *operations = partition_current.operations;
    uint64_t fast[PARTITION_FAST_WORDS] = {0};
    count_one(&machine_counters.hypercalls);
    panic_stop_here();
    if (operations == NULL) {
        return STATUS_INVALID_CODE;
    }
    /* Input: connection id in bits 31:0, flag number in 47:32; only flag 0 has a bitmap. */
    if (control == CALL_SIGNAL_EVENT_FAST && input <= UINT32_MAX && operations->signal != NULL &&
        operations->signal(partition_current.context, (uint32_t)input)) {
        count_one(&machine_counters.signals);
        return 0;
    }
    if (control & CALL_FAST) {
        fast[0] = input;
        fast[1] = output;
        memcpy(&fast[2], saved->xmm, sizeof saved->xmm);
    }
    return operations->hypercall(partition_current.context, machine_processor_number(), control,
                                 input, output, fast);
}

/* From the guest's registers to a C call and back; keeps RDI, RSI and all vector registers. */
__attribute__((naked)) static void hypercall_entry(void) {
    __asm__ volatile("pushq %rbp\n\t"
                     "movq %rsp, %rbp\n\t"
                     "pushq %rdi\n\t"
                     "pushq %rsi\n\t"
                     "subq $256, %rsp\n\t"
                     "andq $-16, %rsp\n\t"
                     "movaps %xmm0, 0(%rsp)\n\tmovaps %xmm1, 16(%rsp)\n\t"
                     "movaps %xmm2, 32(%rsp)\n\tmovaps %xmm3, 48(%rsp)\n\t"
                     "movaps %xmm4, 64(%rsp)\n\tmovaps %xmm5, 80(%rsp)\n\t"
                     "movaps %xmm6, 96(%rsp)\n\tmovaps %xmm7, 112(%rsp)\n\t"
                     "movaps %xmm8, 128(%rsp)\n\tmovaps %xmm9, 144(%rsp)\n\t"
                     "movaps %xmm10, 160(%rsp)\n\tmovaps %xmm11, 176(%rsp)\n\t"
                     "movaps %xmm12, 192(%rsp)\n\tmovaps %xmm13, 208(%rsp)\n\t"
                     "movaps %xmm14, 224(%rsp)\n\tmovaps %xmm15, 240(%rsp)\n\t"
                     "movq %rcx, %rdi\n\t"
                     "movq %rdx, %rsi\n\t"
                     "movq %r8, %rdx\n\t"
                     "movq %rsp, %rcx\n\t"
                     "cld\n\t"
                     "callq hypercall\n\t"
                     "movaps 0(%rsp), %xmm0\n\tmovaps 16(%rsp), %xmm1\n\t"
                     "movaps 32(%rsp), %xmm2\n\tmovaps 48(%rsp), %xmm3\n\t"
                     "movaps 64(%rsp), %xmm4\n\tmovaps 80(%rsp), %xmm5\n\t"
                     "movaps 96(%rsp), %xmm6\n\tmovaps 112(%rsp), %xmm7\n\t"
                     "movaps 128(%rsp), %xmm8\n\tmovaps 144(%rsp), %xmm9\n\t"
                     "movaps 160(%rsp), %xmm10\n\tmovaps 176(%rsp), %xmm11\n\t"
                     "movaps 192(%rsp), %xmm12\n\tmovaps 208(%rsp), %xmm13\n\t"
                     "movaps 224(%rsp), %xmm14\n\tmovaps 240(%rsp), %xmm15\n\t"
                     "leaq -16(%rbp), %rsp\n\t"
                     "popq %rsi\n\t"
                     "popq %rdi\n\t"
                     "popq %rbp\n\t"
                     "retq");
}

void hypercall_page_remove(void) {
    if (page == NULL) {
        return;
    }
    machine_pages_protect(page, MACHINE_PAGE_SIZE, MACHINE_READ | MACHINE_WRITE);
    memcpy(page, underneath, sizeof underneath);
    page = NULL;
}

void hypercall_page_update(uint64_t msr_value) {
    uint64_t physical = msr_value & HYPERCALL_PAGE_MASK;
    uint8_t *wanted = msr_value & HYPERCALL_ENABLE ? machine_virtual_address(physical) : NULL;
    if (wanted == page) {
        return;
    }
    hypercall_page_remove();
    if (wanted == NULL) {
        return;
    }
    if (!machine_is_ram(physical, MACHINE_PAGE_SIZE)) {
        machine_panic("hypercall page at guest-physical 0x%llx, which is not RAM",
                      (unsigned long long)physical);
    }
    uintptr_t entry = (uintptr_t)hypercall_entry;
    memcpy(underneath, wanted, sizeof underneath);
    memset(wanted, 0xCC, MACHINE_PAGE_SIZE);
    wanted[0] = 0x48; /* movabs $entry, %rax */
    wanted[1] = 0xB8;
    memcpy(&wanted[2], &entry, sizeof entry);
    wanted[10] = 0xFF; /* jmp *%rax */
    wanted[11] = 0xE0;
    machine_pages_protect(wanted, MACHINE_PAGE_SIZE, MACHINE_READ | MACHINE_EXECUTE);
    page = wanted;
}
