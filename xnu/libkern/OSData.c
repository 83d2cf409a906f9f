/* SPDX-License-Identifier: BSD-3-Clause */
/* OSData: bytes, owned or borrowed. Borrowed data has the capacity DATA_BORROWED and cannot grow.
 * Source of the rules: xnu libkern/c++/OSData.cpp. */
#include "abi/kpi/libkern.h"

#include "xnu/libkern/object.h"

enum { INCREMENT_DEFAULT = 16 };
#define DATA_BORROWED UINT32_MAX

typedef void deallocate_function(void *memory, unsigned length);

struct data_expansion {
    deallocate_function *deallocate; /* for borrowed bytes */
    bool not_serializable;
};

/* ---- making one ---- */

bool OSData__initWithCapacity(OSData *me, unsigned capacity)
{
    if (!OSObject_super_init((OSObject *)me))
        return false;
    if (capacity && !me->data) {
        me->data = kernel_allocate(capacity);
        if (!me->data)
            return false;
        me->capacity = capacity;
    }
    me->length = 0;
    me->capacityIncrement = capacity > INCREMENT_DEFAULT ? capacity : INCREMENT_DEFAULT;
    return true;
}

bool OSData__initWithBytes(OSData *me, const void *bytes, unsigned length)
{
    if ((length && !bytes) || !OSData_initWithCapacity(me, length))
        return false;
    if (length)
        memcpy(me->data, bytes, length);
    me->length = length;
    return true;
}

bool OSData__initWithBytesNoCopy(OSData *me, void *bytes, unsigned length)
{
    if (!OSObject_super_init((OSObject *)me))
        return false;
    me->length = length;
    me->capacity = DATA_BORROWED;
    me->capacityIncrement = INCREMENT_DEFAULT;
    me->data = bytes;
    return true;
}

bool OSData__initWithData(OSData *me, const OSData *other)
{
    return other && OSData_initWithBytes(me, other->data, other->length);
}

bool OSData__initWithData_number(OSData *me, const OSData *other, unsigned start,
                                             unsigned length)
{
    const void *bytes = OSData_getBytesNoCopy_number((OSData *)other, start, length);

    return (bytes || length == 0) && OSData_initWithBytes(me, bytes, length);
}

OSData *OSData_withCapacity(unsigned capacity)
{
    OSData *me = object_new(&OSData_gMetaClass);

    if (me && !OSData_initWithCapacity(me, capacity))
        object_release_clear(&me);
    return me;
}

OSData *OSData_withBytes(const void *bytes, unsigned length)
{
    OSData *me = object_new(&OSData_gMetaClass);

    if (me && !OSData_initWithBytes(me, bytes, length))
        object_release_clear(&me);
    return me;
}

OSData *OSData_withBytesNoCopy(void *bytes, unsigned length)
{
    OSData *me = object_new(&OSData_gMetaClass);

    if (me && !OSData_initWithBytesNoCopy(me, bytes, length))
        object_release_clear(&me);
    return me;
}

OSData *OSData_withData(const OSData *other)
{
    OSData *me = object_new(&OSData_gMetaClass);

    if (me && !OSData_initWithData(me, other))
        object_release_clear(&me);
    return me;
}

OSData *OSData_withData_number(const OSData *other, unsigned start, unsigned length)
{
    OSData *me = object_new(&OSData_gMetaClass);

    if (me && !OSData_initWithData_number(me, other, start, length))
        object_release_clear(&me);
    return me;
}

static struct data_expansion *expansion_of(OSData *me, bool make)
{
    if (!me->reserved && make)
        me->reserved = kernel_allocate(sizeof(struct data_expansion));
    return (struct data_expansion *)me->reserved;
}

void OSData__free(OSData *me)
{
    struct data_expansion *expansion = expansion_of(me, false);

    if (me->capacity != DATA_BORROWED)
        kernel_free(me->data, me->capacity);
    else if (expansion && expansion->deallocate && me->data && me->length)
        expansion->deallocate(me->data, me->length);
    kernel_free(expansion, sizeof(*expansion));
    OSObject_super_free((OSObject *)me);
}

/* ---- size ---- */

unsigned OSData__getLength(OSData *me)
{
    return me->length;
}

unsigned OSData__getCapacity(OSData *me)
{
    return me->capacity == DATA_BORROWED ? me->length : me->capacity;
}

unsigned OSData__getCapacityIncrement(OSData *me)
{
    return me->capacityIncrement;
}

unsigned OSData__setCapacityIncrement(OSData *me, unsigned increment)
{
    return me->capacityIncrement = increment;
}

unsigned OSData__ensureCapacity(OSData *me, unsigned wanted)
{
    uint64_t step = me->capacityIncrement ? me->capacityIncrement : 1;
    uint64_t rounded = ((uint64_t)wanted + step - 1) / step * step;
    void *larger;

    if (me->capacity == DATA_BORROWED || wanted <= me->capacity || rounded >= DATA_BORROWED)
        return OSData_getCapacity(me);
    larger = kernel_reallocate(me->data, me->capacity, me->length, (size_t)rounded);
    if (larger) {
        me->data = larger;
        me->capacity = (unsigned)rounded;
    }
    return me->capacity;
}

/* Room for `length` more bytes; NULL if the data is borrowed or there is no memory. */
static unsigned char *room_at_end(OSData *me, unsigned length)
{
    unsigned wanted;

    if (me->capacity == DATA_BORROWED || __builtin_add_overflow(me->length, length, &wanted))
        return NULL;
    if (wanted > me->capacity && OSData_ensureCapacity(me, wanted) < wanted)
        return NULL;
    return (unsigned char *)me->data + me->length;
}

/* ---- contents ---- */

/* bytes NULL appends zeros. */
bool OSData__appendBytes_pointer(OSData *me, const void *bytes, unsigned length)
{
    unsigned char *room;

    if (length == 0)
        return true;
    room = room_at_end(me, length);
    if (!room)
        return false;
    if (bytes)
        memcpy(room, bytes, length);
    else
        memset(room, 0, length);
    me->length += length;
    return true;
}

bool OSData__appendBytes_data(OSData *me, const OSData *other)
{
    return OSData_appendBytes_pointer(me, other->data, other->length);
}

bool OSData__appendByte(OSData *me, unsigned char byte, unsigned count)
{
    unsigned char *room;

    if (count == 0)
        return true;
    room = room_at_end(me, count);
    if (!room)
        return false;
    memset(room, byte, count);
    me->length += count;
    return true;
}

const void *OSData__getBytesNoCopy(OSData *me)
{
    return me->length ? me->data : NULL;
}

const void *OSData__getBytesNoCopy_number(OSData *me, unsigned start, unsigned length)
{
    if (!length || length > me->length || start > me->length - length)
        return NULL;
    return (const char *)me->data + start;
}

void OSData__setDeallocFunction(OSData *me, deallocate_function *function)
{
    struct data_expansion *expansion = expansion_of(me, true);

    if (expansion)
        expansion->deallocate = function;
}

void OSData_setSerializable(OSData *me, bool serializable)
{
    struct data_expansion *expansion = expansion_of(me, true);

    if (expansion)
        expansion->not_serializable = !serializable;
}

bool OSData_isSerializable(OSData *me)
{
    struct data_expansion *expansion = expansion_of(me, false);

    return !expansion || !expansion->not_serializable;
}

/* ---- equality: with data, bytes, and strings with or without their NUL ---- */

bool OSData__isEqualTo_pointer_number(OSData *me, const void *bytes, unsigned length)
{
    return me->length == length && (length == 0 || memcmp(me->data, bytes, length) == 0);
}

bool OSData__isEqualTo_data(OSData *me, const OSData *other)
{
    return OSData_isEqualTo_pointer_number(me, other->data, other->length);
}

bool OSData__isEqualTo_string(OSData *me, const OSString *string)
{
    return string && OSString_isEqualTo_data((OSString *)string, me);
}

bool OSData__isEqualTo(OSData *me, const OSMetaClassBase *other)
{
    OSData *data = as_data(other);
    OSString *string;

    if (data)
        return OSData_isEqualTo_data(me, data);
    string = as_string(other);
    return string && OSData_isEqualTo_string(me, string);
}

/* ---- XML: base64 ---- */

static bool add_base64(const unsigned char *bytes, unsigned length, OSSerialize *serializer)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned i, k;

    for (i = 0; i < length; i += 3) {
        unsigned left = length - i;
        unsigned group = bytes[i] << 16 | (left > 1 ? bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);

        for (k = 0; k < 4; k++) {
            char digit = k > left ? '=' : digits[group >> (18 - 6 * k) & 0x3f];

            if (!OSSerialize_addChar(serializer, digit))
                return false;
        }
    }
    return true;
}

bool OSData__serialize(OSData *me, OSSerialize *serializer)
{
    if (OSSerialize_previouslySerialized(serializer, (OSMetaClassBase *)me))
        return true;
    return OSSerialize_addXMLStartTag(serializer, (OSMetaClassBase *)me, "data") &&
           (!OSData_isSerializable(me) || add_base64(me->data, me->length, serializer)) &&
           OSSerialize_addXMLEndTag(serializer, "data");
}
