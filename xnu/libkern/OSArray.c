/* SPDX-License-Identifier: BSD-3-Clause */
/* OSArray: a list of objects; setObject(index) inserts, replaceObject overwrites.
 * Source of the rules: xnu libkern/c++/OSArray.cpp. */
#include "abi/kpi/libkern.h"

#include "xnu/libkern/object.h"
#include "xnu/libkern/collection.h"

/* ---- making one ---- */

bool OSArray__initWithCapacity(OSArray *me, unsigned capacity)
{
    unsigned room = collection_room(capacity, 1, sizeof(*me->array));

    if (!OSObject_super_init((OSObject *)me) || (capacity && !room))
        return false;
    if (capacity) {
        me->array = kernel_allocate(room * sizeof(*me->array));
        if (!me->array)
            return false;
    }
    me->count = 0;
    me->capacity = capacity;
    me->capacityIncrement = capacity ? capacity : COLLECTION_INCREMENT;
    return true;
}

bool OSArray__initWithObjects(OSArray *me, const OSObject **objects, unsigned count,
                              unsigned capacity)
{
    unsigned i;

    if (!capacity)
        capacity = count;
    else if (count > capacity)
        return false;
    if (!OSArray_initWithCapacity(me, capacity))
        return false;
    for (i = 0; i < count; i++) {
        if (!objects[i] ||
            !OSArray_setObject_number(me, i, (const OSMetaClassBase *)objects[i]))
            return false;
    }
    return true;
}

bool OSArray__initWithArray(OSArray *me, const OSArray *other, unsigned capacity)
{
    return other && OSArray_initWithObjects(me, (const OSObject **)other->array, other->count,
                                            capacity);
}

OSArray *OSArray_withCapacity(unsigned capacity)
{
    OSArray *me = object_new(&OSArray_gMetaClass);

    if (me && !OSArray_initWithCapacity(me, capacity))
        object_release_clear(&me);
    return me;
}

OSArray *OSArray_withObjects(const OSObject **objects, unsigned count, unsigned capacity)
{
    OSArray *me = object_new(&OSArray_gMetaClass);

    if (me && !OSArray_initWithObjects(me, objects, count, capacity))
        object_release_clear(&me);
    return me;
}

OSArray *OSArray_withArray(const OSArray *other, unsigned capacity)
{
    OSArray *me = object_new(&OSArray_gMetaClass);

    if (me && !OSArray_initWithArray(me, other, capacity))
        object_release_clear(&me);
    return me;
}

static void drop_all(OSArray *me)
{
    unsigned i, count = me->count;

    me->count = 0;
    for (i = 0; i < count; i++)
        object_collection_release(me->array[i]);
}

void OSArray__free(OSArray *me)
{
    /* The last reference may go while the registry's flag is still set; nobody can see the
     * change. */
    OSCollection__setOptions((OSCollection *)me, 0, COLLECTION_IMMUTABLE, NULL);
    drop_all(me);
    kernel_free(me->array, me->capacity * sizeof(*me->array));
    OSObject_super_free((OSObject *)me);
}

/* ---- size ---- */

unsigned OSArray__getCount(OSArray *me)
{
    return me->count;
}

unsigned OSArray__getCapacity(OSArray *me)
{
    return me->capacity;
}

unsigned OSArray__getCapacityIncrement(OSArray *me)
{
    return me->capacityIncrement;
}

unsigned OSArray__setCapacityIncrement(OSArray *me, unsigned increment)
{
    return me->capacityIncrement = increment ? increment : COLLECTION_INCREMENT;
}

unsigned OSArray__ensureCapacity(OSArray *me, unsigned wanted)
{
    const OSMetaClassBase **larger;
    unsigned room;

    if (wanted <= me->capacity)
        return me->capacity;
    room = collection_room(wanted, me->capacityIncrement, sizeof(*larger));
    larger = room ? kernel_reallocate(me->array, me->capacity * sizeof(*larger),
                                      me->count * sizeof(*larger), room * sizeof(*larger))
                  : NULL;
    if (larger) {
        me->array = larger;
        me->capacity = room;
    }
    return me->capacity;
}

/* ---- changing ---- */

void OSArray__flushCollection(OSArray *me)
{
    OSCollection_haveUpdated((OSCollection *)me);
    drop_all(me);
}

bool OSArray__setObject_metaclassbase(OSArray *me, const OSMetaClassBase *object)
{
    return OSArray_setObject_number(me, me->count, object);
}

bool OSArray__setObject_number(OSArray *me, unsigned index, const OSMetaClassBase *object)
{
    if (index > me->count || !object)
        return false;
    if (me->count == UINT32_MAX ||
        OSCollection_ensureCapacity((OSCollection *)me, me->count + 1) < me->count + 1)
        return false;
    OSCollection_haveUpdated((OSCollection *)me);
    memmove(&me->array[index + 1], &me->array[index], (me->count - index) * sizeof(*me->array));
    object_collection_retain(object);
    me->array[index] = object;
    me->count++;
    return true;
}

bool OSArray__merge(OSArray *me, const OSArray *other)
{
    unsigned i, count = other->count;

    if (count > UINT32_MAX - me->count ||
        OSCollection_ensureCapacity((OSCollection *)me, me->count + count) < me->count + count)
        return false;
    if (count)
        OSCollection_haveUpdated((OSCollection *)me);
    for (i = 0; i < count; i++) {
        object_collection_retain(other->array[i]);
        me->array[me->count++] = other->array[i];
    }
    return true;
}

void OSArray__replaceObject(OSArray *me, unsigned index, const OSMetaClassBase *object)
{
    const OSMetaClassBase *old;

    if (index >= me->count || !object)
        return;
    OSCollection_haveUpdated((OSCollection *)me);
    object_collection_retain(object);
    old = me->array[index];
    me->array[index] = object;
    object_collection_release(old);
}

void OSArray__removeObject(OSArray *me, unsigned index)
{
    const OSMetaClassBase *old;

    if (index >= me->count)
        return;
    OSCollection_haveUpdated((OSCollection *)me);
    old = me->array[index];
    me->count--;
    memmove(&me->array[index], &me->array[index + 1], (me->count - index) * sizeof(*me->array));
    object_collection_release(old);
}

/* ---- reading ---- */

OSObject *OSArray__getObject(OSArray *me, unsigned index)
{
    return index < me->count ? (OSObject *)me->array[index] : NULL;
}

OSObject *OSArray__getLastObject(OSArray *me)
{
    return me->count ? (OSObject *)me->array[me->count - 1] : NULL;
}

/* UINT32_MAX when it is not there. */
unsigned OSArray__getNextIndexOfObject(OSArray *me, const OSMetaClassBase *object, unsigned index)
{
    for (; index < me->count; index++) {
        if (me->array[index] == object)
            return index;
    }
    return UINT32_MAX;
}

bool OSArray__isEqualTo_array(OSArray *me, const OSArray *other)
{
    unsigned i;

    if (me == other)
        return true;
    if (me->count != other->count)
        return false;
    for (i = 0; i < me->count; i++) {
        if (!object_equal(me->array[i], other->array[i]))
            return false;
    }
    return true;
}

bool OSArray__isEqualTo(OSArray *me, const OSMetaClassBase *other)
{
    OSArray *array = as_array(other);

    return array && OSArray_isEqualTo_array(me, array);
}

/* ---- iteration: the context is the next index ---- */

unsigned OSArray__iteratorSize(OSArray *me)
{
    return sizeof(unsigned);
}

bool OSArray__initIterator(OSArray *me, void *context)
{
    *(unsigned *)context = 0;
    return true;
}

bool OSArray__getNextObjectForIterator(OSArray *me, void *context, OSObject **next)
{
    unsigned *index = context;

    *next = *index < me->count ? (OSObject *)me->array[(*index)++] : NULL;
    return *next != NULL;
}

/* ---- the rest of a collection ---- */

unsigned OSArray__setOptions(OSArray *me, unsigned options, unsigned mask, void *context)
{
    unsigned old = collection_set_options((OSCollection *)me, options, mask);
    unsigned i;

    for (i = 0; collection_spreads(old, options, mask) && i < me->count; i++)
        collection_spread_options((OSMetaClassBase *)me->array[i], options, mask);
    return old;
}

static OSCollection *array_duplicate(OSCollection *original)
{
    OSArray *array = (OSArray *)original;

    return (OSCollection *)OSArray_withArray(array, array->capacity);
}

static bool array_copy_members(OSCollection *copy, OSCollection *original, OSDictionary *cycle)
{
    OSArray *array = (OSArray *)copy;
    unsigned i;

    for (i = 0; i < array->count; i++) {
        OSCollection *member;

        if (!collection_copy_member((OSMetaClassBase *)array->array[i], cycle, &member))
            return false;
        if (member) {
            OSArray_replaceObject(array, i, (OSMetaClassBase *)member);
            object_release(member);
        }
    }
    return true;
}

OSCollection *OSArray__copyCollection(OSArray *me, OSDictionary *given)
{
    static const struct collection_copying copying = {array_duplicate, array_copy_members};

    return collection_copy((OSCollection *)me, given, &copying);
}

bool OSArray__serialize(OSArray *me, OSSerialize *serializer)
{
    unsigned i;

    if (OSSerialize_previouslySerialized(serializer, (OSMetaClassBase *)me))
        return true;
    if (!OSSerialize_addXMLStartTag(serializer, (OSMetaClassBase *)me, "array"))
        return false;
    for (i = 0; i < me->count; i++) {
        if (!me->array[i] ||
            !OSMetaClassBase_serialize((OSMetaClassBase *)me->array[i], serializer))
            return false;
    }
    return OSSerialize_addXMLEndTag(serializer, "array");
}
