/* SPDX-License-Identifier: BSD-3-Clause */
/* write.c: symbol table, string table, relocation entries and the map. */
#include "tools/kextlink/write.h"

#include <string.h>

static size_t total_symbols(const struct link *link)
{
    return link->local_count + link->defined_count + link->import_count;
}

size_t string_table_size(const struct link *link)
{
    size_t size = 1;

    for (size_t i = 0; i < total_symbols(link); i++)
        size += strlen(link->output_symbols[i]->name) + 1;
    return (size_t)align_up(size, 8);
}

void write_symbols(const struct link *link, uint8_t *entries, uint8_t *strings)
{
    bool is_64 = link->architecture == ARCHITECTURE_X86_64;
    size_t each = is_64 ? sizeof(struct macho_nlist_64) : sizeof(struct macho_nlist_32);
    uint32_t strx = 1;

    for (size_t i = 0; i < total_symbols(link); i++) {
        const struct symbol *symbol = link->output_symbols[i];
        size_t length = strlen(symbol->name) + 1;
        struct macho_nlist_64 entry = {.n_strx = strx};
        struct macho_nlist_32 narrow;

        if (symbol->section) {
            entry.n_type = MACHO_N_SECT | (symbol_is_exported(symbol) ? MACHO_N_EXT
                                           : symbol->external         ? MACHO_N_PEXT
                                                                      : 0);
            entry.n_sect = (uint8_t)symbol->section->output->ordinal;
            entry.n_value = symbol_address(symbol);
        } else {
            entry.n_type = MACHO_N_UNDF | MACHO_N_EXT;
            entry.n_desc = is_64 ? MACHO_N_DYNAMIC_LOOKUP : 0;
        }
        narrow = (struct macho_nlist_32){entry.n_strx, entry.n_type, entry.n_sect, entry.n_desc,
                                         (uint32_t)entry.n_value};
        memcpy(entries + i * each, is_64 ? (void *)&entry : (void *)&narrow, each);
        memcpy(strings + strx, symbol->name, length);
        strx += (uint32_t)length;
    }
}

void write_relocation(const struct link *link, const struct fixup *fixup, uint64_t base,
                      uint8_t *out)
{
    bool is_64 = link->architecture == ARCHITECTURE_X86_64;
    bool branch = fixup->kind == FIXUP_IMPORT_BRANCH;
    bool local = fixup->kind == FIXUP_LOCAL_POINTER;
    uint32_t number = local ? fixup->target->ordinal : fixup->symbol->output_index;
    uint32_t length = branch || !is_64 ? 2 : 3;
    uint32_t type = !is_64 ? GENERIC_VANILLA : branch ? X86_64_BRANCH : X86_64_UNSIGNED;

    store_u32(out, (uint32_t)(fixup->address - base));
    store_u32(out + 4, number | (uint32_t)branch << 24 | length << 25 | (uint32_t)!local << 27 |
                           type << 28);
}

void write_name(char field[16], const char *name)
{
    memset(field, 0, 16);
    memcpy(field, name, strnlen(name, 16));
}

bool write_map(const struct link *link, FILE *file)
{
    fprintf(file, "# kextlink map: %s, UUID and bytes depend on the inputs only\n",
            architecture_name(link->architecture));
    fprintf(file, "# sections\n#address  size      segment,section\n");
    for (size_t i = 0; i < link->section_count; i++)
        fprintf(file, "%08llx  %08llx  %s,%s\n", (unsigned long long)link->sections[i].address,
                (unsigned long long)link->sections[i].size, link->sections[i].segment,
                link->sections[i].name);
    fprintf(file, "# symbols\n#address  scope     name (object)\n");
    for (size_t i = 0; i < link->local_count + link->defined_count; i++) {
        const struct symbol *symbol = link->by_address[i];

        fprintf(file, "%08llx  %s  %s (%s)\n", (unsigned long long)symbol_address(symbol),
                symbol_is_exported(symbol) ? "external" : "local   ",
                symbol->name, symbol->object ? symbol->object->name : "kextlink");
    }
    fprintf(file, "# imports\n#use       name\n");
    for (size_t i = link->local_count + link->defined_count; i < total_symbols(link); i++)
        fprintf(file, "%s  %s\n", link->output_symbols[i]->used_in_table ? "table   " : "direct  ",
                link->output_symbols[i]->name);
    return !ferror(file);
}
