/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generated export table as a source of symbols. Kernel-side code: no libc headers.
 */
#include "xnu/loader/kernel_symbols.h"

#include "abi/xnu_exports.h"
#include "xnu/libkern/release.h"

#define KPI_PREFIX "com.apple.kpi."
#define FAMILY_PREFIX "com.apple.iokit."

static bool same(const char *left, const char *right) {
    return __builtin_strcmp(left, right) == 0;
}

static bool begins_with(const char *text, const char *prefix) {
    return __builtin_strncmp(text, prefix, __builtin_strlen(prefix)) == 0;
}

static bool find(void *context, const char *component, const char *name, uintptr_t *address) {
    const struct xnu_symbol *symbol = xnu_symbol_find(name);
    while (symbol != NULL && !same(symbol->component, component)) {
        symbol = xnu_symbol_next(symbol);
    }
    if (symbol == NULL) {
        return false;
    }
    *address = (uintptr_t)symbol->address;
    return true;
}

static const char *name_at(void *context, uintptr_t address) {
    const struct xnu_symbol *symbol = xnu_symbol_at((const void *)address);
    return symbol != NULL ? symbol->name : NULL;
}

/* "__ZTV", the length of the name in decimal, the name. */
static uintptr_t table(void *context, const char *table_symbol) {
    const char *name = table_symbol + 5;
    if (!begins_with(table_symbol, "__ZTV")) {
        return 0;
    }
    while (*name >= '0' && *name <= '9') {
        name++;
    }
    const struct xnu_class *class = xnu_class_find(name);
    return class != NULL ? (uintptr_t)class->table : 0;
}

static bool exports_anything(const char *component) {
    for (size_t i = 0; i < xnu_symbol_count(); i++) {
        const struct xnu_symbol *symbol = xnu_symbol_get(i);
        if (symbol->component != NULL && same(symbol->component, component)) {
            return true;
        }
    }
    for (size_t i = 0; i < xnu_class_count(); i++) {
        if (same(xnu_class_at(i)->component, component)) {
            return true;
        }
    }
    return false;
}

/* Appends the number and a separator. */
static char *put_number(char *to, unsigned number, char separator) {
    char digits[12];
    unsigned count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (count != 0) {
        *to++ = digits[--count];
    }
    *to++ = separator;
    return to;
}

static bool library(void *context, const char *identifier, const char **version,
                    const char **compatible_version) {
    static char kernel_version[40];
    bool kpi = begins_with(identifier, KPI_PREFIX);
    if ((!kpi && !begins_with(identifier, FAMILY_PREFIX)) || !exports_anything(identifier)) {
        return false;
    }
    if (!kpi) {
        *version = "9999.99.99";
        *compatible_version = "0.0.0d1";
        return true;
    }
    unsigned major, minor, revision;
    release_kernel_version(&major, &minor, &revision);
    put_number(put_number(put_number(kernel_version, major, '.'), minor, '.'), revision, '\0');
    *version = kernel_version;
    *compatible_version = "8.0.0";
    return true;
}

const struct loader_kernel *kernel_symbols(void) {
    static const struct loader_kernel kernel = {
        .symbols = {NULL, find, name_at, table},
        .library = library,
    };
    return &kernel;
}
