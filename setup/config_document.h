/* SPDX-License-Identifier: BSD-3-Clause */
/* An OpenCore config.plist as a text that can be edited in place.
 *
 * Reading builds an index of where each value stands; an edit replaces those bytes alone, so
 * comments, unknown keys, order and white space of everything else stay. Limits are OpenCore's own
 * (OcXmlLib).
 *
 * Values are addressed as OpenCore's checker prints them: "Kernel->Patch[2]->Replace". Node numbers
 * and keys are valid until the next edit.
 */
#ifndef MACHV_SETUP_CONFIG_DOCUMENT_H
#define MACHV_SETUP_CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setup/error.h"

enum {
    CONFIG_SIZE_MAX = 32 << 20, /* bytes */
    CONFIG_DEPTH_MAX = 32,
    CONFIG_CHILDREN_MAX = 32768,
    CONFIG_NONE = -1, /* no such node */
    CONFIG_ROOT = 0,
};

/* The letters are those of the schema: setup/data/schema.h. */
enum config_type {
    CONFIG_DICTIONARY = 'D',
    CONFIG_ARRAY = 'A',
    CONFIG_STRING = 's',
    CONFIG_DATA = 'd',
    CONFIG_INTEGER = 'i',
    CONFIG_BOOLEAN = 'b',
    CONFIG_OTHER = 'o', /* real, date: OpenCore refuses them */
};

struct config_document;

/* Copies the text. NULL with a line in `error`: not a property list, or beyond the limits. */
struct config_document *config_parse(const char *text, size_t size, struct setup_error *error);
void config_free(struct config_document *document);
const char *config_text(const struct config_document *document, size_t *size);
unsigned config_line(const struct config_document *document, int node);

/* ---- reading ---- */
int config_find(const struct config_document *document, const char *path);
int config_child(const struct config_document *document, int dictionary, const char *key);
int config_first(const struct config_document *document, int container);
int config_next(const struct config_document *document, int node);
size_t config_count(const struct config_document *document, int container);
const char *config_key(const struct config_document *document, int node); /* NULL in an array */
enum config_type config_type(const struct config_document *document, int node);
/* Decoded text of a string or integer; the caller frees it; NULL for other types. */
char *config_string(const struct config_document *document, int node);
bool config_boolean(const struct config_document *document, int node); /* false for other types */
/* False: not an integer in decimal. */
bool config_integer(const struct config_document *document, int node, int64_t *value);
/* False: not base64 data. *bytes is the caller's to free. */
bool config_data(const struct config_document *document, int node, uint8_t **bytes, size_t *count);
/* The value as people write it: true, 42, text, 5F48. The caller frees it. */
char *config_show(const struct config_document *document, int node);
/* Whether the node has this type and value; data is given in hexadecimal. */
bool config_equals(const struct config_document *document, int node, enum config_type type,
                   const char *value);

/* ---- editing; an edit that would go beyond the limits above changes nothing and returns false
 * ---- */
struct config_field {
    const char *key;
    enum config_type type;
    const char *value; /* as for config_equals */
};

/* Sets a value, replacing what is there, else adding the key in its place of the alphabet, with the
 * dictionaries above it. False: the path leads through something that is no dictionary or array. */
bool config_set(struct config_document *document, const char *path, enum config_type type,
                const char *value);
/* Appends a dictionary of these fields to the array, which is made when it is missing. */
bool config_append(struct config_document *document, const char *array_path,
                   const struct config_field *fields, size_t count);
/* Appends one element copied as text, for example an entry of another document. */
bool config_append_text(struct config_document *document, const char *array_path, const char *text,
                        size_t size);
/* Moves an element of an array before the element with the smaller index `to`. */
bool config_move(struct config_document *document, const char *array_path, size_t from, size_t to);
/* Removes the value, its key and its line. */
void config_remove(struct config_document *document, int node);
/* Removes everything inside a dictionary or array. */
void config_empty(struct config_document *document, int container);
/* Where the element's text stands, for config_append_text. */
const char *config_element(const struct config_document *document, int node, size_t *size);

#endif
