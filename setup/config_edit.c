/* SPDX-License-Identifier: BSD-3-Clause */
/* Editing a configuration: each edit replaces a range of the text and indexes it again. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "setup/config_private.h"
#include "setup/text.h"

/* False: the result would be beyond the limits of a configuration; the document is as it was. */
static bool splice(struct config_document *document, size_t start, size_t end, const char *with,
                   size_t length)
{
    struct setup_error error;
    struct text text = {0};
    char *old_text = document->text;
    size_t old_size = document->size;
    text_add(&text, document->text, start);
    text_add(&text, with, length);
    text_add(&text, document->text + end, document->size - end);
    document->size = text.length;
    document->text = text_take(&text);
    bool ok = config_scan(document, &error);
    if (ok) {
        free(old_text);
    } else {
        free(document->text);
        document->text = old_text;
        document->size = old_size;
        config_scan(document, &error);
    }
    return ok;
}

static const char *newline_of(const struct config_document *document)
{
    return strstr(document->text, "\r\n") != NULL ? "\r\n" : "\n";
}

/* White space at the beginning of the line on which `position` stands; the caller frees it. */
static char *indentation_at(const struct config_document *document, size_t position)
{
    size_t line = position;
    while (line > 0 && document->text[line - 1] != '\n') {
        line--;
    }
    size_t end = line;
    while (end < position && (document->text[end] == ' ' || document->text[end] == '\t')) {
        end++;
    }
    return format_string("%.*s", (int)(end - line), document->text + line);
}

static void add_escaped(struct text *text, const char *string)
{
    for (; *string != '\0'; string++) {
        switch (*string) {
        case '&': text_add_string(text, "&amp;"); break;
        case '<': text_add_string(text, "&lt;"); break;
        case '>': text_add_string(text, "&gt;"); break;
        default: text_add(text, string, 1); break;
        }
    }
}

static void add_data(struct text *text, const char *hex)
{
    size_t capacity = strlen(hex) / 2 + 1;
    uint8_t *bytes = allocate(capacity);
    int count = hex_decode(hex, bytes, capacity);
    char *encoded = base64_encode(bytes, count < 0 ? 0 : (size_t)count);
    text_format(text, "<data>%s</data>", encoded);
    free(encoded);
    free(bytes);
}

static void add_value(struct text *text, enum config_type type, const char *value)
{
    switch (type) {
    case CONFIG_BOOLEAN: text_format(text, "<%s/>", value); break;
    case CONFIG_INTEGER: text_format(text, "<integer>%s</integer>", value); break;
    case CONFIG_DATA: add_data(text, value); break;
    case CONFIG_DICTIONARY: text_add_string(text, "<dict/>"); break;
    case CONFIG_ARRAY: text_add_string(text, "<array/>"); break;
    default:
        text_add_string(text, "<string>");
        add_escaped(text, value);
        text_add_string(text, "</string>");
        break;
    }
}

static const char *container_tag(const struct config_node *node)
{
    return node->type == CONFIG_DICTIONARY ? "dict" : "array";
}

/* Puts `body` (without indentation of its first line) as a new child before the child `before`, or
 * at the end when that is CONFIG_NONE. `indent_of_child` must be what child_indentation gave. */
static bool insert_child(struct config_document *document, int container, int before,
                         const char *body, const char *indent)
{
    const struct config_node *node = &document->nodes[container];
    const char *newline = newline_of(document);
    struct text text = {0};
    bool ok = true;
    if (before != CONFIG_NONE) {
        text_format(&text, "%s%s%s", body, newline, indent);
        size_t at = document->nodes[before].key_start;
        ok = splice(document, at, at, text.bytes, text.length);
    } else if (node->last != CONFIG_NONE) {
        text_format(&text, "%s%s%s", newline, indent, body);
        size_t at = document->nodes[node->last].end;
        ok = splice(document, at, at, text.bytes, text.length);
    } else {
        char *outer = indentation_at(document, node->start);
        /* Comments inside an otherwise empty container stay. */
        size_t kept = node->content_end;
        while (kept > node->content && isspace((unsigned char)document->text[kept - 1])) {
            kept--;
        }
        text_format(&text, "<%s>%.*s%s%s%s%s%s</%s>", container_tag(node),
                    (int)(kept - node->content), document->text + node->content, newline, indent,
                    body, newline, outer, container_tag(node));
        ok = splice(document, node->start, node->end, text.bytes, text.length);
        free(outer);
    }
    text_free(&text);
    return ok;
}

/* Indentation of the children of a container; the caller frees it. */
static char *child_indentation(const struct config_document *document, int container)
{
    const struct config_node *node = &document->nodes[container];
    if (node->first != CONFIG_NONE) {
        return indentation_at(document, document->nodes[node->first].key_start);
    }
    char *outer = indentation_at(document, node->start);
    char *inner = format_string("%s\t", outer);
    free(outer);
    return inner;
}

/* Where `key` belongs in the alphabet of a dictionary; comment keys do not count. */
static int successor(const struct config_document *document, int dictionary, const char *key)
{
    int child = document->nodes[dictionary].first;
    while (child != CONFIG_NONE &&
           (document->nodes[child].key[0] == '#' || strcmp(document->nodes[child].key, key) < 0)) {
        child = document->nodes[child].next;
    }
    return child;
}

/* Adds a key to the dictionary at `path`. */
static bool add_key(struct config_document *document, const char *path, const char *key,
                    enum config_type type, const char *value)
{
    int dictionary = config_find(document, path);
    if (dictionary == CONFIG_NONE || document->nodes[dictionary].type != CONFIG_DICTIONARY) {
        return false;
    }
    char *indent = child_indentation(document, dictionary);
    struct text body = {0};
    text_add_string(&body, "<key>");
    add_escaped(&body, key);
    text_format(&body, "</key>%s%s", newline_of(document), indent);
    add_value(&body, type, value);
    bool ok = insert_child(document, dictionary, successor(document, dictionary, key), body.bytes,
                           indent);
    text_free(&body);
    free(indent);
    return ok;
}

bool config_set(struct config_document *document, const char *path, enum config_type type,
                const char *value)
{
    int node = config_find(document, path);
    if (node != CONFIG_NONE) {
        struct text text = {0};
        add_value(&text, type, value);
        bool ok = splice(document, document->nodes[node].start, document->nodes[node].end,
                         text.bytes, text.length);
        text_free(&text);
        return ok;
    }
    char *parent = copy_string(path);
    char *key = parent;
    for (char *arrow = strstr(parent, "->"); arrow != NULL; arrow = strstr(arrow + 2, "->")) {
        key = arrow + 2;
    }
    bool ok = true;
    if (key != parent) {
        key[-2] = '\0';
        ok = config_find(document, parent) != CONFIG_NONE ||
             config_set(document, parent, CONFIG_DICTIONARY, "");
    }
    ok = ok && strchr(key, '[') == NULL &&
         add_key(document, key == parent ? "" : parent, key, type, value);
    free(parent);
    return ok;
}

/* The array at `path`, made when it is missing; CONFIG_NONE when something else is there. */
static int array_at(struct config_document *document, const char *path)
{
    int array = config_find(document, path);
    if (array == CONFIG_NONE && config_set(document, path, CONFIG_ARRAY, "")) {
        array = config_find(document, path);
    }
    return config_type(document, array) == CONFIG_ARRAY ? array : CONFIG_NONE;
}

bool config_append(struct config_document *document, const char *array_path,
                   const struct config_field *fields, size_t count)
{
    int array = array_at(document, array_path);
    if (array == CONFIG_NONE) {
        return false;
    }
    const char *newline = newline_of(document);
    char *indent = child_indentation(document, array);
    struct text body = {0};
    text_add_string(&body, "<dict>");
    for (size_t i = 0; i < count; i++) {
        text_format(&body, "%s%s\t<key>%s</key>%s%s\t", newline, indent, fields[i].key, newline,
                    indent);
        add_value(&body, fields[i].type, fields[i].value);
    }
    text_format(&body, "%s%s</dict>", newline, indent);
    bool ok = insert_child(document, array, CONFIG_NONE, body.bytes, indent);
    text_free(&body);
    free(indent);
    return ok;
}

bool config_append_text(struct config_document *document, const char *array_path, const char *text,
                        size_t size)
{
    int array = array_at(document, array_path);
    if (array == CONFIG_NONE) {
        return false;
    }
    char *indent = child_indentation(document, array);
    char *body = format_string("%.*s", (int)size, text);
    bool ok = insert_child(document, array, CONFIG_NONE, body, indent);
    free(body);
    free(indent);
    return ok;
}

bool config_move(struct config_document *document, const char *array_path, size_t from, size_t to)
{
    char *from_path = format_string("%s[%zu]", array_path, from);
    char *to_path = format_string("%s[%zu]", array_path, to);
    int moved = config_find(document, from_path);
    int before = config_find(document, to_path);
    bool ok = moved != CONFIG_NONE && before != CONFIG_NONE && to < from;
    if (ok) {
        size_t size = 0;
        const char *element = config_element(document, moved, &size);
        char *body = format_string("%.*s", (int)size, element);
        config_remove(document, moved);
        int array = config_find(document, array_path);
        char *indent = child_indentation(document, array);
        ok = insert_child(document, array, config_find(document, to_path), body, indent);
        free(indent);
        free(body);
    }
    free(from_path);
    free(to_path);
    return ok;
}

void config_remove(struct config_document *document, int node)
{
    size_t start = document->nodes[node].key_start;
    while (start > 0 && isspace((unsigned char)document->text[start - 1])) {
        start--;
    }
    splice(document, start, document->nodes[node].end, "", 0);
}

void config_empty(struct config_document *document, int container)
{
    const struct config_node *node = &document->nodes[container];
    char *empty = format_string("<%s/>", container_tag(node));
    splice(document, node->start, node->end, empty, strlen(empty));
    free(empty);
}
