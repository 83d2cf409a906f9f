/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The symbol table of the running program itself (its ELF file, which must not be stripped): how
 * the native loader finds classes and functions by name.
 */
#ifndef MACHV_XNU_LOADER_PROGRAM_SYMBOLS_H
#define MACHV_XNU_LOADER_PROGRAM_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "xnu/loader/loader_error.h"

struct program_symbol {
    const char *name;
    uintptr_t address; /* in this process */
    size_t size;
};

struct program_symbols {
    struct program_symbol *symbols; /* sorted by name */
    size_t count;
    uint8_t *file;
};

/* 0, or -1 with `error` set. */
int program_symbols_read(struct program_symbols *symbols, struct loader_error *error);
void program_symbols_free(struct program_symbols *symbols);
/* NULL: none of that name. */
const struct program_symbol *program_symbols_find(const struct program_symbols *symbols,
                                                  const char *name);

#endif
