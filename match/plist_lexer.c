/* SPDX-License-Identifier: BSD-3-Clause */
/* Tags of the kernel's XML dialect: names, attributes, what is skipped between them. */
#include "match/plist_lexer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void plist_lexer_init(struct plist_lexer *lexer, const void *text, size_t size,
                      const struct plist_reader *reader)
{
    *lexer = (struct plist_lexer){ .text = text, .size = size, .line = 1, .reader = reader };
}

static struct plist_diagnostic diagnostic_here(const struct plist_lexer *lexer, const char *format,
                                               va_list arguments)
{
    struct plist_diagnostic here = { .offset = lexer->position, .line = lexer->line };

    here.column = (unsigned)(lexer->position - lexer->line_start) + 1;
    vsnprintf(here.text, sizeof here.text, format, arguments);
    return here;
}

bool plist_lexer_fail(struct plist_lexer *lexer, const char *format, ...)
{
    va_list arguments;

    if (lexer->failed)
        return false;
    va_start(arguments, format);
    lexer->error = diagnostic_here(lexer, format, arguments);
    va_end(arguments);
    lexer->failed = true;
    return false;
}

bool plist_lexer_leave_dialect(struct plist_lexer *lexer, const char *format, ...)
{
    struct plist_diagnostic here;
    va_list arguments;

    va_start(arguments, format);
    here = diagnostic_here(lexer, format, arguments);
    va_end(arguments);
    if (!lexer->reader->lenient)
        return plist_lexer_fail(lexer, "%s", here.text);
    if (lexer->reader->warning != NULL)
        lexer->reader->warning(lexer->reader->context, &here);
    return true;
}

void *plist_grow(void *elements, size_t count, size_t element_size)
{
    if (count != 0 && (count & (count - 1)) != 0)
        return elements; /* the last doubling still has room */
    return realloc(elements, (count == 0 ? 1 : count * 2) * element_size);
}

void plist_free_grown(void *elements)
{
    free(elements);
}

static int peek(const struct plist_lexer *lexer)
{
    return lexer->position < lexer->size ? lexer->text[lexer->position] : -1;
}

static void advance(struct plist_lexer *lexer)
{
    if (lexer->text[lexer->position++] == '\n') {
        lexer->line++;
        lexer->line_start = lexer->position;
    }
}

static bool starts_with(const struct plist_lexer *lexer, const char *word)
{
    size_t length = strlen(word);

    return lexer->size - lexer->position >= length &&
           memcmp(lexer->text + lexer->position, word, length) == 0;
}

bool plist_lexer_begin(struct plist_lexer *lexer)
{
    if (lexer->size > PLIST_SIZE_MAX)
        return plist_lexer_fail(lexer, "%zu bytes of text; %d is the limit", lexer->size,
                                PLIST_SIZE_MAX);
    if (starts_with(lexer, "\xEF\xBB\xBF")) {
        if (!plist_lexer_leave_dialect(lexer, "a byte order mark stands first"))
            return false;
        lexer->position += 3;
        lexer->line_start = 3;
    }
    return true;
}

static bool is_space(int character)
{
    return character == ' ' || character == '\t' || character == '\n';
}

static bool skip_space(struct plist_lexer *lexer)
{
    bool warned = false;

    for (;; advance(lexer)) {
        if (peek(lexer) == '\r') {
            if (!warned &&
                !plist_lexer_leave_dialect(lexer, "a carriage return stands between tags"))
                return false;
            warned = true;
        } else if (!is_space(peek(lexer))) {
            return true;
        }
    }
}

static bool skip_past(struct plist_lexer *lexer, const char *end, const char *what)
{
    while (lexer->position < lexer->size) {
        if (starts_with(lexer, end)) {
            lexer->position += strlen(end);
            return true;
        }
        advance(lexer);
    }
    return plist_lexer_fail(lexer, "the text ends inside a %s", what);
}

bool plist_lexer_at_markup(const struct plist_lexer *lexer)
{
    return starts_with(lexer, "<!") || starts_with(lexer, "<?");
}

bool plist_lexer_skip_markup(struct plist_lexer *lexer)
{
    bool taken = true;

    while (taken && plist_lexer_at_markup(lexer)) {
        if (starts_with(lexer, "<!--"))
            taken = skip_past(lexer, "-->", "comment");
        else if (starts_with(lexer, "<?"))
            taken = skip_past(lexer, "?>", "processing instruction");
        else
            taken = skip_past(lexer, ">", "declaration");
    }
    return taken;
}

/* Skips everything that may stand between tags. Afterwards the position is at a '<' of a tag. */
static bool skip_to_tag(struct plist_lexer *lexer)
{
    for (;;) {
        if (!skip_space(lexer))
            return false;
        if (peek(lexer) < 0)
            return plist_lexer_fail(lexer, "the text ends too early");
        if (peek(lexer) != '<')
            return plist_lexer_fail(lexer, "character 0x%02x between tags", (unsigned)peek(lexer));
        if (!plist_lexer_at_markup(lexer))
            return true;
        if (!plist_lexer_skip_markup(lexer))
            return false;
    }
}

static bool is_letter(int character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

/* Takes a name of letters into `name`, which has room for PLIST_TAG_NAME_MAX characters and a NUL.
 */
static bool take_name(struct plist_lexer *lexer, char *name, const char *what)
{
    size_t length = 0;

    while (is_letter(peek(lexer)) || (length > 0 && peek(lexer) >= '0' && peek(lexer) <= '9')) {
        if (length == PLIST_TAG_NAME_MAX)
            return plist_lexer_fail(lexer, "a %s is longer than %d characters", what,
                                    PLIST_TAG_NAME_MAX);
        name[length++] = (char)lexer->text[lexer->position];
        advance(lexer);
    }
    name[length] = '\0';
    return length > 0 || plist_lexer_fail(lexer, "a %s must stand here", what);
}

static bool take_quoted(struct plist_lexer *lexer, char *value)
{
    size_t length = 0;

    if (peek(lexer) != '"')
        return plist_lexer_fail(lexer, "an attribute's value must stand in double quotes");
    for (advance(lexer); peek(lexer) != '"'; advance(lexer)) {
        if (peek(lexer) < 0 || length == PLIST_TAG_NAME_MAX)
            return plist_lexer_fail(lexer, "an attribute is longer than %d characters",
                                    PLIST_TAG_NAME_MAX);
        value[length++] = (char)lexer->text[lexer->position];
    }
    advance(lexer);
    value[length] = '\0';
    return true;
}

static bool attribute_number(struct plist_lexer *lexer, const char *value, uint64_t *number)
{
    char *end;

    *number = strtoull(value, &end, 10);
    if (end == value || *end != '\0' || value[0] == '-')
        return plist_lexer_fail(lexer, "attribute value \"%s\" is no number", value);
    return true;
}

/* Attributes of unknown names are taken and ignored, as the kernel does (version="1.0" of <plist>).
 */
static bool apply_attribute(struct plist_lexer *lexer, struct plist_tag *tag, const char *name,
                            const char *value)
{
    uint64_t bits;

    if (strcmp(name, "ID") == 0) {
        tag->has_id = true;
        return attribute_number(lexer, value, &tag->id);
    }
    if (strcmp(name, "IDREF") == 0) {
        tag->has_reference = true;
        return attribute_number(lexer, value, &tag->reference);
    }
    if (strcmp(name, "size") == 0) {
        if (!attribute_number(lexer, value, &bits))
            return false;
        tag->size_bits = bits == 0 || bits > 64 ? 64 : (unsigned)bits;
    }
    if (strcmp(name, "format") == 0)
        tag->hexadecimal = strcmp(value, "hex") == 0;
    return true;
}

static bool take_attributes(struct plist_lexer *lexer, struct plist_tag *tag)
{
    char name[PLIST_TAG_NAME_MAX + 1];
    char value[PLIST_TAG_NAME_MAX + 1];

    for (;;) {
        if (!skip_space(lexer))
            return false;
        if (!is_letter(peek(lexer)))
            return true;
        if (!take_name(lexer, name, "attribute name") || !skip_space(lexer))
            return false;
        if (peek(lexer) != '=')
            return plist_lexer_fail(lexer, "attribute %s has no value", name);
        advance(lexer);
        if (!skip_space(lexer) || !take_quoted(lexer, value) ||
            !apply_attribute(lexer, tag, name, value))
            return false;
    }
}

bool plist_lexer_tag(struct plist_lexer *lexer, struct plist_tag *tag)
{
    *tag = (struct plist_tag){ .kind = PLIST_TAG_START, .size_bits = 64 };
    if (lexer->failed || !skip_to_tag(lexer))
        return false;
    lexer->tag_line = lexer->line;
    advance(lexer);
    if (peek(lexer) == '/') {
        tag->kind = PLIST_TAG_END;
        advance(lexer);
    }
    if (!take_name(lexer, tag->name, "tag name") || !take_attributes(lexer, tag))
        return false;
    if (peek(lexer) == '/' && tag->kind == PLIST_TAG_START) {
        tag->kind = PLIST_TAG_EMPTY;
        advance(lexer);
    }
    if (peek(lexer) != '>')
        return plist_lexer_fail(lexer, "<%s is not closed by '>'", tag->name);
    advance(lexer);
    return true;
}
