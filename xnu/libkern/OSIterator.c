/* SPDX-License-Identifier: BSD-3-Clause */
/* OSIterator, the interface, and OSCollectionIterator: it goes through a collection in its order
 * and becomes invalid when the collection changes. Source of the rules: xnu
 * libkern/c++/OSIterator.cpp, OSCollectionIterator.cpp. */
#include "abi/OSIterator.h"

#include "xnu/libkern/object.h"

static OSCollection *collection_of(OSCollectionIterator *me)
{
    return (OSCollection *)me->collection;
}

bool OSCollectionIterator__initWithCollection(OSCollectionIterator *me,
                                              const OSCollection *collection)
{
    if (!OSObject_super_init((OSObject *)me) || !collection)
        return false;
    object_retain(collection);
    me->collection = collection;
    me->collIterator = NULL;
    me->initialUpdateStamp = 0;
    me->valid = false;
    return true;
}

OSCollectionIterator *OSCollectionIterator_withCollection(const OSCollection *collection)
{
    OSCollectionIterator *me = object_new(&OSCollectionIterator_gMetaClass);

    if (me && !OSCollectionIterator_initWithCollection(me, collection))
        object_release_clear(&me);
    return me;
}

void OSCollectionIterator__free(OSCollectionIterator *me)
{
    if (me->collIterator)
        kernel_free(me->collIterator, OSCollection_iteratorSize(collection_of(me)));
    object_release(me->collection);
    OSObject_super_free((OSObject *)me);
}

void OSCollectionIterator__reset(OSCollectionIterator *me)
{
    me->valid = false;
    if (!me->collIterator) {
        me->collIterator = kernel_allocate(OSCollection_iteratorSize(collection_of(me)));
        if (!me->collIterator)
            return;
    }
    if (!OSCollection_initIterator(collection_of(me), me->collIterator))
        return;
    me->initialUpdateStamp = me->collection->updateStamp;
    me->valid = true;
}

bool OSCollectionIterator__isValid(OSCollectionIterator *me)
{
    if (!me->collIterator)
        OSIterator_reset((OSIterator *)me);
    return me->valid && me->collection->updateStamp == me->initialUpdateStamp;
}

OSObject *OSCollectionIterator__getNextObject(OSCollectionIterator *me)
{
    OSObject *next;

    if (!OSIterator_isValid((OSIterator *)me))
        return NULL;
    return OSCollection_getNextObjectForIterator(collection_of(me), me->collIterator, &next) ? next
                                                                                            : NULL;
}
