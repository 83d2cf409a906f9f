/* SPDX-License-Identifier: BSD-3-Clause */
/* Text of leaf values: strings with entities, numbers, base64 and hexadecimal data. */
#include "match/plist_lexer.h"
#include "match/utf8.h"

#include <stdlib.h>
#include <string.h>

/* The text from the present position up to the next '<', which stays. */
static bool take_text(struct plist_lexer *lexer, const unsigned char **text, size_t *length)
{
    const unsigned char *start = lexer->text + lexer->position;
    const unsigned char *end = memchr(start, '<', lexer->size - lexer->position);

    if (end == NULL)
        return plist_lexer_fail(lexer, "the text ends inside a value");
    *text = start;
    *length = (size_t)(end - start);
    return true;
}

/* Moves over `length` bytes, keeping count of lines. */
static void skip(struct plist_lexer *lexer, size_t length)
{
    const unsigned char *from = lexer->text + lexer->position;
    size_t index;

    for (index = 0; index < length; index++)
        if (from[index] == '\n') {
            lexer->line++;
            lexer->line_start = lexer->position + index + 1;
        }
    lexer->position += length;
}

struct entity {
    const char *name; /* with the semicolon */
    char character;
    bool kernel;
};

static const struct entity entities[] = {
    { "amp;", '&', true },   { "lt;", '<', true },     { "gt;", '>', true },
    { "quot;", '"', false }, { "apos;", '\'', false },
};

/* `&#...;` at `text` (after the '&'). The reference is longer than what it stands for. Returns the
 * bytes taken, or 0. */
static size_t take_character_reference(const unsigned char *text, size_t length, char *out,
                                       size_t *made)
{
    bool hexadecimal = length > 1 && text[1] == 'x';
    size_t index = hexadecimal ? 2 : 1;
    size_t first = index;
    unsigned long code = 0;

    for (; index < length && text[index] != ';'; index++) {
        int digit = text[index] >= '0' && text[index] <= '9' ? text[index] - '0' : -1;

        if (hexadecimal && (text[index] | 0x20) >= 'a' && (text[index] | 0x20) <= 'f')
            digit = (text[index] | 0x20) - 'a' + 10;
        if (digit < 0 || code > 0x10FFFF)
            return 0;
        code = code * (hexadecimal ? 16 : 10) + (unsigned)digit;
    }
    if (index == first || index == length || code == 0 || code > 0x10FFFF ||
        (code >= 0xD800 && code < 0xE000))
        return 0;
    *made = utf8_put(out, code);
    return index + 1;
}

/* Decodes the entity at `text` (after the '&'). Returns the bytes taken, or 0 after recording an
 * error. */
static size_t take_entity(struct plist_lexer *lexer, const unsigned char *text, size_t length,
                          char *out, size_t *made)
{
    size_t index;
    size_t taken;

    for (index = 0; index < sizeof entities / sizeof *entities; index++) {
        const struct entity *entity = &entities[index];
        size_t name_length = strlen(entity->name);

        if (length < name_length || memcmp(text, entity->name, name_length) != 0)
            continue;
        if (!entity->kernel &&
            !plist_lexer_leave_dialect(lexer, "&%s is unknown to the kernel", entity->name))
            return 0;
        *out = entity->character;
        *made = 1;
        return name_length;
    }
    taken = length > 0 && text[0] == '#' ? take_character_reference(text, length, out, made) : 0;
    if (taken == 0) {
        plist_lexer_fail(lexer, "unknown entity after '&'");
        return 0;
    }
    return plist_lexer_leave_dialect(lexer, "character references are unknown to the kernel")
               ? taken
               : 0;
}

static bool decode(struct plist_lexer *lexer, const unsigned char *text, size_t length, char *out,
                   size_t *made)
{
    size_t in = 0;
    size_t count;
    size_t taken;

    *made = 0;
    while (in < length) {
        if (text[in] == '\0')
            return plist_lexer_fail(lexer, "a string holds a NUL character");
        if (text[in] != '&') {
            out[(*made)++] = (char)text[in++];
            continue;
        }
        taken = take_entity(lexer, text + in + 1, length - in - 1, out + *made, &count);
        if (taken == 0)
            return false;
        in += taken + 1;
        *made += count;
    }
    return true;
}

/* One stretch of text, decoded behind what `*decoded` holds already (`*made` bytes). */
static bool append_text(struct plist_lexer *lexer, char **decoded, size_t *made)
{
    const unsigned char *text;
    size_t length;
    size_t more;
    char *grown;

    if (!take_text(lexer, &text, &length))
        return false;
    grown =
        realloc(*decoded, *made + length + 1); /* an entity is never shorter than its character */
    if (grown == NULL)
        return plist_lexer_fail(lexer, "out of memory");
    *decoded = grown;
    if (!decode(lexer, text, length, grown + *made, &more))
        return false;
    *made += more;
    skip(lexer, length);
    return true;
}

struct plist *plist_lexer_string(struct plist_lexer *lexer,
                                 struct plist *(*make)(const char *, size_t))
{
    char *decoded = NULL;
    size_t made = 0;
    struct plist *value = NULL;
    bool good = append_text(lexer, &decoded, &made);

    while (good && plist_lexer_at_markup(lexer))
        good = plist_lexer_leave_dialect(
                   lexer, "a comment stands inside a string: the kernel refuses it") &&
               plist_lexer_skip_markup(lexer) && append_text(lexer, &decoded, &made);
    if (good)
        value = make(decoded, made);
    free(decoded);
    return value;
}

static int digit_value(unsigned char character, bool hexadecimal)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (hexadecimal && character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    return -1;
}

struct plist *plist_lexer_integer(struct plist_lexer *lexer, unsigned bits)
{
    const unsigned char *text;
    size_t length;
    size_t index = 0;
    size_t first;
    uint64_t number = 0;
    bool negative;
    bool hexadecimal;

    if (!take_text(lexer, &text, &length))
        return NULL;
    negative = length > 0 && text[0] == '-';
    index = negative;
    hexadecimal = length - index > 2 && text[index] == '0' && text[index + 1] == 'x';
    index += hexadecimal ? 2 : 0;
    for (first = index; index < length; index++) {
        int digit = digit_value(text[index], hexadecimal);

        if (digit < 0)
            break;
        number = number * (hexadecimal ? 16 : 10) + (unsigned)digit;
    }
    if (index == first || index != length) {
        plist_lexer_fail(lexer, "\"%.*s\" is no integer", (int)(length > 40 ? 40 : length),
                         (const char *)text);
        return NULL;
    }
    skip(lexer, length);
    return plist_new_integer(negative ? 0 - number : number, bits);
}

static int base64_value(unsigned char character)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = character == '\0' ? NULL : strchr(alphabet, character);

    return found == NULL ? -1 : (int)(found - alphabet);
}

static bool is_data_space(unsigned char character)
{
    return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

static int data_digit(unsigned char character, bool hexadecimal)
{
    if (!hexadecimal)
        return base64_value(character);
    return digit_value(
        character >= 'A' && character <= 'F' ? (unsigned char)(character | 0x20) : character, true);
}

/* Packs digits of 4 or 6 bits into bytes. Returns the bytes made, or -1 at a character that is no
 * digit. */
static long decode_data(const unsigned char *text, size_t length, bool hexadecimal,
                        unsigned char *out)
{
    unsigned width = hexadecimal ? 4 : 6;
    unsigned have = 0;
    uint32_t bits = 0;
    long made = 0;
    size_t index;

    for (index = 0; index < length; index++) {
        int digit;

        if (is_data_space(text[index]))
            continue;
        if (text[index] == '=' && !hexadecimal)
            break;
        digit = data_digit(text[index], hexadecimal);
        if (digit < 0)
            return -1;
        bits = bits << width | (unsigned)digit;
        have += width;
        if (have >= 8) {
            have -= 8;
            out[made++] = (unsigned char)(bits >> have);
        }
    }
    for (; index < length; index++)
        if (text[index] != '=' && !is_data_space(text[index]))
            return -1;
    return hexadecimal && have != 0 ? -1 : made;
}

struct plist *plist_lexer_data(struct plist_lexer *lexer, bool hexadecimal)
{
    const unsigned char *text;
    size_t length;
    struct plist *value = NULL;
    unsigned char *bytes;
    long made;

    if (!take_text(lexer, &text, &length))
        return NULL;
    bytes = malloc(length + 1);
    if (bytes == NULL) {
        plist_lexer_fail(lexer, "out of memory");
        return NULL;
    }
    made = decode_data(text, length, hexadecimal, bytes);
    if (made < 0)
        plist_lexer_fail(lexer, "data is not %s", hexadecimal ? "hexadecimal" : "base64");
    else
        value = plist_new_data(bytes, (size_t)made);
    free(bytes);
    skip(lexer, length);
    return value;
}
