/* SPDX-License-Identifier: BSD-3-Clause */
/* kernels.c: reads the ABI tables and answers kxld's questions for one release. */
#include "tests/unit/kextlink/loader/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 24, CLASSES_MAX = 256, RELEASES_MAX = 256, FOREVER = 999999 };

/* A symbol that a component exports during a range of releases. */
struct export {
    const char *symbol;
    const char *component; /* "iokit", "kernel.6.0", or a family's bundle identifier */
    unsigned int first, last;
};

struct row {
    const char *class, *symbol;
    long slot; /* -1: not in the table */
    bool pure;
    unsigned int first, last;
};

struct class {
    const char *name, *superclass, *component;
    unsigned int first, last;
    size_t row_begin, row_end; /* rows of one class follow one another */
    size_t slot_count;
    const char *slots[KXLD_SLOTS_MAX]; /* in the selected release */
    bool built;
};

struct kernels {
    char *texts[3]; /* the tables; all names point into them */
    char *made;     /* names made here: class symbols */
    struct export *exports; /* sorted by symbol */
    size_t export_count;
    struct row *rows;
    size_t row_count;
    struct class classes[CLASSES_MAX];
    size_t class_count;
    const char *releases[RELEASES_MAX];
    size_t release_count;
    unsigned int selected;
    const char *const *libraries;
    size_t library_count;
    struct kxld_kernel kernel;
};

unsigned int release_number(const char *text)
{
    unsigned int parts[3] = {0};

    sscanf(text, "%u.%u.%u", &parts[0], &parts[1], &parts[2]);
    return parts[0] * 10000 + parts[1] * 100 + parts[2];
}

static char *read_text(const char *folder, const char *name)
{
    char path[1024], *text;
    size_t size;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    size = (size_t)ftell(file);
    rewind(file);
    text = calloc(1, size + 1);
    size = fread(text, 1, size, file);
    fclose(file);
    return text;
}

/* A table being read: the first line names the columns. */
struct table {
    char *next;
    const char *names[COLUMNS_MAX];
    const char *fields[COLUMNS_MAX];
    size_t columns;
};

static bool next_line(struct table *table, const char **fields, size_t *count)
{
    char *line = table->next, *end;

    if (!line || !*line)
        return false;
    end = strchr(line, '\n');
    table->next = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    for (*count = 0; line && *count < COLUMNS_MAX; ++*count) {
        fields[*count] = line;
        line = strchr(line, '\t');
        if (line)
            *line++ = '\0';
    }
    return true;
}

static struct table open_table(char *text)
{
    struct table table = {.next = text};

    next_line(&table, table.names, &table.columns);
    return table;
}

static bool next_row(struct table *table)
{
    size_t count;

    return next_line(table, table->fields, &count) && count == table->columns;
}

static const char *field(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->columns; i++)
        if (strcmp(table->names[i], name) == 0)
            return table->fields[i];
    fprintf(stderr, "the ABI tables have no column %s\n", name);
    exit(1);
}

static void add_export(struct kernels *kernels, struct export export)
{
    if ((kernels->export_count & (kernels->export_count - 1)) == 0)
        kernels->exports = realloc(kernels->exports, (kernels->export_count * 2 + 1) *
                                                         sizeof *kernels->exports);
    kernels->exports[kernels->export_count++] = export;
}

/* "unsupported:10.4-10.4.11;libkern:10.5-15.6", or a list of components with one range for all. */
static void read_history(struct kernels *kernels, const char *symbol, char *components,
                         char *history, unsigned int first, unsigned int last)
{
    char *rest, *item = strtok_r(strcmp(history, "-") ? history : components, ";+", &rest);

    for (; item; item = strtok_r(NULL, ";+", &rest)) {
        struct export export = {symbol, item, first, last};
        char *span = strchr(item, ':'), *end;

        if (span) {
            *span++ = '\0';
            end = strchr(span, '-');
            *end++ = '\0';
            if (release_number(span) > first)
                export.first = release_number(span);
            if (release_number(end) < last)
                export.last = release_number(end);
        }
        add_export(kernels, export);
    }
}

static void read_kpi(struct kernels *kernels, const char *architecture)
{
    struct table table = open_table(kernels->texts[0]);
    char first[32], last[32];

    snprintf(first, sizeof first, "%s_first", architecture);
    snprintf(last, sizeof last, "%s_last", architecture);
    while (next_row(&table))
        if (strcmp(field(&table, first), "-") != 0)
            read_history(kernels, field(&table, "symbol"), (char *)field(&table, "component"),
                         (char *)field(&table, "component_history"),
                         release_number(field(&table, first)),
                         release_number(field(&table, last)));
}

static struct class *find_class(struct kernels *kernels, const char *name)
{
    for (size_t i = 0; i < kernels->class_count; i++)
        if (strcmp(kernels->classes[i].name, name) == 0)
            return &kernels->classes[i];
    return NULL;
}

static void read_classes(struct kernels *kernels)
{
    struct table table = open_table(kernels->texts[1]);

    while (next_row(&table) && kernels->class_count < CLASSES_MAX)
        kernels->classes[kernels->class_count++] = (struct class){
            .name = field(&table, "class"), .superclass = field(&table, "superclass"),
            .component = field(&table, "component"), .first = FOREVER,
        };
}

static void add_release(struct kernels *kernels, const char *text)
{
    size_t at = kernels->release_count;

    if (strcmp(text, "-") == 0)
        return;
    while (at > 0 && release_number(kernels->releases[at - 1]) >= release_number(text))
        at--;
    if (at < kernels->release_count &&
        release_number(kernels->releases[at]) == release_number(text))
        return;
    if (kernels->release_count == RELEASES_MAX)
        exit(1);
    memmove(&kernels->releases[at + 1], &kernels->releases[at],
            (kernels->release_count - at) * sizeof *kernels->releases);
    kernels->releases[at] = text;
    kernels->release_count++;
}

static bool is_family(const struct class *class)
{
    return strncmp(class->component, "com.apple.iokit.", 16) == 0;
}

static void read_rows(struct kernels *kernels)
{
    struct table table = open_table(kernels->texts[2]);
    struct class *class = NULL;

    while (next_row(&table)) {
        const char *slot = field(&table, "slot"), *until = field(&table, "until");
        const char *kind = field(&table, "kind");
        struct row row = {
            .class = field(&table, "class"), .symbol = field(&table, "symbol"),
            .slot = strcmp(slot, "-") ? atol(slot) : -1, .pure = strcmp(kind, "pure") == 0,
            .first = release_number(field(&table, "since")),
            .last = strcmp(until, "-") ? release_number(until) : FOREVER,
        };

        add_release(kernels, field(&table, "since"));
        add_release(kernels, until);
        if ((kernels->row_count & (kernels->row_count - 1)) == 0)
            kernels->rows = realloc(kernels->rows,
                                    (kernels->row_count * 2 + 1) * sizeof *kernels->rows);
        kernels->rows[kernels->row_count++] = row;
        if (!class || strcmp(class->name, row.class) != 0) {
            class = find_class(kernels, row.class);
            if (!class)
                exit(1);
            class->row_begin = kernels->row_count - 1;
        }
        class->row_end = kernels->row_count;
        class->first = row.first < class->first ? row.first : class->first;
        class->last = row.last > class->last ? row.last : class->last;
        if (is_family(class) && !row.pure && !strstr(kind, "inline"))
            add_export(kernels,
                       (struct export){row.symbol, class->component, row.first, row.last});
    }
}

/* What a family kext exports of a class beside its methods. */
static void add_class_symbols(struct kernels *kernels)
{
    static const char *const forms[] = {
        "__ZN%zu%s10gMetaClassE", "__ZN%zu%s10superClassE", "__ZN%zu%s9metaClassE",
        "__ZN%zu%sD2Ev", "__ZN%zu%sC2EPK11OSMetaClass", "__ZTV%zu%s", "__ZTVN%zu%s9MetaClassE",
    };
    enum { FORMS = sizeof forms / sizeof *forms, NAME_MAX_SIZE = 128 };
    char *name = kernels->made = calloc(kernels->class_count * FORMS, NAME_MAX_SIZE);

    for (size_t i = 0; i < kernels->class_count; i++) {
        const struct class *class = &kernels->classes[i];

        for (size_t form = 0; is_family(class) && form < FORMS; form++, name += NAME_MAX_SIZE) {
            snprintf(name, NAME_MAX_SIZE, forms[form], strlen(class->name), class->name);
            add_export(kernels,
                       (struct export){name, class->component, class->first, class->last});
        }
    }
}

static int compare_exports(const void *left, const void *right)
{
    return strcmp(((const struct export *)left)->symbol, ((const struct export *)right)->symbol);
}

struct kernels *kernels_read(const char *folder, const char *architecture)
{
    struct kernels *kernels = calloc(1, sizeof *kernels);
    char name[64];

    snprintf(name, sizeof name, "vtables-%s.tsv", architecture);
    kernels->texts[0] = read_text(folder, "kpi-symbols.tsv");
    kernels->texts[1] = read_text(folder, "classes.tsv");
    kernels->texts[2] = read_text(folder, name);
    read_kpi(kernels, architecture);
    read_classes(kernels);
    read_rows(kernels);
    add_class_symbols(kernels);
    /* The newest examined release, even if nothing changed in it. */
    add_release(kernels, strcmp(architecture, "x86_64") == 0 ? "15.6" : "10.7.5");
    qsort(kernels->exports, kernels->export_count, sizeof *kernels->exports, compare_exports);
    return kernels;
}

void kernels_free(struct kernels *kernels)
{
    for (int i = 0; i < 3; i++)
        free(kernels->texts[i]);
    free(kernels->made);
    free(kernels->exports);
    free(kernels->rows);
    free(kernels);
}

size_t kernels_release_count(const struct kernels *kernels)
{
    return kernels->release_count;
}

const char *kernels_release(const struct kernels *kernels, size_t index)
{
    return kernels->releases[index];
}

static bool is_linked(const struct kernels *kernels, const char *component)
{
    static const char *const prefixes[] = {"", "com.apple.kpi.", "com.apple."};
    char identifier[128];

    for (size_t i = 0; i < 3 * kernels->library_count; i++) {
        snprintf(identifier, sizeof identifier, "%s%s", prefixes[i % 3], component);
        if (strcmp(kernels->libraries[i / 3], identifier) == 0)
            return true;
    }
    return false;
}

static bool exports(void *context, const char *symbol)
{
    const struct kernels *kernels = context;
    struct export key = {.symbol = symbol};
    const struct export *found = bsearch(&key, kernels->exports, kernels->export_count, sizeof key,
                                         compare_exports);
    const struct export *end = kernels->exports + kernels->export_count;

    if (!found)
        return false;
    while (found > kernels->exports && strcmp(found[-1].symbol, symbol) == 0)
        found--;
    for (; found < end && strcmp(found->symbol, symbol) == 0; found++)
        if (found->first <= kernels->selected && kernels->selected <= found->last &&
            is_linked(kernels, found->component))
            return true;
    return false;
}

/* The superclass's table, then the rows of the class that hold in this release. */
static void build(struct kernels *kernels, struct class *class)
{
    struct class *superclass = find_class(kernels, class->superclass);

    if (class->built)
        return;
    class->built = true;
    class->slot_count = 0;
    if (superclass) {
        build(kernels, superclass);
        class->slot_count = superclass->slot_count;
        memcpy(class->slots, superclass->slots, sizeof class->slots);
    }
    for (size_t i = class->row_begin; i < class->row_end; i++) {
        const struct row *row = &kernels->rows[i];

        if (row->slot < 0 || row->slot >= KXLD_SLOTS_MAX || kernels->selected < row->first ||
            kernels->selected > row->last)
            continue;
        class->slots[row->slot] = row->pure ? "___cxa_pure_virtual" : row->symbol;
        if ((size_t)row->slot >= class->slot_count)
            class->slot_count = (size_t)row->slot + 1;
    }
}

static const char *slot(void *context, const char *name, size_t index)
{
    struct kernels *kernels = context;
    struct class *class = find_class(kernels, name);

    if (!class || kernels->selected < class->first || kernels->selected > class->last)
        return NULL;
    build(kernels, class);
    return index < class->slot_count ? class->slots[index] : NULL;
}

const struct kxld_kernel *kernels_select(struct kernels *kernels, size_t release,
                                         const char *const *libraries, size_t library_count)
{
    kernels->selected = release_number(kernels->releases[release]);
    kernels->libraries = libraries;
    kernels->library_count = library_count;
    for (size_t i = 0; i < kernels->class_count; i++)
        kernels->classes[i].built = false;
    kernels->kernel = (struct kxld_kernel){
        kernels, exports, slot, kernels->selected < release_number("10.6")};
    return &kernels->kernel;
}
