/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/catalogue_index.h"

#include "match/pci_registers.h"
#include "match/plist_private.h"

#include <stdlib.h>
#include <string.h>

struct filed {
    uint64_t hash;
    uint32_t entry;
    uint32_t next; /* position + 1 in `filed` of the next in the same slot */
};

struct catalogue_index {
    const struct catalogue_entry *entries;
    struct filed *filed;
    size_t filed_count;
    uint32_t *slots; /* position + 1 in `filed` */
    size_t slot_count;
    uint32_t *others; /* entries that no key can rule out */
    size_t other_count;
    uint32_t *visited; /* the search in which an entry was found last */
    uint32_t search;
    bool failed;
};

typedef void key_function(struct catalogue_index *index, uint32_t entry, uint64_t hash);

static uint64_t hash_register(uint32_t value)
{
    return plist_hash_number(value);
}

static uint64_t hash_name(const char *name)
{
    return plist_hash_bytes(name, strlen(name)) ^ 1;
}

static void file_key(struct catalogue_index *index, uint32_t entry, uint64_t hash)
{
    struct filed *grown;

    if (index->filed_count > 0 && index->filed[index->filed_count - 1].entry == entry &&
        index->filed[index->filed_count - 1].hash == hash)
        return;
    if ((index->filed_count & (index->filed_count - 1)) == 0) {
        grown = realloc(index->filed,
                        (index->filed_count == 0 ? 1 : index->filed_count * 2) * sizeof *grown);
        if (grown == NULL) {
            index->failed = true;
            return;
        }
        index->filed = grown;
    }
    index->filed[index->filed_count++] = (struct filed){ hash, entry, 0 };
}

/* Does every value of the list demand all 32 bits of a register? Files them if `file` is set. */
static bool each_register(struct catalogue_index *index, uint32_t entry, const struct plist *list,
                          bool file)
{
    const char *text = plist_string(list);
    struct pci_value value;
    size_t position = 0;

    if (text == NULL)
        return false;
    while (pci_next_value(text, &position, UINT32_MAX, 1004, &value)) {
        if (value.mask != UINT32_MAX)
            return false;
        if (file)
            file_key(index, entry, hash_register((uint32_t)value.value));
    }
    return true;
}

static bool each_name(struct catalogue_index *index, uint32_t entry, const struct plist *names,
                      bool file)
{
    const struct plist *one = plist_is(names, PLIST_STRING) ? names : NULL;
    size_t count = one != NULL ? 1 : plist_count(names);
    size_t at;

    if (one == NULL && !plist_is(names, PLIST_ARRAY) && !plist_is(names, PLIST_SET))
        return false;
    for (at = 0; at < count; at++) {
        const char *name = plist_string(one != NULL ? one : plist_value_at(names, at));

        if (name == NULL || strchr(name, '*') != NULL)
            return false;
        if (file)
            file_key(index, entry, hash_name(name));
    }
    return true;
}

/* The first key whose values are all exact decides where an entry is filed: all keys must hold
 * anyway. */
static bool file_entry(struct catalogue_index *index, uint32_t entry)
{
    static const char *const register_keys[] = { "IOPCIPrimaryMatch", "IOPCIMatch",
                                                 "IOPCISecondaryMatch" };
    const struct plist *personality = index->entries[entry].personality;
    const struct plist *value;
    size_t at;

    for (at = 0; at < sizeof register_keys / sizeof *register_keys; at++) {
        value = plist_get(personality, register_keys[at]);
        if (each_register(index, entry, value, false))
            return each_register(index, entry, value, true);
    }
    value = plist_get(personality, "IONameMatch");
    return each_name(index, entry, value, false) && each_name(index, entry, value, true);
}

static bool make_slots(struct catalogue_index *index)
{
    size_t count = 16;
    size_t at;

    while (count < index->filed_count)
        count *= 2;
    index->slots = calloc(count, sizeof *index->slots);
    if (index->slots == NULL)
        return false;
    index->slot_count = count;
    for (at = 0; at < index->filed_count; at++) {
        uint32_t *slot = &index->slots[index->filed[at].hash & (count - 1)];

        index->filed[at].next = *slot;
        *slot = (uint32_t)at + 1;
    }
    return true;
}

struct catalogue_index *catalogue_index_create(const struct catalogue_entry *entries, size_t count)
{
    struct catalogue_index *index = calloc(1, sizeof *index);
    uint32_t at;

    if (index == NULL)
        return NULL;
    index->entries = entries;
    index->others = malloc((count + 1) * sizeof *index->others);
    index->visited = calloc(count + 1, sizeof *index->visited);
    index->failed = index->others == NULL || index->visited == NULL;
    for (at = 0; at < count && !index->failed; at++)
        if (!file_entry(index, at))
            index->others[index->other_count++] = at;
    if (!index->failed && make_slots(index))
        return index;
    catalogue_index_destroy(index);
    return NULL;
}

void catalogue_index_destroy(struct catalogue_index *index)
{
    if (index == NULL)
        return;
    free(index->filed);
    free(index->slots);
    free(index->others);
    free(index->visited);
    free(index);
}

struct search {
    struct catalogue_index *index;
    void (*found)(void *context, const struct catalogue_entry *entry);
    void *context;
};

static void find_hash(const struct search *search, uint64_t hash)
{
    struct catalogue_index *index = search->index;
    uint32_t at = index->slots[hash & (index->slot_count - 1)];

    for (; at != 0; at = index->filed[at - 1].next) {
        uint32_t entry = index->filed[at - 1].entry;

        if (index->filed[at - 1].hash != hash || index->visited[entry] == index->search)
            continue;
        index->visited[entry] = index->search;
        search->found(search->context, &index->entries[entry]);
    }
}

void catalogue_index_find(struct catalogue_index *index, const struct catalogue_keys *keys,
                          void (*found)(void *context, const struct catalogue_entry *entry),
                          void *context)
{
    struct search search = { index, found, context };
    size_t at;

    index->search++;
    for (at = 0; at < keys->register_count; at++)
        find_hash(&search, hash_register(keys->registers[at]));
    for (at = 0; at < keys->name_count; at++)
        find_hash(&search, hash_name(keys->names[at]));
    for (at = 0; at < index->other_count; at++)
        found(context, &index->entries[index->others[at]]);
}
