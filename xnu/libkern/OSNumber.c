/* SPDX-License-Identifier: BSD-3-Clause */
/* OSNumber: an unsigned integer of 1 to 64 bits.
 * Source of the rules: xnu libkern/c++/OSNumber.cpp. */
#include "xnu/bsd/format.h"
#include "xnu/bsd/kpi_string.h"
#include "xnu/libkern/object.h"

enum { BITS_MAX = 64, TEXT_SIZE = 32 };

static uint64_t truncated(uint64_t value, unsigned bits)
{
    return bits >= BITS_MAX ? value : value & ((UINT64_C(1) << bits) - 1);
}

bool OSNumber__init_number_number(OSNumber *me, uint64_t value, unsigned bits)
{
    if (!OSObject_super_init((OSObject *)me) || bits > BITS_MAX)
        return false;
    me->size = bits;
    me->value = truncated(value, bits);
    return true;
}

/* Decimal, or 0x and hexadecimal, or 0 and octal. */
bool OSNumber__init_cstring_number(OSNumber *me, const char *text, unsigned bits)
{
    return text && OSNumber_init_number_number(me, kernel_strtoul(text, NULL, 0), bits);
}

OSNumber *OSNumber_withNumber_number(uint64_t value, unsigned bits)
{
    OSNumber *me = object_new(&OSNumber_gMetaClass);

    if (me && !OSNumber_init_number_number(me, value, bits))
        object_release_clear(&me);
    return me;
}

OSNumber *OSNumber_withNumber_cstring(const char *text, unsigned bits)
{
    OSNumber *me = object_new(&OSNumber_gMetaClass);

    if (me && !OSNumber_init_cstring_number(me, text, bits))
        object_release_clear(&me);
    return me;
}

void OSNumber__free(OSNumber *me)
{
    OSObject_super_free((OSObject *)me);
}

unsigned OSNumber__numberOfBits(OSNumber *me)
{
    return me->size;
}

unsigned OSNumber__numberOfBytes(OSNumber *me)
{
    return (me->size + 7) / 8;
}

unsigned char OSNumber__unsigned8BitValue(OSNumber *me)
{
    return (unsigned char)me->value;
}

unsigned short OSNumber__unsigned16BitValue(OSNumber *me)
{
    return (unsigned short)me->value;
}

unsigned OSNumber__unsigned32BitValue(OSNumber *me)
{
    return (unsigned)me->value;
}

uint64_t OSNumber__unsigned64BitValue(OSNumber *me)
{
    return me->value;
}

void OSNumber__addValue(OSNumber *me, int64_t value)
{
    me->value = truncated(me->value + (uint64_t)value, me->size);
}

void OSNumber__setValue(OSNumber *me, uint64_t value)
{
    me->value = truncated(value, me->size);
}

/* Widths do not matter, values do. */
bool OSNumber__isEqualTo_number(OSNumber *me, const OSNumber *other)
{
    return me->value == other->value;
}

bool OSNumber__isEqualTo(OSNumber *me, const OSMetaClassBase *other)
{
    OSNumber *number = as_number(other);

    return number && OSNumber_isEqualTo_number(me, number);
}

bool OSNumber__serialize(OSNumber *me, OSSerialize *serializer)
{
    char text[TEXT_SIZE];

    if (OSSerialize_previouslySerialized(serializer, (OSMetaClassBase *)me))
        return true;
    format_text(text, sizeof(text), "integer size=\"%u\"", me->size);
    if (!OSSerialize_addXMLStartTag(serializer, (OSMetaClassBase *)me, text))
        return false;
    format_text(text, sizeof(text), "0x%llx", (unsigned long long)me->value);
    return OSSerialize_addString(serializer, text) &&
           OSSerialize_addXMLEndTag(serializer, "integer");
}
