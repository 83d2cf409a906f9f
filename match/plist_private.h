/* SPDX-License-Identifier: BSD-3-Clause */
/* Layout of a property list value, for the files that build one. */
#ifndef MACHV_MATCH_PLIST_PRIVATE_H
#define MACHV_MATCH_PLIST_PRIVATE_H

#include "match/plist.h"

struct plist_element {
    char *key; /* owned; NULL in arrays and sets */
    struct plist *value;
};

struct plist {
    enum plist_type type;
    unsigned references;
    uint32_t expanded; /* values below and including this one when shared ones count each time; saturates */
    unsigned line;
    unsigned bits;
    uint64_t number;
    char *bytes; /* `length` bytes and a NUL */
    size_t length;
    struct plist_element *elements;
    size_t count;
    size_t capacity;
};

#endif
