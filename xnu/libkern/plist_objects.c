/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects from property-list values and back. */
#include "abi/kpi/libkern.h"

#include "xnu/libkern/object.h"
#include "xnu/libkern/plist_objects.h"

enum { SLOTS_FIRST = 64 };

/* Containers that have been made into objects, by address of the value: open addressing, at most
 * half full. Without it a short text of references to references would grow beyond all memory. */
struct built {
    const struct plist *value;
    OSObject *object; /* borrowed from the tree that is being made */
};

struct building {
    struct built *slots;
    size_t count, room; /* room: 0 or a power of two */
    unsigned depth;
};

static OSObject *make(struct building *building, const struct plist *value);

/* ---- remembering ---- */

static struct built *slot_of(const struct building *building, const struct plist *value)
{
    uint64_t hash = (uintptr_t)value * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(hash >> 32);

    for (;; i++) {
        struct built *slot = &building->slots[i & (building->room - 1)];

        if (slot->value == value || !slot->value)
            return slot;
    }
}

static bool grow(struct building *building)
{
    size_t room = building->room ? building->room * 2 : SLOTS_FIRST;
    struct building larger = {kernel_allocate(room * sizeof(*building->slots)), building->count,
                              room, building->depth};
    size_t i;

    if (!larger.slots)
        return false;
    for (i = 0; i < building->room; i++) {
        if (building->slots[i].value)
            *slot_of(&larger, building->slots[i].value) = building->slots[i];
    }
    kernel_free(building->slots, building->room * sizeof(*building->slots));
    *building = larger;
    return true;
}

static bool remember(struct building *building, const struct plist *value, OSObject *object)
{
    if (building->count * 2 >= building->room && !grow(building))
        return false;
    *slot_of(building, value) = (struct built){value, object};
    building->count++;
    return true;
}

/* ---- value to object ---- */

static bool fill_dictionary(struct building *building, OSDictionary *dictionary,
                            const struct plist *value)
{
    size_t i;

    for (i = 0; i < plist_count(value); i++) {
        OSObject *member = make(building, plist_value_at(value, i));
        bool good = member && OSDictionary_setObject_cstring(dictionary, plist_key_at(value, i),
                                                             (OSMetaClassBase *)member);

        object_release(member);
        if (!good)
            return false;
    }
    return true;
}

static bool fill_list(struct building *building, OSObject *list, const struct plist *value)
{
    OSSet *set = object_cast(list, OSSet_metaClass);
    size_t i;

    for (i = 0; i < plist_count(value); i++) {
        OSMetaClassBase *member = (OSMetaClassBase *)make(building, plist_value_at(value, i));
        bool good = member && (set ? OSSet_setObject(set, member) || OSSet_member(set, member)
                                   : OSArray_setObject_metaclassbase((OSArray *)list, member));

        object_release(member);
        if (!good)
            return false;
    }
    return true;
}

static OSObject *make_container(struct building *building, const struct plist *value)
{
    unsigned count = (unsigned)plist_count(value);
    OSObject *object;
    bool good;

    if (building->depth >= PLIST_DEPTH_MAX)
        return NULL;
    building->depth++;
    if (plist_type(value) == PLIST_DICTIONARY) {
        object = (OSObject *)OSDictionary_withCapacity(count);
        good = object && fill_dictionary(building, (OSDictionary *)object, value);
    } else {
        object = plist_type(value) == PLIST_SET ? (OSObject *)OSSet_withCapacity(count)
                                                : (OSObject *)OSArray_withCapacity(count);
        good = object && fill_list(building, object, value);
    }
    building->depth--;
    if (!good)
        object_release_clear(&object);
    return object;
}

static OSObject *make_string(const struct plist *value)
{
    return (OSObject *)OSString_withCString(plist_string(value));
}

static OSObject *make_opaque(const struct plist *value)
{
    size_t length;
    const char *bytes = plist_bytes(value, &length);

    return (OSObject *)OSString_withCString_number(bytes, length);
}

static OSObject *make_scalar(const struct plist *value)
{
    uint64_t number = 0;
    size_t length = 0;
    bool flag = false;
    OSObject *object;

    switch (plist_type(value)) {
    case PLIST_STRING:
        return make_string(value);
    case PLIST_DATA: {
        const void *bytes = plist_bytes(value, &length);

        return (OSObject *)OSData_withBytes(bytes, (unsigned)length);
    }
    case PLIST_INTEGER:
        plist_integer(value, &number);
        return (OSObject *)OSNumber_withNumber_number(number, plist_integer_bits(value));
    case PLIST_BOOLEAN:
        plist_boolean(value, &flag);
        object = (OSObject *)OSBoolean_withBoolean(flag);
        object_retain(object);
        return object;
    default:
        return make_opaque(value);
    }
}

static OSObject *make(struct building *building, const struct plist *value)
{
    OSObject *object;

    if (!plist_is(value, PLIST_DICTIONARY) && !plist_is(value, PLIST_ARRAY) &&
        !plist_is(value, PLIST_SET))
        return make_scalar(value);
    object = building->room ? slot_of(building, value)->object : NULL;
    if (object) {
        object_retain(object);
        return object;
    }
    object = make_container(building, value);
    if (object && !remember(building, value, object))
        object_release_clear(&object);
    return object;
}

OSObject *object_from_plist(const struct plist *value)
{
    struct building building = {.depth = 0};
    OSObject *object = value ? make(&building, value) : NULL;

    kernel_free(building.slots, building.room * sizeof(*building.slots));
    return object;
}

/* ---- object to value ---- */

static struct plist *value_of(const OSObject *object, const char *without, unsigned depth);

static bool has_value(const OSObject *object)
{
    return as_collection(object) || as_string(object) || as_number(object) || as_data(object) ||
           object_cast(object, OSBoolean_metaClass);
}

/* False: no memory. An object that no value stands for is left out: *member is NULL. */
static bool value_of_member(const OSObject *object, unsigned depth, struct plist **member)
{
    *member = value_of(object, NULL, depth);
    return *member || depth >= PLIST_DEPTH_MAX || !has_value(object);
}

/* An iterator that finds no memory ends early. */
static struct plist *when_complete(struct plist *value, unsigned seen, const void *collection)
{
    if (seen == OSCollection_getCount((OSCollection *)collection))
        return value;
    plist_release(value);
    return NULL;
}

static struct plist *value_of_dictionary(OSDictionary *dictionary, const char *without,
                                         unsigned depth)
{
    OSCollectionIterator *iterator =
        OSCollectionIterator_withCollection((OSCollection *)dictionary);
    struct plist *value = iterator ? plist_new_dictionary() : NULL;
    unsigned seen = 0;
    OSSymbol *key;

    for (; value && (key = iterator_next((OSIterator *)iterator)); seen++) {
        const char *name = OSString_getCStringNoCopy((OSString *)key);
        struct plist *member;

        if (without && strcmp(name, without) == 0)
            continue;
        if (!value_of_member(OSDictionary_getObject_symbol(dictionary, key), depth + 1, &member) ||
            (member && !plist_dictionary_set(value, name, member))) {
            plist_release(value);
            value = NULL;
        }
    }
    object_release(iterator);
    return when_complete(value, seen, dictionary);
}

static struct plist *value_of_list(OSCollection *list, struct plist *value, unsigned depth)
{
    OSCollectionIterator *iterator = OSCollectionIterator_withCollection(list);
    unsigned seen = 0;
    OSObject *object;

    for (; value && iterator && (object = iterator_next((OSIterator *)iterator)); seen++) {
        struct plist *member;

        if (!value_of_member(object, depth + 1, &member) ||
            (member && !plist_array_append(value, member))) {
            plist_release(value);
            value = NULL;
        }
    }
    object_release(iterator);
    return when_complete(value, seen, list);
}

static struct plist *value_of_scalar(const OSObject *object)
{
    OSString *string = as_string(object);
    OSNumber *number = as_number(object);
    OSData *data = as_data(object);
    OSBoolean *boolean = object_cast(object, OSBoolean_metaClass);

    if (string)
        return plist_new_string(OSString_getCStringNoCopy(string), OSString_getLength(string));
    if (number)
        return plist_new_integer(OSNumber_unsigned64BitValue(number),
                                 OSNumber_numberOfBits(number));
    if (data)
        return plist_new_data(OSData_getBytesNoCopy(data), OSData_getLength(data));
    return boolean ? plist_new_boolean(OSBoolean_isTrue(boolean)) : NULL;
}

static struct plist *value_of(const OSObject *object, const char *without, unsigned depth)
{
    OSDictionary *dictionary = as_dictionary(object);

    if (depth >= PLIST_DEPTH_MAX)
        return NULL;
    if (dictionary)
        return value_of_dictionary(dictionary, without, depth);
    if (as_array(object))
        return value_of_list(as_collection(object), plist_new_array(), depth);
    if (as_collection(object))
        return value_of_list(as_collection(object), plist_new_set(), depth);
    return value_of_scalar(object);
}

struct plist *plist_from_object(const OSObject *object, const char *without)
{
    return value_of(object, without, 0);
}
