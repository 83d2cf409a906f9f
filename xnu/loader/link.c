/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of a link: contents, symbols, tables, what is left unresolved, relocations.
 */
#include "xnu/loader/link.h"

#include <stdlib.h>
#include <string.h>

#include "xnu/loader/link_private.h"

#define PAGE UINT64_C(4096)
#define ISLAND_SIZE 16u

static size_t islands_size(const struct macho *macho) {
    size_t imports = 0;
    for (size_t i = 0; i < macho->symbol_count; i++) {
        imports += macho->symbols[i].is_undefined;
    }
    return (imports * ISLAND_SIZE + PAGE - 1) & ~(PAGE - 1);
}

size_t link_memory_size(const struct macho *macho) {
    return (size_t)macho->image_size + islands_size(macho);
}

/* Bytes between sections stay zero, as in the kernel's copy. */
static void copy_contents(const struct link *link) {
    for (unsigned i = 0; i < link->macho->section_count; i++) {
        const struct macho_section *section = &link->macho->sections[i];
        if (!macho_section_is_zerofill(section) && section->size != 0) {
            memcpy(link->memory + section->address, link->macho->bytes + section->offset,
                   section->size);
        }
    }
}

struct place {
    uint64_t address;
    size_t index;
};

static int compare_places(const void *left, const void *right) {
    const struct place *a = left, *b = right;
    if (a->address != b->address) {
        return a->address < b->address ? -1 : 1;
    }
    return a->index < b->index ? -1 : a->index > b->index;
}

static int sort_relocations(struct link *link) {
    size_t count = link->macho->relocation_count;
    struct place *places = calloc(count + 1, sizeof *places);
    link->by_address = calloc(count + 1, sizeof link->by_address[0]);
    link->redirected = calloc(count + 1, sizeof link->redirected[0]);
    link->symbols = calloc(link->macho->symbol_count + 1, sizeof link->symbols[0]);
    if (places == NULL || link->by_address == NULL || link->redirected == NULL ||
        link->symbols == NULL) {
        free(places);
        return loader_fail(link->error, MACHINE_EXIT_FAILURE, "no memory to link");
    }
    for (size_t i = 0; i < count; i++) {
        places[i] = (struct place){link->macho->relocations[i].address, i};
    }
    qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 0; i < count; i++) {
        link->by_address[i] = places[i].index;
    }
    free(places);
    return 0;
}

static void free_link(struct link *link) {
    for (size_t i = 0; i < link->class_count; i++) {
        free(link->classes[i].table.slots);
    }
    free(link->classes);
    free(link->by_address);
    free(link->redirected);
    free(link->symbols);
}

int link_kext(const struct link_request *request, struct loader_error *error) {
    const struct macho *macho = request->macho;
    struct link link = {.request = request,
                        .macho = macho,
                        .memory = request->memory,
                        .next_island = request->memory + macho->image_size,
                        .error = error};
    if (!macho->is_64) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "the executable is sound, but 32-bit code cannot run here");
    }
    copy_contents(&link);
    int result = sort_relocations(&link);
    if (result == 0) {
        result = link_symbols(&link);
    }
    if (result == 0) {
        result = link_patch_tables(&link);
    }
    if (result == 0) {
        result = link_check_unresolved(&link);
    }
    if (result == 0) {
        result = link_relocate(&link);
    }
    free_link(&link);
    return result;
}
