/* SPDX-License-Identifier: BSD-3-Clause */
/* Characters as UTF-8 (RFC 3629). */
#ifndef MACHV_MATCH_UTF8_H
#define MACHV_MATCH_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Writes a character of up to 0x1FFFFF in 1 to 4 bytes, without a NUL, and returns how many. That
 * it is one that Unicode has is the caller's to see to. */
static inline size_t utf8_put(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

#endif
