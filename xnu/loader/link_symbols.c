/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Resolving a kext's symbols: own ones get their address, imports are looked up in the libraries.
 */
#include <stdio.h>
#include <string.h>

#include "xnu/loader/link_private.h"

#define WEAK_MARKER "_gOSKextUnresolved"

bool link_find(const struct link *link, const char *name, uintptr_t *address) {
    for (size_t i = 0; i < link->request->library_count; i++) {
        const struct link_library *library = &link->request->libraries[i];
        if (library->direct &&
            library->source->find(library->source->context, library->component, name, address)) {
            return true;
        }
    }
    return false;
}

const struct macho_symbol *link_defined_at(const struct link *link, uint64_t value,
                                           bool cxx_only) {
    for (size_t i = 0; i < link->macho->symbol_count; i++) {
        const struct macho_symbol *symbol = &link->macho->symbols[i];
        if (symbol->is_defined && symbol->value == value &&
            (symbol->type & MACHO_SYMBOL_TYPE) == MACHO_SYMBOL_SECTION &&
            (!cxx_only || strncmp(symbol->name, "__Z", 3) == 0)) {
            return symbol;
        }
    }
    return NULL;
}

/* An exported symbol must not exist in a library as well, unless it is the same thing. */
static int check_duplicate(const struct link *link, const struct macho_symbol *symbol,
                           uintptr_t own_address) {
    uintptr_t address;
    if (symbol->is_exported && link_find(link, symbol->name, &address) &&
        address != own_address) {
        return loader_fail(link->error, MACHINE_EXIT_LINK,
                           "duplicate symbol %s: the kext exports it and so does a library",
                           symbol->name);
    }
    return 0;
}

static bool names_weak_marker(const struct macho *macho) {
    for (size_t i = 0; i < macho->symbol_count; i++) {
        if (!macho->symbols[i].is_stab && strcmp(macho->symbols[i].name, WEAK_MARKER) == 0) {
            return true;
        }
    }
    return false;
}

/* An import that nobody has: a weak one gets the marker's address. */
static int resolve_weak(struct link *link, const struct macho_symbol *symbol,
                        struct linked_symbol *linked) {
    if (!names_weak_marker(link->macho)) {
        return loader_fail(link->error, MACHINE_EXIT_LINK,
                           "weak symbol %s is missing, and the kext never tests for it (no "
                           "reference to gOSKextUnresolved)",
                           symbol->name);
    }
    if (!link_find(link, WEAK_MARKER, &linked->address)) {
        return loader_fail(link->error, MACHINE_EXIT_LINK,
                           "weak symbol %s is missing, and so is gOSKextUnresolved",
                           symbol->name);
    }
    linked->resolved = true;
    return 0;
}

int link_symbols(struct link *link) {
    for (size_t i = 0; i < link->macho->symbol_count; i++) {
        const struct macho_symbol *symbol = &link->macho->symbols[i];
        struct linked_symbol *linked = &link->symbols[i];
        if (symbol->is_stab) {
            continue;
        }
        if (symbol->is_defined) {
            linked->address = link_symbol_address(link->memory, symbol);
            linked->resolved = true;
            if (check_duplicate(link, symbol, linked->address) != 0) {
                return -1;
            }
            continue;
        }
        linked->resolved =
            link_find(link, symbol->name, &linked->address) && linked->address != 0;
        if (!linked->resolved && symbol->is_weak && resolve_weak(link, symbol, linked) != 0) {
            return -1;
        }
    }
    return 0;
}

int link_check_unresolved(struct link *link) {
    char names[300] = "";
    size_t length = 0, missing = 0, shown = 0;
    for (size_t i = 0; i < link->macho->symbol_count; i++) {
        const struct macho_symbol *symbol = &link->macho->symbols[i];
        if (!symbol->is_undefined || link->symbols[i].resolved || link->symbols[i].replaced) {
            continue;
        }
        missing++;
        if (length + strlen(symbol->name) + 3 < sizeof names) {
            length += (size_t)snprintf(names + length, sizeof names - length, "%s%s",
                                       shown++ != 0 ? ", " : "", symbol->name);
        }
    }
    if (missing == 0) {
        return 0;
    }
    char more[32] = "";
    if (missing > shown) {
        snprintf(more, sizeof more, " and %zu more", missing - shown);
    }
    return loader_fail(link->error, MACHINE_EXIT_LINK,
                       "missing symbol%s, exported by none of its libraries: %s%s",
                       missing > 1 ? "s" : "", names, more);
}
