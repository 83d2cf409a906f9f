/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * check_classes.c: every I/O Kit class of the kext has the symbols and tables that the kernel's
 * linker (kxld, kld_patch) patches by, and the tables are whole.
 *
 * The loaders themselves miss most of these faults: a class without superClass is linked unpatched,
 * a table cut short is accepted by some, a superClass pointer with an addend by all.
 */
#include <stdarg.h>
#include <string.h>

#include "tools/kextlink/imports.h"
#include "tools/kextlink/link.h"

#define SUPERCLASS "10superClassE"
#define GMETACLASS "10gMetaClassE"
#define METACLASS "9MetaClassE"

enum {
    METACLASS_SLOTS = 26,
    METACLASS_ALLOC_SLOT = 17,
    HEADER_WORDS = 2,
};

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text), suffix_length = strlen(suffix);

    return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

/* The length-prefixed class name in prefix..suffix ("14HyperVKeyboard"), or NULL. */
static const char *between(struct link *link, const char *name, const char *prefix,
                           const char *suffix)
{
    size_t head = strlen(prefix), tail = strlen(suffix), length = strlen(name);

    if (length <= head + tail || !starts_with(name, prefix) || !ends_with(name, suffix))
        return NULL;
    return arena_copy_string(&link->arena, name + head, length - head - tail);
}

/* "HyperVKeyboard" of "14HyperVKeyboard". */
static const char *plain(const char *mangled)
{
    return mangled + strspn(mangled, "0123456789");
}

/* "FILE: class NAME: ", the text, one line. */
static void class_error(struct link *link, const char *class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void class_error(struct link *link, const char *class, const char *format, ...)
{
    struct arena *arena = &link->arena;
    const struct symbol *symbol = symbol_find(link, arena_format(arena, "__ZTV%s", class));
    char text[1024];
    va_list arguments;

    if (!symbol || !symbol->section)
        symbol = symbol_find(link, arena_format(arena, "__ZN%s" SUPERCLASS, class));
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    link_error(link, "%s: class %s: %s", symbol ? symbol->object->name : "kext", plain(class),
               text);
}

static const struct symbol *find_defined(const struct link *link, const char *name)
{
    const struct symbol *symbol = symbol_find(link, name);

    return symbol && symbol->section && symbol->in_output ? symbol : NULL;
}

static const struct symbol *require(struct link *link, const char *class, const char *name)
{
    const struct symbol *symbol = find_defined(link, name);

    if (!symbol)
        class_error(link, class, "%s is not defined, or static: kernels find the class by it "
                                 "(does its .c file use IOKIT_CLASS?)", name);
    else if (symbol->private_external)
        class_error(link, class, "%s is hidden: macOS 10.4 finds classes by external symbols "
                                 "only, compile without -fvisibility=hidden", name);
    return symbol;
}

/* The pointer at this address, to something here or imported; NULL = there is none. */
static const struct fixup *pointer_at(const struct link *link, uint64_t address)
{
    const struct fixup *fixup = fixup_at(link, address);

    return fixup && fixup->kind != FIXUP_IMPORT_BRANCH ? fixup : NULL;
}

/* The name a pointer in the image leads to: an import's, or a symbol's of ours; NULL = none. */
static const char *pointee_name(const struct link *link, const struct fixup *fixup)
{
    const struct symbol *symbol = fixup->symbol;

    if (fixup->kind == FIXUP_LOCAL_POINTER)
        symbol = symbol_at(link, load_word(link, fixup->address));
    return symbol ? symbol->name : NULL;
}

/* An import whose word holds an addend (possible on i386 only): not the symbol itself. */
static bool has_addend(const struct link *link, const struct fixup *fixup)
{
    return fixup->kind != FIXUP_LOCAL_POINTER && load_word(link, fixup->address) != 0;
}

/* The parent's mangled class name, or NULL after a message. */
static const char *check_superclass_pointer(struct link *link, const char *class,
                                            const struct symbol *superclass)
{
    const struct fixup *fixup = pointer_at(link, symbol_address(superclass));
    const char *name = fixup && !has_addend(link, fixup) ? pointee_name(link, fixup) : NULL;
    const char *parent = name ? between(link, name, "__ZN", GMETACLASS) : NULL;

    if (!fixup)
        class_error(link, class, "superClass holds no address: it must be a constant pointer to "
                                 "the superclass's gMetaClass");
    else if (!parent)
        class_error(link, class, "superClass points at %s, not exactly at a gMetaClass symbol (no "
                                 "addend is allowed)", name ? name : "something else");
    return parent;
}

/* Checks one slot; false = it is the terminator or the table cannot be followed further. */
static bool check_slot(struct link *link, const char *class, const struct symbol *table,
                       size_t slot, uint64_t address)
{
    const struct fixup *fixup = pointer_at(link, address);
    const struct symbol *other = symbol_at(link, address);
    uint64_t value = load_word(link, address);

    if (other && other != table) {
        class_error(link, class, "table %s has no zero word behind slot %zu: it runs into %s",
                    table->name, slot, other->name);
        return false;
    }
    if (!fixup) {
        if (value != 0)
            class_error(link, class, "slot %zu of %s is the number 0x%llx, not an address", slot,
                        table->name, (unsigned long long)value);
        return value != 0;
    }
    if (fixup->kind == FIXUP_LOCAL_POINTER) {
        const char *name = pointee_name(link, fixup);

        if (!(fixup->target->flags & MACHO_S_ATTR_PURE_INSTRUCTIONS))
            class_error(link, class, "slot %zu of %s points at %s, which is no function", slot,
                        table->name, name ? name : "data");
        else if ((value & 1) || value == 0)
            class_error(link, class, "slot %zu of %s: function %s has address 0x%llx; compile "
                                     "with -falign-functions=16", slot, table->name,
                        name ? name : "(unnamed)", (unsigned long long)value);
        else if (!name)
            class_error(link, class, "slot %zu of %s: no symbol has the address 0x%llx (macOS "
                                     "10.4 needs one)", slot, table->name,
                        (unsigned long long)value);
    } else if (has_addend(link, fixup)) {
        class_error(link, class, "slot %zu of %s is %s plus 0x%llx", slot, table->name,
                    fixup->symbol->name, (unsigned long long)value);
    } else if (starts_with(fixup->symbol->name,
                           arena_format(&link->arena, "__ZN%s", class)) ||
               starts_with(fixup->symbol->name,
                           arena_format(&link->arena, "__ZNK%s", class))) {
        class_error(link, class, "slot %zu of %s names %s, which is not defined (kernels refuse "
                                 "the class's own method as an import)", slot, table->name,
                    fixup->symbol->name);
    }
    return true;
}

/* Slots that the kernel cannot supply because they are about this very class. */
static void check_own_slot(struct link *link, const char *class, const struct symbol *table,
                           size_t slot, const char *what, const char *ending)
{
    uint64_t address = symbol_address(table) + (HEADER_WORDS + slot) * word_size(link);
    const struct fixup *fixup = pointer_at(link, address);
    const char *name = fixup ? pointee_name(link, fixup) : NULL;

    if (!fixup || fixup->kind != FIXUP_LOCAL_POINTER)
        class_error(link, class, "slot %zu of %s must be the class's own %s, not %s", slot,
                    table->name, what, name ? name : "empty");
    else if (name && starts_with(name, "__ZN") && !ends_with(name, ending))
        class_error(link, class, "slot %zu of %s must be the %s (a name ending in %s), not %s",
                    slot, table->name, what, ending, name);
}

/* Follows the table to its terminator. Returns the number of slots, 0 after a message. */
static size_t check_table(struct link *link, const char *class, const struct symbol *table)
{
    const struct output_section *section = table->section->output;
    size_t word = word_size(link), slot = 0;
    uint64_t address = symbol_address(table), end = section->address + section->size;

    if (section->zerofill || address % word != 0) {
        class_error(link, class, "table %s is %s", table->name,
                    section->zerofill ? "in zerofill data" : "not aligned to a word");
        return 0;
    }
    if (end - address < (HEADER_WORDS + 1) * word || load_word(link, address) != 0 ||
        load_word(link, address + word) != 0 || fixup_at(link, address) ||
        fixup_at(link, address + word)) {
        class_error(link, class, "table %s does not begin with two zero words", table->name);
        return 0;
    }
    for (address += HEADER_WORDS * word; end - address >= word; address += word, slot++)
        if (!check_slot(link, class, table, slot, address))
            break;
    if (end - address < word)
        class_error(link, class, "table %s has no zero word behind slot %zu: it runs into the "
                                 "section's end", table->name, slot);
    ARENA_APPEND(&link->arena, link->tables, link->table_count,
                 ((struct table){table, symbol_address(table), slot}));
    check_own_slot(link, class, table, 0, "complete destructor", "D1Ev");
    check_own_slot(link, class, table, 1, "deleting destructor", "D0Ev");
    return slot;
}

static size_t known_slot_count(const struct link *link, const char *mangled_parent)
{
    for (size_t i = 0; i < link->table_count; i++)
        if (starts_with(link->tables[i].symbol->name, "__ZTV") &&
            strcmp(link->tables[i].symbol->name + strlen("__ZTV"), mangled_parent) == 0)
            return link->tables[i].slot_count;
    return link->imports ? imports_slot_count(link->imports, plain(mangled_parent)) : 0;
}

static void check_class(struct link *link, const char *class, const struct symbol *superclass)
{
    struct arena *arena = &link->arena;
    const struct symbol *table = require(link, class, arena_format(arena, "__ZTV%s", class));
    const struct symbol *metaclass_table =
        require(link, class, arena_format(arena, "__ZTVN%s" METACLASS, class));

    require(link, class, superclass->name);
    require(link, class, arena_format(arena, "__ZN%s" GMETACLASS, class));
    if (table)
        check_table(link, class, table);
    if (metaclass_table) {
        size_t slots = check_table(link, class, metaclass_table);

        if (slots != METACLASS_SLOTS)
            class_error(link, class, "metaclass table %s has %zu slots instead of %d",
                        metaclass_table->name, slots, METACLASS_SLOTS);
        else
            check_own_slot(link, class, metaclass_table, METACLASS_ALLOC_SLOT,
                           "metaclass's alloc", "9MetaClass5allocEv");
    }
}

/* Needs the tables of all classes: a parent may be a class of this kext. */
static void check_parent(struct link *link, const char *class, const struct symbol *superclass)
{
    const char *parent = check_superclass_pointer(link, class, superclass);
    size_t slots = known_slot_count(link, class), parent_slots;

    if (!parent)
        return;
    if (find_defined(link, arena_format(&link->arena, "__ZN%s" GMETACLASS, parent)) &&
        !find_defined(link, arena_format(&link->arena, "__ZN%s" SUPERCLASS, parent)))
        class_error(link, class, "its superclass %s is of this kext but has no superClass symbol, "
                                 "so nothing patches it", plain(parent));
    parent_slots = known_slot_count(link, parent);
    if (slots && parent_slots && slots < parent_slots)
        class_error(link, class, "its table has %zu slots, its superclass %s has %zu", slots,
                    plain(parent), parent_slots);
    if (link->imports && parent_slots == 0)
        class_error(link, class, "superclass %s is not in the table of imports: is it an Apple "
                                 "class of every release the kext is for?", plain(parent));
}

static void check_table_has_class(struct link *link, const char *name)
{
    const char *class = between(link, name, "__ZTV", "");

    if (starts_with(name, "__ZTVN"))
        class = between(link, name, "__ZTVN", METACLASS);
    if (!class)
        link_error(link, "%s is no table of a class outside of namespaces: kernels cannot patch it",
                   name);
    else if (!find_defined(link, arena_format(&link->arena, "__ZN%s" SUPERCLASS, class)))
        class_error(link, class, "table %s is defined but __ZN%s" SUPERCLASS " is not: no kernel "
                                 "would patch the table", name, class);
}

void check_classes(struct link *link)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < link->local_count + link->defined_count; i++) {
            const struct symbol *symbol = link->output_symbols[i];
            const char *class = between(link, symbol->name, "__ZN", SUPERCLASS);

            if (class && pass == 0)
                check_class(link, class, symbol);
            else if (class)
                check_parent(link, class, symbol);
            else if (pass == 0 && starts_with(symbol->name, "__ZTV"))
                check_table_has_class(link, symbol->name);
        }
    }
}
