/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Patching the vtables of a kext's classes (XNU libkern/kxld/kxld_vtable.c, kxld_kext.c): each slot
 * that the kext inherits is made to point to what the running kernel's superclass has there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xnu/loader/class_names.h"
#include "xnu/loader/link_private.h"

#define WORD sizeof(uint64_t)
#define CLASSES_MAX 4096u
#define METACLASS_PARENT "__ZTV11OSMetaClass"

static int fail(struct link *link, const char *format, const char *name, const char *other) {
    return loader_fail(link->error, MACHINE_EXIT_LINK, format, name, other);
}

/* ---- reading tables ------------------------------------------------------------------------- */

static int add_slot(struct link *link, struct table *table, const struct table_slot *slot) {
    if (table->count % 64 == 0) {
        void *grown = realloc(table->slots, (table->count + 64) * sizeof table->slots[0]);
        if (grown == NULL) {
            return loader_fail(link->error, MACHINE_EXIT_FAILURE, "no memory to link");
        }
        table->slots = grown;
    }
    table->slots[table->count++] = *slot;
    return 0;
}

/* The slot's content before patching. False: the table ends here. */
static bool read_own_slot(struct link *link, uint64_t address, struct table_slot *slot) {
    uint64_t word;
    memcpy(&word, link->memory + address, sizeof word);
    size_t index = link_relocation_at(link, address);
    *slot = (struct table_slot){.relocation = index};
    if (index != SIZE_MAX) {
        uint32_t target = link->macho->relocations[index].target;
        const struct macho_symbol *symbol = &link->macho->symbols[target];
        slot->name = symbol->name;
        slot->defined_here = symbol->is_defined;
        slot->address = link->symbols[target].resolved ? link->symbols[target].address : 0;
        return true;
    }
    if (word == 0) {
        return false;
    }
    const struct macho_symbol *symbol = link_defined_at(link, word, false);
    slot->name = symbol != NULL ? symbol->name : NULL;
    slot->defined_here = symbol != NULL;
    slot->address = (uintptr_t)link->memory + word;
    return true;
}

static int read_own_table(struct link *link, const char *table_symbol, struct table *table) {
    const struct macho_symbol *symbol = macho_find_symbol(link->macho, table_symbol);
    if (symbol == NULL || (symbol->type & MACHO_SYMBOL_TYPE) != MACHO_SYMBOL_SECTION) {
        return fail(link, "vtable %s is missing%s", table_symbol, "");
    }
    const struct macho_section *section = &link->macho->sections[symbol->section - 1];
    uint64_t end = section->address + section->size;
    uint64_t address = symbol->value + TABLE_HEADER_WORDS * WORD;
    struct table_slot slot;
    for (; address + WORD <= end && table->count < TABLE_SLOTS_MAX; address += WORD) {
        if (!read_own_slot(link, address, &slot)) {
            return 0;
        }
        if (add_slot(link, table, &slot) != 0) {
            return -1;
        }
    }
    return fail(link, "vtable %s is malformed: it has no end%s", table_symbol, "");
}

/* The source that has the table, or NULL. */
static const struct symbol_source *find_table(const struct link *link, const char *table_symbol,
                                              uintptr_t *address) {
    for (size_t i = 0; i < link->request->library_count; i++) {
        const struct symbol_source *source = link->request->libraries[i].source;
        *address = source->table(source->context, table_symbol);
        if (*address != 0) {
            return source;
        }
    }
    return NULL;
}

static const char *name_of(const struct link *link, uintptr_t address) {
    for (size_t i = 0; i < link->request->library_count; i++) {
        const struct symbol_source *source = link->request->libraries[i].source;
        const char *name = source->name_at(source->context, address);
        if (name != NULL) {
            return name;
        }
    }
    return NULL;
}

/* A linked table: slots up to the first zero word. */
static int read_library_table(struct link *link, uintptr_t address, struct table *table) {
    const uintptr_t *words = (const uintptr_t *)address + TABLE_HEADER_WORDS;
    for (size_t i = 0; words[i] != 0 && i < TABLE_SLOTS_MAX; i++) {
        struct table_slot slot = {
            .name = name_of(link, words[i]), .address = words[i], .relocation = SIZE_MAX};
        if (add_slot(link, table, &slot) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- one table ------------------------------------------------------------------------------ */

/* Makes the slot what the parent has; the kext's own symbol need not resolve any more. */
static void take_over(struct link *link, struct table_slot *child,
                      const struct table_slot *parent) {
    if (child->relocation == SIZE_MAX) {
        return;
    }
    uint32_t target = link->macho->relocations[child->relocation].target;
    link->symbols[target].replaced = true;
    link->redirected[child->relocation] = parent->address;
    child->name = parent->name;
    child->address = parent->address;
}

/* One slot; `own_prefix` is "__ZN" and the class's mangled name. */
static int patch_slot(struct link *link, const char *table_symbol, const char *own_prefix,
                      struct table_slot *child, const struct table_slot *parent) {
    if (child->name == NULL || parent->name == NULL || child->defined_here ||
        class_name_is_pure_virtual(child->name) || strcmp(child->name, parent->name) == 0) {
        return 0;
    }
    if (class_name_is_pad(parent->name)) {
        return loader_fail(link->error, MACHINE_EXIT_LINK,
                           "vtable %s: the superclass's vtable is out of date: it has the pad %s "
                           "where the kext expects %s",
                           table_symbol, parent->name, child->name);
    }
    if (strncmp(child->name, own_prefix, strlen(own_prefix)) == 0) {
        return fail(link, "vtable %s: %s is declared but not implemented", table_symbol,
                    child->name);
    }
    take_over(link, child, parent);
    return 0;
}

static int patch_table(struct link *link, const char *table_symbol, const char *own_prefix,
                       struct table *child, const struct table *parent,
                       const char *parent_symbol) {
    if (child->count < parent->count) {
        return loader_fail(link->error, MACHINE_EXIT_LINK,
                           "vtable %s is malformed: %zu slots, but its superclass's %s has %zu",
                           table_symbol, child->count, parent_symbol, parent->count);
    }
    for (size_t i = 0; i < parent->count; i++) {
        if (patch_slot(link, table_symbol, own_prefix, &child->slots[i], &parent->slots[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- classes -------------------------------------------------------------------------------- */

static bool collect_class(struct link *link, const struct macho_symbol *symbol) {
    struct linked_class *class = &link->classes[link->class_count];
    if (!symbol->is_defined || class_name_kind(symbol->name) != CLASS_NAME_SUPERCLASS) {
        return true;
    }
    class->superclass_symbol = symbol->name;
    if (!class_name_table(symbol->name, class->table_symbol, sizeof class->table_symbol)) {
        return false;
    }
    link->class_count++;
    return true;
}

static int collect_classes(struct link *link) {
    size_t count = 0;
    for (size_t i = 0; i < link->macho->symbol_count; i++) {
        const struct macho_symbol *symbol = &link->macho->symbols[i];
        count += symbol->is_defined && class_name_kind(symbol->name) == CLASS_NAME_SUPERCLASS;
    }
    if (count > CLASSES_MAX) {
        return loader_fail(link->error, MACHINE_EXIT_LINK, "%zu classes are too many", count);
    }
    link->classes = calloc(count + 1, sizeof link->classes[0]);
    if (link->classes == NULL) {
        return loader_fail(link->error, MACHINE_EXIT_FAILURE, "no memory to link");
    }
    for (size_t i = 0; i < link->macho->symbol_count; i++) {
        if (!collect_class(link, &link->macho->symbols[i])) {
            return fail(link, "symbol %s names no class%s", link->macho->symbols[i].name, "");
        }
    }
    return 0;
}

/* The gMetaClass symbol that a superClass pointer refers to; NULL: none. */
static const char *parent_metaclass(struct link *link, const struct macho_symbol *superclass) {
    size_t index = link_relocation_at(link, superclass->value);
    const char *name = NULL;
    if (index != SIZE_MAX) {
        name = link->macho->symbols[link->macho->relocations[index].target].name;
    } else if (macho_section_at(link->macho, superclass->value, WORD) != NULL) {
        uint64_t word;
        memcpy(&word, link->memory + superclass->value, sizeof word);
        for (size_t i = 0; i < link->macho->symbol_count && name == NULL; i++) {
            const struct macho_symbol *symbol = &link->macho->symbols[i];
            if (symbol->is_defined && symbol->value == word &&
                class_name_kind(symbol->name) == CLASS_NAME_METACLASS) {
                name = symbol->name;
            }
        }
    }
    return name != NULL && class_name_kind(name) == CLASS_NAME_METACLASS ? name : NULL;
}

static struct linked_class *own_class(struct link *link, const char *table_symbol) {
    for (size_t i = 0; i < link->class_count; i++) {
        if (strcmp(link->classes[i].table_symbol, table_symbol) == 0) {
            return &link->classes[i];
        }
    }
    return NULL;
}

/* A class whose author forbade subclasses says so by a symbol. */
static int check_not_final(struct link *link, const char *metaclass) {
    char marker[MACHO_NAME_MAX + 1];
    uintptr_t address;
    if (!class_name_final_marker(metaclass, marker, sizeof marker)) {
        return 0;
    }
    if (link_find(link, marker, &address) || macho_find_symbol(link->macho, marker) != NULL) {
        return fail(link, "a class derives from one that is final (%s)%s", marker, "");
    }
    return 0;
}

static int patch_metaclass_table(struct link *link, const struct linked_class *class) {
    char symbol[MACHO_NAME_MAX + 1], prefix[MACHO_NAME_MAX + 1];
    struct table own = {0}, parent = {0};
    uintptr_t address;
    if (!class_name_metaclass_table(class->superclass_symbol, symbol, sizeof symbol) ||
        !class_name_metaclass_prefix(class->superclass_symbol, prefix, sizeof prefix)) {
        return fail(link, "symbol %s names no class%s", class->superclass_symbol, "");
    }
    if (find_table(link, METACLASS_PARENT, &address) == NULL) {
        return fail(link, "no library has the vtable %s, needed for %s", METACLASS_PARENT, symbol);
    }
    int result = read_own_table(link, symbol, &own);
    if (result == 0) {
        result = read_library_table(link, address, &parent);
    }
    if (result == 0) {
        result = patch_table(link, symbol, prefix, &own, &parent, METACLASS_PARENT);
    }
    free(own.slots);
    free(parent.slots);
    return result;
}

/* Patches a class whose parent's table is known. */
static int patch_class(struct link *link, struct linked_class *class, const struct table *parent,
                       const char *parent_symbol) {
    char prefix[MACHO_NAME_MAX + 1];
    if (!class_name_prefix(class->superclass_symbol, prefix, sizeof prefix)) {
        return fail(link, "symbol %s names no class%s", class->superclass_symbol, "");
    }
    if (read_own_table(link, class->table_symbol, &class->table) != 0 ||
        patch_table(link, class->table_symbol, prefix, &class->table, parent, parent_symbol) !=
            0 ||
        patch_metaclass_table(link, class) != 0) {
        return -1;
    }
    class->patched = true;
    return 0;
}

/* 1: patched now, 0: its parent of the same kext comes first, -1: refused. */
static int try_class(struct link *link, struct linked_class *class) {
    char parent_symbol[MACHO_NAME_MAX + 1];
    const struct macho_symbol *superclass =
        macho_find_symbol(link->macho, class->superclass_symbol);
    const char *metaclass = parent_metaclass(link, superclass);
    if (metaclass == NULL) {
        return fail(link, "%s does not lead to a class%s", class->superclass_symbol, "");
    }
    if (!class_name_table(metaclass, parent_symbol, sizeof parent_symbol) ||
        check_not_final(link, metaclass) != 0) {
        return fail(link, "%s does not lead to a class%s", class->superclass_symbol, "");
    }
    const struct linked_class *own = own_class(link, parent_symbol);
    if (own != NULL) {
        return !own->patched ? 0
               : patch_class(link, class, &own->table, parent_symbol) == 0 ? 1
                                                                           : -1;
    }
    uintptr_t address;
    struct table parent = {0};
    if (find_table(link, parent_symbol, &address) == NULL) {
        return fail(link, "the superclass's vtable %s of %s is in none of the libraries",
                    parent_symbol, class->table_symbol);
    }
    int result = read_library_table(link, address, &parent);
    if (result == 0) {
        result = patch_class(link, class, &parent, parent_symbol);
    }
    free(parent.slots);
    return result == 0 ? 1 : -1;
}

int link_patch_tables(struct link *link) {
    if (collect_classes(link) != 0) {
        return -1;
    }
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
            return fail(link, "the classes of the kext derive from each other in a circle%s%s",
                        "", "");
        }
    }
    return 0;
}
