/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a kext's imports come from: the kernel (with its KPI and family components) or a kext that
 * is loaded already. The linker asks by component; only the components that the kext names in
 * OSBundleLibraries are asked.
 */
#ifndef MACHV_XNU_LOADER_SYMBOL_SOURCE_H
#define MACHV_XNU_LOADER_SYMBOL_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct symbol_source {
    void *context;
    /*
     * The address under which `component` (a bundle identifier) exports the name. False: it does
     * not. A true answer with address 0: the real kernel exports it, this one lacks it (data).
     */
    bool (*find)(void *context, const char *component, const char *name, uintptr_t *address);
    /* A C++ symbol or other name for exactly this address, whoever exports it; NULL: none. */
    const char *(*name_at)(void *context, uintptr_t address);
    /*
     * The table of a class by its symbol ("__ZTV9IOService"): address of its first word, 0 if the
     * source has none. Not bound to components: tables of indirect dependencies count.
     */
    uintptr_t (*table)(void *context, const char *table_symbol);
};

/* One library that a kext links against. */
struct link_library {
    const struct symbol_source *source;
    const char *component; /* bundle identifier */
    bool direct;           /* named by the kext itself; else only its classes' tables count */
};

#endif
