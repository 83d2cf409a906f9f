/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Symbols of a loaded kext.
 */
#include "xnu/loader/kext_symbols.h"

#include <stdlib.h>
#include <string.h>

#include "xnu/loader/link.h"
#include "xnu/loader/macho_format.h"

static int compare_names(const void *left, const void *right) {
    const struct macho_symbol *const *a = left, *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

/* Among symbols of one address external ones come first: they are the better names. */
static int compare_addresses(const void *left, const void *right) {
    const struct macho_symbol *a = *(const struct macho_symbol *const *)left;
    const struct macho_symbol *b = *(const struct macho_symbol *const *)right;
    if (a->value != b->value) {
        return a->value < b->value ? -1 : 1;
    }
    return (int)b->is_exported - (int)a->is_exported;
}

static const struct macho_symbol *exported(const struct kext *kext, const char *name) {
    size_t low = 0, high = kext->name_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(kext->by_name[middle]->name, name);
        if (order == 0) {
            return kext->by_name[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

static bool find(void *context, const char *component, const char *name, uintptr_t *address) {
    const struct kext *kext = context;
    const struct macho_symbol *symbol =
        strcmp(component, kext->identifier) == 0 ? exported(kext, name) : NULL;
    if (symbol == NULL) {
        return false;
    }
    *address = link_symbol_address(kext->memory, symbol);
    return true;
}

/* The last symbol at or below the offset in the image; NULL: none. */
static const struct macho_symbol *at_or_below(const struct kext *kext, uint64_t offset) {
    size_t low = 0, high = kext->address_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (kext->by_address[middle]->value <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    while (low > 1 && kext->by_address[low - 2]->value == kext->by_address[low - 1]->value) {
        low--;
    }
    return low != 0 ? kext->by_address[low - 1] : NULL;
}

static const char *name_at(void *context, uintptr_t address) {
    const struct kext *kext = context;
    uint64_t offset = address - (uintptr_t)kext->memory;
    const struct macho_symbol *symbol =
        offset < kext->macho.image_size ? at_or_below(kext, offset) : NULL;
    return symbol != NULL && symbol->value == offset ? symbol->name : NULL;
}

static uintptr_t table(void *context, const char *table_symbol) {
    const struct kext *kext = context;
    const struct macho_symbol *symbol = exported(kext, table_symbol);
    return symbol != NULL ? link_symbol_address(kext->memory, symbol) : 0;
}

const char *kext_symbols_describe(void *context, uintptr_t address, uint64_t *offset) {
    const struct kext *kext = context;
    const struct macho_symbol *symbol = at_or_below(kext, address - (uintptr_t)kext->memory);
    if (symbol == NULL) {
        return NULL;
    }
    *offset = address - (uintptr_t)kext->memory - symbol->value;
    return symbol->name;
}

int kext_symbols_prepare(struct kext *kext, struct loader_error *error) {
    const struct macho *macho = &kext->macho;
    kext->by_address = calloc(macho->symbol_count + 1, sizeof kext->by_address[0]);
    kext->by_name = calloc(macho->symbol_count + 1, sizeof kext->by_name[0]);
    if (kext->by_address == NULL || kext->by_name == NULL) {
        return loader_fail(error, MACHINE_EXIT_FAILURE, "no memory");
    }
    for (size_t i = 0; i < macho->symbol_count; i++) {
        const struct macho_symbol *symbol = &macho->symbols[i];
        if (symbol->is_defined && (symbol->type & MACHO_SYMBOL_TYPE) == MACHO_SYMBOL_SECTION) {
            kext->by_address[kext->address_count++] = symbol;
        }
        if (symbol->is_exported) {
            kext->by_name[kext->name_count++] = symbol;
        }
    }
    qsort(kext->by_address, kext->address_count, sizeof kext->by_address[0], compare_addresses);
    qsort(kext->by_name, kext->name_count, sizeof kext->by_name[0], compare_names);
    kext->exports = (struct symbol_source){kext, find, name_at, table};
    return 0;
}

void kext_symbols_free(struct kext *kext) {
    free(kext->by_address);
    free(kext->by_name);
    kext->by_address = kext->by_name = NULL;
    kext->address_count = kext->name_count = 0;
}
