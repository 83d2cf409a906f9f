/* SPDX-License-Identifier: BSD-3-Clause */
/* The catalogue: personalities of all kexts, found by the classes of a device, in the order in
 * which the kernel tries them (xnu iokit/Kernel/IOCatalogue.cpp). */
#ifndef MACHV_MATCH_CATALOGUE_H
#define MACHV_MATCH_CATALOGUE_H

#include "match/personality.h"

struct catalogue;

struct catalogue_entry {
    struct plist *personality; /* borrowed from the catalogue */
    const char *name;          /* its key in IOKitPersonalities; "" when not known */
    const char
        *publisher; /* CFBundleIdentifier of the kext that holds the plist; "" when not known */
    void *owner;    /* whatever the caller gave */
    int32_t score;
    size_t order; /* of addition, from 0 */
};

/* Returns NULL when memory is out. */
struct catalogue *catalogue_create(void);
void catalogue_destroy(struct catalogue *catalogue);

enum catalogue_added {
    CATALOGUE_ADDED,
    CATALOGUE_KNOWN,
    CATALOGUE_NO_PROVIDER_CLASS,
    CATALOGUE_NO_MEMORY
};

/* Adds one personality (retained). One that equals another in content is not added again; one
 * without a string IOProviderClass never enters. */
enum catalogue_added catalogue_add(struct catalogue *catalogue, struct plist *personality,
                                   const char *name, const char *publisher, void *owner);

/* Removes every personality with this CFBundleIdentifier or publisher; returns how many. */
size_t catalogue_remove_bundle(struct catalogue *catalogue, const char *identifier);

size_t catalogue_count(const struct catalogue *catalogue);
/* Grows with every change. */
uint64_t catalogue_generation(const struct catalogue *catalogue);

/* Calls `visit` for each personality whose IOProviderClass is one of `classes` (most derived first,
 * `count` of them), best score first; equal scores: more derived class first, then order of
 * addition (10.9 and later; before: order of addition). `visit` returns false to stop. Returns
 * false when memory is out. */
bool catalogue_find(const struct catalogue *catalogue, const char *const *classes, size_t count,
                    unsigned release,
                    bool (*visit)(void *context, const struct catalogue_entry *entry),
                    void *context);

/* Walks over all entries, bucket by bucket. `*position` is 0 at first. NULL at the end. */
const struct catalogue_entry *catalogue_next(const struct catalogue *catalogue, size_t *position);

/* What a device answers to, for finding its personalities without looking at all of them. */
struct catalogue_keys {
    const uint32_t *registers; /* values of configuration registers 0x00 and 0x2c */
    size_t register_count;
    const char *const *names;
    size_t name_count;
};

/* As catalogue_find(), but may leave out personalities that cannot match a device of which `keys`
 * says all (NULL: nothing is known, all are visited). */
bool catalogue_find_keyed(const struct catalogue *catalogue, const char *const *classes,
                          size_t count, const struct catalogue_keys *keys, unsigned release,
                          bool (*visit)(void *context, const struct catalogue_entry *entry),
                          void *context);

#endif
