/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between the files of the trap handling: the interrupted registers, the answers of the emulator,
 * and the way to a panic. Nobody else includes it.
 */
#ifndef MACHV_XNU_MACHINE_TRAPS_PRIVATE_H
#define MACHV_XNU_MACHINE_TRAPS_PRIVATE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

/* An instruction is at most this long. */
#define INSTRUCTION_BYTES_MAX 15u

enum replaced_instruction {
    REPLACED_NOTHING = 0,
    REPLACED_CPUID,
    REPLACED_PUSHF,
    REPLACED_POPF,
};

/* What stood at this address before it was replaced. Safe in signal handlers. */
enum replaced_instruction traps_replaced_at(uintptr_t address);

enum emulation {
    EMULATION_DONE,      /* registers and RIP are updated */
    EMULATION_FAULT,     /* the instruction raises a fault: `reason` says which */
    EMULATION_UNKNOWN,   /* not an instruction that is emulated */
};

/*
 * A privileged or replaced instruction at RIP. `code` has `length` bytes of it; `reason` takes one
 * line about a fault.
 */
enum emulation emulate_privileged(ucontext_t *context, const uint8_t *code, size_t length,
                                  char *reason, size_t reason_size);
/* An access to trapped device memory at the faulting address. */
enum emulation emulate_access(ucontext_t *context, const uint8_t *code, size_t length,
                              uintptr_t address, char *reason, size_t reason_size);

/* A fault that nobody emulates. */
struct trap {
    int signal;
    const siginfo_t *info;
    ucontext_t *context;
    unsigned *depth;        /* of handlers on this thread; 1: the fault is the machine's own */
    const char *reason;     /* what the emulator says of it; NULL: nothing */
};

/*
 * The kernel panics, as xnu does at a trap in kernel mode: report, panic actions, end with
 * MACHINE_EXIT_CRASH. Returns only to have the signal handler return, into the rest of the panic on
 * the thread's own stack, where drivers' code can run and trap as ever.
 */
void trap_panic(const struct trap *trap);

/* General registers by their number in the instruction set (0 = RAX ... 15 = R15). */
uint64_t context_register(const ucontext_t *context, unsigned number);
void context_set_register(ucontext_t *context, unsigned number, uint64_t value);

#endif
