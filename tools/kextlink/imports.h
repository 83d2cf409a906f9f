/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * imports.h: the table of names a kext may import, made by tools/kextlink/generate-imports from
 * abi/tables for one architecture and one range of macOS releases.
 *
 * Text, one entry a line, fields separated by one tab, "#" begins a comment line:
 *
 *   import  NAME          exported to kexts by every release of the range: may be used anywhere
 *   table   NAME          may stand in a virtual table only (a pad, or a method that a later
 *                         release renamed: the kernel's linker replaces it there and nowhere else)
 *   class   NAME  SLOTS   an Apple class and the largest slot count it has in the range
 */
#ifndef TOOLS_KEXTLINK_IMPORTS_H
#define TOOLS_KEXTLINK_IMPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "tools/kextlink/memory.h"

struct imports;

enum import_use {
    IMPORT_UNKNOWN,
    IMPORT_IN_TABLES,
    IMPORT_ANYWHERE,
};

/* Reads the table in `text` (`size` bytes; copied). NULL after a message on the first bad line. */
struct imports *imports_read(struct arena *arena, const char *name, const char *text, size_t size,
                             FILE *messages);

enum import_use imports_find(const struct imports *imports, const char *symbol);

/* The number of slots a table of a subclass of `class` needs at least; 0 = class not known. */
size_t imports_slot_count(const struct imports *imports, const char *class);

#endif
