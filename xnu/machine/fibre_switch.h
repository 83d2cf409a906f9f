/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Switching between stacks of one host thread, with AddressSanitizer told about it.
 */
#ifndef MACHV_XNU_MACHINE_FIBRE_SWITCH_H
#define MACHV_XNU_MACHINE_FIBRE_SWITCH_H

#include <stdbool.h>
#include <stddef.h>

struct fibre_context {
    void *stack_pointer; /* while it does not run; its registers are on its stack */
    const void *stack;   /* lowest address; learnt at the first switch for a host thread's own */
    size_t stack_size;
    void *fake_stack;    /* AddressSanitizer's */
};

/* Makes a context that will call `entry` (which never returns) on the given stack. */
void fibre_prepare(struct fibre_context *context, void *stack, size_t size, void (*entry)(void));
/* Leaves `from`, continues `to`. With `for_good`, `from` is never continued again. */
void fibre_switch(struct fibre_context *from, struct fibre_context *to, bool for_good);
/*
 * To be called first after every arrival in `self`. `scheduler`: the context whose stack bounds are
 * to be learnt, or NULL.
 */
void fibre_arrived(struct fibre_context *self, struct fibre_context *scheduler);

#endif
