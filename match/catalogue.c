/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/catalogue.h"

#include "match/catalogue_index.h"

#include <stdlib.h>
#include <string.h>

struct bucket {
    char *provider_class;
    struct catalogue_entry *entries; /* names and publishers are owned here */
    uint64_t *hashes;                /* of the personalities' content, as many as entries */
    size_t count;
    size_t capacity;
    uint32_t *known; /* hash table of positions + 1 in `entries`, by content */
    size_t known_size;
    struct catalogue_index *index; /* made when first asked for, dropped with every change */
    struct bucket *next;           /* in the same slot of the hash table */
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

static void changed(struct bucket *bucket)
{
    catalogue_index_destroy(bucket->index);
    bucket->index = NULL;
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
            changed(bucket);
            free(bucket->entries);
            free(bucket->hashes);
            free(bucket->known);
            free(bucket->provider_class);
            free(bucket);
        }
    free(catalogue);
}

static bool make_room(struct bucket *bucket)
{
    size_t capacity = bucket->capacity == 0 ? 4 : bucket->capacity * 2;
    struct catalogue_entry *entries;
    uint64_t *hashes;

    if (bucket->count < bucket->capacity)
        return true;
    entries = realloc(bucket->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    bucket->entries = entries;
    hashes = realloc(bucket->hashes, capacity * sizeof *hashes);
    if (hashes == NULL)
        return false;
    bucket->hashes = hashes;
    bucket->capacity = capacity;
    return true;
}

static void file_known(struct bucket *bucket, size_t position)
{
    size_t mask = bucket->known_size - 1;
    size_t at = (size_t)bucket->hashes[position] & mask;

    while (bucket->known[at] != 0)
        at = (at + 1) & mask;
    bucket->known[at] = (uint32_t)position + 1;
}

/* Makes the table of known contents anew with room for one entry more, at most half full. */
static bool rebuild_known(struct bucket *bucket)
{
    size_t size = 16;
    size_t position;
    uint32_t *table;

    while (size < (bucket->count + 1) * 4)
        size *= 2;
    table = calloc(size, sizeof *table);
    if (table == NULL)
        return false;
    free(bucket->known);
    bucket->known = table;
    bucket->known_size = size;
    for (position = 0; position < bucket->count; position++)
        file_known(bucket, position);
    return true;
}

/* After a removal the table still fits: positions are filed anew in it. */
static void forget_known(struct bucket *bucket)
{
    size_t position;

    memset(bucket->known, 0, bucket->known_size * sizeof *bucket->known);
    for (position = 0; position < bucket->count; position++)
        file_known(bucket, position);
}

static bool is_known(const struct bucket *bucket, const struct plist *personality, uint64_t hash)
{
    size_t mask = bucket->known_size - 1;
    size_t at = (size_t)hash & mask;

    for (; bucket->known[at] != 0; at = (at + 1) & mask) {
        size_t position = bucket->known[at] - 1;

        if (bucket->hashes[position] == hash &&
            plist_equal(bucket->entries[position].personality, personality))
            return true;
    }
    return false;
}

enum catalogue_added catalogue_add(struct catalogue *catalogue, struct plist *personality,
                                   const char *name, const char *publisher, void *owner)
{
    const char *provider_class = plist_string(plist_get(personality, "IOProviderClass"));
    struct catalogue_entry entry = { .owner = owner, .score = match_probe_score(personality) };
    uint64_t hash = plist_hash(personality);
    struct bucket *bucket;

    if (provider_class == NULL)
        return CATALOGUE_NO_PROVIDER_CLASS;
    bucket = get_bucket(catalogue, provider_class);
    if (bucket == NULL || (bucket->count * 2 >= bucket->known_size && !rebuild_known(bucket)))
        return CATALOGUE_NO_MEMORY;
    if (is_known(bucket, personality, hash))
        return CATALOGUE_KNOWN;
    entry.personality = plist_retain(personality);
    entry.name = strdup(name == NULL ? "" : name);
    entry.publisher = strdup(publisher == NULL ? "" : publisher);
    entry.order = catalogue->order;
    if (entry.name == NULL || entry.publisher == NULL || !make_room(bucket)) {
        clear_entry(&entry);
        return CATALOGUE_NO_MEMORY;
    }
    bucket->hashes[bucket->count] = hash;
    bucket->entries[bucket->count++] = entry;
    file_known(bucket, bucket->count - 1);
    changed(bucket);
    catalogue->order++;
    catalogue->count++;
    catalogue->generation++;
    return CATALOGUE_ADDED;
}

static bool belongs_to(const struct catalogue_entry *entry, const char *identifier)
{
    const char *bundle = plist_string(plist_get(entry->personality, "CFBundleIdentifier"));

    return strcmp(entry->publisher, identifier) == 0 ||
           (bundle != NULL && strcmp(bundle, identifier) == 0);
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

            for (index = 0; index < bucket->count; index++) {
                if (belongs_to(&bucket->entries[index], identifier)) {
                    clear_entry(&bucket->entries[index]);
                    continue;
                }
                bucket->hashes[kept] = bucket->hashes[index];
                bucket->entries[kept++] = bucket->entries[index];
            }
            if (kept == bucket->count)
                continue;
            catalogue->count -= bucket->count - kept;
            bucket->count = kept;
            forget_known(bucket);
            changed(bucket);
        }
    if (catalogue->count != before)
        catalogue->generation++;
    return before - catalogue->count;
}

size_t catalogue_count(const struct catalogue *catalogue)
{
    return catalogue->count;
}

const struct catalogue_entry *catalogue_next(const struct catalogue *catalogue, size_t *position)
{
    size_t skip = *position;
    unsigned slot;
    const struct bucket *bucket;

    for (slot = 0; slot < SLOTS; slot++)
        for (bucket = catalogue->slots[slot]; bucket != NULL; bucket = bucket->next) {
            if (skip < bucket->count) {
                (*position)++;
                return &bucket->entries[skip];
            }
            skip -= bucket->count;
        }
    return NULL;
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

enum { CANDIDATES_AT_HAND = 48 };

struct collection {
    struct candidate at_hand[CANDIDATES_AT_HAND]; /* enough for most devices: no heap */
    struct candidate *candidates;
    size_t count;
    size_t capacity;
    size_t depth;
    bool failed;
};

static void collect(void *context, const struct catalogue_entry *entry)
{
    struct collection *collection = context;

    if (collection->count == collection->capacity) {
        bool first = collection->candidates == collection->at_hand;
        size_t capacity = collection->capacity * 2;
        struct candidate *grown =
            realloc(first ? NULL : collection->candidates, capacity * sizeof *grown);

        if (grown == NULL) {
            collection->failed = true;
            return;
        }
        if (first)
            memcpy(grown, collection->at_hand, sizeof collection->at_hand);
        collection->candidates = grown;
        collection->capacity = capacity;
    }
    collection->candidates[collection->count++] = (struct candidate){ entry, collection->depth };
}

/* Hands the entries of a bucket that a device with these keys may match to collect(). */
static void collect_bucket(struct bucket *bucket, const struct catalogue_keys *keys,
                           struct collection *collection)
{
    size_t index;

    if (keys != NULL && bucket->index == NULL)
        bucket->index = catalogue_index_create(bucket->entries, bucket->count);
    if (keys != NULL && bucket->index != NULL) {
        catalogue_index_find(bucket->index, keys, collect, collection);
        return;
    }
    for (index = 0; index < bucket->count; index++)
        collect(collection, &bucket->entries[index]);
}

bool catalogue_find(const struct catalogue *catalogue, const char *const *classes, size_t count,
                    unsigned release,
                    bool (*visit)(void *context, const struct catalogue_entry *entry),
                    void *context)
{
    return catalogue_find_keyed(catalogue, classes, count, NULL, release, visit, context);
}

bool catalogue_find_keyed(const struct catalogue *catalogue, const char *const *classes,
                          size_t count, const struct catalogue_keys *keys, unsigned release,
                          bool (*visit)(void *context, const struct catalogue_entry *entry),
                          void *context)
{
    struct collection collection;
    bool by_depth = release == 0 || release >= 1009;
    size_t depth;
    size_t index;

    collection.candidates = collection.at_hand;
    collection.count = 0;
    collection.capacity = CANDIDATES_AT_HAND;
    collection.failed = false;
    for (depth = 0; depth < count; depth++) {
        struct bucket *bucket = find_bucket(catalogue, classes[depth]);

        collection.depth = by_depth ? depth : 0;
        if (bucket != NULL)
            collect_bucket(bucket, keys, &collection);
    }
    if (collection.count > 1)
        qsort(collection.candidates, collection.count, sizeof *collection.candidates,
              compare_candidates);
    for (index = 0; index < collection.count && !collection.failed; index++)
        if (!visit(context, collection.candidates[index].entry))
            break;
    if (collection.candidates != collection.at_hand)
        free(collection.candidates);
    return !collection.failed;
}
