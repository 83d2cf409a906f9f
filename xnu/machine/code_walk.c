/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control flow of one function.
 */
#include "xnu/machine/code_walk.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TABLES_MAX 64u
#define TABLE_ENTRIES_MAX 1024u

struct walk {
    ZydisDecoder decoder;
    const uint8_t *code;
    size_t size;
    uint8_t *seen;   /* by offset: an instruction begins here and was visited or is queued */
    size_t *queue;
    size_t queued;
    size_t tables[TABLES_MAX]; /* offsets whose address was taken: perhaps jump tables */
    size_t table_count;
    const uint8_t *undecoded;
};

static void enqueue(struct walk *walk, int64_t offset) {
    if (offset >= 0 && (size_t)offset < walk->size && !walk->seen[offset]) {
        walk->seen[offset] = 1;
        walk->queue[walk->queued++] = (size_t)offset;
    }
}

/* Targets of the jump tables whose address was taken so far; each table is read once. */
static void follow_tables(struct walk *walk) {
    for (size_t i = 0; i < walk->table_count; i++) {
        size_t table = walk->tables[i];
        for (unsigned entry = 0; entry < TABLE_ENTRIES_MAX; entry++) {
            size_t at = table + entry * sizeof(int32_t);
            int32_t distance;
            if (at + sizeof distance > walk->size || walk->seen[at]) {
                break; /* code begins here: the table is over */
            }
            memcpy(&distance, walk->code + at, sizeof distance);
            int64_t target = (int64_t)table + distance;
            if (target < 0 || (size_t)target >= walk->size) {
                break;
            }
            enqueue(walk, target);
        }
    }
    walk->table_count = 0;
}

static void note_table(struct walk *walk, size_t next, const ZydisDecodedInstruction *instruction,
                       const ZydisDecodedOperand *operands) {
    if (instruction->mnemonic != ZYDIS_MNEMONIC_LEA ||
        operands[1].mem.base != ZYDIS_REGISTER_RIP) {
        return;
    }
    int64_t offset = (int64_t)next + operands[1].mem.disp.value;
    if (offset >= 0 && (size_t)offset < walk->size && walk->table_count < TABLES_MAX) {
        walk->tables[walk->table_count++] = (size_t)offset;
    }
}

/* Notes where control goes besides the next instruction; false: it does not go there at all. */
static bool follow(struct walk *walk, size_t next, const ZydisDecodedInstruction *instruction,
                   const ZydisDecodedOperand *operands) {
    bool direct = instruction->operand_count_visible != 0 &&
                  operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operands[0].imm.is_relative;
    if (direct) {
        enqueue(walk, (int64_t)next + operands[0].imm.value.s);
    }
    switch (instruction->meta.category) {
    case ZYDIS_CATEGORY_UNCOND_BR:
        if (!direct) {
            follow_tables(walk);
        }
        return false;
    case ZYDIS_CATEGORY_RET:
        return false;
    default:
        return instruction->mnemonic != ZYDIS_MNEMONIC_UD2;
    }
}

/* From one offset on until control leaves or joins what was seen. */
static void walk_path(struct walk *walk, size_t at, code_visitor *visit, void *context) {
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    for (;;) {
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&walk->decoder, walk->code + at, walk->size - at,
                                                 &instruction, operands))) {
            walk->undecoded = walk->code + at;
            return;
        }
        size_t next = at + instruction.length;
        note_table(walk, next, &instruction, operands);
        bool continues = follow(walk, next, &instruction, operands);
        visit(context, at, &instruction);
        if (!continues || next >= walk->size || walk->seen[next]) {
            return;
        }
        walk->seen[next] = 1;
        at = next;
    }
}

int code_walk(const uint8_t *code, size_t size, code_visitor *visit, void *context,
              const uint8_t **undecoded) {
    struct walk walk = {.code = code, .size = size};
    walk.seen = calloc(size, 1);
    walk.queue = malloc(size * sizeof walk.queue[0]);
    if (walk.seen == NULL || walk.queue == NULL) {
        free(walk.seen);
        free(walk.queue);
        return -ENOMEM;
    }
    ZydisDecoderInit(&walk.decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    enqueue(&walk, 0);
    while (walk.queued != 0) {
        walk_path(&walk, walk.queue[--walk.queued], visit, context);
    }
    if (undecoded != NULL) {
        *undecoded = walk.undecoded;
    }
    free(walk.seen);
    free(walk.queue);
    return 0;
}
