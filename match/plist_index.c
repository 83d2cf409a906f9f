/* SPDX-License-Identifier: BSD-3-Clause */
/* Look-up by content in property list containers, and content hashes. Small containers are
 * searched; larger ones carry a hash table, so that a document of many keys is read in linear time.
 */
#include "match/plist_private.h"

#include <stdlib.h>
#include <string.h>

enum { INDEX_FROM = 16 }; /* elements */

static uint64_t mix(uint64_t number)
{
    number = (number ^ number >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return (number ^ number >> 29) * UINT64_C(0x9E3779B97F4A7C15) ^ number >> 32;
}

/* Where the program was loaded is chosen anew for each process. */
static uint64_t process_key(void)
{
    static const char somewhere;

    return mix((uint64_t)(uintptr_t)&somewhere ^ (uint64_t)(uintptr_t)&malloc << 17);
}

uint64_t plist_hash_number(uint64_t number)
{
    return mix(number + process_key());
}

uint64_t plist_hash_bytes(const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    uint64_t hash = process_key() ^ length;
    uint64_t word;

    for (; length >= sizeof word; at += sizeof word, length -= sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = mix(hash ^ word);
    }
    word = 0;
    if (length > 0)
        memcpy(&word, at, length);
    return mix(hash ^ word);
}

/* A string equals data with the same bytes and a NUL more: trailing NULs do not count. */
static uint64_t hash_leaf_bytes(const struct plist *value)
{
    size_t length = value->length;

    while (length > 0 && value->bytes[length - 1] == '\0')
        length--;
    return plist_hash_bytes(value->bytes, length);
}

static uint64_t hash_container(const struct plist *value)
{
    uint64_t hash = plist_hash_number((uint64_t)value->type << 32 | value->count);
    size_t index;

    for (index = 0; index < value->count; index++) {
        const struct plist_element *element = &value->elements[index];
        uint64_t below = plist_hash(element->value);

        if (value->type == PLIST_ARRAY)
            hash = mix(hash + below);
        else if (value->type == PLIST_SET)
            hash += below;
        else
            hash += mix(plist_hash_bytes(element->key, strlen(element->key)) * 3 + below);
    }
    return hash;
}

uint64_t plist_hash(const struct plist *value)
{
    if (value == NULL)
        return 0;
    if (value->type <= PLIST_SET)
        return hash_container(value);
    if (value->type == PLIST_INTEGER || value->type == PLIST_BOOLEAN)
        return plist_hash_number(value->number * 2 + (value->type == PLIST_BOOLEAN));
    return hash_leaf_bytes(value);
}

static uint64_t hash_element(const struct plist *container, size_t position)
{
    const struct plist_element *element = &container->elements[position];

    return container->type == PLIST_SET ? plist_hash(element->value)
                                        : plist_hash_bytes(element->key, strlen(element->key));
}

static void file_position(struct plist *container, size_t position)
{
    size_t mask = container->index_size - 1;
    size_t at = (size_t)hash_element(container, position) & mask;

    while (container->index[at] != 0)
        at = (at + 1) & mask;
    container->index[at] = (uint32_t)position + 1;
}

static bool rebuild(struct plist *container, size_t size)
{
    uint32_t *table = calloc(size, sizeof *table);
    size_t position;

    if (table == NULL)
        return false;
    free(container->index);
    container->index = table;
    container->index_size = size;
    for (position = 0; position < container->count; position++)
        file_position(container, position);
    return true;
}

bool plist_index_last(struct plist *container)
{
    if (container->count <= INDEX_FROM)
        return true;
    if (container->count * 2 > container->index_size)
        return rebuild(container,
                       container->index_size == 0 ? INDEX_FROM * 4 : container->index_size * 2);
    file_position(container, container->count - 1);
    return true;
}

size_t plist_find_key(const struct plist *dictionary, const char *key)
{
    size_t mask = dictionary->index_size - 1;
    size_t at;

    if (dictionary->index == NULL) {
        for (at = 0; at < dictionary->count; at++)
            if (strcmp(dictionary->elements[at].key, key) == 0)
                break;
        return at;
    }
    at = (size_t)plist_hash_bytes(key, strlen(key)) & mask;
    for (; dictionary->index[at] != 0; at = (at + 1) & mask)
        if (strcmp(dictionary->elements[dictionary->index[at] - 1].key, key) == 0)
            return dictionary->index[at] - 1;
    return dictionary->count;
}

size_t plist_find_member(const struct plist *set, const struct plist *value)
{
    size_t mask = set->index_size - 1;
    size_t at;

    if (set->index == NULL) {
        for (at = 0; at < set->count; at++)
            if (plist_equal(set->elements[at].value, value))
                break;
        return at;
    }
    at = (size_t)plist_hash(value) & mask;
    for (; set->index[at] != 0; at = (at + 1) & mask)
        if (plist_equal(set->elements[set->index[at] - 1].value, value))
            return set->index[at] - 1;
    return set->count;
}
