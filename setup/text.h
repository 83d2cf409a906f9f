/* SPDX-License-Identifier: BSD-3-Clause */
/* Growing text, hexadecimal and base64. Running out of memory ends the program: nothing has been
 * written at that point but into the staging folder.
 */
#ifndef MACHV_SETUP_TEXT_H
#define MACHV_SETUP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *bytes; /* NUL terminated once something was added; NULL before */
    size_t length;
    size_t capacity;
};

void text_add(struct text *text, const void *bytes, size_t length);
void text_add_string(struct text *text, const char *string);
__attribute__((format(printf, 2, 3))) void text_format(struct text *text, const char *format, ...);
/* The text as a string that the caller frees; the struct is empty afterwards. */
char *text_take(struct text *text);
void text_free(struct text *text);

/* A formatted string that the caller frees. */
__attribute__((format(printf, 1, 2))) char *format_string(const char *format, ...);
char *copy_string(const char *string);      /* the caller frees it */
void *allocate(size_t size);                /* zeroed, never NULL */
void *reallocate(void *block, size_t size); /* never NULL */

/* Whether `words`, separated by spaces, has the word. No list has the empty word. */
bool has_word(const char *words, const char *word);

/* "5F48" to bytes; at most `capacity`. Returns their number, or -1 when it is not hexadecimal. */
int hex_decode(const char *hex, uint8_t *bytes, size_t capacity);
/* Bytes to upper-case digits; the caller frees it. */
char *hex_encode(const uint8_t *bytes, size_t length);

/* Base64 of `length` bytes; the caller frees it. */
char *base64_encode(const uint8_t *bytes, size_t length);
/* Decodes, skipping white space. *bytes is the caller's to free. False: not base64. */
bool base64_decode(const char *text, size_t length, uint8_t **bytes, size_t *count);

#endif
