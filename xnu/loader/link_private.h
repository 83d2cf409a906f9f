/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between the files of the linker: the state of one link.
 */
#ifndef MACHV_XNU_LOADER_LINK_PRIVATE_H
#define MACHV_XNU_LOADER_LINK_PRIVATE_H

#include <stdbool.h>

#include "xnu/loader/link.h"
#include "xnu/loader/macho_format.h"

#define TABLE_HEADER_WORDS 2u
#define TABLE_SLOTS_MAX 2048u

/* What a symbol of the kext's table has become. */
struct linked_symbol {
    uintptr_t address;
    bool resolved;  /* address is final */
    bool replaced;  /* vtable patching has taken its place: it need not resolve */
    uintptr_t island; /* jump to the address, 0: none yet */
};

/* One slot of a class's table. */
struct table_slot {
    const char *name;  /* of the function; NULL: unknown */
    uintptr_t address; /* final; 0 while it is an unresolved import */
    size_t relocation; /* index into the kext's relocations, SIZE_MAX: none or local */
    bool defined_here; /* by the kext itself */
};

struct table {
    struct table_slot *slots; /* owned */
    size_t count;
};

/* A class of the kext, or a table of a dependency that was needed as a parent. */
struct linked_class {
    char table_symbol[MACHO_NAME_MAX + 1]; /* "__ZTV..." */
    const char *superclass_symbol;         /* "__ZN...10superClassE" */
    struct table table;
    bool patched;
};

struct link {
    const struct link_request *request;
    const struct macho *macho;
    uint8_t *memory;
    struct linked_symbol *symbols; /* by symbol index; owned */
    size_t *by_address;            /* indices of relocations sorted by address; owned */
    uintptr_t *redirected;         /* by relocation index: replaces the symbol's address; owned */
    struct linked_class *classes;  /* owned */
    size_t class_count;
    uint8_t *next_island;
    struct loader_error *error;
};

/* link_symbols.c */
int link_symbols(struct link *link);
int link_check_unresolved(struct link *link);
/* A name among the libraries of the kext; `direct_only` as for imports. */
bool link_find(const struct link *link, const char *name, uintptr_t *address);
/* The kext's symbol with this name or at this image address, NULL: none. */
const struct macho_symbol *link_defined_at(const struct link *link, uint64_t value,
                                           bool cxx_only);

/* link_tables.c */
int link_patch_tables(struct link *link);

/* link_relocate.c */
int link_relocate(struct link *link);
/* The external relocation whose place is exactly this image address; SIZE_MAX: none. */
size_t link_relocation_at(const struct link *link, uint64_t address);

#endif
