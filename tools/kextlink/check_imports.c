/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * check_imports.c: every import exists in every release the kext is for, and is used in a way that
 * survives the patching of virtual tables.
 */
#include "tools/kextlink/imports.h"
#include "tools/kextlink/link.h"

static const struct table *table_of(const struct link *link, uint64_t address)
{
    size_t word = word_size(link);

    for (size_t i = 0; i < link->table_count; i++)
        if (address >= link->tables[i].address &&
            address < link->tables[i].address + (2 + link->tables[i].slot_count) * word)
            return &link->tables[i];
    return NULL;
}

static void check_import(struct link *link, const struct fixup *fixup, bool in_table)
{
    struct symbol *symbol = fixup->symbol;
    enum import_use use =
        link->imports ? imports_find(link->imports, symbol->name) : IMPORT_ANYWHERE;
    const char *file = fixup->object->name;

    /* One message a name and kind of use: the first use is enough to find it. */
    if (in_table ? symbol->used_in_table : symbol->used_elsewhere)
        return;
    if (in_table)
        symbol->used_in_table = true;
    else
        symbol->used_elsewhere = true;
    if (use == IMPORT_UNKNOWN)
        link_error(link, "%s: undefined symbol %s is not exported to kexts by every release this "
                         "kext is for (first use: %s,%s+0x%llx)", file, symbol->name,
                   fixup->place->segment, fixup->place->name,
                   (unsigned long long)(fixup->address - fixup->place->address));
    else if (use == IMPORT_IN_TABLES && !in_table)
        link_error(link, "%s: %s may be named in a virtual table only: not every release exports "
                         "it, call it through the superclass's table", file, symbol->name);
    /* OpenCore patches a table by giving the *symbol* another value, so a call elsewhere by the
     * same name would change with it. */
    if (symbol->used_in_table && symbol->used_elsewhere)
        link_error(link, "%s: %s is named by a virtual table and also used directly: patching the "
                         "table may redirect the direct use, call it through the superclass's "
                         "table", file, symbol->name);
}

void check_imports(struct link *link)
{
    for (size_t i = 0; i < link->fixup_count; i++) {
        const struct fixup *fixup = &link->fixups[i];

        if (fixup->symbol)
            check_import(link, fixup, fixup->kind == FIXUP_IMPORT_POINTER &&
                                          table_of(link, fixup->address) != NULL);
    }
}
