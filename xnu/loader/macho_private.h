/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between the files of the Mach-O reader.
 */
#ifndef MACHV_XNU_LOADER_MACHO_PRIVATE_H
#define MACHV_XNU_LOADER_MACHO_PRIVATE_H

#include <string.h>

#include "xnu/loader/macho.h"

/* Load commands of the symbol tables, in the file's bytes; NULL: not there. */
struct macho_tables {
    const uint8_t *symtab, *dysymtab;
};

static inline uint16_t macho_get16(const uint8_t *bytes) {
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint32_t macho_get32(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint64_t macho_get64(const uint8_t *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint64_t macho_get_word(const struct macho *macho, const uint8_t *bytes) {
    return macho->is_64 ? macho_get64(bytes) : macho_get32(bytes);
}

/* The parts of macho_read(): 0, or -1 with status and text in `error`; what was read until then is
 * macho_free()'s. */
int macho_read_symbols(struct macho *macho, const struct macho_tables *tables, uint32_t release,
                       struct loader_error *error);
int macho_read_relocations(struct macho *macho, const struct macho_tables *tables,
                           struct loader_error *error);

#endif
