/* SPDX-License-Identifier: BSD-3-Clause */
/* OSOrderedSet: objects in descending order of a compare function, each once (by pointer). Equal
 * ones stay in the order in which they came, which is what orders personalities and
 * notifications. Source of the rules: xnu libkern/c++/OSOrderedSet.cpp. */
#include "abi/kpi/libkern.h"

#include "xnu/libkern/object.h"
#include "xnu/libkern/collection.h"

typedef int32_t order_function(const OSMetaClassBase *left, const OSMetaClassBase *right,
                               void *reference);

static const OSMetaClassBase **elements(const OSOrderedSet *me)
{
    return (const OSMetaClassBase **)me->array;
}

static int32_t compare(const OSOrderedSet *me, const OSMetaClassBase *left,
                       const OSMetaClassBase *right)
{
    return me->ordering ? me->ordering(left, right, me->orderingRef) : 0;
}

/* ---- making one ---- */

bool OSOrderedSet__initWithCapacity(OSOrderedSet *me, unsigned capacity, order_function *order,
                                    void *reference)
{
    unsigned room = collection_room(capacity, 1, sizeof(void *));

    if (!OSObject_super_init((OSObject *)me) || (capacity && !room))
        return false;
    if (capacity) {
        me->array = kernel_allocate(room * sizeof(void *));
        if (!me->array)
            return false;
    }
    me->count = 0;
    me->capacity = capacity;
    me->capacityIncrement = capacity ? capacity : COLLECTION_INCREMENT;
    me->ordering = order;
    me->orderingRef = reference;
    return true;
}

OSOrderedSet *OSOrderedSet_withCapacity(unsigned capacity, order_function *order, void *reference)
{
    OSOrderedSet *me = object_new(&OSOrderedSet_gMetaClass);

    if (me && !OSOrderedSet_initWithCapacity(me, capacity, order, reference))
        object_release_clear(&me);
    return me;
}

static void drop_all(OSOrderedSet *me)
{
    unsigned i, count = me->count;

    me->count = 0;
    for (i = 0; i < count; i++)
        object_collection_release(elements(me)[i]);
}

void OSOrderedSet__free(OSOrderedSet *me)
{
    OSCollection__setOptions((OSCollection *)me, 0, COLLECTION_IMMUTABLE, NULL);
    drop_all(me);
    kernel_free(me->array, me->capacity * sizeof(void *));
    OSObject_super_free((OSObject *)me);
}

/* ---- size ---- */

unsigned OSOrderedSet__getCount(OSOrderedSet *me)
{
    return me->count;
}

unsigned OSOrderedSet__getCapacity(OSOrderedSet *me)
{
    return me->capacity;
}

unsigned OSOrderedSet__getCapacityIncrement(OSOrderedSet *me)
{
    return me->capacityIncrement;
}

unsigned OSOrderedSet__setCapacityIncrement(OSOrderedSet *me, unsigned increment)
{
    return me->capacityIncrement = increment ? increment : COLLECTION_INCREMENT;
}

unsigned OSOrderedSet__ensureCapacity(OSOrderedSet *me, unsigned wanted)
{
    unsigned room;
    void *larger;

    if (wanted <= me->capacity)
        return me->capacity;
    room = collection_room(wanted, me->capacityIncrement, sizeof(void *));
    larger = room ? kernel_reallocate(me->array, me->capacity * sizeof(void *),
                                      me->count * sizeof(void *), room * sizeof(void *))
                  : NULL;
    if (larger) {
        me->array = larger;
        me->capacity = room;
    }
    return me->capacity;
}

/* ---- changing ---- */

void OSOrderedSet__flushCollection(OSOrderedSet *me)
{
    OSCollection_haveUpdated((OSCollection *)me);
    drop_all(me);
}

/* Behind those that are not less. */
bool OSOrderedSet__setObject_metaclassbase(OSOrderedSet *me, const OSMetaClassBase *object)
{
    unsigned i = 0;

    while (i < me->count && compare(me, elements(me)[i], object) >= 0)
        i++;
    return OSOrderedSet_setObject_number(me, i, object);
}

/* At a place of the caller's choice, whatever the order says. */
bool OSOrderedSet__setObject_number(OSOrderedSet *me, unsigned index, const OSMetaClassBase *object)
{
    if (index > me->count || !object || OSOrderedSet_containsObject(me, object))
        return false;
    if (me->count == UINT32_MAX ||
        OSCollection_ensureCapacity((OSCollection *)me, me->count + 1) < me->count + 1)
        return false;
    OSCollection_haveUpdated((OSCollection *)me);
    memmove(&elements(me)[index + 1], &elements(me)[index],
            (me->count - index) * sizeof(void *));
    object_collection_retain(object);
    elements(me)[index] = object;
    me->count++;
    return true;
}

bool OSOrderedSet__setFirstObject(OSOrderedSet *me, const OSMetaClassBase *object)
{
    return OSOrderedSet_setObject_number(me, 0, object);
}

bool OSOrderedSet__setLastObject(OSOrderedSet *me, const OSMetaClassBase *object)
{
    return OSOrderedSet_setObject_number(me, me->count, object);
}

void OSOrderedSet__removeObject(OSOrderedSet *me, const OSMetaClassBase *object)
{
    unsigned i = 0;

    while (i < me->count && elements(me)[i] != object)
        i++;
    if (i == me->count)
        return;
    OSCollection_haveUpdated((OSCollection *)me);
    me->count--;
    memmove(&elements(me)[i], &elements(me)[i + 1], (me->count - i) * sizeof(void *));
    object_collection_release(object);
}

/* ---- reading ---- */

bool OSOrderedSet__containsObject(OSOrderedSet *me, const OSMetaClassBase *object)
{
    return object && OSOrderedSet_member(me, object);
}

bool OSOrderedSet__member(OSOrderedSet *me, const OSMetaClassBase *object)
{
    unsigned i;

    for (i = 0; i < me->count; i++) {
        if (elements(me)[i] == object)
            return true;
    }
    return false;
}

OSObject *OSOrderedSet__getObject(OSOrderedSet *me, unsigned index)
{
    return index < me->count ? (OSObject *)elements(me)[index] : NULL;
}

OSObject *OSOrderedSet__getFirstObject(OSOrderedSet *me)
{
    return OSOrderedSet_getObject(me, 0);
}

OSObject *OSOrderedSet__getLastObject(OSOrderedSet *me)
{
    return me->count ? OSOrderedSet_getObject(me, me->count - 1) : NULL;
}

int32_t OSOrderedSet__orderObject(OSOrderedSet *me, const OSMetaClassBase *object)
{
    return compare(me, object, NULL);
}

void *OSOrderedSet__getOrderingRef(OSOrderedSet *me)
{
    return me->orderingRef;
}

bool OSOrderedSet__isEqualTo_orderedset(OSOrderedSet *me, const OSOrderedSet *other)
{
    unsigned i;

    if (me == other)
        return true;
    if (me->count != other->count)
        return false;
    for (i = 0; i < me->count; i++) {
        if (!object_equal(elements(me)[i], elements(other)[i]))
            return false;
    }
    return true;
}

bool OSOrderedSet__isEqualTo(OSOrderedSet *me, const OSMetaClassBase *other)
{
    OSOrderedSet *set = object_cast(other, &OSOrderedSet_gMetaClass);

    return set && OSOrderedSet_isEqualTo_orderedset(me, set);
}

/* ---- iteration: the context is the next index ---- */

unsigned OSOrderedSet__iteratorSize(OSOrderedSet *me)
{
    return sizeof(unsigned);
}

bool OSOrderedSet__initIterator(OSOrderedSet *me, void *context)
{
    *(unsigned *)context = 0;
    return true;
}

bool OSOrderedSet__getNextObjectForIterator(OSOrderedSet *me, void *context, OSObject **next)
{
    unsigned *index = context;

    *next = *index < me->count ? (OSObject *)elements(me)[(*index)++] : NULL;
    return *next != NULL;
}

/* ---- the rest of a collection ---- */

unsigned OSOrderedSet__setOptions(OSOrderedSet *me, unsigned options, unsigned mask, void *context)
{
    unsigned old = collection_set_options((OSCollection *)me, options, mask);
    unsigned i;

    for (i = 0; collection_spreads(old, options, mask) && i < me->count; i++)
        collection_spread_options((OSMetaClassBase *)elements(me)[i], options, mask);
    return old;
}

static OSCollection *ordered_set_duplicate(OSCollection *original)
{
    OSOrderedSet *set = (OSOrderedSet *)original;

    return (OSCollection *)OSOrderedSet_withCapacity(set->capacity, set->ordering,
                                                     set->orderingRef);
}

static bool ordered_set_copy_members(OSCollection *copy, OSCollection *original,
                                     OSDictionary *cycle)
{
    OSOrderedSet *set = (OSOrderedSet *)original;
    unsigned i;

    for (i = 0; i < set->count; i++) {
        const OSMetaClassBase *member = elements(set)[i];
        OSCollection *made;

        if (!collection_copy_member((OSMetaClassBase *)member, cycle, &made))
            return false;
        OSOrderedSet_setLastObject((OSOrderedSet *)copy,
                                   made ? (OSMetaClassBase *)made : member);
        object_release(made);
    }
    return true;
}

OSCollection *OSOrderedSet__copyCollection(OSOrderedSet *me, OSDictionary *given)
{
    static const struct collection_copying copying = {ordered_set_duplicate,
                                                      ordered_set_copy_members};

    return collection_copy((OSCollection *)me, given, &copying);
}
