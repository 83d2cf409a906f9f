/* SPDX-License-Identifier: BSD-3-Clause */
/* OSDictionary: pairs of a symbol, compared by pointer, and an object, in the order of insertion.
 * Source of the rules: xnu libkern/c++/OSDictionary.cpp. */
#include "abi/kpi/libkern.h"

#include "xnu/libkern/object.h"
#include "xnu/libkern/collection.h"
#include "xnu/libkern/string_private.h"

struct pair {
    const OSSymbol *key;
    const OSMetaClassBase *value;
};

static struct pair *pairs_of(const OSDictionary *me)
{
    return (struct pair *)me->dictionary;
}

static struct pair *find(const OSDictionary *me, const OSSymbol *key)
{
    struct pair *pairs = pairs_of(me);
    unsigned i;

    for (i = 0; i < me->count; i++) {
        if (pairs[i].key == key)
            return &pairs[i];
    }
    return NULL;
}

/* ---- making one ---- */

bool OSDictionary__initWithCapacity(OSDictionary *me, unsigned capacity)
{
    unsigned room = collection_room(capacity, 1, sizeof(struct pair));

    if (!OSObject_super_init((OSObject *)me) || (capacity && !room))
        return false;
    if (capacity) {
        me->dictionary = kernel_allocate(room * sizeof(struct pair));
        if (!me->dictionary)
            return false;
    }
    me->count = 0;
    me->capacity = capacity;
    me->capacityIncrement = capacity ? capacity : COLLECTION_INCREMENT;
    return true;
}

bool OSDictionary__initWithObjects_symbols(OSDictionary *me,
                                                               const OSObject **objects,
                                                               const OSSymbol **keys,
                                                               unsigned count, unsigned capacity)
{
    unsigned i;

    if (!objects || !keys)
        return false;
    if (!capacity)
        capacity = count;
    else if (count > capacity)
        return false;
    if (!OSDictionary_initWithCapacity(me, capacity))
        return false;
    for (i = 0; i < count; i++) {
        if (!objects[i] || !keys[i] ||
            !OSDictionary_setObject_symbol(me, keys[i], (const OSMetaClassBase *)objects[i]))
            return false;
    }
    return true;
}

bool OSDictionary__initWithObjects_strings(OSDictionary *me,
                                                               const OSObject **objects,
                                                               const OSString **keys,
                                                               unsigned count, unsigned capacity)
{
    unsigned i;

    if (!objects || !keys)
        return false;
    if (!capacity)
        capacity = count;
    else if (count > capacity)
        return false;
    if (!OSDictionary_initWithCapacity(me, capacity))
        return false;
    for (i = 0; i < count; i++) {
        if (!OSDictionary_setObject_string(me, keys[i], (const OSMetaClassBase *)objects[i]))
            return false;
    }
    return true;
}

bool OSDictionary__initWithDictionary(OSDictionary *me, const OSDictionary *other,
                                      unsigned capacity)
{
    unsigned i;

    if (!other || (capacity && other->count > capacity))
        return false;
    if (!OSDictionary_initWithCapacity(me, capacity ? capacity : other->count))
        return false;
    for (i = 0; i < other->count; i++) {
        struct pair *pair = &pairs_of(other)[i];

        if (!OSDictionary_setObject_symbol(me, pair->key, pair->value))
            return false;
    }
    return true;
}

OSDictionary *OSDictionary_withCapacity(unsigned capacity)
{
    OSDictionary *me = object_new(&OSDictionary_gMetaClass);

    if (me && !OSDictionary_initWithCapacity(me, capacity))
        object_release_clear(&me);
    return me;
}

OSDictionary *OSDictionary_withObjects_symbols(const OSObject **objects,
                                                                   const OSSymbol **keys,
                                                                   unsigned count,
                                                                   unsigned capacity)
{
    OSDictionary *me = object_new(&OSDictionary_gMetaClass);

    if (me && !OSDictionary_initWithObjects_symbols(me, objects, keys, count,
                                                                        capacity))
        object_release_clear(&me);
    return me;
}

OSDictionary *OSDictionary_withObjects_strings(const OSObject **objects,
                                                                   const OSString **keys,
                                                                   unsigned count,
                                                                   unsigned capacity)
{
    OSDictionary *me = object_new(&OSDictionary_gMetaClass);

    if (me && !OSDictionary_initWithObjects_strings(me, objects, keys, count,
                                                                        capacity))
        object_release_clear(&me);
    return me;
}

OSDictionary *OSDictionary_withDictionary(const OSDictionary *other, unsigned capacity)
{
    OSDictionary *me = object_new(&OSDictionary_gMetaClass);

    if (me && !OSDictionary_initWithDictionary(me, other, capacity))
        object_release_clear(&me);
    return me;
}

static void drop_all(OSDictionary *me)
{
    struct pair *pairs = pairs_of(me);
    unsigned i, count = me->count;

    me->count = 0;
    for (i = 0; i < count; i++) {
        object_collection_release(pairs[i].key);
        object_collection_release(pairs[i].value);
    }
}

void OSDictionary__free(OSDictionary *me)
{
    /* The last reference may go while the registry's flag is still set; nobody can see the
     * change. */
    OSCollection__setOptions((OSCollection *)me, 0, COLLECTION_IMMUTABLE, NULL);
    drop_all(me);
    kernel_free(me->dictionary, me->capacity * sizeof(struct pair));
    OSObject_super_free((OSObject *)me);
}

/* ---- size ---- */

unsigned OSDictionary__getCount(OSDictionary *me)
{
    return me->count;
}

unsigned OSDictionary__getCapacity(OSDictionary *me)
{
    return me->capacity;
}

unsigned OSDictionary__getCapacityIncrement(OSDictionary *me)
{
    return me->capacityIncrement;
}

unsigned OSDictionary__setCapacityIncrement(OSDictionary *me, unsigned increment)
{
    return me->capacityIncrement = increment ? increment : COLLECTION_INCREMENT;
}

unsigned OSDictionary__ensureCapacity(OSDictionary *me, unsigned wanted)
{
    unsigned room;
    void *larger;

    if (wanted <= me->capacity)
        return me->capacity;
    room = collection_room(wanted, me->capacityIncrement, sizeof(struct pair));
    larger = room ? kernel_reallocate(me->dictionary, me->capacity * sizeof(struct pair),
                                      me->count * sizeof(struct pair), room * sizeof(struct pair))
                  : NULL;
    if (larger) {
        me->dictionary = larger;
        me->capacity = room;
    }
    return me->capacity;
}

/* ---- changing ---- */

void OSDictionary__flushCollection(OSDictionary *me)
{
    OSCollection_haveUpdated((OSCollection *)me);
    drop_all(me);
}

static bool replace(OSDictionary *me, struct pair *pair, const OSMetaClassBase *value)
{
    const OSMetaClassBase *old = pair->value;

    OSCollection_haveUpdated((OSCollection *)me);
    object_collection_retain(value);
    pair->value = value;
    object_collection_release(old);
    return true;
}

bool OSDictionary__setObject_symbol(OSDictionary *me, const OSSymbol *key,
                                           const OSMetaClassBase *value)
{
    struct pair *pair;

    if (!key || !value)
        return false;
    pair = find(me, key);
    if (pair)
        return replace(me, pair, value);
    if (me->count == UINT32_MAX ||
        OSCollection_ensureCapacity((OSCollection *)me, me->count + 1) < me->count + 1)
        return false;
    OSCollection_haveUpdated((OSCollection *)me);
    object_collection_retain(key);
    object_collection_retain(value);
    pair = &pairs_of(me)[me->count++];
    pair->key = key;
    pair->value = value;
    return true;
}

bool OSDictionary__setObject_string(OSDictionary *me, const OSString *key,
                                           const OSMetaClassBase *value)
{
    const OSSymbol *symbol = OSSymbol_withString(key);
    bool good = symbol && OSDictionary_setObject_symbol(me, symbol, value);

    object_release(symbol);
    return good;
}

bool OSDictionary__setObject_cstring(OSDictionary *me, const char *key,
                                            const OSMetaClassBase *value)
{
    const OSSymbol *symbol = OSSymbol_withCString(key);
    bool good = symbol && OSDictionary_setObject_symbol(me, symbol, value);

    object_release(symbol);
    return good;
}

void OSDictionary__removeObject_symbol(OSDictionary *me, const OSSymbol *key)
{
    struct pair *pair = key ? find(me, key) : NULL;
    struct pair old;

    if (!pair)
        return;
    OSCollection_haveUpdated((OSCollection *)me);
    old = *pair;
    me->count--;
    memmove(pair, pair + 1, (size_t)(&pairs_of(me)[me->count] - pair) * sizeof(*pair));
    object_collection_release(old.key);
    object_collection_release(old.value);
}

void OSDictionary__removeObject_string(OSDictionary *me, const OSString *key)
{
    const OSSymbol *symbol = OSSymbol_withString(key);

    OSDictionary_removeObject_symbol(me, symbol);
    object_release(symbol);
}

void OSDictionary__removeObject_cstring(OSDictionary *me, const char *key)
{
    const OSSymbol *symbol = OSSymbol_withCString(key);

    OSDictionary_removeObject_symbol(me, symbol);
    object_release(symbol);
}

/* Takes over each pair of the other; its values win. */
bool OSDictionary__merge(OSDictionary *me, const OSDictionary *other)
{
    unsigned i;

    if (!object_cast(other, &OSDictionary_gMetaClass))
        return false;
    for (i = 0; i < other->count; i++) {
        struct pair *pair = &pairs_of(other)[i];

        if (!OSDictionary_setObject_symbol(me, pair->key, pair->value))
            return false;
    }
    return true;
}

/* ---- reading ---- */

OSObject *OSDictionary__getObject_symbol(OSDictionary *me, const OSSymbol *key)
{
    struct pair *pair = key ? find(me, key) : NULL;

    return pair ? (OSObject *)pair->value : NULL;
}

OSObject *OSDictionary__getObject_string(OSDictionary *me, const OSString *key)
{
    const OSSymbol *symbol = OSSymbol_withString(key);
    OSObject *value = OSDictionary_getObject_symbol(me, symbol);

    object_release(symbol);
    return value;
}

OSObject *OSDictionary__getObject_cstring(OSDictionary *me, const char *key)
{
    const OSSymbol *symbol = OSSymbol_existingSymbolForCString(key);
    OSObject *value = OSDictionary_getObject_symbol(me, symbol);

    object_release(symbol);
    return value;
}

static bool pair_equal(OSDictionary *me, const OSDictionary *other, const OSSymbol *key)
{
    return object_equal(OSDictionary_getObject_symbol(me, key),
                        OSDictionary_getObject_symbol((OSDictionary *)other, key));
}

/* Equal under each of the keys. */
bool OSDictionary__isEqualTo_dictionary_collection(OSDictionary *me, const OSDictionary *other,
                                                   const OSCollection *keys)
{
    OSCollectionIterator *iterator;
    OSString *key;
    bool equal;

    if (me == other)
        return true;
    iterator = OSCollectionIterator_withCollection(keys);
    equal = iterator != NULL;
    while (equal && (key = iterator_next((OSIterator *)iterator))) {
        const OSSymbol *symbol = OSSymbol_withString(key);

        equal = symbol && OSDictionary_getObject_symbol(me, symbol) &&
                pair_equal(me, other, symbol);
        object_release(symbol);
    }
    object_release(iterator);
    return equal;
}

bool OSDictionary__isEqualTo_dictionary(OSDictionary *me, const OSDictionary *other)
{
    unsigned i;

    if (me == other)
        return true;
    if (me->count != other->count)
        return false;
    for (i = 0; i < me->count; i++) {
        if (!pair_equal(me, other, pairs_of(me)[i].key))
            return false;
    }
    return true;
}

bool OSDictionary__isEqualTo(OSDictionary *me, const OSMetaClassBase *other)
{
    OSDictionary *dictionary = as_dictionary(other);

    return dictionary && OSDictionary_isEqualTo_dictionary(me, dictionary);
}

/* ---- iteration over the keys: the context is the next index ---- */

unsigned OSDictionary__iteratorSize(OSDictionary *me)
{
    return sizeof(unsigned);
}

bool OSDictionary__initIterator(OSDictionary *me, void *context)
{
    *(unsigned *)context = 0;
    return true;
}

bool OSDictionary__getNextObjectForIterator(OSDictionary *me, void *context, OSObject **next)
{
    unsigned *index = context;

    *next = *index < me->count ? (OSObject *)pairs_of(me)[(*index)++].key : NULL;
    return *next != NULL;
}

bool OSDictionary_iterateObjects(OSDictionary *me, void *context,
                                                  bool (*callback)(void *context,
                                                                   const OSSymbol *key,
                                                                   OSObject *value))
{
    unsigned stamp = me->updateStamp;
    unsigned i;

    for (i = 0; i < me->count; i++) {
        struct pair *pair = &pairs_of(me)[i];

        if (callback(context, pair->key, (OSObject *)pair->value) || stamp != me->updateStamp)
            return false;
    }
    return true;
}

/* ---- the rest of a collection ---- */

unsigned OSDictionary__setOptions(OSDictionary *me, unsigned options, unsigned mask, void *context)
{
    unsigned old = collection_set_options((OSCollection *)me, options, mask);
    unsigned i;

    for (i = 0; collection_spreads(old, options, mask) && i < me->count; i++)
        collection_spread_options((OSMetaClassBase *)pairs_of(me)[i].value, options, mask);
    return old;
}

static OSCollection *dictionary_duplicate(OSCollection *original)
{
    OSDictionary *dictionary = (OSDictionary *)original;

    return (OSCollection *)OSDictionary_withDictionary(dictionary, dictionary->capacity);
}

static bool dictionary_copy_members(OSCollection *copy, OSCollection *original,
                                    OSDictionary *cycle)
{
    OSDictionary *dictionary = (OSDictionary *)copy;
    unsigned i;

    for (i = 0; i < dictionary->count; i++) {
        struct pair *pair = &pairs_of(dictionary)[i];
        OSCollection *member;

        if (!collection_copy_member((OSMetaClassBase *)pair->value, cycle, &member))
            return false;
        if (member) {
            replace(dictionary, pair, (OSMetaClassBase *)member);
            object_release(member);
        }
    }
    return true;
}

OSCollection *OSDictionary__copyCollection(OSDictionary *me, OSDictionary *given)
{
    static const struct collection_copying copying = {dictionary_duplicate,
                                                      dictionary_copy_members};

    return collection_copy((OSCollection *)me, given, &copying);
}

bool OSDictionary__serialize(OSDictionary *me, OSSerialize *serializer)
{
    unsigned i;

    if (OSSerialize_previouslySerialized(serializer, (OSMetaClassBase *)me))
        return true;
    if (!OSSerialize_addXMLStartTag(serializer, (OSMetaClassBase *)me, "dict"))
        return false;
    for (i = 0; i < me->count; i++) {
        struct pair *pair = &pairs_of(me)[i];
        const char *key = OSString_getCStringNoCopy((OSString *)pair->key);

        if (!OSSerialize_addString(serializer, "<key>") ||
            !string_serialize_text(key, serializer) ||
            !OSSerialize_addXMLEndTag(serializer, "key") ||
            !OSMetaClassBase_serialize((OSMetaClassBase *)pair->value, serializer))
            return false;
    }
    return OSSerialize_addXMLEndTag(serializer, "dict");
}
