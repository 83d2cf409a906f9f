/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions that do not fault in a process but should: CPUID becomes UD2, PUSHF and POPF become
 * HLT. An open-addressing table remembers what stood where; signal handlers read it without a lock.
 */
#include <Zydis/Zydis.h>
#include <errno.h>
#include <sys/mman.h>

#include "xnu/machine/code_walk.h"
#include "xnu/machine/machine_private.h"
#include "xnu/machine/traps_private.h"

#define SLOTS 4096u /* a power of two */
#define PLACES_MAX (SLOTS / 2)

struct place {
    _Atomic uintptr_t address; /* 0: never used; 1: was used */
    _Atomic uint8_t kind;
};

static struct place places[SLOTS];
static unsigned place_count;
static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned slot_of(uintptr_t address) {
    return (unsigned)((address * UINT64_C(0x9E3779B97F4A7C15)) >> 52) % SLOTS;
}

enum replaced_instruction traps_replaced_at(uintptr_t address) {
    for (unsigned i = 0; i < SLOTS; i++) {
        struct place *place = &places[(slot_of(address) + i) % SLOTS];
        uintptr_t found = atomic_load(&place->address);
        if (found == address) {
            return (enum replaced_instruction)atomic_load(&place->kind);
        }
        if (found == 0) {
            break;
        }
    }
    return REPLACED_NOTHING;
}

static int remember(uintptr_t address, enum replaced_instruction kind) {
    if (place_count == PLACES_MAX) {
        return -ENOSPC;
    }
    unsigned i = slot_of(address);
    while (atomic_load(&places[i].address) > 1) {
        i = (i + 1) % SLOTS;
    }
    atomic_store(&places[i].kind, (uint8_t)kind);
    atomic_store(&places[i].address, address);
    place_count++;
    return 0;
}

static enum replaced_instruction kind_of(const ZydisDecodedInstruction *instruction) {
    switch (instruction->mnemonic) {
    case ZYDIS_MNEMONIC_CPUID:
        return instruction->length == 2 ? REPLACED_CPUID : REPLACED_NOTHING;
    case ZYDIS_MNEMONIC_PUSHFQ:
        return instruction->length == 1 ? REPLACED_PUSHF : REPLACED_NOTHING;
    case ZYDIS_MNEMONIC_POPFQ:
        return instruction->length == 1 ? REPLACED_POPF : REPLACED_NOTHING;
    default:
        return REPLACED_NOTHING;
    }
}

static void write_trap(uint8_t *code, enum replaced_instruction kind) {
    if (kind == REPLACED_CPUID) {
        code[0] = 0x0F; /* ud2 */
        code[1] = 0x0B;
    } else {
        code[0] = 0xF4; /* hlt */
    }
}

struct replacement {
    uint8_t *code;
    bool cpuid_only;
    int result; /* places so far, or -ENOSPC */
};

static void replace_instruction(void *context, size_t offset,
                                const ZydisDecodedInstruction *instruction) {
    struct replacement *replacement = context;
    enum replaced_instruction kind = kind_of(instruction);
    if (kind == REPLACED_NOTHING || (replacement->cpuid_only && kind != REPLACED_CPUID) ||
        replacement->result < 0) {
        return;
    }
    int error = remember((uintptr_t)replacement->code + offset, kind);
    if (error != 0) {
        replacement->result = error;
        return;
    }
    write_trap(replacement->code + offset, kind);
    replacement->result++;
}

static int replace_locked(uint8_t *start, size_t size, bool cpuid_only,
                          const uint8_t **undecoded) {
    struct replacement replacement = {start, cpuid_only, 0};
    int error = code_walk(start, size, replace_instruction, &replacement, undecoded);
    return error != 0 ? error : replacement.result;
}

int traps_replace_instructions(uint8_t *start, size_t size, const uint8_t **undecoded) {
    pthread_mutex_lock(&places_lock);
    int replaced = replace_locked(start, size, false, undecoded);
    pthread_mutex_unlock(&places_lock);
    return replaced;
}

int traps_replace_cpuid(const void *start, const void *end) {
    uintptr_t first = (uintptr_t)start & ~(uintptr_t)(MACHINE_PAGE_SIZE - 1);
    uintptr_t last = ((uintptr_t)end + MACHINE_PAGE_SIZE - 1) & ~(uintptr_t)(MACHINE_PAGE_SIZE - 1);
    if (mprotect((void *)first, last - first, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
        return -errno;
    }
    pthread_mutex_lock(&places_lock);
    int replaced = replace_locked((uint8_t *)(uintptr_t)start,
                                  (size_t)((uintptr_t)end - (uintptr_t)start), true, NULL);
    pthread_mutex_unlock(&places_lock);
    if (mprotect((void *)first, last - first, PROT_READ | PROT_EXEC) != 0) {
        return -errno;
    }
    return replaced;
}

void traps_forget(const void *start, size_t size) {
    pthread_mutex_lock(&places_lock);
    for (unsigned i = 0; i < SLOTS; i++) {
        uintptr_t address = atomic_load(&places[i].address);
        if (address > 1 && address - (uintptr_t)start < size) {
            atomic_store(&places[i].address, 1);
            place_count--;
        }
    }
    pthread_mutex_unlock(&places_lock);
}
