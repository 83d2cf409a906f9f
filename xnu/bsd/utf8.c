/* SPDX-License-Identifier: BSD-3-Clause */
/* utf8.c - conversion between UTF-16 and UTF-8 (xnu bsd/vfs/vfs_utfconv.c). Lengths are bytes.
 * Names are neither composed nor decomposed: the flags for that are accepted and do nothing. */
#include "xnu/bsd/kpi.h"

#include "abi/constants.h"
#include "abi/constants/errno.h"
#include "abi/kpi/bsd.h"

enum { REPLACEMENT = 0xFFFD };

static bool is_high_surrogate(uint32_t c)
{
    return c >= 0xD800 && c <= 0xDBFF;
}

static bool is_low_surrogate(uint32_t c)
{
    return c >= 0xDC00 && c <= 0xDFFF;
}

static uint16_t in_order(uint16_t c, int flags)
{
    return flags & UTF_REVERSE_ENDIAN ? __builtin_bswap16(c) : c;
}

/* The next character of UTF-16 and how many units it takes. */
static uint32_t next_character(const uint16_t *text, size_t units, uint16_t alternate_slash,
                               int flags, size_t *used)
{
    uint32_t c = in_order(text[0], flags);

    *used = 1;
    if (is_high_surrogate(c) && units > 1 && is_low_surrogate(in_order(text[1], flags))) {
        *used = 2;
        return 0x10000 + ((c - 0xD800) << 10) + (in_order(text[1], flags) - 0xDC00u);
    }
    if (is_high_surrogate(c) || is_low_surrogate(c))
        return REPLACEMENT;
    if (c == '/' && alternate_slash)
        return alternate_slash;
    return c == 0 ? 0x2400 : c;          /* a name cannot hold a NUL: its symbol stands for it */
}

static size_t encode_one(uint32_t c, uint8_t bytes[4])
{
    if (c < 0x80) {
        bytes[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        bytes[0] = (uint8_t)(0xC0 | c >> 6);
        bytes[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        bytes[0] = (uint8_t)(0xE0 | c >> 12);
        bytes[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        bytes[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    bytes[0] = (uint8_t)(0xF0 | c >> 18);
    bytes[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    bytes[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    bytes[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}

KPI(size_t, utf8_encodelen,
    (const uint16_t *text, size_t size, uint16_t alternate_slash, int flags))
{
    size_t length = 0, units = size / 2, used;
    uint8_t bytes[4];

    for (size_t i = 0; i < units; i += used)
        length +=
            encode_one(next_character(text + i, units - i, alternate_slash, flags, &used), bytes);
    return length;
}

/* ENAMETOOLONG: what fits has been written, without cutting a character. */
KPI(int, utf8_encodestr, (const uint16_t *text, size_t size, uint8_t *out, size_t *out_length,
                          size_t room, uint16_t alternate_slash, int flags))
{
    size_t units = size / 2, used, length = 0;
    size_t most = flags & UTF_NO_NULL_TERM ? room : room == 0 ? 0 : room - 1;
    int error = 0;

    for (size_t i = 0; i < units && !error; i += used) {
        uint8_t bytes[4];
        size_t count =
            encode_one(next_character(text + i, units - i, alternate_slash, flags, &used), bytes);
        if (count > most - length) {
            error = ENAMETOOLONG;
            break;
        }
        __builtin_memcpy(out + length, bytes, count);
        length += count;
    }
    *out_length = length;
    if (!(flags & UTF_NO_NULL_TERM) && room != 0)
        out[length] = '\0';
    return error;
}

/* One character of UTF-8; 0 bytes used: it is none. */
static size_t decode_one(const uint8_t *text, size_t size, uint32_t *c)
{
    static const uint32_t smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t length = text[0] < 0x80 ? 1 : text[0] >> 5 == 6 ? 2 : text[0] >> 4 == 14 ? 3
                    : text[0] >> 3 == 30 ? 4 : 0;

    if (length == 0 || length > size)
        return 0;
    *c = length == 1 ? text[0] : text[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        *c = *c << 6 | (text[i] & 0x3F);
    }
    if (*c < smallest[length] || *c > 0x10FFFF || is_high_surrogate(*c) || is_low_surrogate(*c))
        return 0;
    return length;
}

KPI(int, utf8_validatestr, (const uint8_t *text, size_t size))
{
    uint32_t c;

    for (size_t i = 0, used; i < size; i += used) {
        used = decode_one(text + i, size - i, &c);
        if (used == 0)
            return EINVAL;
    }
    return 0;
}

KPI(int, utf8_decodestr, (const uint8_t *text, size_t size, uint16_t *out, size_t *out_length,
                          size_t room, uint16_t alternate_slash, int flags))
{
    size_t most = room / 2, length = 0;
    int error = 0;

    for (size_t i = 0, used; i < size && text[i] != '\0'; i += used) {
        uint32_t c;
        used = decode_one(text + i, size - i, &c);
        if (used == 0) {
            error = EINVAL;
            break;
        }
        if (length + (c >= 0x10000 ? 2 : 1) > most) {
            error = ENAMETOOLONG;
            break;
        }
        if (c == '/' && alternate_slash)
            c = alternate_slash;
        if (c >= 0x10000) {
            out[length++] = in_order((uint16_t)(0xD800 + ((c - 0x10000) >> 10)), flags);
            c = 0xDC00 + ((c - 0x10000) & 0x3FF);
        }
        out[length++] = in_order((uint16_t)c, flags);
    }
    *out_length = length * 2;
    return error;
}
