/* SPDX-License-Identifier: BSD-3-Clause */
/* Windows INF files: sections, entries, strings (Microsoft: "General Syntax Rules for INF Files"
 * and the pages of the single sections). Nothing in them is executed. */
#ifndef MACHV_MATCH_INF_H
#define MACHV_MATCH_INF_H

#include "match/plist.h"
#include "match/problems.h"

enum {
    INF_SIZE_MAX = 16 << 20,
    INF_FIELD_MAX = 4096, /* characters, with the terminator */
    INF_SECTION_NAME_MAX = 255,
    INF_VALUES_MAX = 512, /* of one entry */
};

/* The Windows that installs. */
struct inf_target {
    const char *architecture; /* "amd64", "x86", "arm64", "arm", "ia64" */
    unsigned major;
    unsigned minor;
    unsigned build;
    unsigned product; /* 1 workstation, 2 domain controller, 3 server; 0 not given: any */
    unsigned suite;   /* bit mask; 0 not given */
};

struct inf_options {
    const char *architecture; /* stands for $ARCH$ in templates (.inx); NULL: amd64 */
    unsigned code_page;       /* of single-byte texts: 1252 or 28591; 0: 1252 */
    unsigned language;        /* Windows language id for [Strings.LLLL]; 0: [Strings] */
};

struct inf_entry {
    char *key; /* before '='; NULL for a list of values alone. Tokens stand as written */
    char **values;
    size_t count;
    size_t line;
    const char *section_name; /* as this part of the section spells it */
    bool quoted_key;
};

struct inf_section {
    char *name; /* of the first part */
    size_t line;
    struct inf_entry *entries;
    size_t count;
    size_t capacity;
    struct plist *index; /* keys in lower case to the first entry's position; NULL when few */
};

struct inf {
    char *path;
    struct inf_section *sections; /* parts of one name, without regard to case, are merged */
    size_t count;
    size_t capacity;
    char **names; /* spellings of headers that differ from their section's */
    size_t name_count;
    struct plist *index;   /* section names in lower case to positions */
    struct plist *strings; /* tokens in lower case to their texts */
    const char *encoding;
    bool is_template; /* it holds $ARCH$ or build macros */
};

/* Reads a text of any encoding. NULL after an error in `problems`: too large, not an INF (no
 * [Version] with a Signature), no memory. Odd places are warnings with their line. `options` may be
 * NULL. */
struct inf *inf_parse(const char *bytes, size_t size, const char *path,
                      const struct inf_options *options, struct problems *problems);
struct inf *inf_load(const char *path, const struct inf_options *options,
                     struct problems *problems);
void inf_free(struct inf *inf);

/* Finds without regard to case; NULL when there is none. */
const struct inf_section *inf_section(const struct inf *inf, const char *name);
/* The first entry with this key; NULL when there is none. */
const struct inf_entry *inf_entry(const struct inf_section *section, const char *key);
/* Value number `index` of the first entry with this key, as written; NULL when there is none. */
const char *inf_value(const struct inf_section *section, const char *key, size_t index);

/* The text with its %tokens% replaced, for free(). A token that is unknown stays, and `*unknown`
 * (may be NULL) becomes true. NULL when memory is out. */
char *inf_expand(const struct inf *inf, const char *text, bool *unknown);

/* "DriverVer = mm/dd/yyyy[,w.x.y.z]" as numbers to compare: yyyymmdd (0 when absent or impossible),
 * and the four parts of the version, 16 bits each. */
void inf_driver_version(const struct inf *inf, unsigned *date, uint64_t *version);

/* ---- private to the reader ---- */

/* Splits a logical line into key and values. Returns false when memory is out. */
bool inf_split_line(const char *text, struct inf_entry *entry, bool *unterminated, bool *cut);
/* Builds inf->strings. */
bool inf_read_strings(struct inf *inf, unsigned language, struct problems *problems);

#endif
