/* SPDX-License-Identifier: BSD-3-Clause */
/* One logical line of an INF file: key, values, quotes. */
#include "match/inf.h"

#include <stdlib.h>
#include <string.h>

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

struct field {
    char *text;
    size_t length;
    size_t kept;   /* up to here blanks were quoted and stay */
    bool quoted;
    bool overlong;
};

static void put(struct field *field, char character)
{
    if (field->length >= INF_FIELD_MAX - 1)
        field->overlong = true;
    else
        field->text[field->length++] = character;
}

/* Takes a quoted part; `at` is behind the opening quote. Two quotes inside are one. */
static const char *take_quoted(const char *at, struct field *field, bool *unterminated)
{
    field->quoted = true;
    for (; *at != '\0'; at++) {
        if (*at == '"') {
            if (at[1] != '"') {
                field->kept = field->length;
                return at + 1;
            }
            at++;
        }
        put(field, *at);
    }
    *unterminated = true;
    field->kept = field->length;
    return at;
}

/* Takes one field up to `,`, to `=` when `key`, or to the end. */
static const char *take_field(const char *at, bool key, struct field *field, bool *unterminated)
{
    field->length = 0;
    field->kept = 0;
    field->quoted = false;
    field->overlong = false;
    while (is_blank(*at))
        at++;
    while (*at != '\0' && *at != ',' && !(key && *at == '=')) {
        if (*at == '"')
            at = take_quoted(at + 1, field, unterminated);
        else
            put(field, *at++);
    }
    while (field->length > field->kept && is_blank(field->text[field->length - 1]))
        field->length--;
    field->text[field->length] = '\0';
    return at;
}

static bool add_value(struct inf_entry *entry, const char *text)
{
    char **grown = entry->values;

    if ((entry->count & (entry->count - 1)) == 0) {
        grown = realloc(entry->values, (entry->count == 0 ? 1 : entry->count * 2) * sizeof *grown);
        if (grown == NULL)
            return false;
        entry->values = grown;
    }
    grown[entry->count] = strdup(text);
    return grown[entry->count++] != NULL;
}

bool inf_split_line(const char *text, struct inf_entry *entry, bool *unterminated, bool *cut)
{
    char buffer[INF_FIELD_MAX];
    struct field field = { .text = buffer };
    bool first = true;
    const char *at = text;

    for (;;) {
        at = take_field(at, first, &field, unterminated);
        *cut |= field.overlong;
        if (first && *at == '=') {
            entry->key = strdup(buffer);
            entry->quoted_key = field.quoted;
            if (entry->key == NULL)
                return false;
            first = false;
            at++;
            continue;
        }
        first = false;
        if (entry->count == INF_VALUES_MAX) {
            *cut = true;
            return true;
        }
        if (!add_value(entry, buffer))
            return false;
        if (*at == '\0')
            return true;
        at++;
    }
}
