/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds every value of a property list in its text. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "setup/config_private.h"
#include "setup/text.h"

struct scanner {
    struct config_document *document;
    size_t position;
    unsigned depth;
    struct setup_error *error;
};

struct tag {
    char name[16];
    bool closing;
    bool empty; /* <x/> */
    size_t start;
    size_t end;
};

static bool fail_here(struct scanner *scanner, size_t position, const char *what)
{
    unsigned line = 1;
    for (size_t i = 0; i < position && i < scanner->document->size; i++) {
        line += scanner->document->text[i] == '\n';
    }
    return setup_fail(scanner->error, "line %u: %s", line, what);
}

/* Skips a comment, processing instruction or document type at `position`. */
static bool skip_markup(struct scanner *scanner)
{
    const char *text = scanner->document->text;
    const char *from = text + scanner->position;
    const char *terminator = ">";
    if (strncmp(from, "<!--", 4) == 0) {
        terminator = "-->";
    } else if (strncmp(from, "<?", 2) == 0) {
        terminator = "?>";
    }
    const char *end = strstr(from + 2, terminator);
    if (end == NULL) {
        return fail_here(scanner, scanner->position, "markup that never ends");
    }
    scanner->position = (size_t)(end - text) + strlen(terminator);
    return true;
}

/* The next tag after white space and comments. */
static bool next_tag(struct scanner *scanner, struct tag *tag)
{
    const char *text = scanner->document->text;
    size_t size = scanner->document->size;
    for (;;) {
        while (scanner->position < size && isspace((unsigned char)text[scanner->position])) {
            scanner->position++;
        }
        if (scanner->position >= size) {
            return fail_here(scanner, size, "the text ends too early");
        }
        if (text[scanner->position] != '<') {
            return fail_here(scanner, scanner->position, "text where a tag should be");
        }
        char after = text[scanner->position + 1];
        if (after != '!' && after != '?') {
            break;
        }
        if (!skip_markup(scanner)) {
            return false;
        }
    }
    memset(tag, 0, sizeof *tag);
    tag->start = scanner->position;
    size_t at = scanner->position + 1;
    if (text[at] == '/') {
        tag->closing = true;
        at++;
    }
    size_t length = 0;
    while (at < size && isalnum((unsigned char)text[at])) {
        if (length + 1 >= sizeof tag->name) {
            return fail_here(scanner, at, "unknown tag");
        }
        tag->name[length++] = text[at++];
    }
    const char *end = memchr(text + at, '>', size - at);
    if (end == NULL || length == 0) {
        return fail_here(scanner, scanner->position, "a tag that never ends");
    }
    tag->empty = end[-1] == '/';
    tag->end = (size_t)(end - text) + 1;
    scanner->position = tag->end;
    return true;
}

/* The content up to the closing tag of `name`. */
static bool read_content(struct scanner *scanner, const struct tag *tag, size_t *begin, size_t *end)
{
    *begin = *end = tag->end;
    if (tag->empty) {
        return true;
    }
    const char *text = scanner->document->text;
    const char *stop = strchr(text + tag->end, '<');
    *end = stop == NULL ? scanner->document->size : (size_t)(stop - text);
    scanner->position = *end;
    struct tag closing;
    if (!next_tag(scanner, &closing)) {
        return false;
    }
    if (!closing.closing || strcmp(closing.name, tag->name) != 0 || closing.start != *end) {
        return fail_here(scanner, closing.start, "the closing tag does not fit");
    }
    return true;
}

static int add_node(struct scanner *scanner, int parent)
{
    struct config_document *document = scanner->document;
    if (document->node_count == document->node_capacity) {
        document->node_capacity = document->node_capacity == 0 ? 1024 : document->node_capacity * 2;
        document->nodes =
            reallocate(document->nodes, (size_t)document->node_capacity * sizeof *document->nodes);
    }
    int node = document->node_count++;
    document->nodes[node] = (struct config_node){
        .parent = parent, .first = CONFIG_NONE, .last = CONFIG_NONE, .next = CONFIG_NONE};
    if (parent != CONFIG_NONE) {
        struct config_node *above = &document->nodes[parent];
        if (above->last == CONFIG_NONE) {
            above->first = node;
        } else {
            document->nodes[above->last].next = node;
        }
        above->last = node;
        above->count++;
    }
    return node;
}

static bool scan_value(struct scanner *scanner, const struct tag *tag, int parent, const char *key,
                       size_t key_start);

static bool read_key(struct scanner *scanner, const struct tag *tag, const char **key)
{
    struct config_document *document = scanner->document;
    size_t begin, end;
    if (!read_content(scanner, tag, &begin, &end)) {
        return false;
    }
    char *place = document->keys + document->keys_size;
    *key = place;
    document->keys_size += config_decode_text(document->text + begin, end - begin, place) + 1;
    return true;
}

/* Children up to the closing tag of a container whose node is `container`. */
static bool scan_children(struct scanner *scanner, const struct tag *tag, int container)
{
    bool dictionary = strcmp(tag->name, "dict") == 0;
    for (;;) {
        struct tag child;
        if (!next_tag(scanner, &child)) {
            return false;
        }
        if (child.closing) {
            if (strcmp(child.name, tag->name) != 0) {
                return fail_here(scanner, child.start, "the closing tag does not fit");
            }
            scanner->document->nodes[container].content_end = child.start;
            return true;
        }
        if (scanner->document->nodes[container].count >= CONFIG_CHILDREN_MAX) {
            return fail_here(scanner, child.start, "more than 32768 values in one container");
        }
        const char *key = NULL;
        size_t key_start = child.start;
        if (dictionary) {
            if (strcmp(child.name, "key") != 0) {
                return fail_here(scanner, child.start, "a value without a key");
            }
            if (!read_key(scanner, &child, &key) || !next_tag(scanner, &child)) {
                return false;
            }
        }
        if (!scan_value(scanner, &child, container, key, key_start)) {
            return false;
        }
    }
}

static enum config_type type_of_tag(const char *name)
{
    static const struct {
        const char *name;
        enum config_type type;
    } types[] = {
        {"dict", CONFIG_DICTIONARY}, {"array", CONFIG_ARRAY},     {"string", CONFIG_STRING},
        {"data", CONFIG_DATA},       {"integer", CONFIG_INTEGER}, {"true", CONFIG_BOOLEAN},
        {"false", CONFIG_BOOLEAN},   {"real", CONFIG_OTHER},      {"date", CONFIG_OTHER}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0) {
            return types[i].type;
        }
    }
    return 0;
}

static bool scan_value(struct scanner *scanner, const struct tag *tag, int parent, const char *key,
                       size_t key_start)
{
    enum config_type type = tag->closing ? 0 : type_of_tag(tag->name);
    if (type == 0) {
        return fail_here(scanner, tag->start, "a tag that has no place in a configuration");
    }
    int node = add_node(scanner, parent);
    struct config_node *added = &scanner->document->nodes[node];
    added->type = type;
    added->truth = strcmp(tag->name, "true") == 0;
    added->start = tag->start;
    added->key_start = key_start;
    added->key = key;
    added->content = added->content_end = tag->end;
    added->closed = tag->empty;
    bool ok = true;
    if (type == CONFIG_DICTIONARY || type == CONFIG_ARRAY) {
        if (++scanner->depth > CONFIG_DEPTH_MAX) {
            return fail_here(scanner, tag->start, "nested deeper than 32");
        }
        ok = tag->empty || scan_children(scanner, tag, node);
        scanner->depth--;
    } else {
        size_t begin, end;
        ok = read_content(scanner, tag, &begin, &end);
        if (ok) {
            scanner->document->nodes[node].content = begin;
            scanner->document->nodes[node].content_end = end;
        }
    }
    scanner->document->nodes[node].end = scanner->position;
    return ok;
}

void config_clear_index(struct config_document *document)
{
    free(document->keys);
    document->keys = NULL;
    document->keys_size = 0;
    document->node_count = 0;
}

bool config_scan(struct config_document *document, struct setup_error *error)
{
    config_clear_index(document);
    struct scanner scanner = {.document = document, .error = error};
    if (document->size > CONFIG_SIZE_MAX) {
        return setup_fail(error, "larger than 32 MiB");
    }
    if (strlen(document->text) != document->size) {
        return setup_fail(error, "not an XML property list (it contains NUL bytes)");
    }
    document->keys = allocate(document->size + 1); /* a key is longer with its tags than without */
    struct tag tag;
    if (!next_tag(&scanner, &tag)) {
        return false;
    }
    bool wrapped = strcmp(tag.name, "plist") == 0 && !tag.closing && !tag.empty;
    if (wrapped && !next_tag(&scanner, &tag)) {
        return false;
    }
    if (strcmp(tag.name, "dict") != 0 || tag.closing) {
        return fail_here(&scanner, tag.start, "not a property list with a dictionary");
    }
    if (!scan_value(&scanner, &tag, CONFIG_NONE, NULL, tag.start)) {
        return false;
    }
    if (wrapped && (!next_tag(&scanner, &tag) || !tag.closing || strcmp(tag.name, "plist") != 0)) {
        return fail_here(&scanner, scanner.position, "the closing </plist> is missing");
    }
    return true;
}
