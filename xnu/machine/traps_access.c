/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Accesses to trapped device memory: the load, store and read-modify-write instructions that
 * compilers make of volatile accesses, and string instructions.
 */
#include <Zydis/Zydis.h>
#include <stdio.h>
#include <string.h>

#include "xnu/machine/machine_private.h"
#include "xnu/machine/traps_private.h"

enum { RAX = 0, RCX = 1, RSI = 6, RDI = 7 };

#define FLAG_CARRY UINT64_C(0x1)
#define FLAG_PARITY UINT64_C(0x4)
#define FLAG_ADJUST UINT64_C(0x10)
#define FLAG_ZERO UINT64_C(0x40)
#define FLAG_SIGN UINT64_C(0x80)
#define FLAG_DIRECTION UINT64_C(0x400)
#define FLAG_OVERFLOW UINT64_C(0x800)
#define FLAGS_ARITHMETIC                                                                          \
    (FLAG_CARRY | FLAG_PARITY | FLAG_ADJUST | FLAG_ZERO | FLAG_SIGN | FLAG_OVERFLOW)

struct access {
    ucontext_t *context;
    const ZydisDecodedInstruction *instruction;
    const ZydisDecodedOperand *operands;
    uintptr_t address; /* of the memory operand */
    unsigned size;     /* of the memory operand, bytes */
};

static uint64_t mask_of(unsigned size) {
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << (size * 8)) - 1;
}

static uint64_t sign_extend(uint64_t value, unsigned size) {
    uint64_t sign = UINT64_C(1) << (size * 8 - 1);
    return ((value & mask_of(size)) ^ sign) - sign;
}

/* ---- operands ------------------------------------------------------------------------------- */

static bool is_high_byte(ZydisRegister name) {
    return name >= ZYDIS_REGISTER_AH && name <= ZYDIS_REGISTER_BH;
}

static unsigned register_number(ZydisRegister name) {
    return (unsigned)ZydisRegisterGetId(
        ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, name));
}

static uint64_t register_value(const struct access *access, ZydisRegister name, unsigned size) {
    uint64_t whole = context_register(access->context, register_number(name));
    return (is_high_byte(name) ? whole >> 8 : whole) & mask_of(size);
}

static void set_register(const struct access *access, ZydisRegister name, unsigned size,
                         uint64_t value) {
    unsigned number = register_number(name);
    uint64_t whole = context_register(access->context, number);
    unsigned shift = is_high_byte(name) ? 8 : 0;
    if (size >= 4) {
        whole = value & mask_of(size); /* 32-bit results clear the upper half */
    } else {
        whole = (whole & ~(mask_of(size) << shift)) | (value & mask_of(size)) << shift;
    }
    context_set_register(access->context, number, whole);
}

static uint64_t load(uintptr_t address, unsigned size) {
    uint64_t value = 0;
    uint64_t physical = machine_physical_address((void *)address);
    if (physical != MACHINE_NO_ADDRESS && machine_is_trapped(physical, size, MACHINE_MMIO)) {
        return machine_mmio_read(physical, size);
    }
    if (machine_is_device_room(physical)) {
        return memory_copy_device(physical, &value, size, false) ? value : mask_of(size);
    }
    memcpy(&value, (const void *)address, size);
    return value;
}

static void store(uintptr_t address, unsigned size, uint64_t value) {
    uint64_t physical = machine_physical_address((void *)address);
    if (physical != MACHINE_NO_ADDRESS && machine_is_trapped(physical, size, MACHINE_MMIO)) {
        machine_mmio_write(physical, size, value & mask_of(size));
        return;
    }
    if (machine_is_device_room(physical)) {
        memory_copy_device(physical, &value, size, true);
        return;
    }
    memcpy((void *)address, &value, size);
}

/* A register, an immediate or the memory operand. */
static uint64_t operand_value(const struct access *access, unsigned index) {
    const ZydisDecodedOperand *operand = &access->operands[index];
    switch (operand->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        return register_value(access, operand->reg.value, operand->size / 8);
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
        return operand->imm.value.u;
    default:
        return load(access->address, access->size);
    }
}

static void operand_set(const struct access *access, unsigned index, uint64_t value) {
    const ZydisDecodedOperand *operand = &access->operands[index];
    if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER) {
        set_register(access, operand->reg.value, operand->size / 8, value);
    } else {
        store(access->address, access->size, value);
    }
}

/* ---- arithmetic ----------------------------------------------------------------------------- */

static void set_flags(const struct access *access, uint64_t result, unsigned size,
                      uint64_t carry_overflow_adjust) {
    uint64_t flags = (uint64_t)access->context->uc_mcontext.gregs[REG_EFL] & ~FLAGS_ARITHMETIC;
    result &= mask_of(size);
    flags |= carry_overflow_adjust;
    flags |= result == 0 ? FLAG_ZERO : 0;
    flags |= result >> (size * 8 - 1) ? FLAG_SIGN : 0;
    flags |= __builtin_parity((unsigned)(result & 0xFF)) ? 0 : FLAG_PARITY;
    access->context->uc_mcontext.gregs[REG_EFL] = (greg_t)flags;
}

static uint64_t add_flags(uint64_t a, uint64_t b, uint64_t result, unsigned size) {
    unsigned top = size * 8 - 1;
    uint64_t carry_out = (a & b) | ((a | b) & ~result);
    return (carry_out >> top & 1 ? FLAG_CARRY : 0) |
           (((a ^ result) & (b ^ result)) >> top & 1 ? FLAG_OVERFLOW : 0) |
           ((a ^ b ^ result) & 0x10 ? FLAG_ADJUST : 0);
}

static uint64_t subtract_flags(uint64_t a, uint64_t b, uint64_t result, unsigned size) {
    unsigned top = size * 8 - 1;
    uint64_t borrow_out = (~a & b) | (~(a ^ b) & result);
    return (borrow_out >> top & 1 ? FLAG_CARRY : 0) |
           (((a ^ b) & (a ^ result)) >> top & 1 ? FLAG_OVERFLOW : 0) |
           ((a ^ b ^ result) & 0x10 ? FLAG_ADJUST : 0);
}

/* Two-operand arithmetic where one side is device memory; TEST and CMP only set flags. */
static enum emulation arithmetic(const struct access *access) {
    unsigned size = access->operands[0].size / 8;
    uint64_t a = operand_value(access, 0) & mask_of(size);
    uint64_t b = operand_value(access, 1) & mask_of(size);
    uint64_t result, extra = 0;
    switch (access->instruction->mnemonic) {
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_TEST:
        result = a & b;
        break;
    case ZYDIS_MNEMONIC_OR:
        result = a | b;
        break;
    case ZYDIS_MNEMONIC_XOR:
        result = a ^ b;
        break;
    case ZYDIS_MNEMONIC_ADD:
        result = (a + b) & mask_of(size);
        extra = add_flags(a, b, result, size);
        break;
    default:
        result = (a - b) & mask_of(size);
        extra = subtract_flags(a, b, result, size);
        break;
    }
    set_flags(access, result, size, extra);
    if (access->instruction->mnemonic != ZYDIS_MNEMONIC_TEST &&
        access->instruction->mnemonic != ZYDIS_MNEMONIC_CMP) {
        operand_set(access, 0, result);
    }
    return EMULATION_DONE;
}

/* ---- string instructions -------------------------------------------------------------------- */

static enum emulation string_operation(const struct access *access, unsigned size, bool source,
                                       bool destination) {
    ucontext_t *context = access->context;
    bool repeat = (access->instruction->attributes & ZYDIS_ATTRIB_HAS_REP) != 0;
    uint64_t count = repeat ? context_register(context, RCX) : 1;
    bool down = ((uint64_t)context->uc_mcontext.gregs[REG_EFL] & FLAG_DIRECTION) != 0;
    uint64_t step = down ? 0 - (uint64_t)size : size;
    for (; count != 0; count--) {
        uint64_t from = context_register(context, RSI), to = context_register(context, RDI);
        uint64_t value = source ? load(from, size) : context_register(context, RAX);
        if (destination) {
            store(to, size, value);
            context_set_register(context, RDI, to + step);
        } else {
            set_register(access, access->operands[0].reg.value, size, value);
        }
        if (source) {
            context_set_register(context, RSI, from + step);
        }
    }
    if (repeat) {
        context_set_register(context, RCX, 0);
    }
    return EMULATION_DONE;
}

/* ---- dispatch ------------------------------------------------------------------------------- */

static enum emulation emulate(const struct access *access) {
    switch (access->instruction->mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
    case ZYDIS_MNEMONIC_MOVZX:
        operand_set(access, 0, operand_value(access, 1));
        return EMULATION_DONE;
    case ZYDIS_MNEMONIC_MOVSX:
    case ZYDIS_MNEMONIC_MOVSXD:
        operand_set(access, 0, sign_extend(load(access->address, access->size), access->size));
        return EMULATION_DONE;
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_OR:
    case ZYDIS_MNEMONIC_XOR:
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_SUB:
    case ZYDIS_MNEMONIC_TEST:
    case ZYDIS_MNEMONIC_CMP:
        return arithmetic(access);
    case ZYDIS_MNEMONIC_XCHG: {
        uint64_t first = operand_value(access, 0), second = operand_value(access, 1);
        operand_set(access, 0, second);
        operand_set(access, 1, first);
        return EMULATION_DONE;
    }
    case ZYDIS_MNEMONIC_STOSB:
    case ZYDIS_MNEMONIC_STOSW:
    case ZYDIS_MNEMONIC_STOSD:
    case ZYDIS_MNEMONIC_STOSQ:
        return string_operation(access, access->size, false, true);
    case ZYDIS_MNEMONIC_LODSB:
    case ZYDIS_MNEMONIC_LODSW:
    case ZYDIS_MNEMONIC_LODSD:
    case ZYDIS_MNEMONIC_LODSQ:
        return string_operation(access, access->size, true, false);
    case ZYDIS_MNEMONIC_MOVSB:
    case ZYDIS_MNEMONIC_MOVSW:
    case ZYDIS_MNEMONIC_MOVSD:
    case ZYDIS_MNEMONIC_MOVSQ:
        return string_operation(access, access->size, true, true);
    default:
        return EMULATION_UNKNOWN;
    }
}

enum emulation emulate_access(ucontext_t *context, const uint8_t *code, size_t length,
                              uintptr_t address, char *reason, size_t reason_size) {
    ZydisDecoder decoder;
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    struct access access = {context, &instruction, operands, address, 0};
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    if (!ZYAN_SUCCESS(
            ZydisDecoderDecodeFull(&decoder, code, length, &instruction, operands))) {
        return EMULATION_UNKNOWN;
    }
    for (unsigned i = 0; i < instruction.operand_count; i++) {
        if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY) {
            access.size = operands[i].size / 8;
        }
    }
    enum emulation result = EMULATION_UNKNOWN;
    if (access.size == 1 || access.size == 2 || access.size == 4 || access.size == 8) {
        result = emulate(&access);
    }
    if (result == EMULATION_UNKNOWN) {
        snprintf(reason, reason_size,
                 "an instruction (%s) that is not emulated for device memory, at "
                 "guest-physical 0x%llx",
                 ZydisMnemonicGetString(instruction.mnemonic),
                 (unsigned long long)machine_physical_address((void *)address));
        return EMULATION_FAULT;
    }
    context->uc_mcontext.gregs[REG_RIP] += instruction.length;
    return EMULATION_DONE;
}
