/* SPDX-License-Identifier: BSD-3-Clause */
/* Property list values, and the XML dialect that the macOS kernel reads.
 *
 * A value is an immutable, reference-counted tree once it has been built. Dictionaries keep the
 * order of the document, because the order of personalities decides ties (IOCatalogue).
 */
#ifndef MACHV_MATCH_PLIST_H
#define MACHV_MATCH_PLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plist_type {
    PLIST_DICTIONARY,
    PLIST_ARRAY,
    PLIST_SET,
    PLIST_STRING,
    PLIST_DATA,
    PLIST_INTEGER,
    PLIST_BOOLEAN,
    PLIST_OPAQUE, /* <real> and <date>: kept as text, only in lenient mode */
};

struct plist;

enum {
    PLIST_DEPTH_MAX = 256,        /* nested containers */
    PLIST_OBJECTS_MAX = 131071,   /* as the kernel: OSUnserializeXML.y */
    PLIST_REFERENCES_MAX = 65535, /* ID targets, as the kernel */
    PLIST_SIZE_MAX = 64 << 20,    /* bytes of text */
    PLIST_ERROR_TEXT_SIZE = 160,
};

/* Where and why a text was refused, or left the kernel's dialect. Lines and columns count from 1.
 */
struct plist_diagnostic {
    size_t offset; /* bytes from the start of the text */
    unsigned line;
    unsigned column;
    char text[PLIST_ERROR_TEXT_SIZE];
};

/* Called for each place where a text leaves the kernel's dialect, in lenient mode. */
typedef void plist_warning_function(void *context, const struct plist_diagnostic *warning);

struct plist_reader {
    bool lenient;                    /* go on where the kernel would refuse, with a warning */
    plist_warning_function *warning; /* may be NULL */
    void *context;                   /* handed to `warning` */
};

/* Reads one XML property list as the kernel's OSUnserializeXML does (xnu
 * libkern/c++/OSUnserializeXML.y).
 *
 * text     any bytes, `size` of them; need not end in NUL
 * reader   NULL means strict
 * error    filled when NULL is returned; may be NULL
 * Returns a value with one reference owned by the caller, or NULL: syntax, depth, size, memory. */
struct plist *plist_parse_xml(const void *text, size_t size, const struct plist_reader *reader,
                              struct plist_diagnostic *error);

/* ---- building; each returns a new reference, or NULL when memory is out ---- */
struct plist *plist_new_dictionary(void);
struct plist *plist_new_set(void);
/* libplist has functions of these three names: ours are told apart for the linker. */
struct plist *plist_new_array(void) __asm("kextmatch_plist_new_array");
struct plist *plist_new_string(const char *bytes, size_t length) /* copies */
    __asm("kextmatch_plist_new_string");
struct plist *plist_new_data(const void *bytes, size_t length) /* copies */
    __asm("kextmatch_plist_new_data");
struct plist *plist_new_integer(uint64_t value, unsigned bits); /* 1 - 64 bits, truncated to them */
struct plist *plist_new_boolean(bool value);
struct plist *plist_new_opaque(const char *bytes, size_t length);

/* Adds `value` under `key`, replacing an older one in place. Consumes the reference to `value`,
 * also on failure (out of memory, or `value` NULL: false). */
bool plist_dictionary_set(struct plist *dictionary, const char *key, struct plist *value);
/* Appends to an array or set; consumes `value` likewise. A set takes equal values once. */
bool plist_array_append(struct plist *array, struct plist *value);

struct plist *plist_retain(struct plist *value); /* NULL stays NULL */
void plist_release(struct plist *value);         /* NULL is allowed */

/* ---- reading; borrowed pointers, valid while the tree lives; a value of another type gives NULL,
 * 0, false ---- */
enum plist_type plist_type(const struct plist *value);
const char *plist_type_name(
    const struct plist *value); /* "dictionary", "string" ...; "nothing" for NULL */
bool plist_is(const struct plist *value, enum plist_type type); /* false for NULL */

size_t plist_count(const struct plist *container); /* pairs or elements */
struct plist *plist_get(const struct plist *dictionary, const char *key);
struct plist *plist_value_at(const struct plist *container, size_t index);
const char *plist_key_at(const struct plist *dictionary, size_t index);

const char *plist_string(
    const struct plist *value); /* NUL terminated; may contain NUL before that */
const void *plist_bytes(const struct plist *value,
                        size_t *length); /* of a string, data or opaque value */
bool plist_integer(const struct plist *value, uint64_t *result);
unsigned plist_integer_bits(const struct plist *value);
bool plist_boolean(const struct plist *value, bool *result);

/* Text position of the value in the document it was read from; 0 when it was built by hand. */
unsigned plist_line(const struct plist *value);

/* Equality as IOPropertyMatch sees it: same type and content; integers compare as unsigned 64 bit;
 * a string equals data with the same bytes and at most one NUL more (xnu
 * OSString::isEqualTo(OSData)). */
bool plist_equal(const struct plist *left, const struct plist *right);
/* Equal values have equal hashes. Differs from one run of the program to the next. */
uint64_t plist_hash(const struct plist *value);

#endif
