/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads /proc/self/exe.
 */
#include "xnu/loader/program_symbols.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "xnu/machine/files.h"

#define PROGRAM_SIZE_MAX (1u << 30)

static int note_base(struct dl_phdr_info *info, size_t size, void *context) {
    *(uintptr_t *)context = info->dlpi_addr;
    return 1; /* the first object is the program */
}

static int compare(const void *left, const void *right) {
    const struct program_symbol *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static const Elf64_Shdr *symbol_section(const uint8_t *file, size_t size,
                                        const Elf64_Shdr **strings) {
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
    if (size < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_shoff > size ||
        header->e_shnum > (size - header->e_shoff) / sizeof(Elf64_Shdr)) {
        return NULL;
    }
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(file + header->e_shoff);
    for (unsigned i = 0; i < header->e_shnum; i++) {
        const Elf64_Shdr *section = &sections[i];
        if (section->sh_type == SHT_SYMTAB && section->sh_link < header->e_shnum) {
            *strings = &sections[section->sh_link];
            bool inside = section->sh_offset + section->sh_size <= size &&
                          (*strings)->sh_offset + (*strings)->sh_size <= size;
            return inside ? section : NULL;
        }
    }
    return NULL;
}

static int collect(struct program_symbols *symbols, const Elf64_Shdr *section,
                   const Elf64_Shdr *strings, struct loader_error *error) {
    const Elf64_Sym *entries = (const Elf64_Sym *)(symbols->file + section->sh_offset);
    size_t count = section->sh_size / sizeof *entries;
    uintptr_t base = 0;
    dl_iterate_phdr(note_base, &base);
    symbols->symbols = calloc(count + 1, sizeof symbols->symbols[0]);
    if (symbols->symbols == NULL) {
        return loader_fail(error, MACHINE_EXIT_FAILURE, "no memory");
    }
    for (size_t i = 0; i < count; i++) {
        unsigned type = ELF64_ST_TYPE(entries[i].st_info);
        if (entries[i].st_shndx == SHN_UNDEF || entries[i].st_name >= strings->sh_size ||
            (type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE)) {
            continue;
        }
        symbols->symbols[symbols->count++] = (struct program_symbol){
            (const char *)symbols->file + strings->sh_offset + entries[i].st_name,
            base + entries[i].st_value, entries[i].st_size};
    }
    qsort(symbols->symbols, symbols->count, sizeof symbols->symbols[0], compare);
    return 0;
}

int program_symbols_read(struct program_symbols *symbols, struct loader_error *error) {
    size_t size;
    const Elf64_Shdr *strings;
    memset(symbols, 0, sizeof *symbols);
    int status = machine_file_read("/proc/self/exe", PROGRAM_SIZE_MAX, &symbols->file, &size);
    if (status != 0) {
        return loader_fail(error, MACHINE_EXIT_FAILURE, "cannot read this program: %s",
                           machine_error_text(status));
    }
    const Elf64_Shdr *section = symbol_section(symbols->file, size, &strings);
    int result = section == NULL
                     ? loader_fail(error, MACHINE_EXIT_FAILURE,
                                   "this program has no symbol table (was it stripped?)")
                     : collect(symbols, section, strings, error);
    if (result != 0) {
        program_symbols_free(symbols);
    }
    return result;
}

void program_symbols_free(struct program_symbols *symbols) {
    free(symbols->symbols);
    machine_file_free(symbols->file);
    memset(symbols, 0, sizeof *symbols);
}

const struct program_symbol *program_symbols_find(const struct program_symbols *symbols,
                                                  const char *name) {
    size_t low = 0, high = symbols->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(symbols->symbols[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < symbols->count && strcmp(symbols->symbols[low].name, name) == 0;
    return found ? &symbols->symbols[low] : NULL;
}
