/* SPDX-License-Identifier: BSD-3-Clause */
/* OSObject: reference counts, the default answers of an object, and its memory.
 *
 * retainCount: low half all references, high half those held by collections. A low half of
 * 0xffff means that free() has begun, 0xfffe that the count is saturated and the object stays
 * for ever. Source of the rules: xnu libkern/c++/OSObject.cpp. */
#include "xnu/bsd/format.h"
#include "xnu/libkern/object.h"

enum {
    COUNT_FREEING = 0xffff,
    COUNT_SATURATED = 0xfffe,
    COLLECTION_UNIT = 1 << 16,
    CLASS_NAME_ROOM = 128,
};

static uint32_t *count_of(OSObject *me)
{
    return (uint32_t *)&me->retainCount;
}

static uint32_t count_unit(const void *tag)
{
    return tag == OSCollection_metaClass ? COLLECTION_UNIT + 1 : 1;
}

/* ---- counting ---- */

bool object_try_retain(OSObject *object)
{
    uint32_t *count = count_of(object);
    uint32_t old = __atomic_load_n(count, __ATOMIC_RELAXED);

    do {
        if ((uint16_t)old == COUNT_FREEING)
            return false;
        if ((uint16_t)old == COUNT_SATURATED)
            return true;
    } while (!__atomic_compare_exchange_n(count, &old, old + 1, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    return true;
}

void OSObject__taggedRetain(OSObject *me, const void *tag)
{
    uint32_t *count = count_of(me);
    uint32_t old = __atomic_load_n(count, __ATOMIC_RELAXED);

    do {
        if ((uint16_t)old == COUNT_FREEING)
            machine_panic("Attempting to retain a freed object: %p", (void *)me);
        if ((uint16_t)old == COUNT_SATURATED)
            return;
    } while (!__atomic_compare_exchange_n(count, &old, old + count_unit(tag), true,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
}

void OSObject__taggedRelease_number(OSObject *me, const void *tag, int when)
{
    uint32_t *count = count_of(me);
    uint32_t old = __atomic_load_n(count, __ATOMIC_RELAXED);
    uint32_t left, new;

    do {
        if ((uint16_t)old >= COUNT_SATURATED)
            return;
        left = old - count_unit(tag);
        if ((uint16_t)left < (left >> 16))
            machine_panic("A kext releasing a(n) %s %p has corrupted the registry.",
                         object_class_name(me), (void *)me);
        new = (int)(uint16_t)left < when ? COUNT_FREEING : left;
    } while (!__atomic_compare_exchange_n(count, &old, new, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    if (new == COUNT_FREEING)
        OSObject_free(me);
}

void OSObject__taggedRelease(OSObject *me, const void *tag)
{
    OSMetaClassBase_taggedRelease_number((OSMetaClassBase *)me, tag, 1);
}

void OSObject__retain(OSObject *me)
{
    OSMetaClassBase_taggedRetain((OSMetaClassBase *)me, NULL);
}

void OSObject__release(OSObject *me)
{
    OSMetaClassBase_taggedRelease((OSMetaClassBase *)me, NULL);
}

void OSObject__release_number(OSObject *me, int when)
{
    OSMetaClassBase_taggedRelease_number((OSMetaClassBase *)me, NULL, when);
}

int OSObject__getRetainCount(OSObject *me)
{
    return (uint16_t)__atomic_load_n(count_of(me), __ATOMIC_RELAXED);
}

/* ---- life ---- */

void OSObject__construct(OSObject *me, const OSMetaClass *metaclass)
{
    me->vtable = &OSObject_table_symbol.slots;
    *count_of(me) = 1;
}

void OSObject__construct_complete(OSObject *me, const OSMetaClass *metaclass)
    __asm("__ZN8OSObjectC1EPK11OSMetaClass");
void OSObject__construct_complete(OSObject *me, const OSMetaClass *metaclass)
{
    OSObject__construct(me, metaclass);
}

/* The constructors without a metaclass: of a class that did not give its own. */
void OSObject_construct_plain(OSObject *me) __asm("__ZN8OSObjectC2Ev");
void OSObject_construct_plain(OSObject *me)
{
    OSObject__construct(me, &OSObject_gMetaClass);
    OSMetaClass_instanceConstructed(&OSObject_gMetaClass);
}

void OSObject_construct_plain_complete(OSObject *me) __asm("__ZN8OSObjectC1Ev");
void OSObject_construct_plain_complete(OSObject *me)
{
    OSObject_construct_plain(me);
}

bool OSObject__init(OSObject *me)
{
    return true;
}

void OSObject__free(OSObject *me)
{
    OSMetaClass *metaclass =
        (OSMetaClass *)OSMetaClassBase_getMetaClass((OSMetaClassBase *)me);

    if (metaclass)
        OSMetaClass_instanceDestructed(metaclass);
    me->vtable->deleting_destructor((OSMetaClassBase *)me);
}

void OSObject__destruct(OSObject *me)
{
    me->vtable = &OSObject_table_symbol.slots;
}

void *OSObject_operator_new(unsigned long size)
{
    return kernel_allocate(size);
}

void OSObject_operator_delete(void *memory, unsigned long size)
{
    kernel_free(memory, size);
}

/* ---- default answers ---- */

int OSObject__Dispatch(OSObject *me, IORPC rpc)
{
    return kIOReturnUnsupported; /* no DriverKit here */
}

/* What the property list of an entry shows for a class without a serialised form. */
bool OSObject__serialize(OSObject *me, OSSerialize *serializer)
{
    char text[CLASS_NAME_ROOM];
    OSString *string;
    bool good;

    format_text(text, sizeof(text), "%s is not serializable", object_class_name(me));
    string = OSString_withCString(text);
    if (!string)
        return false;
    good = OSMetaClassBase_serialize((OSMetaClassBase *)string, serializer);
    object_release(string);
    return good;
}
