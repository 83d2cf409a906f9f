/* SPDX-License-Identifier: BSD-3-Clause */
/* Structure of a binary property list (format: CoreFoundation CFBinaryPList.c), checked before a
 * library that copies shared values gets to see it: a few hundred bytes can otherwise stand for
 * gigabytes. */
#include "match/plist_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_SIZE = 8, TRAILER_SIZE = 32 };

enum object_type {
    TYPE_SIMPLE = 0,
    TYPE_INTEGER,
    TYPE_REAL,
    TYPE_DATE,
    TYPE_DATA,
    TYPE_ASCII,
    TYPE_UNICODE,
    TYPE_UID = 8,
    TYPE_ARRAY = 10,
    TYPE_SET = 12,
    TYPE_DICTIONARY = 13
};

struct document {
    const unsigned char *bytes;
    size_t size;
    unsigned offset_width;
    unsigned reference_width;
    uint64_t count;
    uint64_t table; /* offset of the offset table; objects end there */
    uint32_t
        *weight; /* values below and including the object; 0 not visited, OPEN on the way down */
    struct plist_diagnostic *error;
};

static const uint32_t weight_open = UINT32_MAX;

__attribute__((format(printf, 3, 4))) static bool fail(const struct document *document,
                                                       uint64_t offset, const char *format, ...)
{
    va_list arguments;

    document->error->offset = (size_t)offset;
    va_start(arguments, format);
    vsnprintf(document->error->text, sizeof document->error->text, format, arguments);
    va_end(arguments);
    return false;
}

static uint64_t big_endian(const unsigned char *bytes, unsigned width)
{
    uint64_t number = 0;

    while (width-- > 0)
        number = number << 8 | *bytes++;
    return number;
}

static bool read_trailer(struct document *document)
{
    const unsigned char *trailer = document->bytes + document->size - TRAILER_SIZE;

    if (document->size < HEADER_SIZE + TRAILER_SIZE + 1)
        return fail(document, document->size, "a binary property list of only %zu bytes",
                    document->size);
    document->offset_width = trailer[6];
    document->reference_width = trailer[7];
    document->count = big_endian(trailer + 8, 8);
    document->table = big_endian(trailer + 24, 8);
    if (document->offset_width == 0 || document->offset_width > 8 ||
        document->reference_width == 0 || document->reference_width > 8)
        return fail(document, document->size - TRAILER_SIZE,
                    "widths of offsets and references are %u and %u", document->offset_width,
                    document->reference_width);
    if (document->count == 0 || document->count > PLIST_OBJECTS_MAX)
        return fail(document, document->size - TRAILER_SIZE + 8, "it claims %llu objects",
                    (unsigned long long)document->count);
    if (document->table < HEADER_SIZE || document->table > document->size - TRAILER_SIZE ||
        document->count * document->offset_width > document->size - TRAILER_SIZE - document->table)
        return fail(document, document->size - TRAILER_SIZE + 24,
                    "the offset table lies outside the file");
    return true;
}

/* Length of an object's contents: in the low half of the marker, or as an integer object behind it.
 */
static bool read_length(const struct document *document, uint64_t *at, uint64_t *length)
{
    unsigned marker = document->bytes[*at - 1];
    unsigned width;

    *length = marker & 0xF;
    if (*length != 0xF)
        return true;
    if (*at >= document->table || document->bytes[*at] >> 4 != TYPE_INTEGER ||
        (document->bytes[*at] & 0xF) > 3)
        return fail(document, *at, "a length that is no integer");
    width = 1u << (document->bytes[*at] & 0xF);
    if (document->table - *at - 1 < width)
        return fail(document, *at, "a length outside the objects");
    *length = big_endian(document->bytes + *at + 1, width);
    *at += 1 + width;
    return true;
}

static bool check_object(struct document *document, uint64_t object, unsigned depth,
                         uint32_t *weight);

static bool check_references(struct document *document, uint64_t at, uint64_t count,
                             bool dictionary, unsigned depth, uint64_t *sum)
{
    uint64_t index;

    for (index = 0; index < count; index++) {
        const unsigned char *reference = document->bytes + at + index * document->reference_width;
        uint64_t object = big_endian(reference, document->reference_width);
        uint32_t weight;

        if (!check_object(document, object, depth + 1, &weight))
            return false;
        if (dictionary && index < count / 2) {
            uint64_t key =
                big_endian(document->bytes + document->table + object * document->offset_width,
                           document->offset_width);

            if (document->bytes[key] >> 4 != TYPE_ASCII &&
                document->bytes[key] >> 4 != TYPE_UNICODE)
                return fail(document, key, "a key that is no string");
        }
        *sum += weight;
        if (*sum > PLIST_OBJECTS_MAX)
            return fail(document, at, "shared values stand for more than %d", PLIST_OBJECTS_MAX);
    }
    return true;
}

static bool check_body(struct document *document, uint64_t at, unsigned depth, uint64_t *sum)
{
    unsigned type = document->bytes[at] >> 4;
    unsigned low = document->bytes[at] & 0xF;
    uint64_t start = at++;
    uint64_t length = 0;
    uint64_t width = 1;
    bool container = type == TYPE_ARRAY || type == TYPE_SET || type == TYPE_DICTIONARY;

    switch (type) {
    case TYPE_SIMPLE:
        return low == 8 || low == 9 || fail(document, start, "object of unknown type 0x%02x", low);
    case TYPE_INTEGER:
    case TYPE_REAL:
    case TYPE_DATE:
        length = UINT64_C(1) << low;
        if (low > (type == TYPE_INTEGER ? 4u : 3u))
            return fail(document, start, "a number of 2^%u bytes", low);
        break;
    case TYPE_UID:
        length = low + 1;
        break;
    case TYPE_DATA:
    case TYPE_ASCII:
    case TYPE_UNICODE:
    case TYPE_ARRAY:
    case TYPE_SET:
    case TYPE_DICTIONARY:
        if (!read_length(document, &at, &length))
            return false;
        width = type == TYPE_UNICODE ? 2 : container ? document->reference_width : 1;
        if (type == TYPE_DICTIONARY)
            width *= 2;
        break;
    default:
        return fail(document, start, "object of unknown type 0x%x", type);
    }
    if (length > (document->table - at) / width)
        return fail(document, start,
                    "an object of %llu bytes or elements reaches outside the objects",
                    (unsigned long long)length);
    return !container ||
           check_references(document, at, type == TYPE_DICTIONARY ? length * 2 : length,
                            type == TYPE_DICTIONARY, depth, sum);
}

static bool check_object(struct document *document, uint64_t object, unsigned depth,
                         uint32_t *weight)
{
    uint64_t sum = 1;
    uint64_t at;

    if (object >= document->count)
        return fail(document, document->table, "reference to object %llu of %llu",
                    (unsigned long long)object, (unsigned long long)document->count);
    if (depth >= PLIST_DEPTH_MAX)
        return fail(document, document->table, "values are nested deeper than %d", PLIST_DEPTH_MAX);
    if (document->weight[object] == weight_open)
        return fail(document, document->table, "object %llu contains itself",
                    (unsigned long long)object);
    if (document->weight[object] != 0) {
        *weight = document->weight[object];
        return true;
    }
    at = big_endian(document->bytes + document->table + object * document->offset_width,
                    document->offset_width);
    if (at < HEADER_SIZE || at >= document->table)
        return fail(document, document->table + object * document->offset_width,
                    "object %llu lies outside the objects", (unsigned long long)object);
    document->weight[object] = weight_open;
    if (!check_body(document, at, depth, &sum))
        return false;
    document->weight[object] = (uint32_t)sum;
    *weight = (uint32_t)sum;
    return true;
}

bool plist_check_binary(const void *bytes, size_t size, struct plist_diagnostic *error)
{
    struct document document = { .bytes = bytes, .size = size, .error = error };
    uint64_t top;
    uint32_t weight;
    bool good;

    *error = (struct plist_diagnostic){ 0 };
    if (size < HEADER_SIZE || memcmp(bytes, "bplist00", HEADER_SIZE) != 0)
        return fail(&document, 0, "not \"bplist00\"");
    if (!read_trailer(&document))
        return false;
    top = big_endian(document.bytes + size - TRAILER_SIZE + 16, 8);
    document.weight = calloc((size_t)document.count, sizeof *document.weight);
    if (document.weight == NULL)
        return fail(&document, 0, "out of memory");
    good = check_object(&document, top, 0, &weight);
    free(document.weight);
    return good;
}
