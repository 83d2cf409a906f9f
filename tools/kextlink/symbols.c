/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * symbols.c: the symbols of all objects by name, and the order of the output's symbol table.
 *
 * Order (kld of 10.4/10.5 searches the defined externals by bisection and takes external number 0
 * for "none"; OpenCore strips the undefined ones by range): locals, at least one; defined externals
 * by strcmp; imports by strcmp. Of imports only those that a relocation names are kept.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/kextlink/link.h"

enum { BUCKET_COUNT = 4096 };

static size_t bucket_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

    while (*name)
        hash = (hash ^ (uint8_t)*name++) * 0x100000001b3u;
    return (hash ^ hash >> 32) % BUCKET_COUNT;
}

struct symbol *symbol_find(const struct link *link, const char *name)
{
    struct symbol *symbol;

    if (!link->symbol_buckets)
        return NULL;
    for (symbol = link->symbol_buckets[bucket_of(name)]; symbol; symbol = symbol->next_in_bucket)
        if (strcmp(symbol->name, name) == 0)
            return symbol;
    return NULL;
}

struct symbol *symbol_enter(struct link *link, const char *name)
{
    struct symbol *symbol = symbol_find(link, name);
    struct symbol **bucket;

    if (symbol)
        return symbol;
    if (!link->symbol_buckets)
        link->symbol_buckets =
            arena_allocate(&link->arena, BUCKET_COUNT * sizeof *link->symbol_buckets);
    symbol = arena_allocate(&link->arena, sizeof *symbol);
    symbol->name = name;
    symbol->external = true;
    bucket = &link->symbol_buckets[bucket_of(name)];
    symbol->next_in_bucket = *bucket;
    *bucket = symbol;
    ARENA_APPEND(&link->arena, link->symbols, link->symbol_count, symbol);
    return symbol;
}

uint64_t symbol_address(const struct symbol *symbol)
{
    return symbol->section->output_address + symbol->offset;
}

bool symbol_is_exported(const struct symbol *symbol)
{
    return symbol->external && !symbol->private_external &&
           (strncmp(symbol->name, "__Z", 3) == 0 || strcmp(symbol->name, "_kmod_info") == 0);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp((*(struct symbol *const *)left)->name, (*(struct symbol *const *)right)->name);
}

static int compare_addresses(const void *left, const void *right)
{
    const struct symbol *a = *(struct symbol *const *)left, *b = *(struct symbol *const *)right;

    if (symbol_address(a) != symbol_address(b))
        return symbol_address(a) < symbol_address(b) ? -1 : 1;
    if (a->external != b->external)
        return a->external ? -1 : 1;
    return strcmp(a->name, b->name);
}

static bool is_in_output(const struct symbol *symbol)
{
    return symbol->section && symbol->section->output;
}

/* Assembler and linker temporaries ("L" and "l" names) mean nothing once linked. */
static bool is_kept_local(const struct symbol *symbol)
{
    return is_in_output(symbol) && !symbol_is_exported(symbol) &&
           symbol->name[0] != 'L' && symbol->name[0] != 'l' && symbol->name[0] != '\0';
}

static void append_output(struct link *link, size_t *count, struct symbol *symbol)
{
    size_t total = link->local_count + link->defined_count + link->import_count;

    if (symbol->in_output)
        return;
    symbol->in_output = true;
    symbol->output_index = (uint32_t)total;
    ARENA_APPEND(&link->arena, link->output_symbols, total, symbol);
    ++*count;
}

static void append_locals(struct link *link)
{
    for (size_t i = 0; i < link->object_count; i++) {
        const struct object *object = link->objects[i];

        for (uint32_t j = 0; j < object->symbol_count; j++) {
            struct symbol *symbol = object->symbols[j];

            /* A symbol that was external is in the list of each object that names it. */
            if (symbol && is_kept_local(symbol) && symbol->object == object)
                append_output(link, &link->local_count, symbol);
        }
    }
    if (link->local_count == 0 && link->section_count > 0) {
        struct symbol *first = arena_allocate(&link->arena, sizeof *first);

        first->name = "kext_start_of_image";
        first->section = link->sections[0].pieces ? link->sections[0].pieces[0] : NULL;
        if (first->section)
            append_output(link, &link->local_count, first);
    }
}

static bool is_used_import(const struct symbol *symbol)
{
    return !symbol->section && !symbol->absolute && symbol->used;
}

void symbols_order(struct link *link)
{
    struct symbol **sorted = arena_allocate(&link->arena, link->symbol_count * sizeof *sorted);
    size_t defined;

    if (link->symbol_count)
        memcpy(sorted, link->symbols, link->symbol_count * sizeof *sorted);
    qsort(sorted, link->symbol_count, sizeof *sorted, compare_names);
    append_locals(link);
    for (size_t i = 0; i < link->symbol_count; i++)
        if (is_in_output(sorted[i]) && symbol_is_exported(sorted[i]))
            append_output(link, &link->defined_count, sorted[i]);
    for (size_t i = 0; i < link->symbol_count; i++)
        if (is_used_import(sorted[i]))
            append_output(link, &link->import_count, sorted[i]);

    defined = link->local_count + link->defined_count;
    link->by_address = arena_allocate(&link->arena, defined * sizeof *link->by_address);
    if (defined)
        memcpy(link->by_address, link->output_symbols, defined * sizeof *link->by_address);
    qsort(link->by_address, defined, sizeof *link->by_address, compare_addresses);
}

const struct symbol *symbol_at(const struct link *link, uint64_t address)
{
    size_t low = 0, high = link->local_count + link->defined_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (symbol_address(link->by_address[middle]) < address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == link->local_count + link->defined_count ||
        symbol_address(link->by_address[low]) != address)
        return NULL;
    return link->by_address[low];
}
