/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Privileged and replaced instructions (Intel SDM volume 2), emulated on the interrupted registers.
 */
#include <Zydis/Zydis.h>
#include <stdio.h>
#include <string.h>

#include "xnu/machine/machine_private.h"
#include "xnu/machine/traps_private.h"

enum { RAX = 0, RCX = 1, RDX = 2, RSP = 4, RSI = 6, RDI = 7 };

#define FLAG_INTERRUPTS UINT64_C(0x200)
#define FLAG_DIRECTION UINT64_C(0x400)
/* What POPF changes besides the interrupt flag: the arithmetic flags and the direction. */
#define FLAGS_POPF UINT64_C(0xCD5)

static void skip(ucontext_t *context, unsigned length) {
    context->uc_mcontext.gregs[REG_RIP] += length;
}

static uint64_t flags(const ucontext_t *context) {
    return (uint64_t)context->uc_mcontext.gregs[REG_EFL];
}

/* ---- MSRs and CPUID ------------------------------------------------------------------------- */

static void do_cpuid(ucontext_t *context) {
    uint32_t registers[4];
    machine_cpuid((uint32_t)context_register(context, RAX),
                  (uint32_t)context_register(context, RCX), registers);
    context_set_register(context, RAX, registers[0]);
    context_set_register(context, 3, registers[1]);
    context_set_register(context, RCX, registers[2]);
    context_set_register(context, RDX, registers[3]);
}

static enum emulation do_rdmsr(ucontext_t *context, char *reason, size_t size) {
    uint64_t value;
    uint32_t index = (uint32_t)context_register(context, RCX);
    if (!machine_rdmsr(index, &value)) {
        snprintf(reason, size, "general protection fault: rdmsr of 0x%x", index);
        return EMULATION_FAULT;
    }
    context_set_register(context, RAX, (uint32_t)value);
    context_set_register(context, RDX, value >> 32);
    return EMULATION_DONE;
}

static enum emulation do_wrmsr(ucontext_t *context, char *reason, size_t size) {
    uint32_t index = (uint32_t)context_register(context, RCX);
    uint64_t value = (context_register(context, RDX) << 32) |
                     (uint32_t)context_register(context, RAX);
    if (!machine_wrmsr(index, value)) {
        snprintf(reason, size, "general protection fault: wrmsr of 0x%x with 0x%llx", index,
                 (unsigned long long)value);
        return EMULATION_FAULT;
    }
    return EMULATION_DONE;
}

/* ---- ports ---------------------------------------------------------------------------------- */

static unsigned port_of(const ucontext_t *context, const ZydisDecodedOperand *operand) {
    if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        return (unsigned)operand->imm.value.u & 0xFF;
    }
    return (unsigned)context_register(context, RDX) & 0xFFFF;
}

static void do_in(ucontext_t *context, const ZydisDecodedOperand *operands) {
    unsigned size = operands[0].size / 8;
    uint64_t mask = size == 4 ? UINT64_MAX : (UINT64_C(1) << (size * 8)) - 1;
    uint64_t value = machine_port_read((uint16_t)port_of(context, &operands[1]), size);
    /* A 32-bit result clears the upper half, shorter ones leave the rest. */
    context_set_register(context, RAX, (context_register(context, RAX) & ~mask) | value);
}

static void do_out(ucontext_t *context, const ZydisDecodedOperand *operands) {
    machine_port_write((uint16_t)port_of(context, &operands[0]), operands[1].size / 8,
                       (uint32_t)context_register(context, RAX));
}

/* INS and OUTS, with or without REP. */
static void do_port_string(ucontext_t *context, const ZydisDecodedInstruction *instruction,
                           unsigned size, bool in) {
    unsigned pointer = in ? RDI : RSI;
    bool repeat = (instruction->attributes & ZYDIS_ATTRIB_HAS_REP) != 0;
    uint64_t count = repeat ? context_register(context, RCX) : 1;
    uint64_t step = flags(context) & FLAG_DIRECTION ? 0 - (uint64_t)size : size;
    uint16_t port = (uint16_t)context_register(context, RDX);
    for (; count != 0; count--) {
        uint64_t address = context_register(context, pointer);
        uint32_t value = 0;
        if (in) {
            value = machine_port_read(port, size);
            memcpy((void *)address, &value, size);
        } else {
            memcpy(&value, (const void *)address, size);
            machine_port_write(port, size, value);
        }
        context_set_register(context, pointer, address + step);
    }
    if (repeat) {
        context_set_register(context, RCX, 0);
    }
}

/* ---- flags, halting ------------------------------------------------------------------------- */

static void do_pushf(ucontext_t *context) {
    uint64_t value = flags(context) & ~FLAG_INTERRUPTS;
    value |= machine_interrupts_enabled() ? FLAG_INTERRUPTS : 0;
    uint64_t stack = context_register(context, RSP) - sizeof value;
    memcpy((void *)stack, &value, sizeof value);
    context_set_register(context, RSP, stack);
}

static void do_popf(ucontext_t *context) {
    uint64_t value;
    uint64_t stack = context_register(context, RSP);
    memcpy(&value, (const void *)stack, sizeof value);
    context_set_register(context, RSP, stack + sizeof value);
    context->uc_mcontext.gregs[REG_EFL] =
        (greg_t)((flags(context) & ~FLAGS_POPF) | (value & FLAGS_POPF));
    machine_interrupts_set_enabled((value & FLAG_INTERRUPTS) != 0);
}

/* How long a halted thread sleeps when no interrupt comes; a real one would have clock ticks. */
#define HALT_NS UINT64_C(10000000)

/* Out of the signal handler, on the thread's own stack: sleep until an interrupt has come. */
__attribute__((used)) static void halted(void) {
    struct machine_processor *processor = &machine_processors[machine_processor_number()];
    atomic_fetch_add(&processor->halted, 1);
    machine_sleep(NULL, processor, machine_uptime() + HALT_NS, false);
    atomic_fetch_sub(&processor->halted, 1);
}

/*
 * Where a halted thread continues: saves what a C function may change, waits, and returns to the
 * instruction after HLT by the frame that do_hlt() has laid on the stack.
 */
__attribute__((naked)) static void halt_entry(void) {
    __asm__ volatile("pushq %rbp\n\t"
                     "movq %rsp, %rbp\n\t"
                     "pushq %rax\n\tpushq %rcx\n\tpushq %rdx\n\tpushq %rsi\n\tpushq %rdi\n\t"
                     "pushq %r8\n\tpushq %r9\n\tpushq %r10\n\tpushq %r11\n\t"
                     "subq $512, %rsp\n\t"
                     "andq $-16, %rsp\n\t"
                     "fxsave64 (%rsp)\n\t"
                     "cld\n\t"
                     "callq halted\n\t"
                     "fxrstor64 (%rsp)\n\t"
                     "leaq -72(%rbp), %rsp\n\t"
                     "popq %r11\n\tpopq %r10\n\tpopq %r9\n\tpopq %r8\n\t"
                     "popq %rdi\n\tpopq %rsi\n\tpopq %rdx\n\tpopq %rcx\n\tpopq %rax\n\t"
                     "popq %rbp\n\t"
                     "iretq");
}

static enum emulation do_hlt(ucontext_t *context, char *reason, size_t size) {
    if (!machine_interrupts_enabled() || machine_at_interrupt_context()) {
        snprintf(reason, size, "processor halted with interrupts off");
        return EMULATION_FAULT;
    }
    uint64_t code_segment, stack_segment;
    __asm__("movq %%cs, %0" : "=r"(code_segment));
    __asm__("movq %%ss, %0" : "=r"(stack_segment));
    uint64_t stack = context_register(context, RSP);
    uint64_t frame[5] = {(uint64_t)context->uc_mcontext.gregs[REG_RIP], code_segment,
                         flags(context), stack, stack_segment};
    /* Below what a function without a frame may use (128 bytes, System V ABI). */
    uint64_t below = ((stack - 128) & ~UINT64_C(15)) - sizeof frame;
    memcpy((void *)below, frame, sizeof frame);
    context_set_register(context, RSP, below);
    context->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)halt_entry;
    return EMULATION_DONE;
}

/* ---- control registers ---------------------------------------------------------------------- */

/* Reading gives what a 64-bit kernel has; writing the same, or CR0 with another WP, is accepted. */
static enum emulation do_control_register(ucontext_t *context,
                                          const ZydisDecodedOperand *operands, char *reason,
                                          size_t size) {
    static const uint64_t values[9] = {[0] = 0x80010033, [3] = 0x1000, [4] = 0x6A0};
    bool store = operands[0].reg.value >= ZYDIS_REGISTER_CR0 &&
                 operands[0].reg.value <= ZYDIS_REGISTER_CR8;
    unsigned number = (unsigned)(operands[store ? 0 : 1].reg.value - ZYDIS_REGISTER_CR0);
    unsigned general = (unsigned)ZydisRegisterGetId(operands[store ? 1 : 0].reg.value);
    if (number > 8) {
        return EMULATION_UNKNOWN;
    }
    if (!store) {
        context_set_register(context, general, values[number]);
        return EMULATION_DONE;
    }
    uint64_t changed = context_register(context, general) ^ values[number];
    if (changed != 0 && !(number == 0 && changed == 0x10000)) {
        snprintf(reason, size, "write to control register %u", number);
        return EMULATION_FAULT;
    }
    return EMULATION_DONE;
}

/* ---- dispatch ------------------------------------------------------------------------------- */

static enum emulation emulate_replaced(ucontext_t *context, enum replaced_instruction kind) {
    switch (kind) {
    case REPLACED_CPUID:
        skip(context, 2);
        do_cpuid(context);
        return EMULATION_DONE;
    case REPLACED_PUSHF:
        skip(context, 1);
        do_pushf(context);
        return EMULATION_DONE;
    case REPLACED_POPF:
        skip(context, 1);
        do_popf(context);
        return EMULATION_DONE;
    default:
        return EMULATION_UNKNOWN;
    }
}

static enum emulation emulate_decoded(ucontext_t *context,
                                      const ZydisDecodedInstruction *instruction,
                                      const ZydisDecodedOperand *operands, char *reason,
                                      size_t size) {
    switch (instruction->mnemonic) {
    case ZYDIS_MNEMONIC_RDMSR:
        return do_rdmsr(context, reason, size);
    case ZYDIS_MNEMONIC_WRMSR:
        return do_wrmsr(context, reason, size);
    case ZYDIS_MNEMONIC_IN:
        do_in(context, operands);
        return EMULATION_DONE;
    case ZYDIS_MNEMONIC_OUT:
        do_out(context, operands);
        return EMULATION_DONE;
    case ZYDIS_MNEMONIC_INSB:
    case ZYDIS_MNEMONIC_INSW:
    case ZYDIS_MNEMONIC_INSD:
        do_port_string(context, instruction, operands[0].size / 8, true);
        return EMULATION_DONE;
    case ZYDIS_MNEMONIC_OUTSB:
    case ZYDIS_MNEMONIC_OUTSW:
    case ZYDIS_MNEMONIC_OUTSD:
        do_port_string(context, instruction, operands[1].size / 8, false);
        return EMULATION_DONE;
    case ZYDIS_MNEMONIC_CLI:
        machine_interrupts_set_enabled(false);
        return EMULATION_DONE;
    case ZYDIS_MNEMONIC_STI:
        machine_interrupts_set_enabled(true);
        return EMULATION_DONE;
    case ZYDIS_MNEMONIC_HLT:
        return do_hlt(context, reason, size);
    case ZYDIS_MNEMONIC_MOV:
        return do_control_register(context, operands, reason, size);
    case ZYDIS_MNEMONIC_WBINVD:
    case ZYDIS_MNEMONIC_INVD:
    case ZYDIS_MNEMONIC_INVLPG:
    case ZYDIS_MNEMONIC_CLTS:
        return EMULATION_DONE; /* nothing to do: caches and translations are the host's */
    default:
        return EMULATION_UNKNOWN;
    }
}

enum emulation emulate_privileged(ucontext_t *context, const uint8_t *code, size_t length,
                                  char *reason, size_t reason_size) {
    ZydisDecoder decoder;
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    uintptr_t address = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    enum replaced_instruction replaced = traps_replaced_at(address);
    if (replaced != REPLACED_NOTHING) {
        return emulate_replaced(context, replaced);
    }
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    if (!ZYAN_SUCCESS(
            ZydisDecoderDecodeFull(&decoder, code, length, &instruction, operands))) {
        return EMULATION_UNKNOWN;
    }
    /* HLT continues at its end, by way of the frame; the others are skipped when done. */
    skip(context, instruction.length);
    enum emulation result =
        emulate_decoded(context, &instruction, operands, reason, reason_size);
    if (result != EMULATION_DONE) {
        context->uc_mcontext.gregs[REG_RIP] = (greg_t)address;
    }
    return result;
}
