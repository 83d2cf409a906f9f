/* SPDX-License-Identifier: BSD-3-Clause */
/* Text of unknown encoding as UTF-8: byte order marks, UTF-16 with and without one, single-byte
 * code pages. */
#ifndef MACHV_MATCH_TEXT_ENCODING_H
#define MACHV_MATCH_TEXT_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

struct text_encoding {
    const char *name; /* "UTF-16LE", "UTF-8", "code page 1252" ... */
    bool has_mark;    /* a byte order mark stood first */
    bool guessed;     /* UTF-16 that has none */
    bool cut;         /* UTF-16 of an odd number of bytes */
    size_t bad_units; /* lone surrogates and undefined bytes, replaced by U+FFFD */
};

/* Decodes `size` bytes. Bytes that are no UTF-8 and have no mark are taken as `code_page` (1252, or
 * 28591 for Latin-1). Returns a NUL-terminated buffer for free(), NULL when memory is out. A NUL or
 * Ctrl-Z ends the text. */
char *text_decode(const char *bytes, size_t size, unsigned code_page,
                  struct text_encoding *encoding, size_t *decoded_size);

/* A copy of `text` in which every byte that is no UTF-8 became U+FFFD; for free(), NULL when memory
 * is out. */
char *text_repair_utf8(const char *text);

#endif
