/* SPDX-License-Identifier: BSD-3-Clause */
/* kxld.c: class discovery, table patching and symbol resolution as XNU libkern/kxld does them
 * (kxld_vtable.c: kxld_vtable_patch; kxld_kext.c; rules 1 to 6), also for 10.4's kld_patch. */
#include "tests/unit/kextlink/loader/kxld.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(struct kxld *kxld, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(struct kxld *kxld, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(kxld->problem, sizeof kxld->problem, format, arguments);
    va_end(arguments);
    return false;
}

static bool is_local(const struct kext_symbol *symbol)
{
    return symbol && (symbol->type & 0x0e) == 0x0e;
}

/* "14HyperVKeyboard" of prefix 14HyperVKeyboard suffix. */
static bool cut(const char *name, const char *prefix, const char *suffix, char out[96])
{
    const char *end = strstr(name, suffix);
    size_t head = strlen(prefix);

    if (strncmp(name, prefix, head) != 0 || !end || end < name + head ||
        (size_t)(end - name) - head >= 96)
        return false;
    memcpy(out, name + head, (size_t)(end - name) - head);
    out[(size_t)(end - name) - head] = '\0';
    return true;
}

static const char *plain(const char *mangled)
{
    return mangled + strspn(mangled, "0123456789");
}

static const char *target_name(const struct kxld *kxld, const struct kext_relocation *relocation)
{
    const struct kext_symbol *symbol;

    if (relocation->external)
        return kxld->file->symbols[relocation->symbol].name;
    symbol = kext_file_symbol_at(kxld->file, kext_file_word(kxld->file, relocation->address));
    return symbol ? symbol->name : NULL;
}

const struct kxld_class *kxld_class(const struct kxld *kxld, const char *name)
{
    for (size_t i = 0; i < kxld->class_count; i++)
        if (strcmp(kxld->classes[i].name, name) == 0)
            return &kxld->classes[i];
    return NULL;
}

/* The parent's slot, be it a class of the kernel or an already patched one of the kext. */
static const char *parent_slot(const struct kxld *kxld, const char *parent, size_t slot)
{
    const struct kxld_class *class = kxld_class(kxld, parent);

    if (class)
        return slot < class->slot_count ? class->slots[slot] ? class->slots[slot] : "" : NULL;
    return kxld->kernel->slot(kxld->kernel->context, parent, slot);
}

/* The rules, for one slot. */
static bool patch_slot(struct kxld *kxld, const char *mangled, const char *parent, size_t slot,
                       const struct kext_relocation *relocation, const char **name)
{
    const char *theirs = parent_slot(kxld, parent, slot);
    char own[112];

    if (!theirs || !*theirs || !*name)
        return true;
    snprintf(own, sizeof own, "__ZN%s", mangled);
    if (!relocation->external)                                  /* 1 */
        return true;
    if (strncmp(*name, "___cxa_pure_virtual", 19) == 0)         /* 2 */
        return true;
    if (strcmp(*name, theirs) == 0)                             /* 3 */
        return true;
    if (strstr(theirs, "_RESERVED"))                            /* 4 */
        return refuse(kxld, "class %s: slot %zu is %s, but still %s in the kernel's %s",
                      plain(mangled), slot, *name, theirs, parent);
    if (kxld->file->is_64 && strncmp(*name, own, strlen(own)) == 0) /* 5 */
        return refuse(kxld, "class %s: %s is declared and not defined", plain(mangled), *name);
    *name = theirs;                                             /* 6 */
    kxld->replaced[relocation - kxld->file->relocations] = true;
    return true;
}

static bool patch_table(struct kxld *kxld, const char *mangled, const char *table_name,
                        const char *parent, struct kxld_class *class)
{
    const struct kext_symbol *table = kext_file_symbol(kxld->file, table_name);
    size_t word = kext_file_word_size(kxld->file), slot = 0;
    const struct kext_relocation *relocation;
    uint64_t at;

    if (!is_local(table))
        return refuse(kxld, "class %s: no table %s", plain(mangled), table_name);
    at = table->value + 2 * word;
    for (; (relocation = kext_file_relocation(kxld->file, at)) != NULL; at += word, slot++) {
        const char *name = target_name(kxld, relocation);

        if (slot == KXLD_SLOTS_MAX)
            return refuse(kxld, "class %s: table never ends", plain(mangled));
        if (!name && kxld->kernel->keeps_metaclass_tables) /* kld_patch aborts */
            return refuse(kxld, "class %s: slot %zu of %s has no symbol", plain(mangled), slot,
                          table_name);
        if (!patch_slot(kxld, mangled, parent, slot, relocation, &name))
            return false;
        class->slots[slot] = name;
    }
    class->slot_count = slot;
    if (kext_file_word(kxld->file, at) != 0 || at >= kxld->file->image_size)
        return refuse(kxld, "class %s: slot %zu of %s is no address", plain(mangled), slot,
                      table_name);
    if (parent_slot(kxld, parent, slot))
        return refuse(kxld, "class %s: table is malformed: %zu slots, its parent %s has more",
                      plain(mangled), slot, parent);
    if (!parent_slot(kxld, parent, 0))
        return refuse(kxld, "class %s: no such parent class: %s", plain(mangled), parent);
    return true;
}

static bool find_classes(struct kxld *kxld)
{
    for (size_t i = 0; i < kxld->file->symbol_count; i++) {
        const struct kext_symbol *symbol = &kxld->file->symbols[i];
        const struct kext_relocation *relocation;
        struct kxld_class *class = &kxld->classes[kxld->class_count];
        char mangled[96], parent[96];
        const char *target;

        if (!is_local(symbol) || !cut(symbol->name, "__ZN", "10superClassE", mangled))
            continue;
        relocation = kext_file_relocation(kxld->file, symbol->value);
        target = relocation ? target_name(kxld, relocation) : NULL;
        if (!target || !cut(target, "__ZN", "10gMetaClassE", parent))
            return refuse(kxld, "class %s: superClass leads to %s", plain(mangled),
                          target ? target : "nothing");
        if (++kxld->class_count == KXLD_CLASSES_MAX)
            return refuse(kxld, "too many classes");
        snprintf(class->name, sizeof class->name, "%s", plain(mangled));
        snprintf(class->parent, sizeof class->parent, "%s", plain(parent));
    }
    return true;
}

static bool patch_class(struct kxld *kxld, struct kxld_class *class)
{
    struct kxld_class *metaclass;
    char mangled[128], table[192];
    bool patched;

    snprintf(mangled, sizeof mangled, "%zu%s", strlen(class->name), class->name);
    snprintf(table, sizeof table, "__ZTV%s", mangled);
    if (!patch_table(kxld, mangled, table, class->parent, class))
        return false;
    class->patched = true;
    if (kxld->kernel->keeps_metaclass_tables)
        return true;
    metaclass = calloc(1, sizeof *metaclass);
    snprintf(table, sizeof table, "__ZTVN%s9MetaClassE", mangled);
    patched = patch_table(kxld, mangled, table, "OSMetaClass", metaclass);
    free(metaclass);
    return patched;
}

/* Parents before children. */
static bool patch_classes(struct kxld *kxld)
{
    size_t done = 0, before;

    do {
        before = done;
        for (size_t i = 0; i < kxld->class_count; i++) {
            struct kxld_class *class = &kxld->classes[i];
            const struct kxld_class *parent = kxld_class(kxld, class->parent);

            if (class->patched || (parent && !parent->patched))
                continue;
            if (!patch_class(kxld, class))
                return false;
            done++;
        }
    } while (done > before);
    return done == kxld->class_count || refuse(kxld, "classes derive from one another in a circle");
}

static bool resolve(struct kxld *kxld)
{
    const struct kext_file *file = kxld->file;

    for (size_t i = 0; i < file->relocation_count; i++) {
        const char *name;

        if (!file->relocations[i].external || kxld->replaced[i])
            continue;
        name = file->symbols[file->relocations[i].symbol].name;
        if (!kxld->kernel->exports(kxld->kernel->context, name))
            return refuse(kxld, "unresolved symbol %s (used at 0x%llx)", name,
                          (unsigned long long)file->relocations[i].address);
    }
    return true;
}

bool kxld_link(struct kxld *kxld, const struct kext_file *file, const struct kxld_kernel *kernel)
{
    const struct kext_symbol *kmod_info = kext_file_symbol(file, "_kmod_info");

    memset(kxld, 0, sizeof *kxld);
    kxld->file = file;
    kxld->kernel = kernel;
    kxld->replaced = calloc(file->relocation_count + 1, sizeof *kxld->replaced);
    if (!is_local(kmod_info) || (file->sections[kmod_info->section - 1].flags & 0xff) == 1)
        return refuse(kxld, "no kmod_info in data");
    return find_classes(kxld) && patch_classes(kxld) && resolve(kxld);
}

void kxld_free(struct kxld *kxld)
{
    free(kxld->replaced);
    kxld->replaced = NULL;
}
