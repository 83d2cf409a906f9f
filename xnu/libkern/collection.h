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

/* copyCollection's dictionary of what has been copied: the caller's, or a new one; +1 or NULL. */
OSDictionary *collection_cycle_begin(OSDictionary *given);
/* *copy: the copy of a member that is a collection, +1; NULL for any other member. False: no
 * memory. */
bool collection_copy_member(OSMetaClassBase *member, OSDictionary *cycle, OSCollection **copy);

/* Elements to allocate for `wanted` ones: a multiple of the increment; 0 if that is too much. */
unsigned collection_room(unsigned wanted, unsigned increment, size_t element_size);

#endif
