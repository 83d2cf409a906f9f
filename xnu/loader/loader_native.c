/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Native kexts.
 */
#include "xnu/loader/loader_native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "xnu/loader/class_names.h"
#include "xnu/loader/program_symbols.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/traps.h"

#define NAME_SIZE 512u
#define HEADER_WORDS 2u
#define SLOTS_MAX 2048u
#define METACLASS_PARENT "__ZTV11OSMetaClass"

/* Bounds of the section that abi/runtime.h puts the constructors of native kexts into. */
extern module_function *const __start_kext_constructors[] __attribute__((weak));
extern module_function *const __stop_kext_constructors[] __attribute__((weak));
extern module_function *const __start_kext_destructors[] __attribute__((weak));
extern module_function *const __stop_kext_destructors[] __attribute__((weak));

struct native_class {
    const char *superclass_symbol;
    uintptr_t *table;
    const char *parent; /* symbol of the parent's gMetaClass */
    bool patched;
};

struct native_link {
    struct program_symbols symbols;
    const struct symbol_source *kernel;
    struct native_class *classes;
    size_t class_count;
    struct loader_error *error;
};

static uintptr_t *own_table(const struct native_link *link, const char *name) {
    const struct program_symbol *symbol = program_symbols_find(&link->symbols, name);
    return symbol != NULL ? (uintptr_t *)symbol->address : NULL;
}

/* ---- finding the classes -------------------------------------------------------------------- */

/* The kernel's classes have superClass symbols too; they are told apart by the kernel's tables. */
static bool is_kext_class(const struct native_link *link, const char *name, char *table_symbol) {
    return class_name_kind(name) == CLASS_NAME_SUPERCLASS &&
           class_name_table(name, table_symbol, NAME_SIZE) &&
           link->kernel->table(link->kernel->context, table_symbol) == 0;
}

static const char *metaclass_name_at(const struct native_link *link, uintptr_t address) {
    for (size_t i = 0; i < link->symbols.count; i++) {
        const struct program_symbol *symbol = &link->symbols.symbols[i];
        if (symbol->address == address && class_name_kind(symbol->name) == CLASS_NAME_METACLASS) {
            return symbol->name;
        }
    }
    return NULL;
}

static int collect_class(struct native_link *link, const struct program_symbol *symbol,
                         const char *table_symbol) {
    struct native_class *class = &link->classes[link->class_count];
    class->superclass_symbol = symbol->name;
    class->table = own_table(link, table_symbol);
    /* A class of the kernel that the chosen release does not have: its table was not filled. */
    if (class->table != NULL && class->table[HEADER_WORDS] == 0) {
        return 0;
    }
    class->parent = metaclass_name_at(link, *(const uintptr_t *)symbol->address);
    if (class->parent == NULL) {
        return loader_fail(link->error, MACHINE_EXIT_LINK, "%s does not lead to a class",
                           symbol->name);
    }
    link->class_count += class->table != NULL; /* without a table: declared elsewhere, unused */
    return 0;
}

static int collect_classes(struct native_link *link) {
    char table_symbol[NAME_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < link->symbols.count; i++) {
        count += is_kext_class(link, link->symbols.symbols[i].name, table_symbol);
    }
    link->classes = calloc(count + 1, sizeof link->classes[0]);
    if (link->classes == NULL) {
        return loader_fail(link->error, MACHINE_EXIT_FAILURE, "no memory");
    }
    for (size_t i = 0; i < link->symbols.count; i++) {
        if (is_kext_class(link, link->symbols.symbols[i].name, table_symbol) &&
            collect_class(link, &link->symbols.symbols[i], table_symbol) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- patching ------------------------------------------------------------------------------- */

static size_t slot_count(const uintptr_t *table) {
    size_t count = 0;
    while (count < SLOTS_MAX && table[HEADER_WORDS + count] != 0) {
        count++;
    }
    return count;
}

/* Tables are constant data: their pages become writable for good. */
static int make_writable(const struct native_link *link, const uintptr_t *table, size_t slots) {
    uintptr_t first = (uintptr_t)table & ~(uintptr_t)(MACHINE_PAGE_SIZE - 1);
    uintptr_t end = (uintptr_t)(table + HEADER_WORDS + slots + 1);
    if (mprotect((void *)first, end - first, PROT_READ | PROT_WRITE) != 0) {
        return loader_fail(link->error, MACHINE_EXIT_FAILURE,
                           "cannot write to a class's table: error %d", errno);
    }
    return 0;
}

static int patch_slot(const struct native_link *link, const char *class, uintptr_t *child,
                      uintptr_t parent) {
    const char *child_name = link->kernel->name_at(link->kernel->context, *child);
    const char *parent_name = link->kernel->name_at(link->kernel->context, parent);
    if (child_name == NULL || parent_name == NULL || *child == parent ||
        class_name_is_pure_virtual(child_name)) {
        return 0;
    }
    if (class_name_is_pad(parent_name)) {
        return loader_fail(link->error, MACHINE_EXIT_LINK,
                           "%s: the superclass's vtable is out of date: it has the pad %s where "
                           "the kext expects %s",
                           class, parent_name, child_name);
    }
    *child = parent;
    return 0;
}

static int patch_table(const struct native_link *link, const char *class, uintptr_t *child,
                       const uintptr_t *parent) {
    size_t child_slots = slot_count(child), parent_slots = slot_count(parent);
    if (child_slots < parent_slots) {
        return loader_fail(link->error, MACHINE_EXIT_LINK,
                           "%s: vtable is malformed: %zu slots, its superclass has %zu", class,
                           child_slots, parent_slots);
    }
    if (make_writable(link, child, child_slots) != 0) {
        return -1;
    }
    for (size_t i = 0; i < parent_slots; i++) {
        if (patch_slot(link, class, &child[HEADER_WORDS + i], parent[HEADER_WORDS + i]) != 0) {
            return -1;
        }
    }
    return 0;
}

static int patch_metaclass(const struct native_link *link, const char *superclass_symbol) {
    char symbol[NAME_SIZE];
    uintptr_t parent = link->kernel->table(link->kernel->context, METACLASS_PARENT);
    uintptr_t *own = class_name_metaclass_table(superclass_symbol, symbol, sizeof symbol)
                         ? own_table(link, symbol)
                         : NULL;
    if (own == NULL || parent == 0) {
        return loader_fail(link->error, MACHINE_EXIT_LINK, "vtable %s is missing",
                           own == NULL ? symbol : METACLASS_PARENT);
    }
    return patch_table(link, symbol, own, (const uintptr_t *)parent);
}

/* The parent's table, if it may be used now; NULL: it is a class of the kext not yet patched. */
static const uintptr_t *parent_table(const struct native_link *link, const char *parent,
                                     bool *missing) {
    char symbol[NAME_SIZE];
    *missing = true;
    if (!class_name_table(parent, symbol, sizeof symbol)) {
        return NULL;
    }
    uintptr_t table = link->kernel->table(link->kernel->context, symbol);
    const uintptr_t *own = own_table(link, symbol);
    *missing = table == 0 && own == NULL;
    if (table != 0) {
        return (const uintptr_t *)table;
    }
    for (size_t i = 0; i < link->class_count; i++) {
        if (link->classes[i].table == own) {
            return link->classes[i].patched ? own : NULL;
        }
    }
    return own;
}

/* 1: patched, 0: its parent comes first, -1: refused. */
static int try_class(struct native_link *link, struct native_class *class) {
    bool missing;
    const uintptr_t *parent = parent_table(link, class->parent, &missing);
    if (parent == NULL && missing) {
        return loader_fail(link->error, MACHINE_EXIT_LINK,
                           "the table of %s's superclass is not there", class->superclass_symbol);
    }
    if (parent == NULL) {
        return 0;
    }
    if (patch_table(link, class->superclass_symbol, class->table, parent) != 0 ||
        patch_metaclass(link, class->superclass_symbol) != 0) {
        return -1;
    }
    class->patched = true;
    return 1;
}

static int patch_classes(struct native_link *link) {
    for (size_t left = link->class_count; left != 0;) {
        size_t before = left;
        for (size_t i = 0; i < link->class_count; i++) {
            int result = link->classes[i].patched ? 0 : try_class(link, &link->classes[i]);
            if (result < 0) {
                return -1;
            }
            left -= (size_t)result;
        }
        if (left == before) {
            return loader_fail(link->error, MACHINE_EXIT_LINK,
                               "the classes derive from each other in a circle");
        }
    }
    return 0;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static int replace_cpuid(const struct native_link *link, const char *const *names) {
    for (; names != NULL && *names != NULL; names++) {
        const struct program_symbol *symbol = program_symbols_find(&link->symbols, *names);
        if (symbol == NULL || symbol->size == 0) {
            return loader_fail(link->error, MACHINE_EXIT_LINK, "there is no function %s", *names);
        }
        int status = traps_replace_cpuid((const void *)symbol->address,
                                         (const void *)(symbol->address + symbol->size));
        if (status < 0) {
            return loader_fail(link->error, MACHINE_EXIT_FAILURE,
                               "cannot make CPUID in %s trap: error %d", *names, -status);
        }
    }
    return 0;
}

static int prepare(struct native_kext *kext, const struct symbol_source *kernel,
                   struct loader_error *error) {
    struct native_link link = {.kernel = kernel, .error = error};
    if (program_symbols_read(&link.symbols, error) != 0) {
        return -1;
    }
    int result = collect_classes(&link);
    if (result == 0) {
        result = patch_classes(&link);
    }
    if (result == 0) {
        result = replace_cpuid(&link, kext->cpuid_functions);
    }
    free(link.classes);
    program_symbols_free(&link.symbols);
    return result;
}

int native_kext_start(struct native_kext *kext, const struct kext_runtime *runtime,
                      const struct symbol_source *kernel, struct loader_error *error) {
    if (prepare(kext, kernel, error) != 0) {
        return -1;
    }
    kext->code = (struct module_code){
        .identifier = kext->identifier,
        .constructors = __start_kext_constructors,
        .constructor_count = (size_t)(__stop_kext_constructors - __start_kext_constructors),
        .destructors = __start_kext_destructors,
        .destructor_count = (size_t)(__stop_kext_destructors - __start_kext_destructors),
    };
    int status = runtime->start(&kext->code);
    if (status != 0) {
        return loader_fail(error, MACHINE_EXIT_START, "its classes cannot be registered (0x%x)",
                           (unsigned)status);
    }
    status = kext->info != NULL ? kext->info->start(kext->info, NULL) : 0;
    if (status != 0) {
        runtime->finish(&kext->code);
        return loader_fail(error, MACHINE_EXIT_START, "its start function returned 0x%x",
                           (unsigned)status);
    }
    kext->started = true;
    return 0;
}

int native_kext_stop(struct native_kext *kext, const struct kext_runtime *runtime,
                     struct loader_error *error) {
    if (!kext->started) {
        return 0;
    }
    if (runtime->has_instances(kext->identifier)) {
        return loader_fail(error, MACHINE_EXIT_START, "objects of its classes live");
    }
    int status = kext->info != NULL ? kext->info->stop(kext->info, NULL) : 0;
    if (status != 0) {
        return loader_fail(error, MACHINE_EXIT_START, "its stop function returned 0x%x",
                           (unsigned)status);
    }
    kext->started = false;
    status = runtime->finish(&kext->code);
    if (status != 0) {
        return loader_fail(error, MACHINE_EXIT_START, "its classes cannot be removed (0x%x)",
                           (unsigned)status);
    }
    return 0;
}
