/* SPDX-License-Identifier: BSD-3-Clause */
/* Layout of a property list value, for the files that build one. */
#ifndef MACHV_MATCH_PLIST_PRIVATE_H
#define MACHV_MATCH_PLIST_PRIVATE_H

#include "match/plist.h"

struct plist_element {
    char *key; /* owned; NULL in arrays and sets */
    struct plist *value;
};

struct plist {
    enum plist_type type;
    unsigned references;
    uint32_t expanded; /* values below and including this one when shared ones count each time;
                          saturates */
    unsigned line;
    unsigned bits;
    uint64_t number;
    char *bytes; /* `length` bytes and a NUL */
    size_t length;
    struct plist_element *elements;
    size_t count;
    size_t capacity;
    uint32_t
        *index; /* hash table of positions + 1 in `elements`; NULL while the container is small */
    size_t index_size; /* a power of two */
};

/* Hash of bytes under a key that differs from one process to the next, so that no document can be
 * made to collide on purpose. */
uint64_t plist_hash_bytes(const void *bytes, size_t length);
/* The same for one number. */
uint64_t plist_hash_number(uint64_t number);

/* Position of a key in a dictionary, or of an equal value in a set; `count` when there is none. */
size_t plist_find_key(const struct plist *dictionary, const char *key);
size_t plist_find_member(const struct plist *set, const struct plist *value);
/* Files the element added last. Returns false when memory is out. */
bool plist_index_last(struct plist *container);

#endif
