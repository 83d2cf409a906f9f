/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's XML dialect: structure of a document. Text of tags and of leaf values is read in
 * plist_lexer.c. Grammar as in xnu libkern/c++/OSUnserializeXML.y. */
#include "match/plist_lexer.h"

#include <stdlib.h>
#include <string.h>

struct identified {
    uint64_t id;
    struct plist *value; /* borrowed from the tree being built, or NULL while it is open */
};

struct document {
    struct plist_lexer lexer;
    struct identified *identified;
    size_t identified_count;
    uint32_t *id_table; /* hash table of positions + 1 in `identified` */
    size_t id_table_size;
    size_t objects;
};

static struct plist *read_value(struct document *document, const struct plist_tag *tag,
                                unsigned depth);

/* The slot of `id`: taken by it, or free. The table is never more than half full. */
static uint32_t *id_slot(const struct document *document, uint64_t id)
{
    size_t mask = document->id_table_size - 1;
    size_t at = (size_t)plist_hash_number(id) & mask;

    while (document->id_table[at] != 0 && document->identified[document->id_table[at] - 1].id != id)
        at = (at + 1) & mask;
    return &document->id_table[at];
}

static bool grow_id_table(struct document *document)
{
    size_t size = document->id_table_size == 0 ? 64 : document->id_table_size * 2;
    uint32_t *table;
    size_t index;

    if (document->identified_count * 2 < document->id_table_size)
        return true;
    table = calloc(size, sizeof *table);
    if (table == NULL)
        return false;
    free(document->id_table);
    document->id_table = table;
    document->id_table_size = size;
    for (index = 0; index < document->identified_count; index++) {
        uint32_t *slot = id_slot(document, document->identified[index].id);

        if (*slot == 0)
            *slot = (uint32_t)index + 1; /* of several with one id the first counts */
    }
    return true;
}

static bool remember(struct document *document, const struct plist_tag *tag, struct plist *value)
{
    struct identified *grown;
    uint32_t *slot;

    if (!tag->has_id)
        return true;
    if (document->identified_count >= PLIST_REFERENCES_MAX)
        return plist_lexer_fail(&document->lexer, "more than %d ID attributes",
                                PLIST_REFERENCES_MAX);
    grown = plist_grow(document->identified, document->identified_count, sizeof *grown);
    if (grown == NULL)
        return plist_lexer_fail(&document->lexer, "out of memory");
    document->identified = grown;
    if (!grow_id_table(document))
        return plist_lexer_fail(&document->lexer, "out of memory");
    slot = id_slot(document, tag->id);
    grown[document->identified_count++] = (struct identified){ tag->id, plist_retain(value) };
    if (*slot == 0)
        *slot = (uint32_t)document->identified_count;
    return true;
}

static struct plist *look_up(struct document *document, const struct plist_tag *tag)
{
    uint32_t found = document->id_table == NULL ? 0 : *id_slot(document, tag->reference);

    if (found != 0)
        return plist_retain(document->identified[found - 1].value);
    plist_lexer_fail(&document->lexer, "IDREF=\"%llu\" names no finished value before it",
                     (unsigned long long)tag->reference);
    return NULL;
}

/* Takes the closing tag of `open`. A self-closing tag needs none. */
static bool read_end(struct document *document, const struct plist_tag *open)
{
    struct plist_tag tag;

    if (!plist_lexer_tag(&document->lexer, &tag))
        return false;
    if (tag.kind != PLIST_TAG_END || strcmp(tag.name, open->name) != 0)
        return plist_lexer_fail(&document->lexer, "<%s> is not closed before <%s%s>", open->name,
                                tag.kind == PLIST_TAG_END ? "/" : "", tag.name);
    return true;
}

/* Takes the closing tag of a leaf, which must follow its text at once: the kernel knows no comment
 * there. Readers of general XML do; what comes after it they join to the value, which only strings
 * can need. */
static bool read_leaf_end(struct document *document, const struct plist_tag *open)
{
    if (plist_lexer_at_markup(&document->lexer) &&
        !plist_lexer_leave_dialect(&document->lexer, "a comment stands inside <%s>", open->name))
        return false;
    return read_end(document, open);
}

/* Reads `<key>name</key>` whose opening tag was taken already. */
static bool read_key(struct document *document, const struct plist_tag *tag, struct plist **key)
{
    size_t length;

    if (tag->kind != PLIST_TAG_START || strcmp(tag->name, "key") != 0)
        return plist_lexer_fail(&document->lexer, "<%s> where a <key> must stand", tag->name);
    *key = plist_lexer_string(&document->lexer, plist_new_string);
    if (*key == NULL)
        return false;
    plist_bytes(*key, &length);
    if (strlen(plist_string(*key)) != length || !read_leaf_end(document, tag)) {
        plist_lexer_fail(&document->lexer, "a key holds a NUL character");
        plist_release(*key);
        return false;
    }
    return true;
}

static bool add_pair(struct document *document, struct plist *dictionary,
                     const struct plist_tag *start, unsigned depth)
{
    struct plist_tag tag;
    struct plist *key;
    struct plist *value = NULL;
    bool added = false;

    if (!read_key(document, start, &key))
        return false;
    if (plist_get(dictionary, plist_string(key)) != NULL &&
        !plist_lexer_leave_dialect(&document->lexer,
                                   "key \"%.60s\" stands twice: the kernel refuses "
                                   "the whole text, user space takes the last",
                                   plist_string(key)))
        goto out;
    if (!plist_lexer_tag(&document->lexer, &tag))
        goto out;
    if (tag.kind == PLIST_TAG_END) {
        plist_lexer_fail(&document->lexer, "key \"%.60s\" has no value", plist_string(key));
        goto out;
    }
    value = read_value(document, &tag, depth);
    if (value == NULL)
        goto out;
    added = plist_dictionary_set(dictionary, plist_string(key), value) ||
            plist_lexer_fail(&document->lexer, "out of memory");
out:
    plist_release(key);
    return added;
}

static bool add_element(struct document *document, struct plist *array,
                        const struct plist_tag *start, unsigned depth)
{
    struct plist *value = read_value(document, start, depth);

    return value != NULL && (plist_array_append(array, value) ||
                             plist_lexer_fail(&document->lexer, "out of memory"));
}

static struct plist *read_container(struct document *document, const struct plist_tag *open,
                                    struct plist *container, unsigned depth)
{
    struct plist_tag tag;

    if (container == NULL) {
        plist_lexer_fail(&document->lexer, "out of memory");
        return NULL;
    }
    if (open->kind == PLIST_TAG_EMPTY)
        return container;
    for (;;) {
        if (!plist_lexer_tag(&document->lexer, &tag))
            break;
        if (tag.kind == PLIST_TAG_END) {
            if (strcmp(tag.name, open->name) == 0)
                return container;
            plist_lexer_fail(&document->lexer, "<%s> is not closed before </%s>", open->name,
                             tag.name);
            break;
        }
        if (plist_is(container, PLIST_DICTIONARY)
                ? !add_pair(document, container, &tag, depth + 1)
                : !add_element(document, container, &tag, depth + 1))
            break;
    }
    plist_release(container);
    return NULL;
}

static struct plist *empty_leaf(struct document *document, const struct plist_tag *tag)
{
    if (strcmp(tag->name, "true") == 0 || strcmp(tag->name, "false") == 0)
        return plist_new_boolean(tag->name[0] == 't');
    if (strcmp(tag->name, "string") == 0)
        return plist_new_string("", 0);
    if (strcmp(tag->name, "data") == 0)
        return plist_new_data("", 0);
    plist_lexer_fail(&document->lexer, "<%s/> is empty", tag->name);
    return NULL;
}

/* `<true></true>`: every other reader takes it, the kernel does not. */
static struct plist *read_open_boolean(struct document *document, const struct plist_tag *tag)
{
    if (!plist_lexer_leave_dialect(&document->lexer, "<%s> is not self-closing", tag->name) ||
        !read_end(document, tag))
        return NULL;
    return plist_new_boolean(tag->name[0] == 't');
}

static struct plist *read_opaque(struct document *document, const struct plist_tag *tag)
{
    if (!plist_lexer_leave_dialect(&document->lexer, "<%s> is unknown to the kernel", tag->name))
        return NULL;
    return plist_lexer_string(&document->lexer, plist_new_opaque);
}

static struct plist *read_leaf(struct document *document, const struct plist_tag *tag)
{
    struct plist_lexer *lexer = &document->lexer;
    struct plist *value;

    if (tag->kind == PLIST_TAG_EMPTY)
        return empty_leaf(document, tag);
    if (strcmp(tag->name, "true") == 0 || strcmp(tag->name, "false") == 0)
        return read_open_boolean(document, tag);
    if (strcmp(tag->name, "string") == 0) {
        value = plist_lexer_string(lexer, plist_new_string);
    } else if (strcmp(tag->name, "integer") == 0) {
        value = plist_lexer_integer(lexer, tag->size_bits);
    } else if (strcmp(tag->name, "data") == 0) {
        value = plist_lexer_data(lexer, tag->hexadecimal);
    } else if (strcmp(tag->name, "real") == 0 || strcmp(tag->name, "date") == 0) {
        value = read_opaque(document, tag);
    } else {
        plist_lexer_fail(lexer, "unknown tag <%s>", tag->name);
        return NULL;
    }
    if (value != NULL && !read_leaf_end(document, tag)) {
        plist_release(value);
        value = NULL;
    }
    return value;
}

static struct plist *read_fresh(struct document *document, const struct plist_tag *tag,
                                unsigned depth)
{
    if (strcmp(tag->name, "dict") == 0)
        return read_container(document, tag, plist_new_dictionary(), depth);
    if (strcmp(tag->name, "array") == 0)
        return read_container(document, tag, plist_new_array(), depth);
    if (strcmp(tag->name, "set") == 0)
        return read_container(document, tag, plist_new_set(), depth);
    return read_leaf(document, tag);
}

static struct plist *read_value(struct document *document, const struct plist_tag *tag,
                                unsigned depth)
{
    struct plist *value;
    unsigned line = document->lexer.tag_line;

    if (depth >= PLIST_DEPTH_MAX) {
        plist_lexer_fail(&document->lexer, "values are nested deeper than %d", PLIST_DEPTH_MAX);
        return NULL;
    }
    if (++document->objects > PLIST_OBJECTS_MAX) {
        plist_lexer_fail(&document->lexer, "more than %d values", PLIST_OBJECTS_MAX);
        return NULL;
    }
    if (tag->kind == PLIST_TAG_EMPTY && tag->has_reference)
        return look_up(document, tag);
    value = read_fresh(document, tag, depth);
    if (value == NULL) {
        plist_lexer_fail(&document->lexer, "out of memory");
        return NULL;
    }
    value->line = line;
    if (value->expanded > PLIST_OBJECTS_MAX) {
        plist_lexer_fail(&document->lexer, "IDREF attributes stand for more than %d values",
                         PLIST_OBJECTS_MAX);
    } else if (remember(document, tag, value)) {
        return value;
    }
    plist_release(value);
    return NULL;
}

static struct plist *read_document(struct document *document)
{
    struct plist_tag tag;
    struct plist_tag inner;
    struct plist *value;

    if (!plist_lexer_begin(&document->lexer) || !plist_lexer_tag(&document->lexer, &tag))
        return NULL;
    if (strcmp(tag.name, "plist") != 0)
        return read_value(document, &tag, 0);
    if (tag.kind != PLIST_TAG_START || !plist_lexer_tag(&document->lexer, &inner) ||
        inner.kind == PLIST_TAG_END) {
        plist_lexer_fail(&document->lexer, "<plist> holds no value");
        return NULL;
    }
    value = read_value(document, &inner, 0);
    if (value != NULL && !read_end(document, &tag)) {
        plist_release(value);
        value = NULL;
    }
    return value;
}

struct plist *plist_parse_xml(const void *text, size_t size, const struct plist_reader *reader,
                              struct plist_diagnostic *error)
{
    static const struct plist_reader strict;
    struct document document = { .identified = NULL };
    struct plist *value;
    size_t index;

    plist_lexer_init(&document.lexer, text, size, reader == NULL ? &strict : reader);
    value = read_document(&document);
    for (index = 0; index < document.identified_count; index++)
        plist_release(document.identified[index].value);
    plist_free_grown(document.identified);
    free(document.id_table);
    if (value == NULL && error != NULL)
        *error = document.lexer.error;
    return value;
}
