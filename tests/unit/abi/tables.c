/* SPDX-License-Identifier: BSD-3-Clause */
/* Reader of abi/tables for the tests. */
#include "tests/unit/abi/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COLUMNS 16
#define MAX_CLASSES 256
#define MAX_ROWS 8192

struct class_row {
    char *name, *superclass, *sizes;
};

struct slot_row {
    char *class, *symbol;
    int slot, pure;
    uint32_t since, until;
};

struct abi_tables {
    struct class_row classes[MAX_CLASSES];
    size_t class_count;
    struct slot_row rows[MAX_ROWS];
    size_t row_count;
    char *texts[2]; /* the files; every string above points into them */
};

static char *read_file(const char *folder, const char *name)
{
    char path[4096];
    size_t length;
    char *text;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    length = (size_t)ftell(file);
    rewind(file);
    text = malloc(length + 1);
    if (text == NULL || fread(text, 1, length, file) != length)
        exit(2);
    text[length] = '\0';
    fclose(file);
    return text;
}

/* Splits one line at its tabs; returns the rest of the text. */
static char *split_line(char *line, char *columns[MAX_COLUMNS])
{
    char *end = line + strcspn(line, "\n"), *rest = *end != '\0' ? end + 1 : end;
    int i;

    *end = '\0';
    for (i = 0; i < MAX_COLUMNS; i++)
        columns[i] = strsep(&line, "\t");
    return rest;
}

static int column(char *columns[MAX_COLUMNS], const char *name)
{
    int i;

    for (i = 0; i < MAX_COLUMNS && columns[i] != NULL; i++)
        if (strcmp(columns[i], name) == 0)
            return i;
    fprintf(stderr, "no column %s\n", name);
    exit(2);
}

static uint32_t release_number(const char *text, uint32_t none)
{
    unsigned major = 0, minor = 0, update = 0;

    if (*text == '-' || *text == '\0')
        return none;
    sscanf(text, "%u.%u.%u", &major, &minor, &update);
    return major * 10000 + minor * 100 + update;
}

static void read_classes(struct abi_tables *tables, char *text, const char *architecture)
{
    char *columns[MAX_COLUMNS], sizes_name[64];
    int name, superclass, sizes;

    snprintf(sizes_name, sizeof sizes_name, "sizeof_%s_by_version", architecture);
    text = split_line(text, columns);
    name = column(columns, "class");
    superclass = column(columns, "superclass");
    sizes = column(columns, sizes_name);
    while (*text != '\0') {
        text = split_line(text, columns);
        tables->classes[tables->class_count++] =
            (struct class_row){columns[name], columns[superclass], columns[sizes]};
    }
}

static void read_rows(struct abi_tables *tables, char *text)
{
    char *columns[MAX_COLUMNS];
    int class, slot, symbol, kind, since, until;

    text = split_line(text, columns);
    class = column(columns, "class");
    slot = column(columns, "slot");
    symbol = column(columns, "symbol");
    kind = column(columns, "kind");
    since = column(columns, "since");
    until = column(columns, "until");
    while (*text != '\0') {
        text = split_line(text, columns);
        if (*columns[slot] == '-')
            continue;
        tables->rows[tables->row_count++] = (struct slot_row){
            .class = columns[class],
            .symbol = columns[symbol],
            .slot = atoi(columns[slot]),
            .pure = strcmp(columns[kind], "pure") == 0,
            .since = release_number(columns[since], 0),
            .until = release_number(columns[until], UINT32_MAX),
        };
    }
}

struct abi_tables *abi_tables_read(const char *folder, const char *architecture)
{
    struct abi_tables *tables = calloc(1, sizeof *tables);
    char name[64];

    if (tables == NULL)
        exit(2);
    snprintf(name, sizeof name, "vtables-%s.tsv", architecture);
    tables->texts[0] = read_file(folder, "classes.tsv");
    tables->texts[1] = read_file(folder, name);
    read_classes(tables, tables->texts[0], architecture);
    read_rows(tables, tables->texts[1]);
    return tables;
}

void abi_tables_free(struct abi_tables *tables)
{
    free(tables->texts[0]);
    free(tables->texts[1]);
    free(tables);
}

size_t abi_class_count(const struct abi_tables *tables)
{
    return tables->class_count;
}

const char *abi_class_name(const struct abi_tables *tables, size_t index)
{
    return tables->classes[index].name;
}

static const struct class_row *find_class(const struct abi_tables *tables, const char *name)
{
    size_t i;

    for (i = 0; i < tables->class_count; i++)
        if (strcmp(tables->classes[i].name, name) == 0)
            return &tables->classes[i];
    return NULL;
}

uint32_t abi_class_size(const struct abi_tables *tables, const char *name, uint32_t release)
{
    const struct class_row *class = find_class(tables, name);
    const char *part = class->sizes;

    while (part != NULL && *part != '-') {
        const char *span = part + strcspn(part, "@;"), *dash;
        uint32_t size = (uint32_t)atoi(part);

        if (*span != '@')
            return size;
        dash = span + strcspn(span, "-");
        if (release >= release_number(span + 1, 0) &&
            release <= release_number(dash[1] == ';' ? "-" : dash + 1, UINT32_MAX))
            return size;
        part = strchr(part, ';');
        part = part != NULL ? part + 1 : NULL;
    }
    return 0;
}

size_t abi_class_slots(const struct abi_tables *tables, const char *name, uint32_t release,
                       const char *symbols[MAX_SLOTS])
{
    const struct class_row *class = find_class(tables, name);
    size_t count = 0, i;

    if (class == NULL)
        memset(symbols, 0, MAX_SLOTS * sizeof *symbols);
    else
        count = abi_class_slots(tables, class->superclass, release, symbols);
    for (i = 0; class != NULL && i < tables->row_count; i++) {
        const struct slot_row *row = &tables->rows[i];

        if (strcmp(row->class, name) != 0 || release < row->since || release > row->until)
            continue;
        symbols[row->slot] = row->pure ? "___cxa_pure_virtual" : row->symbol;
        if ((size_t)row->slot >= count)
            count = (size_t)row->slot + 1;
    }
    return count;
}
