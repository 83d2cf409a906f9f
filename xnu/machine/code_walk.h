/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds the instructions of a function by following its control flow, so that data between them
 * (jump tables) is never taken for code.
 */
#ifndef MACHV_XNU_MACHINE_CODE_WALK_H
#define MACHV_XNU_MACHINE_CODE_WALK_H

#include <Zydis/Zydis.h>
#include <stddef.h>
#include <stdint.h>

/* An instruction that can be reached from the function's first byte. */
typedef void code_visitor(void *context, size_t offset, const ZydisDecodedInstruction *instruction);

/*
 * Walks the `size` bytes of a function. Branches out of it are not followed; jump tables (32-bit
 * offsets from the table, as compilers write them for 64-bit code) are. *undecoded is set to a
 * reachable byte that is no instruction, NULL if there is none. 0 or -ENOMEM.
 */
int code_walk(const uint8_t *code, size_t size, code_visitor *visit, void *context,
              const uint8_t **undecoded);

#endif
