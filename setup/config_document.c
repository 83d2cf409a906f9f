/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading values of a configuration by key path. */
#include "setup/config_document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "setup/config_private.h"
#include "setup/text.h"

struct config_document *config_parse(const char *text, size_t size, struct setup_error *error)
{
    struct config_document *document = allocate(sizeof *document);
    document->text = allocate(size + 1);
    memcpy(document->text, text, size);
    document->size = size;
    if (!config_scan(document, error)) {
        config_free(document);
        return NULL;
    }
    return document;
}

void config_free(struct config_document *document)
{
    if (document != NULL) {
        config_clear_index(document);
        free(document->nodes);
        free(document->text);
        free(document);
    }
}

const char *config_text(const struct config_document *document, size_t *size)
{
    *size = document->size;
    return document->text;
}

unsigned config_line(const struct config_document *document, int node)
{
    unsigned line = 1;
    for (size_t i = 0; i < document->nodes[node].start; i++) {
        line += document->text[i] == '\n';
    }
    return line;
}

int config_child(const struct config_document *document, int dictionary, const char *key)
{
    if (dictionary == CONFIG_NONE || document->nodes[dictionary].type != CONFIG_DICTIONARY) {
        return CONFIG_NONE;
    }
    int child = document->nodes[dictionary].first;
    while (child != CONFIG_NONE && strcmp(document->nodes[child].key, key) != 0) {
        child = document->nodes[child].next;
    }
    return child;
}

static int element_at(const struct config_document *document, int array, unsigned long index)
{
    if (array == CONFIG_NONE || document->nodes[array].type != CONFIG_ARRAY) {
        return CONFIG_NONE;
    }
    int child = document->nodes[array].first;
    while (child != CONFIG_NONE && index-- > 0) {
        child = document->nodes[child].next;
    }
    return child;
}

int config_find(const struct config_document *document, const char *path)
{
    int node = CONFIG_ROOT;
    char *copy = copy_string(path);
    char *segment = copy;
    while (segment != NULL && *segment != '\0' && node != CONFIG_NONE) {
        char *arrow = strstr(segment, "->");
        if (arrow != NULL) {
            *arrow = '\0';
        }
        char *bracket = strrchr(segment, '[');
        if (bracket != NULL) {
            *bracket = '\0';
        }
        node = config_child(document, node, segment);
        if (bracket != NULL && node != CONFIG_NONE) {
            node = element_at(document, node, strtoul(bracket + 1, NULL, 10));
        }
        segment = arrow == NULL ? NULL : arrow + 2;
    }
    free(copy);
    return node;
}

int config_first(const struct config_document *document, int container)
{
    return container == CONFIG_NONE ? CONFIG_NONE : document->nodes[container].first;
}

int config_next(const struct config_document *document, int node)
{
    return document->nodes[node].next;
}

size_t config_count(const struct config_document *document, int container)
{
    return container == CONFIG_NONE ? 0 : document->nodes[container].count;
}

const char *config_key(const struct config_document *document, int node)
{
    return document->nodes[node].key;
}

enum config_type config_type(const struct config_document *document, int node)
{
    return node == CONFIG_NONE ? CONFIG_OTHER : document->nodes[node].type;
}

size_t config_decode_text(const char *from, size_t length, char *to)
{
    static const struct {
        const char *name;
        char character;
    } entities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    size_t written = 0;
    for (size_t i = 0; i < length;) {
        size_t step = 1;
        char character = from[i];
        for (size_t e = 0; e < sizeof entities / sizeof entities[0] && from[i] == '&'; e++) {
            size_t size = strlen(entities[e].name);
            if (i + size <= length && memcmp(from + i, entities[e].name, size) == 0) {
                character = entities[e].character;
                step = size;
            }
        }
        to[written++] = character;
        i += step;
    }
    to[written] = '\0';
    return written;
}

char *config_string(const struct config_document *document, int node)
{
    enum config_type type = config_type(document, node);
    if (type != CONFIG_STRING && type != CONFIG_INTEGER) {
        return NULL;
    }
    const struct config_node *found = &document->nodes[node];
    size_t length = found->content_end - found->content;
    char *text = allocate(length + 1);
    config_decode_text(document->text + found->content, length, text);
    return text;
}

bool config_boolean(const struct config_document *document, int node)
{
    return config_type(document, node) == CONFIG_BOOLEAN && document->nodes[node].truth;
}

bool config_integer(const struct config_document *document, int node, int64_t *value)
{
    if (config_type(document, node) != CONFIG_INTEGER) {
        return false;
    }
    char *text = config_string(document, node);
    char *end = NULL;
    errno = 0;
    *value = strtoll(text, &end, 10);
    bool ok = errno == 0 && end != text && *end == '\0';
    free(text);
    return ok;
}

bool config_data(const struct config_document *document, int node, uint8_t **bytes, size_t *count)
{
    if (config_type(document, node) != CONFIG_DATA) {
        return false;
    }
    const struct config_node *found = &document->nodes[node];
    return base64_decode(document->text + found->content, found->content_end - found->content,
                         bytes, count);
}

char *config_show(const struct config_document *document, int node)
{
    uint8_t *bytes = NULL;
    size_t count = 0;
    switch (config_type(document, node)) {
    case CONFIG_BOOLEAN: return copy_string(document->nodes[node].truth ? "true" : "false");
    case CONFIG_STRING:
    case CONFIG_INTEGER: return config_string(document, node);
    case CONFIG_DATA:
        if (config_data(document, node, &bytes, &count)) {
            char *hex = hex_encode(bytes, count);
            free(bytes);
            return hex;
        }
        return copy_string("(not base64)");
    case CONFIG_DICTIONARY: return copy_string("(dictionary)");
    case CONFIG_ARRAY: return copy_string("(array)");
    default: return copy_string("(real or date)");
    }
}

bool config_equals(const struct config_document *document, int node, enum config_type type,
                   const char *value)
{
    if (node == CONFIG_NONE || document->nodes[node].type != type) {
        return false;
    }
    char *shown = config_show(document, node);
    bool equal = strcmp(shown, value) == 0;
    free(shown);
    return equal;
}

const char *config_element(const struct config_document *document, int node, size_t *size)
{
    *size = document->nodes[node].end - document->nodes[node].start;
    return document->text + document->nodes[node].start;
}
