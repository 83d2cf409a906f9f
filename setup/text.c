/* SPDX-License-Identifier: BSD-3-Clause */
/* Growing text, hexadecimal and base64. */
#include "setup/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void out_of_memory(void)
{
    fputs("hvsetup: out of memory\n", stderr);
    exit(2);
}

void *allocate(size_t size)
{
    void *block = calloc(1, size == 0 ? 1 : size);
    if (block == NULL) {
        out_of_memory();
    }
    return block;
}

void *reallocate(void *block, size_t size)
{
    void *grown = realloc(block, size);
    if (grown == NULL) {
        out_of_memory();
    }
    return grown;
}

void text_add(struct text *text, const void *bytes, size_t length)
{
    if (text->length + length + 1 > text->capacity) {
        text->capacity = (text->length + length + 1) * 2;
        text->bytes = reallocate(text->bytes, text->capacity);
    }
    if (length > 0) {
        memcpy(text->bytes + text->length, bytes, length);
    }
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

static char *format_list(const char *format, va_list arguments)
{
    char *result = NULL;
    if (vasprintf(&result, format, arguments) < 0) {
        out_of_memory();
    }
    return result;
}

void text_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *added = format_list(format, arguments);
    va_end(arguments);
    text_add_string(text, added);
    free(added);
}

char *format_string(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *result = format_list(format, arguments);
    va_end(arguments);
    return result;
}

char *copy_string(const char *string)
{
    return format_string("%s", string);
}

char *text_take(struct text *text)
{
    text_add(text, "", 0);
    char *bytes = text->bytes;
    memset(text, 0, sizeof *text);
    return bytes;
}

void text_free(struct text *text)
{
    free(text->bytes);
    memset(text, 0, sizeof *text);
}

bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    if (length == 0) {
        return false;
    }
    for (const char *at = strstr(words, word); at != NULL; at = strstr(at + 1, word)) {
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) {
            return true;
        }
    }
    return false;
}

static int hex_digit(char digit)
{
    if (!isxdigit((unsigned char)digit)) {
        return -1;
    }
    return isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10;
}

int hex_decode(const char *hex, uint8_t *bytes, size_t capacity)
{
    size_t length = strlen(hex);
    if (length % 2 != 0 || length / 2 > capacity) {
        return -1;
    }
    for (size_t i = 0; i < length / 2; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            return -1;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return (int)(length / 2);
}

char *hex_encode(const uint8_t *bytes, size_t length)
{
    struct text text = {0};
    for (size_t i = 0; i < length; i++) {
        text_format(&text, "%02X", bytes[i]);
    }
    return text_take(&text);
}

char *base64_encode(const uint8_t *bytes, size_t length)
{
    struct text text = {0};
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= left > 2 ? bytes[i + 2] : 0;
        char digits[4] = {base64_alphabet[group >> 18], base64_alphabet[group >> 12 & 63],
                          left > 1 ? base64_alphabet[group >> 6 & 63] : '=',
                          left > 2 ? base64_alphabet[group & 63] : '='};
        text_add(&text, digits, sizeof digits);
    }
    return text_take(&text);
}

bool base64_decode(const char *text, size_t length, uint8_t **bytes, size_t *count)
{
    uint8_t *result = allocate(length / 4 * 3 + 3);
    size_t produced = 0;
    uint32_t group = 0;
    unsigned digits = 0, padding = 0;
    for (size_t i = 0; i < length; i++) {
        if (isspace((unsigned char)text[i])) {
            continue;
        }
        const char *digit =
            text[i] == '=' || text[i] == '\0' ? NULL : strchr(base64_alphabet, text[i]);
        if (digit == NULL && text[i] != '=') {
            goto refused;
        }
        if (digit == NULL) {
            padding++;
            continue;
        }
        if (padding > 0) {
            goto refused;
        }
        group = group << 6 | (uint32_t)(digit - base64_alphabet);
        if (++digits % 4 == 0) {
            result[produced++] = (uint8_t)(group >> 16);
            result[produced++] = (uint8_t)(group >> 8);
            result[produced++] = (uint8_t)group;
        }
    }
    if ((digits + padding) % 4 != 0 || padding > 2) {
        goto refused;
    }
    if (digits % 4 == 3) {
        result[produced++] = (uint8_t)(group >> 10);
        result[produced++] = (uint8_t)(group >> 2);
    } else if (digits % 4 == 2) {
        result[produced++] = (uint8_t)(group >> 4);
    }
    *bytes = result;
    *count = produced;
    return true;

refused:
    free(result);
    return false;
}
