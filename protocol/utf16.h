/* SPDX-License-Identifier: BSD-3-Clause */
/* UTF-16 as it stands in Hyper-V's messages, to and from UTF-8. What is no valid text (a surrogate
 * alone, a bad UTF-8 sequence) becomes U+FFFD, so both directions always give valid text. */
#ifndef PROTOCOL_UTF16_H
#define PROTOCOL_UTF16_H

#include <stddef.h>
#include <stdint.h>

#define UTF16_REPLACEMENT 0xFFFDu

/* Writes the code point as UTF-8 to `to` (4 bytes); returns how many bytes. */
static inline size_t utf8_put(uint32_t code, uint8_t to[4])
{
    if (code < 0x80) {
        to[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (uint8_t)(0xC0 | code >> 6);
        to[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (uint8_t)(0xE0 | code >> 12);
        to[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        to[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    to[0] = (uint8_t)(0xF0 | code >> 18);
    to[1] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    to[2] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    to[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}

/* Takes the code point at units[*at] (two bytes each, any alignment) and moves *at on. */
static inline uint32_t utf16_take(const uint8_t *units, size_t count, size_t *at)
{
    uint32_t first = (uint32_t)units[2 * *at] | (uint32_t)units[2 * *at + 1] << 8, second;

    (*at)++;
    if (first < 0xD800 || first > 0xDFFF)
        return first;
    if (first >= 0xDC00 || *at >= count)
        return UTF16_REPLACEMENT;
    second = (uint32_t)units[2 * *at] | (uint32_t)units[2 * *at + 1] << 8;
    if (second < 0xDC00 || second > 0xDFFF)
        return UTF16_REPLACEMENT;
    (*at)++;
    return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

/* Turns at most `count` units, up to the first NUL, into UTF-8 with a NUL in `size` (> 0) bytes;
 * what
 * does not fit is cut off between code points. Returns the length without the NUL. */
static inline size_t utf16_to_utf8(const void *units, size_t count, char *to, size_t size)
{
    size_t at = 0, length = 0;

    while (at < count) {
        uint8_t bytes[4];
        uint32_t code = utf16_take(units, count, &at);
        size_t used = utf8_put(code, bytes);

        if (code == 0 || length + used >= size)
            break;
        for (size_t i = 0; i < used; i++)
            to[length++] = (char)bytes[i];
    }
    to[length] = '\0';
    return length;
}

/* Takes the code point at *text and moves *text on. */
static inline uint32_t utf8_take(const char **text)
{
    static const uint32_t smallest[] = { 0, 0x80, 0x800, 0x10000 };
    uint8_t first = (uint8_t)*(*text)++;
    unsigned more = first >= 0xF0 && first < 0xF5 ? 3 : first >= 0xE0 ? 2 : first >= 0xC2 ? 1 : 0;
    uint32_t code = first & (0x3Fu >> more);

    if (first < 0x80)
        return first;
    if (more == 0 || first >= 0xF5)
        return UTF16_REPLACEMENT;
    for (unsigned i = 0; i < more; i++) {
        if (((uint8_t)**text & 0xC0) != 0x80)
            return UTF16_REPLACEMENT;
        code = code << 6 | ((uint8_t)*(*text)++ & 0x3F);
    }
    if (code < smallest[more] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return UTF16_REPLACEMENT;
    return code;
}

/* Turns the UTF-8 text into UTF-16 with a NUL in `count` (> 0) units at `to` (any alignment); what
 * does not fit is cut off between code points. Returns the units written, the NUL included. */
static inline size_t utf8_to_utf16(const char *text, void *to, size_t count)
{
    uint8_t *bytes = to;
    size_t length = 0;

    while (*text != '\0') {
        uint32_t code = utf8_take(&text);
        uint32_t units[2] = { code, 0 };
        size_t used = 1;

        if (code >= 0x10000) {
            units[0] = 0xD800 + ((code - 0x10000) >> 10);
            units[1] = 0xDC00 + ((code - 0x10000) & 0x3FF);
            used = 2;
        }
        if (length + used >= count)
            break;
        for (size_t i = 0; i < used; i++, length++) {
            bytes[2 * length] = (uint8_t)units[i];
            bytes[2 * length + 1] = (uint8_t)(units[i] >> 8);
        }
    }
    bytes[2 * length] = 0;
    bytes[2 * length + 1] = 0;
    return length + 1;
}

#endif
