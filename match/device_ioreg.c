/* SPDX-License-Identifier: BSD-3-Clause */
/* Output of `ioreg -l`: a tree of entries with their properties. */
#include "match/device_text.h"

#include "match/classes.h"
#include "match/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NESTING_MAX = 24, LEVELS_MAX = 256, CLASS_SIZE = DEVICE_CLASS_SIZE };

const char *device_nub_class(const char *class_name)
{
    static const char *const nubs[] = {
        "IOPCIDevice",      "IOACPIPlatformDevice",   "IODTPlatformDevice",
        "IOPlatformDevice", "IOPlatformExpertDevice", "IOResources",
        "IOUserResources",  "HyperVVMBusDevice"
    };
    size_t index;

    for (index = 0; index < sizeof nubs / sizeof *nubs; index++)
        if (strcmp(class_name, nubs[index]) == 0)
            return nubs[index];
    return NULL;
}

/* ---- values ---- */

struct cursor {
    const char *at;
    const char *end;
};

static struct plist *parse_value(struct cursor *cursor, unsigned depth);

static void skip_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t'))
        cursor->at++;
}

static bool take(struct cursor *cursor, char character)
{
    skip_blanks(cursor);
    if (cursor->at == cursor->end || *cursor->at != character)
        return false;
    cursor->at++;
    return true;
}

/* A quoted text up to its end, without escapes: ioreg writes none. */
static bool take_quoted(struct cursor *cursor, const char **text, size_t *length)
{
    const char *quote;

    if (!take(cursor, '"'))
        return false;
    quote = memchr(cursor->at, '"', (size_t)(cursor->end - cursor->at));
    if (quote == NULL)
        return false;
    *text = cursor->at;
    *length = (size_t)(quote - cursor->at);
    cursor->at = quote + 1;
    return true;
}

/* <"a","b">: strings with NULs between and behind. */
static struct plist *parse_string_data(struct cursor *cursor)
{
    size_t room = (size_t)(cursor->end - cursor->at) + 1;
    char *bytes = malloc(room);
    size_t made = 0;
    const char *text;
    size_t length;
    struct plist *value = NULL;

    while (bytes != NULL && take_quoted(cursor, &text, &length)) {
        memcpy(bytes + made, text, length);
        made += length;
        bytes[made++] = '\0';
        if (!take(cursor, ','))
            break;
    }
    if (bytes != NULL && take(cursor, '>'))
        value = plist_new_data(bytes, made);
    free(bytes);
    return value;
}

static struct plist *parse_data(struct cursor *cursor)
{
    size_t room = (size_t)(cursor->end - cursor->at) / 2 + 1;
    unsigned char *bytes;
    size_t made = 0;
    unsigned byte;
    struct plist *value = NULL;

    skip_blanks(cursor);
    if (cursor->at < cursor->end && *cursor->at == '"')
        return parse_string_data(cursor);
    bytes = malloc(room);
    while (bytes != NULL &&
           hexadecimal_number(cursor->at, (size_t)(cursor->end - cursor->at), 2, &byte)) {
        bytes[made++] = (unsigned char)byte;
        cursor->at += 2;
        skip_blanks(cursor);
    }
    if (bytes != NULL && take(cursor, '>'))
        value = plist_new_data(bytes, made);
    free(bytes);
    return value;
}

static struct plist *parse_dictionary(struct cursor *cursor, unsigned depth)
{
    struct plist *dictionary = plist_new_dictionary();
    const char *text;
    size_t length;

    while (dictionary != NULL && !take(cursor, '}')) {
        struct plist *value;
        char *key;

        if (!take_quoted(cursor, &text, &length) || !take(cursor, '='))
            goto failed;
        key = strndup(text, length);
        value = parse_value(cursor, depth + 1);
        if (key == NULL || value == NULL || !plist_dictionary_set(dictionary, key, value)) {
            if (key == NULL)
                plist_release(value);
            free(key);
            goto failed;
        }
        free(key);
        take(cursor, ',');
    }
    return dictionary;
failed:
    plist_release(dictionary);
    return NULL;
}

static struct plist *parse_array(struct cursor *cursor, unsigned depth)
{
    struct plist *array = plist_new_array();

    while (array != NULL && !take(cursor, ')')) {
        if (!plist_array_append(array, parse_value(cursor, depth + 1))) {
            plist_release(array);
            return NULL;
        }
        take(cursor, ',');
    }
    return array;
}

static struct plist *parse_word(struct cursor *cursor)
{
    size_t available = (size_t)(cursor->end - cursor->at);
    char *end;
    unsigned long long number;

    if (available >= 3 && strncmp(cursor->at, "Yes", 3) == 0) {
        cursor->at += 3;
        return plist_new_boolean(true);
    }
    if (available >= 2 && strncmp(cursor->at, "No", 2) == 0) {
        cursor->at += 2;
        return plist_new_boolean(false);
    }
    number = strtoull(cursor->at, &end, 0); /* the text ends in a NUL */
    if (end == cursor->at || end > cursor->end)
        return NULL;
    cursor->at = end;
    return plist_new_integer(number, 64);
}

static struct plist *parse_value(struct cursor *cursor, unsigned depth)
{
    const char *text;
    size_t length;

    if (depth > NESTING_MAX)
        return NULL;
    skip_blanks(cursor);
    if (cursor->at == cursor->end)
        return NULL;
    switch (*cursor->at) {
    case '"':
        return take_quoted(cursor, &text, &length) ? plist_new_string(text, length) : NULL;
    case '<':
        cursor->at++;
        return parse_data(cursor);
    case '{':
        cursor->at++;
        return parse_dictionary(cursor, depth);
    case '(':
        cursor->at++;
        return parse_array(cursor, depth);
    default:
        return parse_word(cursor);
    }
}

/* ---- the tree ---- */

struct level {
    size_t column;
    struct device_record *record; /* the nearest record at or above it; NULL when none */
    bool is_record;
};

struct reader {
    const char *source;
    struct device_list *list;
    struct problems *problems;
    struct level levels[LEVELS_MAX];
    size_t depth;
    struct device_record
        *record; /* whose properties are read; NULL inside entries that are no nubs */
    struct device_record *driven; /* nub above an entry that is none: its driver may stand here */
    char class_name[CLASS_SIZE];
    size_t added;
};

static void finish_record(struct reader *reader)
{
    if (reader->record != NULL && !device_finish(reader->record))
        problems_add(reader->problems, PROBLEM_ERROR, reader->source, reader->record->line,
                     "out of memory");
    reader->record = NULL;
}

static struct device_record *add_record(struct reader *reader, size_t line_number, const char *name,
                                        size_t name_length, struct device_record *parent)
{
    char label[128];
    struct device_record *record;
    char *at;

    snprintf(label, sizeof label, "%.*s", (int)(name_length > 120 ? 120 : name_length), name);
    record = device_list_add(reader->list, reader->class_name, reader->source, line_number, label);
    if (record == NULL) {
        problems_add(reader->problems, PROBLEM_ERROR, reader->source, line_number,
                     "no room for another device");
        return NULL;
    }
    at = strrchr(label, '@');
    if (at != NULL) {
        record->location = strdup(at + 1);
        *at = '\0';
    }
    record->registry_name = strdup(label);
    record->parent = parent;
    reader->added++;
    return record;
}

/* "+-o NAME@LOCATION  <class C, id ...>"; `column` is where the '+' stands. */
static void begin_entry(struct reader *reader, size_t line_number, const char *line, size_t length,
                        size_t column)
{
    const char *name = line + column + strlen("+-o ");
    const char *end = line + length;
    const char *class_name = memmem(name, (size_t)(end - name), "<class ", strlen("<class "));
    struct level *above;
    size_t name_length;

    finish_record(reader);
    while (reader->depth > 0 && reader->levels[reader->depth - 1].column >= column)
        reader->depth--;
    above = reader->depth == 0 ? NULL : &reader->levels[reader->depth - 1];
    reader->driven = above != NULL && above->is_record ? above->record : NULL;
    if (class_name == NULL) {
        problems_add(reader->problems, PROBLEM_ERROR, reader->source, line_number,
                     "the entry is cut off before its class");
        return;
    }
    name_length = (size_t)(class_name - name);
    while (name_length > 0 && name[name_length - 1] == ' ')
        name_length--;
    class_name += strlen("<class ");
    snprintf(reader->class_name, sizeof reader->class_name, "%.*s",
             (int)(strcspn(class_name, ",>:\n") < CLASS_SIZE ? strcspn(class_name, ",>:\n")
                                                             : CLASS_SIZE - 1),
             class_name);
    if (device_nub_class(reader->class_name) != NULL)
        reader->record = add_record(reader, line_number, name, name_length,
                                    above == NULL ? NULL : above->record);
    if (reader->depth == LEVELS_MAX)
        return;
    reader->levels[reader->depth++] = (struct level){ column,
                                                      reader->record != NULL ? reader->record
                                                      : above == NULL        ? NULL
                                                                             : above->record,
                                                      reader->record != NULL };
}

/* What a dump shows attached to a nub: the driver that won on the real machine. */
static void note_driver(struct reader *reader, const struct plist *class_name)
{
    struct device_record *record = reader->driven;
    char *joined = NULL;

    if (record == NULL || plist_string(class_name) == NULL)
        return;
    if (asprintf(&joined, "%s%s%s", record->attached == NULL ? "" : record->attached,
                 record->attached == NULL ? "" : ", ", plist_string(class_name)) < 0)
        return;
    free(record->attached);
    record->attached = joined;
}

/* `"key" = value` of the entry begun last. */
static void parse_property(struct reader *reader, size_t line_number, const char *line,
                           size_t length)
{
    struct cursor cursor = { line, line + length };
    const char *text;
    size_t text_length;
    struct plist *value;
    char *key;

    if ((reader->record == NULL && reader->driven == NULL) ||
        !take_quoted(&cursor, &text, &text_length) || !take(&cursor, '='))
        return;
    if (reader->record == NULL && (text_length != 7 || strncmp(text, "IOClass", 7) != 0))
        return;
    value = parse_value(&cursor, 0);
    if (value == NULL) {
        problems_add(reader->problems, PROBLEM_ERROR, reader->source, line_number,
                     "the value of \"%.*s\" is cut off or has an unknown form",
                     (int)(text_length > 60 ? 60 : text_length), text);
        return;
    }
    if (reader->record == NULL) {
        note_driver(reader, value);
        plist_release(value);
        return;
    }
    key = strndup(text, text_length);
    if (key == NULL || !device_add_property(reader->record, key, plist_retain(value)))
        problems_add(reader->problems, PROBLEM_ERROR, reader->source, line_number, "out of memory");
    plist_release(value);
    free(key);
}

size_t device_read_ioreg(const char *text, size_t size, const char *source,
                         struct device_list *list, struct problems *problems)
{
    struct line_reader lines = { .text = text, .size = size };
    struct reader *reader = calloc(1, sizeof *reader);
    const char *line;
    size_t length;
    size_t added;

    if (reader == NULL)
        return 0;
    reader->source = source;
    reader->list = list;
    reader->problems = problems;
    while (line_next(&lines, &line, &length)) {
        size_t column = 0;

        while (column < length && (line[column] == ' ' || line[column] == '|'))
            column++;
        if (length - column > 4 && strncmp(line + column, "+-o ", 4) == 0)
            begin_entry(reader, lines.number, line, length, column);
        else if (column < length && line[column] == '"')
            parse_property(reader, lines.number, line + column, length - column);
    }
    finish_record(reader);
    added = reader->added;
    free(reader);
    return added;
}
