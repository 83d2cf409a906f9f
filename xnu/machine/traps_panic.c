/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fault that nobody emulates is a panic: the report that xnu makes of a trap in kernel mode, and
 * the way back from the signal handler to where drivers' panic actions can run.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "xnu/machine/machine_private.h"
#include "xnu/machine/traps_private.h"

/* What the panic needs of the stack, or it stays on that of signals; below the interrupted
 * function's red zone. */
#define STACK_WANTED (MACHINE_STACK_SIZE / 4)
#define RED_ZONE     128u

/* Direction and alignment check, as a handler of the processor's leaves neither to its code. */
#define FLAGS_CLEARED (UINT64_C(1) << 10 | UINT64_C(1) << 18)

static void report_registers(const ucontext_t *context) {
    static const char *const names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                          "r8 ", "r9 ", "r10", "r11", "r12", "r13", "r14", "r15"};
    for (unsigned i = 0; i < 16; i += 4) {
        report_line("  %s %016llx  %s %016llx  %s %016llx  %s %016llx", names[i],
                    (unsigned long long)context_register(context, i), names[i + 1],
                    (unsigned long long)context_register(context, i + 1), names[i + 2],
                    (unsigned long long)context_register(context, i + 2), names[i + 3],
                    (unsigned long long)context_register(context, i + 3));
    }
    report_line("  rip %016llx  flags %08llx",
                (unsigned long long)context->uc_mcontext.gregs[REG_RIP],
                (unsigned long long)context->uc_mcontext.gregs[REG_EFL]);
}

static bool in_stack_guard(const void *address) {
    const struct machine_thread *thread = machine_current;
    return thread != NULL && thread->stack != NULL &&
           (uintptr_t)address - (uintptr_t)thread->stack < MACHINE_PAGE_SIZE;
}

static void describe_fault(const struct trap *trap, char *text, size_t size) {
    uint64_t error = (uint64_t)trap->context->uc_mcontext.gregs[REG_ERR];
    const char *access = error & 16 ? "executing" : error & 2 ? "writing" : "reading";
    unsigned long long address = (unsigned long long)(uintptr_t)trap->info->si_addr;
    switch (trap->signal) {
    case SIGSEGV:
        if (trap->info->si_code == SI_KERNEL) {
            snprintf(text, size, "general protection fault (a privileged instruction that is not "
                                 "emulated, or a non-canonical address)");
        } else if (in_stack_guard(trap->info->si_addr)) {
            snprintf(text, size, "kernel stack overflow");
        } else {
            snprintf(text, size, "page fault %s address 0x%llx", access, address);
        }
        break;
    case SIGBUS:
        snprintf(text, size, "bus error %s address 0x%llx", access, address);
        break;
    case SIGILL:
        snprintf(text, size, "invalid instruction");
        break;
    case SIGFPE:
        snprintf(text, size, "divide error");
        break;
    default:
        snprintf(text, size, "breakpoint or trace trap");
        break;
    }
}

/* After a call of what is no code, the return address says where that was; 0: it is code. */
static uintptr_t wild_call_from(const ucontext_t *context) {
    uintptr_t caller = 0;
    uint8_t byte;
    if (!read_carefully((uintptr_t)context->uc_mcontext.gregs[REG_RIP], &byte, 1)) {
        read_carefully((uintptr_t)context->uc_mcontext.gregs[REG_RSP], &caller, sizeof caller);
    }
    return caller;
}

static void describe(const struct trap *trap, char *reason, size_t size) {
    char what[200], where[160];
    uintptr_t caller = wild_call_from(trap->context);
    if (trap->reason == NULL) {
        describe_fault(trap, what, sizeof what);
    }
    machine_describe_address(
        caller != 0 ? caller : (uintptr_t)trap->context->uc_mcontext.gregs[REG_RIP], where,
        sizeof where);
    snprintf(reason, size, "%s %s %s", trap->reason != NULL ? trap->reason : what,
             caller != 0 ? "after a call at" : "at", where);
}

static void report(const ucontext_t *context, const char *reason) {
    const struct machine_thread *thread = machine_current;
    uintptr_t instruction = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    uintptr_t caller = wild_call_from(context);
    report_line("panic(cpu %u thread \"%s\"%s): kernel trap, %s", machine_processor_number(),
                thread != NULL ? thread->name : "none",
                thread != NULL && thread->in_interrupt ? ", in an interrupt" : "", reason);
    report_registers(context);
    report_backtrace(caller != 0 ? caller : instruction,
                     (uintptr_t)context->uc_mcontext.gregs[REG_RBP]);
}

/* ---- the rest of the panic ------------------------------------------------------------------ */

static _Noreturn void finish(void) {
    panic_call_actions();
    machine_die(MACHINE_EXIT_CRASH, "kernel trap");
}

/* The thread's own stack, as long as it stands on it and there is room. */
static bool can_go_on(const ucontext_t *context) {
    const struct machine_thread *thread = machine_current;
    uintptr_t pointer = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
    return thread != NULL && thread->stack != NULL &&
           pointer - (uintptr_t)thread->stack < thread->stack_size + MACHINE_PAGE_SIZE &&
           pointer - (uintptr_t)thread->stack >= STACK_WANTED;
}

static void go_on_in_finish(ucontext_t *context) {
    uintptr_t pointer = (uintptr_t)context->uc_mcontext.gregs[REG_RSP] - RED_ZONE;
    pointer = (pointer & ~(uintptr_t)15) - sizeof(uintptr_t); /* as behind a call */
    memset((void *)pointer, 0, sizeof(uintptr_t));
    context->uc_mcontext.gregs[REG_RSP] = (greg_t)pointer;
    context->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)finish;
    context->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)FLAGS_CLEARED;
}

void trap_panic(const struct trap *trap) {
    char reason[420];
    unsigned depth = *trap->depth;
    describe(trap, reason, sizeof reason);
    *trap->depth = 0; /* the hook may leave by longjmp */
    machine_call_death_hook(MACHINE_EXIT_CRASH, reason);
    *trap->depth = depth;
    report(trap->context, reason);
    if (depth > 1) {
        machine_die(MACHINE_EXIT_CRASH, reason); /* the report before faulted */
    }
    if (can_go_on(trap->context)) {
        go_on_in_finish(trap->context);
        return;
    }
    /* Fibres share the stack of signals: no other may run, and trap, while this one is on it. */
    if (thread_engine == &thread_engine_real) {
        *trap->depth = 0;
        finish();
    }
    machine_die(MACHINE_EXIT_CRASH, reason);
}
