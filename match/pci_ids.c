/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/pci_ids.h"

#include "match/file.h"

#include <stdlib.h>
#include <string.h>

enum kind { VENDOR, DEVICE, SUBSYSTEM, CLASS, SUB_CLASS, INTERFACE };

struct name {
    uint64_t number; /* of all levels, the highest first */
    enum kind kind;
    const char *text;
};

struct pci_ids {
    char *text; /* copied; ends of names are cut into it */
    struct name *names;
    size_t count;
    size_t capacity;
};

struct parser {
    struct pci_ids *ids;
    const char *place;
    struct problems *problems;
    size_t line;
    bool in_classes;
    bool have_top; /* and the level below it */
    bool have_middle;
    unsigned top;
    unsigned middle;
    bool failed;
};

static void add_name(struct parser *parser, enum kind kind, uint64_t number, char *text)
{
    struct pci_ids *ids = parser->ids;

    if (ids->count == ids->capacity) {
        size_t capacity = ids->capacity == 0 ? 4096 : ids->capacity * 2;
        struct name *grown = realloc(ids->names, capacity * sizeof *grown);

        if (grown == NULL) {
            parser->failed = true;
            return;
        }
        ids->names = grown;
        ids->capacity = capacity;
    }
    ids->names[ids->count++] = (struct name){ number, kind, text };
}

static char *skip_blanks(char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    return text;
}

static void report(struct parser *parser, const char *line)
{
    problems_add(parser->problems, PROBLEM_WARNING, parser->place, parser->line,
                 "line fits no form of the list: \"%.60s\"", line);
}

/* "vvvv  name" or "C cc  name": begins a block. */
static void parse_top(struct parser *parser, char *line)
{
    unsigned number;
    size_t length = strlen(line);

    parser->have_top = false;
    parser->have_middle = false;
    if (line[0] == 'C' && line[1] == ' ' && length > 4 &&
        hexadecimal_number(line + 2, length - 2, 2, &number) && line[4] == ' ') {
        parser->in_classes = true;
        add_name(parser, CLASS, number, skip_blanks(line + 4));
    } else if (length > 5 && hexadecimal_number(line, length, 4, &number) && line[4] == ' ') {
        parser->in_classes = false;
        add_name(parser, VENDOR, number, skip_blanks(line + 4));
    } else {
        if (length > 2 && line[1] == ' ' && line[0] >= 'A' && line[0] <= 'Z')
            return; /* blocks of other registries: their lines are skipped in silence */
        report(parser, line);
        return;
    }
    parser->have_top = true;
    parser->top = number;
}

static void parse_middle(struct parser *parser, char *line)
{
    size_t digits = parser->in_classes ? 2 : 4;
    unsigned number;

    parser->have_middle = false;
    if (!parser->have_top)
        return;
    if (!hexadecimal_number(line, strlen(line), digits, &number) || line[digits] != ' ') {
        report(parser, line);
        return;
    }
    parser->have_middle = true;
    parser->middle = number;
    add_name(parser, parser->in_classes ? SUB_CLASS : DEVICE,
             (uint64_t)parser->top << (digits * 4) | number, skip_blanks(line + digits));
}

static void parse_lowest(struct parser *parser, char *line)
{
    size_t length = strlen(line);
    unsigned vendor;
    unsigned number;

    if (!parser->have_middle)
        return;
    if (parser->in_classes) {
        if (hexadecimal_number(line, length, 2, &number) && line[2] == ' ')
            add_name(parser, INTERFACE, parser->top << 16 | parser->middle << 8 | number,
                     skip_blanks(line + 2));
        else
            report(parser, line);
        return;
    }
    if (length > 9 && hexadecimal_number(line, length, 4, &vendor) && line[4] == ' ' &&
        hexadecimal_number(line + 5, length - 5, 4, &number) && line[9] == ' ')
        add_name(parser, SUBSYSTEM,
                 (uint64_t)parser->top << 48 | (uint64_t)parser->middle << 32 |
                     (uint64_t)vendor << 16 | number,
                 skip_blanks(line + 9));
    else
        report(parser, line);
}

static void parse_line(struct parser *parser, char *line)
{
    if (*line == '#' || *line == '\0')
        return;
    if (line[0] != '\t')
        parse_top(parser, line);
    else if (line[1] != '\t')
        parse_middle(parser, line + 1);
    else
        parse_lowest(parser, line + 2);
}

static int compare(const void *left_pointer, const void *right_pointer)
{
    const struct name *left = left_pointer;
    const struct name *right = right_pointer;

    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

struct pci_ids *pci_ids_parse(const char *text, size_t size, const char *place,
                              struct problems *problems)
{
    struct pci_ids *ids = size > PCI_IDS_SIZE_MAX ? NULL : calloc(1, sizeof *ids);
    struct parser parser = { .ids = ids, .place = place, .problems = problems };
    struct line_reader reader = { 0 };
    const char *line;
    size_t length;

    if (ids == NULL || (ids->text = malloc(size + 1)) == NULL) {
        free(ids);
        return NULL;
    }
    memcpy(ids->text, text, size);
    ids->text[size] = '\0';
    reader = (struct line_reader){ .text = ids->text, .size = size };
    while (!parser.failed && line_next(&reader, &line, &length)) {
        ids->text[line - ids->text + (ptrdiff_t)length] = '\0';
        parser.line = reader.number;
        parse_line(&parser, ids->text + (line - ids->text));
    }
    if (ids->count > 0)
        qsort(ids->names, ids->count, sizeof *ids->names, compare);
    if (!parser.failed)
        return ids;
    pci_ids_free(ids);
    return NULL;
}

struct pci_ids *pci_ids_load(const char *path, struct problems *problems)
{
    size_t size;
    char *text = file_read(path, PCI_IDS_SIZE_MAX, &size);
    struct pci_ids *ids = text == NULL ? NULL : pci_ids_parse(text, size, path, problems);

    free(text);
    return ids;
}

void pci_ids_free(struct pci_ids *ids)
{
    if (ids == NULL)
        return;
    free(ids->names);
    free(ids->text);
    free(ids);
}

static const char *find(const struct pci_ids *ids, enum kind kind, uint64_t number)
{
    struct name wanted = { number, kind, NULL };
    const struct name *found;

    if (ids == NULL || ids->count == 0)
        return NULL;
    found = bsearch(&wanted, ids->names, ids->count, sizeof wanted, compare);
    return found == NULL ? NULL : found->text;
}

const char *pci_ids_vendor(const struct pci_ids *ids, unsigned vendor)
{
    return find(ids, VENDOR, vendor);
}

const char *pci_ids_device(const struct pci_ids *ids, unsigned vendor, unsigned device)
{
    return find(ids, DEVICE, (uint64_t)vendor << 16 | device);
}

const char *pci_ids_subsystem(const struct pci_ids *ids, unsigned vendor, unsigned device,
                              unsigned subsystem_vendor, unsigned subsystem)
{
    return find(ids, SUBSYSTEM,
                (uint64_t)vendor << 48 | (uint64_t)device << 32 | (uint64_t)subsystem_vendor << 16 |
                    subsystem);
}

const char *pci_ids_class(const struct pci_ids *ids, unsigned class, unsigned bits)
{
    return find(ids, bits == 8 ? CLASS : bits == 16 ? SUB_CLASS : INTERFACE, class);
}

void pci_ids_sub_classes(const struct pci_ids *ids, unsigned base,
                         void (*visit)(void *context, unsigned sub_class), void *context)
{
    size_t index;

    for (index = 0; ids != NULL && index < ids->count; index++)
        if (ids->names[index].kind == SUB_CLASS && ids->names[index].number >> 8 == base)
            visit(context, (unsigned)ids->names[index].number & 0xFF);
}
