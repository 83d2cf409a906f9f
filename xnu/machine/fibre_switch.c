/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Switching between stacks: the callee-saved registers of the System V ABI go onto the old stack.
 */
#include "xnu/machine/fibre_switch.h"

#include <stdint.h>

#include "xnu/machine/machine_private.h"

#ifdef MACHINE_ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#endif

__attribute__((naked, noinline)) static void swap_stacks(void **save, void *load) {
    __asm__ volatile("pushq %rbp\n\t"
                     "pushq %rbx\n\t"
                     "pushq %r12\n\t"
                     "pushq %r13\n\t"
                     "pushq %r14\n\t"
                     "pushq %r15\n\t"
                     "movq %rsp, (%rdi)\n\t"
                     "movq %rsi, %rsp\n\t"
                     "popq %r15\n\t"
                     "popq %r14\n\t"
                     "popq %r13\n\t"
                     "popq %r12\n\t"
                     "popq %rbx\n\t"
                     "popq %rbp\n\t"
                     "retq");
}

void fibre_prepare(struct fibre_context *context, void *stack, size_t size, void (*entry)(void)) {
    uintptr_t *top = (uintptr_t *)((uint8_t *)stack + size);
    *--top = 0; /* entry's return address: none; the stack is 16-byte aligned before this "call" */
    *--top = (uintptr_t)entry;
    for (int i = 0; i < 6; i++) {
        *--top = 0;
    }
    context->stack_pointer = top;
    context->stack = stack;
    context->stack_size = size;
    context->fake_stack = NULL;
}

void fibre_switch(struct fibre_context *from, struct fibre_context *to, bool for_good) {
#ifdef MACHINE_ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(for_good ? NULL : &from->fake_stack, to->stack, to->stack_size);
#endif
    swap_stacks(&from->stack_pointer, to->stack_pointer);
}

void fibre_arrived(struct fibre_context *self, struct fibre_context *scheduler) {
#ifdef MACHINE_ADDRESS_SANITIZER
    const void *stack = NULL;
    size_t size = 0;
    __sanitizer_finish_switch_fiber(self->fake_stack, &stack, &size);
    if (scheduler != NULL) {
        scheduler->stack = stack;
        scheduler->stack_size = size;
    }
#endif
}
