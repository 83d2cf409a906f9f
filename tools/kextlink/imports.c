/* SPDX-License-Identifier: BSD-3-Clause */
/* imports.c: reads and searches the table of allowed imports. */
#include "tools/kextlink/imports.h"

#include <stdlib.h>
#include <string.h>

enum entry_kind { ENTRY_CLASS, ENTRY_SYMBOL };

struct entry {
    enum entry_kind kind;
    const char *name;
    enum import_use use;
    size_t slots;
};

struct imports {
    struct entry *entries; /* sorted by kind, then name */
    size_t count;
};

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* Cuts the line at its tabs; returns the number of fields, at most 4. */
static size_t split(char *line, char *fields[4])
{
    size_t count = 0;

    while (line && count < 4) {
        fields[count++] = line;
        line = strchr(line, '\t');
        if (line)
            *line++ = '\0';
    }
    return count;
}

static bool parse_line(char *line, struct entry *entry)
{
    char *fields[4], *end;
    size_t count = split(line, fields);

    *entry = (struct entry){.kind = ENTRY_SYMBOL, .name = count > 1 ? fields[1] : ""};
    if (!*entry->name)
        return false;
    if (strcmp(fields[0], "import") == 0 && count == 2) {
        entry->use = IMPORT_ANYWHERE;
    } else if (strcmp(fields[0], "table") == 0 && count == 2) {
        entry->use = IMPORT_IN_TABLES;
    } else if (strcmp(fields[0], "class") == 0 && count == 3) {
        entry->kind = ENTRY_CLASS;
        entry->slots = strtoul(fields[2], &end, 10);
        return *fields[2] && !*end && entry->slots > 0;
    } else {
        return false;
    }
    return true;
}

struct imports *imports_read(struct arena *arena, const char *name, const char *text, size_t size,
                             FILE *messages)
{
    struct imports *imports = arena_allocate(arena, sizeof *imports);
    char *line = arena_copy_string(arena, text, size);
    unsigned int number = 0;

    while (line && *line) {
        char *next = strchr(line, '\n');
        struct entry entry;

        number++;
        if (next)
            *next++ = '\0';
        if (*line && *line != '#') {
            if (!parse_line(line, &entry)) {
                fprintf(messages, "kextlink: error: %s:%u: not \"import NAME\", \"table NAME\" or "
                                  "\"class NAME SLOTS\" (tab separated)\n", name, number);
                return NULL;
            }
            ARENA_APPEND(arena, imports->entries, imports->count, entry);
        }
        line = next;
    }
    if (imports->count)
        qsort(imports->entries, imports->count, sizeof *imports->entries, compare);
    return imports;
}

static const struct entry *find(const struct imports *imports, enum entry_kind kind,
                                const char *name)
{
    struct entry key = {.kind = kind, .name = name};

    return imports->count ? bsearch(&key, imports->entries, imports->count,
                                    sizeof *imports->entries, compare)
                          : NULL;
}

enum import_use imports_find(const struct imports *imports, const char *symbol)
{
    const struct entry *entry = find(imports, ENTRY_SYMBOL, symbol);

    return entry ? entry->use : IMPORT_UNKNOWN;
}

size_t imports_slot_count(const struct imports *imports, const char *class)
{
    const struct entry *entry = find(imports, ENTRY_CLASS, class);

    return entry ? entry->slots : 0;
}
