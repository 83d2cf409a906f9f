/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Applying relocations to the image (XNU libkern/kxld/kxld_reloc.c).
 */
#include <string.h>

#include "xnu/loader/link_private.h"

#define ISLAND_SIZE 16u

size_t link_relocation_at(const struct link *link, uint64_t address) {
    size_t low = 0, high = link->macho->relocation_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (link->macho->relocations[link->by_address[middle]].address < address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < link->macho->relocation_count; low++) {
        size_t index = link->by_address[low];
        if (link->macho->relocations[index].address != address) {
            break;
        }
        if (link->macho->relocations[index].external) {
            return index;
        }
    }
    return SIZE_MAX;
}

static int overflow(struct link *link, const struct macho_relocation *relocation) {
    return loader_fail(link->error, MACHINE_EXIT_LINK,
                       "relocation overflow at 0x%llx: %s is more than 2 GiB away",
                       (unsigned long long)relocation->address,
                       link->macho->symbols[relocation->target].name);
}

static bool fits(int64_t displacement) {
    return displacement >= INT32_MIN && displacement <= INT32_MAX;
}

/* jmp *0(%rip) to the address that follows it; one for each import. */
static uintptr_t island_for(struct link *link, struct linked_symbol *linked) {
    static const uint8_t jump[8] = {0xFF, 0x25, 2, 0, 0, 0, 0xCC, 0xCC};
    if (linked->island == 0) {
        memcpy(link->next_island, jump, sizeof jump);
        memcpy(link->next_island + sizeof jump, &linked->address, sizeof linked->address);
        linked->island = (uintptr_t)link->next_island;
        link->next_island += ISLAND_SIZE;
    }
    return linked->island;
}

static int apply_pc_relative(struct link *link, const struct macho_relocation *relocation) {
    struct linked_symbol *linked = &link->symbols[relocation->target];
    uint8_t *place = link->memory + relocation->address;
    int32_t addend, result;
    memcpy(&addend, place, sizeof addend);
    int64_t base = (int64_t)(uintptr_t)place + 4;
    int64_t displacement = addend + (int64_t)linked->address - base;
    if (!fits(displacement) && relocation->type == MACHO_X86_64_BRANCH && addend == 0 &&
        link->macho->symbols[relocation->target].is_undefined) {
        displacement = (int64_t)island_for(link, linked) - base;
    }
    if (!fits(displacement)) {
        return overflow(link, relocation);
    }
    result = (int32_t)displacement;
    memcpy(place, &result, sizeof result);
    return 0;
}

static void apply_absolute(struct link *link, size_t index) {
    const struct macho_relocation *relocation = &link->macho->relocations[index];
    uint8_t *place = link->memory + relocation->address;
    uint64_t word;
    memcpy(&word, place, sizeof word);
    if (link->redirected[index] != 0) {
        word = link->redirected[index];
    } else if (relocation->external) {
        word += link->symbols[relocation->target].address;
    } else if (relocation->target != 0) {
        word += (uintptr_t)link->memory; /* section ordinal 0 is absolute: not slid */
    }
    memcpy(place, &word, sizeof word);
}

/* The pointers of one section of type 6, by way of the indirect symbol table. */
static int fill_pointers(struct link *link, const struct macho_section *section) {
    const struct macho *macho = link->macho;
    uint64_t count = section->size / sizeof(uint64_t);
    if (section->reserved1 > macho->indirect_count ||
        count > macho->indirect_count - section->reserved1) {
        return loader_fail(link->error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: section %s has more pointers than indirect symbols",
                           section->name);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint8_t *place = link->memory + section->address + i * sizeof(uint64_t);
        uint32_t index;
        uint64_t word;
        memcpy(&index, macho->indirect + (section->reserved1 + i) * sizeof index, sizeof index);
        memcpy(&word, place, sizeof word);
        if (index == MACHO_INDIRECT_LOCAL) {
            word += (uintptr_t)link->memory;
        } else if ((index & MACHO_INDIRECT_ABSOLUTE) == 0) {
            if (index >= macho->symbol_count || !link->symbols[index].resolved) {
                return loader_fail(link->error, MACHINE_EXIT_KEXT,
                                   "malformed Mach-O: indirect symbol %u does not exist", index);
            }
            word = link->symbols[index].address;
        }
        memcpy(place, &word, sizeof word);
    }
    return 0;
}

int link_relocate(struct link *link) {
    const struct macho *macho = link->macho;
    for (size_t i = 0; i < macho->relocation_count; i++) {
        const struct macho_relocation *relocation = &macho->relocations[i];
        if (relocation->type == MACHO_X86_64_UNSIGNED) {
            apply_absolute(link, i);
        } else if (apply_pc_relative(link, relocation) != 0) {
            return -1;
        }
    }
    for (unsigned i = 0; i < macho->section_count; i++) {
        const struct macho_section *section = &macho->sections[i];
        if ((section->flags & MACHO_SECTION_TYPE) == MACHO_SECTION_NON_LAZY_POINTERS &&
            fill_pointers(link, section) != 0) {
            return -1;
        }
    }
    return 0;
}
