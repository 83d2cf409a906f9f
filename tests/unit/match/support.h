/* SPDX-License-Identifier: BSD-3-Clause */
/* Helpers of the tests of libkextmatch: kexts and devices from text, folders of the source tree and
 * the corpus. */
#ifndef MACHV_TESTS_UNIT_MATCH_SUPPORT_H
#define MACHV_TESTS_UNIT_MATCH_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "match/device_text.h"
#include "match/matcher.h"

/* A kext made of the inside of its IOKitPersonalities dictionary; `identifier` is its bundle's. */
struct kext *add_kext(struct kext_set *set, const char *identifier, const char *personalities);
/* A personality "name" with the class "Class" on IOPCIDevice and these more keys, as XML. The
 * buffer is static. */
const char *personality(const char *name, const char *keys);

/* One device from a word; fails the test when it is none. */
struct device_record *add_device(struct device_list *list, const char *word);

/* Matches the first device of `list` against all kexts; the name of the winner in `category` (NULL:
 * default), or "none". Borrowed from the set. */
struct verdict {
    char winner[80];
    char class_name[80];
    int32_t score;
    unsigned matches;   /* personalities of the category that match */
    unsigned undecided; /* of any category */
    unsigned invalid;
    bool tie;
    char why[600];
};
struct verdict judge(const struct kext_set *set, const struct device_record *device,
                     const char *category, unsigned release);

/* A path below tests/fixtures/match/; the buffer is static. */
const char *fixture(const char *path);
/* The corpus folder (MACHV_CORPUS, or ../shared/corpus beside the source root), or NULL when there
 * is none. */
const char *corpus_folder(void);
/* A whole file; fails the test when it cannot be read. */
char *read_whole(const char *path, size_t *size);

/* Fields of a line between tabs, in place; returns how many. */
size_t split_tabs(char *line, char **fields, size_t room);

/* A fresh folder under /tmp, for remove_root(). */
char *make_root(void);
void remove_root(char *root);
/* A file with all folders above it. */
void put_bytes(const char *path, const void *bytes, size_t size);
/* A kext executable without anything in it, of CPU type 0x01000000 | `cpu_word`. */
void put_executable(const char *path, unsigned cpu_word, bool is_signed);
/* ROOT/NAME/Contents/Info.plist with these keys and `more` of XML. */
void put_bundle(const char *root, const char *name, const char *identifier, const char *version,
                const char *more);

#endif
