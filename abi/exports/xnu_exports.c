/* SPDX-License-Identifier: BSD-3-Clause */
/* Choosing a release: fills the vtables from the generated rows; looks symbols and classes up. */
#include "abi/exports/exports_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/exports/class_defaults.h"

#define NEWEST 999999u
#define METACLASS_ALLOC_SLOT 17
#define METACLASS_SLOTS 26
#define HEADER_WORDS 2

static uint32_t chosen_release;
static const struct xnu_symbol **by_address;

/* The newest release known to the tables that is not newer than the asked one: 1006 -> 100608. */
static uint32_t known_release(uint32_t release)
{
    size_t i = xnu_releases_length;

    if (release >= 2600 && release < 100000)
        release = NEWEST;
    else if (release >= 1100 && release < 100000)
        release = release / 100 * 10000 + 9999;
    else if (release < 1100)
        release = release * 100 + 99;
    while (i > 1 && xnu_releases[i - 1] > release)
        i--;
    return xnu_releases[i - 1];
}

static uint32_t version_value(const struct xnu_version *versions, uint32_t release)
{
    for (; versions->value != 0; versions++)
        if (release >= versions->first && release <= versions->last)
            return versions->value;
    return 0;
}

static void fill_slots(struct xnu_class *class, const struct xnu_class_data *data, uint32_t release)
{
    uintptr_t *slots = class->table + HEADER_WORDS;
    size_t i;

    if (class->superclass >= 0) {
        const struct xnu_class *super = &xnu_classes[class->superclass];

        memcpy(slots, super->table + HEADER_WORDS, super->slots * sizeof *slots);
    }
    for (i = 0; i < data->slot_count; i++) {
        const struct xnu_slot *row = &data->slots[i];

        if (release >= row->first && release <= row->last)
            slots[row->slot] = (uintptr_t)row->function;
    }
    slots[class->slots] = 0;
}

static const struct xnu_class *class_named(const char *name)
{
    size_t i;

    for (i = 0; i < xnu_classes_length; i++)
        if (strcmp(xnu_classes[i].name, name) == 0)
            return &xnu_classes[i];
    return NULL;
}

static const void *symbol_address(const char *prefix, const char *class, const char *suffix)
{
    char name[160];
    size_t low = 0, high = xnu_symbols_length;

    snprintf(name, sizeof name, "%s%zu%s%s", prefix, strlen(class), class, suffix);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(xnu_symbols[middle].name, name);

        if (order == 0)
            return xnu_symbols[middle].address;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* A metaclass's table is OSMetaClass's with its own destructors and alloc. */
static void fill_metaclass_table(const struct xnu_class *class)
{
    uintptr_t *slots;

    if (class->metaclass_table == NULL)
        return;
    slots = class->metaclass_table + HEADER_WORDS;
    memcpy(slots, class_named("OSMetaClass")->table + HEADER_WORDS,
           METACLASS_SLOTS * sizeof *slots);
    slots[0] = (uintptr_t)symbol_address("__ZN", class->name, "9MetaClassD1Ev");
    slots[1] = (uintptr_t)symbol_address("__ZN", class->name, "9MetaClassD0Ev");
    slots[METACLASS_ALLOC_SLOT] = (uintptr_t)symbol_address("__ZNK", class->name,
                                                            "9MetaClass5allocEv");
    slots[METACLASS_SLOTS] = 0;
}

static int compare_address(const void *a, const void *b)
{
    const struct xnu_symbol *const *left = a, *const *right = b;
    uintptr_t x = (uintptr_t)(*left)->address, y = (uintptr_t)(*right)->address;

    if (x != y)
        return x < y ? -1 : 1;
    return *left < *right ? -1 : *left > *right;
}

static void sort_by_address(void)
{
    size_t i;

    if (by_address != NULL)
        return;
    by_address = malloc(xnu_symbols_length * sizeof *by_address);
    if (by_address == NULL)
        abort();
    for (i = 0; i < xnu_symbols_length; i++)
        by_address[i] = &xnu_symbols[i];
    qsort(by_address, xnu_symbols_length, sizeof *by_address, compare_address);
}

void xnu_tables_fill(uint32_t release)
{
    size_t i;

    chosen_release = known_release(release);
    for (i = 0; i < xnu_classes_length; i++) {
        struct xnu_class *class = &xnu_classes[i];

        class->slots = version_value(xnu_class_data[i].slot_numbers, chosen_release);
        class->size = version_value(xnu_class_data[i].sizes, chosen_release);
        if (class->slots != 0)
            fill_slots(class, &xnu_class_data[i], chosen_release);
    }
    for (i = 0; i < xnu_classes_length; i++)
        if (xnu_classes[i].slots != 0)
            fill_metaclass_table(&xnu_classes[i]);
    sort_by_address();
}

void xnu_metaclasses_construct(void)
{
    size_t i;

    for (i = 0; i < xnu_classes_length; i++) {
        const struct xnu_class *class = &xnu_classes[i];
        const struct xnu_class *super = class->superclass < 0 ? NULL
                                                              : &xnu_classes[class->superclass];

        if (class->slots == 0 || class->metaclass == NULL)
            continue;
        OSMetaClass_construct(class->metaclass, class->name, super ? super->metaclass : NULL,
                              class->size);
        *(uintptr_t **)class->metaclass = HEADER_WORDS + (class->metaclass_table != NULL
                                                              ? class->metaclass_table
                                                              : class->table);
    }
}

size_t xnu_class_count(void)
{
    return xnu_classes_length;
}

const struct xnu_class *xnu_class_at(size_t index)
{
    return &xnu_classes[index];
}

const struct xnu_class *xnu_class_find(const char *name)
{
    const struct xnu_class *class = class_named(name);

    return class != NULL && class->slots != 0 ? class : NULL;
}

static int is_exported(const struct xnu_symbol *symbol)
{
    return symbol->component != NULL && chosen_release >= symbol->first &&
           chosen_release <= symbol->last;
}

const struct xnu_symbol *xnu_symbol_find(const char *name)
{
    size_t low = 0, high = xnu_symbols_length;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (strcmp(xnu_symbols[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == xnu_symbols_length || strcmp(xnu_symbols[low].name, name) != 0)
        return NULL;
    return is_exported(&xnu_symbols[low]) ? &xnu_symbols[low] : xnu_symbol_next(&xnu_symbols[low]);
}

const struct xnu_symbol *xnu_symbol_next(const struct xnu_symbol *symbol)
{
    const struct xnu_symbol *end = xnu_symbols + xnu_symbols_length;
    const char *name = symbol->name;

    for (symbol++; symbol < end && strcmp(symbol->name, name) == 0; symbol++)
        if (is_exported(symbol))
            return symbol;
    return NULL;
}

const struct xnu_symbol *xnu_symbol_at(const void *address)
{
    size_t low = 0, high = xnu_symbols_length;

    if (by_address == NULL || address == NULL)
        return NULL;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if ((uintptr_t)by_address[middle]->address < (uintptr_t)address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < xnu_symbols_length && by_address[low]->address == address ? by_address[low] : NULL;
}

size_t xnu_symbol_count(void)
{
    return xnu_symbols_length;
}

const struct xnu_symbol *xnu_symbol_get(size_t index)
{
    return &xnu_symbols[index];
}
