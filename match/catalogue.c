/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/catalogue.h"

#include <stdlib.h>
#include <string.h>

struct bucket {
    char *provider_class;
    struct catalogue_entry *entries; /* names and publishers are owned here */
    size_t count;
    size_t capacity;
    struct bucket *next; /* in the same slot of the hash table */
};

enum { SLOTS = 256 };

struct catalogue {
    struct bucket *slots[SLOTS];
    size_t count;
    size_t order; /* of the next addition */
    uint64_t generation;
};

static unsigned slot_of(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash % SLOTS;
}

static struct bucket *find_bucket(const struct catalogue *catalogue, const char *provider_class)
{
    struct bucket *bucket = catalogue->slots[slot_of(provider_class)];

    while (bucket != NULL && strcmp(bucket->provider_class, provider_class) != 0)
        bucket = bucket->next;
    return bucket;
}

static struct bucket *get_bucket(struct catalogue *catalogue, const char *provider_class)
{
    struct bucket *bucket = find_bucket(catalogue, provider_class);
    unsigned slot = slot_of(provider_class);

    if (bucket != NULL)
        return bucket;
    bucket = calloc(1, sizeof *bucket);
    if (bucket == NULL)
        return NULL;
    bucket->provider_class = strdup(provider_class);
    if (bucket->provider_class == NULL) {
        free(bucket);
        return NULL;
    }
    bucket->next = catalogue->slots[slot];
    catalogue->slots[slot] = bucket;
    return bucket;
}

static void clear_entry(struct catalogue_entry *entry)
{
    plist_release(entry->personality);
    free((char *)entry->name);
    free((char *)entry->publisher);
}

struct catalogue *catalogue_create(void)
{
    return calloc(1, sizeof(struct catalogue));
}

void catalogue_destroy(struct catalogue *catalogue)
{
    unsigned slot;
    size_t index;

    if (catalogue == NULL)
        return;
    for (slot = 0; slot < SLOTS; slot++)
        while (catalogue->slots[slot] != NULL) {
            struct bucket *bucket = catalogue->slots[slot];

            catalogue->slots[slot] = bucket->next;
            for (index = 0; index < bucket->count; index++)
                clear_entry(&bucket->entries[index]);
            free(bucket->entries);
            free(bucket->provider_class);
            free(bucket);
        }
    free(catalogue);
}

static bool make_room(struct bucket *bucket)
{
    size_t capacity = bucket->capacity == 0 ? 4 : bucket->capacity * 2;
    struct catalogue_entry *entries;

    if (bucket->count < bucket->capacity)
        return true;
    entries = realloc(bucket->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    bucket->entries = entries;
    bucket->capacity = capacity;
    return true;
}

static bool is_known(const struct bucket *bucket, const struct plist *personality)
{
    size_t index;

    for (index = 0; index < bucket->count; index++)
        if (plist_equal(bucket->entries[index].personality, personality))
            return true;
    return false;
}

enum catalogue_added catalogue_add(struct catalogue *catalogue, struct plist *personality, const char *name,
                                   const char *publisher, void *owner)
{
    const char *provider_class = plist_string(plist_get(personality, "IOProviderClass"));
    struct catalogue_entry entry = { .owner = owner, .score = match_probe_score(personality) };
    struct bucket *bucket;

    if (provider_class == NULL)
        return CATALOGUE_NO_PROVIDER_CLASS;
    bucket = get_bucket(catalogue, provider_class);
    if (bucket == NULL)
        return CATALOGUE_NO_MEMORY;
    if (is_known(bucket, personality))
        return CATALOGUE_KNOWN;
    entry.personality = plist_retain(personality);
    entry.name = strdup(name == NULL ? "" : name);
    entry.publisher = strdup(publisher == NULL ? "" : publisher);
    entry.order = catalogue->order;
    if (entry.name == NULL || entry.publisher == NULL || !make_room(bucket)) {
        clear_entry(&entry);
        return CATALOGUE_NO_MEMORY;
    }
    bucket->entries[bucket->count++] = entry;
    catalogue->order++;
    catalogue->count++;
    catalogue->generation++;
    return CATALOGUE_ADDED;
}

static bool belongs_to(const struct catalogue_entry *entry, const char *identifier)
{
    const char *bundle = plist_string(plist_get(entry->personality, "CFBundleIdentifier"));

    return strcmp(entry->publisher, identifier) == 0 || (bundle != NULL && strcmp(bundle, identifier) == 0);
}

size_t catalogue_remove_bundle(struct catalogue *catalogue, const char *identifier)
{
    size_t before = catalogue->count;
    unsigned slot;
    struct bucket *bucket;

    for (slot = 0; slot < SLOTS; slot++)
        for (bucket = catalogue->slots[slot]; bucket != NULL; bucket = bucket->next) {
            size_t kept = 0;
            size_t index;

            for (index = 0; index < bucket->count; index++)
                if (belongs_to(&bucket->entries[index], identifier))
                    clear_entry(&bucket->entries[index]);
                else
                    bucket->entries[kept++] = bucket->entries[index];
            catalogue->count -= bucket->count - kept;
            bucket->count = kept;
        }
    if (catalogue->count != before)
        catalogue->generation++;
    return before - catalogue->count;
}

size_t catalogue_count(const struct catalogue *catalogue)
{
    return catalogue->count;
}

uint64_t catalogue_generation(const struct catalogue *catalogue)
{
    return catalogue->generation;
}

struct candidate {
    const struct catalogue_entry *entry;
    size_t depth; /* 0 for the most derived class; all 0 before 10.9 */
};

/* Best first. Scores compare by wrapping subtraction, as OSOrderedSet's order function does. */
static int compare_candidates(const void *left_pointer, const void *right_pointer)
{
    const struct candidate *left = left_pointer;
    const struct candidate *right = right_pointer;
    int32_t difference = (int32_t)((uint32_t)right->entry->score - (uint32_t)left->entry->score);

    if (difference != 0)
        return difference < 0 ? -1 : 1;
    if (left->depth != right->depth)
        return left->depth < right->depth ? -1 : 1;
    return left->entry->order < right->entry->order ? -1 : left->entry->order > right->entry->order;
}

static size_t collect(const struct catalogue *catalogue, const char *const *classes, size_t count,
                      unsigned release, struct candidate *candidates)
{
    bool by_depth = release == 0 || release >= 1009;
    size_t found = 0;
    size_t depth;
    size_t index;

    for (depth = 0; depth < count; depth++) {
        const struct bucket *bucket = find_bucket(catalogue, classes[depth]);

        for (index = 0; bucket != NULL && index < bucket->count; index++)
            candidates[found++] = (struct candidate){ &bucket->entries[index], by_depth ? depth : 0 };
    }
    return found;
}

bool catalogue_find(const struct catalogue *catalogue, const char *const *classes, size_t count,
                    unsigned release, bool (*visit)(void *context, const struct catalogue_entry *entry),
                    void *context)
{
    struct candidate *candidates = malloc((catalogue->count + 1) * sizeof *candidates);
    size_t found;
    size_t index;

    if (candidates == NULL)
        return false;
    found = collect(catalogue, classes, count, release, candidates);
    qsort(candidates, found, sizeof *candidates, compare_candidates);
    for (index = 0; index < found; index++)
        if (!visit(context, candidates[index].entry))
            break;
    free(candidates);
    return true;
}
