/* SPDX-License-Identifier: BSD-3-Clause */
/* OSString: text with a terminating NUL, copied or borrowed.
 * Source of the rules: xnu libkern/c++/OSString.cpp. */
#include "abi/kpi/libkern.h"

#include "xnu/libkern/object.h"
#include "xnu/libkern/string_private.h"

/* ---- making one ---- */

bool OSString__initWithCString(OSString *me, const char *text)
{
    size_t size;

    if (!text || !OSObject_super_init((OSObject *)me))
        return false;
    size = strlen(text) + 1;
    if (size > STRING_SIZE_MAX)
        return false;
    string_of(me)->text = kernel_allocate(size);
    if (!string_of(me)->text)
        return false;
    memcpy(string_of(me)->text, text, size);
    string_of(me)->size = (unsigned)size;
    return true;
}

bool OSString__initWithCStringNoCopy(OSString *me, const char *text)
{
    size_t size;

    if (!text || !OSObject_super_init((OSObject *)me))
        return false;
    size = strlen(text) + 1;
    if (size > STRING_SIZE_MAX)
        return false;
    string_of(me)->flags |= STRING_NO_COPY;
    string_of(me)->text = (char *)text;
    string_of(me)->size = (unsigned)size;
    return true;
}

bool OSString__initWithString(OSString *me, const OSString *other)
{
    return other && OSString_initWithCString(me, string_of(other)->text);
}

OSString *OSString_withCString(const char *text)
{
    OSString *me = object_new(&OSString_gMetaClass);

    if (me && !OSString_initWithCString(me, text))
        object_release_clear(&me);
    return me;
}

OSString *OSString_withCStringNoCopy(const char *text)
{
    OSString *me = object_new(&OSString_gMetaClass);

    if (me && !OSString_initWithCStringNoCopy(me, text))
        object_release_clear(&me);
    return me;
}

OSString *OSString_withString(const OSString *other)
{
    OSString *me = object_new(&OSString_gMetaClass);

    if (me && !OSString_initWithString(me, other))
        object_release_clear(&me);
    return me;
}

/* The first `length` bytes, up to a NUL. */
OSString *OSString_withCString_number(const char *text, unsigned long length)
{
    size_t used = text ? strnlen(text, length) : 0;
    OSString *me;
    char *copy;

    if (!text || used >= STRING_SIZE_MAX)
        return NULL;
    copy = kernel_allocate(used + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, used);
    me = OSString_withCString(copy);
    kernel_free(copy, used + 1);
    return me;
}

void OSString__free(OSString *me)
{
    if (!(string_of(me)->flags & STRING_NO_COPY))
        kernel_free(string_of(me)->text, string_of(me)->size);
    OSObject_super_free((OSObject *)me);
}

/* ---- reading and changing ---- */

unsigned OSString__getLength(OSString *me)
{
    return string_of(me)->size - 1;
}

const char *OSString__getCStringNoCopy(OSString *me)
{
    return string_of(me)->text;
}

char OSString__getChar(OSString *me, unsigned index)
{
    return index < string_of(me)->size ? string_of(me)->text[index] : '\0';
}

bool OSString__setChar(OSString *me, char character, unsigned index)
{
    if ((string_of(me)->flags & STRING_NO_COPY) || index >= string_of(me)->size - 1)
        return false;
    string_of(me)->text[index] = character;
    return true;
}

/* ---- equality: with strings, symbols, C strings, and data with at most one NUL more ---- */

bool OSString__isEqualTo_string(OSString *me, const OSString *other)
{
    return string_of(me)->size == string_of(other)->size &&
           strcmp(string_of(me)->text, string_of(other)->text) == 0;
}

bool OSString__isEqualTo_cstring(OSString *me, const char *text)
{
    return strcmp(string_of(me)->text, text) == 0;
}

bool OSString__isEqualTo_data(OSString *me, const OSData *data)
{
    unsigned data_length, check;

    if (!data)
        return false;
    data_length = OSData_getLength((OSData *)data);
    check = string_of(me)->size;
    if (data_length != check && data_length + 1 != check)
        return false;
    return data_length == 0 ||
           memcmp(string_of(me)->text, OSData_getBytesNoCopy((OSData *)data), data_length) == 0;
}

bool OSString__isEqualTo(OSString *me, const OSMetaClassBase *other)
{
    OSString *string = as_string(other);
    OSData *data;

    if (string)
        return OSString_isEqualTo_string(me, string);
    data = as_data(other);
    return data && OSString_isEqualTo_data(me, data);
}

/* ---- XML ---- */

bool string_serialize_text(const char *text, OSSerialize *serializer)
{
    for (; *text; text++) {
        bool good;

        switch (*text) {
        case '<':
            good = OSSerialize_addString(serializer, "&lt;");
            break;
        case '>':
            good = OSSerialize_addString(serializer, "&gt;");
            break;
        case '&':
            good = OSSerialize_addString(serializer, "&amp;");
            break;
        default:
            good = OSSerialize_addChar(serializer, *text);
        }
        if (!good)
            return false;
    }
    return true;
}

bool OSString__serialize(OSString *me, OSSerialize *serializer)
{
    if (OSSerialize_previouslySerialized(serializer, (OSMetaClassBase *)me))
        return true;
    return OSSerialize_addXMLStartTag(serializer, (OSMetaClassBase *)me, "string") &&
           string_serialize_text(string_of(me)->text, serializer) &&
           OSSerialize_addXMLEndTag(serializer, "string");
}
