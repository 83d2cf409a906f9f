/* SPDX-License-Identifier: BSD-3-Clause */
/* OSSerialize: a growing text; an object that comes again is written as a reference to its first
 * place. OSSerializer: a property whose text is made by a call-back when somebody reads it.
 * Source of the rules: xnu libkern/c++/OSSerialize.cpp. */
#include "abi/OSSerializer.h"
#include "abi/kpi/libkern.h"

#include "xnu/bsd/format.h"
#include "xnu/libkern/object.h"

enum { CAPACITY_DEFAULT = 256, TAGS_ROOM = 64, NUMBER_ROOM = 16 };

/* ---- the text ---- */

bool OSSerialize__initWithCapacity(OSSerialize *me, unsigned capacity)
{
    if (!OSObject_super_init((OSObject *)me))
        return false;
    if (!capacity)
        capacity = CAPACITY_DEFAULT;
    me->tags = OSArray_withCapacity(TAGS_ROOM);
    me->data = me->tags ? kernel_allocate(capacity) : NULL;
    if (!me->data)
        return false;
    me->length = 1;
    me->capacity = capacity;
    me->capacityIncrement = capacity;
    return true;
}

OSSerialize *OSSerialize_withCapacity(unsigned capacity)
{
    OSSerialize *me = object_new(&OSSerialize_gMetaClass);

    if (me && !OSSerialize_initWithCapacity(me, capacity))
        object_release_clear(&me);
    return me;
}

void OSSerialize__free(OSSerialize *me)
{
    object_release(me->tags);
    kernel_free(me->data, me->capacity);
    OSObject_super_free((OSObject *)me);
}

char *OSSerialize__text(OSSerialize *me)
{
    return me->data;
}

/* The length counts the terminating NUL. */
unsigned OSSerialize__getLength(OSSerialize *me)
{
    return me->length;
}

void OSSerialize__clearText(OSSerialize *me)
{
    memset(me->data, 0, me->capacity);
    me->length = 1;
    OSCollection_flushCollection((OSCollection *)me->tags);
}

unsigned OSSerialize__getCapacity(OSSerialize *me)
{
    return me->capacity;
}

unsigned OSSerialize__getCapacityIncrement(OSSerialize *me)
{
    return me->capacityIncrement;
}

unsigned OSSerialize__setCapacityIncrement(OSSerialize *me, unsigned increment)
{
    return me->capacityIncrement = increment ? increment : CAPACITY_DEFAULT;
}

unsigned OSSerialize__ensureCapacity(OSSerialize *me, unsigned wanted)
{
    uint64_t rounded = ((uint64_t)wanted + me->capacityIncrement - 1) / me->capacityIncrement *
                       me->capacityIncrement;
    char *larger;

    if (wanted <= me->capacity || rounded > UINT32_MAX)
        return me->capacity;
    larger = kernel_reallocate(me->data, me->capacity, me->length, (size_t)rounded);
    if (larger) {
        me->data = larger;
        me->capacity = (unsigned)rounded;
    }
    return me->capacity;
}

static bool add_bytes(OSSerialize *me, const char *bytes, size_t size)
{
    size_t wanted = me->length + size;

    if (wanted > me->capacity) {
        /* At least doubling, so that a long list costs linear time. */
        size_t larger = wanted > 2 * (size_t)me->capacity ? wanted : 2 * (size_t)me->capacity;

        if (larger > UINT32_MAX || OSSerialize_ensureCapacity(me, (unsigned)larger) < wanted)
            return false;
    }
    memcpy(&me->data[me->length - 1], bytes, size);
    me->length += (unsigned)size;
    me->data[me->length - 1] = '\0';
    return true;
}

bool OSSerialize__addChar(OSSerialize *me, const char character)
{
    return add_bytes(me, &character, 1);
}

bool OSSerialize__addString(OSSerialize *me, const char *text)
{
    return add_bytes(me, text, strlen(text));
}

/* ---- tags ---- */

bool OSSerialize__previouslySerialized(OSSerialize *me, const OSMetaClassBase *object)
{
    unsigned tag = OSArray_getNextIndexOfObject(me->tags, object, 0);
    char number[NUMBER_ROOM];

    if (tag == UINT32_MAX) {
        OSArray_setObject_metaclassbase(me->tags, object);
        return false;
    }
    format_text(number, sizeof(number), "%u", tag);
    return OSSerialize_addString(me, "<reference IDREF=\"") && OSSerialize_addString(me, number) &&
           OSSerialize_addString(me, "\"/>");
}

bool OSSerialize__addXMLStartTag(OSSerialize *me, const OSMetaClassBase *object, const char *tag)
{
    unsigned id = OSArray_getNextIndexOfObject(me->tags, object, 0);
    char number[NUMBER_ROOM];

    if (!OSSerialize_addChar(me, '<') || !OSSerialize_addString(me, tag))
        return false;
    if (id == UINT32_MAX)
        return OSSerialize_addChar(me, '>');
    format_text(number, sizeof(number), "%u", id);
    return OSSerialize_addString(me, " ID=\"") && OSSerialize_addString(me, number) &&
           OSSerialize_addString(me, "\">");
}

bool OSSerialize__addXMLEndTag(OSSerialize *me, const char *tag)
{
    return OSSerialize_addString(me, "</") && OSSerialize_addString(me, tag) &&
           OSSerialize_addChar(me, '>');
}

/* ---- OSSerializer ---- */

OSSerializer *OSSerializer_forTarget(void *target, bool (*callback)(void *, void *, OSSerialize *),
                                     void *reference)
{
    OSSerializer *me = object_new(&OSSerializer_gMetaClass);

    if (me && !OSObject_init((OSObject *)me))
        object_release_clear(&me);
    if (me) {
        me->target = target;
        me->ref = reference;
        me->callback = callback;
    }
    return me;
}

void OSSerializer__free(OSSerializer *me)
{
    OSObject_super_free((OSObject *)me);
}

bool OSSerializer__serialize(OSSerializer *me, OSSerialize *serializer)
{
    return me->callback(me->target, me->ref, serializer);
}
