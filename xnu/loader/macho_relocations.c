/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mach-O: relocation tables (XNU libkern/kxld: kxld_reloc.c). A kext bundle has them in its dynamic
 * symbol table, an object file in each section.
 */
#include <stdlib.h>

#include "xnu/loader/macho_format.h"
#include "xnu/loader/macho_private.h"

#define ENTRY_SIZE 8u

static int damaged(struct loader_error *error, const char *what, uint64_t address) {
    return loader_fail(error, MACHINE_EXIT_KEXT, "malformed Mach-O: %s (relocation at 0x%llx)",
                       what, (unsigned long long)address);
}

static int check_x86_64(const struct macho *macho, const struct macho_relocation *relocation,
                        struct loader_error *error) {
    uint64_t address = relocation->address;
    switch (relocation->type) {
    case MACHO_X86_64_UNSIGNED:
        if (relocation->length != 3 || relocation->pc_relative) {
            return damaged(error, "an absolute relocation that is not 8 bytes long", address);
        }
        return 0;
    case MACHO_X86_64_BRANCH:
    case MACHO_X86_64_SIGNED:
    case MACHO_X86_64_SIGNED_1:
    case MACHO_X86_64_SIGNED_2:
    case MACHO_X86_64_SIGNED_4:
        if (relocation->length != 2 || !relocation->pc_relative || !relocation->external) {
            return damaged(error, "a pc-relative relocation of an unknown form", address);
        }
        return 0;
    case MACHO_X86_64_SUBTRACTOR:
        return damaged(error, "a difference of symbols, to be resolved at link time", address);
    case MACHO_X86_64_GOT:
    case MACHO_X86_64_GOT_LOAD:
        return damaged(error, "a reference to a GOT that kexts do not have", address);
    default:
        return damaged(error, "an unknown relocation type", address);
    }
}

static int check_i386(const struct macho_relocation *relocation, struct loader_error *error) {
    uint64_t address = relocation->address;
    switch (relocation->type) {
    case MACHO_I386_VANILLA:
    case MACHO_I386_SECTION_DIFFERENCE:
    case MACHO_I386_LOCAL_SECTION_DIFFERENCE:
        if (relocation->length != 2) {
            return damaged(error, "a relocation that is not 4 bytes long", address);
        }
        return 0;
    case MACHO_I386_PAIR:
        return 0;
    default:
        return damaged(error, "an unknown relocation type", address);
    }
}

static int check_entry(const struct macho *macho, const struct macho_relocation *relocation,
                       struct loader_error *error) {
    bool pair = !macho->is_64 && relocation->type == MACHO_I386_PAIR;
    const struct macho_section *section =
        macho_section_at(macho, relocation->address, UINT64_C(1) << relocation->length);
    if (!pair && (section == NULL || macho_section_is_zerofill(section))) {
        return damaged(error, "its place has no contents", relocation->address);
    }
    if (relocation->scattered) {
        return macho->is_64 ? damaged(error, "a scattered relocation", relocation->address)
                            : check_i386(relocation, error);
    }
    if (relocation->external ? relocation->target >= macho->symbol_count
                             : relocation->target > macho->section_count) {
        return damaged(error, relocation->external ? "its symbol does not exist"
                                                   : "its section does not exist",
                       relocation->address);
    }
    if (relocation->external && macho->symbols[relocation->target].is_stab) {
        return damaged(error, "its symbol is for debuggers", relocation->address);
    }
    return macho->is_64 ? check_x86_64(macho, relocation, error) : check_i386(relocation, error);
}

static void decode(const struct macho *macho, struct macho_relocation *relocation,
                   const uint8_t *bytes, uint64_t base) {
    uint32_t first = macho_get32(bytes), second = macho_get32(bytes + 4);
    if (!macho->is_64 && (first & MACHO_RELOCATION_SCATTERED) != 0) {
        relocation->scattered = true;
        relocation->address = base + (first & 0xFFFFFF);
        relocation->type = (first >> 24) & 0xF;
        relocation->length = (first >> 28) & 3;
        relocation->pc_relative = (first >> 30) & 1;
        relocation->scattered_value = second;
        return;
    }
    relocation->address = base + first;
    relocation->target = second & 0xFFFFFF;
    relocation->pc_relative = (second >> 24) & 1;
    relocation->length = (second >> 25) & 3;
    relocation->external = (second >> 27) & 1;
    relocation->type = second >> 28;
}

/* Adds one table; `external` is what all its entries must be, in a bundle. */
static int read_table(struct macho *macho, uint32_t offset, uint32_t count, uint64_t base,
                      const bool *external, struct loader_error *error) {
    if (count == 0) {
        return 0;
    }
    if (offset > macho->size || count > (macho->size - offset) / ENTRY_SIZE) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: a relocation table lies outside the file");
    }
    size_t total = macho->relocation_count + count;
    struct macho_relocation *grown =
        realloc(macho->relocations, total * sizeof macho->relocations[0]);
    if (grown == NULL) {
        return loader_fail(error, MACHINE_EXIT_FAILURE, "no memory for %u relocations", count);
    }
    macho->relocations = grown;
    for (uint32_t i = 0; i < count; i++) {
        struct macho_relocation *relocation = &grown[macho->relocation_count];
        *relocation = (struct macho_relocation){0};
        decode(macho, relocation, macho->bytes + offset + (size_t)i * ENTRY_SIZE, base);
        macho->relocation_count++;
        if (check_entry(macho, relocation, error) != 0) {
            return -1;
        }
        if (external != NULL && relocation->external != *external) {
            return damaged(error, "an entry in the wrong table", relocation->address);
        }
    }
    return 0;
}

/* The table that says which symbols the pointers of a section of type 6 stand for. */
static int read_indirect(struct macho *macho, const uint8_t *dysymtab,
                         struct loader_error *error) {
    uint32_t offset = macho_get32(dysymtab + 56), count = macho_get32(dysymtab + 60);
    if (count == 0) {
        return 0;
    }
    if (offset > macho->size || count > (macho->size - offset) / 4) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: the indirect symbols lie outside the file");
    }
    macho->indirect = macho->bytes + offset;
    macho->indirect_count = count;
    return 0;
}

int macho_read_relocations(struct macho *macho, const struct macho_tables *tables,
                           struct loader_error *error) {
    static const bool yes = true, no = false;
    if (!macho->is_object) {
        const uint8_t *dysymtab = tables->dysymtab;
        if (dysymtab == NULL) {
            return 0;
        }
        if (read_indirect(macho, dysymtab, error) != 0 ||
            read_table(macho, macho_get32(dysymtab + 64), macho_get32(dysymtab + 68), 0, &yes,
                       error) != 0) {
            return -1;
        }
        return read_table(macho, macho_get32(dysymtab + 72), macho_get32(dysymtab + 76), 0, &no,
                          error);
    }
    for (unsigned i = 0; i < macho->section_count; i++) {
        const struct macho_section *section = &macho->sections[i];
        if (read_table(macho, section->relocation_offset, section->relocation_count,
                       section->address, NULL, error) != 0) {
            return -1;
        }
    }
    return 0;
}
