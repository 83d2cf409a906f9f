/* SPDX-License-Identifier: BSD-3-Clause */
/* What a kernel of a given release exports to kexts, as seen from the user-space kernel: one table
 * of symbols, and the vtables and metaclasses of all known classes.
 *
 * The data are generated from abi/tables (x86_64). Every function symbol of the tables has a weak
 * definition that calls xnu_unimplemented with its readable name; a definition of the same symbol
 * in the user-space kernel replaces it. So link the generated objects and the kernel's as objects
 * (or with link_whole), not as an archive that is searched. What every C++ compiler emits for a
 * class (base constructor, destructors, alloc, getMetaClass) is there as a working weak
 * definition.
 *
 * Releases are numbers: 1006 is the last update of 10.6, 1200 that of macOS 12; six digits name
 * one exactly (100603 is 10.6.3, 120300 is 12.3). 2600 and above count as the newest known. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct xnu_symbol {
    const char *name;       /* with the underscore of the object format */
    const void *address;    /* NULL: data that the user-space kernel does not define */
    const char *component;  /* bundle that exports it; NULL: named in a vtable but not exported */
    uint32_t first;         /* first and last release that export it, six digits; last 999999: */
    uint32_t last;          /* still so in the newest release known */
};

struct xnu_class {
    const char *name;
    int superclass;             /* index, or -1 */
    const char *component;
    uintptr_t *table;           /* "__ZTV...": two header words, slots, zero */
    uintptr_t *metaclass_table; /* NULL for the two roots that have none */
    void *metaclass;            /* the gMetaClass object, or NULL */
    uint32_t slots;             /* number in the chosen release; 0: not in that release */
    uint32_t size;              /* bytes of an instance in the chosen release */
};

/* To be defined by the user-space kernel: a function that it lacks was called. */
void xnu_unimplemented(const char *name) __attribute__((noreturn));

/* Fills the vtables for a release and chooses it for the functions below. Call first, and again
 * only while no object exists. */
void xnu_tables_fill(uint32_t release);

/* Registers the metaclasses of all classes of the chosen release, superclasses first. */
void xnu_metaclasses_construct(void);

/* Classes, superclasses before subclasses. */
size_t xnu_class_count(void);
const struct xnu_class *xnu_class_at(size_t index);

/* The class, or NULL when it is unknown or not in the chosen release. */
const struct xnu_class *xnu_class_find(const char *name);

/* The symbol as the chosen release exports it, or NULL. With several exporting components the first
 * by name; xnu_symbol_next gives the others, then NULL. */
const struct xnu_symbol *xnu_symbol_find(const char *name);
const struct xnu_symbol *xnu_symbol_next(const struct xnu_symbol *symbol);

/* The symbol that lies exactly at the address, exported or not, or NULL. */
const struct xnu_symbol *xnu_symbol_at(const void *address);

/* All rows, sorted by name, of all releases. */
size_t xnu_symbol_count(void);
const struct xnu_symbol *xnu_symbol_get(size_t index);
