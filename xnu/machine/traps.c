/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signal handlers: from a faulting instruction to the emulator, or to a panic (traps_panic.c).
 */
#include "xnu/machine/traps.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "xnu/machine/machine_private.h"
#include "xnu/machine/traps_private.h"

#ifdef MACHINE_ADDRESS_SANITIZER
/*
 * Our handlers take the place of the sanitizer's; its own signal stacks would be unmapped under
 * ours; and addresses of local variables must lie in guest RAM, not on a fake stack.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:use_sigaltstack=0:"
           "detect_stack_use_after_return=0";
}
#endif

#define SIGNAL_STACK_SIZE (256u * 1024u)

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
#define SIGNALS (sizeof signals / sizeof signals[0])
static struct sigaction previous[SIGNALS];

static _Thread_local void *signal_stack;
static _Thread_local unsigned handler_depth;

static const int register_order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                       REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                       REG_R12, REG_R13, REG_R14, REG_R15};

uint64_t context_register(const ucontext_t *context, unsigned number) {
    return (uint64_t)context->uc_mcontext.gregs[register_order[number]];
}

void context_set_register(ucontext_t *context, unsigned number, uint64_t value) {
    context->uc_mcontext.gregs[register_order[number]] = (greg_t)value;
}

/* ---- dispatch ------------------------------------------------------------------------------- */

/* Copies the instruction's bytes; stops at a page that is not mapped. */
static size_t fetch_code(uintptr_t instruction, uint8_t code[INSTRUCTION_BYTES_MAX]) {
    size_t in_page = MACHINE_PAGE_SIZE - instruction % MACHINE_PAGE_SIZE;
    size_t length = in_page < INSTRUCTION_BYTES_MAX ? in_page : INSTRUCTION_BYTES_MAX;
    struct iovec local = {code, length}, remote = {(void *)instruction, length};
    if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != (ssize_t)length) {
        return 0;
    }
    struct iovec local_rest = {code + length, INSTRUCTION_BYTES_MAX - length};
    struct iovec remote_rest = {(void *)(instruction + length), INSTRUCTION_BYTES_MAX - length};
    if (length < INSTRUCTION_BYTES_MAX &&
        process_vm_readv(getpid(), &local_rest, 1, &remote_rest, 1, 0) > 0) {
        length = INSTRUCTION_BYTES_MAX;
    }
    return length;
}

static enum emulation try_to_emulate(int number, const siginfo_t *info, ucontext_t *context,
                                     char *reason, size_t size) {
    uint8_t code[INSTRUCTION_BYTES_MAX];
    uintptr_t instruction = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    if (number != SIGSEGV && number != SIGILL) {
        return EMULATION_UNKNOWN;
    }
    size_t length = fetch_code(instruction, code);
    if (length == 0) {
        return EMULATION_UNKNOWN;
    }
    if (number == SIGSEGV && info->si_code != SI_KERNEL) {
        uint64_t physical = machine_physical_address(info->si_addr);
        if (!machine_is_trapped(physical, 1, MACHINE_MMIO) && !machine_is_device_room(physical)) {
            return EMULATION_UNKNOWN;
        }
        count_one(&machine_counters.trapped_accesses);
        return emulate_access(context, code, length, (uintptr_t)info->si_addr, reason, size);
    }
    count_one(&machine_counters.trapped_instructions);
    return emulate_privileged(context, code, length, reason, size);
}

static void handle(int number, siginfo_t *info, void *argument) {
    ucontext_t *context = argument;
    char reason[200] = "";
    int saved_errno = errno;
    if (number == SIGSEGV && info->si_code == SEGV_ACCERR && memory_watch_fault(info->si_addr)) {
        errno = saved_errno;
        return;
    }
    if (++handler_depth > 4) {
        _exit(MACHINE_EXIT_CRASH); /* the report itself faults again and again */
    }
    enum emulation result = EMULATION_UNKNOWN;
    if (handler_depth == 1 && machine_current != NULL) {
        result = try_to_emulate(number, info, context, reason, sizeof reason);
    }
    if (result != EMULATION_DONE) {
        struct trap trap = {.signal = number,
                            .info = info,
                            .context = context,
                            .depth = &handler_depth,
                            .reason = result == EMULATION_FAULT ? reason : NULL};
        trap_panic(&trap);
    }
    handler_depth--;
    errno = saved_errno;
}

/* ---- installation --------------------------------------------------------------------------- */

int traps_start(void) {
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    /* A fault inside the handler must reach the handler, not end the process silently. */
    action.sa_flags |= SA_NODEFER;
    sigemptyset(&action.sa_mask);
    for (unsigned i = 0; i < SIGNALS; i++) {
        if (sigaction(signals[i], &action, &previous[i]) != 0) {
            return -errno;
        }
    }
    return 0;
}

void traps_stop(void) {
    for (unsigned i = 0; i < SIGNALS; i++) {
        sigaction(signals[i], &previous[i], NULL);
    }
}

int traps_thread_enter(void) {
    if (signal_stack != NULL) {
        return 0;
    }
    void *memory = mmap(NULL, SIGNAL_STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    stack_t stack = {.ss_sp = memory, .ss_size = SIGNAL_STACK_SIZE};
    if (sigaltstack(&stack, NULL) != 0) {
        munmap(memory, SIGNAL_STACK_SIZE);
        return -errno;
    }
    signal_stack = memory;
    handler_depth = 0;
    return 0;
}

void traps_thread_leave(void) {
    stack_t off = {.ss_flags = SS_DISABLE};
    if (signal_stack != NULL) {
        sigaltstack(&off, NULL);
        munmap(signal_stack, SIGNAL_STACK_SIZE);
        signal_stack = NULL;
    }
}
