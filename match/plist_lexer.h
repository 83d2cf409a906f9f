/* SPDX-License-Identifier: BSD-3-Clause */
/* Tags and leaf text of the kernel's XML dialect, with positions. Private to the property list
 * reader. */
#ifndef MACHV_MATCH_PLIST_LEXER_H
#define MACHV_MATCH_PLIST_LEXER_H

#include "match/plist_private.h"

enum { PLIST_TAG_NAME_MAX = 31 }; /* characters, as the kernel */

enum plist_tag_kind { PLIST_TAG_START, PLIST_TAG_END, PLIST_TAG_EMPTY };

struct plist_tag {
    enum plist_tag_kind kind;
    char name[PLIST_TAG_NAME_MAX + 1];
    bool has_id;
    bool has_reference;
    bool hexadecimal;   /* format="hex" */
    uint64_t id;        /* ID="n" */
    uint64_t reference; /* IDREF="n" */
    unsigned size_bits; /* size="n", 64 when absent */
};

struct plist_lexer {
    const unsigned char *text;
    size_t size;
    size_t position;
    unsigned line;
    size_t line_start;
    unsigned tag_line; /* line of the tag taken last */
    const struct plist_reader *reader;
    bool failed; /* `error` is set; the first error stays */
    struct plist_diagnostic error;
};

void plist_lexer_init(struct plist_lexer *lexer, const void *text, size_t size,
                      const struct plist_reader *reader);
/* Checks the size and takes a byte order mark, if leniency allows it. */
bool plist_lexer_begin(struct plist_lexer *lexer);

/* Takes the next tag, skipping white space, comments, processing instructions and declarations. */
bool plist_lexer_tag(struct plist_lexer *lexer, struct plist_tag *tag);

/* Each takes the text up to the next '<' and makes a value of it; NULL on an error. */
struct plist *plist_lexer_string(struct plist_lexer *lexer,
                                 struct plist *(*make)(const char *bytes, size_t length));
struct plist *plist_lexer_integer(struct plist_lexer *lexer, unsigned bits);
struct plist *plist_lexer_data(struct plist_lexer *lexer, bool hexadecimal);

/* Is the next thing a comment, a processing instruction or a declaration? */
bool plist_lexer_at_markup(const struct plist_lexer *lexer);
/* Skips comments, processing instructions and declarations, but no white space. */
bool plist_lexer_skip_markup(struct plist_lexer *lexer);

/* Records an error at the present position unless there is one already; returns false. */
bool plist_lexer_fail(struct plist_lexer *lexer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* In lenient mode warns and returns true, in strict mode fails. */
bool plist_lexer_leave_dialect(struct plist_lexer *lexer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Array growth by doubling at powers of two: room for one more element after `count`. */
void *plist_grow(void *elements, size_t count, size_t element_size);
void plist_free_grown(void *elements);

#endif
