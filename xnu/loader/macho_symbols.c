/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mach-O: the symbol table (XNU libkern/kxld: kxld_sym.c, kxld_symtab.c).
 */
#include <stdlib.h>
#include <string.h>

#include "xnu/loader/macho_format.h"
#include "xnu/loader/macho_private.h"

/* From 10.15 on a former pad slot has a function, and the old name is read as the new one. */
#define RENAMED_FROM "__ZN15OSMetaClassBase25_RESERVEDOSMetaClassBase3Ev"
#define RENAMED_TO "__ZN15OSMetaClassBase8DispatchE5IORPC"
#define RENAMED_SINCE 1015u

static const char *const forced_private[] = {"_kmod_info", "__Znwm", "__Znam", "__ZdlPv",
                                             "__ZdaPv"};

static bool is_forced_private(const char *name) {
    for (unsigned i = 0; i < sizeof forced_private / sizeof forced_private[0]; i++) {
        if (strcmp(name, forced_private[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int check_defined(const struct macho *macho, struct macho_symbol *symbol,
                         struct loader_error *error) {
    if (symbol->section == 0 || symbol->section > macho->section_count) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: symbol %s lies in section %u of %u", symbol->name,
                           symbol->section, macho->section_count);
    }
    const struct macho_section *section = &macho->sections[symbol->section - 1];
    if (symbol->value < section->address || symbol->value - section->address > section->size) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: symbol %s lies outside its section %s",
                           symbol->name, section->name);
    }
    return 0;
}

static int classify(const struct macho *macho, struct macho_symbol *symbol,
                    struct loader_error *error) {
    uint8_t type = symbol->type & MACHO_SYMBOL_TYPE;
    symbol->is_stab = (symbol->type & MACHO_SYMBOL_STAB) != 0;
    if (symbol->is_stab) {
        return 0;
    }
    symbol->is_undefined = type == MACHO_SYMBOL_UNDEFINED;
    symbol->is_defined = type == MACHO_SYMBOL_SECTION || type == MACHO_SYMBOL_ABSOLUTE;
    symbol->is_exported = symbol->is_defined && (symbol->type & MACHO_SYMBOL_EXTERN) != 0 &&
                          (symbol->type & MACHO_SYMBOL_PRIVATE_EXTERN) == 0 &&
                          !is_forced_private(symbol->name);
    symbol->is_weak =
        symbol->is_undefined && (symbol->description & MACHO_SYMBOL_DESC_WEAK_REFERENCE) != 0;
    if (!symbol->is_undefined && !symbol->is_defined) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: symbol %s has the type 0x%x%s", symbol->name,
                           symbol->type,
                           type == MACHO_SYMBOL_INDIRECT ? " (an alias, which is not supported)"
                                                         : "");
    }
    if (symbol->is_undefined && symbol->value != 0 && macho->is_64) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "common symbol %s: kexts are compiled with -fno-common", symbol->name);
    }
    return type == MACHO_SYMBOL_SECTION ? check_defined(macho, symbol, error) : 0;
}

static int read_symbol(const struct macho *macho, struct macho_symbol *symbol,
                       const uint8_t *bytes, const char *strings, uint32_t strings_size,
                       struct loader_error *error) {
    uint32_t at = macho_get32(bytes);
    if (at >= strings_size) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: a symbol's name lies outside the string table");
    }
    symbol->name = strings + at;
    size_t length = strnlen(symbol->name, strings_size - at);
    if (length == strings_size - at || length > MACHO_NAME_MAX) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: a symbol's name has no end or is longer than %u",
                           MACHO_NAME_MAX);
    }
    symbol->type = bytes[4];
    symbol->section = bytes[5];
    symbol->description = macho_get16(bytes + 6);
    symbol->value = macho_get_word(macho, bytes + 8);
    return classify(macho, symbol, error);
}

int macho_read_symbols(struct macho *macho, const struct macho_tables *tables, uint32_t release,
                       struct loader_error *error) {
    if (tables->symtab == NULL) {
        return loader_fail(error, MACHINE_EXIT_KEXT, "malformed Mach-O: no symbol table");
    }
    uint32_t offset = macho_get32(tables->symtab + 8), count = macho_get32(tables->symtab + 12);
    uint32_t strings = macho_get32(tables->symtab + 16);
    uint32_t strings_size = macho_get32(tables->symtab + 20);
    unsigned each = macho->is_64 ? 16 : 12;
    if (offset > macho->size || count > (macho->size - offset) / each ||
        strings > macho->size || strings_size > macho->size - strings) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: the symbol table lies outside the file");
    }
    macho->symbols = calloc((size_t)count + 1, sizeof macho->symbols[0]);
    if (macho->symbols == NULL) {
        return loader_fail(error, MACHINE_EXIT_FAILURE, "no memory for %u symbols", count);
    }
    macho->symbol_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct macho_symbol *symbol = &macho->symbols[i];
        if (read_symbol(macho, symbol, macho->bytes + offset + (size_t)i * each,
                        (const char *)macho->bytes + strings, strings_size, error) != 0) {
            return -1;
        }
        if (macho->is_64 && release >= RENAMED_SINCE && strcmp(symbol->name, RENAMED_FROM) == 0) {
            symbol->name = RENAMED_TO;
        }
    }
    return 0;
}

const struct macho_symbol *macho_find_symbol(const struct macho *macho, const char *name) {
    for (size_t i = 0; i < macho->symbol_count; i++) {
        const struct macho_symbol *symbol = &macho->symbols[i];
        if (symbol->is_defined && strcmp(symbol->name, name) == 0) {
            return symbol;
        }
    }
    return NULL;
}
