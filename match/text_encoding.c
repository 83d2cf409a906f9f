/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/text_encoding.h"

#include "match/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { REPLACEMENT = 0xFFFD, CONTROL_Z = 0x1A };

static uint32_t unit_at(const unsigned char *bytes, size_t index, bool big)
{
    return big ? (uint32_t)bytes[index] << 8 | bytes[index + 1]
               : (uint32_t)bytes[index + 1] << 8 | bytes[index];
}

static size_t decode_utf16(const unsigned char *bytes, size_t size, bool big,
                           struct text_encoding *encoding, char *out)
{
    size_t made = 0;
    size_t index;

    encoding->cut = size % 2 != 0;
    for (index = 0; index + 1 < size; index += 2) {
        uint32_t code = unit_at(bytes, index, big);

        if (code == 0 || code == CONTROL_Z)
            break;
        if (code >= 0xD800 && code < 0xDC00 && index + 3 < size) {
            uint32_t low = unit_at(bytes, index + 2, big);

            if (low >= 0xDC00 && low < 0xE000) {
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                index += 2;
            }
        }
        if (code >= 0xD800 && code < 0xE000) {
            encoding->bad_units++;
            code = REPLACEMENT;
        }
        made += utf8_put(out + made, code);
    }
    return made;
}

/* Bytes of the well-formed UTF-8 character at `bytes`, or 0. */
static size_t utf8_length(const unsigned char *bytes, size_t size)
{
    size_t length = bytes[0] < 0x80                       ? 1
                    : bytes[0] >= 0xF0 && bytes[0] < 0xF5 ? 4
                    : bytes[0] >= 0xE0 && bytes[0] < 0xF0 ? 3
                    : bytes[0] >= 0xC2 && bytes[0] < 0xE0 ? 2
                                                          : 0;
    size_t index;

    if (length > size)
        return 0;
    for (index = 1; index < length; index++)
        if ((bytes[index] & 0xC0) != 0x80)
            return 0;
    if ((bytes[0] == 0xE0 && bytes[1] < 0xA0) || (bytes[0] == 0xED && bytes[1] >= 0xA0) ||
        (bytes[0] == 0xF0 && bytes[1] < 0x90) || (bytes[0] == 0xF4 && bytes[1] >= 0x90))
        return 0;
    return length;
}

static bool is_utf8(const unsigned char *bytes, size_t size)
{
    size_t index;
    size_t length;

    for (index = 0; index < size; index += length) {
        length = utf8_length(bytes + index, size - index);
        if (length == 0)
            return false;
    }
    return true;
}

/* 0x80 - 0x9f of code page 1252; 0 where it has no character. */
static const uint16_t page_1252[] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

static size_t decode_bytes(const unsigned char *bytes, size_t size, unsigned code_page,
                           struct text_encoding *encoding, char *out)
{
    size_t made = 0;
    size_t index;

    for (index = 0; index < size; index++) {
        uint32_t code = bytes[index];

        if (code_page == 1252 && code >= 0x80 && code < 0xA0) {
            code = page_1252[code - 0x80];
            encoding->bad_units += code == 0;
            code = code == 0 ? REPLACEMENT : code;
        }
        made += utf8_put(out + made, code);
    }
    return made;
}

/* UTF-16 without a mark: one half of nearly all units of the first lines is 0. */
static bool looks_like_utf16(const unsigned char *bytes, size_t size, bool big)
{
    size_t window = size < 256 ? size & ~(size_t)1 : 256;
    size_t zeros = 0;
    size_t index;

    for (index = big ? 0 : 1; index < window; index += 2)
        zeros += bytes[index] == 0;
    return window >= 4 && zeros * 10 >= window / 2 * 9 && bytes[big ? 1 : 0] != 0;
}

static size_t text_end(const unsigned char *bytes, size_t size)
{
    size_t index;

    for (index = 0; index < size; index++)
        if (bytes[index] == 0 || bytes[index] == CONTROL_Z)
            break;
    return index;
}

static size_t decode(const unsigned char *bytes, size_t size, unsigned code_page,
                     struct text_encoding *encoding, char *out)
{
    if (size >= 2 &&
        ((bytes[0] == 0xFF && bytes[1] == 0xFE) || (bytes[0] == 0xFE && bytes[1] == 0xFF))) {
        encoding->has_mark = true;
        encoding->name = bytes[0] == 0xFF ? "UTF-16LE" : "UTF-16BE";
        return decode_utf16(bytes + 2, size - 2, bytes[0] == 0xFE, encoding, out);
    }
    if (looks_like_utf16(bytes, size, false) || looks_like_utf16(bytes, size, true)) {
        encoding->guessed = true;
        encoding->name = looks_like_utf16(bytes, size, false) ? "UTF-16LE" : "UTF-16BE";
        return decode_utf16(bytes, size, !looks_like_utf16(bytes, size, false), encoding, out);
    }
    if (size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
        encoding->has_mark = true;
        bytes += 3;
        size -= 3;
    }
    size = text_end(bytes, size);
    encoding->name = "UTF-8";
    if (is_utf8(bytes, size)) {
        memcpy(out, bytes, size);
        return size;
    }
    encoding->name = code_page == 1252 ? "code page 1252" : "Latin-1";
    return decode_bytes(bytes, size, code_page, encoding, out);
}

char *text_decode(const char *bytes, size_t size, unsigned code_page,
                  struct text_encoding *encoding, size_t *decoded_size)
{
    char *out = malloc(size * 3 + 1); /* a unit of one or two bytes makes at most three */

    *encoding = (struct text_encoding){ .name = "" };
    if (out == NULL)
        return NULL;
    *decoded_size = decode((const unsigned char *)bytes, size, code_page, encoding, out);
    out[*decoded_size] = '\0';
    return out;
}

char *text_repair_utf8(const char *text)
{
    size_t size = strlen(text);
    char *out = malloc(size * 3 + 1);
    size_t made = 0;
    size_t index;
    size_t length;

    for (index = 0; out != NULL && index < size; index += length) {
        length = utf8_length((const unsigned char *)text + index, size - index);
        if (length == 0) {
            made += utf8_put(out + made, REPLACEMENT);
            length = 1;
        } else {
            memcpy(out + made, text + index, length);
            made += length;
        }
    }
    if (out != NULL)
        out[made] = '\0';
    return out;
}
