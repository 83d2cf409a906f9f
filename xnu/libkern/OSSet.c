/* SPDX-License-Identifier: BSD-3-Clause */
/* OSSet: objects without order, each once (by pointer); kept in an OSArray.
 * Source of the rules: xnu libkern/c++/OSSet.cpp. */
#include "xnu/libkern/object.h"
#include "xnu/libkern/collection.h"

/* ---- making one ---- */

bool OSSet__initWithCapacity(OSSet *me, unsigned capacity)
{
    if (!OSObject_super_init((OSObject *)me))
        return false;
    me->members = OSArray_withCapacity(capacity);
    return me->members != NULL;
}

bool OSSet__initWithObjects(OSSet *me, const OSObject **objects, unsigned count, unsigned capacity)
{
    unsigned i;

    if (capacity && count > capacity)
        return false;
    if (!OSSet_initWithCapacity(me, capacity ? capacity : count))
        return false;
    for (i = 0; i < count; i++) {
        if (!OSSet_setObject(me, (const OSMetaClassBase *)objects[i]) &&
            !OSSet_member(me, (const OSMetaClassBase *)objects[i]))
            return false;
    }
    return true;
}

bool OSSet__initWithArray(OSSet *me, const OSArray *array, unsigned capacity)
{
    return array && OSSet_initWithObjects(me, (const OSObject **)array->array, array->count,
                                          capacity);
}

bool OSSet__initWithSet(OSSet *me, const OSSet *other, unsigned capacity)
{
    return other && OSSet_initWithArray(me, other->members, capacity);
}

OSSet *OSSet_withCapacity(unsigned capacity)
{
    OSSet *me = object_new(&OSSet_gMetaClass);

    if (me && !OSSet_initWithCapacity(me, capacity))
        object_release_clear(&me);
    return me;
}

OSSet *OSSet_withObjects(const OSObject **objects, unsigned count, unsigned capacity)
{
    OSSet *me = object_new(&OSSet_gMetaClass);

    if (me && !OSSet_initWithObjects(me, objects, count, capacity))
        object_release_clear(&me);
    return me;
}

OSSet *OSSet_withArray(const OSArray *array, unsigned capacity)
{
    OSSet *me = object_new(&OSSet_gMetaClass);

    if (me && !OSSet_initWithArray(me, array, capacity))
        object_release_clear(&me);
    return me;
}

OSSet *OSSet_withSet(const OSSet *other, unsigned capacity)
{
    OSSet *me = object_new(&OSSet_gMetaClass);

    if (me && !OSSet_initWithSet(me, other, capacity))
        object_release_clear(&me);
    return me;
}

void OSSet__free(OSSet *me)
{
    object_release(me->members);
    OSObject_super_free((OSObject *)me);
}

/* ---- size ---- */

unsigned OSSet__getCount(OSSet *me)
{
    return me->members->count;
}

unsigned OSSet__getCapacity(OSSet *me)
{
    return me->members->capacity;
}

unsigned OSSet__getCapacityIncrement(OSSet *me)
{
    return me->members->capacityIncrement;
}

unsigned OSSet__setCapacityIncrement(OSSet *me, unsigned increment)
{
    return OSCollection_setCapacityIncrement((OSCollection *)me->members, increment);
}

unsigned OSSet__ensureCapacity(OSSet *me, unsigned wanted)
{
    return OSCollection_ensureCapacity((OSCollection *)me->members, wanted);
}

/* ---- changing ---- */

void OSSet__flushCollection(OSSet *me)
{
    OSCollection_haveUpdated((OSCollection *)me);
    OSCollection_flushCollection((OSCollection *)me->members);
}

/* False for a member that is there already. */
bool OSSet__setObject(OSSet *me, const OSMetaClassBase *object)
{
    if (!object || OSSet_containsObject(me, object))
        return false;
    OSCollection_haveUpdated((OSCollection *)me);
    return OSArray_setObject_metaclassbase(me->members, object);
}

/* True if anything was added. */
bool OSSet__merge_array(OSSet *me, const OSArray *array)
{
    bool added = false;
    unsigned i;

    for (i = 0; array && i < array->count; i++) {
        if (OSSet_setObject(me, array->array[i]))
            added = true;
    }
    return added;
}

bool OSSet__merge_set(OSSet *me, const OSSet *other)
{
    return other && OSSet_merge_array(me, other->members);
}

void OSSet__removeObject(OSSet *me, const OSMetaClassBase *object)
{
    unsigned index = OSArray_getNextIndexOfObject(me->members, object, 0);

    if (index == UINT32_MAX)
        return;
    OSCollection_haveUpdated((OSCollection *)me);
    OSArray_removeObject(me->members, index);
}

/* ---- reading ---- */

bool OSSet__containsObject(OSSet *me, const OSMetaClassBase *object)
{
    return object && OSSet_member(me, object);
}

bool OSSet__member(OSSet *me, const OSMetaClassBase *object)
{
    return OSArray_getNextIndexOfObject(me->members, object, 0) != UINT32_MAX;
}

OSObject *OSSet__getAnyObject(OSSet *me)
{
    return array_at(me->members, 0);
}

bool OSSet__isEqualTo_set(OSSet *me, const OSSet *other)
{
    unsigned i;

    if (me == other)
        return true;
    if (me->members->count != other->members->count)
        return false;
    for (i = 0; i < me->members->count; i++) {
        if (!OSSet_containsObject((OSSet *)other, me->members->array[i]))
            return false;
    }
    return true;
}

bool OSSet__isEqualTo(OSSet *me, const OSMetaClassBase *other)
{
    OSSet *set = object_cast(other, &OSSet_gMetaClass);

    return set && OSSet_isEqualTo_set(me, set);
}

/* ---- the rest: as the array does it ---- */

unsigned OSSet__iteratorSize(OSSet *me)
{
    return OSCollection_iteratorSize((OSCollection *)me->members);
}

bool OSSet__initIterator(OSSet *me, void *context)
{
    return OSCollection_initIterator((OSCollection *)me->members, context);
}

bool OSSet__getNextObjectForIterator(OSSet *me, void *context, OSObject **next)
{
    return OSCollection_getNextObjectForIterator((OSCollection *)me->members, context, next);
}

unsigned OSSet__setOptions(OSSet *me, unsigned options, unsigned mask, void *context)
{
    unsigned old = collection_set_options((OSCollection *)me, options, mask);

    if (collection_spreads(old, options, mask))
        OSCollection_setOptions((OSCollection *)me->members, options, mask, context);
    return old;
}

static OSCollection *set_duplicate(OSCollection *original)
{
    return (OSCollection *)OSSet_withCapacity(((OSSet *)original)->members->capacity);
}

static bool set_copy_members(OSCollection *copy, OSCollection *original, OSDictionary *cycle)
{
    OSCollection *members = (OSCollection *)((OSSet *)original)->members;
    OSArray *copies = (OSArray *)OSCollection_copyCollection(members, cycle);

    if (!copies)
        return false;
    OSSet_merge_array((OSSet *)copy, copies);
    object_release(copies);
    return true;
}

OSCollection *OSSet__copyCollection(OSSet *me, OSDictionary *given)
{
    static const struct collection_copying copying = {set_duplicate, set_copy_members};

    return collection_copy((OSCollection *)me, given, &copying);
}

bool OSSet__serialize(OSSet *me, OSSerialize *serializer)
{
    unsigned i;

    if (OSSerialize_previouslySerialized(serializer, (OSMetaClassBase *)me))
        return true;
    if (!OSSerialize_addXMLStartTag(serializer, (OSMetaClassBase *)me, "set"))
        return false;
    for (i = 0; i < me->members->count; i++) {
        if (!OSMetaClassBase_serialize((OSMetaClassBase *)me->members->array[i], serializer))
            return false;
    }
    return OSSerialize_addXMLEndTag(serializer, "set");
}
