/* SPDX-License-Identifier: BSD-3-Clause */
/* OSCollection: the update stamp that iterators watch, and the immutable flag of what the
 * registry holds. Source of the rules: xnu libkern/c++/OSCollection.cpp. */
#include "xnu/libkern/object.h"
#include "xnu/libkern/collection.h"
#include "xnu/libkern/release.h"

enum { CYCLE_ROOM = 16 };

bool OSCollection__init(OSCollection *me)
{
    if (!OSObject_super_init((OSObject *)me))
        return false;
    me->updateStamp = 0;
    return true;
}

/* Every change of a collection passes here first. */
void OSCollection_haveUpdated(OSCollection *me)
{
    if (me->fOptions & COLLECTION_IMMUTABLE) {
        if (release_behaviour()->immutable_collections_panic)
            machine_panic("Trying to change a collection in the registry (%s %p)",
                          object_class_name(me), (void *)me);
        machine_log("Trying to change a collection in the registry: %s %p",
                    object_class_name(me), (void *)me);
    }
    me->updateStamp++;
}

unsigned OSCollection__setOptions(OSCollection *me, unsigned options, unsigned mask, void *context)
{
    unsigned old = me->fOptions;

    if (mask)
        me->fOptions = (old & ~mask) | (options & mask);
    return old;
}

/* A collection of a class that does not copy itself is shared; one that has been copied already
 * in this walk is found in cycle_dictionary, whose keys are the originals themselves. +1 or
 * NULL. */
OSCollection *OSCollection__copyCollection(OSCollection *me, OSDictionary *cycle_dictionary)
{
    OSObject *copy;

    if (!cycle_dictionary) {
        object_retain(me);
        return me;
    }
    copy = OSDictionary_getObject_symbol(cycle_dictionary, (const OSSymbol *)me);
    if (copy)
        object_retain(copy);
    return (OSCollection *)copy;
}

bool OSCollection_iterateObjects(OSCollection *me, void *context,
                                                  bool (*callback)(void *context,
                                                                   OSObject *object))
{
    OSCollectionIterator *iterator = OSCollectionIterator_withCollection(me);
    OSObject *object;
    bool complete = iterator != NULL;

    while (complete && (object = iterator_next((OSIterator *)iterator))) {
        if (callback(context, object))
            complete = false;
    }
    object_release(iterator);
    return complete;
}

/* ---- shared by the concrete collections ---- */

void collection_spread_options(OSMetaClassBase *member, unsigned options, unsigned mask)
{
    OSCollection *collection = as_collection(member);

    if (collection)
        OSCollection_setOptions(collection, options, mask, NULL);
}

unsigned collection_set_options(OSCollection *me, unsigned options, unsigned mask)
{
    /* The class's own copy of the flag first: a cycle of collections ends here. */
    return OSCollection__setOptions(me, options, mask, NULL);
}

bool collection_spreads(unsigned old, unsigned options, unsigned mask)
{
    return ((old ^ options) & mask & COLLECTION_IMMUTABLE) != 0;
}

/* The dictionary of what has been copied: the caller's, or a new one; +1 or NULL. */
static OSDictionary *cycle_begin(OSDictionary *given)
{
    if (given)
        object_retain(given);
    else
        given = OSDictionary_withCapacity(CYCLE_ROOM);
    return given;
}

OSCollection *collection_copy(OSCollection *me, OSDictionary *given,
                              const struct collection_copying *copying)
{
    OSDictionary *cycle = cycle_begin(given);
    OSCollection *copy;

    if (!cycle)
        return NULL;
    copy = OSCollection_super_copyCollection(me, cycle);
    if (!copy) {
        copy = copying->make(me);
        if (copy) {
            OSDictionary_setObject_symbol(cycle, (const OSSymbol *)me, (OSMetaClassBase *)copy);
            if (!copying->fill(copy, me, cycle))
                object_release_clear(&copy);
        }
    }
    object_release(cycle);
    return copy;
}

bool collection_copy_member(OSMetaClassBase *member, OSDictionary *cycle, OSCollection **copy)
{
    OSCollection *collection = as_collection(member);

    *copy = NULL;
    if (!collection)
        return true;
    *copy = OSCollection_copyCollection(collection, cycle);
    return *copy != NULL;
}

unsigned collection_room(unsigned wanted, unsigned increment, size_t element_size)
{
    uint64_t step = increment ? increment : 1;
    uint64_t rounded = ((uint64_t)wanted + step - 1) / step * step;

    return rounded > UINT32_MAX / element_size ? 0 : (unsigned)rounded;
}
