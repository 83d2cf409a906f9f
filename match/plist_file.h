/* SPDX-License-Identifier: BSD-3-Clause */
/* Property lists of either format: the kernel's XML dialect, and binary ones through libplist. */
#ifndef MACHV_MATCH_PLIST_FILE_H
#define MACHV_MATCH_PLIST_FILE_H

#include "match/plist.h"
#include "match/problems.h"

enum plist_file_mode {
    PLIST_FILE_LENIENT, /* binary is taken, and what leaves the dialect is a warning */
    PLIST_FILE_STRICT,  /* as the kernel: anything else is an error */
};

/* Reads a property list out of memory. Returns one reference, or NULL with an error in `problems`.
 */
struct plist *plist_read(const char *bytes, size_t size, const char *place,
                         enum plist_file_mode mode, struct problems *problems);
/* The same for a file of at most PLIST_SIZE_MAX bytes. */
struct plist *plist_read_file(const char *path, enum plist_file_mode mode,
                              struct problems *problems);

/* Is it a binary property list? */
bool plist_looks_binary(const char *bytes, size_t size);
/* Checks the structure of a binary property list: offsets, types, cycles, depth, and that shared
 * values do not stand for more than PLIST_OBJECTS_MAX. Returns false with the offset and reason in
 * `error`. */
bool plist_check_binary(const void *bytes, size_t size, struct plist_diagnostic *error);
/* Checks, then reads it with libplist. NULL on an error. */
struct plist *plist_parse_binary(const void *bytes, size_t size, struct plist_diagnostic *error);

#endif
