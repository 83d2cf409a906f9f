/* SPDX-License-Identifier: BSD-3-Clause */
/* What OSArray, OSDictionary, OSSet and OSOrderedSet have in common. */
#ifndef MACHV_XNU_LIBKERN_COLLECTION_H
#define MACHV_XNU_LIBKERN_COLLECTION_H

#include "abi/OSCollection.h"
#include "abi/OSDictionary.h"

enum {
    COLLECTION_IMMUTABLE = 1, /* OSCollection::kImmutable: the registry holds it */
    COLLECTION_INCREMENT = 16, /* growth of a collection that was made with capacity 0 */
};

/* Sets options on the collection itself; returns the old ones. */
unsigned collection_set_options(OSCollection *me, unsigned options, unsigned mask);
/* Whether the change has to be handed on to the members, with the next function. */
bool collection_spreads(unsigned old, unsigned options, unsigned mask);
void collection_spread_options(OSMetaClassBase *member, unsigned options, unsigned mask);

/* What one class of collection adds to copyCollection. */
struct collection_copying {
    /* A new collection, +1, or NULL without memory. */
    OSCollection *(*make)(OSCollection *original);
    /* Fills it with copies of the members, made with `cycle`. False: no memory. */
    bool (*fill)(OSCollection *copy, OSCollection *original, OSDictionary *cycle);
};

/* copyCollection: +1, or NULL without memory. `given` is the dictionary of what has been copied so
 * far, NULL at the outermost collection; a copy is in it before its members are made, so that a
 * collection may contain itself. */
OSCollection *collection_copy(OSCollection *me, OSDictionary *given,
                              const struct collection_copying *copying);
/* *copy: the copy of a member that is a collection, +1; NULL for any other member. False: no
 * memory. */
bool collection_copy_member(OSMetaClassBase *member, OSDictionary *cycle, OSCollection **copy);

/* Elements to allocate for `wanted` ones: a multiple of the increment; 0 if that is too much. */
unsigned collection_room(unsigned wanted, unsigned increment, size_t element_size);

#endif
